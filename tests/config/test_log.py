"""Each line of the log says to which request or task it belongs, and nothing that an exception quotes."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from config import log
from config.mail import deliver
from config.models import Mail
from tests.makers import make_supporter

handler500 = "config.errors.server_error"


def write_twice(request: HttpRequest) -> HttpResponse:
    """PostgreSQL's error quotes the address."""
    make_supporter(email="amara@example.org")
    with connection.cursor() as cursor:
        columns = "name, email, stripe_customer_id, created_at"
        cursor.execute(f"INSERT INTO adoptions_supporter ({columns}) SELECT {columns} FROM adoptions_supporter")
    return HttpResponse()


urlpatterns = [path("twice/", write_twice, name="twice")]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the handler of production writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(log.Json())
    handler.addFilter(log.WithoutSecrets())
    logging.root.addHandler(handler)
    yield written
    logging.root.removeHandler(handler)


def parsed(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


@pytest.mark.threat("O5")
@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
def test_error_page_names_the_line_of_the_log_and_the_line_names_nobody(lines: io.StringIO) -> None:
    answer = Client(raise_request_exception=False).get("/twice/")
    [line] = parsed(lines)
    number = answer.headers["X-Request-ID"]
    assert (answer.status_code, line["status"], line["level"], line["view"]) == (500, 500, "ERROR", "twice")
    assert line["request"] == number
    assert f"<code>{number}</code>" in answer.content.decode()
    assert [each["kind"] for each in line["raised"]] == [
        "django.db.utils.IntegrityError",
        "psycopg.errors.UniqueViolation",
    ]
    assert line["raised"][1]["sqlstate"] == "23505"
    assert any(re.fullmatch(r"tests/config/test_log\.py:\d+ write_twice", at) for at in line["raised"][0]["at"])
    assert "amara" not in lines.getvalue().lower()


@pytest.mark.threat("O5")
def test_plain_lines_of_production_quote_nothing_either() -> None:
    record = logging.LogRecord("config", logging.ERROR, "x.py", 1, "No.", (), None)
    try:
        int("Amara")
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    assert "Amara" in log.Plain(with_words=True).format(record)
    told = log.Plain().format(record)
    assert "builtins.ValueError at" in told
    assert "Amara" not in told


@pytest.mark.parametrize(
    ("is_behind_ours", "given", "is_taken"),
    [
        (True, "7f3c2a90-b1aa", True),
        (True, "x\u00e9 forged line", False),
        (True, "short", False),
        (True, "a" * 65, False),
        (False, "7f3c2a90-b1aa", False),
    ],
)
def test_number_from_outside_is_taken_from_our_own_proxy_alone(
    is_behind_ours: bool, given: str, is_taken: bool
) -> None:
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https") if is_behind_ours else None):
        answer = Client(headers={"X-Request-ID": given}).get("/healthz")
    assert (answer.headers["X-Request-ID"] == given) is is_taken
    assert log.request_id() == ""


@pytest.mark.django_db(transaction=True)
def test_lines_of_a_task_bear_its_number(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def say(*_: Any) -> None:
        logging.getLogger("config.mail").warning("Not sent.")

    mail = Mail.objects.create(key="1", kind="x", to="amara@example.org", message_id="<1@x>")
    monkeypatch.setattr("config.mail.send_claimed", say)
    result = deliver.enqueue(mail.pk)
    monkeypatch.setattr("config.management.commands.worker.keep_time", lambda is_working: None)
    call_command("worker", "--batch", "--no-startup-delay", "--no-reload", "--interval=0", verbosity=0)
    logging.getLogger("config").warning("After it.")
    said = [(line["message"], line.get("task")) for line in parsed(lines) if line["logger"].startswith("config")]
    assert said == [("Not sent.", str(result.id)), ("After it.", None)]


def test_library_of_stripe_says_only_what_went_wrong() -> None:
    """It would write each address that it asks into the log, and between the words of our commands."""
    assert logging.getLogger("stripe").getEffectiveLevel() == logging.WARNING
