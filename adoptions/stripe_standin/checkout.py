"""Checkout sessions: made by the site, paid or left by a person, completed or expired by Stripe.

Sessions live by the machine's clock, as they do at Stripe: the site names their expiry by its own clock, however far
ahead the control page has moved this one.
"""

import time
from copy import deepcopy
from typing import Any

from adoptions.stripe_standin import cards, catalogue, customers, invoices, payments, subscriptions
from adoptions.stripe_standin.answers import ApiError, find
from adoptions.stripe_standin.books import Books, new_id, nulls
from adoptions.stripe_standin.cards import TestMethod
from adoptions.stripe_standin.clock import DAY
from adoptions.stripe_standin.payments import Outcome
from adoptions.stripe_standin.state import Object

SMALLEST_CHARGE = {"gbp": 30, "eur": 50, "usd": 50}
OFFERED = ("card", "bacs_debit")
_BLANK: Object = nulls(
    "after_expiration allow_promotion_codes client_secret collected_information consent currency_conversion "
    "customer_account customer_details discounts invoice invoice_creation managed_payments origin_context "
    "payment_intent payment_link payment_method_configuration_details permissions recovered_from "
    "saved_payment_method_options setup_intent shipping_address_collection shipping_cost subscription "
    "wallet_options"
) | {
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "custom_fields": [],
    "livemode": False,
    "payment_status": "unpaid",
    "shipping_options": [],
    "status": "open",
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "ui_mode": "hosted_page",
    "_intent": None,
    "_subscription": None,
    "_error": "",
}
_AS_SENT = [
    "allowed_payment_method_types",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "consent_collection",
    "customer",
    "customer_email",
    "integration_identifier",
    "locale",
    "submit_type",
    "success_url",
]


def create(books: Books, params: Object) -> Object:
    lines = [_line(books, line, f"line_items[{at}]") for at, line in enumerate(params.get("line_items", []))]
    check(books, params, lines)
    key, now = new_id("cs_test_a1", 58), int(time.time())
    expires_at = params.get("expires_at", now + DAY)
    total = sum(line["amount_total"] for line in lines)
    is_payment = params["mode"] == "payment"
    allowed = params.get("allowed_payment_method_types") or OFFERED
    custom_text = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    session: Object = deepcopy(_BLANK) | {
        "id": key,
        "object": "checkout.session",
        "adaptive_pricing": params.get("adaptive_pricing", {"enabled": True}),
        "amount_subtotal": total,
        "amount_total": total,
        "created": now,
        "currency": lines[0]["currency"],
        "custom_text": dict.fromkeys(custom_text) | params.get("custom_text", {}),
        "customer_creation": None
        if not is_payment or "customer" in params
        else params.get("customer_creation", "if_required"),
        "expires_at": expires_at,
        "metadata": params.get("metadata") or {},
        "mode": params["mode"],
        "payment_method_collection": None if is_payment else params.get("payment_method_collection", "always"),
        "payment_method_options": params.get("payment_method_options", {}),
        "payment_method_types": [kind for kind in OFFERED if kind in allowed],
        "phone_number_collection": params.get("phone_number_collection", {"enabled": False}),
        "url": f"{books.own_url}/c/pay/{key}",
        "_line_items": lines,
        "_data": params.get("payment_intent_data" if is_payment else "subscription_data", {}),
    }
    session |= {name: params.get(name) for name in _AS_SENT}
    books.save(session)
    books.schedule(expires_at + int(books.ahead()), "expire", key)
    return session


def _line(books: Books, sent: Object, name: str) -> Object:
    price = catalogue.price_of(books, sent, name)
    if "quantity" not in sent:
        raise ApiError(
            f"Missing required param: {name}[quantity].", code="parameter_missing", param=f"{name}[quantity]"
        )
    if sent["quantity"] < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=f"{name}[quantity]",
        )
    amount = price["unit_amount"] * sent["quantity"]
    return {
        "id": new_id("li_1", 23),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": catalogue.product_name(books, price),
        "metadata": {},
        "price": price,
        "quantity": sent["quantity"],
    }


