"""Figure 4: why the counts of two countries must not be added.

Two circles, as large beside each other as the counts. That they overlap is known; by how much is not, so no number
stands in the overlap and its size means nothing: the page says so. The sum of the two is written nowhere.
"""

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from species.models import Fact

from .figure import Evidence, Figure, figure, middle, with_unit

SLUG = "counted-twice"
ONE, OTHER, TOGETHER, SHARED = "pop-ru-2024", "pop-cn-2024", "pop-global-2015", "shared"
WIDTH, MARGIN = 320, 4
# How far the smaller circle reaches into the larger, as a part of its radius.
REACH = 0.6


@dataclass(frozen=True, slots=True)
class Circle:
    x: float
    radius: float
    caution: str
    number: str
    number_x: float
    label: str
    value: str
    when: str


@dataclass(frozen=True, slots=True)
class Said:
    value: str
    when: str


@dataclass(frozen=True, slots=True)
class OverlapData:
    width: int
    height: int
    y: float
    one: Circle
    other: Circle
    overlap_x: float
    lens: str
    shared: Said
    together: Said | None

    @property
    def circles(self) -> tuple[Circle, Circle]:
        return self.one, self.other


def draw(evidence: Evidence) -> Figure | None:
    found = evidence.numbers(ONE, OTHER)
    shared = evidence.facts.get(SHARED)
    if not found or not shared:
        return None
    one, other = found
    together = (evidence.numbers(TOGETHER) or (None,))[0]
    return figure(
        SLUG,
        title=_("Counted twice?"),
        summary=_(
            "The two counts, %(one)s and %(other)s, must not be added: some animals walk across the border and "
            "are in both."
        )
        % {"one": one.value_text, "other": other.value_text},
        data=circles(one, other, shared, together),
        rests_on=[one, other, shared, *([together] if together else [])],
        evidence=evidence,
    )


def circles(one: Fact, other: Fact, shared: Fact, together: Fact | None) -> OverlapData:
    roots = math.sqrt(middle(one)), math.sqrt(middle(other))
    reach = REACH * min(roots)
    step = (WIDTH - 2 * MARGIN) / (2 * sum(roots) - reach)
    left, right = (root * step for root in roots)
    x, other_x = MARGIN + left, WIDTH - MARGIN - right
    y = max(left, right) + MARGIN
    inner, outer = other_x - right, x + left
    return OverlapData(
        width=WIDTH,
        height=round(2 * y),
        y=round(y, 1),
        one=circle(one, x, left, (MARGIN + inner) / 2),
        other=circle(other, other_x, right, (outer + WIDTH - MARGIN) / 2),
        overlap_x=round((inner + outer) / 2, 1),
        lens=lens(x, left, other_x, right, y),
        shared=Said(with_unit(shared), shared.period),
        together=Said(with_unit(together), together.period) if together else None,
    )


def circle(fact: Fact, x: float, radius: float, number_x: float) -> Circle:
    return Circle(
        x=round(x, 1),
        radius=round(radius, 2),
        caution=fact.get_qualifier_display(),
        number=fact.number_text,
        number_x=round(number_x, 1),
        label=fact.label,
        value=with_unit(fact),
        when=fact.period,
    )


def lens(x: float, radius: float, other_x: float, other_radius: float, y: float) -> str:
    """The outline of what two circles on one line share."""
    apart = other_x - x
    along = (apart**2 + radius**2 - other_radius**2) / (2 * apart)
    half = math.sqrt(radius**2 - along**2)
    at, top, bottom = f"{x + along:.1f}", f"{y - half:.1f}", f"{y + half:.1f}"
    return (
        f"M{at} {top}A{radius:.1f} {radius:.1f} 0 0 1 {at} {bottom}"
        f"A{other_radius:.1f} {other_radius:.1f} 0 0 1 {at} {top}z"
    )
