"""Everything that is known about one species, read from the database in four queries however much it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet

from .models import ConflictPosition, Fact, PopulationCount, Source, Species

FactSource = Fact.sources.through
CountSource = PopulationCount.sources.through
PositionSource = ConflictPosition.sources.through


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Published facts by key, counts in order of time, and the positions of published conflicts, with sources."""

    species: Species
    facts: Mapping[str, Fact]
    counts: tuple[PopulationCount, ...]
    positions: tuple[ConflictPosition, ...]
    fact_sources: Mapping[int, tuple[Source, ...]]
    count_sources: Mapping[int, tuple[Source, ...]]
    position_sources: Mapping[int, tuple[Source, ...]]

    @classmethod
    def of(cls, species: Species) -> Self:
        facts = {fact.key: fact for fact in species.facts.public()}
        counts = tuple(species.counts.all())
        positions = tuple(
            ConflictPosition.objects.filter(conflict__species=species, conflict__is_published=True)
            .select_related("conflict")
            .order_by("conflict__position", "conflict_id", "position", "pk")
        )
        sources = tuple(_sources_of(species))
        knowledge = cls(
            species=species,
            facts=facts,
            counts=counts,
            positions=positions,
            fact_sources=_by_citing_row(sources, "fact_ids"),
            count_sources=_by_citing_row(sources, "count_ids"),
            position_sources=_by_citing_row(sources, "position_ids"),
        )
        _remember(facts.values(), knowledge.fact_sources)
        _remember(counts, knowledge.count_sources)
        return knowledge


def _sources_of(species: Species) -> QuerySet[Source]:
    """The sources of one species, each with the ids of the rows that cite it."""
    here = OuterRef("pk")
    return Source.objects.annotate(
        fact_ids=ArraySubquery(
            FactSource.objects.filter(source=here, fact__species=species, fact__is_published=True).values("fact_id")
        ),
        count_ids=ArraySubquery(
            CountSource.objects.filter(source=here, populationcount__species=species).values("populationcount_id")
        ),
        position_ids=ArraySubquery(
            PositionSource.objects.filter(
                source=here,
                conflictposition__conflict__species=species,
                conflictposition__conflict__is_published=True,
            ).values("conflictposition_id")
        ),
    ).exclude(Q(fact_ids=[]) & Q(count_ids=[]) & Q(position_ids=[]))


def _by_citing_row(sources: Iterable[Source], name: str) -> dict[int, tuple[Source, ...]]:
    found: dict[int, list[Source]] = {}
    for source in sources:
        for pk in getattr(source, name):
            found.setdefault(pk, []).append(source)
    return {pk: tuple(cited) for pk, cited in found.items()}


def _remember(rows: Iterable[Fact | PopulationCount], sources: Mapping[int, tuple[Source, ...]]) -> None:
    """Let `row.sources.all()` answer from memory, as after `prefetch_related`, but from the one query above."""
    for row in rows:
        row.__dict__["_prefetched_objects_cache"] = {"sources": sources.get(row.pk, ())}
