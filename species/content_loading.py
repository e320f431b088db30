"""Bring the content files into the database, again and again, without ever undoing what staff changed.

Each row remembers the fingerprint of what the file said when it was loaded. If the row still matches it, the file
may update the row; if not, somebody edited it since, and it is kept and reported.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction

from . import history, prose
from .content_files import CONTENT, Row, SpeciesContent, read
from .models import (
    Conflict,
    ConflictPosition,
    Fact,
    PopulationCount,
    Source,
    Species,
    SpeciesThreat,
    Text,
    Threat,
)
from .models.seeded import Seeded


@dataclass(slots=True)
class Report:
    """What a load did. `kept` names the rows staff changed since; `left_over` those no file speaks of any more."""

    counts: Counter[str] = field(default_factory=Counter)
    kept: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    seen: dict[type[Seeded], set[int]] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        return self.counts["created"] + self.counts["updated"]

    def __str__(self) -> str:
        return ", ".join(f"{self.counts[act]} {act}" for act in ("created", "updated", "unchanged", "kept"))


@transaction.atomic
def load(directory: Path = CONTENT) -> Report:
    """All of it or nothing; raises ContentError with file, id and reason."""
    content = read(directory)
    report = Report()
    threats = {row.id: _store(report, Threat(slug=row.id), {"slug": row.id}, row) for row in content.threats}
    for species_content in content.species:
        _load_species(report, species_content, threats)
    _find_left_over(report)
    return report


def _load_species(report: Report, content: SpeciesContent, threats: dict[str, Threat]) -> None:
    slug = content.species.id
    species = _store(report, Species(slug=slug), {"slug": slug}, content.species)
    sources = {row.id: _store(report, Source(key=row.id), {"key": row.id}, row) for row in content.sources}
    facts = _load_facts(report, content, species, sources)
    _load_counts(report, content, species, sources, facts)
    for row in content.conflicts:
        conflict = Conflict(species=species, key=row.id)
        _store(report, conflict, {"species": species, "key": row.id}, row, sources=sources)
    species_threats: dict[str, SpeciesThreat] = {}
    for row in content.threats:
        place: dict[str, Any] = {"species": species, "threat": threats[row.id]}
        species_threats[row.id] = _store(report, SpeciesThreat(**place), place, row)
    for row in content.texts:
        identity: dict[str, Any] = {
            "species": species,
            "species_threat": species_threats.get(row.links["threat"] or ""),
            **{name: row.values[name] for name in ("language", "section", "key")},
        }
        _store(report, Text(**identity), identity, row)


def _load_facts(
    report: Report, content: SpeciesContent, species: Species, sources: dict[str, Source]
) -> dict[str, Fact]:
    """The month the facts were gathered is their first review; the next is due a year later."""
    year, month = map(int, content.species.values["as_of"].split("-"))
    review = {"reviewed_on": date(year, month, 1), "review_due_on": date(year + 1, month, 1)}
    return {
        row.id: _store(
            report,
            Fact(species=species, key=row.id),
            {"species": species, "key": row.id},
            row,
            sources=sources,
            extra=review,
        )
        for row in content.facts
    }


def _load_counts(
    report: Report,
    content: SpeciesContent,
    species: Species,
    sources: dict[str, Source],
    facts: dict[str, Fact],
) -> None:
    for row in content.counts:
        names = ("series", "place", "start", "end")
        identity: dict[str, Any] = {"species": species} | {name: row.values[name] for name in names}
        fact = facts.get(row.links["fact"] or "")
        extra = {"fact": fact} | ({"point": fact.point, "low": fact.low, "high": fact.high} if fact else {})
        _store(report, PopulationCount(**identity), identity, row, sources=sources, extra=extra)


def _store[M: Seeded](
    report: Report,
    new: M,
    identity: dict[str, Any],
    row: Row,
    *,
    sources: dict[str, Source] | None = None,
    extra: dict[str, Any] | None = None,
) -> M:
    """Create or update one row, or leave it; `extra` is set with it but is not part of its fingerprint."""
    model = type(new)
    found = model._default_manager.filter(**identity).first()
    wanted = fingerprint(_as_wanted(row))
    instance = found or new
    if found is None:
        act = "created"
    elif found.loaded_hash == wanted:
        act = "unchanged"
    elif fingerprint(_as_stored(found, row)) == found.loaded_hash:
        act = "updated"
    else:
        act = "kept"
        report.kept.append(f"{model._meta.verbose_name} {row.id}")
    if act == "updated":
        history.record(instance, by=None)
    if act in {"created", "updated"}:
        _write(instance, row, wanted, sources or {}, extra or {})
    if act == "updated":
        history.record(instance, by=None)
    report.counts[act] += 1
    report.seen.setdefault(model, set()).add(instance.pk)
    return instance


def _write(instance: Seeded, row: Row, wanted: str, sources: dict[str, Source], extra: dict[str, Any]) -> None:
    for field_ in instance._meta.fields:
        if field_.name in _COLUMNS_OF_FILES and field_.name not in row.values:
            setattr(instance, field_.name, field_.get_default())
    for name, value in (row.values | extra).items():
        setattr(instance, name, value)
    instance.loaded_hash = wanted
    try:
        instance.save()
    except prose.MarkerError as error:
        # The file is right by itself, but staff have changed or unpublished a fact that it needs.
        raise row.fail(f"does not fit the facts as staff have edited them. {error}") from error
    if "sources" in row.links and isinstance(instance, Fact | PopulationCount):
        instance.sources.set([sources[key] for key in row.links["sources"]])
    if "positions" in row.links and isinstance(instance, Conflict):
        _write_positions(instance, row.links["positions"], sources)


# Columns a file may leave out, and that then go back to their default when a later file does.
_COLUMNS_OF_FILES = frozenset(
    {"value", "qualifier", "point", "low", "high", "unit", "period", "place", "note", "year", "url", "title", "summary"}
)


def _write_positions(
    conflict: Conflict, positions: list[tuple[str, str, list[str]]], sources: dict[str, Source]
) -> None:
    conflict.positions.all().delete()
    for number, (says, covers, keys) in enumerate(positions, start=1):
        position = ConflictPosition.objects.create(conflict=conflict, say=says, covers=covers, position=number)
        position.sources.set([sources[key] for key in keys])


def fingerprint(content: dict[str, Any]) -> str:
    """The same for the same content. Empty values do not count, so that a new optional column changes nothing."""
    filled = {name: _plain(value) for name, value in content.items() if value not in (None, "", [])}
    return hashlib.sha256(json.dumps(filled, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _as_wanted(row: Row) -> dict[str, Any]:
    return row.values | {name: value for name, value in row.links.items() if name != "threat"}


def _as_stored(instance: Seeded, row: Row) -> dict[str, Any]:
    """The row as a file would have said it."""
    names = set(row.values) | _COLUMNS_OF_FILES
    stored = {field_.name: getattr(instance, field_.name) for field_ in instance._meta.fields if field_.name in names}
    if isinstance(instance, Fact | PopulationCount):
        stored["sources"] = sorted(instance.sources.values_list("key", flat=True))
    if isinstance(instance, PopulationCount) and instance.fact:
        stored |= {"fact": instance.fact.key, "point": None, "low": None, "high": None}
    if isinstance(instance, Conflict):
        stored["positions"] = [
            (said.say, said.covers, sorted(said.sources.values_list("key", flat=True)))
            for said in instance.positions.all()
        ]
    return stored


def _find_left_over(report: Report) -> None:
    for model, pks in report.seen.items():
        for instance in model._default_manager.exclude(loaded_hash="").exclude(pk__in=pks):
            report.left_over.append(f"{model._meta.verbose_name} {instance}")
