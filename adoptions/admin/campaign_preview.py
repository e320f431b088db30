"""The page a campaign's link leads to, with its words, as they are typed: in a frame of the link maker.

It is the page itself, asked for as a stranger's browser would ask, with the campaign of the form in place of the kept
one. Nothing is kept, in the database or in the memory of pages; nothing in the frame runs, and nothing can be sent
from it.
"""

from io import BytesIO
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.wsgi import WSGIRequest
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import resolve
from django.utils.csp import CSP

from .. import campaigns
from ..models import Campaign

SHOWN = (
    *("code", "destination", "species", "landing_text", "statement"),
    *("preset_plan", "preset_frequency", "preset_pence", "preset_gift"),
)
NO_CODE_YET = "preview"
CSP_OF_SITE = cast("dict[str, list[str]]", settings.SECURE_CSP)
# Its own origin, for the fonts; without scripts that gives it nothing. That those are refused is no news to anybody.
IN_A_FRAME = {name: allowed for name, allowed in CSP_OF_SITE.items() if name != "report-uri"} | {
    "script-src": [CSP.NONE],
    "connect-src": [CSP.NONE],
    "form-action": [CSP.NONE],
    "sandbox": ["allow-same-origin"],
    "frame-ancestors": [CSP.SELF],
}
WITH_A_FRAME = CSP_OF_SITE | {"frame-src": [CSP.SELF]}
OF_ONE_VISITOR = ("HTTP_COOKIE", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "CSRF_COOKIE")


def page_of(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """As it stands while the campaign runs, whatever the kept one does now."""
    with campaigns.as_if_kept(campaign):
        inner = as_a_stranger(request, f"{campaigns.destination(campaign)}&preview=1")  # so it is not a kept page
        match = resolve(inner.path_info)
        page = match.func(inner, *match.args, **match.kwargs)
    return HttpResponse(page.content, content_type=page["Content-Type"])


def as_typed(form: type[Any], answers: QueryDict, kept: Campaign | None) -> Campaign:
    """What can be understood of a form that is being filled in."""
    typed = modelform_factory(Campaign, form=form, fields=SHOWN)(answers)
    typed.is_valid()
    values = {name: value for name, value in typed.cleaned_data.items() if value is not None}
    code = kept.code if kept else values.get("code") or NO_CODE_YET
    return Campaign(**{**values, "code": code})


def as_it_runs(kept: Campaign) -> Campaign:
    return Campaign(**{name: getattr(kept, name) for name in SHOWN})


def as_a_stranger(request: HttpRequest, address: str) -> WSGIRequest:
    place = urlsplit(address)
    asked = {name: value for name, value in request.META.items() if name not in OF_ONE_VISITOR}
    asked |= {"REQUEST_METHOD": "GET", "PATH_INFO": place.path, "QUERY_STRING": place.query, "wsgi.input": BytesIO()}
    stranger = WSGIRequest(asked)
    stranger.user = AnonymousUser()
    return stranger
