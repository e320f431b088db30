"""Bring one adoption in line with what Stripe says *now*. Webhook, thanks page and reconciliation all come here.

An event is a hint that something may have changed, never the change itself: each function asks Stripe for the
object, locks our row and applies the whole of it. So order, repetition and age of the hints do not matter.
Each returns whether it found something of ours.

Whose money something is, and whether it is what was asked for, is decided by the Checkout session alone. Until an
adoption has begun, whatever else is heard of it goes through its session first.
"""

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from config.money import pounds

from . import (
    attention,
    emails,
    failures,
    gifts,
    ledger,
    money_emails,
    standing_orders,
    stripe_gateway,
    stripe_invoices,
    stripe_troubles,
    twice,
)
from .models import OPEN, Adoption, AdoptionState, Attention, AttentionKind, Payment, PaymentKind
from .standing_orders import Standing
from .stripe_objects import Charge, Dispute, Invoice, Period, Session

HASTY_READS = 3
CLOSED = {"won", "lost", "warning_closed", "prevented"}
TAKE_TURN = "UPDATE adoptions_adoption SET revision = revision + 1 WHERE id = %s AND revision = %s RETURNING *"


def apply_latest[News](
    adoption_id: int, read: Callable[[], News], apply: Callable[[Adoption, News], None], *, seen: int | None = None
) -> News:
    """Ask Stripe, lock the adoption, apply the answer; ask again if another answer was applied in the meantime.

    The lock is not held while Stripe is asked. An answer is applied only if none was applied since before it was
    asked for, so an older answer that took longer never overwrites a newer one. `seen`: the revision, if the caller
    has just read it.
    """
    for _ in range(HASTY_READS):
        if seen is None:
            seen = Adoption.objects.values_list("revision", flat=True).get(pk=adoption_id)
        news = read()
        with transaction.atomic():
            adoption = take_turn(adoption_id, seen)
            if adoption:
                apply(adoption, news)
                return news
        seen = None
    # A crowd: the others wait, now that overtaking has cost enough requests.
    with transaction.atomic():
        locked(adoption_id)
        news = read()
        Adoption.objects.filter(pk=adoption_id).update(revision=F("revision") + 1)
        apply(Adoption.objects.get(pk=adoption_id), news)
    return news


def take_turn(adoption_id: int, seen: int) -> Adoption | None:
    """The adoption, locked until the transaction ends and counted one revision on; None if somebody was faster.

    One statement looks, locks and counts: whoever waits for the lock looks again when it is free.
    """
    return next(iter(Adoption.objects.raw(TAKE_TURN, [adoption_id, seen])), None)


def locked(adoption_id: int) -> Adoption:
    rows = Adoption.objects.select_for_update(of=("self",)).select_related("supporter", "species", "plan")
    return rows.get(pk=adoption_id)


# --- Checkout sessions --------------------------------------------------------------------------------------


def sync_session(session_id: str) -> bool:
    """A Checkout session: paid, on its way, refused, or expired."""
    adoption_id = find_by_session(session_id)
    if adoption_id is None:
        twice.notice_second_page(session_id)
        return False
    session, _, _ = apply_latest(adoption_id, lambda: read_news_of(session_id), apply_session)
    if session.invoice and session.subscription:
        write_invoice(adoption_id, session.invoice, of=session.subscription)
    elif session.subscription:
        follow(adoption_id, session.subscription)
    return True


def find_by_session(session_id: str) -> int | None:
    """By the session's id; by its metadata only if we never heard Stripe's answer with the id."""
    ours = Adoption.objects.filter(stripe_session_id=session_id).values_list("pk", flat=True)
    found = ours.first()
    if found is None:
        public_id = stripe_gateway.read_session(session_id).metadata.get("adoption", "")
        if is_uuid(public_id):
            Adoption.objects.filter(public_id=public_id, stripe_session_id=None).update(stripe_session_id=session_id)
            found = ours.first()
    return found


def is_uuid(text: str) -> bool:
    return len(text) == 36 and all(c in "0123456789abcdef-" for c in text)


def read_news_of(session_id: str) -> tuple[Session, Charge | None, bool]:
    """A session, the charge that paid it, and whether its bank said no."""
    session = stripe_gateway.read_session(session_id)
    intent = session.payment_intent
    if not intent:
        return session, None, False
    if session.payment_status == "paid":
        return session, stripe_gateway.read_charge_of(intent), False
    return session, None, session.status == "complete" and stripe_gateway.is_refused(intent)


def apply_session(adoption: Adoption, news: tuple[Session, Charge | None, bool]) -> None:
    session, charge, is_refused = news
    this = Adoption.objects.filter(pk=adoption.pk)
    fault = what_is_wrong(adoption, session)
    if fault and this.hold(reason=fault):
        attention.call(AttentionKind.HELD, key=adoption.reference, adoption=adoption, reason=fault)
    link(adoption, session)
    if charge:
        take(adoption, charge)
    elif session.status == "expired" or is_refused:
        this.abandon()
    elif session.status == "complete" and session.payment_status == "unpaid":
        this.await_payment()


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
    adoption.refresh_from_db(fields=["state", "stripe_customer_id", "stripe_subscription_id"])


