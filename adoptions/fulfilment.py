"""Bring one adoption in line with what Stripe says *now*. Webhook, thanks page and reconciliation all come here.

An event is a hint that something may have changed, never the change itself: each function asks Stripe for the
object, locks our row and applies the whole of it. So order, repetition and age of the hints do not matter.
Each returns whether it found something of ours.
"""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from . import emails, ledger, stripe_gateway
from .models import Adoption, AdoptionState, Payment, PaymentKind
from .stripe_objects import Charge, Invoice, Session, Subscription


def sync_session(session_id: str) -> bool:
    """A Checkout session: paid, on its way, or expired."""
    session = stripe_gateway.read_session(session_id)
    intent = session.payment_intent
    charge = stripe_gateway.read_charge_of(intent) if intent and session.payment_status == "paid" else None
    with transaction.atomic():
        adoption = adoption_of_session(session)
        if adoption is None:
            return False
        fault = what_is_wrong(adoption, session)
        if fault:
            Adoption.objects.filter(pk=adoption.pk).hold(reason=fault)
            if charge:
                ledger.record_charge(adoption, charge)
            return True
        link(adoption, session)
        if charge:
            take(adoption, charge)
        elif session.status == "complete" and session.payment_status == "unpaid":
            Adoption.objects.filter(pk=adoption.pk).await_payment()
        elif session.status == "expired":
            Adoption.objects.filter(pk=adoption.pk).abandon()
    if session.subscription:
        for invoice in stripe_gateway.read_invoices_of(session.subscription):
            sync_invoice(invoice.id)
    return True


def adoption_of_session(session: Session) -> Adoption | None:
    """Ours, locked: by the session's id; by its metadata only if we never heard Stripe's answer with the id."""
    locked = Adoption.objects.select_for_update(of=("self",)).select_related("supporter", "species", "plan")
    adoption = locked.filter(stripe_session_id=session.id).first()
    if adoption is None:
        public_id = session.metadata.get("adoption", "")
        adoption = locked.filter(stripe_session_id=None, public_id=public_id).first() if is_uuid(public_id) else None
        if adoption:
            Adoption.objects.filter(pk=adoption.pk).update(stripe_session_id=session.id)
    return adoption


def is_uuid(text: str) -> bool:
    return len(text) == 36 and all(c in "0123456789abcdef-" for c in text)


def what_is_wrong(adoption: Adoption, session: Session) -> str:
    """Why a session must not be fulfilled; empty if all is as we asked for it."""
    if session.is_live != settings.STRIPE_LIVEMODE:
        return "Stripe's session is of another mode (live or test) than this site."
    if session.currency != ledger.STERLING:
        return f"Stripe's session is in {session.currency}, not in pounds."
    if session.amount_pence != adoption.amount_pence:
        return f"Stripe's session is over {session.amount_pence}p, the adoption over {adoption.amount_pence}p."
    if session.reference != adoption.reference:
        return "Stripe's session carries the reference of another adoption."
    return ""


def link(adoption: Adoption, session: Session) -> None:
    """Keep Stripe's ids of the customer and of the subscription."""
    Adoption.objects.filter(pk=adoption.pk).update(
        stripe_customer_id=session.customer or "",
        stripe_subscription_id=session.subscription if adoption.is_repeating else None,
    )
    adoption.refresh_from_db(fields=["stripe_customer_id", "stripe_subscription_id"])


def take(adoption: Adoption, charge: Charge, *, invoice_id: str = "") -> None:
    """Write a charge down, let the state follow, and thank for it if it is new and was not given back already."""
    payment = ledger.record_charge(adoption, charge, invoice_id=invoice_id)
    ledger.settle_state(adoption)
    if payment and payment.reversals.balance_pence() + payment.amount_pence > 0:
        emails.queue_receipt(adoption, payment)


def sync_invoice(invoice_id: str) -> bool:
    """One period of a repeating adoption."""
    invoice = stripe_gateway.read_invoice(invoice_id)
    if not invoice.subscription:
        return False
    charges = [stripe_gateway.read_charge_of(intent) for intent in invoice.payment_intents]
    adoption_id = find_by_subscription(invoice.subscription)
    if adoption_id is None:
        return False
    with transaction.atomic():
        adoption = locked(adoption_id)
        for charge in charges:
            if charge and charge.is_paid:
                take(adoption, charge, invoice_id=invoice.id)
    # After the money: a subscription that ended before its payment was heard of must not stay active.
    return sync_subscription(invoice.subscription)


