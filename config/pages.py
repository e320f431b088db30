"""The pages in the footer: words, no data."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from . import retention
from .campaign_links import carry_on, code_of

CONTEXT: dict[str, Callable[[], dict[str, Any]]] = {"privacy": lambda: {"policy": retention.policy()}}
PAGES = ("about", "privacy", "cookies", "accessibility", "contact")


@require_safe
def page(request: HttpRequest, *, name: str) -> HttpResponse:
    """One of the footer pages."""
    response = render(request, f"pages/{name}.html", CONTEXT.get(name, dict)())
    return carry_on(response, code_of(request))
