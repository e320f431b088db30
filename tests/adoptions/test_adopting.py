"""From the form to the ledger, against the stand-in, over HTTP."""

import random
import threading
import time
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from adoptions.models import Adoption, AdoptionState, Gift, Payment, PaymentKind, StripeEvent, Supporter
from config.models import Mail
from tests.adoptions.conftest import Amara, Stripe, carry, signed, work

PAID = "Your payment has arrived"


def summary(adoption: Adoption) -> tuple[str, int, int, int]:
    """State, number of payments, balance in pence, number of receipts."""
    adoption.refresh_from_db()
    return (
        adoption.state,
        adoption.payments.count(),
        adoption.payments.balance_pence(),
        Mail.objects.filter(kind="receipt").count(),
    )


def ours(stripe: Stripe, adoption: Adoption) -> list[dict[str, Any]]:
    """The events of one adoption: the stand-in serves the whole run of tests."""
    return [e for e in stripe.events() if str(adoption.public_id) in str(e) or is_about(e, adoption)]


def is_about(event: dict[str, Any], adoption: Adoption) -> bool:
    adoption.refresh_from_db()
    known = {
        adoption.stripe_session_id,
        adoption.stripe_subscription_id,
        *adoption.payments.values_list("invoice_id", flat=True),
    }
    return event["data"]["object"].get("id") in known - {"", None}


@pytest.mark.parametrize(("frequency", "pence"), [("once", 3600), ("monthly", 500), ("yearly", 6000)])
def test_adoption_is_active_with_one_payment_and_one_receipt(amara: Amara, frequency: str, pence: int) -> None:
    adoption = amara.adopt(frequency=frequency)
    assert summary(adoption) == ("pending", 0, 0, 0)
    answers = carry(amara.client, ours(amara.stripe, adoption))
    assert set(answers) == {200}
    work()
    assert summary(adoption) == ("active", 1, pence, 1)
    assert Mail.objects.get(kind="receipt").to == "amara@example.org"


@pytest.mark.parametrize("frequency", ["once", "monthly"])
def test_thanks_page_alone_records_what_stripe_says(amara: Amara, frequency: str) -> None:
    adoption = amara.adopt(frequency=frequency)
    assert PAID in amara.come_back(adoption)
    again = amara.come_back(adoption)
    assert PAID in again
    assert ('yourself at <a href="/my-adoption/">' in again) == (frequency != "once")
    assert summary(adoption)[:2] == ("active", 1)
    assert summary(adoption)[3] == 1


def test_thanks_page_before_paying_says_so(amara: Amara) -> None:
    adoption = amara.reach_stripe()
    assert "We have not had the payment yet" in amara.come_back(adoption)
    assert summary(adoption) == ("pending", 0, 0, 0)


@pytest.mark.threat("L5")
def test_thanks_page_shows_the_certificate_to_the_payer_only(amara: Amara) -> None:
    adoption = amara.adopt()
    assert adoption.token in amara.come_back(adoption)
    stranger = Client().get(f"/adoptions/{adoption.public_id}/thanks/?s=cs_test_other").content.decode()
    assert adoption.token not in stranger
    assert "Amara" not in stranger


def test_declined_card_leaves_the_adoption_waiting(amara: Amara) -> None:
    adoption = amara.adopt("declined")
    assert "We have not had the payment yet" in amara.come_back(adoption)
    assert adoption.stripe_session_id
    amara.stripe.pay(adoption.stripe_session_id)
    assert PAID in amara.come_back(adoption)
    assert summary(adoption) == ("active", 1, 3600, 1)


def test_direct_debit_is_on_its_way_for_days_and_then_paid(amara: Amara) -> None:
    adoption = amara.adopt("bacs", frequency="monthly")
    assert "Your payment is on its way" in amara.come_back(adoption)
    assert summary(adoption) == ("processing", 0, 0, 0)
    amara.stripe.control("advance", days=8)
    carry(amara.client, ours(amara.stripe, adoption))
    work()
    assert summary(adoption) == ("active", 1, 500, 1)


