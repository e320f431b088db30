"""The outlines that the figures of a species are drawn with."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from species.figures.shapes import shapes_svg
from species.models import Species

YEAR = 365 * 24 * 3600


@require_safe
@cache_control(public=True, max_age=YEAR, immutable=True)
def shapes(request: HttpRequest, slug: str) -> HttpResponse:
    """Also of a species that is not published yet: its preview needs them, and they tell nothing."""
    species = get_object_or_404(Species, slug=slug)
    return HttpResponse(shapes_svg(species.slug), content_type="image/svg+xml")
