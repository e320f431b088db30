"""The pages in the footer: words, no data."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from . import retention

CONTEXT: dict[str, Callable[[], dict[str, Any]]] = {"privacy": lambda: {"policy": retention.policy()}}
PAGES = ("about", "privacy", "cookies", "accessibility", "contact")


@require_safe
def page(request: HttpRequest, *, name: str) -> HttpResponse:
    """One of the footer pages."""
    return render(request, f"pages/{name}.html", CONTEXT.get(name, dict)())
