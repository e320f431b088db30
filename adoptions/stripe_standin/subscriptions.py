"""Subscriptions: begun at the checkout, renewed when a period ends, retried when a payment fails, ended."""

from copy import deepcopy

from adoptions.stripe_standin import cards, invoices
from adoptions.stripe_standin.answers import list_of
from adoptions.stripe_standin.books import Books, new_id, nulls
from adoptions.stripe_standin.clock import period_end
from adoptions.stripe_standin.payments import Outcome
from adoptions.stripe_standin.state import Object

_BLANK: Object = nulls(
    "application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at canceled_at "
    "customer_account days_until_due default_payment_method default_source description ended_at "
    "latest_invoice managed_payments next_pending_invoice_item_invoice on_behalf_of pause_collection "
    "pending_invoice_item_interval pending_setup_intent pending_update schedule test_clock transfer_data "
    "trial_end trial_start"
) | {
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
    "billing_schedules": [],
    "cancel_at_period_end": False,
    "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
    "collection_method": "charge_automatically",
    "default_tax_rates": [],
    "discounts": [],
    "invoice_settings": {
        "account_tax_ids": None,
        "custom_fields": None,
        "description": None,
        "footer": None,
        "issuer": {"type": "self"},
    },
    "livemode": False,
    "payment_settings": {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    },
    "status": "incomplete",
    "trial_settings": {"end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}},
    "_failing": 0,
    "_asks": False,
}


def begin(books: Books, customer: str, lines: list[Object], data: Object, session: str) -> Object:
    """An incomplete subscription with its first invoice open. Active once that is paid."""
    key, now = new_id("sub_1", 23), books.now()
    recurring = lines[0]["price"]["recurring"]
    end = period_end(now, now, recurring["interval"], recurring["interval_count"])
    subscription: Object = deepcopy(_BLANK) | {
        "id": key,
        "object": "subscription",
        "billing_cycle_anchor": now,
        "created": now,
        "currency": lines[0]["price"]["currency"],
        "customer": customer,
        "description": data.get("description"),
        "items": list_of(f"/v1/subscription_items?subscription={key}", [_item(key, line, now, end) for line in lines]),
        "metadata": data.get("metadata") or {},
        "start_date": now,
        "_last_start": now,
        "_session": session,
    }
    books.save(subscription, "customer.subscription.created")
    invoice = invoices.new_invoice(books, subscription, "subscription_create", now, end)
    invoices.finalise(books, invoice)
    books.save(subscription | {"latest_invoice": invoice["id"]})
    return books.need("subscription", key)


def _item(subscription: str, line: Object, start: int, end: int) -> Object:
    price = line["price"]
    plan: Object = {
        "id": price["id"],
        "object": "plan",
        "active": True,
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": None,
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return {
        "id": line.get("item") or new_id("si_", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": start,
        "current_period_end": end,
        "current_period_start": start,
        "current_trial": None,
        "discounts": [],
        "metadata": {},
        "plan": plan,
        "price": price,
        "quantity": line["quantity"],
        "subscription": subscription,
        "tax_rates": [],
    }


def first_item(subscription: Object) -> Object:
    item: Object = subscription["items"]["data"][0]
    return item


def reprice(books: Books, subscription: Object, price: Object, quantity: int) -> None:
    """From the next payment on: this period is paid for and stays as it is."""
    item = first_item(subscription)
    line = {"item": item["id"], "price": price, "quantity": quantity}
    subscription["items"]["data"] = [
        _item(subscription["id"], line, item["current_period_start"], item["current_period_end"])
        | {"created": item["created"], "metadata": item["metadata"]}
    ]


# --- what a try to pay an invoice does to its subscription ----------------------------------------------------


def collect(
    books: Books,
    invoice: Object,
    *,
    is_present: bool,
    method: Object | None = None,
    session: str | None = None,
) -> Outcome:
    """Try to have an open invoice paid, by the subscription's own means unless others are given."""
    subscription = of_invoice(books, invoice)
    payment_method = method or _means(books, subscription)
    asks = False
    if not is_present and subscription["_failing"]:
        books.save(subscription | {"_failing": subscription["_failing"] - 1})
        payment_method = cards.failing(payment_method)
    elif not is_present and subscription["_asks"]:
        books.save(subscription | {"_asks": False})
        payment_method, asks = cards.asking(payment_method), True
    outcome = invoices.collect(books, invoice, payment_method, is_present=is_present or asks, session=session)
    invoice_tried(books, books.need("invoice", invoice["id"]), outcome)
    return outcome


def of_invoice(books: Books, invoice: Object) -> Object:
    return books.need("subscription", invoices.subscription_of(invoice))


def _means(books: Books, subscription: Object) -> Object:
    customer = books.need("customer", subscription["customer"])
    key = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    return books.need("payment_method", key)


def invoice_tried(books: Books, invoice: Object, outcome: Outcome) -> None:
    """An invoice paid makes its subscription active; one refused makes it past due, and in the end ends it."""
    subscription = of_invoice(books, invoice)
    status = subscription["status"]
    if status in ("canceled", "incomplete_expired"):
        return
    if outcome == "succeeded" or (outcome == "processing" and status == "incomplete"):
        if status != "active":
            books.save(subscription | {"status": "active"}, "customer.subscription.updated")
        if status == "incomplete":
            books.schedule(first_item(subscription)["current_period_end"], "renew", subscription["id"])
    elif outcome in ("declined", "requires_action") and status != "incomplete":
        if status != "past_due":
            books.save(subscription | {"status": "past_due"}, "customer.subscription.updated")
        if invoice["next_payment_attempt"] is None:
            end(books, subscription["id"], "payment_failed")


# --- what time does -------------------------------------------------------------------------------------------


def renew(books: Books, key: str) -> None:
    subscription = books.need("subscription", key)
    if subscription["status"] in ("canceled", "incomplete_expired", "incomplete"):
        return
    start, stop = _next_period(books, subscription)
    invoice = invoices.new_invoice(books, subscription, "subscription_cycle", start, stop)
    subscription |= {"latest_invoice": invoice["id"], "_last_start": start}
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    books.save(subscription, "customer.subscription.updated")
    books.schedule(stop, "renew", key)
    if subscription["pause_collection"]:
        _set_aside(books, invoice, subscription["pause_collection"]["behavior"])
        return
    invoices.finalise(books, invoice)
    collect(books, books.need("invoice", invoice["id"]), is_present=False)


def _next_period(books: Books, subscription: Object) -> tuple[int, int]:
    """Move each item on by one period, counted from the billing anchor. Returns the new period."""
    item = first_item(subscription)
    recurring = item["price"]["recurring"]
    start = item["current_period_end"]
    stop = period_end(subscription["billing_cycle_anchor"], start, recurring["interval"], recurring["interval_count"])
    for one in subscription["items"]["data"]:
        one |= {"current_period_start": start, "current_period_end": stop}
    return start, stop


def _set_aside(books: Books, invoice: Object, behaviour: str) -> None:
    """Collection is paused: the invoice is made, and nobody is charged."""
    if behaviour == "keep_as_draft":
        books.save(invoice | {"auto_advance": False}, "invoice.updated")
        return
    invoices.finalise(books, invoice)
    if behaviour == "void":
        invoices.void(books, invoice)
    else:
        invoices.give_up(books, invoice)


def retry(books: Books, key: str) -> None:
    invoice = books.need("invoice", key)
    if invoice["status"] == "open":
        collect(books, invoice, is_present=False)


def resume(books: Books, key: str) -> None:
    """`pause_collection[resumes_at]` has come."""
    subscription = books.need("subscription", key)
    if subscription["pause_collection"]:
        books.save(subscription | {"pause_collection": None}, "customer.subscription.updated")


def end_as_asked(books: Books, key: str) -> None:
    """`cancel_at` has come."""
    subscription = books.need("subscription", key)
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= books.now():
        end(books, key, "cancellation_requested")


def end(books: Books, key: str, reason: str) -> None:
    subscription = books.need("subscription", key)
    if subscription["status"] in ("canceled", "incomplete_expired"):
        return
    for act in ("renew", "end", "resume"):
        books.unschedule(act, key)
    subscription |= {
        "cancellation_details": subscription["cancellation_details"] | {"reason": reason},
        "canceled_at": subscription["canceled_at"] or books.now(),
        "ended_at": books.now(),
        "status": "canceled",
    }
    for invoice in [one for one in books.all("invoice") if one["status"] == "open"]:
        if invoices.subscription_of(invoice) == key and invoice["next_payment_attempt"]:
            books.save(invoice | {"auto_advance": False, "next_payment_attempt": None}, "invoice.updated")
            books.unschedule("retry", invoice["id"])
    books.save(subscription, "customer.subscription.deleted")


def abandon(books: Books, key: str) -> None:
    """The first payment was never finished: nothing began."""
    subscription = books.need("subscription", key)
    if subscription["status"] == "incomplete":
        subscription |= {"status": "incomplete_expired", "ended_at": books.now()}
        books.save(subscription, "customer.subscription.updated")
        invoices.void(books, books.need("invoice", subscription["latest_invoice"]))
