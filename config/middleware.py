"""What every request passes on its way in and every response on its way out."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase

from . import errors

GetResponse = Callable[[HttpRequest], HttpResponseBase]

PERMISSIONS_POLICY = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"


def own_error_pages(get_response: GetResponse) -> GetResponse:
    """Show our 404 also in development: Django's lists every URL and hides what a visitor would see."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if (
            settings.DEBUG
            and response.status_code == 404
            and b"<code>DEBUG = True</code>" in getattr(response, "content", b"")
        ):
            return errors.page_not_found(request)
        return response

    return middleware


def security_headers(get_response: GetResponse) -> GetResponse:
    """The headers Django has no setting for, and `private` for whatever was made for one person."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if settings.PRACTICE:
            response.headers["X-Robots-Tag"] = "noindex"
        if response.cookies:
            response.headers["Cache-Control"] = "private, no-store"
        return response

    return middleware


def refuse_unusable_requests(get_response: GetResponse) -> GetResponse:
    """Turn requests that PostgreSQL or the form parser cannot take into a clear page instead of a 500.

    NUL cannot be stored in PostgreSQL text, so a path or query holding one is refused before any view asks the
    database. The body is read here, once, so that one that is too large becomes a 413 whatever the view.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if (
            "\0" in request.path
            or "%00" in request.META.get("QUERY_STRING", "")
            or "\0" in request.META.get("QUERY_STRING", "")
        ):
            return errors.error_page(400)
        if request.method == "POST" and not (request.content_type or "").startswith("multipart/"):
            try:
                _ = request.body
            except RequestDataTooBig:
                return errors.error_page(413)
        return get_response(request)

    return middleware
