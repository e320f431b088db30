import hashlib
import re
from html.parser import HTMLParser

import pytest
import time_machine
from django.test import Client

from species.forms import PER_ADDRESS
from species.models import Comment
from species.weighing import form_stamp
from tests.species.makers import make_approved_comment, make_comment, make_moderator, make_species

pytestmark = pytest.mark.django_db

ADDRESS = "/species/amur-leopard/comments/"
WORDS = {"name": "Sam", "email": "sam@example.org", "comment": "What do the cubs eat?"}
with time_machine.travel("2026-11-01T09:00Z"):
    # Whatever the clock of a test says, this form was loaded long before: a page left open for weeks.
    REPLY = {**WORDS, "loaded": form_stamp()}


@pytest.fixture(autouse=True)
def leopard() -> None:
    make_species()


class Fields(HTMLParser):
    """What a form's controls hold, as a browser would read it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.area: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "input" and known.get("name"):
            self.values[str(known["name"])] = known.get("value") or ""
        if tag == "textarea":
            self.area = str(known["name"])
            self.values[self.area] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = None

    def handle_data(self, data: str) -> None:
        if self.area:
            self.values[self.area] += data


@pytest.mark.threat("C3")
def test_reply_waits_for_a_moderator(client: Client) -> None:
    response = client.post(ADDRESS, REPLY)
    assert (response.status_code, response["Location"]) == (303, "/species/amur-leopard/comments/waiting/")
    comment = Comment.objects.get()
    assert (comment.name, comment.email, comment.body, comment.status, comment.held_because) == (
        "Sam",
        "sam@example.org",
        "What do the cubs eat?",
        "pending",
        "",
    )
    waiting = client.get(response["Location"])
    assert waiting.status_code == 200
    assert "sam" not in waiting.text.lower()


@pytest.mark.threat("C3")
def test_waiting_reply_is_shown_nowhere(client: Client) -> None:
    client.post(ADDRESS, REPLY)
    client.post(ADDRESS, REPLY | {"comment": "And how do they sleep?", "parent": make_approved_comment("Hello").pk})
    for address in (
        "/",
        "/species/amur-leopard/",
        "/feeds/comments/amur-leopard.xml",
        "/api/species/amur-leopard.json",
        "/search/?q=cubs",
        "/species/amur-leopard/comments/waiting/",
    ):
        text = client.get(address).text
        assert "What do the cubs eat?" not in text
        assert "how do they sleep" not in text


@pytest.mark.threat("C7")
def test_approved_reply_is_shown_without_the_address(client: Client) -> None:
    client.post(ADDRESS, REPLY)
    Comment.objects.all().approve(by=make_moderator())
    # As a picture service would be given it: a digest of an address is soon undone.
    digests = [hashlib.new(kind, b"sam@example.org").hexdigest() for kind in ("md5", "sha1", "sha256")]
    permalink = Comment.objects.get().get_absolute_url()
    for address in ("/species/amur-leopard/", "/feeds/comments/amur-leopard.xml", permalink):
        text = client.get(address).text
        assert "What do the cubs eat?" in text
        assert not [secret for secret in ("sam@example.org", *digests) if secret in text]


def test_errors_give_back_everything_that_was_typed(client: Client) -> None:
    response = client.post(ADDRESS, REPLY | {"email": "sam@", "comment": "Why?\n\n<b>Why</b> & how"})
    assert response.status_code == 422
    assert "There is a problem" in response.text
    assert "Enter an email address in the form name@example.org." in response.text
    typed = Fields(response.text).values
    assert (typed["name"], typed["email"]) == ("Sam", "sam@")
    assert typed["comment"].strip() == "Why?\n\n<b>Why</b> & how"
    assert not Comment.objects.exists()


@pytest.mark.threat("C2")
@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Enter your name. A first name is enough."),
        ("name", "\u200b\u200b", "Enter your name. A first name is enough."),
        ("name", "x" * 81, "Ensure this value has at most 80 characters (it has 81)."),
        ("email", "", "Enter your email address."),
        ("comment", "", "Write your comment."),
        ("comment", "x" * 5001, "Ensure this value has at most 5000 characters (it has 5001)."),
        ("parent", "999", "The comment you answer is no longer shown."),
        ("parent", "none", "The comment you answer is no longer shown."),
        ("parent", "9" * 30, "The comment you answer is no longer shown."),
    ],
)
def test_each_fault_has_its_sentence(client: Client, field: str, value: str, sentence: str) -> None:
    response = client.post(ADDRESS, REPLY | {field: value})
    assert response.status_code == 422
    assert sentence in response.text
    assert not Comment.objects.exists()


@pytest.mark.threat("C8")
@pytest.mark.parametrize("name", ["A", "Ng", "O'Brien", "李", "محمد", "Null", "Ørjan Åse", "शर्मा", "Мария", "Zoë 🐆"])
def test_real_names_are_taken_as_they_are(client: Client, name: str) -> None:
    assert client.post(ADDRESS, REPLY | {"name": name}).status_code == 303
    assert Comment.objects.get().name == name


@pytest.mark.threat("C6")
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Nul\x00l", "Null"),
        ("\u202eevil", "evil"),
        ("Grüße 🐆🐅", "Grüße 🐆🐅"),
        ("雪豹很美", "雪豹很美"),
        ("نمر جميل", "نمر جميل"),
        ("One\r\n\r\n\r\n\r\nTwo", "One\n\nTwo"),
        ("Z" + "\u0301" * 50, "Ź" + "\u0301" * 8),
    ],
)
def test_any_script_is_taken_and_what_misleads_is_not(client: Client, typed: str, kept: str) -> None:
    response = client.post(ADDRESS, REPLY | {"comment": typed})
    assert response.status_code in (303, 422)
    bodies = list(Comment.objects.values_list("body", flat=True))
    assert bodies == ([kept] if response.status_code == 303 else [])


@pytest.mark.threat("P4")
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
def test_ten_megabytes_are_refused(client: Client, content_type: str) -> None:
    body = b"name=Sam&comment=" + b"x" * 10_000_000
    if content_type.startswith("multipart"):
        head = b'--b\r\nContent-Disposition: form-data; name="comment"\r\n\r\n'
        body = head + b"x" * 10_000_000 + b"\r\n--b--\r\n"
    response = client.post(ADDRESS, body, content_type=content_type)
    assert response.status_code in (400, 413)
    assert not Comment.objects.exists()


@pytest.mark.threat("P3")
def test_odd_charset_is_refused_without_a_crash(client: Client) -> None:
    response = client.post(ADDRESS, b"name=S", content_type="application/x-www-form-urlencoded; charset=iso-8859-1")
    assert response.status_code == 400


@pytest.mark.threat("C1", "C5")
def test_markup_stays_text(client: Client) -> None:
    nasty = "<script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) https://spam.example"
    client.post(ADDRESS, REPLY | {"name": "<i>Sam</i>", "comment": nasty})
    Comment.objects.all().reopen(by=make_moderator())  # so much of it that the rules took it for spam
    Comment.objects.all().approve(by=make_moderator())
    page = client.get("/species/amur-leopard/").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<i>Sam" not in page
    assert not re.search(r"<script>alert|<img src=x", page)
    assert 'href="https://spam.example' not in page


@pytest.mark.threat("C4")
def test_filled_trap_holds_the_reply(client: Client) -> None:
    assert client.post(ADDRESS, REPLY | {"homepage": "https://spam.example"}).status_code == 303
    assert Comment.objects.get().held_because == "The field that people cannot see was filled in."


def test_double_click_is_one_reply(client: Client) -> None:
    assert [client.post(ADDRESS, REPLY).status_code for _ in range(3)] == [303, 303, 303]
    assert Comment.objects.count() == 1


@pytest.mark.threat("C4")
def test_flood_is_told_to_wait_and_keeps_its_words(client: Client) -> None:
    replies = [client.post(ADDRESS, REPLY | {"comment": f"Reply {number}"}) for number in range(PER_ADDRESS.times + 3)]
    assert [reply.status_code for reply in replies] == [303] * PER_ADDRESS.times + [429] * 3
    assert "Please send it again in ten minutes." in replies[-1].text
    assert Fields(replies[-1].text).values["comment"].strip() == f"Reply {PER_ADDRESS.times + 2}"
    assert Comment.objects.count() == PER_ADDRESS.times


@pytest.mark.threat("L9")
def test_other_sites_cannot_post(client: Client) -> None:
    forged = [
        client.post(ADDRESS, REPLY, headers={"Origin": "https://evil.example"}),
        client.post(ADDRESS, REPLY, headers={"Origin": "null"}),
        client.post(ADDRESS, REPLY, headers={"Sec-Fetch-Site": "cross-site"}),
    ]
    assert [response.status_code for response in forged] == [403, 403, 403]
    assert not Comment.objects.exists()


def test_browser_needs_no_token_and_gets_no_cookie(browser_client: Client) -> None:
    page = browser_client.get("/species/amur-leopard/")
    response = browser_client.post(
        ADDRESS, REPLY, headers={"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    )
    assert response.status_code == 303
    assert "csrfmiddlewaretoken" not in page.text
    assert not browser_client.cookies


def test_reply_can_answer_a_shown_comment(client: Client) -> None:
    shown = make_approved_comment("Hello")
    page = client.get(f"/species/amur-leopard/?reply_to={shown.pk}")
    assert Fields(page.text).values["parent"] == str(shown.pk)
    client.post(ADDRESS, REPLY | {"parent": shown.pk})
    assert Comment.objects.get(name="Sam", body=REPLY["comment"]).parent == shown


def test_reply_cannot_answer_what_is_not_shown(client: Client) -> None:
    hidden = make_comment("Waiting")
    elsewhere = make_approved_comment("Roar", species=make_species("amur-tiger"))
    answer = make_approved_comment("Answer", parent=make_approved_comment("Hello"))
    for comment in (hidden, elsewhere, answer):
        assert client.post(ADDRESS, REPLY | {"parent": comment.pk}).status_code == 422


@pytest.mark.parametrize("query", ["reply_to=x", "reply_to=-1", "before=1e3", "before=" + "9" * 40, "before=١٢"])
def test_odd_numbers_in_the_address_are_ignored(client: Client, query: str) -> None:
    assert client.get(f"/species/amur-leopard/?{query}").status_code == 200


def test_address_of_the_form_only_takes_posts(client: Client) -> None:
    assert client.get(ADDRESS).status_code == 405


def test_reply_to_an_unknown_species_is_not_found(client: Client) -> None:
    assert client.post("/species/dodo/comments/", REPLY).status_code == 404
    make_species("dodo", is_published=False)
    assert client.post("/species/dodo/comments/", REPLY).status_code == 404
