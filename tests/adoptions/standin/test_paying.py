"""The hosted page: pay, be declined, be asked by the bank, go back, press twice."""

import pytest
import stripe

from tests.adoptions.standin.conftest import Receiver, checkout, latest_charge, subscribe
from tests.standin import Standin

IN_ORDER_ONCE = [
    "customer.created",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
]
IN_ORDER_MONTHLY = [
    "customer.created",
    "customer.subscription.created",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice_payment.paid",
    "customer.subscription.updated",
    "checkout.session.completed",
]


def test_card_that_pays_once_completes_the_session(standin: Standin) -> None:
    session = checkout(standin)
    assert (session.status, session.payment_status) == ("open", "unpaid")
    address = standin.pay(session.id)
    assert address == f"http://site.example/thanks/?s={session.id}"
    done = standin.client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge", "customer", "line_items"]}
    )
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    intent, person = done.payment_intent, done.customer
    assert isinstance(intent, stripe.PaymentIntent)
    assert isinstance(person, stripe.Customer)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (intent.amount_received, charge.amount, charge.paid) == (1200, 1200, True)
    assert person.email == "amara@example.org"
    assert [event["type"] for event in standin.events()] == IN_ORDER_ONCE


def test_metadata_travels_as_at_stripe(standin: Standin) -> None:
    standin.pay(checkout(standin).id)
    assert latest_charge(standin).metadata.to_dict() == {"adoption": "7f6c"}
    subscription = subscribe(standin)
    invoice = standin.client.v1.invoices.list({"subscription": subscription}).data[0]
    assert invoice.parent is not None
    details = invoice.parent.subscription_details
    assert details is not None
    assert details.metadata is not None
    assert details.metadata.to_dict() == {"adoption": "7f6c"}
    payment = standin.client.v1.invoice_payments.list({"invoice": invoice.id}).data[0]
    intent = standin.client.v1.payment_intents.retrieve(str(payment.payment.payment_intent))
    assert intent.metadata.to_dict() == {}


def test_monthly_checkout_starts_an_active_subscription(standin: Standin) -> None:
    key = subscribe(standin)
    subscription = standin.client.v1.subscriptions.retrieve(key, {"expand": ["latest_invoice"]})
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (subscription.status, invoice.status, invoice.billing_reason) == ("active", "paid", "subscription_create")
    assert [event["type"] for event in standin.events()] == IN_ORDER_MONTHLY


@pytest.mark.parametrize("mode", ["payment", "subscription"])
def test_declined_card_leaves_the_session_open_for_another(standin: Standin, mode: str) -> None:
    session = checkout(standin, mode)
    assert standin.pay(session.id, "declined") == f"/c/pay/{session.id}"
    assert "Your card was declined." in standin.open(f"/c/pay/{session.id}").text
    assert standin.client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert [charge.status for charge in standin.client.v1.charges.list().data] == ["failed"]
    assert standin.pay(session.id).startswith("http://site.example/thanks/")
    assert [charge.status for charge in standin.client.v1.charges.list().data] == ["succeeded", "failed"]
    assert len(standin.client.v1.payment_intents.list().data) == 1


@pytest.mark.parametrize("mode", ["payment", "subscription"])
def test_bank_that_asks_is_answered_yes(standin: Standin, mode: str) -> None:
    session = checkout(standin, mode)
    question = standin.press(f"/c/pay/{session.id}", method="3ds").location
    assert standin.client.v1.payment_intents.list().data[0].status == "requires_action"
    assert standin.client.v1.charges.list().data == []
    assert "£12.00" in standin.open(question).text
    assert standin.confirm(question) == f"http://site.example/thanks/?s={session.id}"
    assert standin.client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    standin.confirm(question)
    assert len(standin.client.v1.charges.list().data) == 1


@pytest.mark.parametrize("mode", ["payment", "subscription"])
def test_bank_that_asks_is_answered_no(standin: Standin, mode: str) -> None:
    session = checkout(standin, mode)
    question = standin.press(f"/c/pay/{session.id}", method="3ds").location
    assert standin.confirm(question, agrees=False) == f"/c/pay/{session.id}"
    assert "unable to authenticate" in standin.open(f"/c/pay/{session.id}").text
    assert standin.client.v1.charges.list().data == []
    assert standin.pay(session.id).startswith("http://site.example/thanks/")


def test_pay_pressed_twice_pays_once(standin: Standin) -> None:
    session = checkout(standin)
    assert standin.pay(session.id) == standin.pay(session.id, "declined")
    assert [charge.status for charge in standin.client.v1.charges.list().data] == ["succeeded"]
    assert len(standin.events("checkout.session.completed")) == 1


def test_reading_the_page_pays_nothing(standin: Standin, receiver: Receiver) -> None:
    session = checkout(standin)
    page = standin.open(f"/c/pay/{session.id}?method=ok")
    assert (page.status, standin.events()) == (200, [])
    for words in ("no money moves", "Amur leopard adoption", "Give £12.00", "You can stop whenever you like."):
        assert words in page.text
    assert 'href="http://site.example/adopt/"' in page.text


def test_page_says_how_often_the_amount_is_paid(standin: Standin) -> None:
    session = checkout(standin, "subscription", submit_type="subscribe")
    assert "Subscribe £12.00 every month" in standin.open(f"/c/pay/{session.id}").text


def test_number_that_is_no_test_number_is_refused(standin: Standin) -> None:
    session = checkout(standin)
    standin.press(f"/c/pay/{session.id}", method="other", number="4929 0000 0000 6")
    assert "not one of the test card numbers" in standin.open(f"/c/pay/{session.id}").text
    standin.press(f"/c/pay/{session.id}", method="other", number="4242 4242 4242 4242")
    assert standin.client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_expired_session_cannot_be_paid(standin: Standin) -> None:
    session = checkout(standin, "subscription")
    standin.pay(session.id, "declined")
    expired = standin.client.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    standin.pay(session.id)
    assert "expired" in standin.open(f"/c/pay/{session.id}").text
    assert [charge.status for charge in standin.client.v1.charges.list().data] == ["failed"]
    abandoned = standin.client.v1.subscriptions.list({"status": "all"}).data[0]
    assert abandoned.status == "incomplete_expired"
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        standin.client.v1.checkout.sessions.expire(session.id)


def test_session_left_alone_expires_by_itself(standin: Standin) -> None:
    session = checkout(standin)
    standin.advance(hours=23)
    assert standin.client.v1.checkout.sessions.retrieve(session.id).status == "open"
    standin.advance(hours=2)
    assert standin.client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert [event["type"] for event in standin.events()] == ["checkout.session.expired"]


def test_what_was_typed_is_shown_as_text(standin: Standin) -> None:
    session = checkout(standin, customer_email='"><script>@example.org')
    page = standin.open(f"/c/pay/{session.id}")
    assert "<script>" not in page.text
    assert "script" not in page.headers["Content-Security-Policy"]


def test_another_site_cannot_press_the_buttons(standin: Standin) -> None:
    import http.client

    host = standin.url.removeprefix("http://")
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        connection = http.client.HTTPConnection(host, timeout=5)
        connection.request("POST", "/_control/now", "", headers)
        assert connection.getresponse().status == 403
        connection.close()


def test_unknown_address_is_a_page(standin: Standin) -> None:
    for address in ("/c/pay/cs_test_none", "/confirm/pi_none", "/i/in_none", "/p/session/bps_none", "/nowhere"):
        assert standin.open(address).status == 404
        assert standin.press(address).status == 404