def test_direct_debit_that_the_bank_refuses_gives_no_adoption(amara: Amara) -> None:
    adoption = amara.adopt("bacs_fails", frequency="monthly")
    amara.come_back(adoption)
    amara.stripe.control("advance", days=8)
    carry(amara.client, ours(amara.stripe, adoption))
    work()
    assert summary(adoption)[1:] == (0, 0, 0)
    assert adoption.state in {AdoptionState.PROCESSING, AdoptionState.ABANDONED}


@pytest.mark.threat("M3", "M6")
@pytest.mark.parametrize("frequency", ["once", "monthly"])
def test_events_in_any_order_and_number_end_the_same(amara: Amara, frequency: str) -> None:
    adoption = amara.adopt(frequency=frequency)
    events = ours(amara.stripe, adoption) * 5
    random.Random(7).shuffle(events)
    carry(amara.client, events)
    work()
    carry(amara.client, list(reversed(events)))
    work()
    assert summary(adoption)[:2] == ("active", 1)
    assert summary(adoption)[3] == 1
    assert StripeEvent.objects.count() == len(events) // 5


@pytest.mark.threat("M3")
def test_event_delivered_eight_times_at_once_is_kept_once(amara: Amara) -> None:
    adoption = amara.adopt()
    [event] = [e for e in ours(amara.stripe, adoption) if e["type"] == "checkout.session.completed"]
    at_once(8, lambda: carry(Client(), [event]))
    work()
    assert summary(adoption) == ("active", 1, 3600, 1)
    assert StripeEvent.objects.count() == 1


@pytest.mark.threat("M4")
def test_eight_callers_fulfilling_at_once_make_one_payment(amara: Amara) -> None:
    adoption = amara.adopt()
    at_once(8, lambda: Client().get(f"/adoptions/{adoption.public_id}/thanks/?s={adoption.stripe_session_id}"))
    assert summary(adoption) == ("active", 1, 3600, 1)


def at_once(number: int, act: Any) -> None:
    """Run an act in as many threads, all starting together; an exception in one is raised here."""
    start = threading.Barrier(number)
    failures: list[BaseException] = []

    def run() -> None:
        start.wait()
        try:
            act()
        except BaseException as failure:  # noqa: BLE001  told by the assertion below, in the test's own thread
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.threat("M8")
def test_double_click_lands_on_one_adoption_and_one_page(amara: Amara) -> None:
    places: list[str] = []
    at_once(6, lambda: places.append(Amara.press_pay(amara).headers["Location"]))
    assert len(set(places)) == 1
    assert Adoption.objects.count() == 1


@pytest.mark.threat("M8")
def test_going_back_and_answering_differently_closes_the_first_page(amara: Amara) -> None:
    first = amara.reach_stripe()
    second = amara.reach_stripe(amount_once="2400", name="Amara S")
    assert first.pk == second.pk
    assert first.stripe_session_id != second.stripe_session_id
    assert second.amount_pence == 2400
    assert first.stripe_session_id
    amara.stripe.pay(first.stripe_session_id)  # the old page in the other tab: expired, so nothing is paid
    assert summary(second)[0] == "pending"
    assert PAID in amara.come_back(amara.adopt(amount_once="2400", name="Amara S"))
    assert summary(second) == ("active", 1, 2400, 1)


@pytest.mark.threat("M8")
def test_pressing_pay_again_after_paying_leads_to_the_thanks(amara: Amara) -> None:
    adoption = amara.adopt()
    for _ in range(2):
        assert amara.press_pay().headers["Location"] == adoption.get_absolute_url()
        amara.come_back(adoption)
    assert summary(adoption) == ("active", 1, 3600, 1)


def test_answers_changed_after_paying_in_another_tab_change_nothing(amara: Amara) -> None:
    adoption = amara.adopt()
    assert amara.press_pay(amount_once="2400").headers["Location"] == adoption.get_absolute_url()
    adoption.refresh_from_db()
    assert adoption.amount_pence == 3600


def test_page_that_expired_is_replaced(amara: Amara) -> None:
    adoption = amara.reach_stripe()
    amara.stripe.control("advance", days=2)
    carry(amara.client, [e for e in ours(amara.stripe, adoption) if e["type"] == "checkout.session.expired"])
    work()
    adoption.refresh_from_db()
    assert adoption.state == AdoptionState.ABANDONED
    again = amara.adopt()
    assert (again.pk, again.session_number) == (adoption.pk, 2)
    assert PAID in amara.come_back(again)


