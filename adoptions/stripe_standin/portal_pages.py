"""The customer portal: change the card, stop at the end of the period, think better of it."""

from datetime import UTC, datetime

from adoptions.stripe_standin import cards, subscription_changes, subscriptions
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.checkout_pages import change_card, chosen_method, money, rhythm
from adoptions.stripe_standin.clock import HOUR
from adoptions.stripe_standin.pages import Response, not_found, page, see
from adoptions.stripe_standin.state import Object


def show(books: Books, key: str) -> Response:
    portal = _open_portal(books, key)
    if portal is None:
        return not_found()
    flow = portal["flow"] or {"type": ""}
    held = [one for one in books.all("subscription") if one["customer"] == portal["customer"]]
    return page(
        "portal.html",
        leads_to=(portal["return_url"] or "", _after_flow(portal)),
        portal=portal,
        subscriptions=[_row(books, one) for one in held if _is_running(one)],
        cards=cards.CARDS,
        only=flow["type"],
    )


def _open_portal(books: Books, key: str) -> Object | None:
    """The address is a key in itself, so it works for an hour only."""
    portal = books.get("billing_portal.session", key)
    return portal if portal and books.now() - portal["created"] < HOUR else None


def _is_running(subscription: Object) -> bool:
    return subscription["status"] not in ("canceled", "incomplete", "incomplete_expired")


def _row(books: Books, subscription: Object) -> Object:
    item = subscriptions.first_item(subscription)
    amount = item["price"]["unit_amount"] * item["quantity"]
    method = books.get("payment_method", subscription["default_payment_method"] or "") or {"type": "card"}
    return {
        "id": subscription["id"],
        "status": subscription["status"].replace("_", " "),
        "name": books.need("product", item["price"]["product"])["name"],
        "amount": f"{money(amount, subscription['currency'])} {rhythm(item['price'])}",
        "until": datetime.fromtimestamp(item["current_period_end"], UTC),
        "is_ending": subscription["cancel_at"] is not None,
        "last4": method.get(method["type"], {}).get("last4", ""),
    }


def act(books: Books, key: str, fields: dict[str, str]) -> Response:
    with books.change():
        portal = _open_portal(books, key)
        if portal is None:
            return not_found()
        method = chosen_method(fields)
        if fields.get("act") == "change_card" and method and method.kind == "card":
            change_card(books, portal["customer"], method)
        elif fields.get("act") in ("stop", "go_on"):
            subscription = books.get("subscription", fields.get("subscription", ""))
            if not subscription or subscription["customer"] != portal["customer"] or not _is_running(subscription):
                return not_found()
            change = {"cancel_at_period_end": fields["act"] == "stop"}
            subscription_changes.update(books, subscription, change)
        return see(_after_flow(portal) or f"/p/session/{key}")


def _after_flow(portal: Object) -> str:
    """Where a visit for one thing only ends."""
    flow = portal["flow"]
    redirect = flow and flow["after_completion"]["redirect"]
    return str(redirect["return_url"]) if redirect else ""
