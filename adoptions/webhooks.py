"""Stripe's events: verify, keep once, answer; the worker does what they ask for.

Keeping and answering is all that happens while Stripe waits, so nothing we do wrong later makes it give up on us.
The event row and its task are one transaction: an event answered with 200 is an event that will be worked.
"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from . import fulfilment, shield, stripe_gateway
from .models import EventState, StripeEvent
from .stripe_gateway import StripeRefused
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


def receive(body: bytes, signature: str) -> bool:
    """Keep a signed event; False if we have it already. Raises NotStripe, and then nothing was written.

    Two rows and nothing asked: the primary key is Stripe's own id, so of eight deliveries at once seven fail on it.
    """
    from .tasks import work_event

    event = stripe_gateway.verify(body, signature, settings.STRIPE_WEBHOOK_SECRETS)
    because = why_not(event)
    try:
        with transaction.atomic():
            keep(event, body, because)
            if because is None:
                work_event.enqueue(event.id)
    except IntegrityError:
        if not StripeEvent.objects.filter(pk=event.id).exists():
            raise
        return False
    return True


def why_not(event: SignedEvent) -> str | None:
    """Why nothing is to be done about an event, empty where that needs no words; None if there is."""
    if event.is_live != settings.STRIPE_LIVEMODE:
        return "Sent for the other mode (live or test)."
    return None if event.type in HANDLERS else ""


def keep(event: SignedEvent, body: bytes, because: str | None) -> None:
    is_ignored = because is not None
    StripeEvent.objects.create(
        id=event.id,
        type=event.type[:100],
        object_id=event.object_id[:100],
        api_version=event.api_version[:40],
        body=body,
        state=EventState.IGNORED if is_ignored else EventState.RECEIVED,
        worked_at=timezone.now() if is_ignored else None,
        error=because or "",
    )


def work(event_id: str) -> None:
    """Do what an event asks for. Done twice, it changes nothing the second time."""
    event = StripeEvent.objects.get(pk=event_id)
    this = StripeEvent.objects.filter(pk=event_id)
    if event.state in {EventState.DONE, EventState.IGNORED}:
        return
    this.count_attempt()
    if is_ours(event):
        this.mark_done()
    else:
        logger.info("Stripe event %s (%s) is about nothing of ours.", event.id, event.type)
        this.mark_ignored()


def is_ours(event: StripeEvent) -> bool:
    """Work it; False if it is about an object that Stripe or we do not know."""
    if not event.object_id:
        return False
    try:
        return HANDLERS[event.type](event.object_id)
    except StripeRefused as error:
        if error.code == "resource_missing":
            return False
        raise
