"""The stand-in's front page: what is in its books, and a button for everything that can happen to it."""

from datetime import UTC, datetime

from adoptions.stripe_standin import deliveries
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.checkout_pages import money, rhythm
from adoptions.stripe_standin.pages import Response, page
from adoptions.stripe_standin.state import Object
from adoptions.stripe_standin.subscriptions import first_item

# Rows shown of each kind; the API lists the rest.
SHOWN = 25


def show(books: Books, said: str, site_url: str) -> Response:
    return page(
        "control.html",
        said=said,
        site_url=site_url,
        now=_date(books.now()),
        is_ahead=books.ahead() > 60,
        sessions=[_session(one) for one in books.all("checkout.session")[:SHOWN]],
        subscriptions=[_subscription(books, one) for one in books.all("subscription")[:SHOWN]],
        payments=[_payment(books, one) for one in books.all("charge")[:SHOWN]],
        events=[_event(one) for one in books.all("event")[:SHOWN]],
        waiting=len(books.items("_delivery")),
        webhooks=deliveries.settings(books),
        faults=books.get("_faults", "faults") or {},
    )


def _date(moment: int | None) -> datetime | None:
    return datetime.fromtimestamp(moment, UTC) if moment is not None else None


def _session(session: Object) -> Object:
    first = session["_line_items"][0]
    return {
        "id": session["id"],
        "what": first["description"],
        "amount": f"{money(session['amount_total'], session['currency'])} {rhythm(first['price'])}",
        "status": session["status"] if session["status"] != "complete" else f"complete, {session['payment_status']}",
        "url": session["url"],
    }


def _subscription(books: Books, subscription: Object) -> Object:
    item = first_item(subscription)
    customer = books.need("customer", subscription["customer"])
    notes = []
    if subscription["cancel_at"] and subscription["status"] != "canceled":
        notes.append("ends then")
    if subscription["pause_collection"]:
        notes.append("collection paused")
    if subscription["_failing"]:
        notes.append(f"next {subscription['_failing']} to fail")
    if subscription["_asks"]:
        notes.append("next one asks")
    return {
        "id": subscription["id"],
        "who": customer["email"] or customer["id"],
        "amount": f"{money(item['price']['unit_amount'] * item['quantity'], subscription['currency'])} "
        f"{rhythm(item['price'])}",
        "status": subscription["status"].replace("_", " "),
        "next": _date(item["current_period_end"]),
        "notes": ", ".join(notes),
        "is_running": subscription["status"] not in ("canceled", "incomplete_expired"),
    }


def _payment(books: Books, charge: Object) -> Object:
    opened = [one for one in books.all("dispute") if one["charge"] == charge["id"]] if charge["disputed"] else []
    given_back = (
        [one for one in books.all("refund") if one["charge"] == charge["id"]] if charge["amount_refunded"] else []
    )
    status = charge["status"]
    if charge["amount_refunded"]:
        status += f", {money(charge['amount_refunded'], charge['currency'])} refunded"
    if opened:
        status += f", dispute {opened[0]['status'].replace('_', ' ')}"
    return {
        "id": charge["id"],
        "intent": charge["payment_intent"],
        "amount": money(charge["amount"], charge["currency"]),
        "status": status,
        "who": charge["billing_details"]["email"],
        "is_pending": charge["status"] == "pending",
        "can_refund": charge["status"] == "succeeded" and not charge["disputed"] and not charge["refunded"],
        "can_dispute": charge["status"] == "succeeded" and not charge["disputed"] and not charge["amount_refunded"],
        "refund": next((one["id"] for one in given_back if one["status"] == "succeeded"), ""),
        "dispute": next((one["id"] for one in opened if one["status"] == "needs_response"), ""),
    }


def _event(event: Object) -> Object:
    said = event.get("_said", "waiting")
    return {
        "id": event["id"],
        "type": event["type"],
        "about": event["data"]["object"].get("id", ""),
        "created": _date(event["created"]),
        "is_delivered": event["pending_webhooks"] == 0,
        "said": said,
        "attempts": event.get("_attempts", 0),
    }
