"""Facts, counts and sources of a species as the content files have them, in memory: figures ask no database."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings

from species.figures import Figure, figures_for
from species.models import Fact, PopulationCount, Source, Species

ENDS = ("point", "low", "high")


@dataclass
class Known:
    species: Species
    facts: dict[str, Fact] = field(default_factory=dict)
    counts: list[PopulationCount] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)

    def figures(self) -> dict[str, Figure]:
        return {f.slug: f for f in figures_for(self.species, self.facts, self.counts, self.sources)}

    def correct(self, key: str, **values: object) -> None:
        """Give a fact other values, and the counts it states the same, as saving it does."""
        for name, value in values.items():
            setattr(self.facts[key], name, value)
        for count in self.counts:
            if count.fact_id == self.facts[key].pk:
                count.point, count.low, count.high = (getattr(self.facts[key], end) for end in ENDS)

    def drawn(self, slug: str) -> str:
        return self.figures()[slug].html


def known(slug: str) -> Known:
    path: Path = settings.BASE_DIR / "species" / "content" / slug / "facts.json"
    raw = json.loads(path.read_text())
    sources = {row["id"]: source(number, row) for number, row in enumerate(raw["sources"], 1)}
    found = Known(
        species=Species(pk=1, slug=slug, common_name=raw["common_name"], scientific_name=raw["scientific_name"]),
        sources=list(sources.values()),
    )
    for number, row in enumerate(raw["facts"], 1):
        found.facts[row["id"]] = with_sources(fact(number, row), row, sources)
    for number, row in enumerate(raw["population_counts"], 1):
        found.counts.append(with_sources(count(number, row, found.facts), row, sources))
    found.counts.sort(key=lambda one: (one.start, one.end, one.place, one.series))
    return found


def source(number: int, row: dict[str, Any]) -> Source:
    return Source(
        pk=number,
        key=row["id"],
        title=row["title"],
        publisher=row["publisher"],
        year=row.get("year"),
        url=row.get("url") or "",
    )


def fact(number: int, row: dict[str, Any]) -> Fact:
    value = row["value"]
    texts = {name: row.get(name) or "" for name in ("qualifier", "unit", "period", "place", "note")}
    return Fact(
        pk=number,
        key=row["id"],
        group=row["group"],
        label=row["label"],
        confidence=row["confidence"],
        value=value if isinstance(value, str) else "",
        **texts,
        **ends({} if isinstance(value, str) else value if isinstance(value, dict) else {"point": value}),
    )


def count(number: int, row: dict[str, Any], facts: dict[str, Fact]) -> PopulationCount:
    stating = facts[row["fact"]] if "fact" in row else None
    return PopulationCount(
        pk=number,
        fact_id=stating.pk if stating else None,
        note=row.get("note") or "",
        **{name: row[name] for name in ("start", "end", "place", "series", "unit", "method", "confidence")},
        **({name: getattr(stating, name) for name in ENDS} if stating else ends(row)),
    )


def ends(values: dict[str, Any]) -> dict[str, Decimal | None]:
    return {name: None if values.get(name) is None else Decimal(str(values[name])) for name in ENDS}


def with_sources[Row: (Fact, PopulationCount)](row: Row, raw: dict[str, Any], sources: dict[str, Source]) -> Row:
    """As after `prefetch_related`."""
    row.__dict__["_prefetched_objects_cache"] = {"sources": tuple(sources[key] for key in raw["sources"])}
    return row
