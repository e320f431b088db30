"""What the site or the portal may change about a running subscription."""

from adoptions.stripe_standin import catalogue, customers, subscriptions
from adoptions.stripe_standin.answers import ApiError, find
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.state import Object


def update(books: Books, subscription: Object, params: Object) -> Object:
    """Answers with the subscription as it is afterwards; tells `customer.subscription.updated` if it differs."""
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise ApiError(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="resource_missing",
            param="id",
        )
    if params.get("cancel_at") and params.get("cancel_at_period_end"):
        raise ApiError("You cannot set both `cancel_at` and `cancel_at_period_end`.", param="cancel_at")
    if "metadata" in params:
        subscription["metadata"] = customers.merged_metadata(subscription["metadata"], params["metadata"])
    if "description" in params:
        subscription["description"] = params["description"]
    if "default_payment_method" in params:
        find(books, "payment_method", params["default_payment_method"], "default_payment_method")
        subscription["default_payment_method"] = params["default_payment_method"]
    subscription["cancellation_details"] |= params.get("cancellation_details", {})
    _reprice(books, subscription, params)
    _set_end(books, subscription, params)
    _pause(books, subscription, params)
    _postpone(books, subscription, params)
    if subscription != books.need("subscription", subscription["id"]):
        books.save(subscription, "customer.subscription.updated")
    return subscription


def _set_end(books: Books, subscription: Object, params: Object) -> None:
    if "cancel_at_period_end" not in params and "cancel_at" not in params:
        return
    at = params.get("cancel_at")
    if at is not None and at <= books.now():
        raise ApiError("The `cancel_at` timestamp must be in the future.", param="cancel_at")
    by_period = params.get("cancel_at_period_end", False)
    if by_period:
        at = subscriptions.first_item(subscription)["current_period_end"]
    was_ending = subscription["cancel_at"] is not None
    subscription |= {"cancel_at": at, "cancel_at_period_end": by_period}
    if at is None:
        subscription["canceled_at"] = None
        subscription["cancellation_details"] |= {"reason": None}
        books.unschedule("end", subscription["id"])
        return
    if not was_ending:
        subscription["canceled_at"] = books.now()
    subscription["cancellation_details"] |= {"reason": "cancellation_requested"}
    books.schedule(at, "end", subscription["id"])


def _pause(books: Books, subscription: Object, params: Object) -> None:
    if "pause_collection" not in params:
        return
    pause = params["pause_collection"]
    subscription["pause_collection"] = pause and {"resumes_at": None} | pause
    if pause and pause.get("resumes_at"):
        books.schedule(pause["resumes_at"], "resume", subscription["id"])
    else:
        books.unschedule("resume", subscription["id"])


def _postpone(books: Books, subscription: Object, params: Object) -> None:
    """`trial_end` puts the next payment off to a date, or takes it now."""
    if "trial_end" not in params:
        return
    sent = params["trial_end"]
    at = books.now() if sent == "now" else int(sent) if sent.isdigit() else 0
    if at < books.now():
        raise ApiError("Invalid timestamp: must be in the future", param="trial_end")
    if sent != "now" and params.get("proration_behavior") != "none":
        raise ApiError("The stand-in makes no prorations: send proration_behavior=none.", param="proration_behavior")
    subscription |= {
        "billing_cycle_anchor": at,
        "status": "trialing",
        "trial_start": books.now(),
        "trial_end": at,
    }
    for item in subscription["items"]["data"]:
        item |= {"current_period_start": books.now(), "current_period_end": at}
    books.schedule(at, "renew", subscription["id"])


def _reprice(books: Books, subscription: Object, params: Object) -> None:
    for at, sent in enumerate(params.get("items", [])):
        name = f"items[{at}]"
        item = subscriptions.first_item(subscription)
        if sent["id"] != item["id"]:
            raise ApiError(f"No such subscription item: '{sent['id']}'", code="resource_missing", param=f"{name}[id]")
        is_new = "price" in sent or "price_data" in sent
        price = catalogue.price_of(books, sent, name) if is_new else item["price"]
        rhythm, before = price["recurring"], item["price"]["recurring"]
        if not rhythm:
            raise ApiError("A subscription needs a price that recurs.", param=f"{name}[price]")
        is_other = any(rhythm[part] != before[part] for part in ("interval", "interval_count"))
        if is_other and "trial_end" not in params:
            raise ApiError(
                "The stand-in begins another rhythm only when a trial ends: send trial_end.", param=f"{name}[price]"
            )
        if params.get("proration_behavior") != "none":
            raise ApiError(
                "The stand-in makes no prorations: send proration_behavior=none.", param="proration_behavior"
            )
        subscriptions.reprice(books, subscription, price, sent.get("quantity", item["quantity"]))