def check(books: Books, params: Object, lines: list[Object]) -> None:
    """What Stripe's parameter list cannot say: which ones go together."""
    mode = params["mode"]
    if not lines:
        raise ApiError("`line_items` is required in this mode.", code="parameter_missing", param="line_items")
    for name, only in (
        ("payment_intent_data", "payment"),
        ("customer_creation", "payment"),
        ("subscription_data", "subscription"),
        ("payment_method_collection", "subscription"),
    ):
        if name in params and mode != only:
            raise ApiError(f"You can only use `{name}` in `{only}` mode.", param=name)
    if "customer" in params:
        find(books, "customer", params["customer"], "customer")
        for name in ("customer_email", "customer_creation"):
            if name in params:
                raise ApiError(f"You may only specify one of these parameters: customer, {name}.", param=name)
    _check_prices(mode, lines)
    ahead = params.get("expires_at", time.time() + DAY) - time.time()
    if not 30 * 60 - 60 <= ahead <= DAY + 60:
        raise ApiError(
            "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session "
            "creation.",
            param="expires_at",
        )


def _check_prices(mode: str, lines: list[Object]) -> None:
    currencies = {line["currency"] for line in lines}
    rhythms = [line["price"]["recurring"] for line in lines]
    if len(currencies) > 1:
        raise ApiError("All line items must have the same currency.", param="line_items")
    if mode == "payment" and any(rhythms):
        raise ApiError("You specified `payment` mode but passed a recurring price.", param="mode")
    if mode == "subscription" and not all(rhythms):
        raise ApiError("The stand-in's subscriptions take recurring prices only.", param="line_items")
    least = SMALLEST_CHARGE.get(next(iter(currencies)), 50)
    if sum(line["amount_total"] for line in lines) < least:
        raise ApiError(
            f"The Checkout Session's total amount must add up to at least {least} in the smallest unit.",
            code="amount_too_small",
            param="line_items",
        )


# --- paying ---------------------------------------------------------------------------------------------------


def pay(books: Books, session: Object, method: TestMethod, payer: Object) -> Outcome:
    """One press of the pay button on an open session. `payer` is `billing_details` as typed on the page."""
    customer = _customer_for(books, session, payer)
    payment_method = cards.new_payment_method(books, method, customer, payer)
    session = books.need("checkout.session", session["id"]) | {"_payment_method": payment_method["id"]}
    session["_payer"] = payer
    books.save(session)
    if session["mode"] == "payment":
        outcome = payments.confirm(books, _intent_for(books, session, customer), payment_method)
    else:
        outcome = _pay_first_invoice(books, session, customer or "", payment_method)
    after_try(books, session["id"], outcome)
    return outcome


def _customer_for(books: Books, session: Object, payer: Object) -> str | None:
    """A subscription always has a customer; a single payment has one where the site asked for it."""
    known = session["customer"] or session.get("_customer")
    if known or (session["mode"] == "payment" and session["customer_creation"] != "always"):
        return str(known) if known else None
    details = {"email": payer["email"], "name": payer["name"], "address": payer["address"]}
    made = customers.new_customer(books, details)["id"]
    books.save(session | {"_customer": made})
    return str(made)


def _intent_for(books: Books, session: Object, customer: str | None) -> Object:
    if session["_intent"]:
        return books.need("payment_intent", session["_intent"])
    sent = session["_data"]
    known: dict[str, Any] = {
        "customer": customer,
        "description": sent.get("description"),
        "metadata": sent.get("metadata") or {},
        "receipt_email": sent.get("receipt_email"),
        "setup_future_usage": sent.get("setup_future_usage"),
        "statement_descriptor_suffix": sent.get("statement_descriptor_suffix"),
        "_session": session["id"],
    }
    intent = payments.new_intent(books, session["amount_total"], session["currency"], **known)
    books.save(session | {"_intent": intent["id"]})
    return intent


def _pay_first_invoice(books: Books, session: Object, customer: str, payment_method: Object) -> Outcome:
    if session["_subscription"]:
        subscription = books.need("subscription", session["_subscription"])
    else:
        subscription = subscriptions.begin(books, customer, session["_line_items"], session["_data"], session["id"])
        session["_subscription"] = subscription["id"]
        books.save(session)
    subscription["default_payment_method"] = payment_method["id"]
    books.save(subscription)
    invoice = books.need("invoice", subscription["latest_invoice"])
    return subscriptions.collect(books, invoice, is_present=True, method=payment_method, session=session["id"])


