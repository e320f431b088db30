"""The content files in species/content/: read, checked against each other, and turned into rows.

    threats.json                    the threats all species share
    <species>/facts.json            the species, its sources, facts, counts, conflicts and threats
    <species>/texts.<language>.json what is written about it in one language
    <species>/range.geojson …       geometry for figures; not read here

Everything is checked before anything is stored: an error names the file, the id and the reason.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model

from . import prose
from .models import Conflict, Fact, PopulationCount, Section, Source, Species, SpeciesThreat, Text, Threat
from .models.texts import SECTIONS_OF_ITEMS

CONTENT = Path(__file__).parent / "content"
NEEDED = {
    "slug": "the folder's name, such as “snow-leopard”",
    "common_name": "as within a sentence, such as “snow leopard”",
    "scientific_name": "such as “Panthera uncia”",
    "as_of": "the year and month the facts are from, such as “2026-11”",
}
OUT_OF_ORDER = "The low end is above the high one, or the point is outside them."


class ContentError(Exception):
    """A content file that cannot be loaded; its text is for the person who edits the file."""

    def __init__(self, file: Path, where: str, reason: str) -> None:
        super().__init__(f"{file.parent.name}/{file.name}: {where}: {reason}")


@dataclass(frozen=True, slots=True)
class Row:
    """What a file says about one row. `links` are the ids of other rows; `values` are plain columns."""

    file: Path
    id: str
    values: dict[str, Any]
    links: dict[str, Any] = field(default_factory=dict)

    def fail(self, reason: str) -> ContentError:
        return ContentError(self.file, self.id, reason)


@dataclass(slots=True)
class SpeciesContent:
    species: Row
    sources: list[Row]
    facts: list[Row]
    counts: list[Row]
    conflicts: list[Row]
    threats: list[Row]
    texts: list[Row] = field(default_factory=list)

    @property
    def facts_as_printed(self) -> dict[str, Fact]:
        """Facts as sentences will see them, before they are in the database."""
        return {row.id: Fact(key=row.id, **row.values) for row in self.facts if row.values["is_published"]}


@dataclass(slots=True)
class Content:
    threats: list[Row]
    species: list[SpeciesContent]


def read(directory: Path = CONTENT) -> Content:
    """All files of a directory, checked; raises ContentError."""
    threats = list(_threats(directory / "threats.json"))
    known_threats = {row.id for row in threats}
    species = [_species(path, known_threats) for path in sorted(directory.glob("*/facts.json"))]
    _check_shared_sources(species)
    for content in species:
        for path in sorted(content.species.file.parent.glob("texts.*.json")):
            content.texts += _texts(path, content)
    return Content(threats, species)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise ContentError(file, "the file", f"cannot be read: {error}") from error


def _row(
    file: Path,
    where: str,
    item: Any,
    model: type[Model],
    names: Iterable[str],
    *,
    also: Iterable[str] = (),
    **values: Any,
) -> Row:
    """A checked row: the named keys as they stand, and `values` given by the caller, who reads the keys `also`."""
    if not isinstance(item, dict):
        raise ContentError(file, where, "must be an object with named values.")
    _refuse_unknown(file, where, item, {*names, *also})
    values |= {name: item[name] for name in names if item.get(name) is not None}
    row = Row(file, where, values)
    try:
        instance = model(**values)
        instance.clean_fields(exclude=[f.name for f in model._meta.fields if f.name not in values])
        instance.clean()
    except (ValidationError, TypeError, ValueError) as error:
        raise row.fail(_reason(error, model)) from error
    return row


def _refuse_unknown(file: Path, where: str, item: dict[str, Any], known: set[str]) -> None:
    """A misspelt name would be a value that is silently left out."""
    for name in item.keys() - known:
        raise ContentError(file, where, f"“{name}” means nothing here. Known are: {', '.join(sorted(known))}.")


def _reason(error: Exception, model: type[Model]) -> str:
    if not isinstance(error, ValidationError) or not hasattr(error, "message_dict"):
        return str(error)
    reasons = [f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()]
    chosen = [field_ for field_ in model._meta.fields if field_.name in error.message_dict and field_.choices]
    reasons += [f"It is one of: {', '.join(str(value) for value, _label in each.flatchoices)}." for each in chosen]
    return " ".join(reasons)


def _items(file: Path, data: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a list with their ids; raises if one has none or two share one."""
    seen: set[str] = set()
    for number, item in enumerate(data.get(name, []), start=1):
        row_id = item.get("id") if isinstance(item, dict) else None
        if not isinstance(row_id, str) or not row_id:
            raise ContentError(file, f"{name} {number}", "has no id.")
        if row_id in seen:
            raise ContentError(file, row_id, f"stands twice in “{name}”.")
        seen.add(row_id)
        yield row_id, item