def test_gift_carries_the_recipients_name(amara: Amara) -> None:
    adoption = amara.adopt(is_gift="gift", recipient_name="王小明 🐆")
    amara.come_back(adoption)
    assert Gift.objects.get().recipient_name == "王小明 🐆"
    assert amara.client.get(f"/adoptions/{adoption.token}/certificate.pdf").content[:5] == b"%PDF-"


def test_gift_turned_into_ones_own_forgets_the_recipient(amara: Amara) -> None:
    amara.reach_stripe(is_gift="gift", recipient_name="Ellie")
    adoption = amara.reach_stripe(is_gift="me")
    assert not Gift.objects.exists()
    assert adoption.is_gift is False


def test_somebody_new_is_at_stripe_after_few_statements(amara: Amara, django_assert_max_num_queries: Any) -> None:
    amara.press_pay(attempt=str(uuid.uuid4()), email="first@example.org")
    with django_assert_max_num_queries(15):
        assert amara.press_pay(email="new@example.org").status_code == 303


def test_supporter_is_known_again_by_address(amara: Amara) -> None:
    amara.adopt()
    amara.adopt(amount_once="2400", email="AMARA@example.org", attempt="11111111-1111-4111-8111-111111111111")
    assert Supporter.objects.count() == 1
    assert Adoption.objects.count() == 2


def test_certificate_is_there_only_once_it_is_paid(amara: Amara) -> None:
    adoption = amara.reach_stripe()
    address = f"/adoptions/{adoption.token}/certificate.pdf"
    assert amara.client.get(address).status_code == 404
    assert adoption.stripe_session_id
    amara.stripe.pay(adoption.stripe_session_id)
    amara.come_back(adoption)
    response = amara.client.get(address)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/pdf")
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response.headers["Cache-Control"]


def test_certificate_of_somebody_elses_guess_is_not_found(client: Client, db: None) -> None:
    assert client.get("/adoptions/guessed/certificate.pdf").status_code == 404
    assert client.get("/adoptions/%F0%9F%90%86/certificate.pdf").status_code == 404


# --- Stripe away or strange ---------------------------------------------------------------------------------


@pytest.mark.threat("M7", "X4")
def test_stripe_down_keeps_every_answer_and_charges_nothing(amara: Amara) -> None:
    amara.stripe.control("faults", fail=3)
    response = amara.press_pay(is_gift="gift", recipient_name="Ellie")
    assert response.status_code == 503
    page = response.content.decode()
    assert "Nothing was charged" in page
    for kept in ("Amara Supporter", "amara@example.org", "Ellie", "£36"):
        assert kept in page
    amara.stripe.control("faults", fail=0)
    assert PAID in amara.come_back(amara.adopt(is_gift="gift", recipient_name="Ellie"))
    assert Adoption.objects.count() == 1


@pytest.mark.threat("X4")
def test_stripe_down_when_coming_back_says_not_yet_instead_of_failing(amara: Amara) -> None:
    adoption = amara.adopt()
    amara.stripe.control("faults", fail=3)
    assert "We have not had the payment yet" in amara.come_back(adoption)
    amara.stripe.control("faults", fail=0)
    assert PAID in amara.come_back(adoption)


@pytest.mark.threat("M5")
def test_event_that_cannot_be_worked_is_parked_and_worked_later(amara: Amara) -> None:
    adoption = amara.adopt()
    carry(amara.client, [e for e in ours(amara.stripe, adoption) if e["type"] == "checkout.session.completed"])
    amara.stripe.control("faults", fail=3)
    work()
    event = StripeEvent.objects.get()
    assert (event.state, event.error) == ("parked", "StripeUnavailable: APIError")
    amara.stripe.control("faults", fail=0)
    from adoptions.tasks import work_event

    work_event.call(event.pk)
    assert summary(adoption) == ("active", 1, 3600, 1)
    event.refresh_from_db()
    assert event.state == "done"


