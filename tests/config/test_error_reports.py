"""What Sentry is told: what went wrong and where in the code, and nothing about anybody."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from sentry_sdk.transport import Transport

from config import error_reports

handler500 = "config.errors.server_error"
SECRETS = ("amara", "192.0.2.7", "sk_live", "p4ssword", "secret-cookie")


def fall(request: HttpRequest, who: str) -> HttpResponse:
    email, key = "amara@example.org", "sk_live_1"  # noqa: F841  variables of a frame, which must stay there
    logging.getLogger("config").warning("Amara was here before.")
    raise ValueError(f"No such supporter: {request.POST['email']}")


urlpatterns = [path("fall/<str:who>/", fall, name="fall")]


class Kept(Transport):
    """Sends nothing."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.events += [item.payload.json for item in envelope.items]


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    error_reports.start("https://key@sentry.example/1", transport=Kept)
    client = sentry_sdk.get_client()
    assert isinstance(client.transport, Kept)
    yield client.transport.events
    sentry_sdk.get_global_scope().set_client(None)
    client.close()


@pytest.mark.threat("O5")
@override_settings(ROOT_URLCONF=__name__)
def test_error_of_a_page_is_told_without_anybody(told: list[dict[str, Any]]) -> None:
    client = Client(raise_request_exception=False, REMOTE_ADDR="192.0.2.7")
    client.cookies["staff"] = "secret-cookie"
    answer = client.post("/fall/amara/?to=amara@example.org", {"email": "amara@example.org", "password": "p4ssword"})
    [event] = told
    [error] = event["exception"]["values"]
    assert (error["type"], event["logger"]) == ("ValueError", "django.request")
    assert error["stacktrace"]["frames"][-1]["function"] == "fall"
    assert event["tags"] == {"request": answer.headers["X-Request-ID"]}
    assert [secret for secret in SECRETS if secret in json.dumps(event).lower()] == []


@pytest.mark.threat("O5")
def test_line_of_the_log_is_told_without_what_was_filled_in(told: list[dict[str, Any]]) -> None:
    logging.getLogger("config").error("Mail to %s was not sent.", "amara@example.org")
    logging.getLogger("config").warning("Amara.")
    [event] = told
    assert event["logentry"] == {"message": "Mail to %s was not sent."}
    assert "amara" not in json.dumps(event)


def test_command_that_fails_waits_until_its_error_has_left(told: list[dict[str, Any]]) -> None:
    assert sentry_sdk.get_client().get_integration("atexit")
