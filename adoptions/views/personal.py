"""What every page made for one person has in common."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse


def personal[**P](
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Keep a page out of caches and search engines, and its address out of the Referer of whatever is followed from it.

    Not `no-referrer`: under it browsers send `Origin: null` with the page's own forms, and no forged post could be
    told from a true one. `strict-origin` names the site and nothing behind it.
    """

    @wraps(view)
    def kept(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        response.headers["Referrer-Policy"] = "strict-origin"
        response.headers.setdefault("X-Robots-Tag", "noindex")
        return response

    return kept


def see_other(name: str, *args: object, fragment: str = "") -> HttpResponse:
    """Lead to a page of ours after a POST: 303, so that reloading it posts nothing again."""
    response = HttpResponseRedirect(reverse(name, args=args) + (f"#{fragment}" if fragment else ""))
    response.status_code = 303
    return response
