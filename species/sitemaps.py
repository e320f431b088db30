"""The map of the site. A date stands only where it is true: when something on that page last changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import Max, Model, OuterRef, Subquery
from django.db.models.functions import Greatest
from django.urls import reverse

from config.pages import PAGES

from .models import Comment, Conflict, Fact, FieldNote, PopulationCount, Source, Species, Text, Threat
from .translated import address_in, addresses_by_language, with_languages


@dataclass(frozen=True, slots=True)
class Place:
    path: str
    changed_at: datetime | None
    in_languages: list[tuple[str, str]] = field(default_factory=list)  # of the same page, itself among them


def species_changes() -> list[tuple[Species, datetime]]:
    """Each published species with its languages, and the last change of anything its page shows."""
    shown = (Fact, Text, PopulationCount, Conflict)
    species = with_languages(Species.objects.public()).annotate(
        changed_at=Greatest(
            "updated_at", *(_newest(model, "updated_at") for model in shown), _newest(Comment, "moderated_at")
        )
    )
    return [(each, each.changed_at) for each in species]


def _newest(model: type[Model], column: str) -> Subquery:
    """A subquery each: joined together, the rows of one table would multiply those of the others."""
    rows = model._default_manager.filter(species=OuterRef("pk")).order_by().values("species")
    return Subquery(rows.annotate(newest=Max(column)).values("newest"))


class SiteMap(Sitemap[Place]):
    def get_protocol(self, protocol: str | None = None) -> str:
        return urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: object = None) -> str:
        return urlsplit(settings.SITE_URL).netloc

    def items(self) -> list[Place]:
        return list(self._places())

    def _places(self) -> Iterator[Place]:
        species = species_changes()
        newest = max((changed for _, changed in species), default=None)
        yield Place(reverse("species:home"), newest)
        yield Place(reverse("species:list"), newest)
        for each, changed in species:
            in_languages = addresses_by_language(each)
            yield Place(each.get_absolute_url(), changed, in_languages)
            for language in getattr(each, "languages", []):
                yield Place(address_in(each, language), changed, in_languages)
            yield Place(reverse("adoptions:adopt", args=[each.slug]), None)
        threats = list(Threat.objects.filter(species_threats__species__is_published=True).distinct())
        yield Place(reverse("species:threats"), max((each.updated_at for each in threats), default=None))
        for threat in threats:
            yield Place(threat.get_absolute_url(), None)
        yield Place(reverse("species:sources"), Source.objects.aggregate(at=Max("updated_at"))["at"])
        for note in FieldNote.objects.public():
            yield Place(note.get_absolute_url(), note.updated_at)
        for page in (*PAGES, "complaints"):
            yield Place(reverse(page), None)

    def get_urls(self, page: int | str = 1, site: Any = None, protocol: str | None = None) -> list[dict[str, Any]]:
        """Django knows other languages only as prefixes of one address; each of ours is where it says."""
        found = super().get_urls(page=page, site=site, protocol=protocol)
        for url in found:
            url["alternates"] = [{"lang_code": code, "location": address} for code, address in url["item"].in_languages]
        return found

    def location(self, item: Place) -> str:
        return item.path

    def lastmod(self, item: Place) -> datetime | None:
        return item.changed_at
