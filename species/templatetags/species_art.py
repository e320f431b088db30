"""The drawing of a species in a page."""

from typing import Any

from django import template

from species.art import FALLBACK, drawing_of
from species.models import Species

register = template.Library()

WIDTH, HEIGHT = 1600, 820


@register.inclusion_tag("components/species_art.html")
def species_art(species: Species, css_class: str, *, is_first: bool = False, name: str = "") -> dict[str, Any]:
    """An image with its size, so that nothing moves when it arrives; the first on a page is fetched at once.

    `name`: of the animal in another language.
    """
    drawing = drawing_of(species.slug)
    return {
        "path": f"art/{drawing}.svg",
        "is_drawn": drawing != FALLBACK,
        "name": name or species.heading,
        "css_class": css_class,
        "is_first": is_first,
        "width": WIDTH,
        "height": HEIGHT,
    }
