"""Figure 8: what it eats, and how a cub grows up. Either half can stand alone."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from species.models import Fact, FactGroup

from .figure import Evidence, Figure, figure, middle, with_unit
from .spans import Span, age

SLUG = "life-in-one-look"
DIET, CUB = "diet", "cub-"
OTHER_PREY, LITTER, NEWBORN = "diet-small", "litter", "cub-birth"
TRACK, TRACK_HEIGHT = 300, 10
PLATE, CENTRE = 38, 50


@dataclass(frozen=True, slots=True)
class Plate:
    label: str
    value: str
    note: str
    sector: str
    rest: str

    @property
    def radius(self) -> int:
        return PLATE


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a cub, as words, and as a stretch of the strip that all events share."""

    words: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Cub:
    start: str
    events: tuple[Event, ...]
    track: int
    height: int


@dataclass(frozen=True, slots=True)
class LifeData:
    plate: Plate | None
    cub: Cub | None


def draw(evidence: Evidence) -> Figure | None:
    eaten = eaten_share(evidence)
    other = evidence.words(OTHER_PREY)
    growing = [fact for key, fact in evidence.facts.items() if key.startswith(CUB) and key != NEWBORN]
    growing = [fact for fact in growing if fact.group == FactGroup.LIFE]
    first = evidence.numbers(LITTER, NEWBORN)
    grown = cub(growing, first) if first else None
    if not eaten and not grown:
        return None
    return figure(
        SLUG,
        title=title(eaten, grown),
        summary=summary(eaten, first if grown else None),
        data=LifeData(plate=plate(eaten, other) if eaten else None, cub=grown),
        rests_on=[
            *([eaten] if eaten else []),
            *([other] if eaten and other else []),
            *((*(first or ()), *growing) if grown else ()),
        ],
        evidence=evidence,
    )


def eaten_share(evidence: Evidence) -> Fact | None:
    """The fact that says how much of the food, by weight, is the main prey."""
    shares = (fact for key, fact in evidence.facts.items() if key.split("-")[0] == DIET and fact.unit == "%")
    return next((fact for fact in shares if fact.is_number and 0 < middle(fact) <= 100), None)


def title(eaten: Fact | None, grown: Cub | None) -> str:
    if eaten and grown:
        return _("What it eats, and how a cub grows up")
    return _("What it eats") if eaten else _("How a cub grows up")


def summary(eaten: Fact | None, first: tuple[Fact, ...] | None) -> str:
    said = []
    if eaten:
        said.append(
            _("%(label)s: %(value)s (%(where)s, %(when)s).")
            % {"label": eaten.label, "value": with_unit(eaten), "where": eaten.place, "when": eaten.period}
        )
    if first:
        litter, newborn = first
        said.append(
            _("A mother has %(litter)s, each of %(newborn)s at birth.")
            % {"litter": with_unit(litter), "newborn": with_unit(newborn)}
        )
    return " ".join(said)


def plate(eaten: Fact, other: Fact | None) -> Plate:
    return Plate(
        label=eaten.label,
        value=with_unit(eaten),
        note=eaten.note,
        sector=sector(float(middle(eaten)) / 100),
        rest=other.value if other else "",
    )


def sector(share: float) -> str:
    """A slice of the plate, clockwise from the top; a whole plate is two halves, as no arc ends where it began."""
    if share >= 1:
        top, bottom = f"{CENTRE} {CENTRE - PLATE}", f"{CENTRE} {CENTRE + PLATE}"
        return f"M{top}A{PLATE} {PLATE} 0 0 1 {bottom}A{PLATE} {PLATE} 0 0 1 {top}z"
    turn = 2 * math.pi * share
    x, y = CENTRE + PLATE * math.sin(turn), CENTRE - PLATE * math.cos(turn)
    return f"M{CENTRE} {CENTRE}V{CENTRE - PLATE}A{PLATE} {PLATE} 0 {int(share > 0.5)} 1 {x:.2f} {y:.2f}z"


def cub(facts: list[Fact], first: tuple[Fact, ...]) -> Cub | None:
    found = [(words, span) for fact in facts for words, span in events(fact)]
    if not found:
        return None
    longest = max(span.high for _words, span in found)
    return Cub(
        start=_("Birth: %(litter)s, %(newborn)s each")
        % {"litter": with_unit(first[0]), "newborn": with_unit(first[1])},
        events=tuple(event(words, span, longest) for words, span in sorted(found, key=lambda pair: pair[1].middle)),
        track=TRACK,
        height=TRACK_HEIGHT,
    )


def events(fact: Fact) -> Iterator[tuple[str, Span]]:
    """What a fact says happens, and when: a fact in words may name several things, divided by semicolons."""
    parts = [f"{fact.label}: {with_unit(fact)}"] if fact.is_number else fact.value.split(";")
    for part in parts:
        words = part.strip()
        span = age(fact, words)
        if span:
            yield (words if fact.is_number or len(parts) > 1 else f"{fact.label} {words}"), span


def event(words: str, span: Span, longest: Decimal) -> Event:
    x, end = (float(day / longest) * TRACK for day in (span.low, span.high))
    return Event(words=words[:1].upper() + words[1:], x=round(x, 1), width=round(end - x, 1))
