"""Protection against forged posts for forms on pages that every visitor shares.

A page that a cache may hand to anybody cannot carry a token made for one visitor, and a page that promises
"no cookie" cannot set one. Those forms do nothing a stranger could not do by posting directly (they act for
nobody: no session is read), so what is left to prevent is another site making a visitor's browser post. The
browser itself tells: `Sec-Fetch-Site` cannot be set by a page, and `Origin` is sent with every cross-site POST.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt

from . import typed_again


def is_same_origin(request: HttpRequest) -> bool:
    """Did this request come from a page of ours (or from something that is no browser at all)?"""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None and fetch_site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    ours = {urlsplit(settings.SITE_URL).netloc, request.get_host()}
    return urlsplit(origin).netloc in ours


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What was typed is given back beside a new token only where the browser itself says that the form was ours.

    Then it is no forgery, but a page open for long, or a cookie that was thrown away meanwhile. Of anything else no
    word is shown: beside a button of ours it would become what the visitor themselves had sent.
    """
    says = {"Sec-Fetch-Site", "Origin"} & set(request.headers)
    typed = typed_again.read(request) if says and is_same_origin(request) else None
    context = {"typed": typed, "csrf_token": get_token(request)} if typed and typed.words else {}
    headers = {"Cache-Control": "private, no-store"} if context else {}
    return HttpResponse(render_to_string("csrf_failure.html", context), status=403, headers=headers)


def same_origin_only[**P](
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let a public, session-less form in without a CSRF token, if the browser says that it is ours."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not is_same_origin(request):
            return csrf_failure(request)
        return view(request, *args, **kwargs)

    return csrf_exempt(guarded)
