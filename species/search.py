"""One search over everything that can be read: names, passages, facts, threats, field notes, sources.

Words are matched by their stems and as beginnings, accents aside; when nothing matches, names that look alike are
offered, for a reader who typed “amur lepard”.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector, TrigramWordSimilarity
from django.db.models import F, Func, Model, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from .models import Fact, FieldNote, Source, Species, Text, Threat
from .notebook import with_unit

# English stems without accents; made by a migration.
CONFIG = "pugmark"
EACH = 8
WORDS_USED = 10
ALIKE = 0.45
EXTRACT = 220


@dataclass(frozen=True, slots=True)
class Result:
    kind: str
    title: str
    url: str
    extract: str


def find(words: str) -> tuple[Result, ...]:
    """Best first within each kind; empty for words that find nothing. Takes any string."""
    terms = re.findall(r"\w+", words)[:WORDS_USED]
    if not terms:
        return ()
    return tuple(_matches(_query(terms))) or tuple(_alike(" ".join(terms)))


def _query(terms: list[str]) -> SearchQuery:
    """Every word must occur, each may be only the beginning of one: `'amur':* & 'leop':*`."""
    return SearchQuery(" & ".join(f"'{term}':*" for term in terms), search_type="raw", config=CONFIG)


def _matches(query: SearchQuery) -> Iterator[Result]:
    names = SearchVector("common_name", "scientific_name", weight="A", config=CONFIG)
    yield from map(_of_species, _ranked(Species.objects.public(), names, query))
    threats = SearchVector("name", weight="A", config=CONFIG) + SearchVector("summary", config=CONFIG)
    yield from map(_of_threat, _ranked(Threat.objects.all(), threats, query))
    notes = SearchVector("title", weight="A", config=CONFIG) + SearchVector("body", "place", config=CONFIG)
    yield from map(_of_note, _ranked(FieldNote.objects.public(), notes, query))
    facts = SearchVector("label", weight="A", config=CONFIG) + SearchVector("value", "place", "note", config=CONFIG)
    public_facts = Fact.objects.public().filter(species__is_published=True).select_related("species")
    yield from map(_of_fact, _ranked(public_facts, facts, query))
    yield from _passages(query)
    sources = SearchVector("title", weight="A", config=CONFIG) + SearchVector("publisher", config=CONFIG)
    yield from map(_of_source, _ranked(Source.objects.all(), sources, query))


def _ranked[M: Model](rows: QuerySet[M], vector: Combinable, query: SearchQuery) -> Iterable[M]:
    ranked = rows.annotate(document=vector, rank=SearchRank(F("document"), query))
    return ranked.filter(document=query).order_by("-rank", "pk")[:EACH]


def _passages(query: SearchQuery) -> Iterator[Result]:
    """Texts, without the markers in them, so that a search for “pop” does not find {pop-low}."""
    words = Func(
        F("body"),
        Value(r"\[\^[^]]*\]|\{[^}]*\}"),
        Value(" "),
        Value("g"),
        function="regexp_replace",
        output_field=TextField(),
    )
    vector = SearchVector("title", weight="A", config=CONFIG) + SearchVector(words, config=CONFIG)
    texts = (
        Text.objects.public()
        .filter(species__is_published=True, language=settings.LANGUAGE_CODE)
        .select_related("species")
    )
    for text in _ranked(texts, vector, query):
        yield Result(
            kind=_("On the page"),
            title=f"{text.species.heading}: {text.title or text.get_section_display()}",
            url=text.species.get_absolute_url(),
            extract="",
        )


def _alike(words: str) -> Iterator[Result]:
    for species in _similar(Species.objects.public(), "common_name", words):
        yield _of_species(species)
    for threat in _similar(Threat.objects.all(), "name", words):
        yield _of_threat(threat)
    facts = Fact.objects.public().filter(species__is_published=True).select_related("species")
    for fact in _similar(facts, "label", words):
        yield _of_fact(fact)


def _similar[M: Model](rows: QuerySet[M], column: str, words: str) -> Iterable[M]:
    alike = rows.annotate(alike=TrigramWordSimilarity(words, column))
    return alike.filter(alike__gte=ALIKE).order_by("-alike", "pk")[:EACH]


def _of_species(species: Species) -> Result:
    return Result(
        pgettext("one of them", "Species"), species.heading, species.get_absolute_url(), species.scientific_name
    )


def _of_threat(threat: Threat) -> Result:
    return Result(_("Threat"), threat.name, threat.get_absolute_url(), _short(threat.summary))


def _of_note(note: FieldNote) -> Result:
    return Result(_("Field note"), note.title, note.get_absolute_url(), _short(note.body))


def _of_fact(fact: Fact) -> Result:
    when = f" ({fact.period})" if fact.period else ""
    return Result(
        kind=_("Fact"),
        title=f"{fact.species.heading}: {fact.label}",
        url=fact.species.get_absolute_url(),
        extract=_short(f"{with_unit(fact)}{when}"),
    )


def _of_source(source: Source) -> Result:
    when = source.year or _("undated")
    url = f"{reverse('species:sources')}#{source.key}"
    return Result(_("Source"), source.title, url, f"{source.publisher}, {when}")


def _short(text: str) -> str:
    return Truncator(text).chars(EXTRACT)
