"""Nobody pays twice by accident: not with two tabs, two links, a back button, or a page that was left open."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from adoptions import fulfilment, gifts, refunds, stripe_acts, stripe_gateway, stripe_invoices
from adoptions.models import Adoption, AdoptionState, Attention, AttentionKind
from adoptions.stripe_objects import Charge
from config.models import Mail
from tests.adoptions.conftest import Amara, Stripe, carry, work
from tests.adoptions.test_adopting import PAID, at_once, ours
from tests.adoptions.test_races import slowly
from tests.asked_first import press_twice

ASKED = "Would you like another one?"


def other_tab(stripe: Stripe) -> Amara:
    return Amara(Client(), stripe)


@pytest.fixture
def paid(amara: Amara) -> Adoption:
    adoption = amara.adopt()
    assert PAID in amara.come_back(adoption)
    return adoption


def twice() -> list[str]:
    return list(Attention.objects.filter(kind=AttentionKind.TWICE).values_list("key", flat=True))


# --- before paying ------------------------------------------------------------------------------------------


def test_same_again_within_half_an_hour_is_asked_about_and_nothing_is_made(amara: Amara, paid: Adoption) -> None:
    response = other_tab(amara.stripe).press_pay()
    assert response.status_code == 409
    assert ASKED in response.content.decode()
    assert Adoption.objects.count() == 1


def test_same_again_is_asked_about_on_the_check_page_already(amara: Amara, paid: Adoption) -> None:
    page = amara.client.post("/adopt/amur-leopard/", {**other_tab(amara.stripe).answers(), "step": "check"})
    assert "Yes, I want one more" in page.content.decode()
    other = amara.client.post("/adopt/amur-leopard/", {**other_tab(amara.stripe).answers(amount_once="2400")})
    assert "Yes, I want one more" not in other.content.decode()


def test_one_more_is_made_if_they_say_so_and_nobody_is_called(amara: Amara, paid: Adoption) -> None:
    tab = other_tab(amara.stripe)
    second = tab.adopt(another="yes")
    assert PAID in tab.come_back(second)
    second.refresh_from_db()
    assert (Adoption.objects.count(), second.state, second.is_another) == (2, "active", True)
    assert twice() == []


@pytest.mark.parametrize(
    "changes",
    [{"amount_once": "2400"}, {"frequency": "monthly"}, {"email": "ellie@example.org"}],
    ids=["amount", "rhythm", "address"],
)
def test_another_wish_is_not_asked_about(amara: Amara, paid: Adoption, changes: dict[str, str]) -> None:
    assert other_tab(amara.stripe).press_pay(**changes).status_code == 303
    assert Adoption.objects.count() == 2


def test_same_again_after_half_an_hour_is_not_asked_about(amara: Amara, paid: Adoption) -> None:
    Adoption.objects.update(created_at=timezone.now() - timedelta(minutes=31))
    assert other_tab(amara.stripe).press_pay().status_code == 303


def test_address_in_other_letters_is_the_same_address(amara: Amara, paid: Adoption) -> None:
    assert other_tab(amara.stripe).press_pay(email="AMARA@Example.ORG").status_code == 409


def test_two_links_lead_to_one_page(amara: Amara) -> None:
    first = amara.press_pay(c="spring-one").headers["Location"]
    second = other_tab(amara.stripe).press_pay(c="spring-two").headers["Location"]
    assert first == second
    assert Adoption.objects.get().campaign_code == "spring-one"


def test_two_presents_for_two_people_are_two_pages(amara: Amara) -> None:
    gift = {"is_gift": "gift", "delivery": "self"}
    first = amara.press_pay(recipient_name="Ellie", **gift).headers["Location"]
    again = other_tab(amara.stripe).press_pay(recipient_name="Ellie", **gift).headers["Location"]
    other = other_tab(amara.stripe).press_pay(recipient_name="Tom", **gift).headers["Location"]
    assert first == again != other
    assert Adoption.objects.count() == 2


def test_page_paid_in_the_first_tab_leads_the_second_to_the_thanks(amara: Amara) -> None:
    """Nothing has been heard from Stripe yet."""
    adoption = amara.adopt()
    assert other_tab(amara.stripe).press_pay().headers["Location"] == adoption.get_absolute_url()


def test_six_links_pressed_at_once_make_one_adoption_and_one_page(amara: Amara) -> None:
    places: list[str] = []
    at_once(6, lambda: places.append(other_tab(amara.stripe).press_pay().headers["Location"]))
    assert len(set(places)) == 1
    assert Adoption.objects.count() == 1


def without_the_supporters_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = QuerySet.select_for_update

    def no_lock(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self if kwargs.get("no_key") else lock(self, *args, **kwargs)

    monkeypatch.setattr(QuerySet, "select_for_update", no_lock)


def test_six_links_at_once_without_the_lock_make_more_than_one(amara: Amara, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: without the supporter's lock the test above would fail."""
    without_the_supporters_lock(monkeypatch)
    for _ in range(10):
        at_once(8, lambda: other_tab(amara.stripe).press_pay())
        if Adoption.objects.count() > 1:
            return
        Adoption.objects.all().delete()
    pytest.fail("Even without the lock only one adoption was made: this test proves nothing.")


