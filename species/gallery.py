"""The pictures of a species' page, fetched along with the species: the page has no query to spare for them."""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from .models import Picture, Species

SHOWN = ("pk", "file", "width", "height", "alt", "author", "licence", "licence_url", "source_url", "focal_x", "focal_y")
MOST = 12


def with_pictures(species: QuerySet[Species]) -> QuerySet[Species]:
    rows = _shown().filter(species=OuterRef("pk")).values(row=JSONObject(**{name: F(name) for name in SHOWN}))
    return species.annotate(picture_rows=ArraySubquery(rows[:MOST]))


def pictures_of(species: Species) -> tuple[Picture, ...]:
    rows = getattr(species, "picture_rows", None)
    if rows is None:
        return tuple(_shown().filter(species=species)[:MOST])
    return tuple(Picture(**row) for row in rows)


def _shown() -> QuerySet[Picture]:
    return Picture.objects.public().order_by("position", "pk")
