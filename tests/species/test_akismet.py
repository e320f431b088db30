"""Akismet gives a second opinion if it is asked to, hears as little as it needs, and decides nothing alone."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from config import checks
from species import akismet, moderation, receiving
from species.models import Comment
from tests.answering import Elsewhere, Silent, serving
from tests.species.makers import make_comment, make_moderator, make_species

pytestmark = pytest.mark.django_db

PRIVATE = "I am Ellie, 8, write to me at ellie@example.org please"


class Fake(Elsewhere):
    """Akismet in this process: answers as it is told to, and remembers what it was told."""

    answer = "false"
    is_silent = False

    def __init__(self) -> None:
        super().__init__(Told)
        self.asked: list[tuple[str, dict[str, str]]] = []


class Told(Silent, BaseHTTPRequestHandler):
    server: Fake

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.path.rpartition("/")[2], {k: v[0] for k, v in parse_qs(body).items()}))
        if self.server.is_silent:
            self.server.may_end.wait(10)
            return
        words = self.server.answer.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)


@pytest.fixture(scope="module")
def server() -> Iterator[Fake]:
    with serving(Fake()) as server:
        yield server


@pytest.fixture
def fake(server: Fake, settings: Settings) -> Fake:
    settings.AKISMET_KEY, settings.AKISMET_URL = "a-key", f"http://127.0.0.1:{server.server_port}/1.1/"
    server.answer, server.is_silent = "false", False
    server.asked.clear()
    return server


def send(body: str = "What do they eat in winter?", **values: Any) -> Comment:
    comment = Comment(species=make_species(), name="Sam Stranger", email="sam@example.org", body=body, **values)
    comment.network = "203.0.113.0/24"
    assert receiving.receive(comment, raw=body, trap=False, stamp="")
    return comment


def queued() -> list[str]:
    paths = DBTaskResult.objects.filter(task_path__endswith="akismet").order_by("enqueued_at")
    return [path.rpartition(".")[2] for path in paths.values_list("task_path", flat=True)]


def test_nothing_is_sent_unless_it_is_switched_on(fake: Fake, settings: Settings, client: Client) -> None:
    settings.AKISMET_KEY = ""
    comment = send()
    akismet.ask(comment.pk)
    moderation.mark_spam([comment.pk], by=make_moderator())
    akismet.teach(comment.pk)
    assert (queued(), fake.asked) == ([], [])
    assert "Akismet" not in client.get("/privacy/").text


def test_it_hears_what_readers_would_see_and_no_address(fake: Fake, client: Client) -> None:
    comment = send(PRIVATE)
    assert queued() == ["ask_akismet"]
    akismet.ask(comment.pk)
    [(act, told)] = fake.asked
    assert act == "comment-check"
    assert (told["api_key"], told["user_ip"], told["comment_author"]) == ("a-key", "203.0.113.0", "Sam")
    assert told["permalink"].endswith("/species/amur-leopard/")
    for secret in ("example.org", "Stranger", "ellie@"):
        assert secret not in str(told)
    assert "Akismet" in client.get("/privacy/").text


def test_its_no_leaves_a_comment_as_it_is_and_it_is_asked_once(fake: Fake) -> None:
    comment = send()
    before = Comment.objects.values_list("held_because", "suspicion").get()
    for _ in range(2):
        akismet.ask(comment.pk)
    assert Comment.objects.values_list("held_because", "suspicion").get() == before
    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [("What do they eat in winter?", "pending"), ("Buy now! Viagra at the lowest price", "spam")],
    ids=["alone it holds", "with a rule it marks"],
)
def test_its_yes_holds_or_marks_and_never_deletes(fake: Fake, body: str, status: str) -> None:
    fake.answer = "true"
    comment = make_comment(body=body, suspicion=40 if status == "spam" else 0)
    akismet.ask(comment.pk)
    comment.refresh_from_db()
    assert (comment.status, comment.akismet_answer) == (status, "spam")
    assert akismet.SENTENCE in comment.held_because
    assert comment.body == body


def test_what_was_decided_meanwhile_stands(fake: Fake) -> None:
    fake.answer = "true"
    comment = make_comment()
    moderation.approve([comment.pk], by=make_moderator())
    akismet.ask(comment.pk)
    comment.refresh_from_db()
    assert (comment.status, fake.asked) == ("approved", [])


def test_changed_words_are_judged_anew(fake: Fake) -> None:
    fake.answer = "true"
    comment = send()
    akismet.ask(comment.pk)
    assert receiving.change(comment, body="And in summer?", raw="And in summer?")
    assert Comment.objects.get().akismet_answer == ""
    assert queued() == ["ask_akismet"] * 2
    fake.answer = "false"
    akismet.ask(comment.pk)
    comment.refresh_from_db()
    assert (comment.akismet_answer, akismet.SENTENCE in comment.held_because) == ("real", False)


def test_it_learns_where_moderators_decide_otherwise(fake: Fake) -> None:
    marek = make_moderator()
    fake.answer = "true"
    comment = send()
    akismet.ask(comment.pk)
    for decide, taught in ((moderation.approve, "submit-ham"), (moderation.mark_spam, "submit-spam")):
        decide([comment.pk], by=marek)
        assert queued()[-1] == "teach_akismet"
        for _ in range(2):
            akismet.teach(comment.pk)
        assert fake.asked[-1][0] == taught
        moderation.reopen([comment.pk], by=marek)
    assert len(fake.asked) == 3
    moderation.mark_spam([comment.pk], by=marek)  # as it knows by now
    assert queued().count("teach_akismet") == 2


def test_it_is_away_for_a_while(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is tried again; the comment waits for a moderator like any other."""
    monkeypatch.setattr(akismet, "SECONDS", 0.05)
    fake.is_silent = True
    comment = send()
    with pytest.raises(OSError, match="timed out"):
        akismet.ask(comment.pk)
    assert Comment.objects.pending().filter(akismet_answer="").exists()


def test_wrong_key_is_logged_and_not_tried_again(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    fake.answer = "invalid"
    comment = send()
    akismet.ask(comment.pk)
    assert "did not judge" in caplog.text
    assert Comment.objects.get().status == "pending"


@pytest.mark.parametrize(("address", "found"), [("https://a.example/", 0), ("http://a.example/", 1), ("ftp://x/", 1)])
def test_words_of_readers_travel_in_private(settings: Settings, address: str, found: int) -> None:
    settings.AKISMET_URL = address
    assert len(checks.akismet_is_asked_in_private()) == found
