"""What may arrive at the webhook: other accounts' news, other modes, other versions, nonsense, and our own faults."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import stripe
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from adoptions import checkout, emails, webhooks
from adoptions.models import Adoption, Payment, StripeEvent
from config.money import NotPence
from tests.adoptions.conftest import carry, signed
from tests.adoptions.invariants import violations
from tests.adoptions.world import Event, World, deliver, receipts, shown, work_events
from tests.makers import make_adoption, make_payment


def an_event(kind: str, thing: Event, **changes: Any) -> Event:
    event = {
        "id": f"evt_{kind.replace('.', '_')}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "livemode": False,
        "type": kind,
        "data": {"object": thing},
    }
    return {**event, **changes}


# --- case 2: the same fact under other names --------------------------------------------------------------------


def test_fact_told_by_two_endpoints_under_other_ids_is_one_payment(world: World, client: Client) -> None:
    adoption = world.adopt()
    events = world.new_events()
    deliver(client, events + [{**event, "id": f"{event['id']}B"} for event in events])
    assert (shown(adoption), receipts(adoption)) == (("active", (("charge", 3600),)), 1)


# --- case 18: somebody else's name ------------------------------------------------------------------------------


@pytest.mark.threat("M1")
def test_metadata_that_names_another_adoption_changes_neither(world: World, client: Client) -> None:
    mine, other = world.page(), world.page()
    session = world.session(mine)
    metadata = {**session["metadata"], "adoption": str(other.public_id)}
    world.change("checkout.session", session["id"], metadata=metadata, _data={"metadata": metadata})
    world.pay(session["id"])
    deliver(client, world.new_events())
    assert shown(mine) == ("active", (("charge", 3600),))
    assert shown(other) == ("pending", ())


@pytest.mark.threat("M1")
def test_page_of_another_adoption_is_not_claimed_by_one_that_has_its_own(world: World, client: Client) -> None:
    other = world.page()
    stray = world.page()
    metadata = world.session(other)["metadata"]
    world.change("checkout.session", stray.stripe_session_id or "", metadata=metadata, _data={"metadata": metadata})
    Adoption.objects.filter(pk=stray.pk).delete()
    world.pay(stray.stripe_session_id or "")
    deliver(client, world.new_events())
    assert shown(other) == ("pending", ())
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {"ignored"}


# --- case 19: nothing of ours -----------------------------------------------------------------------------------

UNKNOWN = [
    ("checkout.session.completed", "cs_test_unknown"),
    ("invoice.paid", "in_unknown"),
    ("customer.subscription.updated", "sub_unknown"),
    ("customer.subscription.deleted", "sub_unknown"),
    ("charge.refunded", "ch_unknown"),
    ("refund.updated", "re_unknown"),
    ("charge.dispute.created", "du_unknown"),
    ("charge.dispute.closed", ""),
]


@pytest.mark.parametrize(("kind", "stripe_id"), UNKNOWN)
def test_event_about_something_unknown_makes_nothing(world: World, client: Client, kind: str, stripe_id: str) -> None:
    deliver(client, [an_event(kind, {"id": stripe_id})])
    assert StripeEvent.objects.get().state == "ignored"
    assert not Adoption.objects.exists()


def test_event_of_another_account_has_no_effect_and_says_why(world: World, client: Client) -> None:
    adoption = world.adopt()
    deliver(client, [{**event, "account": "acct_other"} for event in world.new_events()])
    assert shown(adoption) == ("pending", ())
    assert set(StripeEvent.objects.values_list("state", "error")) == {
        ("ignored", "Sent for another account: acct_other.")
    }


def test_event_about_an_object_without_an_id_makes_nothing(world: World, client: Client) -> None:
    deliver(client, [an_event("invoice.paid", {"object": "invoice"})])
    assert StripeEvent.objects.get().state == "ignored"


def test_manual_invoice_and_charge_without_an_intent_are_nothing_of_ours(world: World, client: Client) -> None:
    adoption = world.adopt_monthly()
    [invoice] = world.books.all("invoice")
    charge = world.books.need("charge", world.paid_charge(adoption))
    world.books.save(invoice | {"id": "in_manual", "parent": None})
    world.books.save(charge | {"id": "ch_manual", "payment_intent": None, "invoice": None})
    made = [an_event("invoice.paid", {"id": "in_manual"}), an_event("charge.refunded", {"id": "ch_manual"})]
    deliver(client, made)
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {"ignored"}
    assert not Payment.objects.exists()


def test_dispute_of_money_in_another_currency_is_no_fault(world: World, client: Client) -> None:
    adoption = world.page()
    world.change("checkout.session", adoption.stripe_session_id or "", currency="eur")
    world.pay(adoption.stripe_session_id or "")
    world.dispute(adoption)
    deliver(client, world.new_events())
    assert shown(adoption) == ("held", ())
    assert not StripeEvent.objects.filter(state="parked").exists()


# --- case 20: the other mode ------------------------------------------------------------------------------------


def test_live_event_at_a_test_site_has_no_effect(world: World, client: Client) -> None:
    adoption = world.adopt()
    deliver(client, [{**event, "livemode": True} for event in world.new_events()])
    assert shown(adoption) == ("pending", ())
    assert set(StripeEvent.objects.values_list("error", flat=True)) == {"Sent for the other mode (live or test)."}


@pytest.mark.threat("M1", "M11")
def test_test_event_at_a_live_site_has_no_effect(world: World, client: Client, settings: Any) -> None:
    settings.STRIPE_LIVEMODE = True
    adoption = world.adopt()
    deliver(client, world.new_events())
    assert shown(adoption) == ("pending", ())
    world.come_back(adoption)
    adoption.refresh_from_db()
    assert adoption.state == "held"
    assert "another mode" in adoption.held_because


# --- cases 22 and 23: age, and nonsense -------------------------------------------------------------------------


def test_event_of_three_days_ago_signed_now_counts_and_an_old_signature_does_not(world: World, client: Client) -> None:
    adoption = world.adopt()
    events = [{**event, "created": event["created"] - 3 * 86400} for event in world.new_events()]
    old = [client.post("/stripe/webhook/", **signed(one, at=int(time.time()) - 600)).status_code for one in events]
    assert set(old) == {400}
    assert not StripeEvent.objects.exists()
    deliver(client, events)
    assert shown(adoption)[0] == "active"


def test_one_of_two_signatures_is_enough(client: Client, db: None) -> None:
    body = json.dumps(an_event("customer.created", {"id": "cus_1"}))
    right = stripe.WebhookSignature.generate_signature_header(body, "whsec_standin")
    stamp, proof = right.split(",")
    header = f"{stamp},v1={'0' * 64},{proof}"
    answer = client.post(
        "/stripe/webhook/", body, content_type="application/json", headers={"Stripe-Signature": header}
    )
    assert answer.status_code == 200


@pytest.mark.threat("P4")
@pytest.mark.parametrize("body", ["[" * 5000, '{"a":' * 5000, "x" * (6 * 1024 * 1024)], ids=["deep", "nested", "6 MiB"])
def test_body_too_deep_or_too_long_is_refused(client: Client, db: None, body: str) -> None:
    header = stripe.WebhookSignature.generate_signature_header(body, "whsec_standin")
    answer = client.post(
        "/stripe/webhook/", body, content_type="application/json", headers={"Stripe-Signature": header}
    )
    assert 400 <= answer.status_code < 500
    assert not StripeEvent.objects.exists()


# --- case 24: another version -----------------------------------------------------------------------------------


def test_events_in_the_shapes_of_another_version_are_read_again_at_ours(world: World, client: Client) -> None:
    """Only ids are taken from an event; older invoices named their subscription and intent in other places."""
    adoption = world.adopt_monthly()
    world.refund(adoption, 100)

    def older(event: Event) -> Event:
        thing = event["data"]["object"]
        if thing["object"] == "invoice":
            thing = {k: v for k, v in thing.items() if k != "parent"} | {"subscription": "sub_x", "amount_paid": 1}
        return {**event, "api_version": "2024-06-20", "data": {"object": thing}}

    deliver(client, [older(event) for event in world.new_events()])
    assert shown(adoption) == ("active", (("charge", 500), ("refund", -100)))
    assert violations(world.books) == []


# --- case 25: our own faults ------------------------------------------------------------------------------------


@contextmanager
def database_down(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> Iterator[None]:
    def fail(*args: Any, **options: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(module, name, fail)
        yield


@pytest.mark.threat("M5", "X1")
def test_database_down_at_the_door_is_not_answered_with_200_and_heals(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    adoption = world.adopt()
    events = world.new_events()
    client.raise_request_exception = False
    with database_down(monkeypatch, webhooks, "keep"):
        assert {answer for answer in carry(client, events) if answer < 500} == set()
    assert not StripeEvent.objects.exists()
    deliver(client, events)
    assert shown(adoption)[0] == "active"


@pytest.mark.threat("X1")
def test_database_down_in_the_middle_of_the_work_leaves_nothing_half_written_and_heals(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    adoption = world.adopt()
    carry(client, [event for event in world.new_events() if event["type"] == "checkout.session.completed"])
    with database_down(monkeypatch, emails, "queue_receipt"):
        [failure] = work_events()
    assert isinstance(failure, OperationalError)
    assert shown(adoption) == ("pending", ())
    assert StripeEvent.objects.get().state == "parked"
    webhooks.work(StripeEvent.objects.get().pk)
    assert (shown(adoption), receipts(adoption)) == (("active", (("charge", 3600),)), 1)
    assert StripeEvent.objects.get().state == "done"


# --- going back and answering differently -----------------------------------------------------------------------


def test_monthly_answer_that_was_declined_may_become_a_single_one(world: World, client: Client) -> None:
    """The declined page left a subscription at Stripe; its news must not tie the adoption to it."""
    adoption = world.adopt_monthly("declined")
    deliver(client, world.new_events())
    adoption.refresh_from_db()
    checkout.change_terms(adoption, {"frequency": "once", "amount_pence": 2400})
    assert checkout.page_to_pay(adoption)
    deliver(client, world.new_events())
    adoption.refresh_from_db()
    world.pay(adoption.stripe_session_id or "")
    deliver(client, world.new_events())
    assert shown(adoption) == ("active", (("charge", 2400),))


def test_news_of_a_page_that_was_replaced_does_not_touch_the_new_one(world: World, client: Client) -> None:
    adoption = world.adopt_monthly("declined")
    checkout.change_terms(adoption, {"amount_pence": 1000})
    assert checkout.page_to_pay(adoption)
    deliver(client, world.new_events())
    assert shown(adoption) == ("pending", ())
    adoption.refresh_from_db()
    world.pay(adoption.stripe_session_id or "")
    deliver(client, world.new_events())
    assert shown(adoption) == ("active", (("charge", 1000),))


# --- the thousandth event costs what the tenth did --------------------------------------------------------------


def cost_of(world: World, client: Client, events: list[Event]) -> list[tuple[int, int]]:
    """Queries and requests to Stripe for each event, delivered and worked alone."""
    costs = []
    for event in events:
        before = len(world.asked)
        with CaptureQueriesContext(connection) as captured:
            deliver(client, [event])
        costs.append((len(captured), len(world.asked) - before))
    return costs


def a_thousand_more(adoption: Adoption) -> None:
    """Payments and events of eighty years before."""
    long_ago = adoption.created_at - timedelta(days=1000)
    charges = [
        Payment(
            adoption=adoption,
            kind="charge",
            amount_pence=500,
            stripe_id=f"ch_{n}",
            invoice_id=f"in_{n}",
            occurred_at=long_ago,
        )
        for n in range(1000)
    ]
    Payment.objects.bulk_create(charges)
    now = timezone.now()
    events = [
        StripeEvent(id=f"evt_{n}", type="invoice.paid", object_id=f"in_{n}", body=b"{}", state="done", worked_at=now)
        for n in range(1000)
    ]
    StripeEvent.objects.bulk_create(events)


def test_thousandth_event_of_a_subscription_costs_what_the_tenth_did(world: World, client: Client) -> None:
    adoption = world.adopt_monthly()
    deliver(client, world.new_events())

    def three_renewals() -> list[Event]:
        world.advance(months=3, days=1)  # February is too short for a month that began on the 29th
        kinds = {"invoice.paid", "customer.subscription.updated"}
        return [event for event in world.new_events() if event["type"] in kinds]

    early = cost_of(world, client, three_renewals())
    a_thousand_more(adoption)
    late = cost_of(world, client, three_renewals())
    assert adoption.payments.count() == 1007
    assert sorted(late) == sorted(early)
    assert max(requests for _, requests in late) <= 2


def test_session_event_of_a_long_subscription_does_not_read_all_of_it_again(world: World, client: Client) -> None:
    adoption = world.adopt_monthly()
    [completed] = [event for event in world.new_events() if event["type"] == "checkout.session.completed"]
    young = cost_of(world, client, [{**completed, "id": "evt_young"}])
    world.advance(months=12)
    deliver(client, world.new_events())
    [old] = cost_of(world, client, [{**completed, "id": "evt_old"}])
    assert adoption.payments.count() == 13
    assert old <= young[0]


def test_unpaid_adoption_is_left_alone_by_events_of_others(world: World, client: Client) -> None:
    waiting = make_adoption()
    world.adopt()
    deliver(client, world.new_events())
    assert shown(waiting) == ("pending", ())


# --- a thousand events for one subscription ---------------------------------------------------------------------


def cost_of_the_next(world: World, client: Client, event: Event, number: int) -> tuple[int, int, int]:
    """Statements to keep it, statements to work it, requests to Stripe."""
    fresh = {**event, "id": f"evt_next_{number}"}
    with CaptureQueriesContext(connection) as keeping:
        assert carry(client, [fresh]) == [200]
    world.asked.clear()
    with CaptureQueriesContext(connection) as working:
        webhooks.work(fresh["id"])
    return len(keeping), len(working), len(world.asked)


COSTS = [("customer.subscription.updated", (1, 7, 1)), ("invoice.paid", (1, 8, 2))]


@pytest.mark.parametrize(("kind", "cost"), COSTS, ids=[kind for kind, _ in COSTS])
def test_event_after_a_thousand_costs_what_it_cost_after_ten(
    world: World, client: Client, kind: str, cost: tuple[int, int, int]
) -> None:
    adoption = world.adopt_monthly()
    events = world.new_events()
    deliver(client, events)
    event = next(one for one in events if one["type"] == kind)
    rows = [
        StripeEvent(id=f"evt_{n}", type=kind, object_id=event["data"]["object"]["id"], body=b"{}", state="ignored")
        for n in range(1000)
    ]
    for row in rows:
        row.worked_at = timezone.now()
    StripeEvent.objects.bulk_create(rows[:10])
    assert cost_of_the_next(world, client, event, 10) == cost
    StripeEvent.objects.bulk_create(rows[10:])
    for n in range(100):
        make_payment(adoption, stripe_id=f"ch_old_{n}", invoice_id=f"in_old_{n}", occurred_at=adoption.created_at)
    assert cost_of_the_next(world, client, event, 1000) == cost


def test_amount_that_is_no_whole_number_is_parked_with_its_reason_and_shown_as_not_yet(
    world: World, client: Client
) -> None:
    adoption = world.adopt()
    charge = world.paid_charge(adoption)
    world.change("charge", charge, amount=3600.0)
    carry(client, world.new_events())
    assert [type(failure) for failure in work_events()] == [NotPence]
    parked = StripeEvent.objects.get(state="parked")
    assert parked.error == "NotPence: 3600.0 is no whole number of pence."
    assert client.get(f"/adoptions/{adoption.public_id}/thanks/?s={adoption.stripe_session_id}").status_code == 200
    assert shown(adoption) == ("pending", ())
    world.change("charge", charge, amount=3600)
    webhooks.work(parked.pk)
    assert shown(adoption) == ("active", (("charge", 3600),))
