"""What strangers write, in every column that holds words, on every page of the admin: shown, and nothing more."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, models, transaction
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from adoptions.exchange import exports
from config.spreadsheet import STARTS_A_FORMULA
from tests.desk_world import addresses, make_desk, model_of

pytestmark = pytest.mark.django_db

WORDS = (
    '"><img src=x onerror=sweep()>',
    "<script>sweep()</script>",
    "{{7*7331}}{% widthratio 1337 1 7331 %}",
    "=cmd|' /C sweep'!A0",
    "'\"--></textarea></title></style></svg><sweep onsweep=1>",
    "javascript:sweep()",
    "\u202emoc.live\r\nBcc: sweep@evil.example",
    "🐆",
    "Z" + "\u0301" * 40,
    "W" * 300,
)
WORKED_OUT = ("51317", "9801547")  # what the braces and the tag come to
# Columns of text whose words are ours: a place in the code reads them, and no form writes them.
OURS = {
    "config.mail.kind",
    "config.mailwords.kind",
    "config.mailwords.subject",  # of staff, a template by intent, and checked when it is kept
    "config.mailwords.body",
    "config.auditentry.what",
    "species.text.language",
    "species.revision.kind",
    "adoptions.reportline.report",
    "django_tasks_database.dbtaskresult.task_path",
}
LEAD_ON = {"second_step": 302, "login": 302}  # whoever is signed in
SHUT_IN = {"mail_html"}
SIGNS = ("sweep", "\u202emoc", "🐆", "Z\u0301", "WWWW", "7*7331")
MADE_UP = re.compile(r"hash|digest|token|slug|^key$|^code$")  # read from an address, or reckoned


def columns() -> Iterator[tuple[type[models.Model], Any]]:
    """Of every model of ours that holds words of somebody."""
    for model in apps.get_models():
        if model._meta.app_label not in {"adoptions", "config", "species", "auth"} or model.__name__ == "Permission":
            continue
        for field in model._meta.concrete_fields:
            is_words = isinstance(field, models.CharField | models.TextField) and not field.choices
            is_named = isinstance(field, models.SlugField) or MADE_UP.search(field.name) or field.unique
            if is_words and not is_named and f"{model._meta.label_lower}.{field.name}" not in OURS:
                yield model, field


def write_into(model: type[models.Model], field: Any, number: int) -> None:
    """Past the triggers that keep what is written from being changed. Each column begins with another of the words."""
    turned = WORDS[number % len(WORDS) :] + WORDS[: number % len(WORDS)]
    for row in model._base_manager.exclude(**{field.name: ""}):
        own = str(row.pk)  # for what may be there once
        text = " ".join(turned)[: (field.max_length or 2000) - len(own)] + own
        if isinstance(field, models.EmailField):
            text = f'"{turned[0][:20]}{own}"@evil.example'
        model._base_manager.filter(pk=row.pk).update(**{field.name: text})


@pytest.fixture(scope="module")
def desk(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Client]:
    with django_db_blocker.unblock(), transaction.atomic():
        fiona = User.objects.create_superuser("fiona", "fiona@example.org", "x")
        make_desk(fiona)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for number, (model, field) in enumerate(columns()):
                write_into(model, field, number)
            cursor.execute("SET LOCAL session_replication_role = origin")
        exports.work(until=timedelta(days=10**6))
        client = Client(raise_request_exception=False)
        client.force_login(User.objects.get(pk=fiona.pk))
        yield client
        transaction.set_rollback(True)


class Page(HTMLParser):
    """What a browser would make of a page that came out of the words."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.inside = ""
        self.seen = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.inside = tag if tag in {"script", "style"} and values.get("type") != "application/json" else ""
        self.seen |= any(sign in value for sign in SIGNS for value in values.values())
        leads = {values.get(name, "").strip().lower() for name in ("href", "src", "action", "formaction")}
        if tag == "sweep" or "x" in leads or any(address.startswith("javascript:") for address in leads):
            self.wrong.append(f"<{tag} {values}>")
        if any(name.startswith("on") for name in values) or "sweep" in values.get("style", ""):
            self.wrong.append(f"<{tag} {values}>")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        self.seen |= any(sign in data for sign in SIGNS)
        if self.inside and "sweep" in data:
            self.wrong.append(f"{self.inside}: {data[:80]}")


def faults(answer: Any) -> tuple[list[str], bool]:
    """Of an answer, and whether the words are on it at all."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    body = b"".join(answer) if answer.streaming else answer.content
    if kind not in {"text/html", "text/csv", "image/svg+xml"}:
        return [], b"sweep" in body
    text = body.decode()
    wrong = [f"worked out {each}" for each in WORKED_OUT if each in text]
    if kind == "text/csv":
        cells = [cell for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) for cell in row]
        wrong += [c[:60] for c in cells if c.startswith(STARTS_A_FORMULA) and not re.fullmatch(r"-?\d+(\.\d+)?", c)]
        return wrong, any(sign in text for sign in SIGNS)
    page = Page()
    page.feed(text)
    return wrong + page.wrong, page.seen


@pytest.mark.threat("C1", "P3")
def test_words_are_shown_on_every_page_and_are_nothing_more(desk: Client) -> None:
    wrong, shown = [], set()
    for name, address in addresses():
        answer = desk.get(address)
        is_for_post = answer.status_code == 405 and answer.headers["Allow"].startswith("POST")
        if answer.status_code != LEAD_ON.get(name, 200) and not is_for_post:
            wrong.append(f"{address} answered {answer.status_code}")
        found, is_seen = faults(answer)
        wrong += [f"{address} {fault}" for fault in found] if name not in SHUT_IN else []
        shown |= {model_of(address[1:])} if is_seen else set()
    assert wrong == []
    # Else they were put where no page shows them, and this would look at nothing.
    assert {model for model, _ in columns() if model in admin.site._registry} - shown == set()


@pytest.mark.threat("P3", "C2")
def test_letter_as_it_was_sent_may_do_nothing_at_all(desk: Client) -> None:
    """The one page that shows HTML as it is."""
    letters = [desk.get(address) for name, address in addresses() if name in SHUT_IN]
    assert [letter.headers["Content-Security-Policy"] for letter in letters] == [
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    ]


@pytest.mark.threat("P3")
def test_every_list_is_searched_for_anything(desk: Client) -> None:
    wrong = []
    for name, address in addresses():
        if name.endswith("_changelist") or name == "find_supporter":
            for words, status in (("a\x00b", 400), (" ".join(WORDS), 200)):  # no column takes a NUL
                answer = desk.get(f"{address}?q={quote(words)}", follow=True)
                found = faults(answer)[0] if answer.status_code == status else [str(answer.status_code)]
                wrong += [f"{address} {words[:4]!r} {fault}" for fault in found]
    assert wrong == []
