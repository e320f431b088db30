"""Guessing a staff password ends after a handful, and whoever knows theirs is not kept out by it."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, identify_hasher
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from config import settings as project
from config.limits import Limit
from config.models import RateWindow
from config.staff_sign_in import TOO_MANY

pytestmark = pytest.mark.django_db

PASSWORD = "a pass phrase of staff"


@pytest.fixture(autouse=True)
def marek() -> User:
    return User.objects.create_superuser("marek", "marek@example.org", PASSWORD)


def attempt(password: str, *, name: str = "marek", address: str = "192.0.2.7") -> str:
    """What came of it: in, wrong or too many."""
    response = Client(REMOTE_ADDR=address).post("/admin/login/", {"username": name, "password": password})
    if response.status_code == 302:
        return "in"
    return "too many" if TOO_MANY in response.text else "wrong"


@pytest.mark.threat("L7")
def test_guessing_ends_after_five_and_the_right_one_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    check = User.check_password

    def counted(self: User, raw: str) -> bool:
        hashed.append(raw)
        return check(self, raw)

    monkeypatch.setattr(User, "check_password", counted)
    found = [attempt(f"guess {number}") for number in range(40)]
    assert found == ["wrong"] * 5 + ["too many"] * 35
    assert attempt(PASSWORD) == "too many"
    assert len(hashed) == 5


@pytest.mark.threat("L7")
def test_one_network_gets_ten_guesses_at_all_accounts_together() -> None:
    found = [attempt("guess", name=f"colleague-{number}", address=f"192.0.2.{number}") for number in range(15)]
    assert found.count("wrong") == 10


@pytest.mark.threat("L7")
def test_old_password_is_not_guessed_by_a_stolen_session_either(client: Client, marek: User) -> None:
    client.force_login(marek)
    typed = {"new_password1": "another pass phrase", "new_password2": "another pass phrase"}
    for number in range(5):
        client.post("/admin/password_change/", {"old_password": f"guess {number}", **typed})
    assert TOO_MANY in client.post("/admin/password_change/", {"old_password": PASSWORD, **typed}).text
    RateWindow.objects.all().delete()  # ten minutes later
    assert client.post("/admin/password_change/", {"old_password": PASSWORD, **typed}).status_code == 302


def test_colleague_elsewhere_is_not_kept_out() -> None:
    for _ in range(20):
        attempt("guess")
    assert attempt(PASSWORD, address="198.51.100.1") == "in"


@pytest.mark.threat("L7")
def test_account_guessed_from_everywhere_is_closed_for_a_while() -> None:
    for number in range(55):
        attempt("guess", address=f"203.0.{number}.1")
    assert attempt(PASSWORD, address="198.51.100.1") == "too many"


def test_signing_in_often_is_never_counted() -> None:
    assert {attempt(PASSWORD) for _ in range(30)} == {"in"}


@pytest.mark.threat("L7")
def test_old_hash_becomes_argon2_when_its_owner_signs_in(marek: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = project.PASSWORD_HASHERS
    marek.password = PBKDF2PasswordHasher().encode(PASSWORD, "saltsaltsaltsaltsaltsa", iterations=1)
    marek.save(update_fields=["password"])
    assert attempt(PASSWORD) == "in"
    marek.refresh_from_db()
    assert identify_hasher(marek.password).algorithm == "argon2"
    assert attempt(PASSWORD) == "in"
    assert attempt("guess") == "wrong"


def test_another_spelling_of_the_name_is_the_same_account() -> None:
    for _ in range(6):
        attempt("guess")
    assert attempt("guess", name=" MAREK") == "too many"


def test_what_is_given_back_is_as_if_it_had_not_been() -> None:
    limit = Limit("a test", times=1, per=timedelta(hours=1))
    for _ in range(5):
        assert limit.allows("sam")
        limit.give_back("sam")
    limit.give_back("sam")
    assert (limit.allows("sam"), limit.allows("sam")) == (True, False)
