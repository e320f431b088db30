"""Nobody pays twice by accident.

Before paying: the same answers within half an hour lead to the same page, or to the question "another one?". After
paying: whatever slipped through all the same (two pages left open, a page paid after it was replaced) is noticed the
moment its money arrives, and staff are asked to give it back.
"""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from config.money import pounds

from . import attention, stripe_gateway
from .models import ADOPTED, Adoption, AdoptionState, AttentionKind, Source, Supporter
from .models.supporters import NO_EMAIL
from .stripe_objects import Session

if TYPE_CHECKING:
    from .checkout import Answers

JUST_BEFORE = timedelta(minutes=30)
ON_THE_SAME_DAY = timedelta(days=1)  # as long as a page at Stripe can be paid
PAID_OR_ON_ITS_WAY = ADOPTED | {AdoptionState.PROCESSING, AdoptionState.HELD}


def has_just_adopted(answers: "Answers") -> bool:
    """Is the same paid for, or on its way, since half an hour? Then one more is to be asked for in so many words."""
    return adoptions_like(answers).filter(state__in=PAID_OR_ON_ITS_WAY).exclude(attempt=answers.attempt).exists()


def has_just_been_asked_for(answers: "Answers") -> bool:
    """The same for what staff type in: a colleague may have, a moment ago, and be waiting for the money."""
    asked = Q(state__in=PAID_OR_ON_ITS_WAY) | Q(state=AdoptionState.PENDING) & ~Q(source=Source.WEB)
    return adoptions_like(answers).filter(asked).exclude(attempt=answers.attempt).exists()


def has_namesake_without_email(answers: "Answers") -> bool:
    """Somebody of that name without an address, for whom the same was just written down."""
    rows = adoptions_like(replace(answers, email="")).filter(state__in=PAID_OR_ON_ITS_WAY)
    return rows.filter(supporter__name__iexact=answers.name).exclude(attempt=answers.attempt).exists()


def waiting_for(supporter: Supporter, answers: "Answers") -> Adoption | None:
    """An adoption with the same answers that waits to be paid: another link or tab leads to its page, not to a second.

    Called with the supporter's row locked.
    """
    for found in adoptions_like(answers).filter(state=AdoptionState.PENDING, plan=answers.plan).select_related("gift"):
        gift = getattr(found, "gift", None)
        wishes = answers.present.values(giver=supporter.name) if answers.present else {}
        if bool(gift) == bool(wishes) and all(getattr(gift, name) == wish for name, wish in wishes.items()):
            return found
    return None


def adoptions_like(answers: "Answers") -> models.QuerySet[Adoption]:
    """Of whoever has the address; of all who have none, where none was given."""
    whose = Q(supporter__email__iexact=answers.email) if answers.email else Q(supporter__email__endswith=NO_EMAIL)
    return Adoption.objects.filter(
        whose,
        species=answers.species,
        frequency=answers.frequency,
        amount_pence=answers.amount_pence,
        created_at__gt=timezone.now() - JUST_BEFORE,
    )


def notice_twin(adoption: Adoption) -> None:
    """Money arrived for an adoption: does its supporter pay for the same a second time, without having said so?"""
    if adoption.is_another or adoption.payments.filter(kind="charge").count() > 1:
        return
    # Of two that become paid at once, the second has to see the first.
    Supporter.objects.select_for_update(no_key=True).get(pk=adoption.supporter_id)
    twins = Adoption.objects.filter(
        supporter_id=adoption.supporter_id,
        species_id=adoption.species_id,
        frequency=adoption.frequency,
        amount_pence=adoption.amount_pence,
        state__in=PAID_OR_ON_ITS_WAY,
        is_another=False,
        created_at__gt=adoption.created_at - ON_THE_SAME_DAY,
        created_at__lt=adoption.created_at + ON_THE_SAME_DAY,
    ).exclude(pk=adoption.pk)
    twin = twins.first()
    if twin:
        first, second = sorted([twin, adoption], key=lambda one: one.pk)
        reason = f"{second.price} for the same as {first.reference}, on the same day. Ask, or give one of them back."
        attention.call(AttentionKind.TWICE, key=second.reference, adoption=second, reason=reason)


def notice_second_page(session_id: str) -> None:
    """A page that no adoption has any more: was it paid nevertheless, beside the one that counts?"""
    session = stripe_gateway.read_session(session_id)
    adoption = owner_of(session)
    if adoption and session.payment_status == "paid" and session.is_live == settings.STRIPE_LIVEMODE:
        reason = f"A second page was paid for the same adoption: {pounds(session.amount_pence)} too much. Give it back."
        attention.call(AttentionKind.TWICE, key=session.id, adoption=adoption, reason=reason)


def owner_of(session: Session) -> Adoption | None:
    """The adoption a page was opened for, if it is another page now that counts for it."""
    found = Adoption.objects.filter(reference=session.reference).exclude(stripe_session_id=session.id).first()
    return found if found and str(found.public_id) == session.metadata.get("adoption") else None
