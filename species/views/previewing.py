"""What a page will look like. Whoever has the link may look; nothing is remembered, and no engine lists it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from species.forms import CommentForm
from species.page import SpeciesPage
from species.previewing import what_to_show


@require_safe
@never_cache
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """The species page with a draft in its place, or of a species that is not published yet."""
    found = what_to_show(token)
    if found is None:
        raise Http404
    species, draft = found
    page = SpeciesPage.of(species, draft=draft)
    context = {"page": page, "form": CommentForm(species=species), "structured_data": {}}
    response = render(request, "species/preview.html", context)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
