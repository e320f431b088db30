"""A species at a glance in another language. Its language is in its address: no cookie, and one page per address."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.views.decorators.http import require_safe

from species.content_version import with_content_version
from species.models import Species
from species.translated import Glance

from .caching import public_page


@require_safe
@public_page
def at_a_glance(request: HttpRequest, slug: str, language: str) -> HttpResponse:
    species = get_object_or_404(with_content_version(Species.objects.public()), slug=slug)
    with translation.override(language):
        page = Glance.of(species, language=language)
        if page is None:
            raise Http404
        context = {"page": page, "own_language": settings.LANGUAGE_CODE}
        return render(request, "species/translated.html", context)
