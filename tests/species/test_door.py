"""What is handed out in front of Django is what Django would hand out, to the last header, or Django is asked."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # the package ships no types
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import DatabaseError, close_old_connections, connection, connections
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import set_script_prefix
from django.utils.autoreload import file_changed
from django.utils.http import http_date

from adoptions.models import Campaign
from config import metrics
from species import page_state
from species.models import Text
from species.views import door
from tests.makers import make_campaign
from tests.our_content import put_our_content

pytestmark = pytest.mark.django_db
PAGE = "/species/amur-leopard/"
PAGES = (PAGE, "/", "/threats/", "/ru/species/amur-leopard/", f"{PAGE}?c=autumn-26", "/api/species/amur-leopard.json")


class Site:
    """Behind the door stands a Django that counts who came through."""

    def __init__(self) -> None:
        self.django = WSGIHandler()
        self.came = 0
        self.application = door.at_the_door(self.inside)

    def inside(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.came += 1
        return self.django(environ, start_response)

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[str, dict[str, str], bytes]:
        environ = RequestFactory().generic(method, path, headers={"host": "testserver", **headers}).environ
        said: list[Any] = []
        body = self.application(environ, lambda status, headers, *more: said.extend((status, headers)))
        content = b"".join(body)
        getattr(body, "close", lambda: None)()
        return said[0], dict(said[1]), content

    def is_at_the_door(self, path: str, method: str = "GET", **headers: str) -> bool:
        before = self.came
        self.ask(path, method, **headers)
        return self.came == before


@pytest.fixture
def site() -> Iterator[Site]:
    """Its connection is the test's, whose transaction a request must not end."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    connections["default"].close_at = None  # nor its age
    put_our_content()
    make_campaign("autumn-26", landing_text="Welcome, readers.")
    yield Site()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("path", PAGES)
def test_second_answer_is_the_first_to_the_last_header(site: Site, path: str) -> None:
    first = site.ask(path)
    assert first[0] == "200 OK"
    with CaptureQueriesContext(connection) as queries:
        assert site.ask(path) == first
    assert (site.came, len(queries)) == (1, 1)
    assert "Content-Security-Policy" in first[1]


def test_who_has_the_page_is_told_that_it_still_holds_as_django_tells_it(site: Site) -> None:
    etag = site.ask(PAGE)[1]["ETag"]
    known = site.ask(PAGE, **{"if-none-match": f'"other", W/{etag}'})
    assert (known[0], known[2], site.came) == ("304 Not Modified", b"", 1)
    door.answers.clear()
    of_django = site.ask(PAGE, **{"if-none-match": etag})
    assert site.came == 2
    del of_django[1]["Content-Length"]  # of nothing: RFC 9110, 15.4.5 asks for none
    assert (of_django[0], of_django[1]) == (known[0], known[1])
    site.ask(PAGE)
    assert site.ask(PAGE, **{"if-none-match": '"other"'})[0] == "200 OK"
    assert site.ask(PAGE, **{"if-none-match": "*"})[0] == "304 Not Modified"


def test_head_is_answered_without_a_body(site: Site) -> None:
    page = site.ask(PAGE)
    assert site.ask(PAGE, "HEAD") == (*page[:2], b"")
    assert site.came == 1


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0", "gzip"),
        ("br;q=0.000, gzip;q=0", None),
        ("gzip", "gzip"),
        ("br; q=0.5", "br"),
        ("identity", None),
        ("", None),
        ("brr, xgzip", None),
        ("gzip;q=1.2.3.4", "gzip"),
    ],
)
def test_page_is_packed_as_the_browser_asks(site: Site, accepted: str, coding: str | None) -> None:
    status, as_it_is, content = site.ask(PAGE)
    asked = {"accept-encoding": accepted}
    packed = site.ask(PAGE, **asked)
    assert (packed[0], packed[1].get("Content-Encoding"), site.came) == (status, coding, 1)
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert unpack(packed[2]) == content
    assert packed[1]["Content-Length"] == str(len(packed[2]))
    assert packed[1]["Vary"] == as_it_is["Vary"] == "Accept-Encoding"
    same = {"Content-Encoding", "Content-Length", "ETag"}
    assert {k: v for k, v in packed[1].items() if k not in same} == {k: v for k, v in as_it_is.items() if k not in same}
    # The three forms have each a mark of their own, and whoever has one of them has the page.
    assert (packed[1]["ETag"] == as_it_is["ETag"]) == (coding is None)
    for etag in (as_it_is["ETag"], packed[1]["ETag"], f"W/{packed[1]['ETag']}"):
        known = site.ask(PAGE, **asked, **{"if-none-match": etag})
        assert (known[0], known[2], known[1]["ETag"]) == ("304 Not Modified", b"", packed[1]["ETag"])
    assert site.came == 1
    door.answers.clear()
    assert site.ask(PAGE, **{"if-none-match": packed[1]["ETag"]})[0] == "304 Not Modified"
    assert site.came == 2