# --- after paying -------------------------------------------------------------------------------------------


def pay_both(amara: Amara, *, frequency: str) -> tuple[Adoption, Adoption]:
    """Two pages open since this morning, forgotten and paid one after the other."""
    pages = []
    for attempt in (str(uuid.uuid4()), str(uuid.uuid4())):
        pages.append(amara.reach_stripe(attempt=attempt, frequency=frequency))
        Adoption.objects.update(created_at=timezone.now() - timedelta(hours=2))
    first, second = pages
    for adoption in pages:
        amara.stripe.pay(adoption.stripe_session_id or "")
    return first, second


@pytest.mark.parametrize("frequency", ["once", "monthly"])
def test_two_forgotten_pages_paid_are_noticed_once_with_an_offer(amara: Amara, frequency: str) -> None:
    first, second = pay_both(amara, frequency=frequency)
    for _ in range(2):
        carry(amara.client, ours(amara.stripe, first) + ours(amara.stripe, second))
        work()
    assert twice() == [second.reference]
    assert Attention.objects.get().adoption == second
    assert Mail.objects.filter(kind="attention").count() == 1


def money_of_both_arrives_at_once(amara: Amara) -> Adoption:
    """The second of the two."""
    first, second = pay_both(amara, frequency="once")
    turns = iter([first, second] * 4)
    at_once(8, lambda: fulfilment.sync_session(next(turns).stripe_session_id or ""))
    return second


