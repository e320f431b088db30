"""What is drawn once for each thing it can say, and then remembered: after an approved comment a page is made anew, and
only that comment is new in it.

    {% section "story" %}   {% comment_html comment species is_open=is_open %}

Both are drawn from what is named here alone, without the request, so nothing of a visitor can be remembered.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.dispatch import receiver
from django.template import Context
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.autoreload import file_changed
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from species.conversation import Shown
from species.models import Species
from species.page import SpeciesPage, forget_content

register = template.Library()


@register.simple_tag(takes_context=True)
def section(context: Context, name: str) -> SafeString:
    """A section of a species page that is made of its content alone: it is remembered with that content."""
    page: SpeciesPage = context["page"]
    prefix = get_script_prefix()
    if (name, prefix) in page.drawn:
        return page.drawn[name, prefix]
    html = render_to_string(f"species/sections/{name}.html", {"page": page.alone})
    if is_our_own(prefix):
        page.drawn[name, prefix] = html
    return html


def is_our_own(prefix: str) -> bool:
    """Whether links begin as they do for everybody. A server in front may let a visitor say how they begin."""
    return prefix.rstrip("/") == (settings.FORCE_SCRIPT_NAME or "").rstrip("/")


@register.simple_tag
def comment_html(comment: Shown, species: Species, *, is_open: bool) -> SafeString:
    return one_comment(replace(comment, replies=()), species.get_absolute_url(), is_open, get_language())


@lru_cache(maxsize=1024)  # a comment as it is shown is a value, and so is where its links lead
def one_comment(comment: Shown, page: str, is_open: bool, _speaking: str | None) -> SafeString:
    return render_to_string("components/comment.html", {"comment": comment, "page": page, "is_open": is_open})


@receiver(file_changed)
def forget(**_: Any) -> None:
    """A developer has edited a file, maybe one of these templates."""
    one_comment.cache_clear()
    forget_content()
