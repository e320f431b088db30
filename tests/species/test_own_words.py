"""What somebody has written here: found by a link to their mailbox, copied, made nameless or erased by them alone."""

import json
import re
from urllib.parse import urlsplit

import pytest
from django.test import Client

from config.models import Mail
from species import comment_links
from species.models import Comment
from tests.species.makers import make_approved_comment, make_comment, make_species

pytestmark = pytest.mark.django_db

SAM = "sam@example.org"


def own(comment: Comment) -> str:
    return urlsplit(comment_links.own_view(comment)).path


@pytest.fixture
def lena() -> Comment:
    return make_approved_comment("Mine stays.", name="Lena", email="lena@example.org")


@pytest.fixture
def sam(lena: Comment) -> Comment:
    make_approved_comment("The first.", name="Sam Stranger")
    return make_comment("The second.", name="Sam Stranger", email="Sam@Example.org")


@pytest.mark.threat("L3")
@pytest.mark.parametrize("address", [SAM, "SAM@example.ORG", "nobody@example.org"])
def test_link_is_sent_to_those_who_wrote_and_the_answer_tells_nobody(
    client: Client, sam: Comment, address: str
) -> None:
    assert client.get("/my-comments/").status_code == 200
    response = client.post("/my-comments/", {"email": address})
    assert (response.status_code, response.headers["Location"]) == (302, "/my-comments/sent/")
    assert "If anything here was written with that address" in client.get("/my-comments/sent/").text
    mails = [(mail.kind, mail.to.lower()) for mail in Mail.objects.all()]
    assert mails == ([("comment_link", SAM)] if "nobody" not in address else [])
    if mails:
        [path] = re.findall(r"/my-comment/\S+", Mail.objects.get().text)
        assert "The second." in client.get(path).text
    assert not client.cookies


@pytest.mark.threat("L4")
def test_nobodys_mailbox_is_filled_through_us(client: Client, sam: Comment) -> None:
    answers = [client.post("/my-comments/", {"email": SAM}).status_code for _ in range(5)]
    assert (answers, Mail.objects.count()) == ([302] * 5, 3)
    assert client.post("/my-comments/", {"email": "no address"}).status_code == 422
    others = [client.post("/my-comments/", {"email": f"{n}@example.org"}).status_code for n in range(6)]
    assert others[-1] == 429


def test_copy_holds_all_of_theirs_and_nothing_of_others(client: Client, sam: Comment) -> None:
    assert f"{own(sam)}all.json" in client.get(own(sam)).text
    response = client.get(f"{own(sam)}all.json")
    assert response.headers["Cache-Control"] == "private, no-store"
    found = json.loads(response.content)["comments"]
    assert [each["body"] for each in found] == ["The first.", "The second."]
    assert "lena@example.org" not in response.text


@pytest.mark.parametrize(("act", "words"), [("name", True), ("words", False)])
def test_name_or_everything_is_erased_by_a_press_and_by_nothing_else(
    client: Client, sam: Comment, lena: Comment, act: str, words: bool
) -> None:
    address = f"{own(sam)}erase/"
    assert "all 2 comments" in client.get(address).text
    client.post(address, {"act": "something"})
    assert Comment.objects.by_address(SAM).count() == 2
    page = client.post(address, {"act": act})
    assert "2 comments" in page.text
    assert Comment.objects.by_address(SAM).count() == 0
    shown = client.get("/species/amur-leopard/").text
    assert ("The first." in shown, "Stranger" in shown, "Mine stays." in shown) == (words, False, True)
    lena.refresh_from_db()
    assert lena.email == "lena@example.org"
    assert client.get(own(sam)).status_code == 404
    assert client.get(address).status_code == 404


def test_page_of_another_site_cannot_press(client: Client, sam: Comment) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert client.post(f"{own(sam)}erase/", {"act": "words"}, headers=elsewhere).status_code == 403
    assert client.get("/my-comment/wrong/erase/").status_code == 404
    assert client.get("/my-comment/wrong/all.json").status_code == 404
    assert Comment.objects.by_address(SAM).count() == 2


def test_asking_page_belongs_to_the_site(client: Client) -> None:
    make_species()
    assert 'href="/my-comments/"' in client.get("/privacy/").text
