"""Invoices of subscriptions: made, finalised, tried, paid, voided."""

from copy import deepcopy

from adoptions.stripe_standin import catalogue, payments
from adoptions.stripe_standin.answers import list_of
from adoptions.stripe_standin.books import Books, new_id, nulls
from adoptions.stripe_standin.clock import DAY
from adoptions.stripe_standin.payments import Outcome
from adoptions.stripe_standin.state import Object

# Days from one failed try to the next, after which the subscription ends.
RETRY_AFTER = (3, 5, 7)
_BLANK: Object = nulls(
    "account_name account_tax_ids application automatically_finalizes_at custom_fields customer_account "
    "customer_address customer_phone customer_shipping default_payment_method default_source description "
    "due_date effective_at ending_balance footer from_invoice hosted_invoice_url invoice_pdf "
    "last_finalization_error latest_revision next_payment_attempt number on_behalf_of receipt_number "
    "rendering shipping_cost shipping_details statement_descriptor test_clock webhooks_delivered_at"
) | {
    "account_country": "GB",
    "amount_overpaid": 0,
    "amount_paid": 0,
    "amount_shipping": 0,
    "attempt_count": 0,
    "attempted": False,
    "auto_advance": True,
    "automatic_tax": {
        "enabled": False,
        "disabled_reason": None,
        "liability": None,
        "provider": None,
        "status": None,
    },
    "collection_method": "charge_automatically",
    "customer_tax_exempt": "none",
    "customer_tax_ids": [],
    "default_tax_rates": [],
    "discounts": [],
    "issuer": {"type": "self"},
    "livemode": False,
    "metadata": {},
    "payment_settings": dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types")),
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "starting_balance": 0,
    "status": "draft",
    "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
    "total_discount_amounts": [],
    "total_pretax_credit_amounts": [],
    "total_taxes": [],
    "_intent": None,
    "_payment": None,
}


def new_invoice(books: Books, subscription: Object, reason: str, start: int, end: int) -> Object:
    """A draft for the period from `start` to `end`. Tells `invoice.created`."""
    customer = books.need("customer", subscription["customer"])
    key = new_id("in_1", 23)
    lines = [_line(books, key, subscription, item, start, end) for item in subscription["items"]["data"]]
    total = sum(line["amount"] for line in lines)
    invoice: Object = deepcopy(_BLANK) | {
        "id": key,
        "object": "invoice",
        "amount_due": total,
        "amount_remaining": total,
        "billing_reason": reason,
        "created": books.now(),
        "currency": subscription["currency"],
        "customer": customer["id"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "lines": list_of(f"/v1/invoices/{key}/lines", lines),
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": subscription["metadata"],
                "subscription": subscription["id"],
            },
            "type": "subscription_details",
        },
        # An invoice looks back: its own period is the one just ended, its lines carry the one being paid for.
        "period_end": start,
        "period_start": start if reason == "subscription_create" else subscription["_last_start"],
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
    }
    books.save(invoice, "invoice.created")
    return invoice


def _line(books: Books, invoice: str, subscription: Object, item: Object, start: int, end: int) -> Object:
    price = item["price"]
    amount = price["unit_amount"] * item["quantity"]
    return {
        "id": new_id("il_1", 23),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": f"{item['quantity']} × {catalogue.product_name(books, price)}",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": subscription["metadata"],
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"end": end, "start": start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": str(price["unit_amount"]),
        },
        "quantity": item["quantity"],
        "quantity_decimal": str(item["quantity"]),
        "subscription": subscription["id"],
        "subtotal": amount,
        "taxes": [],
    }


def finalise(books: Books, invoice: Object) -> None:
    customer = books.need("customer", invoice["customer"])
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    books.save(customer | {"next_invoice_sequence": customer["next_invoice_sequence"] + 1})
    invoice |= {
        "effective_at": books.now(),
        "hosted_invoice_url": f"{books.own_url}/i/{invoice['id']}",
        "invoice_pdf": f"{books.own_url}/i/{invoice['id']}/pdf",
        "number": number,
        "status": "open",
    }
    _moved(books, invoice, "finalized_at")
    books.save(invoice, "invoice.finalized")


