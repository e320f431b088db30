"""Figure 7: numbers up, variety down. Two small charts over the same years, each with its own axis.

Only points of one series are joined: counts made in the same way in the same place, or two measurements from the
same source. Both axes begin at nothing, so that a fall of a third looks like one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from django.utils.translation import gettext as _

from species.models import Fact, PopulationCount

from .figure import Evidence, Figure, middle, runs_of, with_unit
from .spans import Span, years

SLUG = "numbers-and-variety"
BEFORE, AFTER, FALL = "gen-het-1990s", "gen-het-2020", "gen-drop"
WIDTH, BASE, YEARS, TOP, LEFT, RIGHT = 320, 150, 22, 30, 14, 26


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    x_from: float
    x_to: float
    y: float
    y_low: float
    y_high: float
    text: str
    is_labelled: bool
    is_label_below: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    points: tuple[Point, ...]
    is_joined: bool
    is_main: bool

    @property
    def path(self) -> str:
        return "M" + "L".join(f"{point.x} {point.y}" for point in self.points)


@dataclass(frozen=True, slots=True)
class Chart:
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class TwoCharts:
    width: int
    height: int
    base: int
    start_x: float
    end_x: float
    start: str
    end: str
    numbers: Chart
    variety: Chart


@dataclass(frozen=True, slots=True)
class Axes:
    """From years and values to places in the drawing."""

    span: Span
    most: float

    def x(self, year: float) -> float:
        length = float(self.span.high - self.span.low) or 1.0
        return round(LEFT + (year - float(self.span.low)) / length * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(BASE - value / self.most * (BASE - TOP), 1)


def draw(evidence: Evidence) -> Figure | None:
    found = evidence.numbers(BEFORE, AFTER)
    runs = [run for run in runs_of(evidence.counts) if len(run) > 1]
    if not found or not runs:
        return None
    before, after = found
    first, last = years(before.period), years(after.period)
    if not first or not last:
        return None
    main = max(runs, key=lambda run: (run[-1].end, len(run)))
    shown = [recent for run in runs if run[0].place == main[0].place and (recent := since(run, first.low))]
    span = Span(first.low, max(last.high, *(Decimal(count.end) for run in shown for count in run)))
    fall = evidence.numbers(FALL) or ()
    facts = (before, after, *fall)
    return Figure(
        slug=SLUG,
        title=_("Numbers up, variety down"),
        summary=summary(evidence, main, before, after, fall),
        data=charts(evidence, span, shown, main, (before, first), (after, last)),
        sources=(*(evidence.statement(fact) for fact in facts), *evidence.survey_statements(chain(*shown))),
        rests_on=(*(fact.key for fact in facts), *evidence.keys_of(chain(*shown))),
    )


def since(run: list[PopulationCount], year: Decimal) -> list[PopulationCount]:
    return [count for count in run if count.start >= year]


def summary(evidence: Evidence, main: list[PopulationCount], before: Fact, after: Fact, fall: Sequence[Fact]) -> str:
    values = {
        "first": evidence.number_of(main[0]),
        "first_years": main[0].years_text,
        "last": evidence.number_of(main[-1]),
        "last_years": main[-1].years_text,
        "before": with_unit(before),
        "after": with_unit(after),
        "when": after.period,
        "fall": with_unit(fall[0]) if fall else "",
    }
    if not fall:
        return (
            _(
                "Counts rose from %(first)s (%(first_years)s) to %(last)s (%(last_years)s), while genetic variety "
                "fell from %(before)s to %(after)s (%(when)s)."
            )
            % values
        )
    return (
        _(
            "Counts rose from %(first)s (%(first_years)s) to %(last)s (%(last_years)s), while genetic variety fell "
            "by %(fall)s, from %(before)s to %(after)s (%(when)s)."
        )
        % values
    )


def charts(
    evidence: Evidence,
    span: Span,
    runs: list[list[PopulationCount]],
    main: list[PopulationCount],
    before: tuple[Fact, Span],
    after: tuple[Fact, Span],
) -> TwoCharts:
    numbers = Axes(span, float(max(count.high or count.middle for run in runs for count in run)))
    variety = Axes(span, float(max(middle(before[0]), middle(after[0]))))
    same_source = {source.pk for source in before[0].sources.all()} & {source.pk for source in after[0].sources.all()}
    return TwoCharts(
        width=WIDTH,
        height=BASE + YEARS,
        base=BASE,
        start_x=numbers.x(float(span.low)),
        end_x=numbers.x(float(span.high)),
        start=f"{span.low:.0f}",
        end=f"{span.high:.0f}",
        numbers=Chart(tuple(counted(evidence, run, numbers, is_main=run[-1] is main[-1]) for run in runs)),
        variety=Chart(
            (
                Series(
                    name=_("Genetic variety (heterozygosity)"),
                    points=tuple(measured(fact, when, variety) for fact, when in (before, after)),
                    is_joined=bool(same_source),
                    is_main=True,
                ),
            )
        ),
    )


def counted(evidence: Evidence, run: list[PopulationCount], axes: Axes, *, is_main: bool) -> Series:
    points = tuple(
        Point(
            x=axes.x((count.start + count.end) / 2),
            x_from=axes.x(count.start),
            x_to=axes.x(count.end),
            y=axes.y(float(count.middle)),
            y_low=axes.y(float(count.middle if count.low is None else count.low)),
            y_high=axes.y(float(count.middle if count.high is None else count.high)),
            text=evidence.number_of(count),
            is_labelled=is_main and count in (run[0], run[-1]),
            is_label_below=count is run[0] and run[-1].middle > count.middle,
        )
        for count in run
    )
    name = f"{run[-1].place}: {run[-1].method}"
    return Series(name=name, points=points, is_joined=len(points) > 1, is_main=is_main)


def measured(fact: Fact, when: Span, axes: Axes) -> Point:
    y = axes.y(float(middle(fact)))
    return Point(
        x=axes.x(float(when.middle)),
        x_from=axes.x(float(when.low)),
        x_to=axes.x(float(when.high)),
        y=y,
        y_low=y if fact.low is None else axes.y(float(fact.low)),
        y_high=y if fact.high is None else axes.y(float(fact.high)),
        text=with_unit(fact),
        is_labelled=True,
    )
