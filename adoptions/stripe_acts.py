"""What we ask Stripe to do to a subscription or a payment. Reading stays in the gateway.

Nothing here says that something was done: whoever calls reads the object back and believes only that. Every function
raises StripeUnavailable or StripeRefused.
"""

from datetime import datetime
from typing import Any

from .stripe_gateway import asking_stripe, client, id_of
from .stripe_objects import Subscription


def update(subscription_id: str, changes: dict[str, Any], *, key: str) -> None:
    with asking_stripe():
        client().v1.subscriptions.update(
            subscription_id,
            changes,  # type: ignore[arg-type]  # parts of one call; the contract tests check every key
            {"idempotency_key": key},
        )


def stop_later(subscription_id: str, *, key: str) -> None:
    update(subscription_id, {"cancel_at_period_end": True}, key=key)


def go_on(subscription_id: str, *, key: str) -> None:
    """Take back that it is to stop, whether at the end of the period or on a date."""
    update(subscription_id, {"cancel_at_period_end": False}, key=key)


def stop_now(subscription_id: str, *, key: str) -> None:
    with asking_stripe():
        client().v1.subscriptions.cancel(subscription_id, {}, {"idempotency_key": key})


def pause(subscription_id: str, *, until: datetime | None, key: str) -> None:
    """Invoices that fall in the pause are void: nobody is asked for them later."""
    wanted: dict[str, Any] = {"behavior": "void"}
    if until:
        wanted["resumes_at"] = int(until.timestamp())
    update(subscription_id, {"pause_collection": wanted}, key=key)


def resume(subscription_id: str, *, key: str) -> None:
    update(subscription_id, {"pause_collection": ""}, key=key)


def change_amount(subscription: Subscription, pence: int, *, key: str) -> None:
    """From the next payment on: what is paid for stays paid for, nothing is charged or given back in between."""
    update(subscription.id, terms(subscription, pence, subscription.interval), key=key)


def change_rhythm(subscription: Subscription, pence: int, interval: str, *, key: str) -> None:
    """As `change_amount`. Left alone, Stripe would begin the new rhythm with a payment today: the rest of what is
    paid for is made a trial, which is Stripe's word for a time in which nothing is taken.
    """
    changes = terms(subscription, pence, interval)
    if subscription.current_period_end:
        changes["trial_end"] = int(subscription.current_period_end.timestamp())
    update(subscription.id, changes, key=key)


def terms(subscription: Subscription, pence: int, interval: str) -> dict[str, Any]:
    price = {
        "currency": "gbp",
        "product": subscription.product,
        "recurring": {"interval": interval},
        "unit_amount": pence,
    }
    items = [{"id": subscription.item, "price_data": price, "quantity": 1}]
    return {"items": items, "proration_behavior": "none"}


def open_portal(customer_id: str, *, return_url: str, flow: str, subscription_id: str) -> str:
    """An address at Stripe that works for minutes and is a key in itself: show it to the supporter only, never mail it.

    `flow` empty: the whole portal; otherwise `payment_method_update` or `subscription_cancel`.
    """
    params: dict[str, Any] = {"customer": customer_id, "return_url": return_url, "locale": "en-GB"}
    if flow:
        after = {"type": "redirect", "redirect": {"return_url": return_url}}
        params["flow_data"] = {"type": flow, "after_completion": after}
        if flow == "subscription_cancel":
            params["flow_data"]["subscription_cancel"] = {"subscription": subscription_id}
    with asking_stripe():
        return client().v1.billing_portal.sessions.create(params).url  # type: ignore[arg-type]  # as above


def refund(charge_id: str, *, pence: int, reason: str, request: str, key: str) -> str:
    """Ask for money to go back; the refund's id. `request` is ours and stays on it, so that it is found again."""
    with asking_stripe():
        made = client().v1.refunds.create(
            {"charge": charge_id, "amount": pence, "reason": reason, "metadata": {"request": request}},
            {"idempotency_key": key},
        )
    return made.id


def find_refund(charge_id: str, request: str) -> str | None:
    """The refund that an earlier, unanswered try of ours made; None if it made none."""
    with asking_stripe():
        for found in client().v1.refunds.list({"charge": charge_id, "limit": 100}).auto_paging_iter():
            if found.metadata and "request" in found.metadata and found.metadata["request"] == request:
                return id_of(found.id)
    return None
