"""The mails about payments that do not simply arrive: failed, stopped, given back. Each is queued where it turns true.

The key of each names the fact it tells (a try, a refund, the moment an end was decided), so it is told once.
"""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from config.mail import queue_mail
from config.models import Mail

from . import emails, payment_days
from .models import ADOPTED, Adoption, Attention, Payment, PaymentKind, Takeover
from .stripe_objects import Dispute, Invoice, Refund, Refusal, Subscription

NEWS_FOR = timedelta(
    days=35
)  # what happened longer ago is history: a database brought back from an old backup hears it
PLAIN_REASONS = {
    "insufficient_funds": "there was not enough money in the account",
    "expired_card": "the card has run out",
    "lost_card": "the card is blocked",
    "stolen_card": "the card is blocked",
    "card_velocity_exceeded": "the card was used too often or for too much lately",
    "withdrawal_count_limit_exceeded": "the card was used too often or for too much lately",
    "debit_not_authorized": "it has no permission for a Direct Debit any more",
    "bank_account_closed": "the account is closed",
    "account_closed": "the account is closed",
}


def queue(kind: str, *, to: str, key: str, **context: Any) -> bool:
    """Unless it was queued before (then nothing is even rendered), or old facts are being written down again."""
    if emails.is_rebuilding.get() or Mail.objects.filter(key=f"{kind}:{key}").exists():
        return False
    return queue_mail(kind, to=to, key=key, context=context)


def to_payer(kind: str, adoption: Adoption, key: str, **context: Any) -> bool:
    return queue(kind, to=adoption.supporter.email, key=key, adoption=adoption, **context)


def to_staff(kind: str, key: str, **context: Any) -> bool:
    return queue(kind, to=settings.CHARITY["reply_to"], key=key, **context)


def manage_url() -> str:
    """Where supporters ask for the link to their own page: it never stands in a mail that might be forwarded."""
    return f"{settings.SITE_URL}/my-adoption/"


# --- a payment that failed ----------------------------------------------------------------------------------


def queue_failed(adoption: Adoption, invoice: Invoice, refusal: Refusal | None) -> bool:
    """One mail for each try. `invoice.address` is Stripe's page for this invoice alone, where any card can be used."""
    key = f"{invoice.id}:{invoice.attempts}"
    next_try_on = timezone.localdate(invoice.next_attempt_at) if invoice.next_attempt_at else None
    amount: dict[str, Any] = {"amount_pence": invoice.amount_due_pence}
    if refusal and refusal.is_asking:
        return to_payer("action_required", adoption, key, confirm_url=invoice.address, until=next_try_on, **amount)
    reason = PLAIN_REASONS.get(refusal.code, "") if refusal else ""
    address = invoice.address or manage_url()
    return to_payer(
        "payment_failed", adoption, key, reason=reason, next_try_on=next_try_on, manage_url=address, **amount
    )


def queue_recovered(adoption: Adoption, payment: Payment) -> bool:
    """Only to somebody who was told that it had failed."""
    if not payment.invoice_id:
        return False
    told = [f"payment_failed:{payment.invoice_id}:", f"action_required:{payment.invoice_id}:"]
    if not any(Mail.objects.filter(key__startswith=key).exists() for key in told):
        return False
    return to_payer("payment_recovered", adoption, payment.known_as, payment=payment)


def queue_card_expiring(adoption: Adoption, subscription: Subscription, last_day: date) -> bool:
    return to_payer(
        "card_expiring",
        adoption,
        f"{subscription.id}:{last_day:%Y-%m}",
        card_last4=subscription.card_last4,
        expires=f"{last_day:%B %Y}",
        manage_url=manage_url(),
    )


# --- how it goes on -----------------------------------------------------------------------------------------


def queue_cancelled(adoption: Adoption, subscription: Subscription) -> bool:
    """Keyed by the moment the end was decided: the end itself, when it comes, is no news; a second decision is."""
    decided_at = subscription.canceled_at
    if decided_at is None:
        return False
    last_payment = adoption.payments.filter(kind=PaymentKind.CHARGE).first()
    is_taken_over = Takeover.objects.filter(former=adoption, successor__state__in=ADOPTED).exists()
    return to_payer(
        "cancelled",
        adoption,
        f"{subscription.id}:{int(decided_at.timestamp())}",
        last_payment=last_payment,
        is_taken_over=is_taken_over,
        undo_url=manage_url() if adoption.ends_on and not is_taken_over else "",
        because=because_of(subscription),
        species_url=settings.SITE_URL + adoption.species.get_absolute_url(),
    )


