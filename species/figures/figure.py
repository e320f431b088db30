"""What a figure is, and what it may be made of.

A figure takes facts, counts and their sources that are already in memory and gives back what its template draws.
It asks the database nothing, and it knows no number of its own: what is printed or drawn comes from a fact or a
count, so that correcting the fact corrects the picture.
"""

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import groupby
from operator import attrgetter

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from species.models import Confidence, Fact, PopulationCount, Source, Species

INDENTATION = re.compile(r"\n\s+")


@dataclass(frozen=True, slots=True)
class Cited:
    """A source as a figure names it: “TASS, 2024”, with its address if it has one."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Statement:
    """Where a part of a figure comes from: what it says, of when and where, how sure we are, and who says so."""

    label: str
    value: str
    when: str
    where: str
    how_sure: str
    note: str
    sources: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture made of facts; `data` is what its own template draws, a frozen dataclass of its module."""

    slug: str
    title: str
    summary: str
    data: Hashable
    sources: tuple[Statement, ...]
    rests_on: tuple[str, ...]

    @property
    def template(self) -> str:
        return f"species/figures/{self.slug}.html"

    @property
    def id(self) -> str:
        return f"figure-{self.slug}"

    @property
    def html(self) -> str:
        """The figure as markup."""
        return drawn(self, get_language())


@lru_cache(maxsize=256)
def drawn(figure: Figure, language: str | None) -> str:
    """Draw a figure once for each thing it can say: it is made of values alone, so a changed fact is another figure."""
    html = INDENTATION.sub("\n", render_to_string(figure.template, {"figure": figure}))
    return SafeString(html)  # a template wrote it, and escaped what it was given


@dataclass(frozen=True)
class Evidence:
    """All that is known about a species, as far as figures may use it.

    Facts and counts come with their sources prefetched; `sources` is the page's own list and gives their order.
    """

    species: Species
    facts: Mapping[str, Fact]
    counts: Sequence[PopulationCount]
    sources: Sequence[Source]

    def numbers(self, *keys: str) -> tuple[Fact, ...] | None:
        """Those facts, if every one of them is there and is a number."""
        found = tuple(self.facts[key] for key in keys if key in self.facts and self.facts[key].is_number)
        return found if len(found) == len(keys) else None

    def words(self, key: str) -> Fact | None:
        """That fact, if it is there and is in words."""
        fact = self.facts.get(key)
        return fact if fact and not fact.is_number else None

    def statement(self, fact: Fact) -> Statement:
        return Statement(
            label=fact.label,
            value=with_unit(fact),
            when=fact.period,
            where=fact.place,
            how_sure=self.how_sure[fact.confidence],
            note=fact.note,
            sources=self.cited(fact.sources.all()),
        )

    def survey_statements(self, counts: Iterable[PopulationCount]) -> tuple[Statement, ...]:
        """One statement for all counts made in one place, in one way, of which we are equally sure."""
        key = attrgetter("place", "method", "confidence")
        runs = (list(run) for _key, run in groupby(sorted(counts, key=key), key=key))
        return tuple(self.survey_statement(run) for run in runs)

    def survey_statement(self, counts: Sequence[PopulationCount]) -> Statement:
        first, last = min(count.start for count in counts), max(count.end for count in counts)
        return Statement(
            label=f"{counts[0].place}: {counts[0].method}",
            value=", ".join(f"{self.number_of(count)} ({count.years_text})" for count in counts),
            when=str(first) if first == last else f"{first}–{last}",
            where="",
            how_sure=self.how_sure[counts[0].confidence],
            note="",
            sources=self.cited({s.pk: s for count in counts for s in count.sources.all()}.values()),
        )

    def keys_of(self, counts: Iterable[PopulationCount]) -> tuple[str, ...]:
        """The facts that state these counts, where one does."""
        stating = (self.stating[count.fact_id].key for count in counts if count.fact_id in self.stating)
        return tuple(dict.fromkeys(stating))

    def number_of(self, count: PopulationCount) -> str:
        """A count's number, with the caution that the fact stating it has: “about 80”."""
        fact = self.stating.get(count.fact_id) if count.fact_id else None
        return fact.value_text if fact and fact.qualifier else count.number_text

    @cached_property
    def stating(self) -> dict[int, Fact]:
        return {fact.pk: fact for fact in self.facts.values()}

    def cited(self, sources: Iterable[Source]) -> tuple[Cited, ...]:
        """Sources as figures name them, in the order of the page."""
        ordered = sorted(sources, key=lambda source: self.place_on_page.get(source.pk, len(self.sources)))
        return tuple(
            Cited(f"{source.publisher}, {source.year}" if source.year else source.publisher, source.url)
            for source in ordered
        )

    @cached_property
    def place_on_page(self) -> dict[int, int]:
        return {source.pk: number for number, source in enumerate(self.sources)}

    @cached_property
    def how_sure(self) -> dict[str, str]:
        """What each degree of being sure is called: asked once, as `get_confidence_display` is slow for many rows."""
        return {degree.value: str(degree.label) for degree in Confidence}


def figure(
    slug: str, *, title: str, summary: str, data: Hashable, rests_on: Iterable[Fact], evidence: Evidence
) -> Figure:
    """A figure that rests on facts alone; one made of counts states its sources itself."""
    facts = tuple(rests_on)
    return Figure(
        slug=slug,
        title=title,
        summary=summary,
        data=data,
        sources=tuple(evidence.statement(fact) for fact in facts),
        rests_on=tuple(fact.key for fact in facts),
    )


def runs_of(counts: Iterable[PopulationCount]) -> list[list[PopulationCount]]:
    """Counts that may be compared: one series, one place, one method; in order of time, the unsure left out."""
    key = attrgetter("place", "series", "method")
    sure = sorted((count for count in counts if count.confidence != Confidence.LOW), key=key)
    return [sorted(run, key=attrgetter("start", "end")) for _key, run in groupby(sure, key=key)]


def middle(fact: Fact) -> Decimal:
    """The number itself, or the middle of its range: where to draw it, never what to print."""
    if fact.point is not None:
        return fact.point
    return ((fact.low or Decimal()) + (fact.high or Decimal())) / 2


def with_unit(fact: Fact) -> str:
    """`64 to 78 cm`, `2.96%`, or the words of a fact in words."""
    # Looking up the name of a caution is slow, and most numbers have none.
    value = fact.value_text if fact.qualifier or not fact.is_number else fact.number_text
    space = "" if fact.unit == "%" else "\N{NO-BREAK SPACE}"
    return f"{value}{space}{fact.unit}" if fact.unit else value
