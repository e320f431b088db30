"""The same species in each language: for the head of a page, and for people."""

from django import template
from django.conf import settings
from django.urls import reverse

from species.models import Species
from species.translated import LANGUAGES

register = template.Library()


def address_in(species: Species, language: str) -> str:
    return reverse("species:translated", kwargs={"slug": species.slug, "language": language})


@register.filter
def addresses_by_language(species: Species, language: str = "") -> list[tuple[str, str]]:
    """Every address of a species with the code of its language; empty where there is but one."""
    codes = [language] if language else getattr(species, "languages", [])
    own = settings.SITE_URL + species.get_absolute_url()
    others = [(code, settings.SITE_URL + address_in(species, code)) for code in codes]
    return [(settings.LANGUAGE_CODE, own), *others, ("x-default", own)] if others else []


@register.filter
def other_languages(species: Species) -> list[tuple[str, str, str]]:
    """Code, the language's own name, and address, for a switch."""
    return [(code, LANGUAGES[code], address_in(species, code)) for code in getattr(species, "languages", [])]
