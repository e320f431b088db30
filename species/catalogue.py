"""Lists of species: their standfirsts, which threats press on which, and names like a mistyped one."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from django.conf import settings

from . import prose
from .models import Fact, Section, Species, SpeciesThreat, Text, Threat

logger = logging.getLogger(__name__)


def standfirsts(species: Sequence[Species]) -> dict[str, str]:
    """The standfirst of each, by slug, as one string with its values printed; two queries in all."""
    texts = Text.objects.public().filter(
        species__in=species, section=Section.STANDFIRST, language=settings.LANGUAGE_CODE
    )
    facts: dict[int, dict[str, Fact]] = {}
    for fact in Fact.objects.public().filter(species__in=species, citations__text__section=Section.STANDFIRST):
        facts.setdefault(fact.species_id, {})[fact.key] = fact
    slugs = {each.pk: each.slug for each in species}
    return {slugs[text.species_id]: prose.plain_text(text.body, facts.get(text.species_id, {})) for text in texts}


def nearest_names(wanted: str, catalogue: Sequence[Species]) -> list[Species]:
    """Species whose address or name is like the one asked for."""
    names = {each.slug: each for each in catalogue}
    close = get_close_matches(wanted.lower(), names, n=3, cutoff=0.5)
    by_word = [slug for slug in names if set(slug.split("-")) & set(wanted.lower().split("-"))]
    return [names[slug] for slug in dict.fromkeys((*close, *by_word))]


@dataclass(frozen=True, slots=True)
class PressingThreat:
    threat: Threat
    species: tuple[Species, ...]


def species_of_threats() -> tuple[PressingThreat, ...]:
    """Every threat with the published species it presses on; one that presses on none is left out."""
    rows = SpeciesThreat.objects.filter(species__is_published=True).select_related("threat", "species")
    found: dict[int, tuple[Threat, list[Species]]] = {}
    for row in rows.order_by("threat__position", "threat__name", "species__position"):
        found.setdefault(row.threat_id, (row.threat, []))[1].append(row.species)
    return tuple(PressingThreat(threat, tuple(species)) for threat, species in found.values())
