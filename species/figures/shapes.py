"""The long outlines of the figures, in one small file beside the page: coat, map, animal and person.

A page draws them with `<use>`, so the style sheet colours them as if they stood in it: in the dark, on paper and in
forced colours. The words, numbers and every mark that follows a fact stay in the page, which can be read without them.
"""

import hashlib
from functools import lru_cache

from django.template.loader import render_to_string
from django.urls import reverse

from .coat import grown
from .then_and_now import maps


@lru_cache(maxsize=32)
def shapes_svg(slug: str) -> str:
    """Outlines alone, each a path with an id: they come with a release and rest on no fact."""
    found = maps(slug)
    views = found[:2] if found else ()
    return render_to_string("species/figures/shapes.svg", {"coat": grown(slug), "views": views})


@lru_cache(maxsize=32)
def shapes_address(slug: str) -> str:
    """Where the file is; other outlines have another address, so browsers may keep each for ever."""
    digest = hashlib.sha256(shapes_svg(slug).encode()).hexdigest()
    return f"{reverse('species:shapes', args=[slug])}?{digest[:8]}"
