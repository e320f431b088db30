"""Figure 1: each dot is one animal, survey by survey.

Dots and not a line: surveys were made in different ways, and a line would say that one led to the next. Full dots
are the animals the survey is sure of; dots with a ring reach up to its best estimate; open dots up to its highest.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from species.models import Confidence, PopulationCount

from .figure import Cited, Evidence, Figure, runs_of

SLUG = "each-dot-is-one"
PER_ROW, BLOCK, PITCH, GAP = 25, 5, 10, 3
# More dots than this and nobody sees single ones: then a dot stands for ten, a hundred, a thousand.
MOST_DOTS = 200
SCALES = (
    (10, gettext_lazy("ten animals")),
    (100, gettext_lazy("a hundred animals")),
    (1000, gettext_lazy("a thousand animals")),
)
# A place with more surveys than this shows those that tell the story; the table has them all.
MOST_ROWS = 6


@dataclass(frozen=True, slots=True)
class Dots:
    """Path data in which every `h0` is one dot, and how many dots that makes."""

    number: int
    path: str


@dataclass(frozen=True, slots=True)
class Survey:
    years: str
    number: str
    unit: str
    method: str
    how_sure: str
    note: str
    is_unsure: bool
    sources: tuple[Cited, ...]
    sure: Dots
    best: Dots
    most: Dots
    height: int

    @property
    def drawn(self) -> int:
        return self.sure.number + self.best.number + self.most.number


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    shown: tuple[Survey, ...]
    surveys: tuple[Survey, ...]


@dataclass(frozen=True, slots=True)
class DotData:
    dot: str
    is_scaled: bool
    width: int
    places: tuple[Place, ...]

    @property
    def has_open_dots(self) -> bool:
        return any(survey.most.number for place in self.places for survey in place.shown)

    @property
    def has_best_dots(self) -> bool:
        return any(survey.best.number for place in self.places for survey in place.shown)


def draw(evidence: Evidence) -> Figure | None:
    counts = evidence.counts
    if not counts:
        return None
    scale, dot = scale_for(counts, evidence.species.common_name)
    data = DotData(
        dot=dot,
        is_scaled=scale > 1,
        width=PER_ROW * PITCH + (PER_ROW // BLOCK - 1) * GAP,
        places=tuple(places(evidence, scale)),
    )
    return Figure(
        slug=SLUG,
        title=_("Each dot is %(dot)s") % {"dot": dot},
        summary=summary(evidence),
        data=data,
        sources=evidence.survey_statements(counts),
        rests_on=evidence.keys_of(counts),
    )


def scale_for(counts: Iterable[PopulationCount], name: str) -> tuple[int, str]:
    """How many animals a dot stands for, and how to say it."""
    most = max(highest(count) for count in counts)
    if most <= MOST_DOTS:
        return 1, _("one %(animal)s") % {"animal": name}
    scale, words = next((scale for scale in SCALES if most <= MOST_DOTS * scale[0]), SCALES[-1])
    return scale, str(words)


def places(evidence: Evidence, scale: int) -> Iterator[Place]:
    by_place: dict[str, list[PopulationCount]] = {}
    for count in sorted(evidence.counts, key=attrgetter("start", "end")):
        by_place.setdefault(count.place, []).append(count)
    for name, counts in sorted(by_place.items(), key=lambda place: -max(map(highest, place[1]))):
        story = telling(counts)
        drawn = {id(count): survey(count, scale, evidence) for count in counts}
        yield Place(
            name=name,
            shown=tuple(drawn[id(count)] for count in counts if count in story),
            surveys=tuple(drawn.values()),
        )


def telling(counts: Sequence[PopulationCount]) -> list[PopulationCount]:
    """Few enough to show: all, or the first, the lowest, the least certain, and how the newest series ran."""
    if len(counts) <= MOST_ROWS:
        return list(counts)
    sure = [count for count in counts if count.confidence != Confidence.LOW] or list(counts)
    newest = sure[-1]
    series = [count for count in sure if (count.series, count.method) == (newest.series, newest.method)]
    lowest = min(sure, key=attrgetter("middle"))
    widest = max(sure, key=lambda count: (count.high or 0) - (count.low or 0))
    return [sure[0], lowest, widest, series[0], newest]


def survey(count: PopulationCount, scale: int, evidence: Evidence) -> Survey:
    low, best, high = (rounded(number, scale) for number in (lowest(count), estimate(count), highest(count)))
    return Survey(
        years=count.years_text,
        number=evidence.number_of(count),
        unit=count.unit,
        method=count.method,
        how_sure=evidence.how_sure[count.confidence],
        note=count.note,
        is_unsure=count.confidence == Confidence.LOW,
        sources=evidence.cited(count.sources.all()),
        sure=dots(0, low),
        best=dots(low, best),
        most=dots(best, high),
        height=-(-max(high, 1) // PER_ROW) * PITCH,
    )


@lru_cache(maxsize=1024)
def dots(start: int, end: int) -> Dots:
    """The dots from the one numbered `start` up to, not including, `end`."""
    path, x0, y0 = [], 0, 0
    for index in range(start, end):
        column, row = index % PER_ROW, index // PER_ROW
        x, y = column * PITCH + column // BLOCK * GAP + PITCH // 2, row * PITCH + PITCH // 2
        path.append(f"m{x - x0} {y - y0}h0")
        x0, y0 = x, y
    return Dots(number=max(0, end - start), path="".join(path))


def rounded(number: Decimal, scale: int) -> int:
    """Animals to dots: to the nearest, and never none for some."""
    return max(round(number / scale), 1) if number else 0


def lowest(count: PopulationCount) -> Decimal:
    return count.middle if count.low is None else count.low


def estimate(count: PopulationCount) -> Decimal:
    return lowest(count) if count.point is None else max(count.point, lowest(count))


def highest(count: PopulationCount) -> Decimal:
    return estimate(count) if count.high is None else max(count.high, estimate(count))


def summary(evidence: Evidence) -> str:
    """How the newest series ran, told by its ends; or the largest count, where no survey was made twice in one way."""
    runs = runs_of(evidence.counts) or [[count] for count in evidence.counts]
    series = [run for run in runs if len(run) > 1]
    run = max(series, key=lambda run: (run[-1].end, len(run))) if series else max(runs, key=lambda run: highest(run[0]))
    first, last = run[0], run[-1]
    values = {
        "place": last.place,
        "method": last.method,
        "first": evidence.number_of(first),
        "first_years": first.years_text,
        "last": evidence.number_of(last),
        "last_years": last.years_text,
        "unit": last.unit,
    }
    if len(run) == 1:
        return _("%(place)s, %(last_years)s: %(last)s %(unit)s (%(method)s).") % values
    return (
        _(
            "%(place)s, by %(method)s: %(first)s in %(first_years)s and %(last)s %(unit)s in %(last_years)s. "
            "Surveys made in other ways stand beside each other, not in one line."
        )
        % values
    )
