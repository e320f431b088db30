"""How a repeating adoption goes on: its plan, kept beside the adoption, and who is told when the plan changes.

All of it follows from the subscription as Stripe has it now. adoptions/fulfilment.py calls with the adoption locked, so
a mail is queued in the transaction that makes it true; its key names the fact, so however often the same is read, it
is told once.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from config.models import Mail

from . import attention, money_emails, payment_days, stripe_gateway, stripe_troubles
from .models import ADOPTED, REPEATING, RHYTHMS, Adoption, AdoptionState, AttentionKind, Frequency
from .stripe_objects import Invoice, Refusal, Subscription

STERLING = "gbp"
MOST_PENCE = 1_000_000
LEAST_PENCE = 100  # as the database has it; a plan's own bounds are for people who choose
BEHIND = {"past_due", "unpaid"}
CARD_WARNING = timedelta(days=30)
RENEWAL_NOTICE = timedelta(days=30)
END_WARNINGS = (7, 30)


@dataclass(frozen=True)
class Standing:
    """A subscription and, while it is behind, the invoice that could not be paid and why."""

    subscription: Subscription
    unpaid: Invoice | None = None
    refusal: Refusal | None = None


def read(subscription_id: str) -> Standing:
    return standing_of(stripe_gateway.read_subscription(subscription_id))


def standing_of(subscription: Subscription, latest: Invoice | None = None) -> Standing:
    """A subscription that was read just now and, if it is behind, why. `latest`: an invoice read with it, if any."""
    if subscription.status not in BEHIND or not subscription.latest_invoice:
        return Standing(subscription)
    is_it = latest is not None and latest.id == subscription.latest_invoice
    invoice = latest if latest and is_it else stripe_gateway.read_invoice(subscription.latest_invoice)
    if invoice.status != "open" or not invoice.attempts or not invoice.payment_intents:
        return Standing(subscription)
    return Standing(subscription, invoice, stripe_troubles.read_refusal(invoice.payment_intents[-1]))


def keep(adoption: Adoption, standing: Standing) -> None:
    """Write the plan down and tell what is new in it. The adoption is as the database has it, its state included."""
    this = Adoption.objects.filter(pk=adoption.pk)
    subscription = standing.subscription
    if adoption.is_adopted:
        was_paused, resumed_on = adoption.is_paused, adoption.resumes_on
        news = {name: now for name, now in plan_of(adoption, standing).items() if getattr(adoption, name) != now}
        if news and this.keep_plan(**news):
            vars(adoption).update(news)
        take_terms(adoption, subscription)
        if adoption.is_paused and (was_paused, resumed_on) != (True, adoption.resumes_on):
            money_emails.queue_paused(adoption, subscription)
        elif was_paused and not adoption.is_paused and adoption.next_payment_on:
            money_emails.queue_resumed(adoption, subscription)
    if adoption.activated_at and adoption.state != AdoptionState.HELD and subscription.canceled_at:
        money_emails.queue_cancelled(adoption, subscription)
    elif adoption.state == AdoptionState.PAST_DUE and standing.unpaid:
        money_emails.queue_failed(adoption, standing.unpaid, standing.refusal)


def plan_of(adoption: Adoption, standing: Standing) -> dict[str, object]:
    subscription, unpaid = standing.subscription, standing.unpaid
    is_behind = adoption.state == AdoptionState.PAST_DUE
    retry_at = unpaid.next_attempt_at if unpaid and is_behind else None
    resumes_at = subscription.resumes_at if subscription.is_paused else None
    return {
        "next_payment_on": payment_days.next_payment(subscription),
        "is_paused": subscription.is_paused,
        "resumes_on": timezone.localdate(resumes_at) if resumes_at else None,
        "retry_on": timezone.localdate(retry_at) if retry_at else None,
        "card_expires_on": payment_days.last_day(subscription.card_expires),
    }


def take_terms(adoption: Adoption, subscription: Subscription) -> None:
    """Other terms than ours were agreed with Stripe: by the supporter here, or by staff in Stripe's dashboard."""
    before, pence, frequency = adoption.price, subscription.amount_pence, RHYTHMS.get(subscription.interval)
    if subscription.currency != STERLING or not LEAST_PENCE <= pence <= MOST_PENCE or frequency is None:
        theirs = f"{pence} in {subscription.currency} every {subscription.interval}"
        reason = f"The subscription is over {theirs}; here it stays at {before}."
        attention.call(AttentionKind.ODD_AMOUNT, key=subscription.price, adoption=adoption, reason=reason)
    elif (pence, frequency) == (adoption.amount_pence, adoption.frequency):
        return
    elif Adoption.objects.filter(pk=adoption.pk).take_terms(pence=pence, frequency=frequency):
        adoption.refresh_from_db()
        money_emails.queue_amount_changed(adoption, subscription, before=before)


# --- what only time brings about ----------------------------------------------------------------------------


def with_expiring_cards() -> list[str]:
    """The subscriptions whose card, as we last heard, runs out before a payment that is due in the next weeks."""
    soon = timezone.localdate() + CARD_WARNING
    running = Adoption.objects.filter(state__in=ADOPTED, frequency__in=REPEATING, card_expires_on__lte=soon)
    return [found for found in running.values_list("stripe_subscription_id", flat=True) if found]


def tell_of_card(adoption: Adoption, standing: Standing) -> None:
    """Asked again just now, because banks renew cards by themselves."""
    last_day = payment_days.last_day(standing.subscription.card_expires)
    is_soon = last_day is not None and last_day <= timezone.localdate() + CARD_WARNING
    if adoption.is_adopted and adoption.next_payment_on and last_day and is_soon:
        money_emails.queue_card_expiring(adoption, standing.subscription, last_day)


def with_yearly_renewals() -> list[str]:
    """The yearly subscriptions whose next payment is within a month, and nobody has been told of it yet."""
    today = timezone.localdate()
    renewing = Adoption.objects.filter(
        state=AdoptionState.ACTIVE,
        frequency=Frequency.YEARLY,
        next_payment_on__gt=today,
        next_payment_on__lte=today + RENEWAL_NOTICE,
    )
    due = {f"renewal_notice:{money_emails.renewal_key(one)}": one.stripe_subscription_id or "" for one in renewing}
    told = Mail.objects.filter(key__in=due).values_list("key", flat=True)
    return [due[key] for key in due.keys() - set(told)]


def tell_of_renewal(adoption: Adoption) -> None:
    """Asked again just now: it may have been stopped, paused or changed at Stripe."""
    due = adoption.next_payment_on
    is_yearly = adoption.state == AdoptionState.ACTIVE and adoption.frequency == Frequency.YEARLY
    if is_yearly and due and timezone.localdate() < due <= timezone.localdate() + RENEWAL_NOTICE:
        money_emails.queue_renewal_notice(adoption)


def tell_of_endings() -> int:
    """Remind of an end that is a month or a week away; the number of mails."""
    today = timezone.localdate()
    days = Q()
    for ahead in END_WARNINGS:
        days |= Q(ends_on=today + timedelta(days=ahead))
    ending = Adoption.objects.filter(days, state__in=ADOPTED).select_related("supporter", "species", "gift")
    return sum(money_emails.queue_ending(adoption, ahead=(adoption.ends_on or today) - today) for adoption in ending)
