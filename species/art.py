"""Which drawing stands for a species: `static/art/<slug>.svg`, or an empty winter landscape until somebody draws it."""

from functools import cache

from django.conf import settings

FALLBACK = "landscape"


@cache
def drawing_of(slug: str) -> str:
    """The name of the drawing. Remembered: drawings come with a release, not while the site runs."""
    return slug if (settings.BASE_DIR / "static" / "art" / f"{slug}.svg").is_file() else FALLBACK