def test_two_pages_whose_money_arrives_at_the_same_moment_are_noticed(
    amara: Amara, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly(monkeypatch, gifts, "money_arrived")  # the last act before the commit
    second = money_of_both_arrives_at_once(amara)
    assert twice() == [second.reference]


def test_control_without_the_lock_neither_sees_the_other(amara: Amara, monkeypatch: pytest.MonkeyPatch) -> None:
    slowly(monkeypatch, gifts, "money_arrived")
    without_the_supporters_lock(monkeypatch)
    for _ in range(5):
        money_of_both_arrives_at_once(amara)
        if twice() == []:
            return
        Attention.objects.all().delete()
        Adoption.objects.update(created_at=timezone.now() - timedelta(days=9))
    pytest.fail("Even without the lock one saw the other: the test above proves nothing.")


def test_replaced_page_that_was_paid_nevertheless_is_given_back_with_one_button(amara: Amara) -> None:
    """Its closing was lost on the way: both pages of one adoption are paid."""
    adoption = amara.adopt(frequency="monthly")
    first_page = adoption.stripe_session_id or ""
    second_page = forget_page_and_open_another(amara, adoption)
    amara.stripe.pay(second_page)
    assert PAID in amara.come_back(Adoption.objects.get())
    for _ in range(2):
        fulfilment.sync_session(first_page)
    assert twice() == [first_page]
    attention = Attention.objects.get()
    marek = User.objects.create_superuser("marek")
    client = Client()
    client.force_login(marek)
    button = f"/admin/adoptions/attention/{attention.pk}/give-back/"
    press_twice(client, button, {}, reads=("£5 too much", f"It is about {adoption} of Amara"))
    attention.refresh_from_db()
    assert attention.resolved_by == marek
    session = stripe_gateway.read_session(first_page)
    assert stripe_gateway.read_subscription(session.subscription or "").status == "canceled"
    [invoice] = stripe_invoices.read_invoices_of(session.subscription or "")
    charge = stripe_gateway.read_charge_of(invoice.payment_intents[0])
    assert charge
    assert sum(refund.amount_pence for refund in charge.refunds) == charge.amount_pence == 500
    adoption.refresh_from_db()
    assert (adoption.state, adoption.payments.balance_pence()) == (AdoptionState.ACTIVE, 500)
    assert client.post(button).status_code == 404


def test_large_second_page_goes_back_when_two_have_pressed(amara: Amara, settings: Any) -> None:
    settings.REFUND_ALONE_PENCE = 3000
    adoption = amara.adopt()
    first_page = adoption.stripe_session_id or ""
    amara.stripe.pay(forget_page_and_open_another(amara, adoption))
    amara.come_back(Adoption.objects.get())
    fulfilment.sync_session(first_page)
    attention, marek, priya = Attention.objects.get(), *map(User.objects.create_superuser, ("marek", "priya"))
    desk, button = Client(), f"/admin/adoptions/attention/{attention.pk}/give-back/"
    intent = stripe_gateway.read_session(first_page).payment_intent or ""
    desk.force_login(marek)
    for _ in range(2):
        waits = press_twice(desk, button, {}, reads=("If that is more than £30",))
        assert "No money went back yet" in waits.text
    charge = stripe_gateway.read_charge_of(intent)
    assert charge
    assert charge.refunds == ()
    attention.refresh_from_db()
    assert (attention.asked_by, attention.resolved_at) == (marek, None)
    desk.force_login(priya)
    assert "All of it went back" in press_twice(desk, button, {}, reads=("marek has asked for it.",)).text
    charge = stripe_gateway.read_charge_of(intent)
    assert charge
    assert [refund.amount_pence for refund in charge.refunds] == [3600]
    attention.refresh_from_db()
    assert (attention.asked_by, attention.resolved_by) == (marek, priya)


def give_back_in_four_tabs(amara: Amara) -> Charge:
    adoption = amara.adopt()
    first_page = adoption.stripe_session_id or ""
    amara.stripe.pay(forget_page_and_open_another(amara, adoption))
    amara.come_back(Adoption.objects.get())
    fulfilment.sync_session(first_page)
    attention, marek = Attention.objects.get(), User.objects.create_superuser("marek")
    at_once(4, lambda: refunds.give_back_second_page(attention, by=marek))
    charge = stripe_gateway.read_charge_of(stripe_gateway.read_session(first_page).payment_intent or "")
    assert charge
    return charge


def test_giving_a_second_page_back_twice_at_once_sends_the_money_once(
    amara: Amara, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_look_before_one_asks(monkeypatch)
    assert [refund.amount_pence for refund in give_back_in_four_tabs(amara).refunds] == [3600]


def test_control_without_the_idempotency_key_stripe_is_asked_for_more_than_there_is(
    amara: Amara, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It refuses, and whoever pressed second reads of a failure that is none."""
    all_look_before_one_asks(monkeypatch)
    service = type(stripe_gateway.client().v1.refunds)
    create = service.create
    monkeypatch.setattr(service, "create", lambda self, params, options: create(self, params))
    with pytest.raises(AssertionError, match="charge_already_refunded"):
        give_back_in_four_tabs(amara)


def all_look_before_one_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    barrier, refund = threading.Barrier(4), stripe_acts.refund

    def wait(*args: Any, **options: Any) -> str:
        barrier.wait(10)
        return refund(*args, **options)

    monkeypatch.setattr(stripe_acts, "refund", wait)


def forget_page_and_open_another(amara: Amara, adoption: Adoption) -> str:
    Adoption.objects.filter(pk=adoption.pk).update(stripe_session_id=None, session_number=2)
    again = amara.reach_stripe(frequency=adoption.frequency)
    return again.stripe_session_id or ""
