from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One disagreement. `level` is "error" (Stripe would refuse it, or never answer so) or "warning"."""

    where: str  # request, answer, event or object
    code: str
    path: str  # line_items[0][price_data][currency], or data.object.status
    message: str
    level: str = "error"

    def __str__(self) -> str:
        return f"{self.level}: {self.where} {self.path or '-'}: {self.message} [{self.code}]"


class ContractBroken(AssertionError):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def kind(value: Any) -> str:
    names = {dict: "a hash", list: "an array", str: "a string", bool: "a boolean", int: "an integer", float: "a number"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


def rank(problems: list[Problem]) -> tuple[bool, int]:
    """Of several alternatives report on the one whose shape fits; then on the one with the fewest faults."""
    return problems[0].code == "wrong_type", len(problems)
