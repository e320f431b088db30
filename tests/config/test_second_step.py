"""A password alone opens nothing where a second step is asked, and whoever has the phone gets in."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config import second_step
from config.limits import Limit
from config.models import AuditEntry
from tests.asked_first import press_twice

pytestmark = pytest.mark.django_db

PASSWORD = "a pass phrase of staff"
STEP, SET_UP = "/admin/second-step/", "/admin/second-step/set-up/"


@pytest.fixture(autouse=True)
def marek() -> User:
    return User.objects.create_superuser("marek", "marek@example.org", PASSWORD)


@pytest.fixture
def asked(settings: Any) -> None:
    """As in production."""
    settings.STAFF_TWO_FACTOR = True


def sign_in(client: Client | None = None, name: str = "marek") -> Client:
    client = client or Client()
    assert client.post("/admin/login/", {"username": name, "password": PASSWORD}).status_code == 302
    return client


def code_of(device: TOTPDevice, *, ahead: int = 0) -> str:
    totp = TOTP(device.bin_key)
    totp.time = time.time() + 30 * ahead
    return f"{totp.token():06}"


def give_phone(user: User) -> TOTPDevice:
    device: TOTPDevice = TOTPDevice.objects.create(user=user, name="phone")
    return device


def is_in(client: Client) -> bool:
    return client.get("/admin/config/mail/").status_code == 200


def set_up(client: Client) -> tuple[TOTPDevice, list[str]]:
    """Through the pages, as a person does; the device and the codes on paper."""
    page = client.get(SET_UP).content.decode()
    key = re.findall(r'name="key" value="([^"]+)"', page)[0]
    user = User.objects.get(pk=client.session["_auth_user_id"])
    device = second_step.unconfirmed(user, key)
    answer = client.post(SET_UP, {"key": key, "code": code_of(device)})
    assert answer.status_code == 200
    return TOTPDevice.objects.get(user=user), re.findall(r"<code>([a-z2-7]{4}-[a-z2-7]{4})</code>", answer.text)


@pytest.mark.usefixtures("asked")
def test_first_sign_in_leads_to_the_picture_and_then_in() -> None:
    client = sign_in()
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == SET_UP
    assert not is_in(client)
    _, codes = set_up(client)
    assert len(set(codes)) == second_step.RECOVERY_CODES
    assert is_in(client)


@pytest.mark.threat("L8")
@pytest.mark.usefixtures("asked")
def test_password_alone_opens_no_page_and_changes_nothing(marek: User) -> None:
    give_phone(marek)
    client = sign_in()
    for address in ("/admin/", "/admin/auth/user/", "/admin/adoptions/supporter/", "/admin/password_change/"):
        assert client.get(address).headers["Location"].startswith(STEP), address
    client.post(f"/admin/auth/user/{marek.pk}/change/", {"username": "mallory"})
    client.post("/admin/auth/user/", {"action": "forget_second_step", "_selected_action": [marek.pk]})
    assert User.objects.get(pk=marek.pk).username == "marek"
    assert TOTPDevice.objects.count() == 1


@pytest.mark.threat("L8")
@pytest.mark.usefixtures("asked")
def test_thief_of_a_password_cannot_set_up_a_phone_of_their_own(marek: User) -> None:
    give_phone(marek)
    thief = sign_in()
    assert thief.get(SET_UP).headers["Location"].startswith(STEP)
    key = second_step.new_key(marek)
    thief.post(SET_UP, {"key": key, "code": code_of(second_step.unconfirmed(marek, key))})
    assert not is_in(thief)


@pytest.mark.threat("L8")
def test_code_lets_in_once_and_leads_to_the_page_that_was_wanted(marek: User) -> None:
    device = give_phone(marek)
    client = sign_in()
    asked = client.get("/admin/config/mail/?state=failed").headers["Location"]
    assert client.get(asked).status_code == 200
    wanted = {"code": code_of(device), "next": "/admin/config/mail/?state=failed"}
    answer = client.post(STEP, wanted)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/config/mail/?state=failed")
    assert is_in(client)
    again = sign_in()
    assert again.post(STEP, wanted).status_code == 422
    assert not is_in(again)
    entries = AuditEntry.objects.filter(how="code").order_by("pk").values_list("act", flat=True)
    assert list(entries) == ["signed_in", "not_signed_in"]


@pytest.mark.threat("L11")
@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/species/", "javascript:alert(1)"])
def test_nobody_is_led_away_from_the_desk(marek: User, wanted: str) -> None:
    device = give_phone(marek)
    answer = sign_in().post(STEP, {"code": code_of(device), "next": wanted})
    assert answer.headers["Location"] == "/admin/"


@pytest.mark.threat("L6")
def test_session_is_another_one_after_the_step(marek: User) -> None:
    device = give_phone(marek)
    client = sign_in()
    before = client.cookies["staff"].value
    client.post(STEP, {"code": code_of(device)})
    assert client.cookies["staff"].value != before


def test_recovery_code_lets_in_once_however_it_is_typed() -> None:
    _, codes = set_up(sign_in())
    client = sign_in()
    assert client.post(STEP, {"code": f" {codes[0].upper().replace('-', ' ')} "}).status_code == 302
    assert is_in(client)
    assert sign_in().post(STEP, {"code": codes[0]}).status_code == 422
    assert StaticToken.objects.count() == second_step.RECOVERY_CODES - 1


def test_few_codes_left_is_said() -> None:
    _, codes = set_up(sign_in())
    StaticToken.objects.filter(token__in=[code.replace("-", "") for code in codes[4:]]).delete()
    answer = sign_in().post(STEP, {"code": codes[0]}, follow=True)
    assert "You have 3 recovery codes left" in answer.text


def test_guessing_ends_after_five_whoever_guesses_from_wherever(marek: User) -> None:
    device = give_phone(marek)
    found = []
    for number in range(8):
        answer = sign_in(Client(REMOTE_ADDR=f"203.0.{number}.1")).post(STEP, {"code": "000000"})
        found.append("Too many tries" in answer.text)
    assert found == [False] * 5 + [True] * 3
    late = sign_in(Client(REMOTE_ADDR="198.51.100.1"))
    assert "Too many tries" in late.post(STEP, {"code": code_of(device)}).text
    assert not is_in(late)


def test_right_code_is_never_counted(marek: User, monkeypatch: pytest.MonkeyPatch) -> None:
    device = give_phone(marek)
    for _ in range(7):
        TOTPDevice.objects.update(last_t=-1, drift=0)
        assert sign_in().post(STEP, {"code": code_of(device)}).status_code == 302


@pytest.mark.threat("L8")
@pytest.mark.django_db(transaction=True)
def test_same_code_from_two_places_at_once_lets_one_in(marek: User) -> None:
    code, clients = code_of(give_phone(marek)), [sign_in(), sign_in()]

    def attempt(client: Client) -> int:
        from django.db import connection

        try:
            return client.post(STEP, {"code": code}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, clients)) == [302, 422]


def test_new_phone_ends_the_old_one_and_its_paper(marek: User) -> None:
    client = sign_in()
    old, old_codes = set_up(client)
    TOTPDevice.objects.update(last_t=-1)
    new, _ = set_up(client)
    assert new.key != old.key
    for code in (code_of(old), old_codes[0]):
        assert sign_in().post(STEP, {"code": code}).status_code == 422


def test_key_of_a_colleague_or_of_nobody_is_not_taken(marek: User) -> None:
    priya = User.objects.create_superuser("priya", "priya@example.org", PASSWORD)
    theirs = second_step.new_key(priya)
    code = code_of(second_step.unconfirmed(priya, theirs))
    client = sign_in()
    for key in (theirs, "nonsense"):
        assert client.post(SET_UP, {"key": key, "code": code}).status_code == 422
    assert not TOTPDevice.objects.exists()


def test_wrong_first_code_sets_nothing_up_and_keeps_the_picture(marek: User) -> None:
    client, key = sign_in(), second_step.new_key(marek)
    answer = client.post(SET_UP, {"key": key, "code": "abcdef"})
    assert (answer.status_code, key in answer.text) == (422, True)
    assert not TOTPDevice.objects.exists()


def test_looking_at_the_picture_stores_nothing() -> None:
    sign_in().get(SET_UP)
    assert not TOTPDevice.objects.exists()


def test_where_it_is_off_only_those_who_chose_it_are_asked() -> None:
    assert not project.STAFF_TWO_FACTOR
    assert is_in(sign_in())
    set_up(sign_in())
    assert not is_in(sign_in())


def test_colleague_lets_somebody_set_it_up_anew(marek: User) -> None:
    priya = User.objects.create_superuser("priya", "priya@example.org", PASSWORD)
    give_phone(priya)
    client = sign_in()
    address = reverse("admin:auth_user_changelist")
    chosen = {"action": "forget_second_step", "_selected_action": [priya.pk]}
    client.post(address, chosen)
    assert second_step.is_set_up(priya)
    answer = press_twice(client, address, chosen, reads=("Ring them before you press",))
    assert "1 set it up anew" in answer.text
    assert not second_step.is_set_up(priya)
    assert list(AuditEntry.objects.filter(act="changed").values_list("how", "rows")) == [
        ("forget_second_step", [str(priya.pk)])
    ]


def test_command_lets_the_last_of_staff_back_in(marek: User, capsys: pytest.CaptureFixture[str]) -> None:
    give_phone(marek)
    call_command("forget_second_step", "marek")
    call_command("forget_second_step", "marek")
    assert capsys.readouterr().out.splitlines() == ["marek sets it up at the next sign-in.", "marek had none."]
    with pytest.raises(CommandError, match="nobody"):
        call_command("forget_second_step", "nobody")


def test_session_whose_phone_is_taken_away_is_asked_again(marek: User) -> None:
    client = sign_in()
    set_up(client)
    second_step.forget([marek.pk])
    give_phone(marek)
    assert not is_in(client)


@pytest.mark.threat("P7")
def test_no_screen_shows_a_key(marek: User) -> None:
    client = sign_in()
    device, _ = set_up(client)
    for address in ("/admin/", f"/admin/auth/user/{marek.pk}/change/", "/admin/auth/user/"):
        assert device.key not in client.get(address).text
    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404


def test_guesses_a_day_are_counted_too() -> None:
    assert (second_step.GUESSES_A_DAY.times, isinstance(second_step.GUESSES, Limit)) == (20, True)
