"""Invoices with all that belongs to them, in as few requests as Stripe allows. Reads only.

They come with every payment of a repeating adoption, so they are read as they come: making the library's objects of
them costs more than all that follows.
"""

import json
from typing import Any
from urllib.parse import quote

from .stripe_gateway import (
    as_charge,
    as_invoice,
    as_subscription,
    asking_stripe,
    client,
    id_of,
    read_charge,
    read_invoice,
)
from .stripe_objects import Charge, Invoice, Period

SUBSCRIPTION = "parent.subscription_details.subscription"
# Four levels is as deep as Stripe expands: the charges behind the payments would be the fifth.
WITH_IT = ["payments", f"{SUBSCRIPTION}.default_payment_method"]


def read_period(invoice_id: str) -> Period:
    with asking_stripe():
        found = client().raw_request("get", f"/v1/invoices/{quote(invoice_id, safe='')}", expand=WITH_IT).data
    invoice = as_invoice(found)
    subscription: Any = found["parent"]["subscription_details"]["subscription"] if invoice.subscription else None
    tries = [charge for intent in invoice.payment_intents for charge in read_tries(intent)]
    return Period(invoice, tuple(tries), as_subscription(subscription) if subscription else None)


def read_tries(payment_intent: str) -> list[Charge]:
    """Every charge of a payment intent with its refunds, failed ones too; the newest first."""
    with asking_stripe():
        answer = client().raw_request(
            "get", "/v1/charges", payment_intent=payment_intent, limit=100, expand=["data.refunds"]
        )
    return [with_refunds(charge) for charge in answer.data["data"]]


def with_refunds(charge: Any) -> Charge:
    """An expanded list stops at ten; then the charge is asked for by itself."""
    refunds = charge["refunds"]
    return read_charge(charge["id"]) if refunds["has_more"] else as_charge(charge, refunds["data"])


def read_invoice_paid_by(payment_intent_id: str) -> Invoice | None:
    """The invoice a payment intent paid; None for a single payment."""
    with asking_stripe():
        found = client().v1.invoice_payments.list(
            {"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}, "limit": 1}
        )
    return read_invoice(id_of(found.data[0].invoice)) if found.data else None


def read_invoices_of(subscription_id: str) -> list[Invoice]:
    with asking_stripe():
        found = client().v1.invoices.list({"subscription": subscription_id, "limit": 100, "expand": ["data.payments"]})
        return [as_invoice(invoice) for invoice in found.auto_paging_iter()]


def subscription_named_in(event: bytes | memoryview) -> str:
    """The subscription of the invoice that an event tells of, which never becomes another; empty if it names none.

    Only a hint, as all in an event: whoever uses it compares with what Stripe says.
    """
    try:
        found = json.loads(bytes(event))["data"]["object"]["parent"]["subscription_details"]["subscription"]
    except (ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) else ""
