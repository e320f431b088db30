"""The pictures and the newest field notes of a species' page, fetched along with the species: the page has no query to
spare for them.
"""

from datetime import date
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from .models import FieldNote, Picture, Species

SHOWN = ("pk", "file", "width", "height", "alt", "author", "licence", "licence_url", "source_url", "focal_x", "focal_y")
MOST = 12
NOTE_SHOWN = ("pk", "slug", "title", "body", "place", "seen_on")
MOST_NOTES = 3


def with_pictures_and_notes(species: QuerySet[Species]) -> QuerySet[Species]:
    return species.annotate(
        picture_rows=_along(_pictures(), SHOWN, most=MOST), note_rows=_along(_notes(), NOTE_SHOWN, most=MOST_NOTES)
    )


def _along(rows: QuerySet[Any], names: tuple[str, ...], *, most: int) -> ArraySubquery:
    of_species = rows.filter(species=OuterRef("pk"))
    return ArraySubquery(of_species.values(row=JSONObject(**{name: F(name) for name in names}))[:most])


def pictures_of(species: Species) -> tuple[Picture, ...]:
    rows = getattr(species, "picture_rows", None)
    if rows is None:
        return tuple(_pictures().filter(species=species)[:MOST])
    return tuple(Picture(**row) for row in rows)


def notes_of(species: Species) -> tuple[FieldNote, ...]:
    """As much of each as a card shows."""
    rows = getattr(species, "note_rows", None)
    if rows is None:
        return tuple(_notes().filter(species=species)[:MOST_NOTES])
    return tuple(FieldNote(**row | {"seen_on": date.fromisoformat(row["seen_on"])}) for row in rows)


def _pictures() -> QuerySet[Picture]:
    return Picture.objects.public().order_by("position", "pk")


def _notes() -> QuerySet[FieldNote]:
    return FieldNote.objects.public()