@pytest.mark.threat("M1")
def test_amount_other_than_asked_is_held_and_never_adopted(amara: Amara) -> None:
    adoption = amara.adopt()
    Adoption.objects.filter(pk=adoption.pk).update(amount_pence=1000)
    amara.come_back(adoption)
    assert summary(adoption) == ("held", 1, 3600, 0)
    adoption.refresh_from_db()
    assert "3600p" in adoption.held_because
    assert amara.client.get(f"/adoptions/{adoption.token}/certificate.pdf").status_code == 404


@pytest.mark.threat("M1")
def test_reference_of_another_adoption_is_held(amara: Amara) -> None:
    adoption = amara.adopt()
    Adoption.objects.filter(pk=adoption.pk).update(reference="PM-OTHER")
    amara.come_back(adoption)
    assert summary(adoption)[0] == "held"


# --- after the first payment --------------------------------------------------------------------------------


def test_renewals_add_one_payment_and_one_receipt_each(amara: Amara) -> None:
    adoption = amara.adopt(frequency="monthly")
    amara.come_back(adoption)
    amara.stripe.control("advance", months=3)
    events = ours(amara.stripe, adoption)
    carry(amara.client, events * 2)
    work()
    assert summary(adoption) == ("active", 4, 2000, 4)


def test_renewal_that_fails_falls_behind_and_recovers(amara: Amara) -> None:
    adoption = amara.adopt(frequency="monthly")
    amara.come_back(adoption)
    adoption.refresh_from_db()
    amara.stripe.control("fail_renewals", subscription=adoption.stripe_subscription_id, times=1)
    amara.stripe.control("advance", days=32)
    carry(amara.client, ours(amara.stripe, adoption))
    work()
    assert summary(adoption)[:2] == ("past_due", 1)
    amara.stripe.control("advance", days=10)
    carry(amara.client, ours(amara.stripe, adoption))
    work()
    assert summary(adoption)[:3] == ("active", 2, 1000)


def test_subscription_ended_at_stripe_ends_the_adoption_whatever_comes_after(amara: Amara) -> None:
    adoption = amara.adopt(frequency="monthly")
    adoption.refresh_from_db()
    first = ours(amara.stripe, adoption)
    amara.come_back(adoption)
    adoption.refresh_from_db()
    amara.stripe.control("end_subscription", subscription=adoption.stripe_subscription_id)
    carry(amara.client, list(reversed(ours(amara.stripe, adoption))) + first)
    work()
    assert summary(adoption)[:3] == ("ended", 1, 500)


@pytest.mark.threat("M10")
def test_refunds_in_part_and_whole_are_written_down_once(amara: Amara) -> None:
    adoption = amara.adopt()
    amara.come_back(adoption)
    charge = adoption.payments.get().stripe_id
    amara.stripe.control("refund", charge=charge, amount=1000)
    carry(amara.client, ours(amara.stripe, adoption) * 3)
    work()
    assert summary(adoption)[:3] == ("active", 2, 2600)
    amara.stripe.control("refund", charge=charge)
    carry(amara.client, [e for e in amara.stripe.events("charge.refunded") if e["data"]["object"]["id"] == charge])
    work()
    assert summary(adoption)[:3] == ("ended", 3, 0)


@pytest.mark.threat("M10")
def test_refund_heard_of_before_the_payment_gives_no_adoption(amara: Amara) -> None:
    adoption = amara.adopt()
    [charge] = [e["data"]["object"]["id"] for e in ours(amara.stripe, adoption) if e["type"] == "charge.succeeded"]
    amara.stripe.control("refund", charge=charge)
    carry(amara.client, [e for e in amara.stripe.events("charge.refunded") if e["data"]["object"]["id"] == charge])
    work()
    assert summary(adoption) == ("ended", 2, 0, 0)
    amara.come_back(adoption)
    assert summary(adoption) == ("ended", 2, 0, 0)


@pytest.mark.threat("M10")
def test_dispute_takes_the_money_out_and_a_win_brings_it_back(amara: Amara) -> None:
    adoption = amara.adopt()
    amara.come_back(adoption)
    charge = adoption.payments.get().stripe_id
    amara.stripe.control("dispute", charge=charge)
    disputes = [e for e in amara.stripe.events("charge.dispute.created") if e["data"]["object"]["charge"] == charge]
    carry(amara.client, disputes * 2)
    work()
    assert summary(adoption)[1:3] == (2, 0)
    amara.stripe.control("close_dispute", dispute=disputes[0]["data"]["object"]["id"], outcome="won")
    closed = [e for e in amara.stripe.events("charge.dispute.closed") if e["data"]["object"]["charge"] == charge]
    carry(amara.client, closed * 2)
    work()
    assert summary(adoption)[1:3] == (3, 3600)
    assert Payment.objects.filter(kind=PaymentKind.DISPUTE_REVERSAL).count() == 1


