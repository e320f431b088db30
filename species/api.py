"""The facts of a species as plain data: the same that stands on the page, in a shape that does not change."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings

from .knowledge import Knowledge
from .models import Fact, PopulationCount, Source
from .notebook import Disagreement, Notebook
from .page import as_of


def facts_as_data(knowledge: Knowledge) -> dict[str, Any]:
    species = knowledge.species
    notebook = Notebook(knowledge)
    sources = {
        source.key: source
        for cited in (knowledge.fact_sources, knowledge.count_sources, knowledge.position_sources)
        for row in cited.values()
        for source in row
    }
    return {
        "slug": species.slug,
        "common_name": species.heading,
        "scientific_name": species.scientific_name,
        "status": {
            "code": species.status,
            "label": str(species.get_status_display()),
            "assessed": species.status_assessed,
        },
        "as_of": species.as_of,
        "url": f"{settings.SITE_URL}{species.get_absolute_url()}",
        "cite_as": f"{settings.CHARITY['name']}, “{species.heading}”, facts as of {as_of(species)}",
        "facts": [_fact(fact, knowledge.fact_sources.get(fact.pk, ())) for fact in knowledge.facts.values()],
        "population_counts": [_count(count, knowledge.count_sources.get(count.pk, ())) for count in knowledge.counts],
        "conflicts": [_conflict(conflict, notebook) for conflict in notebook.disagreements()],
        "sources": [_source(sources[key]) for key in sorted(sources)],
    }


def _fact(fact: Fact, sources: Iterable[Source]) -> dict[str, Any]:
    return {
        "key": fact.key,
        "group": fact.group,
        "label": fact.label,
        "value": fact.value_text,
        "number": _numbers(fact) | {"qualifier": fact.qualifier} if fact.is_number else None,
        "unit": fact.unit,
        "period": fact.period,
        "place": fact.place,
        "confidence": fact.confidence,
        "note": fact.note,
        "reviewed_on": fact.reviewed_on.isoformat() if fact.reviewed_on else None,
        "sources": sorted(source.key for source in sources),
    }


def _count(count: PopulationCount, sources: Iterable[Source]) -> dict[str, Any]:
    return {
        "start": count.start,
        "end": count.end,
        "place": count.place,
        "series": count.series,
        **_numbers(count),
        "unit": count.unit,
        "method": count.method,
        "confidence": count.confidence,
        "note": count.note,
        "sources": sorted(source.key for source in sources),
    }


def _conflict(conflict: Disagreement, notebook: Notebook) -> dict[str, Any]:
    return {
        "topic": conflict.topic,
        "show": conflict.show,
        "positions": [
            {
                "says": position.say,
                "covers": position.covers,
                "sources": sorted(notebook.sources[number - 1].key for number in position.sources),
            }
            for position in conflict.positions
        ],
    }


def _numbers(row: Fact | PopulationCount) -> dict[str, Any]:
    return {"point": _number(row.point), "low": _number(row.low), "high": _number(row.high)}


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _source(source: Source) -> dict[str, Any]:
    return {
        "key": source.key,
        "title": source.title,
        "publisher": source.publisher,
        "year": source.year,
        "url": source.url,
        "kind": source.kind,
        "how_much_we_read": source.reading,
    }
