"""Whole answers of public pages, handed out at the door: in front of Django, where a request is still a dictionary.

    application = at_the_door(get_wsgi_application())      # config/wsgi.py

Whether an answer still holds is asked here as it is behind the door (species/page_state.py). An answer is remembered
as it left the outermost middleware, under the host, the scheme and the address it was asked by; whatever is not a plain
question for a page that lies here goes on to Django.

An answer is packed once for everybody, with Brotli or gzip, as the browser asks: a server in front that packs each one
itself takes ten times as long for it as we do for the page. Nothing secret stands in a page that all get, so its length
tells nobody anything (what BREACH needs).
"""

import gzip
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from time import monotonic
from typing import Any

import brotli  # type: ignore[import-untyped]  # the package ships no types
from django.db import Error, connection
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.autoreload import file_changed
from django.utils.http import parse_etags

from config import metrics
from config.shared_mark import mark
from species.campaign_codes import codes
from species.page_state import latest

from .caching import FOR_ALL, KeptResponse, Memory, Page, memory, recognised

type Environ = dict[str, Any]
type Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# Rare, and Django's to understand.
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
NOT_PLAIN = ("HTTP_RANGE", "HTTP_IF_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE")
# SCRIPT_NAME too: gunicorn takes it from a header that some servers in front let through, and links begin with it.
DEPENDS_ON = ("wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO")
NO_CODES = frozenset[str]()
OF_THE_BODY = {"Content-Type", "Content-Length", "Content-Language", "Content-Encoding"}

# The best first. Of Brotli's eleven steps the fifth: nearly as small as the last, in a hundredth of the time.
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda content: brotli.compress(content, quality=5),
    "gzip": lambda content: gzip.compress(content, 6, mtime=0),
}
OFFERED = re.compile(r"\b(br|gzip)\b(?:\s*;\s*q=([01](?:\.\d{0,3})?))?")  # RFC 9110, 12.5.3
PACKS_WELL = re.compile(r"text/|application/(\w+\+)?(json|xml)|image/svg")
OF_A_PACKED = re.compile(r'-(?:br|gzip)(?=")')  # in an ETag: of the same page, in another form

answers = Memory()


@receiver(file_changed)
def forget_all(**kwargs: Any) -> None:
    """For a developer, who has just edited a template and looks at the page: of files the database knows nothing."""
    memory.clear()
    answers.clear()
    latest.forget()
    codes.forget()


def at_the_door(application: Application) -> Application:
    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = monotonic()
        known = environ["HTTP_IF_NONE_MATCH"] = OF_A_PACKED.sub("", environ.get("HTTP_IF_NONE_MATCH", ""))
        if not known:
            del environ["HTTP_IF_NONE_MATCH"]
        page = lies_ready(environ)
        if page is None:
            return application(environ, start_response)
        headers, content, status = list(page.headers), page.content, 200
        if known and is_known(known, dict(headers)["ETag"]):
            headers, content, status = [one for one in headers if one[0] not in OF_THE_BODY], b"", 304
        start_response("200 OK" if status == 200 else "304 Not Modified", headers)
        metrics.count(page.view, environ["REQUEST_METHOD"], status, seconds=monotonic() - began)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]

    return answer


def lies_ready(environ: Environ) -> Page | None:
    """The answer to this question, if it is here and still holds."""
    asked = environ.get("QUERY_STRING", "")
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or any(name in environ for name in NOT_PLAIN):
        return None
    place = place_of(environ)
    if recognised(asked, NO_CODES) is None or (place not in answers and f"{place}?{asked}" not in answers):
        return None
    try:
        if connection.close_at is not None and monotonic() >= connection.close_at:
            connection.close()  # Django does so at the beginning of a request, which this is not yet
        state = latest.state()
        query = asked and recognised(asked, codes.at(state))
        page = answers.find(f"{place}?{query}" if query else place, state)
    except Error:
        connection.close()
        return None
    return page and packed(page, environ.get("HTTP_ACCEPT_ENCODING", ""))


def packed(page: Page, accepted: str) -> Page:
    """As the browser would like it best; as it is, if it takes nothing else or there is nothing to gain."""
    offered = [coding for coding, weight in OFFERED.findall(accepted) if not weight or float(weight)]
    coding = next((coding for coding in CODINGS if coding in offered), None)
    headers = dict(page.headers)
    if coding is None or not PACKS_WELL.match(headers["Content-Type"]):
        return page
    if coding not in page.packed:
        content = CODINGS[coding](page.content)
        headers |= {"Content-Encoding": coding, "Content-Length": str(len(content))}
        headers["ETag"] = f'{headers["ETag"].removesuffix('"')}-{coding}"'
        page.packed[coding] = replace(page, content=content, headers=tuple(headers.items()))
    return page.packed[coding]


def place_of(environ: Environ) -> str:
    """All that an answer may depend on, but for the query. Nothing of the visitor is: see `caching.public_page`."""
    return "\n".join([environ.get(name, "") for name in DEPENDS_ON])


def address_of(environ: Environ) -> str:
    query = environ.get("QUERY_STRING", "")
    return place_of(environ) + (f"?{query}" if query else "")


def is_known(asked: str, etag: str) -> bool:
    tags = parse_etags(asked)
    return tags == ["*"] or OF_A_PACKED.sub("", etag) in {tag.removeprefix("W/") for tag in tags}


def remember_answers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The outermost middleware: what passes here is what the visitor gets."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method not in SAFE_METHODS:
            mark.change()
        is_for_all = (
            "public" in response.headers.get("Cache-Control", "") and response.headers.get("Vary", "") == FOR_ALL
        )
        if isinstance(response, KeptResponse) and is_for_all and request.method == "GET" and not response.cookies:
            kept, headers = response.page, tuple(response.headers.items())
            whole = Page(response.content, headers, kept.state, kept.until, metrics.view_of(request))
            answers.keep(address_of(request.META), whole)
        return response

    return middleware