def because_of(subscription: Subscription) -> str:
    """Who decided: empty for the supporter or staff."""
    return subscription.cancel_reason if subscription.cancel_reason in {"payment_failed", "payment_disputed"} else ""


def queue_ending(adoption: Adoption, *, ahead: timedelta) -> bool:
    """Not to somebody who decided it in the last three weeks and had the date in a mail then."""
    decided = Mail.objects.filter(key__startswith=f"cancelled:{adoption.stripe_subscription_id}:")
    if decided.filter(created_at__gt=timezone.now() - timedelta(days=21)).exists():
        return False
    return to_payer(
        "adoption_ending",
        adoption,
        f"{adoption.public_id}:{adoption.ends_on}:{ahead.days}",
        species_url=settings.SITE_URL + adoption.species.get_absolute_url(),
    )


def queue_amount_changed(adoption: Adoption, subscription: Subscription, *, before: str) -> bool:
    """Another amount, another rhythm, or both. `before`: the price as it was, such as "£5 a month"."""
    key = f"{subscription.id}:{subscription.price}"
    return to_payer("amount_changed", adoption, key, before=before, manage_url=manage_url())


def queue_paused(adoption: Adoption, subscription: Subscription) -> bool:
    """Stripe keeps no date of a pause. The revision names the one reading of Stripe in which it began."""
    key, skipped_on = f"{subscription.id}:{adoption.revision}", payment_days.skipped(subscription)
    return to_payer("paused", adoption, key, skipped_on=skipped_on, manage_url=manage_url())


def queue_resumed(adoption: Adoption, subscription: Subscription) -> bool:
    """Keyed as its pause is, whoever took it up again: the supporter, staff, or Stripe on the day that was agreed."""
    return to_payer("resumed", adoption, f"{subscription.id}:{adoption.revision}", manage_url=manage_url())


def renewal_key(adoption: Adoption) -> str:
    return f"{adoption.public_id}:{adoption.next_payment_on}"


def queue_renewal_notice(adoption: Adoption) -> bool:
    return to_payer("renewal_notice", adoption, renewal_key(adoption), manage_url=manage_url())


# --- money that went back -----------------------------------------------------------------------------------


def queue_refund(adoption: Adoption, payment: Payment, refund: Refund) -> bool:
    if refund.created < timezone.now() - NEWS_FOR:
        return False
    return to_payer(
        "refund_made",
        adoption,
        refund.id,
        amount_pence=refund.amount_pence,
        refunded_at=refund.created,
        is_whole=refund.amount_pence == payment.amount_pence,
        card_last4=payment.card_last4,
    )


def queue_refund_by_hand(adoption: Adoption, refund: Payment) -> bool:
    """`refund`: the movement that staff wrote down."""
    if refund.charge is None or refund.occurred_at < timezone.now() - NEWS_FOR:
        return False
    return to_payer(
        "refund_made",
        adoption,
        refund.known_as,
        amount_pence=-refund.amount_pence,
        refunded_at=refund.occurred_at,
        is_whole=-refund.amount_pence == refund.charge.amount_pence,
        card_last4="",
        way=refund.get_method_display().lower(),
    )


def queue_dispute(adoption: Adoption, dispute: Dispute) -> bool:
    admin_url = settings.SITE_URL + reverse("admin:adoptions_adoption_change", args=[adoption.pk])
    return to_staff(
        "dispute_opened",
        dispute.id,
        adoption=adoption,
        amount_pence=dispute.amount_pence,
        reason=dispute.reason.replace("_", " "),
        answer_by=dispute.answer_by,
        admin_url=admin_url,
    )


def queue_attention(attention: Attention, *, admin_url: str, to: str = "") -> bool:
    """To staff, or to the one of them whose matter it is."""
    key, context = (
        f"{attention.kind}:{attention.key}",
        {"attention": attention, "admin_url": admin_url, "is_yours": bool(to)},
    )
    return queue("attention", to=to, key=key, **context) if to else to_staff("attention", key, **context)
