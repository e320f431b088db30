"""The same species in each language: for the head of a page, and for people."""

from django import template

from species.models import Species
from species.translated import LANGUAGES, address_in, addresses_by_language

register = template.Library()

register.filter(addresses_by_language)


@register.filter
def other_languages(species: Species) -> list[tuple[str, str, str]]:
    """Code, the language's own name, and address, for a switch."""
    return [(code, LANGUAGES[code], address_in(species, code)) for code in getattr(species, "languages", [])]
