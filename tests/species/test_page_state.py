"""The threads of a process share what PostgreSQL says of the pages, for a moment, and make each page once."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.shared_mark import mark
from species import page_state
from species.models import Comment, Text
from species.views import caching
from tests.species.makers import make_comment, make_moderator, make_species, make_text

PAGE = "/species/amur-leopard/"
LONG = 60.0  # seconds
IN_TWO_PROCESSES = """
import os, sys
from config import serving  # as gunicorn's first process does
from config.shared_mark import mark
before = mark.read()
if not (child := os.fork()):
    serving.post_fork(None, None)
    from config import shared_mark
    shared_mark.mark.change()
    os._exit(0)
os.waitpid(child, 0)
sys.exit(mark.read() == before)
"""


def is_asked(client: Client) -> bool:
    with CaptureQueriesContext(connection) as queries:
        client.get(PAGE)
    return len(queries) > 0


@pytest.mark.django_db
def test_answer_is_shared_for_a_moment(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_text("There are few.", "habitat")
    monkeypatch.setattr(page_state, "SHARED_FOR", LONG)
    assert is_asked(client)
    assert not is_asked(client)
    Text.objects.update(body="Nobody counted.")  # as with SQL, or from another host
    assert "Nobody counted." not in client.get(PAGE).text
    monkeypatch.setattr("species.page_state.monotonic", lambda: time.monotonic() + LONG)
    assert "Nobody counted." in client.get(PAGE).text


@pytest.mark.django_db
def test_who_writes_through_the_site_sees_it_at_the_next_request(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_state, "SHARED_FOR", LONG)
    make_species()
    make_comment("They are beautiful.")
    assert "They are beautiful." not in client.get(PAGE).text
    Comment.objects.all().approve(by=make_moderator())
    assert not is_asked(client)
    assert client.post("/i18n/nowhere/").status_code in {403, 404}
    assert "They are beautiful." in client.get(PAGE).text


def test_every_process_of_a_host_sees_the_mark() -> None:
    subprocess.run([sys.executable, "-c", IN_TWO_PROCESSES], cwd=settings.BASE_DIR, check=True)


def test_mark_that_changed_while_the_database_was_asked_is_not_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_state, "SHARED_FOR", LONG)
    states = iter([(1, 1), (2, 2)])

    def ask() -> page_state.State:
        state = next(states)
        if state == (1, 1):
            mark.change()  # somebody's write ends after the question and before its answer is kept
        return state

    monkeypatch.setattr(page_state, "ask", ask)
    latest = page_state.Latest()
    assert [latest.state(), latest.state(), latest.state()] == [(1, 1), (2, 2), (2, 2)]


# --- one makes it, the others wait ----------------------------------------------------------------------------------


class Kitchen:
    """Pages that take until the last one has asked for them."""

    def __init__(self, askers: int) -> None:
        self.askers = askers
        self.made = 0
        self.have_come = threading.Semaphore(0)

    def make(self) -> HttpResponse:
        self.made += 1
        for _ in range(self.askers - 1):
            self.have_come.acquire(timeout=2)
        return caching.for_everybody(HttpResponse(f"page {self.made}"))

    def ask_all_at_once(self) -> list[bytes]:
        def ask(number: int) -> bytes:
            self.have_come.release()
            return caching.from_memory("/page/", self.make).content

        with ThreadPoolExecutor(self.askers) as pool:
            return list(pool.map(ask, range(self.askers)))


def test_page_is_made_once_for_all_who_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_state, "ask", lambda: (1, 1))
    monkeypatch.setattr(caching, "ask", lambda: (1, 1))
    kitchen = Kitchen(askers=4)
    assert kitchen.ask_all_at_once() == [b"page 1"] * 4


def test_without_waiting_all_would_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def nobody_waits(address: str) -> Iterator[bool]:
        yield False

    monkeypatch.setattr(page_state, "ask", lambda: (1, 1))
    monkeypatch.setattr(caching, "maker", nobody_waits)
    kitchen = Kitchen(askers=4)
    kitchen.ask_all_at_once()
    assert kitchen.made > 1


def test_who_waited_for_a_page_that_has_changed_since_does_not_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks after an approval must not be handed the page that somebody began to make before it."""
    is_begun, may_end = threading.Event(), threading.Event()
    state = [(1, 1)]
    monkeypatch.setattr(page_state, "ask", lambda: state[0])
    monkeypatch.setattr(caching, "ask", lambda: state[0])

    def slowly() -> HttpResponse:
        is_begun.set()
        may_end.wait(10)
        return caching.for_everybody(HttpResponse("before"))

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(caching.from_memory, "/page/", slowly)
        assert is_begun.wait(10)
        state[0] = (2, 2)
        second = pool.submit(caching.from_memory, "/page/", lambda: caching.for_everybody(HttpResponse("after")))
        may_end.set()
        assert (first.result().content, second.result().content) == (b"before", b"after")
