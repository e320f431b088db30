"""`manage.py stripe_standin` starts where it may, and says in a sentence why where it may not."""

import socket
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from adoptions.stripe_standin.server import StandIn


def start(tmp_path: Path, *, port: int = 0) -> str:
    out = StringIO()
    call_command("stripe_standin", port=port, state=tmp_path / "state.jsonl", stdout=out, skip_checks=True)
    return out.getvalue()


def test_does_not_start_in_production(settings: Settings, tmp_path: Path) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="does not run where DEBUG is off"):
        start(tmp_path)


def test_does_not_start_beside_a_live_key(settings: Settings, tmp_path: Path) -> None:
    settings.DEBUG = True
    settings.STRIPE_LIVEMODE = True
    with pytest.raises(CommandError, match="live Stripe key"):
        start(tmp_path)


def test_says_that_its_port_is_taken(settings: Settings, tmp_path: Path) -> None:
    settings.DEBUG = True
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"cannot use port {port}: Address already in use"):
            start(tmp_path, port=port)


def test_says_where_it_is(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True
    started: list[StandIn] = []

    def serve(server: StandIn) -> None:
        started.append(server)
        raise KeyboardInterrupt

    monkeypatch.setattr(StandIn, "start_work", lambda server: None)
    monkeypatch.setattr(StandIn, "serve_forever", serve)
    said = start(tmp_path)
    assert f"The Stripe stand-in is at {started[0].url}/" in said
    assert said.endswith("The Stripe stand-in has stopped.\n")
    assert started[0].server_address[0] == "127.0.0.1"
    started[0].server_close()
    started[0].books.close()
