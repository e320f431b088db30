"""Each threat of tests/threats.toml is proven by a test that carries its id, or is said to be open."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent


def ids_of(mark: ast.expr) -> list[str]:
    """The ids in `pytest.mark.threat("M1", "M3")`; none in anything else."""
    if not (isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.threat"):
        return []
    return [str(ast.literal_eval(argument)) for argument in mark.args]


def proofs(source: str) -> Iterator[tuple[str, str]]:
    """Each id that a test carries, with the test's name. One that is skipped, or expected to fail, proves nothing."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            marks = " ".join(ast.unparse(mark) for mark in node.decorator_list)
            is_proof = node.name.startswith("test_") and not any(word in marks for word in ("mark.skip", "mark.xfail"))
            for threat in [threat for mark in node.decorator_list for threat in ids_of(mark)]:
                yield threat, node.name if is_proof else ""


def faults(threats: dict[str, dict[str, str]], found: list[tuple[str, str]]) -> list[str]:
    """What the list of threats and the tests say differently, in sentences."""
    proven = {threat for threat, name in found if name}
    is_open = {threat for threat, about in threats.items() if about.get("open")}
    return [
        *(f"{threat} is no threat of the list." for threat in sorted({each for each, _ in found} - set(threats))),
        *(f"{threat} is carried by what is no test." for threat, name in found if not name),
        *(f"{threat} has no test and is not said to be open." for threat in threats if threat not in proven | is_open),
        *(f"{threat} is said to be open and has a test." for threat in threats if threat in proven & is_open),
        *(f"{threat} has no title." for threat, about in threats.items() if not about.get("title")),
        *(f"{threat} says {word}." for threat in threats for word in set(threats[threat]) - {"title", "open", "lacks"}),
    ]


def test_each_threat_is_proven_by_a_test_or_said_to_be_open() -> None:
    threats = tomllib.loads((TESTS / "threats.toml").read_text())
    sources = [path.read_text() for path in sorted(TESTS.rglob("*.py"))]
    found = [proof for source in sources if "mark.threat(" in source for proof in proofs(source)]
    assert len(threats) == 53
    assert faults(threats, found) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("@pytest.mark.threat('M1', 'M2')\ndef test_x(): ...", ""),
        ("@pytest.mark.threat('M1')\ndef test_x(): ...", "M2 has no test and is not said to be open."),
        ("@pytest.mark.threat('M1', 'M2', 'M9')\ndef test_x(): ...", "M9 is no threat of the list."),
        ("@pytest.mark.threat('M1', 'M2', 'M3')\ndef test_x(): ...", "M3 is said to be open and has a test."),
        ("@pytest.mark.threat('M1', 'M2')\ndef check(): ...", "M1 is carried by what is no test."),
        ("@pytest.mark.threat('M1', 'M2')\n@pytest.mark.skip\ndef test_x(): ...", "M2 has no test and"),
        ("@pytest.mark.other('M1', 'M2')\ndef test_x(): ...", "M1 has no test and"),
    ],
)
def test_what_differs_is_named(source: str, fault: str) -> None:
    threats = {"M1": {"title": "One"}, "M2": {"title": "Two"}, "M3": {"title": "Three", "open": "Not built."}}
    found = faults(threats, list(proofs(source)))
    assert any(each.startswith(fault) for each in found) if fault else found == []