def after_try(books: Books, key: str, outcome: Outcome) -> None:
    session = books.need("checkout.session", key)
    if session["status"] != "open":
        return
    if outcome == "declined":
        books.save(session | {"_error": why_refused(books, session)})
    elif outcome in ("succeeded", "processing"):
        _complete(books, session, is_paid=outcome == "succeeded")


def intent_of(books: Books, session: Object) -> Object | None:
    """The payment intent tried so far, which the session itself names only once it is complete."""
    if session["mode"] == "payment":
        return books.get("payment_intent", session["_intent"] or "")
    subscription = books.get("subscription", session["_subscription"] or "")
    invoice = books.get("invoice", subscription["latest_invoice"]) if subscription else None
    return books.get("payment_intent", invoice["_intent"] or "") if invoice else None


def why_refused(books: Books, session: Object) -> str:
    intent = intent_of(books, session)
    return str(intent["last_payment_error"]["message"]) if intent and intent["last_payment_error"] else ""


def _complete(books: Books, session: Object, *, is_paid: bool) -> None:
    payer = session["_payer"]
    intent = intent_of(books, session)
    subscription = books.get("subscription", session["_subscription"] or "")
    session |= {
        "customer": session["customer"] or session.get("_customer"),
        "customer_details": {
            "address": payer["address"],
            "business_name": None,
            "email": payer["email"],
            "individual_name": None,
            "name": payer["name"],
            "phone": payer["phone"],
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "invoice": subscription and subscription["latest_invoice"],
        "payment_intent": intent["id"] if intent and session["mode"] == "payment" else None,
        "payment_status": "paid" if is_paid else "unpaid",
        "status": "complete",
        "subscription": subscription and subscription["id"],
        "url": None,
        "_error": "",
    }
    books.unschedule("expire", session["id"])
    books.save(session, "checkout.session.completed")


def answer_bank(books: Books, intent: Object, *, agrees: bool) -> None:
    """The payer's answer to the bank's question about a payment of a checkout or of a later invoice."""
    if intent["status"] != "requires_action":
        return
    if agrees:
        method = books.need("payment_method", intent["payment_method"])
        payments.succeed(books, intent, method, confirmed=True)
    else:
        payments.refuse_confirmation(books, intent)
    outcome: Outcome = "succeeded" if agrees else "declined"
    if intent.get("_invoice"):
        invoices.settle(books, books.need("invoice", intent["_invoice"]), outcome)
        subscriptions.invoice_tried(books, books.need("invoice", intent["_invoice"]), outcome)
    if intent.get("_session"):
        after_try(books, intent["_session"], outcome)


def settle_debit(books: Books, key: str) -> None:
    """The bank's answer to a Direct Debit has come."""
    intent = books.need("payment_intent", key)
    if intent["status"] != "processing":
        return
    method = cards.METHODS[intent["_method"]]
    payment_method = books.need("payment_method", intent["payment_method"]) | {"_method": method.name}
    outcome: Outcome = "declined" if method.is_declined else "succeeded"
    if outcome == "succeeded":
        payments.succeed(books, intent, payment_method)
    else:
        payments.decline(books, intent, payment_method, method.decline_code, method.message)
    if intent.get("_invoice"):
        invoices.settle(books, books.need("invoice", intent["_invoice"]), outcome, counts=False)
        subscriptions.invoice_tried(books, books.need("invoice", intent["_invoice"]), outcome)
    _tell_session(books, intent.get("_session"), outcome)


def _tell_session(books: Books, key: str | None, outcome: Outcome) -> None:
    session = books.get("checkout.session", key or "")
    if not session or session["payment_status"] != "unpaid" or session["status"] != "complete":
        return
    if outcome == "succeeded":
        books.save(session | {"payment_status": "paid"}, "checkout.session.async_payment_succeeded")
    elif not session.get("_debit_failed"):
        books.save(session | {"_debit_failed": True}, "checkout.session.async_payment_failed")


def expire(books: Books, key: str) -> Object:
    session = books.need("checkout.session", key)
    if session["status"] == "open":
        session |= {"status": "expired", "url": None}
        books.unschedule("expire", key)
        books.save(session, "checkout.session.expired")
        if session["_subscription"]:
            subscriptions.abandon(books, session["_subscription"])
        intent = books.get("payment_intent", session["_intent"] or "")
        if intent:
            payments.cancel(books, intent, "abandoned")
    return session
