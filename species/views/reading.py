"""Pages to read: home, species, threats, sources. The same for everyone: no session, no cookie, no token."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from species.catalogue import nearest_names, species_of_threats, standfirsts
from species.content_version import with_content_version
from species.conversation import Conversation, answering
from species.forms import CommentForm
from species.gallery import with_pictures_and_notes
from species.models import Comment, FieldNote, Species, Threat
from species.overview import HowWeKnow, ThreatPage
from species.page import SpeciesPage, as_of
from species.structured_data import of_page
from species.translated import with_languages

from .caching import public_page

NOTES_AT_HOME = 3


@require_safe
@public_page
def home(request: HttpRequest) -> HttpResponse:
    """The featured species, the others, and the newest field notes."""
    species = list(with_content_version(Species.objects.public()))
    context = {
        "featured": species[0] if species else None,
        "standfirst": standfirsts(species[:1]),
        "species": species,
        "field_notes": FieldNote.objects.public().select_related("species")[:NOTES_AT_HOME],
    }
    return render(request, "species/home.html", context)


@require_safe
@public_page
def species_list(request: HttpRequest) -> HttpResponse:
    species = list(Species.objects.public())
    return render(request, "species/list.html", {"species": species, "standfirst": standfirsts(species)})


@require_safe
@public_page
def species_detail(request: HttpRequest, slug: str) -> HttpResponse:
    return species_page(request, slug)


def species_page(
    request: HttpRequest,
    slug: str,
    *,
    form: CommentForm | None = None,
    preview: Comment | None = None,
    status: int = 200,
) -> HttpResponse:
    """The whole page; with a form that was refused it comes back with everything that was typed."""
    catalogue = list(with_content_version(with_languages(with_pictures_and_notes(Species.objects.public()))))
    species = next((each for each in catalogue if each.slug == slug), None)
    if species is None:
        context: dict[str, Any] = {"wanted": slug, "nearest": nearest_names(slug, catalogue), "species": catalogue}
        return render(request, "species/not_found.html", context, status=404)
    related = [each for each in catalogue if each != species]
    page = SpeciesPage.of(species, related=related, conversation=_conversation(species, request.GET))
    form = form or CommentForm(species=species, initial=answering(species, _id(request.GET.get("reply_to"))))
    context = {"page": page, "form": form, "preview": preview, "structured_data": of_page(page)}
    return render(request, "species/detail.html", context, status=status)


def _conversation(species: Species, query: QueryDict) -> Conversation:
    return Conversation.of(
        species,
        before=_id(query.get("before")),
        after=_id(query.get("after")),
        oldest_first=query.get("order") == "oldest",
    )


def _id(text: str | None) -> int | None:
    """A row's id from an address, if it can be one."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


@require_safe
@public_page
def threat_list(request: HttpRequest) -> HttpResponse:
    return render(request, "species/threats.html", {"threats": species_of_threats()})


@require_safe
@public_page
def threat_detail(request: HttpRequest, slug: str) -> HttpResponse:
    threat = get_object_or_404(Threat, slug=slug)
    return render(request, "species/threat.html", {"page": ThreatPage.of(threat)})


@require_safe
@public_page
def sources(request: HttpRequest) -> HttpResponse:
    """How we know: every source, and every question on which they disagree."""
    return render(request, "species/sources.html", {"page": HowWeKnow.read()})


@require_safe
@public_page
def field_note(request: HttpRequest, slug: str) -> HttpResponse:
    note = get_object_or_404(FieldNote.objects.public().select_related("species", "picture"), slug=slug)
    return render(request, "species/field_note.html", {"note": note, "as_of": as_of(note.species)})
