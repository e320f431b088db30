"""Stripe's events: verify, keep once, answer; the worker does what they ask for.

Keeping and answering is all that happens while Stripe waits, so nothing we do wrong later makes it give up on us.
The row is the order to work it: an event answered with 200 is an event that will be worked.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.conf import settings
from django.db import connection

from config import patience

from . import fulfilment, shield, stripe_gateway
from .models import EventState, StripeEvent
from .stripe_gateway import StripeRefused
from .stripe_invoices import subscription_named_in
from .stripe_objects import SignedEvent

logger = logging.getLogger(__name__)

HANDLERS: dict[str, Callable[[str], bool]] = {
    "checkout.session.completed": fulfilment.sync_session,
    "checkout.session.async_payment_succeeded": fulfilment.sync_session,
    "checkout.session.async_payment_failed": fulfilment.sync_session,
    "checkout.session.expired": fulfilment.sync_session,
    "invoice.paid": fulfilment.sync_invoice,
    "invoice.payment_failed": fulfilment.sync_invoice,
    "invoice.payment_action_required": fulfilment.sync_invoice,
    "customer.subscription.updated": fulfilment.sync_subscription,
    "customer.subscription.deleted": fulfilment.sync_subscription,
    "charge.failed": shield.count_decline,
    "charge.refunded": fulfilment.sync_charge,
    "refund.created": fulfilment.sync_refund,
    "refund.updated": fulfilment.sync_refund,
    "refund.failed": fulfilment.sync_refund,
    "charge.refund.updated": fulfilment.sync_refund,
    "radar.early_fraud_warning.created": fulfilment.sync_warning,
    "charge.dispute.created": fulfilment.sync_dispute,
    "charge.dispute.updated": fulfilment.sync_dispute,
    "charge.dispute.closed": fulfilment.sync_dispute,
    "charge.dispute.funds_withdrawn": fulfilment.sync_dispute,
    "charge.dispute.funds_reinstated": fulfilment.sync_dispute,
}


KEEP = """
INSERT INTO adoptions_stripeevent
    (id, type, object_id, api_version, body, received_at, state, worked_at, attempts, error)
VALUES (%s, %s, %s, %s, %s, statement_timestamp(), %s, CASE WHEN %s THEN statement_timestamp() END, 0, %s)
ON CONFLICT DO NOTHING
"""


def receive(body: bytes, signature: str) -> bool:
    """Keep a signed event; False if we have it already. Raises NotStripe, and then nothing was written.

    One statement and nothing asked: the primary key is Stripe's own id, so of eight deliveries at once one is kept.
    """
    event = stripe_gateway.verify(body, signature, settings.STRIPE_WEBHOOK_SECRETS)
    return keep(event, body, why_not(event))


def why_not(event: SignedEvent) -> str | None:
    """Why nothing is to be done about an event, empty where that needs no words; None if there is."""
    if event.is_live != settings.STRIPE_LIVEMODE:
        return "Sent for the other mode (live or test)."
    if event.account:  # named only where it is not the account of the endpoint's own
        return f"Sent for another account: {event.account[:100]}."
    return None if event.type in HANDLERS else ""


def keep(event: SignedEvent, body: bytes, because: str | None) -> bool:
    """By PostgreSQL's clock, which all hosts share: what has waited too long is told by it as well."""
    is_over = because is not None
    state = EventState.IGNORED if is_over else EventState.RECEIVED
    told = (event.id, event.type[:100], event.object_id[:100], event.api_version[:40], body)
    with connection.cursor() as cursor:
        cursor.execute(KEEP, (*told, state, is_over, because or ""))
        return bool(cursor.rowcount)


def work(event_id: str) -> None:
    """Do what one event asks for. Done twice, it changes nothing the second time."""
    event = StripeEvent.objects.get(pk=event_id)
    if event.state in {EventState.DONE, EventState.IGNORED}:
        return
    StripeEvent.objects.filter(pk=event_id).count_attempt()
    for error in work_together([event]).values():
        raise error


class TooLate(Exception):
    """Those before it took so long that its turn did not come."""


def work_together(events: Iterable[StripeEvent], *, until: timedelta = timedelta.max) -> dict[str, Exception]:
    """Do what events ask for; what went wrong is left to the caller, by the event's id.

    Several that tell of one thing are worked once: what Stripe says now is newer than each of them. None is begun
    after `until`, by the clock of config/patience.py.
    """
    same: dict[tuple[object, str], list[StripeEvent]] = {}
    for event in events:
        same.setdefault((HANDLERS.get(event.type), event.object_id), []).append(event)
    done: list[str] = []
    ignored: list[str] = []
    failed: dict[str, Exception] = {}
    for together in same.values():
        ids = [event.pk for event in together]
        try:
            if patience.now() > until:
                raise TooLate
            (done if is_ours(together[0]) else ignored).extend(ids)
        except Exception as error:  # noqa: BLE001  whatever it is, the others go on, and staff see it
            failed.update(dict.fromkeys(ids, error))
    StripeEvent.objects.filter(pk__in=done).mark_done()
    if ignored:
        logger.info("About nothing of ours: %s", ignored)
        StripeEvent.objects.filter(pk__in=ignored).mark_ignored()
    return failed


def is_ours(event: StripeEvent) -> bool:
    """Work it; False if it is about an object that Stripe or we do not know."""
    if not event.object_id:
        return False
    try:
        if HANDLERS[event.type] is fulfilment.sync_invoice:
            return fulfilment.sync_invoice(event.object_id, of=subscription_named_in(event.body))
        return HANDLERS[event.type](event.object_id)
    except StripeRefused as error:
        if error.code == "resource_missing":
            return False
        raise
