"""A species at a glance in another language: only what has been written in that language, never a mixture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.urls import reverse

from .knowledge import Knowledge
from .models import Section, Source, Species, Text
from .notebook import Notebook, Paragraph
from .page import Item

NAME = "common-name"  # the row of “At a glance” that says what the animal is called in that language
LANGUAGES = {code: name for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE}


@dataclass(frozen=True, slots=True)
class Glance:
    species: Species
    language: str
    name: str
    standfirst: tuple[Paragraph, ...]
    rows: tuple[Item, ...]
    note: tuple[Paragraph, ...]
    sources: tuple[Source, ...]

    @classmethod
    def of(cls, species: Species, *, language: str) -> Self | None:
        """To be called with the language switched on, so that numbers are written its way. None: nothing written."""
        texts = list(species.texts.public().in_language(language).order_by("position", "pk"))
        rows = [text for text in texts if text.section == Section.AT_A_GLANCE]
        if not rows:
            return None
        notebook = Notebook(Knowledge.of(species))
        return cls(
            species=species,
            language=language,
            name=next((notebook.plain(row.body) for row in rows if row.key == NAME), species.heading),
            standfirst=_paragraphs(notebook, texts, Section.STANDFIRST),
            rows=tuple(Item(row.key, row.title, notebook.paragraphs(row.body)) for row in rows if row.key != NAME),
            note=_paragraphs(notebook, texts, Section.AT_A_GLANCE_NOTE),
            sources=tuple(notebook.sources),
        )

    @property
    def description(self) -> str:
        return " ".join(sentence.text for paragraph in self.standfirst for sentence in paragraph[:2])


def _paragraphs(notebook: Notebook, texts: Sequence[Text], section: Section) -> tuple[Paragraph, ...]:
    return tuple(each for text in texts if text.section == section for each in notebook.paragraphs(text.body))


def with_languages(species: QuerySet[Species]) -> QuerySet[Species]:
    """Along with each species, in `languages`, the codes in which there is something to read at a glance."""
    written = Text.objects.public().filter(
        species=OuterRef("pk"), section=Section.AT_A_GLANCE, language__in=list(LANGUAGES)
    )
    codes = written.order_by("language").values("language").distinct()
    return species.annotate(languages=ArraySubquery(codes))


def address_in(species: Species, language: str) -> str:
    return reverse("species:translated", kwargs={"slug": species.slug, "language": language})


def addresses_by_language(species: Species, language: str = "") -> list[tuple[str, str]]:
    """Every address of a species with the code of its language; empty where there is but one."""
    codes = [language] if language else getattr(species, "languages", [])
    own = settings.SITE_URL + species.get_absolute_url()
    others = [(code, settings.SITE_URL + address_in(species, code)) for code in codes]
    return [(settings.LANGUAGE_CODE, own), *others, ("x-default", own)] if others else []
