"""The species page, ready to be drawn: the template only lays out what stands here.

`{{ page }}` is a SpeciesPage; beside it the context holds `form` (leave a reply). What a template needs:

    page.species              the model: heading, common_name, scientific_name, slug, get_status_display …
    page.status_scale         (code, label) from EX to LC;   page.as_of   “November 2026”
    page.description          two sentences for search engines;   page.cite_as   the “cite this page” line
    page.standfirst, .glance_note, .habitat, .range, .life, .why, .doing, .pays_for     paragraphs, maybe none
    page.glance, .faq         items with .id .title .paragraphs
    page.did_you_know         one tuple of paragraphs each
    page.threats              .threat (model) .title .summary .direction (words) .direction_code .paragraphs
    page.conflicts            .topic .show .positions (.say .covers .sources)
    page.sources              Source rows; the first has number 1
    page.figures              what species/figures draws: {% include figure.template with figure=figure only %}
    page.conversation         .total .comments (.pk .name .body .created_at .replies …) .oldest_first
                              .going_on (the query that continues it, or "")
    page.pictures             photographs, maybe none
    page.field_notes          the newest notes;   page.related   the other species

A paragraph is a tuple of sentences. A sentence has .text, .parts (each .text and, where it prints a fact's value,
.key), .sources (numbers) and .facts (.label .value .when .where .how_sure .confidence .note .sources).

Eight queries, whatever the number of facts and comments; three while the content stays as it was.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import lru_cache
from typing import Self

from django.conf import settings
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from .conversation import Conversation
from .figures import Figure, figures_for
from .gallery import notes_of, pictures_of
from .history import apply
from .knowledge import Knowledge
from .models import FieldNote, Picture, PopulationCount, Revision, Section, Source, Species, Text, Threat
from .models.species import STATUS_SCALE
from .notebook import Disagreement, Notebook, Paragraph


@dataclass(frozen=True, slots=True)
class Item:
    """A glance row, or a question with its answer."""

    id: str
    title: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Pressure:
    """A threat as it presses on this species."""

    threat: Threat
    title: str
    summary: str
    direction: str
    direction_code: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is made of the content of a species alone: the same for everyone until somebody edits it."""

    species: Species
    knowledge: Knowledge
    standfirst: tuple[Paragraph, ...]
    glance: tuple[Item, ...]
    glance_note: tuple[Paragraph, ...]
    range: tuple[Paragraph, ...]
    habitat: tuple[Paragraph, ...]
    life: tuple[Paragraph, ...]
    did_you_know: tuple[tuple[Paragraph, ...], ...]
    why: tuple[Paragraph, ...]
    threats: tuple[Pressure, ...]
    doing: tuple[Paragraph, ...]
    pays_for: tuple[Paragraph, ...]
    faq: tuple[Item, ...]
    counts: tuple[PopulationCount, ...]
    conflicts: tuple[Disagreement, ...]
    sources: tuple[Source, ...]
    status_scale: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...] = ()
    # Its sections, by name and by how links begin.
    drawn: dict[tuple[str, str], SafeString] = field(default_factory=dict, compare=False)

    @property
    def description(self) -> str:
        sentences = [sentence.text for paragraph in self.standfirst for sentence in paragraph]
        return " ".join(sentences[:2])

    @property
    def alone(self) -> "Content":
        """Without what is read for each request."""
        return Content(**{each.name: getattr(self, each.name) for each in fields(Content)})


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeciesPage(Content):
    """The content, and what is read for each request."""

    related: tuple[Species, ...]
    conversation: Conversation
    field_notes: tuple[FieldNote, ...]
    pictures: tuple[Picture, ...]

    @classmethod
    def of(
        cls,
        species: Species,
        *,
        related: Iterable[Species] = (),
        language: str = settings.LANGUAGE_CODE,
        conversation: Conversation | None = None,
        draft: Revision | None = None,
    ) -> Self:
        """Read and arrange everything. `draft`: a text as it may become.

        Of a species that came with its `content_version`, the content is read once for each version.
        """
        version = getattr(species, "content_version", "")
        if version and draft is None:
            content = _remembered(species, language, get_language(), version)
        else:
            content = _content(species, language, draft)
        return cls(
            **{each.name: getattr(content, each.name) for each in fields(Content)} | {"species": species},
            related=tuple(related),
            conversation=conversation or Conversation.of(species),
            field_notes=notes_of(species),
            pictures=pictures_of(species),
        )

    @property
    def as_of(self) -> str:
        return as_of(self.species)

    @property
    def cite_as(self) -> str:
        address = f"{settings.SITE_URL}{self.species.get_absolute_url()}"
        return _("%(charity)s, “%(species)s”, facts as of %(month)s, %(address)s") % {
            "charity": settings.CHARITY["name"],
            "species": self.species.heading,
            "month": self.as_of,
            "address": address,
        }


