"""Keep what a row said, show what changed, and put an earlier version or a draft in its place.

A revision holds a row's columns as text, and the keys of its sources: all that staff can edit, none of what the
site keeps for itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from difflib import ndiff
from typing import Any

from django.contrib.auth.models import User
from django.db import models, transaction

from .models import Fact, PopulationCount, Source
from .models.revisions import Revision

# The site's own bookkeeping, what follows from a picture's file, and who reviewed a fact: reviewing is not editing.
NOT_CONTENT = frozenset({"id", "loaded_hash", "updated_at", "reviewed_on", "reviewed_by", "width", "height", "made_at"})
# A version tells that there was another file, which may be gone by now: what is restored are the words about it.
NOT_RESTORED = frozenset({"file"})

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One column's lines: sign is "-" for what went, "+" for what came, " " for what stayed."""

    name: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Version:
    revision: Revision
    changes: tuple[Change, ...]


def content_of(row: models.Model) -> Content:
    content: Content = {}
    for field in row._meta.concrete_fields:
        if field.name not in NOT_CONTENT:
            content[field.name] = _as_text(field, row)
    if isinstance(row, Fact | PopulationCount) and row.pk:
        content["sources"] = sorted(row.sources.values_list("key", flat=True))
    return content


def _as_text(field: models.Field[Any, Any], row: models.Model) -> str | None:
    """The same text for a number just typed and for one the database gave back with all its zeros."""
    value = field.value_from_object(row)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return None if value is None else field.value_to_string(row)


def revisions_of(row: models.Model) -> models.QuerySet[Revision]:
    return Revision.objects.filter(kind=row._meta.model_name, row=row.pk)


def record(row: models.Model, *, by: User | None) -> None:
    """Remember the row as it stands, unless the last version already says so."""
    content = content_of(row)
    last = revisions_of(row).filter(is_draft=False).first()
    if last is None or last.content != content:
        Revision.objects.create(kind=row._meta.model_name or "", row=row.pk, content=content, by=by)


def save_draft(row: models.Model, *, by: User) -> Revision:
    """Keep an edited, unsaved row as a draft; what readers see stays."""
    kind = row._meta.model_name or ""
    return Revision.objects.create(kind=kind, row=row.pk, content=content_of(row), is_draft=True, by=by)


def put_in_place(row: models.Model, revision: Revision, *, by: User) -> None:
    """Give the row a version's or a draft's content; raises ValidationError if it no longer fits the facts."""
    apply(row, revision.content)
    with transaction.atomic():
        row.full_clean()
        row.save()
        if isinstance(row, Fact | PopulationCount):
            row.sources.set(Source.objects.filter(key__in=revision.content.get("sources", [])))
        record(row, by=by)
        if revision.is_draft:
            revision.delete()


def apply(row: models.Model, content: Content) -> None:
    """Set the columns in memory."""
    for field in row._meta.concrete_fields:
        if field.name in content and field.name not in NOT_CONTENT | NOT_RESTORED:
            value = content[field.name]
            setattr(row, field.attname, None if value is None else field.to_python(value))


def versions(row: models.Model) -> Iterator[Version]:
    """Newest first, each with what it changed; a draft is set against what readers see now."""
    revisions = list(revisions_of(row).select_related("by"))
    kept = [revision for revision in revisions if not revision.is_draft]
    for revision in revisions:
        if revision.is_draft:
            before = content_of(row)
        else:
            earlier = kept[kept.index(revision) + 1 :]
            before = earlier[0].content if earlier else {}
        yield Version(revision, tuple(differences(before, revision.content)))


def differences(before: Content, after: Content) -> Iterator[Change]:
    for name in dict.fromkeys((*after, *before)):
        old, new = (_lines(content.get(name)) for content in (before, after))
        if old != new:
            lines = (line for line in ndiff(old, new) if not line.startswith("?"))
            yield Change(name=name.replace("_", " "), lines=tuple((line[0], line[2:]) for line in lines))


def _lines(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    return [str(item) for item in value] if isinstance(value, list) else str(value).splitlines()
