"""Which rows a figure of a report counts: a list of the desk, and what it is filtered by in its address."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Behind:
    """The list in the admin of the rows that a figure counts: those of a moment, and of them those that are so.

    `moment` may be empty, for what is so today. `last_day`: what the list calls the day at whose end it was so.
    """

    list: str
    moment: str = ""
    only: tuple[tuple[str, str], ...] = ()
    last_day: str = ""

    def who(self, **only: str) -> "Behind":
        return replace(self, only=(*self.only, *only.items()))
