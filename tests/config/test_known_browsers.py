"""Who signs in from a browser that was never seen with an account is told of to the person whose account it is."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config import known_browsers
from config.models import Mail, MailWords
from tests.config.test_second_step import PASSWORD, STEP, code_of, give_phone, set_up, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.threat("L8")]
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def marek() -> User:
    return User.objects.create_superuser("marek", "marek@example.org", PASSWORD)


def told() -> list[Mail]:
    return list(Mail.objects.filter(kind="new_browser").order_by("pk"))


def test_new_browser_is_told_once_and_the_session_after_it_is_not() -> None:
    browser = sign_in(Client(REMOTE_ADDR="203.0.113.77", headers={"user-agent": WINDOWS}))
    (letter,) = told()
    assert letter.to == "marek@example.org"
    for words in ("signed in as", "marek", "on Windows", "203.0.113.0/24", "/admin/password_change/"):
        assert words in letter.text
    assert "203.0.113.77" not in letter.text + letter.html
    browser.post("/admin/logout/")
    sign_in(browser)
    assert len(told()) == 1
    sign_in(Client())
    assert len(told()) == 2


def test_words_of_the_warning_are_nobodys_to_soften() -> None:
    browser = sign_in()
    assert browser.get("/admin/config/mailwords/receipt/words/").status_code == 200
    assert browser.get("/admin/config/mailwords/new_browser/words/").status_code == 404
    MailWords.objects.create(kind="new_browser", subject="All is well", body="Nothing to do.")
    sign_in()
    assert [letter.subject for letter in told()] == ["Was it you? Somebody signed in from a new browser"] * 2


def test_cookie_stays_names_nobody_and_opens_nothing() -> None:
    cookie = sign_in().cookies[known_browsers.COOKIE]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (400 * 24 * 3600, True, "Lax")
    assert "marek" not in cookie.value
    thief = Client()
    thief.cookies[known_browsers.COOKIE] = cookie.value
    assert thief.get("/admin/config/mail/").status_code == 302


def test_colleagues_at_one_desk_are_each_told_once() -> None:
    User.objects.create_superuser("amara", "amara@example.org", PASSWORD)
    browser = Client()
    for name in ("marek", "amara", "marek", "amara"):
        sign_in(browser, name)
        browser.post("/admin/logout/")
    assert [letter.to for letter in told()] == ["marek@example.org", "amara@example.org"]


def test_cookie_of_somebody_else_or_made_up_is_none(marek: User) -> None:
    for value in ("", "x", "marek:x:y", sign_in().cookies[known_browsers.COOKIE].value[:-1] + "x"):
        browser = Client()
        browser.cookies[known_browsers.COOKIE] = value
        sign_in(browser)
    assert len(told()) == 5


def test_after_a_new_password_every_browser_is_new_again(marek: User) -> None:
    browser = sign_in()
    marek.set_password(f"{PASSWORD} anew")
    marek.save()
    browser.post("/admin/login/", {"username": "marek", "password": f"{PASSWORD} anew"})
    assert len(told()) == 2


def test_password_alone_is_not_in_and_the_code_is(marek: User) -> None:
    device = give_phone(marek)
    browser = sign_in()
    assert told() == []
    browser.post(STEP, {"code": "000000"})
    assert told() == []
    browser.post(STEP, {"code": code_of(device)})
    assert len(told()) == 1


def test_session_that_was_taken_elsewhere_is_told_of_when_it_shows_who_it_is(marek: User) -> None:
    """It never signed in: the cookie came from the browser of its owner, and the code perhaps from a talk with them."""
    own = sign_in(Client())
    answer = {"shows": "1", "password": PASSWORD}
    own.post("/admin/still-you/", answer)
    assert len(told()) == 1
    thief = Client()
    thief.cookies["staff"] = own.cookies["staff"].value
    thief.post("/admin/still-you/", {**answer, "password": "a guess"})
    assert len(told()) == 1
    thief.post("/admin/still-you/", answer)
    assert len(told()) == 2


def test_first_phone_lets_in_and_is_told(settings: Any) -> None:
    settings.STAFF_TWO_FACTOR = True
    browser = sign_in()
    assert told() == []
    set_up(browser)
    assert len(told()) == 1


def test_who_has_no_address_is_told_on_the_desk(marek: User) -> None:
    User.objects.filter(pk=marek.pk).update(email="")
    assert "your account has no email address" in sign_in().get("/admin/").text
    assert told() == []


@pytest.mark.parametrize(
    ("browser", "called"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)", "on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16)", "on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "on Mac"),
        ("Mozilla/5.0 (X11; CrOS x86_64)", "on Chromebook"),
        ("<script>alert(1)</script>", ""),
    ],
)
def test_mail_says_of_a_browser_what_it_runs_on_and_nothing_that_it_says_itself(browser: str, called: str) -> None:
    sign_in(Client(headers={"user-agent": browser}))
    words = re.sub(r"\s+", " ", told()[0].text)
    assert called in words
    assert "alert" not in words + told()[0].html
    assert (", on " in words) == bool(called)