def _threats(file: Path) -> Iterator[Row]:
    for position, item in enumerate(_json(file), start=1):
        yield _row(
            file,
            item.get("slug", f"threat {position}"),
            item,
            Threat,
            ["name", "summary"],
            also=["slug"],
            position=position,
        )


def _species(file: Path, known_threats: set[str]) -> SpeciesContent:
    data = _json(file)
    lists = ["sources", "facts", "population_counts", "conflicts", "threats"]
    for name, looks in NEEDED.items():
        if not isinstance(data.get(name), str) or not data[name]:
            raise ContentError(file, name, f"is needed: {looks}.")
    names = ["common_name", "scientific_name", "status_assessed", "as_of", "position"]
    sources = [_source(file, row_id, item) for row_id, item in _items(file, data, "sources")]
    source_ids = {row.id for row in sources}
    facts = [
        _fact(file, row_id, item, source_ids, number)
        for number, (row_id, item) in enumerate(_items(file, data, "facts"), start=1)
    ]
    content = SpeciesContent(
        species=_row(file, data["slug"], data, Species, names, also=["slug", *lists]),
        sources=sources,
        facts=facts,
        counts=[
            _count(file, item, source_ids, {row.id for row in facts}) for item in data.get("population_counts", [])
        ],
        conflicts=[],
        threats=[
            _species_threat(file, item, known_threats, number)
            for number, item in enumerate(data.get("threats", []), start=1)
        ],
    )
    if content.species.id != file.parent.name:
        raise content.species.fail(f"The slug must be the folder's name, “{file.parent.name}”.")
    printed = content.facts_as_printed
    for number, (row_id, item) in enumerate(_items(file, data, "conflicts"), start=1):
        content.conflicts.append(_conflict(file, row_id, item, source_ids, printed, number))
    return content


def _source(file: Path, row_id: str, item: dict[str, Any]) -> Row:
    values = {"reading": item.get("read", "")}
    names = ["title", "publisher", "year", "url", "kind"]
    row = _row(file, row_id, item, Source, names, also=["id", "read"], **values)
    if not row.values.get("title") or not row.values.get("kind"):
        raise row.fail("A source needs a title and a kind.")
    return row


def _fact(file: Path, row_id: str, item: dict[str, Any], source_ids: set[str], position: int) -> Row:
    values = {
        "position": position,
        "is_published": item.get("is_published", True),
        **_value(file, row_id, item.get("value")),
    }
    names = ["group", "label", "qualifier", "unit", "period", "place", "confidence", "note"]
    also = ["id", "value", "is_published", "sources"]
    row = _row(file, row_id, item, Fact, names, also=also, key=row_id, **values)
    del row.values["key"]
    row.links["sources"] = _known_sources(row, item, source_ids)
    if "value" not in row.values and not row.values.get("period"):
        raise row.fail("A number needs a period: the year or years it speaks of.")
    if not row.values.get("confidence") or not row.values.get("group") or not row.values.get("label"):
        raise row.fail("A fact needs a group, a label and a confidence.")
    return row


def _value(file: Path, row_id: str, value: Any) -> dict[str, Any]:
    """Words, or a number, or `{"low": …, "high": …}` with or without `"point"`."""
    if isinstance(value, str) and value.strip():
        return {"value": value}
    numbers = value if isinstance(value, dict) else {"point": value}
    is_whole = {"low", "high"} <= set(numbers) or set(numbers) == {"point"}
    if not is_whole or set(numbers) - {"low", "high", "point"} or not all(map(_is_number, numbers.values())):
        raise ContentError(file, row_id, "The value must be words, a number, or a range with low and high.")
    if set(numbers) >= {"low", "high"}:
        _check_order(ContentError(file, row_id, OUT_OF_ORDER), numbers)
    return {name: Decimal(number) for name, number in numbers.items()}


def _check_order(fault: ContentError, numbers: dict[str, Any]) -> None:
    ordered = [numbers[name] for name in ("low", "point", "high") if numbers.get(name) is not None]
    if ordered != sorted(ordered):
        raise fault


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _known_sources(row: Row, item: dict[str, Any], source_ids: set[str]) -> list[str]:
    keys = item.get("sources") or []
    if not keys:
        raise row.fail("names no source.")
    for key in keys:
        if key not in source_ids:
            raise row.fail(f"names the source “{key}”, which is not in this file.")
    return sorted(set(keys))


def _count(file: Path, item: dict[str, Any], source_ids: set[str], fact_ids: set[str]) -> Row:
    where = f"count {item.get('series')} {item.get('start')} {item.get('place')}"
    names = ["start", "end", "place", "series", "low", "high", "point", "unit", "method", "confidence", "note"]
    row = _row(file, where, item, PopulationCount, names, also=["sources", "fact"])
    _check_order(row.fail(OUT_OF_ORDER), row.values)
    row.links["sources"] = _known_sources(row, item, source_ids)
    row.links["fact"] = item.get("fact")
    has_numbers = bool({"low", "high", "point"} & set(row.values))
    if row.links["fact"] is not None and row.links["fact"] not in fact_ids:
        raise row.fail(f"follows the fact “{row.links['fact']}”, which is not in this file.")
    if has_numbers == (row.links["fact"] is not None):
        raise row.fail("has either its own numbers or a fact to follow.")
    return row


