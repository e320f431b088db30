"""Error pages: plain, static, and never reading the request.

Django's own handler for a bad request reads `request.POST` again to look for a CSRF token; when reading it was
the fault, the second reading raises outside of every handler and the visitor gets the server's bare 500.
"""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from . import log


def error_page(status: int, *, template: str | None = None) -> HttpResponse:
    """The page for a status, the same for everyone; where the fault is ours, with the number to quote."""
    number = log.request_id() if status >= 500 else ""
    return HttpResponse(render_to_string(template or f"{status}.html", {"request_id": number}), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(404)


def server_error(request: HttpRequest) -> HttpResponse:
    return error_page(500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(403, template="csrf_failure.html")
