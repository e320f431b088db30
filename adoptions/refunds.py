"""Give money back. A refund is asked for under a key of its own row, and done only once Stripe shows it.

Whatever happens between asking and hearing (a time-out, a crash, a second press), the row is asked for again under the
same key, and before that looked for at Stripe, where it carries the row's id. So it is made once or not at all.
"""

import logging
import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Model, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from config.money import pounds

from . import fulfilment, gift_aid, stripe_acts, stripe_gateway, stripe_invoices
from .models import Attention, AttentionKind, Payment, PaymentKind, RefundReason, RefundRequest
from .stripe_gateway import StripeRefused, StripeUnavailable
from .stripe_objects import Charge

logger = logging.getLogger(__name__)

BY_ROLE = "django.contrib.auth.backends.ModelBackend"
ASKED_AGAIN_AFTER = timedelta(minutes=1)
WHY_NOT = {
    "charge_already_refunded": "All of this payment went back already.",
    "charge_disputed": "This payment is disputed: its money is at the bank. Answer the dispute at Stripe instead.",
    "insufficient_funds": "There is not enough money in the balance at Stripe. Try again after the next payments.",
}


class CannotRefund(Exception):
    """Not possible; the text is a sentence for staff."""


class WaitsForSecond(Exception):
    """Written down, and nothing went back: it is more than one person may give back alone."""


def refundable_pence(payment: Payment) -> int:
    """What is left of a payment, less what was asked for and not answered yet."""
    return refundable_of(Payment.objects.filter(pk=payment.pk))[payment.pk]


def refundable_of(charges: QuerySet[Payment]) -> dict[int, int]:
    """The same of many, in one query; by the number of the payment."""
    asked = RefundRequest.objects.unanswered().filter(payment=OuterRef("pk")).order_by().values("payment")
    asked_pence = Coalesce(Subquery(asked.values(total=Sum("amount_pence"))), 0)
    left = F("amount_pence") + Coalesce(Sum("reversals__amount_pence"), 0) - asked_pence
    return {pk: max(0, pence) for pk, pence in charges.order_by().annotate(left=left).values_list("pk", "left")}


def needs_second(payment: Payment, pence: int) -> bool:
    """Is it more than one person may give back of a payment alone, with what went back so before?

    Counted by the payment, so that a large refund in small parts is a large refund.
    """
    if payment.is_by_hand:
        by_one = payment.reversals.filter(kind=PaymentKind.REFUND, hand_entry__agreed_by=None, taken_back_by=None)
        return pence - by_one.balance_pence() > settings.REFUND_ALONE_PENCE
    alone = RefundRequest.objects.filter(payment=payment, refused="", second=None)
    before: int = alone.aggregate(total=Sum("amount_pence"))["total"] or 0
    return before + pence > settings.REFUND_ALONE_PENCE


def may_give_back() -> QuerySet[User]:
    """Whose work it is to give money back, or to agree to it."""
    return User.objects.with_perm("adoptions.add_refundrequest", backend=BY_ROLE).order_by("username")


def effect_of(payment: Payment, *, pence: int, stops: bool, left: int | None = None) -> list[str]:
    """What a refund would do, in sentences, for the page that asks for confirmation; by hand as through Stripe.

    `left`: what of the payment stays, where this refund is not counted as asked for already.
    """
    adoption = payment.adoption
    left = refundable_pence(payment) - pence if left is None else left
    stays = f"{pounds(left)} of the payment stays here." if left else "Nothing of the payment stays here."
    goes = f"{pounds(pence)} goes back to where it came from. Banks take 5 to 10 days to show it."
    if payment.is_by_hand:
        goes = f"{pounds(pence)} is written down as given back: you gave it back yourself, this page moves no money."
    effects = [goes, stays]
    if stops:
        effects.append("The adoption ends now, and nothing more is taken.")
    elif adoption.is_repeating and adoption.is_adopted:
        effects.append(f"The adoption goes on: {adoption.price} is taken as before.")
    elif not adoption.is_repeating and adoption.payments.balance_pence() <= pence:
        effects.append("The adoption ends, and its certificate can no longer be opened.")
    else:
        effects.append("The adoption itself stays as it is.")
    effects.append(gift_aid.effect_of_return(payment, left=left, pence=pence))
    effects.append("The receipt of the payment says from now on what went back.")
    if not adoption.supporter.has_email:
        return [*effects, f"{adoption.supporter.name} has no email address: please tell them yourself."]
    return [*effects, f"{adoption.supporter.name} gets a mail that says so."]


def refund(
    payment: Payment,
    *,
    pence: int,
    reason: RefundReason,
    by: User,
    note: str = "",
    request: uuid.UUID | None = None,
    stops: bool = False,
) -> RefundRequest:
    """Refund all or part of a charge; returns once Stripe was read back and has it, or a second person has to look.

    `stops` is for who approves it: whoever refunds alone ends the adoption themselves. `request` names one visit to the
    form: given again, it is the same refund. Raises CannotRefund, StripeRefused, or StripeUnavailable; after the last,
    the row stays and is asked for again by itself.
    """
    if payment.kind != PaymentKind.CHARGE:
        raise CannotRefund("Only a payment can be refunded.")
    if payment.is_by_hand:
        raise CannotRefund("This did not come through Stripe. Give it back by hand, and write that down.")
    with transaction.atomic():
        # Two people at once: the second sees what the first asked for.
        fulfilment.locked(payment.adoption_id)
        wanted = RefundRequest.objects.filter(public_id=request).first() if request else None
        if wanted is None:
            check(payment, pence)
            wanted = RefundRequest.objects.create(
                public_id=request or uuid.uuid4(),
                payment=payment,
                amount_pence=pence,
                reason=reason,
                note=note[:300],
                by=by,
                stops=stops,
                needs_second=needs_second(payment, pence),
            )
    if wanted.refused:
        raise StripeRefused(wanted.refused)
    return wanted if wanted.stripe_refund_id or wanted.waits_for_second else ask(wanted)