def _conflict(
    file: Path, row_id: str, item: dict[str, Any], source_ids: set[str], facts: dict[str, Fact], position: int
) -> Row:
    row = _row(file, row_id, item, Conflict, ["topic", "show"], also=["id", "positions"], position=position)
    row.links["positions"] = [
        (said["says"], said["covers"], _known_sources(row, said, source_ids)) for said in item.get("positions", [])
    ]
    if len(row.links["positions"]) < 2:
        raise row.fail("A conflict needs at least two positions.")
    for text in (row.values["show"], *(says for says, _, _ in row.links["positions"])):
        _check_markers(row, text, facts)
    return row


def _species_threat(file: Path, item: dict[str, Any], known: set[str], position: int) -> Row:
    row = _row(
        file,
        item.get("threat", f"threat {position}"),
        item,
        SpeciesThreat,
        ["direction"],
        also=["threat"],
        position=position,
    )
    if row.id not in known:
        raise row.fail("This threat is not in threats.json.")
    return row


def _check_markers(row: Row, text: str, facts: dict[str, Fact]) -> None:
    try:
        prose.check(text, facts)
    except prose.MarkerError as error:
        raise row.fail(str(error)) from error


def _check_shared_sources(species: list[SpeciesContent]) -> None:
    """Sources belong to all species: two files that use one id must mean the same by it."""
    seen: dict[str, Row] = {}
    for row in (row for content in species for row in content.sources):
        if seen.setdefault(row.id, row).values != row.values:
            raise row.fail(f"is another source in {seen[row.id].file.parent.name}/{row.file.name}.")


def _texts(file: Path, content: SpeciesContent) -> Iterator[Row]:
    data = _json(file)
    known = {"species", "language", "licence", "sections", "threats", *SECTIONS_OF_ITEMS}
    _refuse_unknown(file, "the file", data, known)
    language = data.get("language")
    if language not in dict(settings.LANGUAGES) or file.name != f"texts.{language}.json":
        raise ContentError(file, "language", f"“{language}” is no language of this site, or not the file's.")
    if data.get("species") != content.species.id:
        raise ContentError(file, "species", f"must be “{content.species.id}”.")
    facts = content.facts_as_printed
    threat_ids = {row.id for row in content.threats}
    for row in _text_rows(file, data, language):
        if row.links["threat"] is not None and row.links["threat"] not in threat_ids:
            raise row.fail("This threat is not one of the species' threats.")
        _check_markers(row, row.values["body"], facts)
        yield row


def _text_rows(file: Path, data: dict[str, Any], language: str) -> Iterator[Row]:
    def row(section: str, row_id: str, position: int, *, threat: str | None = None, **values: Any) -> Row:
        key = row_id if section in SECTIONS_OF_ITEMS else ""
        values |= {"section": section, "key": key, "language": language, "position": position}
        made = _row(file, row_id, values, Text, list(values))
        made.links["threat"] = threat
        return made

    def body(where: str, lines: Any) -> str:
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise ContentError(file, where, "must be a list of sentences.")
        return "\n".join(lines)

    def said(row_id: str, item: dict[str, Any], *names: str) -> list[Any]:
        _refuse_unknown(file, row_id, item, {"id", *names})
        for name in names:
            if name not in item:
                raise ContentError(file, row_id, f"has no {name}.")
        return [item[name] for name in names]

    for position, (section, lines) in enumerate(data.get("sections", {}).items(), start=1):
        yield row(section, section, position, body=body(section, lines))
    for position, (row_id, item) in enumerate(_items(file, data, Section.AT_A_GLANCE), start=1):
        label, text = said(row_id, item, "label", "text")
        yield row(Section.AT_A_GLANCE, row_id, position, title=label, body=text)
    for position, (row_id, item) in enumerate(_items(file, data, Section.DID_YOU_KNOW), start=1):
        (lines,) = said(row_id, item, "body")
        yield row(Section.DID_YOU_KNOW, row_id, position, body=body(row_id, lines))
    for position, (row_id, item) in enumerate(_items(file, data, Section.FAQ), start=1):
        question, answer = said(row_id, item, "question", "answer")
        yield row(Section.FAQ, row_id, position, title=question, body=body(row_id, answer))
    for position, item in enumerate(data.get("threats", []), start=1):
        threat, title, trend, lines = said(f"threat {position}", item, "threat", "title", "trend", "body")
        words = {"title": title, "summary": trend, "body": body(threat, lines)}
        yield row(Section.THREAT, threat, position, threat=threat, **words)
