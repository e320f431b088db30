"""Lengths of time, sizes and years, read out of a fact: out of its number and unit, or out of its words.

Editors write “leave the den at 2–3 months” as one would say it. A strip of time needs the 2, the 3 and the months;
reading them here keeps one place to correct.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from species.models import Fact

NUMBER = r"\d+(?:\.\d+)?"
DAYS = {"day": Decimal(1), "week": Decimal(7), "month": Decimal("30.44"), "year": Decimal("365.25")}
AGE = re.compile(
    rf"(?P<low>{NUMBER})(?:\s*(?P<low_unit>day|week|month|year)s?)?"
    rf"(?:\s*(?:[–-]|to)\s*(?P<high>{NUMBER}))?\s*(?P<unit>day|week|month|year)s?\b"
)
YEAR = re.compile(r"\b(1[5-9]\d\d|20\d\d)(s?)\b(?:\s*(?:[–-]|to)\s*(\d{4}|\d\d)\b)?")


@dataclass(frozen=True, slots=True)
class Span:
    low: Decimal
    high: Decimal

    @property
    def middle(self) -> Decimal:
        return (self.low + self.high) / 2


def age(fact: Fact, words: str = "") -> Span | None:
    """An age in days, from the number of a fact or from `words` (as a rule, a part of what the fact says)."""
    if fact.is_number:
        unit = DAYS.get(fact.unit.removesuffix("s"))
        low, high = (fact.point, fact.point) if fact.low is None else (fact.low, fact.high)
        return Span(low * unit, high * unit) if unit and low is not None and high is not None else None
    found = AGE.search(words or fact.value)
    if not found:
        return None
    low = Decimal(found["low"]) * DAYS[found["low_unit"] or found["unit"]]
    high = Decimal(found["high"]) * DAYS[found["unit"]] if found["high"] else low
    return Span(low, high) if low <= high else None


def measure(fact: Fact, unit: str) -> Decimal | None:
    """A size in `unit`, from the number of a fact or from its words (“an adult 170 cm tall”)."""
    if fact.is_number:
        return fact.point if fact.unit == unit else None
    found = re.search(rf"({NUMBER})\s*{re.escape(unit)}\b", fact.value)
    return Decimal(found[1]) if found else None


def years(text: str) -> Span | None:
    """First and last year a period names: “2014–2020”, “2014–15”, “1990s”, “c. 2015”."""
    found = YEAR.search(text)
    if not found:
        return None
    start = int(found[1])
    end = start + 9 if found[2] else start
    if found[3]:
        end = int(found[3]) if len(found[3]) == 4 else start - start % 100 + int(found[3])
    return Span(Decimal(start), Decimal(end)) if start <= end else None
