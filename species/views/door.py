"""Whole answers of public pages, handed out at the door: in front of Django, where a request is still a dictionary.

    application = at_the_door(get_wsgi_application())      # config/wsgi.py

What Django does for a page that lies ready takes three times as long as asking PostgreSQL whether it still holds
(species/views/caching.py), which is done here too, for every answer. An answer is remembered as it left the outermost
middleware, under the host, the scheme and the address it was asked by; whatever is not a plain question for a page
that lies here goes on to Django.
"""

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from django.db import Error, connection
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.autoreload import file_changed
from django.utils.http import parse_etags

from config import metrics

from .caching import OF_A_CAMPAIGN, KeptResponse, Memory, Page, memory, state_of_pages

type Environ = dict[str, Any]
type Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# Rare, and Django's to understand.
NOT_PLAIN = ("HTTP_RANGE", "HTTP_IF_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE")
# SCRIPT_NAME too: gunicorn takes it from a header that some servers in front let through, and links begin with it.
DEPENDS_ON = ("wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO")
OF_THE_BODY = {"Content-Type", "Content-Length", "Content-Language"}

answers = Memory()


@receiver(file_changed)
def forget_all(**kwargs: Any) -> None:
    """For a developer, who has just edited a template and looks at the page: of files the database knows nothing."""
    memory.clear()
    answers.clear()


def at_the_door(application: Application) -> Application:
    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = monotonic()
        page = lies_ready(environ)
        if page is None:
            return application(environ, start_response)
        headers, content, status = list(page.headers), page.content, 200
        if is_known(environ.get("HTTP_IF_NONE_MATCH", ""), dict(headers)["ETag"]):
            headers, content, status = [one for one in headers if one[0] not in OF_THE_BODY], b"", 304
        start_response("200 OK" if status == 200 else "304 Not Modified", headers)
        metrics.count(page.view, environ["REQUEST_METHOD"], status, seconds=monotonic() - began)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]

    return answer


def lies_ready(environ: Environ) -> Page | None:
    """The answer to this question, if it is here and still holds."""
    query = environ.get("QUERY_STRING", "")
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or any(name in environ for name in NOT_PLAIN):
        return None
    if query and not OF_A_CAMPAIGN.fullmatch(query):
        return None
    address = address_of(environ)
    if address not in answers:
        return None
    try:
        if connection.close_at is not None and monotonic() >= connection.close_at:
            connection.close()  # Django does so at the beginning of a request, which this is not yet
        return answers.find(address, state_of_pages())
    except Error:
        connection.close()
        return None


def address_of(environ: Environ) -> str:
    """All that an answer may depend on. Nothing of the visitor is: see `caching.public_page`."""
    asked = [environ.get(name, "") for name in DEPENDS_ON]
    query = environ.get("QUERY_STRING", "")
    return "\n".join(asked) + (f"?{query}" if query else "")


def is_known(asked: str, etag: str) -> bool:
    tags = parse_etags(asked) if asked else []
    return tags == ["*"] or etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in tags}


def remember_answers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The outermost middleware: what passes here is what the visitor gets."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_for_all = "public" in response.headers.get("Cache-Control", "") and "Vary" not in response.headers
        if isinstance(response, KeptResponse) and is_for_all and request.method == "GET" and not response.cookies:
            kept, headers = response.page, tuple(response.headers.items())
            whole = Page(response.content, headers, kept.state, kept.until, metrics.view_of(request))
            answers.keep(address_of(request.META), whole)
        return response

    return middleware
