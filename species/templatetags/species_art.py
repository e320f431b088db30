"""The drawing of a species: `static/art/<slug>.svg`, or an empty winter landscape until somebody draws it."""

from functools import cache
from typing import Any

from django import template
from django.conf import settings

from species.models import Species

register = template.Library()

WIDTH, HEIGHT = 1600, 820
FALLBACK = "landscape"


@cache
def drawing_of(slug: str) -> str:
    """The name of the drawing. Remembered: drawings come with a release, not while the site runs."""
    return slug if (settings.BASE_DIR / "static" / "art" / f"{slug}.svg").is_file() else FALLBACK


@register.inclusion_tag("components/species_art.html")
def species_art(species: Species, css_class: str, *, is_first: bool = False) -> dict[str, Any]:
    """An image with its size, so that nothing moves when it arrives; the first on a page is fetched at once."""
    drawing = drawing_of(species.slug)
    return {
        "path": f"art/{drawing}.svg",
        "is_drawn": drawing != FALLBACK,
        "species": species,
        "css_class": css_class,
        "is_first": is_first,
        "width": WIDTH,
        "height": HEIGHT,
    }