def locked(adoption_id: int) -> Adoption:
    rows = Adoption.objects.select_for_update(of=("self",)).select_related("supporter", "species", "plan")
    return rows.get(pk=adoption_id)


def find_by_subscription(subscription_id: str) -> int | None:
    """The adoption a subscription belongs to, linking it if its session's news has not come yet."""
    known = Adoption.objects.filter(stripe_subscription_id=subscription_id).values_list("pk", flat=True).first()
    if known:
        return known
    return link_subscription(stripe_gateway.read_subscription(subscription_id))


def link_subscription(subscription: Subscription) -> int | None:
    """Link by the adoption's id in the metadata, which only we write; never over another subscription."""
    if not is_uuid(subscription.adoption_public_id) or subscription.is_live != settings.STRIPE_LIVEMODE:
        return None
    unlinked = Adoption.objects.filter(public_id=subscription.adoption_public_id, stripe_subscription_id=None)
    unlinked.exclude(frequency="once").update(
        stripe_subscription_id=subscription.id, stripe_customer_id=subscription.customer
    )
    return Adoption.objects.filter(stripe_subscription_id=subscription.id).values_list("pk", flat=True).first()


def sync_subscription(subscription_id: str) -> bool:
    """How a repeating adoption goes on: running, behind, ending, ended. Money is told by its invoices."""
    subscription = stripe_gateway.read_subscription(subscription_id)
    adoption_id = find_by_subscription(subscription_id)
    if adoption_id is None:
        return False
    with transaction.atomic():
        adoption = locked(adoption_id)
        this = Adoption.objects.filter(pk=adoption.pk)
        if subscription.status in {"past_due", "unpaid"}:
            this.fall_behind()
        elif subscription.status == "active" and adoption.state == AdoptionState.PAST_DUE:
            this.activate()
        elif subscription.status in {"canceled", "incomplete_expired"}:
            this.end(at=subscription.ended_at or timezone.now())
            this.abandon()
        this.filter(ended_at=None).update(ends_on=subscription.cancel_at and subscription.cancel_at.date())
    return True


def sync_charge(charge_id: str) -> bool:
    """A charge and its refunds, also one heard of before the payment itself."""
    charge = stripe_gateway.read_charge(charge_id)
    invoice = stripe_gateway.read_invoice_paid_by(charge.payment_intent) if charge.payment_intent else None
    adoption_id = adoption_of_charge(charge, invoice)
    if adoption_id is None or charge.is_live != settings.STRIPE_LIVEMODE:
        return False
    with transaction.atomic():
        adoption = locked(adoption_id)
        if adoption.state == AdoptionState.HELD:
            ledger.record_charge(adoption, charge)
        else:
            take(adoption, charge, invoice_id=invoice.id if invoice else "")
    return True


def adoption_of_charge(charge: Charge, invoice: Invoice | None) -> int | None:
    known = Payment.objects.filter(stripe_id=charge.id, kind=PaymentKind.CHARGE)
    found = known.values_list("adoption_id", flat=True).first()
    if found:
        return found
    if invoice and invoice.subscription:
        return find_by_subscription(invoice.subscription)
    if is_uuid(charge.adoption_public_id):
        ours = Adoption.objects.filter(public_id=charge.adoption_public_id, frequency="once")
        return ours.values_list("pk", flat=True).first()
    return None


def sync_refund(refund_id: str) -> bool:
    charge_id = stripe_gateway.read_charge_id_of_refund(refund_id)
    return sync_charge(charge_id) if charge_id else False


def sync_dispute(dispute_id: str) -> bool:
    """Money a bank took back. The charge is written down first, if that had not been heard of."""
    dispute = stripe_gateway.read_dispute(dispute_id)
    if not sync_charge(dispute.charge):
        return False
    payment = Payment.objects.get(stripe_id=dispute.charge, kind=PaymentKind.CHARGE)
    with transaction.atomic():
        adoption = locked(payment.adoption_id)
        ledger.record_dispute(payment, dispute)
        ledger.settle_state(adoption)
    return True
