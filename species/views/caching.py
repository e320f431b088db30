"""How public pages are kept: by browsers, by a cache in front of us, and in the memory of each process.

None of them is made for one visitor: no cookie, no token. Their forms need none, because a post counts by where the
browser says it comes from (config/same_origin.py), and because what is posted is looked at by a person.

In memory a page is kept for as long as nothing has changed that pages show, which PostgreSQL tells with one short
query: an approved comment is there at the next request, a rejected one is gone, in every process. A cache in front of
us may be behind by half a minute, and serve what it has for as long again while it asks.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from time import monotonic
from typing import Concatenate, cast

from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control, set_response_etag
from django.utils.translation import get_language

from config.context_processors import CAMPAIGN_CODE
from species.models import PageChange

MOST_PAGES = 200
# What depends on the clock alone (a field note whose day has come, comments that close) is seen this much later.
KEPT_FOR = 30  # seconds

type State = tuple[int, int | None]
NO_STATE: State = (0, None)
STATE = f"SELECT count(*), max(id) FROM {PageChange._meta.db_table}"  # noqa: S608  our own name
# As our own links carry it: on the evening of a mail, nearly every page is asked for with the code of that mail.
OF_A_CAMPAIGN = re.compile(f"c={CAMPAIGN_CODE.pattern}")
type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


@dataclass(frozen=True, slots=True)
class Page:
    content: bytes
    headers: tuple[tuple[str, str], ...]
    state: State
    until: float
    view: str = ""  # its name, where whole answers are counted

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


def state_of_pages() -> State:
    """Of the database as this query sees it. To be asked before a page is made: it may then be newer than it says.

    In SQL, because it is asked for every page: putting the query together took four times as long as its answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        number, newest = cursor.fetchone() or NO_STATE
    return number, newest


def for_everybody(response: HttpResponse) -> HttpResponse:
    """A page that was found, with what a browser and a cache in front of us need to keep it."""
    if response.status_code == 200:
        patch_cache_control(response, public=True, max_age=0, s_maxage=30, stale_while_revalidate=30)
        set_response_etag(response)
    return response


def public_page[**P](view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """The same for everybody. With anything but a campaign's code after the “?” it is made anew: too many to keep."""

    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        query = request.META.get("QUERY_STRING", "")
        if query and not OF_A_CAMPAIGN.fullmatch(query):
            response = for_everybody(view(request, *args, **kwargs))
        else:
            address = f"{get_language()} {request.path}{query and '?'}{query}"
            try:
                state = state_of_pages()
                kept = memory.find(address, state)
            except OperationalError:  # the database is away: what still held when it went is better than nothing
                state, kept = NO_STATE, memory.last(address)
                if kept is None:
                    raise
            response = kept.response() if kept else for_everybody(view(request, *args, **kwargs))
            if kept is None and response.status_code == 200 and not response.cookies:
                headers = tuple(response.headers.items())
                kept = Page(response.content, headers, state, monotonic() + KEPT_FOR)
                memory.keep(address, kept)
                response = kept.response()
        if response.status_code != 200:
            return response
        return cast("HttpResponseBase", get_conditional_response(request, response.headers["ETag"], response=response))

    return page
