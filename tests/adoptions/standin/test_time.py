"""What months bring: renewals, failures and retries, Direct Debits, pauses, endings."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from adoptions.stripe_standin.clock import period_end
from tests.adoptions.standin.conftest import checkout, latest_charge, subscribe
from tests.standin import Standin


def status(standin: Standin, subscription: str) -> str:
    return standin.client.v1.subscriptions.retrieve(subscription).status


def bills(standin: Standin, subscription: str) -> list[tuple[Any, int]]:
    """Invoices, oldest first: status and total."""
    found = standin.client.v1.invoices.list({"subscription": subscription, "limit": 100}).data
    return [(one.status, one.total) for one in reversed(found)]


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("anchor", "after", "interval", "end"),
    [
        ("2027-01-31", "2027-01-31", "month", "2027-02-28"),
        ("2027-01-31", "2027-02-28", "month", "2027-03-31"),
        ("2028-02-29", "2028-02-29", "year", "2029-02-28"),
        ("2028-02-29", "2031-02-28", "year", "2032-02-29"),
        ("2027-12-15", "2027-12-15", "month", "2028-01-15"),
        ("2027-12-15", "2027-12-15", "week", "2027-12-22"),
    ],
)
def test_periods_are_counted_from_the_anchor(anchor: str, after: str, interval: str, end: str) -> None:
    assert period_end(moment(anchor), moment(after), interval, 1) == moment(end)


def test_three_months_bring_three_renewals(standin: Standin) -> None:
    key = subscribe(standin)
    standin.advance(months=3)
    assert bills(standin, key) == [("paid", 1200)] * 4
    invoices = standin.client.v1.invoices.list({"subscription": key}).data
    periods = [(one.lines.data[0].period.start, one.lines.data[0].period.end) for one in reversed(invoices)]
    assert [end for _, end in periods[:-1]] == [start for start, _ in periods[1:]]
    item = standin.client.v1.subscriptions.retrieve(key)["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == periods[-1]
    assert [one.billing_reason for one in reversed(invoices)] == ["subscription_create"] + ["subscription_cycle"] * 3
    assert len({one.id for one in standin.client.v1.payment_intents.list().data}) == 4


def test_each_renewal_happens_at_its_own_time(standin: Standin) -> None:
    key = subscribe(standin)
    standin.advance(years=1)
    paid = [event["created"] for event in standin.events("invoice.paid")]
    due = [one.period_end for one in reversed(standin.client.v1.invoices.list({"limit": 100}).data)]
    assert len(paid) == 13
    assert paid == due
    assert status(standin, key) == "active"


def test_renewal_that_fails_is_retried_and_recovers(standin: Standin) -> None:
    key = subscribe(standin)
    standin.control("fail_renewals", subscription=key, times=2)
    standin.advance(months=1)
    invoice = standin.client.v1.invoices.list({"subscription": key}).data[0]
    assert (status(standin, key), invoice.status, invoice.attempt_count) == ("past_due", "open", 1)
    assert invoice.next_payment_attempt is not None
    told = standin.events("invoice.payment_failed")[0]["data"]["object"]
    assert told["next_payment_attempt"] == invoice.next_payment_attempt
    standin.advance(days=3)
    assert (status(standin, key), bills(standin, key)[-1]) == ("past_due", ("open", 1200))
    standin.advance(days=5)
    assert (status(standin, key), bills(standin, key)[-1]) == ("active", ("paid", 1200))
    again = standin.client.v1.invoices.retrieve(str(invoice.id))
    assert (again.attempt_count, again.next_payment_attempt) == (3, None)


def test_renewal_that_fails_four_times_ends_the_subscription(standin: Standin) -> None:
    key = subscribe(standin)
    standin.control("fail_renewals", subscription=key, times=9)
    standin.advance(days=50)
    ended = standin.client.v1.subscriptions.retrieve(key)
    assert ended.cancellation_details is not None
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert [event["type"] for event in standin.events("invoice.payment_failed")] == ["invoice.payment_failed"] * 4
    standin.advance(months=3)
    assert len(bills(standin, key)) == 2


def test_renewal_that_needs_its_payer_is_confirmed_on_the_invoice(standin: Standin) -> None:
    key = subscribe(standin)
    standin.control("ask_at_renewal", subscription=key)
    standin.advance(months=1)
    invoice = standin.client.v1.invoices.list({"subscription": key}).data[0]
    assert (status(standin, key), invoice.status) == ("past_due", "open")
    assert len(standin.events("invoice.payment_action_required")) == 1
    page = standin.open(str(invoice.hosted_invoice_url)).text
    question = page.split('<a href="')[1].split('"')[0]
    assert standin.confirm(question) == f"/i/{invoice.id}"
    assert (status(standin, key), bills(standin, key)[-1]) == ("active", ("paid", 1200))


def test_failed_invoice_is_paid_with_another_card_on_its_page(standin: Standin) -> None:
    key = subscribe(standin)
    standin.control("fail_renewals", subscription=key, times=9)
    standin.advance(months=1)
    invoice = standin.client.v1.invoices.list({"subscription": key}).data[0]
    assert standin.press(str(invoice.hosted_invoice_url), method="declined").location == f"/i/{invoice.id}"
    assert "Your card was declined." in standin.open(f"/i/{invoice.id}").text
    standin.press(f"/i/{invoice.id}", method="ok")
    assert (status(standin, key), bills(standin, key)[-1]) == ("active", ("paid", 1200))
    standin.press(f"/i/{invoice.id}", method="ok")
    paid = [one for one in standin.client.v1.charges.list().data if one.status == "succeeded"]
    assert len(paid) == 2


def test_open_invoice_is_paid_through_the_api(standin: Standin) -> None:
    key = subscribe(standin)
    standin.control("fail_renewals", subscription=key, times=2)
    standin.advance(months=1)
    invoice = str(standin.client.v1.invoices.list({"subscription": key}).data[0].id)
    with pytest.raises(stripe.CardError) as caught:
        standin.client.v1.invoices.pay(invoice)
    assert (caught.value.http_status, caught.value.code) == (402, "card_declined")
    assert standin.client.v1.invoices.pay(invoice).status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        standin.client.v1.invoices.pay(invoice)


# --- Direct Debit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["payment", "subscription"])
def test_debit_is_unpaid_until_the_bank_has_paid(standin: Standin, mode: str) -> None:
    session = checkout(standin, mode)
    assert standin.pay(session.id, "bacs").startswith("http://site.example/thanks/")
    waiting = standin.client.v1.checkout.sessions.retrieve(session.id)
    assert (waiting.status, waiting.payment_status, latest_charge(standin).status) == ("complete", "unpaid", "pending")
    standin.advance(days=3)
    assert standin.client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    standin.advance(days=2)
    assert standin.client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert [event["type"] for event in standin.events() if event["type"].startswith("checkout")] == [
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
    ]
    details = latest_charge(standin).payment_method_details
    assert standin.client.v1.mandates.retrieve(details.bacs_debit.mandate).status == "active"
    assert standin.open(f"/mandate/{details.bacs_debit.mandate}").status == 200


def test_first_debit_that_fails_is_told_and_retried(standin: Standin) -> None:
    session = checkout(standin, "subscription")
    standin.pay(session.id, "bacs_fails")
    key = str(standin.client.v1.checkout.sessions.retrieve(session.id).subscription)
    assert status(standin, key) == "active"
    standin.advance(days=5)
    assert (status(standin, key), bills(standin, key)) == ("past_due", [("open", 1200)])
    assert len(standin.events("checkout.session.async_payment_failed")) == 1
    assert standin.client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    standin.advance(days=60)
    assert status(standin, key) == "canceled"
    assert len(standin.events("checkout.session.async_payment_failed")) == 1


def test_debit_claimed_back_is_lost_at_once(standin: Standin) -> None:
    standin.pay(checkout(standin).id, "bacs_disputed")
    standin.advance(days=5)
    standin.advance(seconds=1)
    dispute = standin.client.v1.disputes.list().data[0]
    assert (dispute.status, dispute.reason) == ("lost", "debit_not_authorized")


def test_bank_can_be_made_to_answer_now(standin: Standin) -> None:
    key = subscribe(standin, "bacs")
    intent = latest_charge(standin).payment_intent
    standin.control("settle_debit", payment_intent=intent, fails=1)
    assert status(standin, key) == "past_due"
    standin.advance(days=10)
    assert bills(standin, key) == [("paid", 1200)]


def test_debit_renews_and_one_that_fails_recovers(standin: Standin) -> None:
    key = subscribe(standin, "bacs")
    standin.advance(days=5)
    standin.control("fail_renewals", subscription=key)
    standin.advance(days=31)
    assert (status(standin, key), bills(standin, key)) == ("past_due", [("paid", 1200), ("open", 1200)])
    standin.advance(days=12)
    assert (status(standin, key), bills(standin, key)) == ("active", [("paid", 1200), ("paid", 1200)])


def test_site_may_take_cards_only(standin: Standin) -> None:
    session = checkout(standin, allowed_payment_method_types=["card"])
    assert session.payment_method_types == ["card"]
    standin.pay(session.id, "bacs")
    assert standin.client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert "Bacs" not in standin.open(f"/c/pay/{session.id}").text


# --- what the site changes ------------------------------------------------------------------------------------


def test_cancel_at_period_end_can_be_undone_and_then_ends(standin: Standin) -> None:
    key = subscribe(standin)
    ending = standin.client.v1.subscriptions.update(key, {"cancel_at_period_end": True})
    assert ending.cancel_at == ending["items"].data[0].current_period_end
    back = standin.client.v1.subscriptions.update(key, {"cancel_at_period_end": False})
    assert (back.cancel_at, back.canceled_at) == (None, None)
    standin.advance(months=1)
    assert len(bills(standin, key)) == 2
    standin.client.v1.subscriptions.update(key, {"cancel_at_period_end": True})
    standin.advance(months=1)
    assert (status(standin, key), len(bills(standin, key))) == ("canceled", 2)
    before = standin.events("customer.subscription.updated")[1]["data"]["previous_attributes"]
    assert before["cancel_at_period_end"] is False


def test_cancel_at_a_date_ends_there(standin: Standin) -> None:
    key = subscribe(standin)
    at = standin.control("now")["now"] + 100 * 24 * 3600
    standin.client.v1.subscriptions.update(key, {"cancel_at": at})
    standin.advance(days=99)
    assert (status(standin, key), len(bills(standin, key))) == ("active", 4)
    standin.advance(days=2)
    ended = standin.client.v1.subscriptions.retrieve(key)
    assert (ended.status, ended.ended_at) == ("canceled", at)


def test_cancel_now_ends_now(standin: Standin) -> None:
    key = subscribe(standin)
    ended = standin.client.v1.subscriptions.cancel(key, {"cancellation_details": {"feedback": "too_expensive"}})
    assert ended.cancellation_details is not None
    assert (ended.status, ended.cancellation_details.feedback) == ("canceled", "too_expensive")
    with pytest.raises(stripe.InvalidRequestError):
        standin.client.v1.subscriptions.cancel(key)
    standin.advance(months=2)
    assert len(bills(standin, key)) == 1
    assert standin.client.v1.subscriptions.list().data == []
    assert len(standin.client.v1.subscriptions.list({"status": "ended"}).data) == 1


@pytest.mark.parametrize(
    ("behavior", "kept"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_paused_collection_charges_nobody_until_it_resumes(standin: Standin, behavior: Any, kept: str) -> None:
    key = subscribe(standin)
    until = standin.control("now")["now"] + 45 * 24 * 3600
    standin.client.v1.subscriptions.update(key, {"pause_collection": {"behavior": behavior, "resumes_at": until}})
    standin.advance(months=2)
    assert bills(standin, key) == [("paid", 1200), (kept, 1200), ("paid", 1200)]
    assert standin.client.v1.subscriptions.retrieve(key).pause_collection is None


def test_pause_can_be_lifted_by_hand(standin: Standin) -> None:
    key = subscribe(standin)
    standin.client.v1.subscriptions.update(key, {"pause_collection": {"behavior": "void"}})
    standin.client.v1.subscriptions.update(key, {"pause_collection": ""})
    standin.advance(months=1)
    assert bills(standin, key) == [("paid", 1200)] * 2


def test_next_payment_can_be_put_off(standin: Standin) -> None:
    key = subscribe(standin)
    until = standin.control("now")["now"] + 60 * 24 * 3600
    standin.client.v1.subscriptions.update(key, {"trial_end": until, "proration_behavior": "none"})
    assert status(standin, key) == "trialing"
    standin.advance(days=59)
    assert bills(standin, key) == [("paid", 1200)]
    standin.advance(days=2)
    assert (status(standin, key), bills(standin, key)) == ("active", [("paid", 1200)] * 2)


def test_amount_changes_from_the_next_payment(standin: Standin) -> None:
    key = subscribe(standin)
    item = standin.client.v1.subscriptions.retrieve(key)["items"].data[0]
    price: Any = {
        "currency": "gbp",
        "product": item.price.product,
        "recurring": {"interval": "month"},
        "unit_amount": 500,
    }
    changed = standin.client.v1.subscriptions.update(
        key, {"items": [{"id": item.id, "price_data": price}], "proration_behavior": "none"}
    )
    assert changed["items"].data[0].id == item.id
    assert bills(standin, key) == [("paid", 1200)]
    standin.advance(months=1)
    assert bills(standin, key) == [("paid", 1200), ("paid", 500)]


def test_rhythm_changes_when_what_is_paid_for_ends(standin: Standin) -> None:
    """What adoptions/stripe_acts.py sends, through the real library and held to the contract in both directions."""
    key = subscribe(standin)
    item = standin.client.v1.subscriptions.retrieve(key)["items"].data[0]
    price: Any = {
        "currency": "gbp",
        "product": item.price.product,
        "recurring": {"interval": "year"},
        "unit_amount": 6000,
    }
    standin.client.v1.subscriptions.update(
        key,
        {
            "items": [{"id": item.id, "price_data": price, "quantity": 1}],
            "proration_behavior": "none",
            "trial_end": item.current_period_end,
        },
    )
    assert (status(standin, key), bills(standin, key)) == ("trialing", [("paid", 1200)])
    standin.advance(months=1)
    assert (status(standin, key), bills(standin, key)) == ("active", [("paid", 1200), ("paid", 6000)])
    standin.advance(months=11)
    assert len(bills(standin, key)) == 2
    standin.advance(months=2)
    assert bills(standin, key)[2:] == [("paid", 6000)]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"proration_behavior": "create_prorations"}, "proration_behavior"),
        ({"proration_behavior": "none", "rhythm": "year"}, "items[0][price]"),
        ({"proration_behavior": "none", "item": "si_none"}, "items[0][id]"),
    ],
)
def test_change_the_standin_cannot_make_is_refused_in_words(
    standin: Standin, change: dict[str, str], param: str
) -> None:
    key = subscribe(standin)
    item = standin.client.v1.subscriptions.retrieve(key)["items"].data[0]
    price: Any = {
        "currency": "gbp",
        "product": item.price.product,
        "recurring": {"interval": change.get("rhythm", "month")},
        "unit_amount": 500,
    }
    behaviour: Any = change["proration_behavior"]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.subscriptions.update(
            key, {"items": [{"id": change.get("item", item.id), "price_data": price}], "proration_behavior": behaviour}
        )
    assert caught.value.param == param


def test_ended_subscription_cannot_be_changed(standin: Standin) -> None:
    key = subscribe(standin)
    standin.control("end_subscription", subscription=key)
    with pytest.raises(stripe.InvalidRequestError):
        standin.client.v1.subscriptions.update(key, {"cancel_at_period_end": True})
    assert [event["type"] for event in standin.events()][-1] == "customer.subscription.deleted"


def test_update_that_changes_nothing_tells_nothing(standin: Standin) -> None:
    key = subscribe(standin)
    before = len(standin.events())
    standin.client.v1.subscriptions.update(key, {"cancel_at_period_end": False})
    assert len(standin.events()) == before


# --- the portal -----------------------------------------------------------------------------------------------


def test_portal_changes_the_card_and_stops(standin: Standin) -> None:
    key = subscribe(standin)
    person = str(standin.client.v1.subscriptions.retrieve(key).customer)
    portal = standin.client.v1.billing_portal.sessions.create(
        {"customer": person, "return_url": "http://site.example/"}
    )
    assert "£12.00 every month" in standin.open(portal.url).text
    standin.press(portal.url, act="change_card", method="no_money")
    standin.press(portal.url, act="stop", subscription=key)
    stopping = standin.client.v1.subscriptions.retrieve(key, {"expand": ["default_payment_method"]})
    method = stopping.default_payment_method
    assert isinstance(method, stripe.PaymentMethod)
    assert method.card is not None
    assert (stopping.cancel_at_period_end, method.card.last4) == (True, "9995")
    standin.press(portal.url, act="go_on", subscription=key)
    standin.advance(months=1)
    assert status(standin, key) == "past_due"
    assert standin.open(portal.url).status == 404


def test_portal_for_one_thing_ends_where_the_site_said(standin: Standin) -> None:
    key = subscribe(standin)
    person = str(standin.client.v1.subscriptions.retrieve(key).customer)
    portal = standin.client.v1.billing_portal.sessions.create(
        {
            "customer": person,
            "flow_data": {
                "type": "subscription_cancel",
                "subscription_cancel": {"subscription": key},
                "after_completion": {"type": "redirect", "redirect": {"return_url": "http://site.example/done"}},
            },
        }
    )
    assert "Change your card" not in standin.open(portal.url).text
    assert standin.press(portal.url, act="stop", subscription=key).location == "http://site.example/done"


def test_portal_of_one_customer_does_not_reach_another(standin: Standin) -> None:
    key = subscribe(standin)
    stranger = standin.client.v1.customers.create({"name": "Sam"}).id
    portal = standin.client.v1.billing_portal.sessions.create({"customer": stranger})
    assert standin.press(portal.url, act="stop", subscription=key).status == 404
    assert standin.client.v1.subscriptions.retrieve(key).cancel_at_period_end is False
