"""Whoever answers the telephone asks finance to give money back: once, heard by mail, and closed by the refund."""

import html
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adoptions import by_hand, ledger, refund_wishes, refunds
from adoptions.models import Attention, Because, Method, Payment, RefundReason
from adoptions.stripe_objects import Refund
from config.models import Mail
from config.money import Pence
from tests.adoptions.test_adopting import at_once
from tests.adoptions.test_by_hand import staff_of
from tests.makers import make_active_adoption, make_payment
from tests.test_hostile_input import HOSTILE

WISH = {"amount": "12", "reason": "requested_by_customer", "note": "Moved abroad."}


@pytest.fixture
def payment(db: None) -> Payment:
    """£36, of which £30 is left."""
    charge = make_active_adoption().payments.get()
    make_payment(charge.adoption, kind="refund", amount_pence=-600, charge=charge)
    return charge


@pytest.fixture
def fiona(payment: Payment) -> Client:
    """A fundraiser."""
    return staff_of("Fundraiser")


def address(payment: Payment) -> str:
    return reverse("admin:ask_refund", args=[payment.pk])


def ask(payment: Payment, by: User, pence: int = 1200) -> Attention | None:
    return refund_wishes.ask(payment, pence=pence, reason=RefundReason.REQUESTED, note="", by=by)


def give_back(payment: Payment, name: str, *, ago: timedelta = timedelta()) -> None:
    """Stripe tells of a refund of £12."""
    made = Refund(name, payment.stripe_id, Pence(1200), "succeeded", created=timezone.now() - ago)
    ledger.record_refund(payment, made)


def test_fundraiser_asks_from_the_timeline_and_finance_is_led_to_the_refund(fiona: Client, payment: Payment) -> None:
    timeline = reverse("admin:supporter_timeline", args=[payment.adoption.supporter_id])
    page = f"{address(payment)}?back={timeline}"
    assert "Ask finance to refund £30 of" in fiona.get(timeline).text
    form = fiona.get(page).text
    assert ("£30 of it can be refunded" in form, 'value="30"' in form, "Stop the adoption" in form) == (
        True,
        True,
        False,
    )
    done = fiona.post(page, WISH, follow=True)
    assert done.redirect_chain == [(timeline, 303)]
    words = html.unescape(done.text)
    assert "Finance is asked, and mailed. Nothing has gone back yet." in words
    assert "Refund asked for: fundraiser asks to give back £12 of the £36 paid on" in words
    assert "the supporter asked for it. Moved abroad." in words
    assert ("Finance is asked for a refund" in words, "Ask finance" in words) == (True, False)
    wish = Attention.objects.get()
    thing = reverse("admin:adoptions_attention_change", args=[wish.pk])
    [mail] = Mail.objects.filter(kind="attention")
    assert (thing in mail.text, payment.adoption.supporter.name in mail.text) == (True, False)
    assert payment.reversals.balance_pence() == -600
    refund = reverse("admin:refund", args=[payment.pk])
    assert (refund in fiona.get(thing).text, refund in staff_of("Finance").get(thing).text) == (False, True)


def test_asked_twice_it_is_one_and_once_dealt_with_it_can_be_asked_again(fiona: Client, payment: Payment) -> None:
    fiona.post(address(payment), WISH)
    assert "Finance is asked already" in fiona.get(address(payment)).text
    assert "before, and has not answered yet" in fiona.post(address(payment), WISH, follow=True).text
    finance = staff_of("Finance")
    finance.post(reverse("admin:adoptions_attention_resolve", args=[Attention.objects.get().pk]), {"how": "Too late"})
    assert "Finance is asked, and mailed" in fiona.post(address(payment), WISH, follow=True).text
    assert (Attention.objects.count(), Mail.objects.filter(kind="attention").count()) == (2, 2)


def test_refund_closes_what_was_asked_before_it_and_nothing_else(fiona: Client, payment: Payment) -> None:
    """However it is made, and once: what is heard again, or was made before they asked, is no answer."""
    by, other = User.objects.get(), make_active_adoption().payments.get()
    assert (ask(payment, by) and ask(other, by)) is not None
    give_back(payment, "re_0", ago=timedelta(hours=1))
    assert Attention.objects.open().count() == 2
    give_back(payment, "re_1")
    assert list(Attention.objects.open().values_list("key", flat=True)) == [f"{other.pk}:0"]
    assert Attention.objects.exclude(resolved_at=None).get().how == "£12 went back."
    assert ask(payment, by, pence=100)
    give_back(payment, "re_1")
    assert Attention.objects.open().count() == 2


def test_money_by_hand_is_asked_back_and_closed_by_hand(fiona: Client, payment: Payment) -> None:
    by = User.objects.get()
    cheque = make_payment(payment.adoption, method="cheque", stripe_id="", amount_pence=2000)
    wish = ask(cheque, by)
    assert wish
    thing = reverse("admin:adoptions_attention_change", args=[wish.pk])
    assert reverse("admin:refund_by_hand", args=[cheque.pk]) in staff_of("Finance").get(thing).text
    by_hand.give_back(
        cheque, by_hand.Return(uuid4(), Pence(2000), Method.CHEQUE, timezone.localdate(), Because.ASKED), by=by
    )
    assert not Attention.objects.open().exists()
    assert "Nothing of this payment is left" in fiona.get(address(cheque)).text
    assert refunds.refundable_pence(cheque) == 0


def test_list_of_payments_beneath_an_adoption_offers_it_to_who_may_not_refund(
    fiona: Client, payment: Payment, admin_client: Client
) -> None:
    beneath = reverse("admin:adoptions_adoption_change", args=[payment.adoption_id])
    make_payment(payment.adoption, is_brought_in=True, stripe_id="", method="cheque")
    assert fiona.get(beneath).text.count(">Ask finance</a>") == 1
    for client in (admin_client, staff_of("Finance"), staff_of("Auditor")):
        assert "Ask finance" not in client.get(beneath).text


@pytest.mark.parametrize("field", list(WISH))
def test_wish_takes_anything_and_what_cannot_be_comes_back(fiona: Client, payment: Payment, field: str) -> None:
    for typed in ("30.01", "x" * 200, *HOSTILE[::5]):
        answer = fiona.post(address(payment), {**WISH, field: typed})
        is_taken = field == "note" and answer.status_code == 303
        assert is_taken or (answer.status_code, list(answer.context["form"].errors)) == (422, [field]), typed
        Attention.objects.all().delete()
    Mail.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_eight_who_ask_at_once_call_finance_once() -> None:
    payment, by = make_active_adoption().payments.get(), User.objects.create_user("fiona")
    at_once(8, lambda: ask(payment, by))
    assert (Attention.objects.count(), Mail.objects.filter(kind="attention").count()) == (1, 1)
