"""What browsers block on our pages is counted by the page's name; of people and of secret addresses nothing stays."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import management
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from config.models import BlockedLoad
from config.policy_reports import MOST_BYTES, NO_PAGE, Blocked, read
from tests.adoptions.test_adopting import at_once

SECRET = "s3cret-t0ken-of-a-link-in-a-mail"
HERE = "http://testserver/species/amur-leopard/?c=winter26&email=amara@example.org"


def old_shape(**changes: str) -> dict[str, Any]:
    return {
        "csp-report": {
            "document-uri": HERE,
            "referrer": f"http://testserver/my-adoption/{SECRET}/",
            "violated-directive": "script-src-elem",
            "effective-directive": "script-src-elem",
            "original-policy": "default-src 'none'",
            "blocked-uri": f"https://planted.example/steal.js?{SECRET}",
            "status-code": 200,
            **changes,
        }
    }


def new_shape(**changes: str) -> list[dict[str, Any]]:
    body = {"documentURL": HERE, "effectiveDirective": "img-src", "blockedURL": "inline", "sample": SECRET, **changes}
    return [{"type": "csp-violation", "age": 10, "url": HERE, "user_agent": "Netscape", "body": body}]


def post(client: Client, sent: Any, **headers: str) -> int:
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    return client.post("/csp-reports/", body, content_type="application/csp-report", headers=headers).status_code


def rows() -> list[tuple[str, str, str, int]]:
    return list(BlockedLoad.objects.order_by("pk").values_list("rule", "source", "page", "times"))


@pytest.mark.django_db
def test_both_shapes_are_counted_and_say_what_staff_must_know(client: Client) -> None:
    for sent in (old_shape(), old_shape(), new_shape(), [*new_shape(), *new_shape()]):
        assert post(client, sent) == 204
    assert rows() == [
        ("script-src", "https://planted.example", "species:detail", 2),
        ("img-src", "inline", "species:detail", 3),
    ]


@pytest.mark.django_db
def test_address_of_a_page_is_not_kept_for_it_may_be_a_secret(client: Client) -> None:
    post(client, old_shape(**{"document-uri": f"http://testserver/my-adoption/{'A' * 43}/"}))
    assert rows()[0][2] == "adoptions:use_link"
    kept = str(list(BlockedLoad.objects.values()))
    assert not any(secret in kept for secret in (SECRET, "AAAA", "amara", "winter26", "127.0.0.1"))


@pytest.mark.parametrize(
    "changes",
    [
        {"blocked-uri": "chrome-extension://abcdef/run.js"},
        {"source-file": "moz-extension://abcdef/run.js"},
        {"document-uri": "https://elsewhere.example/"},
        {"document-uri": "about:blank"},
        {"effective-directive": "no-such-rule", "violated-directive": ""},
        {"effective-directive": "report-uri"},
        {"blocked-uri": "https://[broken"},
        {"blocked-uri": "https://planted.example:99999999/"},
        {"blocked-uri": "javascript:alert(1)"},
        {"blocked-uri": ""},
    ],
    ids=repr,
)
def test_what_is_none_of_our_business_is_not_counted(changes: dict[str, str]) -> None:
    assert list(read(json.dumps(old_shape(**changes)).encode(), host="testserver")) == []


def test_page_that_is_not_there_is_counted_as_such() -> None:
    sent = json.dumps(old_shape(**{"document-uri": "http://testserver/%00/nowhere", "blocked-uri": "data:text/x,1"}))
    assert list(read(sent.encode(), host="testserver")) == [Blocked("script-src", "data", NO_PAGE)]


WORDS = st.text(max_size=20)
PLAIN = st.none() | st.booleans() | st.integers() | WORDS
ANYTHING = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(WORDS, PLAIN, max_size=3)
NAMES = st.sampled_from(["document-uri", "documentURL", "blocked-uri", "blockedURL", "effective-directive"])


@given(
    ANYTHING
    | st.fixed_dictionaries({"csp-report": st.dictionaries(NAMES, ANYTHING, max_size=3)})
    | WORDS.map(lambda words: old_shape(**{"blocked-uri": f"https://{words}", "document-uri": f"{HERE}{words}"}))
)
def test_whatever_is_sent_nothing_breaks_and_nothing_long_comes_of_it(sent: Any) -> None:
    for blocked in read(json.dumps(sent).encode(), host="testserver"):
        assert max(len(blocked.rule), len(blocked.page), len(blocked.source)) <= 100
        assert blocked.source.isascii()


@pytest.mark.django_db
@pytest.mark.parametrize("sent", [b"", b"{", b"\xff\xfe", b"[" * 5000, b"null", b'"a"', b"[1]", b'{"csp-report": 1}'])
def test_nonsense_is_answered_and_not_kept(client: Client, sent: bytes) -> None:
    assert (post(client, sent), rows()) == (204, [])


@pytest.mark.django_db
def test_flood_is_refused(client: Client) -> None:
    assert post(client, b" " * (MOST_BYTES + 1)) == 413
    answers = [post(client, old_shape()) for _ in range(61)]
    assert answers == [204] * 60 + [429]
    assert client.get("/csp-reports/").status_code == 405


@pytest.mark.django_db
def test_made_up_sites_do_not_fill_the_table(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(BlockedLoad.objects.all()), "MOST_A_DAY", 3)
    for number in range(6):
        post(client, old_shape(**{"blocked-uri": f"https://{number}.example/"}))
    assert rows()[3:] == [("script-src", "others", "", 3)]


@pytest.mark.django_db(transaction=True)
def test_reports_at_once_are_all_counted() -> None:
    first: list[bool] = []
    at_once(8, lambda: first.append(BlockedLoad.objects.note(rule="img-src", source="inline", page="home")))
    assert (rows(), sum(first)) == ([("img-src", "inline", "home", 8)], 1)


@pytest.mark.django_db
def test_every_page_says_where_to_report_and_old_reports_go(client: Client) -> None:
    for page in ("/about/", "/nowhere/", "/admin/login/"):
        assert "report-uri /csp-reports/" in client.get(page).headers["Content-Security-Policy"]
    post(client, old_shape())
    BlockedLoad.objects.update(last_at=timezone.now() - timedelta(days=91))
    management.call_command("purge")
    assert rows() == []