@lru_cache(maxsize=64)
def _remembered(species: Species, language: str, _speaking: str | None, _version: str) -> Content:
    """A content that has changed has another version, so that what is remembered is never out of date."""
    return _content(species, language)


forget_content = _remembered.cache_clear


def _content(species: Species, language: str, draft: Revision | None = None) -> Content:
    notebook = Notebook(Knowledge.of(species))
    texts = Texts(notebook, _texts(species, language, draft))
    # Sources are numbered as they are met: these lines stand in the order of the page.
    content = Content(
        species=species,
        knowledge=notebook.knowledge,
        standfirst=texts.paragraphs(Section.STANDFIRST),
        glance=tuple(texts.items(Section.AT_A_GLANCE)),
        glance_note=texts.paragraphs(Section.AT_A_GLANCE_NOTE),
        range=texts.paragraphs(Section.RANGE),
        habitat=texts.paragraphs(Section.HABITAT),
        life=texts.paragraphs(Section.LIFE_AND_BEHAVIOUR),
        did_you_know=tuple(item.paragraphs for item in texts.items(Section.DID_YOU_KNOW)),
        why=texts.paragraphs(Section.WHY_THEY_MATTER),
        threats=tuple(texts.pressures()),
        doing=texts.paragraphs(Section.WHAT_IS_BEING_DONE),
        pays_for=texts.paragraphs(Section.WHAT_AN_ADOPTION_PAYS_FOR),
        faq=tuple(texts.items(Section.FAQ)),
        counts=_counts(notebook),
        conflicts=tuple(notebook.disagreements()),
        sources=_all_sources(notebook),
        status_scale=tuple((step.value, str(step.label)) for step in STATUS_SCALE),
    )
    return replace(content, figures=_figures(content))


def as_of(species: Species) -> str:
    """“November 2026”: what its editors say, or the month somebody last touched it."""
    if not species.as_of:
        return date_format(species.updated_at, "F Y")
    year, month = map(int, species.as_of.split("-"))
    return date_format(date(year, month, 1), "F Y")


def _texts(species: Species, language: str, draft: Revision | None) -> list[Text]:
    """The published texts in one language, and in the site's own where that language has none."""
    wanted = {language, settings.LANGUAGE_CODE}
    is_shown = Q(is_published=True) | Q(pk=draft.row if draft else None)
    rows = list(species.texts.filter(is_shown, language__in=wanted).select_related("species_threat__threat"))
    for row in rows:
        if draft and row.pk == draft.row:
            apply(row, draft.content)
    chosen: dict[tuple[str, str, int | None], Text] = {}
    for row in sorted(rows, key=lambda row: row.language == language):
        chosen[row.section, row.key, row.species_threat_id] = row
    return sorted(chosen.values(), key=lambda row: (row.position, row.pk))


def _counts(notebook: Notebook) -> tuple[PopulationCount, ...]:
    """They stand in a figure, which names their sources: those have their place in the list here."""
    for count in notebook.knowledge.counts:
        notebook.numbers_of(notebook.knowledge.count_sources.get(count.pk, ()))
    return notebook.knowledge.counts


def _all_sources(notebook: Notebook) -> tuple[Source, ...]:
    """Those of the page in order of first use, then those of facts that no sentence uses."""
    for key in notebook.knowledge.facts:
        notebook.fact(key)
    return tuple(notebook.sources)


def _figures(content: Content) -> tuple[Figure, ...]:
    return tuple(figures_for(content.species, content.knowledge.facts, content.counts, content.sources))


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one page, handed out section by section."""

    notebook: Notebook
    rows: list[Text]

    def of(self, section: Section) -> Iterator[Text]:
        return (row for row in self.rows if row.section == section)

    def paragraphs(self, section: Section) -> tuple[Paragraph, ...]:
        return tuple(paragraph for row in self.of(section) for paragraph in self.notebook.paragraphs(row.body))

    def items(self, section: Section) -> Iterator[Item]:
        for row in self.of(section):
            yield Item(id=row.key, title=row.title, paragraphs=self.notebook.paragraphs(row.body))

    def pressures(self) -> Iterator[Pressure]:
        found = [(row.species_threat, row) for row in self.of(Section.THREAT) if row.species_threat]
        for pressing, row in sorted(found, key=lambda pair: (pair[0].position, pair[0].pk)):
            yield Pressure(
                threat=pressing.threat,
                title=row.title or pressing.threat.name,
                summary=row.summary,
                direction=str(pressing.get_direction_display()),
                direction_code=pressing.direction,
                paragraphs=self.notebook.paragraphs(row.body),
            )
