"""The parts of the demonstration that need no process: which it takes, which ports, and what the banner says."""

import http.server
import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from config.local import demo
from config.local.supervisor import CannotRunError, Child, Console, Supervisor

from .checkouts import free_port


def names(children: list[Child]) -> list[str]:
    return [child.name for child in children]


def test_cast_fills_in_what_the_environment_lacks(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.delenv("EMAIL_URL", raising=False)
    settings.IS_STRIPE_STANDIN = True
    assert sorted(names(demo.cast())) == ["mailbox", "site", "stand-in", "worker"]
    monkeypatch.setenv("EMAIL_URL", "smtp://mail.example.org")
    settings.IS_STRIPE_STANDIN = False
    assert sorted(names(demo.cast())) == ["site", "worker"]


def test_banner_says_what_was_not_started(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp://mail.example.org")
    settings.IS_STRIPE_STANDIN = False
    settings.SITE_URL = "http://127.0.0.1:8000"
    lines = [line.strip() for line in demo.banner(None).splitlines()]
    assert "Site:             http://127.0.0.1:8000/" in lines
    assert "Mailbox:          not started: EMAIL_URL is set" in lines
    assert "Stripe stand-in:  not started: STRIPE_SECRET_KEY is set" in lines
    assert "Password:         the one you chose (lost it? .venv/bin/python manage.py changepassword staff)" in lines


def test_free_port_is_no_reason_to_refuse() -> None:
    demo.refuse_taken_ports([Child("site", "runserver", ports=[free_port()])])


def test_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CannotRunError, match=r"^Port 65560 for the mailbox does not exist\. "):
        demo.refuse_taken_ports([Child("mailbox", "mailbox", ports=[65560])])


class Answer(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def answering(settings: Settings) -> Iterator[None]:
    """A site that says what the test wants it to say."""
    with http.server.ThreadingHTTPServer((demo.HOST, 0), Answer) as server:
        settings.PORT = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_site_answers_once_it_is_healthy(answering: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert demo.is_site_answering() is True
    monkeypatch.setattr(Answer, "status", 500)
    assert demo.is_site_answering() is False


def test_site_that_is_not_there_does_not_answer(settings: Settings) -> None:
    with socket.socket() as reserved:
        reserved.bind((demo.HOST, 0))
        settings.PORT = reserved.getsockname()[1]
        assert demo.is_listening(settings.PORT) is False
        assert demo.is_site_answering() is False


def test_site_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo, "ANSWERS_WITHIN", 0.0)
    monkeypatch.setattr(demo, "is_site_answering", lambda: False)
    with Supervisor([], lock=tmp_path / "lock", console=Console(io.StringIO())) as supervisor:
        supervisor.start()
        with pytest.raises(CannotRunError, match="The site did not answer within 0 s"):
            demo.wait_for_site(supervisor, [])
