"""Stripe slow or down: nobody waits longer than ten seconds, whatever they asked for, and nothing typed is lost."""

import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.test import Client

from adoptions import stripe_gateway, subscriptions
from adoptions.models import Adoption, Payment
from adoptions.stripe_gateway import StripeUnavailable
from config import patience
from tests.adoptions.conftest import Amara

LONGEST = 10
SHORTER = timedelta(seconds=2)  # than visitors wait, so that the tests need not


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> float:
    """Everybody's patience cut short, in the same way as it is counted; the longest anything may then take."""
    assert timedelta(seconds=LONGEST) > patience.PATIENCE
    monkeypatch.setattr(patience, "PATIENCE", SHORTER)
    return SHORTER.total_seconds() + 2


def hang(amara: Amara, seconds: int = 30) -> None:
    """From now on Stripe takes each call and says nothing for so long."""
    amara.stripe.control("faults", hang=50, hang_seconds=seconds)


@pytest.mark.threat("M7", "X4")
def test_pay_button_answers_in_time_and_keeps_every_answer(amara: Amara, impatient: float) -> None:
    hang(amara)
    began = time.monotonic()
    page = amara.press_pay()
    assert time.monotonic() - began < impatient
    assert page.status_code == 503
    text = page.content.decode()
    assert "Nothing was charged" in text
    for answer in ("Amara Supporter", "amara@example.org", str(amara.attempt)):
        assert answer in text
    amara.stripe.control("faults")
    assert amara.reach_stripe().attempt == Adoption.objects.get().attempt


@pytest.mark.threat("X4")
def test_page_that_asks_many_times_waits_no_longer_than_one_that_asks_once(amara: Amara, impatient: float) -> None:
    """A second for each answer: no single call is too slow, but all of them together would be."""
    adoption = amara.adopt(frequency="monthly")
    hang(amara, seconds=1)
    began = time.monotonic()
    page = amara.come_back(adoption)
    assert time.monotonic() - began < impatient
    assert "We have not had the payment yet" in page
    amara.stripe.control("faults")
    assert "Your payment has arrived" in amara.come_back(adoption)


def test_staff_wait_no_longer_than_supporters(amara: Amara, impatient: float) -> None:
    adoption = amara.adopt()
    amara.come_back(adoption)
    desk = Client()
    desk.force_login(User.objects.create_superuser("marek"))
    payment = Payment.objects.get()
    hang(amara)
    began = time.monotonic()
    answers = {"amount": "10", "reason": "duplicate", "step": "refund", "request": str(adoption.public_id)}
    page = desk.post(f"/admin/adoptions/adoption/payments/{payment.pk}/refund/", answers, follow=True)
    assert time.monotonic() - began < impatient
    assert "nobody knows yet" in page.content.decode()


def test_answer_that_was_lost_is_asked_for_again_under_the_same_key(amara: Amara) -> None:
    adoption = amara.adopt(frequency="monthly")
    amara.come_back(adoption)
    adoption.refresh_from_db()
    amara.stripe.control("faults", lose=1)
    assert subscriptions.cancel(adoption, by=None).ends_on
    told = amara.stripe.events("customer.subscription.updated")
    assert [event["data"]["object"]["cancel_at_period_end"] for event in told].count(True) == 1


def test_nothing_is_asked_once_the_visitors_time_is_over(amara: Amara, monkeypatch: pytest.MonkeyPatch) -> None:
    adoption = amara.reach_stripe()
    monkeypatch.setattr(patience, "PATIENCE", timedelta(milliseconds=200))
    request_started.send(sender=None)
    try:
        with pytest.raises(StripeUnavailable):
            stripe_gateway.read_session(adoption.stripe_session_id or "")
    finally:
        request_finished.send(sender=None)
    monkeypatch.undo()
    assert stripe_gateway.read_session(adoption.stripe_session_id or "").status == "open"


@pytest.mark.parametrize("left", [8000, 3000, 1000, 300, 0, -5000])
def test_time_to_connect_and_to_answer_are_together_no_more_than_is_left(
    monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    monkeypatch.setattr(patience, "left", lambda: timedelta(milliseconds=left))
    connect, read = patience.timeouts()
    assert 0 < connect <= 2
    assert connect + read == max(left, 300) / 1000
    assert patience.is_at_an_end() == (left < 300)