def collect(
    books: Books, invoice: Object, payment_method: Object, *, is_present: bool, session: str | None = None
) -> Outcome:
    """Try to have it paid. The outcome is written on the invoice, and told, before this returns."""
    intent = _intent_for(books, invoice, session)
    outcome = payments.confirm(books, intent, payment_method, is_present=is_present)
    settle(books, books.need("invoice", invoice["id"]), outcome)
    return outcome


def settle(books: Books, invoice: Object, outcome: Outcome, *, counts: bool = True) -> None:
    """Write what became of a try. `counts` is false for news of a try that was counted when it began."""
    is_first = books.need("subscription", subscription_of(invoice))["status"] == "incomplete"
    if counts and not (outcome == "requires_action" and is_first):
        invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
    invoice["next_payment_attempt"] = None
    if outcome == "succeeded":
        _mark_paid(books, invoice)
        return
    refused = outcome in ("declined", "requires_action")
    if refused and not is_first and 1 <= invoice["attempt_count"] <= len(RETRY_AFTER):
        invoice["next_payment_attempt"] = books.now() + RETRY_AFTER[invoice["attempt_count"] - 1] * DAY
        books.schedule(invoice["next_payment_attempt"], "retry", invoice["id"])
    told = []
    if outcome == "requires_action":
        told.append("invoice.payment_action_required")
    if outcome == "declined" or (refused and not is_first):
        told.append("invoice.payment_failed")
    books.save(invoice, *told)


def subscription_of(invoice: Object) -> str:
    return str(invoice["parent"]["subscription_details"]["subscription"])


def _mark_paid(books: Books, invoice: Object) -> None:
    invoice |= {
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
    }
    _moved(books, invoice, "paid_at")
    books.save(invoice, "invoice.paid", "invoice.payment_succeeded")
    books.unschedule("retry", invoice["id"])
    payment = books.need("invoice_payment", invoice["_payment"])
    payment |= {
        "amount_paid": invoice["amount_paid"],
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": books.now()},
    }
    books.save(payment, "invoice_payment.paid")


def void(books: Books, invoice: Object) -> None:
    invoice |= {"status": "void", "auto_advance": False, "next_payment_attempt": None}
    _moved(books, invoice, "voided_at")
    books.save(invoice, "invoice.voided")
    books.unschedule("retry", invoice["id"])
    if invoice["_intent"]:
        payments.cancel(books, books.need("payment_intent", invoice["_intent"]), "void_invoice")


def give_up(books: Books, invoice: Object) -> None:
    """Uncollectible: nobody will try again."""
    invoice |= {"status": "uncollectible", "auto_advance": False, "next_payment_attempt": None}
    _moved(books, invoice, "marked_uncollectible_at")
    books.save(invoice, "invoice.marked_uncollectible")
    books.unschedule("retry", invoice["id"])


def _moved(books: Books, invoice: Object, transition: str) -> None:
    invoice["status_transitions"] = invoice["status_transitions"] | {transition: books.now()}


def _intent_for(books: Books, invoice: Object, session: str | None) -> Object:
    """The one payment intent of this invoice, however often it is tried."""
    if invoice["_intent"]:
        return books.need("payment_intent", invoice["_intent"])
    intent = payments.new_intent(
        books,
        invoice["amount_due"],
        invoice["currency"],
        customer=invoice["customer"],
        description="Subscription creation"
        if invoice["billing_reason"] == "subscription_create"
        else "Subscription update",
        receipt_email=None,
        setup_future_usage="off_session",
        _invoice=invoice["id"],
        _session=session,
    )
    payment: Object = {
        "id": new_id("inpay_1", 23),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": books.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    books.save(payment)
    invoice |= {"_intent": intent["id"], "_payment": payment["id"]}
    books.save(invoice)
    return intent
