"""What is done to an account of staff is told to the person whose it is, at the address that was theirs before."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from config import account_notices, second_step
from config.account_notices import Event
from config.models import Mail, MailWords
from config.templatetags.typed import typed
from tests.asked_first import press_twice
from tests.config.test_known_browsers import WINDOWS
from tests.config.test_second_step import PASSWORD, STEP, code_of, give_phone, set_up, sign_in
from tests.config.test_typed_again import hidden

pytestmark = [pytest.mark.django_db, pytest.mark.threat("L8")]

ANEW = "quite another phrase of staff"
UNSET = {"unset-password": "1"}  # the button


@pytest.fixture(autouse=True)
def marek() -> User:
    return User.objects.create_superuser("marek", "marek@example.org", PASSWORD)


@pytest.fixture
def priya() -> User:
    return User.objects.create_superuser("priya", "priya@example.org", PASSWORD)


@pytest.fixture
def desk() -> Client:
    return sign_in(Client(REMOTE_ADDR="203.0.113.77", headers={"user-agent": WINDOWS}))


def letters() -> list[Mail]:
    return list(Mail.objects.filter(kind="account_changed").order_by("pk"))


def told() -> list[tuple[str, str]]:
    return [(letter.to, letter.subject) for letter in letters()]


def as_told(to: str, *events: Event) -> list[tuple[str, str]]:
    return [(to, f"Was it you? {event.what}") for event in events]


def save_account(desk: Client, user: User, **fields: str) -> None:
    address = reverse("admin:auth_user_change", args=[user.pk])
    kept = {"username": user.username, "email": user.email, "is_staff": "on", "is_superuser": "on", "is_active": "on"}
    sent = hidden(desk.get(address).text) | kept | fields | {"_save": "Save"}
    joined = user.date_joined
    sent |= {"date_joined_0": f"{joined:%Y-%m-%d}", "date_joined_1": f"{joined:%H:%M:%S}"}
    assert desk.post(address, sent).status_code == 302


def set_password(desk: Client, user: User, **fields: str) -> int:
    typed = {"usable_password": "true", "password1": ANEW, "password2": ANEW}
    return desk.post(reverse("admin:auth_user_password_change", args=[user.pk]), typed | fields).status_code


def change_own(desk: Client, old: str = PASSWORD) -> int:
    typed = {"old_password": old, "new_password1": ANEW, "new_password2": ANEW}
    return desk.post("/admin/password_change/", typed).status_code


def forget_phone(desk: Client, *users: User) -> None:
    chosen = {"action": "forget_second_step", "_selected_action": [user.pk for user in users]}
    press_twice(desk, reverse("admin:auth_user_changelist"), chosen, reads=("Ring them before you press",))


def take_phone(desk: Client, user: User) -> None:
    give_phone(user)
    forget_phone(desk, user)


@pytest.mark.parametrize(
    ("act", "event"),
    [
        (set_password, account_notices.NEW_PASSWORD),
        (lambda desk, user: set_password(desk, user, usable_password="false", **UNSET), account_notices.NO_PASSWORD),
        (lambda desk, user: save_account(desk, user, username="priya.new"), account_notices.NEW_NAME),
        (lambda desk, user: save_account(desk, user, email="thief@example.org"), account_notices.NEW_ADDRESS),
        (lambda desk, user: save_account(desk, user, email=""), account_notices.NEW_ADDRESS),
        (take_phone, account_notices.NO_PHONE),
    ],
    ids=["password", "no_password", "name", "address", "no_address", "phone"],
)
def test_colleague_who_changes_an_account_is_told_of_to_whose_it_is(
    desk: Client, priya: User, act: Callable[[Client, User], Any], event: Event
) -> None:
    act(desk, priya)
    assert told() == as_told("priya@example.org", event)
    (letter,) = letters()
    for words in (event.what, "signed in as marek, on Windows", "203.0.113.0/24", "/admin/password_change/"):
        assert words in letter.text
    for secret in ("203.0.113.77", ANEW, "thief@"):
        assert secret not in letter.text + letter.html


def test_what_changes_nothing_of_how_they_sign_in_is_not_told(desk: Client, priya: User) -> None:
    save_account(desk, priya, first_name="Priya")
    assert set_password(desk, priya, password2="something else") == 200
    assert set_password(desk, priya, usable_password="false") == 302  # without the button that says so
    forget_phone(desk, priya)  # who has none
    assert change_own(desk, old="a guess") == 200
    assert told() == []
    assert User.objects.get(pk=priya.pk).first_name == "Priya"


def test_name_and_address_at_once_are_both_told_to_the_address_before(desk: Client, priya: User) -> None:
    save_account(desk, priya, username="priya.new", email="thief@example.org")
    assert told() == as_told("priya@example.org", account_notices.NEW_NAME, account_notices.NEW_ADDRESS)
    assert f"your account, {typed('priya.new')}:" in letters()[0].text


def test_own_new_password_is_told(desk: Client) -> None:
    assert change_own(desk) == 302
    assert told() == as_told("marek@example.org", account_notices.NEW_PASSWORD)


def test_first_phone_another_and_a_recovery_code_are_told_and_no_code_is_in_a_mail(desk: Client) -> None:
    first, _ = set_up(desk)
    assert told() == as_told("marek@example.org", account_notices.FIRST_PHONE)
    second, codes = set_up(desk)
    again = sign_in()
    assert again.post(STEP, {"code": "wrong-one"}).status_code == 422
    assert again.post(STEP, {"code": codes[0]}).status_code == 302
    assert again.post(STEP, {"code": code_of(second, ahead=1)}).status_code == 302
    events = (account_notices.FIRST_PHONE, account_notices.OTHER_PHONE, account_notices.RECOVERY_CODE)
    assert told() == as_told("marek@example.org", *events)
    words = "".join(letter.text + letter.html for letter in letters())
    assert [each for each in (*codes, first.key, second.key, second_step.typed_key(second)) if each in words] == []


def test_each_of_several_who_lose_their_phone_is_told_of_their_own(desk: Client, priya: User) -> None:
    amara = User.objects.create_superuser("amara", "amara@example.org", PASSWORD)
    for user in (priya, amara):
        give_phone(user)
    forget_phone(desk, priya, amara)
    event = account_notices.NO_PHONE
    assert told() == as_told("priya@example.org", event) + as_told("amara@example.org", event)


def test_nothing_is_changed_where_nobody_can_be_told(desk: Client, priya: User) -> None:
    """The mail is written in the same transaction."""
    device = give_phone(priya)
    desk.raise_request_exception = False
    with mock.patch("config.account_notices.queue_mail", side_effect=OSError):
        assert [set_password(desk, priya), change_own(desk)] == [500, 500]
        with pytest.raises(AssertionError):
            save_account(desk, priya, email="thief@example.org")
        forget_phone(desk, priya)
        with pytest.raises(AssertionError):
            set_up(desk)
    priya.refresh_from_db()
    assert (priya.email, priya.check_password(PASSWORD)) == ("priya@example.org", True)
    assert User.objects.get(username="marek").check_password(PASSWORD)
    assert list(type(device).objects.all()) == [device]


def test_who_has_no_address_is_named_to_whoever_did_it_and_the_first_address_is_told(desk: Client, priya: User) -> None:
    User.objects.filter(pk=priya.pk).update(email="")
    priya.refresh_from_db()
    set_password(desk, priya)
    assert "Nobody was mailed about this: the account priya has no email address." in desk.get("/admin/").text
    assert told() == []
    save_account(desk, priya, email="priya@example.org")
    assert told() == as_told("priya@example.org", account_notices.NEW_ADDRESS)


def test_command_on_the_machine_mails_nobody(marek: User) -> None:
    give_phone(marek)
    call_command("forget_second_step", "marek")
    assert told() == []


def test_words_are_nobodys_to_soften(desk: Client) -> None:
    assert desk.get("/admin/config/mailwords/account_changed/words/").status_code == 404
    MailWords.objects.create(kind="account_changed", subject="All is well", body="Nothing to do.")
    change_own(desk)
    assert told() == as_told("marek@example.org", account_notices.NEW_PASSWORD)
