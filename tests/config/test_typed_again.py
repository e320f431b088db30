"""A session that ended costs nobody what they had typed."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client, RequestFactory
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from config import typed_again
from config.models import MailWords
from tests.config.test_second_step import PASSWORD, STEP, code_of, sign_in
from tests.makers import make_plan, make_species, make_supporter

pytestmark = pytest.mark.django_db

TYPED = {"common_name": "Amur leopard", "lead": 'Two <lines>\nand "quotes" 🐆', "_save": "Save"}


@pytest.fixture(autouse=True)
def marek() -> User:
    return User.objects.create_superuser("marek", "marek@example.org", PASSWORD)


def hidden(page: str) -> dict[str, str]:
    return {unescape(n): unescape(v) for n, v in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)}


def ended_while_typing(address: str, typed: dict[str, str] | None = None) -> tuple[Client, dict[str, str]]:
    """The browser of somebody whose session is over, and what the page they get carries on."""
    client = sign_in()
    Session.objects.all().delete()
    answer = client.post(address, typed or TYPED)
    assert answer.status_code == 200
    assert "Nothing you typed is lost" in answer.text
    return client, hidden(answer.text)


def test_form_comes_back_and_is_saved_as_it_was_typed() -> None:
    amara = make_supporter()
    change = reverse("admin:adoptions_supporter_change", args=[amara.pk])
    inline = {"adoptions-TOTAL_FORMS": "0", "adoptions-INITIAL_FORMS": "0"}
    typed = {"name": 'Amara "Obi" <3', "email": amara.email, "_save": "Save", **inline}
    client, carried = ended_while_typing(change, typed)
    back = client.post("/admin/login/", {"username": "marek", "password": PASSWORD, "typed": carried["typed"]})
    assert f'action="{change}"' in back.text
    assert "<dd>Amara &quot;Obi&quot; &lt;3</dd>" in back.text
    assert "TOTAL" not in re.sub(r"<[^>]+>", "", back.text)
    amara.refresh_from_db()
    assert amara.name == "Amara Supporter"
    client.post(change, hidden(back.text))
    amara.refresh_from_db()
    assert amara.name == 'Amara "Obi" <3'


def test_words_to_keep_are_saved_after_password_and_code(marek: User) -> None:
    device: TOTPDevice = TOTPDevice.objects.create(user=marek, name="phone")
    address = reverse("admin:mail_words", args=["receipt"])
    client, carried = ended_while_typing(address, TYPED)
    step = client.post("/admin/login/", {"username": "marek", "password": PASSWORD, "typed": carried["typed"]})
    assert "One more step" in step.text
    back = client.post(STEP, {"code": code_of(device), **hidden(step.text)})
    assert f'action="{address}"' in back.text
    fields = hidden(back.text)
    assert {name: fields[name].replace("\r\n", "\n") for name in TYPED} == TYPED
    assert "&lt;lines&gt;" in back.text
    assert not MailWords.objects.exists()


def test_wrong_password_loses_nothing() -> None:
    client, carried = ended_while_typing("/admin/species/species/add/")
    answer = client.post("/admin/login/", {"username": "marek", "password": "wrong", "typed": carried["typed"]})
    assert hidden(answer.text)["typed"] == carried["typed"]


@pytest.mark.threat("P7")
def test_passwords_and_tokens_are_not_carried() -> None:
    request = RequestFactory().post(
        "/admin/x/", {"password1": "secret words", "csrfmiddlewaretoken": "t", "name": "Priya"}
    )
    typed = typed_again.unpack(typed_again.pack(request))
    assert typed
    assert typed.fields == [("name", "Priya")]


def test_file_is_said_to_be_lost() -> None:
    assert typed_again.Typed("/admin/", [], True).has_files
    packed = signing.dumps(["/admin/species/picture/add/", [["title", "A cat"]], True], salt=typed_again.SALT)
    assert (
        "choose it once more"
        in sign_in().post("/admin/login/", {"username": "marek", "password": PASSWORD, "typed": packed}).text
    )


@pytest.mark.parametrize("text", ["nonsense", "", "eyJ:x:y", "signed for another"])
def test_what_we_did_not_sign_is_not_shown(text: str) -> None:
    if text == "signed for another":
        text = signing.dumps(["/evil", [], False], salt="another")  # with the time in it, so no name for a test
    answer = Client().post("/admin/login/", {"username": "marek", "password": PASSWORD, "typed": text})
    assert answer.status_code == 302


def test_stranger_who_posts_gets_the_sign_in_and_nothing_is_stored() -> None:
    answer = Client().post("/admin/auth/user/add/", {"username": "mallory"})
    assert "Log in" in answer.text
    assert not Session.objects.exists()
    assert not User.objects.filter(username="mallory").exists()


def test_colleague_who_may_not_do_it_is_refused_as_always() -> None:
    User.objects.create_user("sam", "sam@example.org", PASSWORD, is_staff=True)
    client, carried = ended_while_typing("/admin/auth/user/add/", {"username": "mallory"})
    back = client.post("/admin/login/", {"username": "sam", "password": PASSWORD, "typed": carried["typed"]})
    assert client.post("/admin/auth/user/add/", hidden(back.text)).status_code == 403


# --- anybody's ------------------------------------------------------------------------------------------------------

WORDS = {"name": "Amara <Obi>", "message": "For Ellie, who is eight.\nWith love", "step": "check", "amount_once": "36"}


def test_who_lost_the_cookie_of_a_form_sends_what_they_typed_once_more(browser_client: Client) -> None:
    """The page was open for so long that the browser had thrown it away."""
    make_species()
    make_plan()
    from_us = {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}
    lost = browser_client.post(
        "/adopt/amur-leopard/?c=leopard26", WORDS | {"csrfmiddlewaretoken": "old"}, headers=from_us
    )
    assert (lost.status_code, lost.headers["Cache-Control"]) == (403, "private, no-store")
    assert "<blockquote>For Ellie, who is eight.<br>With love</blockquote>" in lost.text.replace("\r\n", "\n")
    assert 'action="/adopt/amur-leopard/?c=leopard26"' in lost.text
    fields = hidden(lost.text)
    assert {name: fields[name].replace("\r\n", "\n") for name in WORDS} == WORDS
    again = browser_client.post("/adopt/amur-leopard/?c=leopard26", fields, headers=from_us)
    assert (again.status_code, again.context["form"]["name"].value()) == (422, WORDS["name"])


@pytest.mark.threat("L9")
@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_words_that_another_site_sent_get_no_button_of_ours(browser_client: Client, headers: dict[str, str]) -> None:
    for address in ("/adopt/amur-leopard/", "/my-adoption/details/"):
        refused = browser_client.post(address, WORDS, headers=headers)
        assert (refused.status_code, "<form" in refused.text, "Ellie" in refused.text) == (403, False, False)


def test_request_that_cannot_be_read_is_refused_all_the_same(browser_client: Client) -> None:
    many = {f"field{number}": "a" for number in range(2000)}
    refused = browser_client.post("/adopt/amur-leopard/", many, headers={"Sec-Fetch-Site": "same-origin"})
    assert (refused.status_code, "<form" in refused.text) == (403, False)