# --- money --------------------------------------------------------------------------------------------------


def take(adoption: Adoption, charge: Charge, *, invoice_id: str = "") -> None:
    """Write a charge down, let the state follow, and thank for it if it is new and was not given back already.

    Money of a held adoption is written down as well, for it is there; but nobody is thanked before staff have looked.
    """
    payment = ledger.record_charge(adoption, charge, invoice_id=invoice_id)
    ledger.settle_state(adoption)
    is_kept = payment is not None and payment.reversals.balance_pence() + payment.amount_pence > 0
    if payment and is_kept and adoption.state != AdoptionState.HELD:
        emails.queue_receipt(adoption, payment)
        emails.queue_gift_aid_confirmed(adoption)
        money_emails.queue_recovered(adoption, payment)
        twice.notice_twin(adoption)
    tell_of_refunds(adoption, charge)
    gifts.money_arrived(adoption)


def tell_of_refunds(adoption: Adoption, charge: Charge) -> None:
    """The payer of each refund; staff of each that came back, as the payer still waits for it."""
    payment = Payment.objects.filter(stripe_id=charge.id, kind=PaymentKind.CHARGE).first() if charge.refunds else None
    for refund in charge.refunds:
        if payment is None:
            return  # in another currency: not in the ledger
        if refund.status in ledger.REFUND_STANDS:
            money_emails.queue_refund(adoption, payment, refund)
        else:
            reason = (
                f"{pounds(refund.amount_pence)} did not reach the supporter ({refund.status}). Send it another way."
            )
            attention.call(AttentionKind.REFUND_FAILED, key=refund.id, adoption=adoption, reason=reason)


def sync_charge(charge_id: str) -> bool:
    """A charge and its refunds, also one heard of before the payment itself."""
    found = owner_of_charge(charge_id)
    if found is None:
        return False
    adoption_id, invoice_id = found
    apply_latest(
        adoption_id,
        lambda: stripe_gateway.read_charge(charge_id),
        lambda adoption, charge: take(adoption, charge, invoice_id=invoice_id),
    )
    subscription = Adoption.objects.values_list("stripe_subscription_id", flat=True).get(pk=adoption_id)
    if subscription:
        follow(adoption_id, subscription)
    return True


def owner_of_charge(charge_id: str) -> tuple[int, str] | None:
    """The adoption a charge belongs to, and the invoice it paid if any."""
    known = Payment.objects.filter(stripe_id=charge_id, kind=PaymentKind.CHARGE)
    found = known.values_list("adoption_id", "invoice_id").first()
    if found:
        return found
    charge = stripe_gateway.read_charge(charge_id)
    if not charge.payment_intent or charge.is_live != settings.STRIPE_LIVEMODE:
        return None
    invoice = stripe_invoices.read_invoice_paid_by(charge.payment_intent)
    adoption_id = find_by_invoice(invoice) if invoice else find_by_payment(charge.payment_intent)
    return (adoption_id, invoice.id if invoice else "") if adoption_id else None


def find_by_invoice(invoice: Invoice) -> int | None:
    found = find_by_subscription(invoice.subscription) if invoice.subscription else None
    return found[0] if found else None


def find_by_payment(payment_intent: str) -> int | None:
    session_id = stripe_gateway.find_session(payment_intent=payment_intent)
    if session_id is None or not sync_session(session_id):
        return None
    return Adoption.objects.values_list("pk", flat=True).get(stripe_session_id=session_id)


def sync_refund(refund_id: str) -> bool:
    charge_id = stripe_gateway.read_refund(refund_id).charge
    return sync_charge(charge_id) if charge_id else False


def sync_dispute(dispute_id: str) -> bool:
    """Money a bank took back. The charge is written down first, if that had not been heard of."""
    charge_id = stripe_gateway.read_dispute(dispute_id).charge
    if not sync_charge(charge_id):
        return False
    payment = Payment.objects.filter(stripe_id=charge_id, kind=PaymentKind.CHARGE).first()
    if payment is None:
        return True  # ours, but in another currency: none of it is in the ledger

    def apply(adoption: Adoption, dispute: Dispute) -> None:
        ledger.record_dispute(payment, dispute)
        ledger.settle_state(adoption)
        tell_of_dispute(adoption, dispute)

    apply_latest(payment.adoption_id, lambda: stripe_gateway.read_dispute(dispute_id), apply)
    return True


def tell_of_dispute(adoption: Adoption, dispute: Dispute) -> None:
    """Staff can answer it until it is closed; then there is nothing left to look at."""
    amount, word = pounds(dispute.amount_pence), dispute.reason.replace("_", " ")
    reason = f"{amount} disputed, the bank says: {word}."
    attention.call(AttentionKind.DISPUTE, key=dispute.id, adoption=adoption, reason=reason, has_own_mail=True)
    money_emails.queue_dispute(adoption, dispute)
    if dispute.status in CLOSED:
        Attention.objects.filter(kind=AttentionKind.DISPUTE, key=dispute.id).resolve(how=f"Closed: {dispute.status}.")


