"""How public pages are kept: by browsers, by a cache in front of us, and in the memory of each process.

None of them is made for one visitor: no cookie, no token. Their forms need none, because a post counts by where the
browser says it comes from (config/same_origin.py), and because what is posted is looked at by a person.

In memory a page is kept for as long as nothing has changed that pages show (species/page_state.py): an approved comment
is there at the next request, a rejected one is gone, in every process. A cache in front of us may be behind by half a
minute, and serve what it has for as long again while it asks.

With a campaign's code in its address a page is kept as a page of its own; with a code that is nobody's it is the page
without one (species/campaign_codes.py).
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from threading import Lock
from time import monotonic
from typing import Concatenate, cast

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.cache import (
    get_conditional_response,
    patch_cache_control,
    patch_vary_headers,
    set_response_etag,
)
from django.utils.translation import get_language

from config.campaign_links import CAMPAIGN_CODE, carry_on, code_of
from species.campaign_codes import codes
from species.page_state import NO_STATE, State, ask, latest

MOST_PAGES = 200
FOR_ALL = "Accept-Encoding"  # all that a kept page may vary on: it is packed at the door
# What depends on the clock alone (a field note whose day has come, comments that close) is seen this much later.
KEPT_FOR = 30  # seconds
# While one thread makes a page, the others that are asked for it wait: after a change, all would make the same one.
MAKERS = tuple(Lock() for _ in range(64))  # by address; two addresses that share one wait for each other
# As our own links carry it: on the evening of a mail, nearly every page is asked for with the code of that mail.
OF_A_CAMPAIGN = re.compile(f"c=({CAMPAIGN_CODE.pattern})(?:&over=1)?")
type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


@dataclass(frozen=True, slots=True)
class Page:
    content: bytes
    headers: tuple[tuple[str, str], ...]
    state: State
    until: float
    view: str = ""  # its name, where whole answers are counted
    packed: dict[str, "Page"] = field(default_factory=dict)  # the same by Content-Encoding, where it was asked for

    def response(self) -> "KeptResponse":
        return KeptResponse(self)


class KeptResponse(HttpResponse):
    def __init__(self, page: Page) -> None:
        super().__init__(page.content, headers=dict(page.headers))
        self.page = page


class Memory:
    """The pages asked for most recently, for all threads of a process."""

    def __init__(self) -> None:
        self._pages: OrderedDict[str, Page] = OrderedDict()
        self._of_campaigns: OrderedDict[str, Page] = OrderedDict()  # apart: made-up codes push out no other page
        self._lock = Lock()
        self._latest: State = NO_STATE  # that any thread has heard of

    def find(self, address: str, state: State) -> Page | None:
        """The page as it is now; None if it must be made anew."""
        with self._lock:
            self._latest = max(self._latest, state, key=lambda heard: (heard[1] or 0, heard[0]))
        page = self._of(address, state)
        return page if page and page.until >= monotonic() else None

    def last(self, address: str) -> Page | None:
        """The page, unless something that pages show has changed since, as far as this process has heard."""
        return self._of(address, self._latest)

    def _of(self, address: str, state: State) -> Page | None:
        pages = self._shelf(address)
        with self._lock:
            page = pages.get(address)
            if page is None or page.state != state:
                return None
            pages.move_to_end(address)
            return page

    def keep(self, address: str, page: Page) -> None:
        pages = self._shelf(address)
        with self._lock:
            pages[address] = page
            pages.move_to_end(address)
            if len(pages) > MOST_PAGES:
                pages.popitem(last=False)

    def __contains__(self, address: str) -> bool:
        return address in self._shelf(address)

    def _shelf(self, address: str) -> OrderedDict[str, Page]:
        return self._of_campaigns if "?" in address else self._pages

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self._of_campaigns.clear()
            self._latest = NO_STATE


memory = Memory()


@contextmanager
def maker(address: str) -> Iterator[bool]:
    """The only thread of this process that makes this page now. Tells whether another one made it first."""
    lock = MAKERS[hash(address) % len(MAKERS)]
    has_waited = not lock.acquire(blocking=False)
    if has_waited:
        lock.acquire()
    try:
        yield has_waited
    finally:
        lock.release()


def for_everybody(response: HttpResponse) -> HttpResponse:
    """A page that was found, with what a browser and a cache in front of us need to keep it."""
    if response.status_code == 200:
        patch_cache_control(response, public=True, max_age=0, s_maxage=30, stale_while_revalidate=30)
        patch_vary_headers(response, [FOR_ALL])
        set_response_etag(response)
    return response


def from_memory(address: str, make: Callable[[], HttpResponse]) -> HttpResponse:
    """The page that lies here, if it still holds; otherwise the one that is made now, once for all who wait for it."""
    try:
        state = latest.state()
        if kept := memory.find(address, state):
            return kept.response()
        with maker(address) as has_waited:
            if has_waited:
                state = ask()
                if kept := memory.find(address, state):
                    return kept.response()
            response = make()
            if response.status_code != 200 or response.cookies or response["Vary"] != FOR_ALL:
                return response
            made = Page(response.content, tuple(response.headers.items()), state, monotonic() + KEPT_FOR)
            memory.keep(address, made)
            return made.response()
    except OperationalError:  # the database is away: what still held when it went is better than nothing
        if kept := memory.last(address):
            return kept.response()
        raise


def recognised(query: str, known: frozenset[str]) -> str | None:
    """What of it makes another page: a campaign's code, or nothing. None if it is anything else: too many to keep."""
    if not query:
        return ""
    asked = OF_A_CAMPAIGN.fullmatch(query)
    return asked and (query if asked[1] in known else "")


def without_unknown_code(request: HttpRequest) -> str | None:
    """See `recognised`. Whoever comes by a code that is nobody's has asked for the page as it is, from here on out."""
    query = request.META.get("QUERY_STRING", "")
    kept = recognised(query, known_now() if OF_A_CAMPAIGN.fullmatch(query) else frozenset())
    if query and kept == "":
        request.META["QUERY_STRING"] = ""
        request.GET = QueryDict()
    return kept


def known_now() -> frozenset[str]:
    try:
        return codes.at(latest.state())
    except OperationalError:
        return codes.last()


def public_page[**P](view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """The same for everybody. With anything but a campaign's code after the “?” it is made anew: too many to keep."""

    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        def make() -> HttpResponse:
            return for_everybody(carry_on(view(request, *args, **kwargs), code_of(request)))

        query = without_unknown_code(request)
        if query is None:
            response = make()
        else:
            response = from_memory(f"{get_language()} {request.path}{query and '?'}{query}", make)
        if response.status_code != 200:
            return response
        return cast("HttpResponseBase", get_conditional_response(request, response.headers["ETag"], response=response))

    return page
