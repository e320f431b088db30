"""Somebody else goes on paying: a daughter for her mother, a widow for the two of them.

Nobody's card and nobody's money changes hands. The new payer is mailed a link and begins an adoption of their own on
the same terms; only once its first payment is there are the payments before it stopped, as their payer would stop them.
A link that is never used changes nothing. What was paid stays with who paid it, and so does its Gift Aid.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, Func, OuterRef, Value
from django.utils import timezone
from django.utils.formats import date_format

from . import attention, fulfilment, payment_links, subscriptions
from .by_hand import Entry
from .checkout import Answers
from .gifts import Present
from .models import OPEN, Adoption, AdoptionState, Attention, AttentionKind, Frequency, PaymentLink, Takeover
from .models.attention import AttentionQuerySet
from .stripe_gateway import StripeRefused, StripeUnavailable
from .subscriptions import CannotChange

logger = logging.getLogger(__name__)

MAY_OFFER = ("adoptions.add_change", "adoptions.add_adoption")  # permissions of staff
PAGE_LASTS = timedelta(days=1)  # at Stripe: opened at the last moment, it can be paid for so long


class CannotTakeOver(Exception):
    """Not possible; the text is a sentence for staff."""


@dataclass(frozen=True)
class NewPayer:
    """Who is to pay from now on. `attempt` names one visit to the form."""

    attempt: uuid.UUID
    name: str
    email: str


def offer(former: Adoption, payer: NewPayer, entry: Entry) -> Adoption:
    """Mail the new payer a link to pay for the same; their adoption, which waits. The same visit: the same.

    Raises CannotTakeOver if there is nothing to go on with, if it is their own, or if somebody has a link already.
    """
    with transaction.atomic():
        former = fulfilment.locked(former.pk)
        known = Adoption.objects.filter(attempt=payer.attempt).first()
        if known:
            return known
        require_possible(former, payer)
        successor, link = payment_links.keep(answers_of(former, payer), entry)
        Takeover.objects.create(former=former, successor=successor)
        if link:
            payment_links.send(link)
    return successor


def require_possible(former: Adoption, payer: NewPayer) -> None:
    if not is_possible(former):
        raise CannotTakeOver("This adoption does not go on, so there is nothing to take over.")
    if former.supporter.email.lower() == payer.email.lower():
        raise CannotTakeOver("That is who pays for it now. For another card, mail them a link to “My adoption”.")
    sent = PaymentLink.objects.filter(adoption__takeover__former=former, adoption__state__in=OPEN)
    if waiting := sent.usable(at=timezone.now()).select_related("adoption").first():
        raise CannotTakeOver(f"A link is on its way to somebody already: {waiting.adoption}. Withdraw it first.")


def is_possible(adoption: Adoption) -> bool:
    """It renews, and nobody has decided its end."""
    return adoption.is_repeating and adoption.is_adopted and adoption.ends_on is None


def answers_of(former: Adoption, payer: NewPayer) -> Answers:
    """The same terms. Of a present, whose it is: the giver's words were theirs, and it was handed over long ago."""
    gift = getattr(former, "gift", None) if former.is_gift else None
    present = Present(recipient_name=gift.recipient_name) if gift and gift.recipient_name else None
    return Answers(
        attempt=payer.attempt,
        species=former.species,
        plan=former.plan,
        frequency=Frequency(former.frequency),
        amount_pence=former.amount_pence,
        name=payer.name,
        email=payer.email,
        present=present,
        campaign_code="",
        is_another=True,  # on purpose, whatever else they adopted today
    )


def stops_at_once(former: Adoption) -> bool:
    """What is owed is not tried again, or both would pay for the same time."""
    return former.state == AdoptionState.PAST_DUE


def settle_due() -> None:
    """Stop the payments of all whose successors have begun. What Stripe leaves unanswered is asked again next time."""
    due = Takeover.objects.due().select_related("former", "successor__entered_by").order_by("pk")
    for takeover in due[:100]:
        try:
            settle(takeover)
        except StripeUnavailable as error:
            logger.warning("%s is not settled yet: %s", takeover, error)


def settle(takeover: Takeover) -> None:
    former, successor = takeover.former, takeover.successor
    refusal = ""
    if is_possible(former):
        try:
            subscriptions.cancel(
                former,
                when="now" if stops_at_once(former) else "period_end",
                by=successor.entered_by,
                because=f"{successor} pays for it from now on",
            )
        except (CannotChange, StripeRefused) as error:
            refusal = f"{former} still takes money, and {successor} has begun to pay for the same. Stop it by hand. "
            refusal += f"({error})"
    with transaction.atomic():
        if not Takeover.objects.filter(pk=takeover.pk).settle():
            return
        if refusal and is_possible(subscriptions.fresh(former)):
            attention.call(AttentionKind.TAKEOVER, key=successor.reference, adoption=former, reason=refusal)
        tell_of_two(former)
        told = Attention.objects.filter(kind=AttentionKind.TAKEOVER, key__startswith=f"{successor.reference}:unused:")
        told.resolve(how="It was paid after all.")


def tell_of_two(former: Adoption) -> None:
    """Both links were paid: one had run out with its page at Stripe still open, and another was mailed.

    Each looks when it is settled, after its own payment is in the books, so that the last one sees them all.
    """
    begun = Takeover.objects.begun().filter(former=former).select_related("successor").order_by("pk")
    payers = [takeover.successor for takeover in begun if is_possible(takeover.successor)]
    for one in payers[1:]:
        reason = f"{payers[0]} and {one} both pay now to go on with {former}. Ask who of them means to, stop the other "
        reason += "on its page, and give back what it has paid. What was paid for before stops by itself."
        attention.call(AttentionKind.TAKEOVER, key=f"{one.reference}:too", adoption=one, reason=reason)


def tell_of_unused() -> None:
    """Whoever mailed a link that nobody paid by hears of it, once for each time it ran out."""
    for takeover in Takeover.objects.unused(since=timezone.now() - PAGE_LASTS):
        former, successor = takeover.former, takeover.successor
        link = successor.payment_link
        goes_on = f"{former} goes on as before." if is_possible(former) else f"{former} does not go on either."
        reason = f"The link by which {successor} was to take over {former} ran out unpaid on "
        reason += f"{date_format(timezone.localtime(link.expires_at), 'j F')}. {goes_on} "
        reason += f"Ask whether they still mean to: the page of {successor} sends it again."
        key = f"{successor.reference}:unused:{link.sendings}"
        offered_by = successor.entered_by
        to = offered_by.email if offered_by and offered_by.has_perms(MAY_OFFER) else ""  # else to all: they have left
        attention.call(AttentionKind.TAKEOVER, key=key, adoption=successor, reason=reason, to=to)


def to_settle(user: User) -> AttentionQuerySet:
    """What they may say is dealt with, as whoever offered it: its key begins with the adoption that was to go on."""
    if not user.has_perms(MAY_OFFER):
        return Attention.objects.none()
    about = Func(OuterRef("key"), Value(":"), Value(1), function="split_part")
    offered = Takeover.objects.filter(successor__entered_by=user, successor__reference=about)
    return Attention.objects.filter(Exists(offered), kind=AttentionKind.TAKEOVER)