def sync_warning(warning_id: str) -> bool:
    """A bank believes that a payment was not its owner's: a refund now costs less than the dispute that follows."""
    warning = stripe_troubles.read_warning(warning_id)
    if not sync_charge(warning.charge):
        return False
    payment = (
        Payment.objects.filter(stripe_id=warning.charge, kind=PaymentKind.CHARGE).select_related("adoption").first()
    )
    if payment and warning.is_actionable:
        reason = f"The bank believes that {pounds(payment.amount_pence)} was not paid by the owner of the card "
        reason += f"({warning.kind.replace('_', ' ')}). A refund now usually prevents a dispute."
        attention.call(AttentionKind.FRAUD_WARNING, key=warning.id, adoption=payment.adoption, reason=reason)
    return True


# --- subscriptions ------------------------------------------------------------------------------------------


def sync_invoice(invoice_id: str, *, of: str = "") -> bool:
    """One period of a repeating adoption. `of`: its subscription, if the caller has heard which."""
    subscription_id = of or stripe_gateway.read_invoice(invoice_id).subscription
    found = find_by_subscription(subscription_id) if subscription_id else None
    if found is None or subscription_id is None:
        return False
    adoption_id, seen = found
    if write_invoice(adoption_id, invoice_id, of=subscription_id, seen=seen):
        return True
    return bool(of) and sync_invoice(invoice_id)  # it was not of that one, and nothing was written


def write_invoice(adoption_id: int, invoice_id: str, *, of: str, seen: int | None = None) -> bool:
    """Take what was paid, and follow the subscription; False, and nothing is done, if it is of another one."""

    def read() -> tuple[Period, Standing | None]:
        period = stripe_invoices.read_period(invoice_id)
        if period.subscription is None:
            return period, None
        return period, standing_orders.standing_of(period.subscription, period.invoice)

    def apply(adoption: Adoption, news: tuple[Period, Standing | None]) -> None:
        period, standing = news
        if standing is None or standing.subscription.id != of:
            return
        for charge in period.tries:
            if charge.is_paid:
                take(adoption, charge, invoice_id=invoice_id)
        failures.note(adoption, period)
        # After the money: a subscription that ended before its payment was heard of must not stay active.
        apply_subscription(adoption, standing)

    period, _ = apply_latest(adoption_id, read, apply, seen=seen)
    return period.invoice.subscription == of


def sync_subscription(subscription_id: str) -> bool:
    """How a repeating adoption goes on: running, behind, ending, ended. Money is told by its invoices."""
    found = find_by_subscription(subscription_id)
    if found is None:
        return False
    adoption_id, seen = found
    follow(adoption_id, subscription_id, seen=seen)
    return True


def find_by_subscription(subscription_id: str) -> tuple[int, int] | None:
    """The adoption a subscription belongs to, and its revision.

    One that has not begun is looked at through its session first.
    """
    ours = Adoption.objects.filter(stripe_subscription_id=subscription_id).values_list("pk", "revision")
    found = ours.exclude(state__in=OPEN).first()
    if found is None:
        session_id = stripe_gateway.find_session(subscription=subscription_id)
        if session_id and sync_session(session_id):
            found = ours.first()
    return found


def follow(adoption_id: int, subscription_id: str, *, seen: int | None = None) -> None:
    apply_latest(adoption_id, lambda: standing_orders.read(subscription_id), apply_subscription, seen=seen)


def look_ahead(subscription_id: str) -> None:
    """Ask about a card that is about to run out or a year that is about to renew, and tell if it still is."""
    found = find_by_subscription(subscription_id)
    if found is None:
        return

    def apply(adoption: Adoption, standing: Standing) -> None:
        apply_subscription(adoption, standing)
        standing_orders.tell_of_card(adoption, standing)
        standing_orders.tell_of_renewal(adoption)

    adoption_id, seen = found
    apply_latest(adoption_id, lambda: standing_orders.read(subscription_id), apply, seen=seen)


def apply_subscription(adoption: Adoption, standing: Standing) -> None:
    subscription = standing.subscription
    if adoption.stripe_subscription_id != subscription.id:
        return  # of a page that was closed for another one in the meantime
    this, moved = Adoption.objects.filter(pk=adoption.pk), 0
    if subscription.status in standing_orders.BEHIND:
        moved += this.fall_behind()
    elif subscription.status in {"active", "trialing"} and adoption.state == AdoptionState.PAST_DUE:
        moved += this.activate()
    elif subscription.status in {"canceled", "incomplete_expired"}:
        moved += this.end(at=subscription.ended_at or timezone.now())
        moved += this.abandon()
    ends_on = subscription.cancel_at and subscription.cancel_at.date()
    if ends_on != adoption.ends_on:
        moved += this.filter(ended_at=None).update(ends_on=ends_on)
    if moved:  # most news of a subscription changes nothing, and nothing written or read is cheapest
        adoption.refresh_from_db()
    standing_orders.keep(adoption, standing)
