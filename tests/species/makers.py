"""Facts, texts and comments for tests, as small as the database allows."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User

from species.models import Comment, Fact, FieldNote, Source, Text, Threat
from species.models.threats import SpeciesThreat
from tests.makers import make_species

__all__ = ["make_species"]


def make_source(key: str = "jiang-2015", **values: Any) -> Source:
    defaults = {"title": f"Title of {key}", "publisher": "Scientific Reports", "year": 2015, "kind": "paper"}
    return Source.objects.get_or_create(key=key, defaults={**defaults, **values})[0]


def make_fact(key: str = "range-now", **values: Any) -> Fact:
    """A number with one source, unless told otherwise."""
    species = values.pop("species", None) or make_species()
    if not {"value", "point", "low"} & set(values):
        values["point"] = Decimal(10709)
    defaults = {
        "group": "range",
        "label": f"Label of {key}",
        "unit": "km²",
        "period": "c. 2015",
        "confidence": "medium",
    }
    fact = Fact.objects.create(species=species, key=key, **{**defaults, **values})
    fact.sources.add(make_source())
    return fact


def make_text(body: str, section: str = "habitat", **values: Any) -> Text:
    species = values.pop("species", None) or make_species()
    return Text.objects.create(species=species, section=section, body=body, **values)


def make_threat_text(body: str, slug: str = "deforestation", **values: Any) -> Text:
    species = values.pop("species", None) or make_species()
    threat = Threat.objects.get_or_create(slug=slug, defaults={"name": slug.capitalize(), "summary": "Trees fall."})[0]
    pressing = SpeciesThreat.objects.get_or_create(species=species, threat=threat)[0]
    return make_text(body, "threat", species=species, species_threat=pressing, **values)


def make_comment(body: str = "They are beautiful.", **values: Any) -> Comment:
    species = values.pop("species", None) or make_species()
    defaults = {"name": "Sam", "email": "sam@example.org"}
    return Comment.objects.create(species=species, body=body, **{**defaults, **values})


def make_approved_comment(body: str = "They are beautiful.", **values: Any) -> Comment:
    comment = make_comment(body, **values)
    Comment.objects.filter(pk=comment.pk).approve(by=make_moderator())
    comment.refresh_from_db()
    return comment


def make_moderator(name: str = "marek") -> User:
    return User.objects.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": True})[0]


def make_field_note(slug: str = "two-cubs", **values: Any) -> FieldNote:
    species = values.pop("species", None) or make_species()
    defaults = {"title": "Two cubs", "body": "Seen by a camera.", "seen_on": "2026-10-02"}
    return FieldNote.objects.create(species=species, slug=slug, **{**defaults, **values})