def test_page_is_packed_once_and_a_picture_never(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"accept-encoding": "br"}
    for path in (PAGE, f"{PAGE}share.png", "/api/species/amur-leopard.json"):
        site.ask(path)
        answer = site.ask(path, **asked)
        assert answer[1].get("Content-Encoding") == (None if path.endswith(".png") else "br"), path

    def again(content: bytes) -> bytes:
        raise AssertionError

    monkeypatch.setitem(door.CODINGS, "br", again)
    assert site.ask(PAGE, **asked)[1]["Content-Encoding"] == "br"


def test_changed_page_is_asked_of_django_at_once(site: Site) -> None:
    site.ask(PAGE)
    Text.objects.update(body="Nobody counted.")
    assert b"Nobody counted." in site.ask(PAGE)[2]
    assert site.came == 2


def test_words_of_a_campaign_are_handed_out_as_they_are_now(site: Site) -> None:
    address = f"{PAGE}?c=autumn-26"
    site.ask(address)
    assert b"Welcome, readers." in site.ask(address)[2]
    Campaign.objects.update(landing_text="Welcome, skaters.")
    assert b"Welcome, skaters." in site.ask(address)[2]
    assert site.came == 2


@pytest.mark.threat("P1")
def test_code_that_is_nobodys_is_answered_at_the_door_with_the_page_without_one(site: Site) -> None:
    page = site.ask(f"{PAGE}?c=made-up")
    assert b"made-up" not in page[2]
    for number in range(300):
        assert site.ask(f"{PAGE}?c=made-up-{number}") == page
    assert site.ask(PAGE) == page
    assert (site.came, len(door.answers._pages), len(door.answers._of_campaigns)) == (1, 1, 0)
    make_campaign("made-up-7", landing_text="Now it is one.")
    assert b"Now it is one." in site.ask(f"{PAGE}?c=made-up-7")[2]


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        (PAGE, "POST", {}),
        (PAGE, "OPTIONS", {}),
        (f"{PAGE}?page=2", "GET", {}),
        (f"{PAGE}?c=autumn-26", "GET", {}),
        (f"{PAGE}?c=autumn-26&over=1", "GET", {}),
        (f"{PAGE}?c=made-up&c=autumn-26", "GET", {}),
        ("/species/snow-leopard/", "GET", {}),
        (PAGE, "GET", {"host": "evil.example"}),
        (PAGE, "GET", {"x-forwarded-proto": "https"}),
        (PAGE, "GET", {"range": "bytes=0-9"}),
        (PAGE, "GET", {"if-modified-since": http_date(0)}),
    ],
)
def test_everything_else_goes_through(site: Site, path: str, method: str, headers: dict[str, str]) -> None:
    site.ask(PAGE)
    assert not site.is_at_the_door(path, method, **headers)


@pytest.mark.threat("P1")
def test_nothing_for_one_person_is_remembered(site: Site) -> None:
    for path in ("/adopt/amur-leopard/", "/my-adoption/", "/admin/login/", "/healthz", "/species/nobody/"):
        site.ask(path)
        assert not site.is_at_the_door(path), path
    assert site.ask(PAGE, cookie="sessionid=whoever")[1].get("Set-Cookie") is None


@pytest.mark.threat("X1")
def test_django_is_asked_while_the_database_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.ask(PAGE)

    def away() -> None:
        raise DatabaseError("away")

    closed: list[bool] = []
    monkeypatch.setattr(page_state, "ask", away)
    monkeypatch.setattr(connection, "close", lambda: closed.append(True))
    assert not site.is_at_the_door(PAGE)
    assert closed == [True]


def test_connection_that_is_old_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.ask(PAGE)
    closed: list[bool] = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(True))
    monkeypatch.setattr(connections["default"], "close_at", 0.0)
    assert site.is_at_the_door(PAGE)
    assert closed == [True]


def test_answers_are_counted_under_their_view(site: Site) -> None:
    site.ask(PAGE)
    counted = metrics.requests.labels("species:detail", "GET", 200)
    before = counted._value.get()
    site.ask(PAGE)
    assert counted._value.get() == before + 1


def test_page_is_made_anew_when_a_developer_has_edited_a_file(site: Site) -> None:
    site.ask(PAGE)
    file_changed.send(sender=None, file_path=Path("templates/base.html"), kind=".html")
    assert not site.is_at_the_door(PAGE)


def test_links_of_a_stranger_prefix_are_shown_to_nobody_else(site: Site) -> None:
    """The header SCRIPT_NAME, which gunicorn reads, is at the beginning of every link on the page."""
    environ = RequestFactory().get(PAGE, headers={"host": "testserver"}, SCRIPT_NAME="/evil").environ
    told: list[Any] = []
    body = site.application(environ, lambda *said: told.append(said))
    assert b'href="/evil/' in b"".join(body)
    getattr(body, "close", lambda: None)()
    assert b"/evil/" not in site.ask(PAGE)[2]
    set_script_prefix("/")
