"""Error pages: plain, static, and never parsing the request.

Django's own handler for a bad request reads `request.POST` again to look for a CSRF token; when reading it was
the fault, the second reading raises outside of every handler and the visitor gets the server's bare 500.
"""

import errno
import sys

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from . import log, typed_again
from .campaign_links import code_of

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def error_page(status: int, *, template: str | None = None, code: str = "") -> HttpResponse:
    """The page for a status, the same for everyone; where the fault is ours, with the number to quote.

    Its links carry a campaign's code on, so that a link survives it.
    """
    number = log.request_id() if status >= 500 else ""
    context = {"request_id": number, "campaign_query": carried(code)}
    return HttpResponse(render_to_string(template or f"{status}.html", context), status=status)


def carried(code: str) -> str:
    return f"?c={code}" if code else ""


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Of the desk it is said to colleagues alone: whoever is not one of them is asked to sign in."""
    return error_page(403, template="admin/not_open.html" if request.path.startswith("/admin/") else None)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """On the desk a colleague is led back to it. Whoever is not signed in reads no more of it than of any address."""
    is_colleague = request.path.startswith("/admin/") and getattr(getattr(request, "user", None), "is_staff", False)
    return error_page(404, template="admin/not_found.html" if is_colleague else None, code=code_of(request))


def server_error(request: HttpRequest) -> HttpResponse:
    """Our fault; 503 if only for now, for want of the database or of room on a disk, with what was sent kept on it."""
    error = sys.exc_info()[1]
    if not is_for_now(error):
        return error_page(500, code=code_of(request))
    carries = carried(code_of(request))
    context = {"request_id": log.request_id(), "typed": typed_again.kept(request), "campaign_query": carries}
    headers = {"Retry-After": "120", "Cache-Control": "private, no-store"}
    return HttpResponse(render_to_string("503.html", context), status=503, headers=headers)


def is_for_now(error: BaseException | None) -> bool:
    """Does it, or what is behind it, go away by itself or when an operator makes room?"""
    if isinstance(error, OperationalError) or (isinstance(error, OSError) and error.errno in NO_ROOM):
        return True
    return error is not None and is_for_now(error.__cause__ or error.__context__)