def approve(wanted: RefundRequest, *, by: User) -> RefundRequest:
    """A second person has looked at it: now Stripe is asked. Raises as `refund` does."""
    if not RefundRequest.objects.filter(pk=wanted.pk).approve(by=by):
        raise CannotRefund("It is decided already, or it was you who asked: somebody else has to look at it.")
    wanted.refresh_from_db()
    return ask(wanted)


def check(payment: Payment, pence: int) -> None:
    left = refundable_pence(payment)
    if left == 0:
        raise CannotRefund("Nothing of this payment is left to refund.")
    if not 1 <= pence <= left:
        raise CannotRefund(f"Refund an amount from 1p to {pounds(left)}.")


def ask(wanted: RefundRequest, *, is_again: bool = False) -> RefundRequest:
    """Ask Stripe for one refund, read it back, write it down."""
    this, name, charge_id = RefundRequest.objects.filter(pk=wanted.pk), str(wanted.public_id), wanted.payment.stripe_id
    made = stripe_acts.find_refund(charge_id, name) if is_again else None
    try:
        made = made or stripe_acts.refund(
            charge_id,
            pence=wanted.amount_pence,
            reason=wanted.reason,
            request=name,
            key=f"refund:{name}:{wanted.attempt}",
        )
    except StripeUnavailable as error:
        if error.is_answered:  # Stripe would repeat this answer to the same key for a day
            this.filter(attempt=wanted.attempt).update(attempt=F("attempt") + 1)
        raise
    except StripeRefused as refusal:
        made = stripe_acts.find_refund(charge_id, name)
        if made is None:
            this.mark_refused(because=refusal.code)
            raise
    fulfilment.sync_charge(charge_id)
    if not Payment.objects.filter(stripe_id=made, kind=PaymentKind.REFUND).exists():
        raise StripeUnavailable("NotShownYet", is_answered=False)
    this.mark_made(stripe_id=made)
    wanted.refresh_from_db()
    return wanted


def ask_for_unanswered() -> int:
    """Whatever a time-out or a crash left open; how many are settled now."""
    old = timezone.now() - ASKED_AGAIN_AFTER
    settled = 0
    asked = RefundRequest.objects.to_ask().alias(since=Coalesce("second_at", "asked_at")).filter(since__lt=old)
    for wanted in asked.select_related("payment")[:20]:
        try:
            ask(wanted, is_again=True)
        except StripeRefused as refusal:
            logger.warning("Refund %s was refused: %s", wanted.public_id, refusal.code)
        except StripeUnavailable:
            return settled
        settled += 1
    return settled


def give_back_second_page(attention: Attention, *, by: Model) -> None:
    """A page that was paid beside the one that counts: stop what it began, send its money back, and look that it is so.

    Its money belongs to no adoption, so it is in no ledger of ours, before or after: a RefundRequest, which is of a
    payment, cannot hold it. More than one person may give back alone waits here for another: raises WaitsForSecond.
    """
    if attention.kind != AttentionKind.TWICE or not attention.key.startswith("cs_"):
        raise CannotRefund("This is not about a second page.")
    session = stripe_gateway.read_session(attention.key)
    if session.subscription and stripe_gateway.read_subscription(session.subscription).ended_at is None:
        stripe_acts.stop_now(session.subscription, key=f"second-page:{session.id}:stop")
    intents = [session.payment_intent] if session.payment_intent else []
    if session.subscription:
        for invoice in stripe_invoices.read_invoices_of(session.subscription):
            intents += invoice.payment_intents
    attention_of_this = Attention.objects.filter(pk=attention.pk)
    charges = [charge for intent in intents if (charge := paid_by(intent or ""))]
    if sum(charge.amount_pence for charge in charges) > settings.REFUND_ALONE_PENCE:
        attention_of_this.ask_for_second(by=by)
        if attention_of_this.filter(asked_by=by.pk).exists():
            raise WaitsForSecond
    for charge in charges:
        give_back_all_of(charge, name=f"second-page:{session.id}")
    attention_of_this.resolve(by=by, how="All that was paid on the second page went back, as read at Stripe.")


def paid_by(payment_intent: str) -> Charge | None:
    charge = stripe_gateway.read_charge_of(payment_intent)
    return charge if charge and charge.is_paid and charge.is_live == settings.STRIPE_LIVEMODE else None


def give_back_all_of(charge: Charge, *, name: str) -> None:
    left = charge.amount_pence - back_of(charge.id)
    if left:
        key = f"{name}:{charge.payment_intent}"
        stripe_acts.refund(charge.id, pence=left, reason="duplicate", request=name, key=key)
    if back_of(charge.id) != charge.amount_pence:
        raise StripeUnavailable("NotShownYet", is_answered=False)


def back_of(charge_id: str) -> int:
    refunds = stripe_gateway.read_charge(charge_id).refunds
    return sum(refund.amount_pence for refund in refunds if refund.status not in {"failed", "canceled"})
