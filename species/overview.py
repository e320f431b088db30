"""Pages across species: one threat and all it presses on, and how we know what we say."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from django.conf import settings
from django.db.models import Count, Q
from django.utils.translation import get_language

from .content_version import content_version
from .knowledge import Knowledge
from .models import Section, Source, Species, Text, Threat
from .notebook import Disagreement, Notebook, Paragraph


@dataclass(frozen=True, slots=True)
class PressedSpecies:
    species: Species
    title: str
    summary: str
    direction: str
    direction_code: str
    paragraphs: tuple[Paragraph, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class ThreatPage:
    """`page.threat`, and `page.species`: each .species .title .summary .direction .paragraphs .sources.

    Sentences carry the numbers of their own species' `sources`: 1 is the first.
    """

    threat: Threat
    species: tuple[PressedSpecies, ...]

    @classmethod
    def of(cls, threat: Threat) -> Self:
        texts = (
            Text.objects.public()
            .filter(
                section=Section.THREAT,
                language=settings.LANGUAGE_CODE,
                species_threat__threat=threat,
                species__is_published=True,
            )
            .select_related("species", "species_threat")
            .order_by("species__position", "species__common_name")
        )
        return cls(threat=threat, species=tuple(_pressed(text) for text in texts))


def _pressed(text: Text) -> PressedSpecies:
    notebook = Notebook(Knowledge.of(text.species))
    paragraphs = notebook.paragraphs(text.body)
    threat = text.species_threat
    return PressedSpecies(
        species=text.species,
        title=text.title,
        summary=text.summary,
        direction=str(threat.get_direction_display()) if threat else "",
        direction_code=threat.direction if threat else "",
        paragraphs=paragraphs,
        sources=tuple(notebook.sources),
    )


@dataclass(frozen=True, slots=True)
class Questions:
    species: Species
    conflicts: tuple[Disagreement, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class HowWeKnow:
    """`page.questions`: per species .conflicts and their .sources; `page.sources`: all, each with .fact_total."""

    questions: tuple[Questions, ...]
    sources: tuple[Source, ...]

    @staticmethod
    def read() -> "HowWeKnow":
        """All of it is content: read once for each version, and with one query while nothing changes."""
        return _how_we_know(get_language(), content_version())


@lru_cache(maxsize=8)
def _how_we_know(_speaking: str | None, _version: str) -> HowWeKnow:
    questions = []
    for species in Species.objects.public():
        notebook = Notebook(Knowledge.of(species))
        conflicts = tuple(notebook.disagreements())
        if conflicts:
            questions.append(Questions(species, conflicts, tuple(notebook.sources)))
    is_shown = Q(facts__is_published=True, facts__species__is_published=True)
    sources = Source.objects.annotate(fact_total=Count("facts", filter=is_shown, distinct=True))
    return HowWeKnow(questions=tuple(questions), sources=tuple(sources.order_by("publisher", "year", "title")))