# --- the door -----------------------------------------------------------------------------------------------


def an_event(**changes: Any) -> dict[str, Any]:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "api_version": "2026-10-28.endive",
        "livemode": False,
        "data": {"object": {"id": "cs_test_unknown", "object": "checkout.session"}},
    }
    return {**event, **changes}


@pytest.mark.threat("M2")
@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1,v1=abc",
        "v1=abc",
        "nonsense",
        "t=99999999999999999999999999,v1=a",
        "t=x,v1=y",
        "t=1,v0=abc",
        "\u00e9",
        "t=" + "9" * 5000,
    ],
)
@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b"[]", b"[" * 5000, b'{"id": "evt_1"}'])
def test_request_that_stripe_did_not_sign_is_refused_and_writes_nothing(
    client: Client, db: None, header: str, body: bytes
) -> None:
    headers = {"Stripe-Signature": header}
    response = client.post("/stripe/webhook/", body, content_type="application/json", headers=headers)
    assert response.status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.threat("P3")
@pytest.mark.parametrize("body", ["[]", "null", "1", '"x"', "{}", '{"id": 1}', '{"data": []}', "[" * 3000, "{"])
def test_rightly_signed_nonsense_is_refused_and_writes_nothing(client: Client, db: None, body: str) -> None:
    import stripe

    header = stripe.WebhookSignature.generate_signature_header(body, "whsec_standin")
    response = client.post(
        "/stripe/webhook/", body, content_type="application/json", headers={"Stripe-Signature": header}
    )
    assert response.status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.threat("M3", "X7")
@pytest.mark.parametrize("seconds", [-310, -86400, 310, 86400])
def test_signature_of_another_time_is_refused(client: Client, db: None, seconds: int) -> None:
    response = client.post("/stripe/webhook/", **signed(an_event(), at=int(time.time()) + seconds))
    assert response.status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.threat("M2")
def test_signature_by_another_secret_is_refused(client: Client, db: None) -> None:
    assert client.post("/stripe/webhook/", **signed(an_event(), secret="whsec_other")).status_code == 400


def test_both_secrets_count_while_rotating(client: Client, db: None, settings: Settings) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_standin"]
    assert client.post("/stripe/webhook/", **signed(an_event())).status_code == 200
    assert client.post("/stripe/webhook/", **signed(an_event(id="evt_2"), secret="whsec_new")).status_code == 200
    assert StripeEvent.objects.count() == 2


@pytest.mark.threat("P3")
def test_event_with_nul_and_half_a_surrogate_is_kept(client: Client, db: None) -> None:
    event = an_event(type="customer.created", data={"object": {"id": "cus_1", "name": "a\0b\ud800"}})
    assert client.post("/stripe/webhook/", **signed(event)).status_code == 200
    assert StripeEvent.objects.get().type == "customer.created"


def test_event_of_an_unknown_type_is_kept_and_answered(client: Client, db: None) -> None:
    assert client.post("/stripe/webhook/", **signed(an_event(type="something.new"))).status_code == 200
    assert StripeEvent.objects.get().state == "ignored"


@pytest.mark.threat("M11")
def test_event_of_the_other_mode_has_no_effect(client: Client, db: None) -> None:
    assert client.post("/stripe/webhook/", **signed(an_event(livemode=True))).status_code == 200
    event = StripeEvent.objects.get()
    assert (event.state, event.error) == ("ignored", "Sent for the other mode (live or test).")


def test_event_about_nothing_of_ours_is_ignored(amara: Amara) -> None:
    carry(amara.client, [an_event(type="invoice.paid", data={"object": {"id": "in_unknown"}}), an_event(id="evt_2")])
    work()
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {"ignored"}


def test_webhook_is_post_only(client: Client, db: None) -> None:
    assert client.get("/stripe/webhook/").status_code == 405
