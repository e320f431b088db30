"""Pages behind a link from a mail: for one person, so nothing may keep them, list them or pass their address on."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control

View = Callable[[HttpRequest, str], HttpResponse]


def for_one_person(view: View) -> View:
    """No cache, no search engine, and no address with a secret in it told to any other site."""

    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        patch_cache_control(response, private=True, no_store=True)
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        # Not no-referrer: with that, browsers call the origin of our own forms "null".
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    return guarded


def link_is_over(request: HttpRequest) -> HttpResponse:
    """Wrong, cut short by a mail program, or too old: the same sentence for all."""
    return render(request, "species/comments/link_is_over.html", status=404)
