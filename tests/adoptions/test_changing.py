"""Stop, go on, pause, skip, give another amount: against the stand-in, and believed once Stripe says so."""

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from adoptions.change_forms import months_from
from adoptions.models import Adoption, Change, Frequency
from tests.adoptions.conftest import Amara, Stripe
from tests.adoptions.visitors import signed_in
from tests.makers import make_active_adoption, make_supporter

ACTS = ["stop", "go-on", "pause", "resume", "skip", "amount", "rhythm", "card"]


@pytest.fixture
def adoption(amara: Amara) -> Adoption:
    """£5 a month, paid for the first time."""
    adoption = amara.adopt(frequency="monthly")
    amara.come_back(adoption)
    adoption.refresh_from_db()
    return adoption


@pytest.fixture
def me(adoption: Adoption) -> Client:
    return signed_in(adoption.supporter)


def page(client: Client, adoption: Adoption) -> str:
    response = client.get(f"/my-adoption/{adoption.reference}/")
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def press(client: Client, adoption: Adoption, act: str, **answers: str) -> Any:
    return client.post(f"/my-adoption/{adoption.reference}/{act}/", answers)


def test_stopping_takes_two_presses_and_can_be_taken_back(me: Client, adoption: Adoption) -> None:
    assert f"/my-adoption/{adoption.reference}/stop/" in page(me, adoption)
    confirm = me.get(f"/my-adoption/{adoption.reference}/stop/").content
    assert b"Stop this adoption?" in confirm
    assert Change.objects.count() == 0
    assert press(me, adoption, "stop").status_code == 303
    assert "You have stopped this adoption" in page(me, adoption)
    assert press(me, adoption, "go-on").status_code == 303
    assert "You have stopped this adoption" not in page(me, adoption)
    assert list(Change.objects.order_by("pk").values_list("act", flat=True)) == ["stop_later", "go_on"]
    assert Change.objects.filter(by=None).count() == 2


def test_pause_and_taking_it_up_again(me: Client, adoption: Adoption) -> None:
    assert press(me, adoption, "pause", months="3").status_code == 303
    assert "Paused until" in page(me, adoption)
    assert press(me, adoption, "resume").status_code == 303
    assert "Paused" not in page(me, adoption)


def test_one_payment_is_skipped(me: Client, adoption: Adoption) -> None:
    assert press(me, adoption, "skip").status_code == 303
    assert Change.objects.get().done_at is not None


def test_another_amount_holds_from_the_next_payment_on(me: Client, adoption: Adoption) -> None:
    assert press(me, adoption, "amount", amount="7.50").status_code == 303
    assert "£7.50 a month" in page(me, adoption)


def test_every_year_instead_of_every_month_and_back(me: Client, adoption: Adoption) -> None:
    assert "Give every year instead" in page(me, adoption)
    form = me.get(f"/my-adoption/{adoption.reference}/rhythm/").content.decode()
    assert 'value="60"' in form
    assert "From £3 to £10,000" in form
    assert press(me, adoption, "rhythm", amount="60").status_code == 303
    assert "£60 a year. Next payment on" in page(me, adoption)
    assert 'value="5"' in me.get(f"/my-adoption/{adoption.reference}/rhythm/").content.decode()
    assert press(me, adoption, "rhythm", amount="5").status_code == 303
    assert "£5 a month. Next payment on" in page(me, adoption)


def test_rhythm_with_an_amount_that_cannot_be_is_given_back(me: Client, adoption: Adoption) -> None:
    response = press(me, adoption, "rhythm", amount="2.99")
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["amount"])
    assert Change.objects.count() == 0


@pytest.mark.parametrize("typed", ["", "0", "2.99", "10000.01", "1e3", "-5", "a\x00", "99999999999"])
def test_amount_that_cannot_be_is_given_back_and_asks_stripe_nothing(
    me: Client, adoption: Adoption, typed: str
) -> None:
    response = press(me, adoption, "amount", amount=typed)
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["amount"])
    assert Change.objects.count() == 0


@pytest.mark.parametrize("months", ["", "0", "12", "x"])
def test_pause_of_a_length_that_is_not_offered_is_given_back(me: Client, adoption: Adoption, months: str) -> None:
    assert press(me, adoption, "pause", months=months).status_code == 422


@pytest.mark.parametrize(("act", "words"), [("go-on", "is not about to stop"), ("resume", "is not paused")])
def test_what_is_not_possible_now_is_said_in_a_sentence(me: Client, adoption: Adoption, act: str, words: str) -> None:
    response = press(me, adoption, act)
    assert response.status_code == 409
    assert words in response.content.decode()


def test_card_is_changed_on_stripes_own_page(me: Client, adoption: Adoption, stripe: Stripe) -> None:
    response = press(me, adoption, "card")
    assert response.status_code == 303
    assert response.headers["Location"].startswith(stripe.url)


def test_stripe_that_does_not_answer_is_said_and_nothing_claimed(
    me: Client, adoption: Adoption, settings: Settings
) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    response = press(me, adoption, "stop")
    assert (response.status_code, b"That was not done" in response.content) == (503, True)
    adoption.refresh_from_db()
    assert adoption.ends_on is None


@pytest.mark.parametrize("act", ACTS)
def test_other_supporters_change_nothing(adoption: Adoption, act: str) -> None:
    other = make_active_adoption(supporter=make_supporter("Sam Stranger", "sam@example.org"))
    sam = signed_in(other.supporter)
    assert press(sam, adoption, act, months="3", amount="5").status_code == 404
    assert press(Client(), adoption, act).headers["Location"] == "/my-adoption/"
    assert Change.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("act", ACTS)
def test_there_is_nothing_to_change_about_a_single_gift(act: str) -> None:
    adoption = make_active_adoption(frequency=Frequency.ONCE)
    assert press(signed_in(adoption.supporter), adoption, act, months="3", amount="5").status_code == 404


@pytest.mark.parametrize(
    ("day", "months", "until"),
    [
        (date(2026, 11, 24), 1, date(2026, 12, 24)),
        (date(2026, 11, 24), 3, date(2027, 2, 24)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2028, 2, 29), 6, date(2028, 8, 28)),
    ],
)
def test_months_are_counted_to_a_day_that_exists(day: date, months: int, until: date) -> None:
    assert months_from(day, months) == until
