"""Start an adoption: checked answers → a pending adoption → a page at Stripe.

The pending adoption is saved before anything is asked of Stripe, so whatever happens next can be matched to it.
One attempt (one visit to the form) has one adoption and at most one page at Stripe that can be paid.
"""

import uuid
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from config.money import Pence, pounds
from species.models import Species

from . import consent, gift_aid, gifts, stripe_gateway, twice
from .gift_aid import Taxpayer
from .gifts import Present
from .models import Adoption, AdoptionState, Campaign, Frequency, PaymentLink, Plan, Source, Supporter
from .models.states import INTERVALS, OPEN
from .stripe_gateway import StripeUnavailable
from .stripe_objects import CheckoutRequest


class SameAgain(Exception):
    """The same was adopted with the same address within half an hour: ask before another page opens."""


@dataclass(frozen=True)
class Answers:
    """What somebody chose and typed, already checked. `present` is None unless it is a gift."""

    attempt: uuid.UUID
    species: Species
    plan: Plan
    frequency: Frequency
    amount_pence: int
    name: str
    email: str
    present: Present | None
    campaign_code: str
    wants_news: bool | None = None  # None: nothing was said
    taxpayer: Taxpayer | None = None
    is_another: bool = False  # the same was adopted a moment ago, and they said: one more


def start(answers: Answers) -> tuple[Adoption, str | None]:
    """The adoption of these answers and the address to pay at; None if it needs no paying (again).

    Raises SameAgain if the same was just adopted and nobody said that it is to be one more; StripeUnavailable or
    StripeRefused with the pending adoption kept for the next try.
    """
    adoption = save(answers)
    return adoption, page_to_pay(adoption)


def save(answers: Answers) -> Adoption:
    """The adoption of this attempt, made now or earlier; answers changed since are taken over until it is paid."""
    adoption, terms, is_new = find_or_make(answers)
    return adoption if is_new else take_over(adoption, answers, terms)


def find_or_make(answers: Answers) -> tuple[Adoption, dict[str, object], bool]:
    """One supporter at a time: of two links or tabs pressed at once, the second finds what the first made.

    The adoption, its terms by these answers, and whether it was made just now, with everything that goes with it.
    Somebody new has adopted nothing yet, so nothing of theirs is looked for.
    """
    with transaction.atomic():
        supporter, is_somebody_new = locked_supporter(answers)
        terms = terms_of(answers, supporter)
        found = Adoption.objects.filter(attempt=answers.attempt).first()
        if found is None and not (answers.is_another or is_somebody_new):
            found = twice.waiting_for(supporter, answers)
            if found is None and twice.has_just_adopted(answers):
                raise SameAgain
        if found:
            return found, terms, False
        first_code = "" if is_somebody_new else first_code_of(supporter)
        adoption = Adoption.objects.create(
            attempt=answers.attempt,
            is_another=answers.is_another,
            first_campaign_code=first_code or answers.campaign_code,
            **terms,
        )
        if answers.present:
            gifts.keep(adoption, answers.present)
        if answers.taxpayer:
            gift_aid.declare(supporter, answers.taxpayer, adoption=adoption)
        keep_wish(adoption, answers)
    return adoption, terms, True


def take_over(adoption: Adoption, answers: Answers, terms: dict[str, object]) -> Adoption:
    """Answers for an adoption that was there already, if it still waits to be paid.

    In a transaction of its own: whoever brings news about money locks the adoption first and the supporter second.
    """
    is_this_visit = adoption.attempt == answers.attempt  # otherwise the same already waits at Stripe
    with transaction.atomic():
        adoption = Adoption.objects.select_for_update().get(pk=adoption.pk)
        if adoption.state in OPEN and is_this_visit:
            gifts.keep(adoption, answers.present)
        if adoption.state in OPEN and (is_this_visit or answers.taxpayer):
            gift_aid.keep(adoption, answers.taxpayer)
        keep_wish(adoption, answers)
    if is_this_visit and adoption.state in OPEN and any(getattr(adoption, k) != v for k, v in terms.items()):
        change_terms(adoption, terms)
    return adoption


def keep_wish(adoption: Adoption, answers: Answers) -> None:
    consent.answered(
        adoption.supporter,
        wants_news=answers.wants_news,
        page=reverse("adoptions:adopt", args=[answers.species.slug]),
        campaign_code=answers.campaign_code,
    )


def locked_supporter(answers: Answers) -> tuple[Supporter, bool]:
    """Whoever has the address, and whether they are new. Nobody else changes or forgets them until we are done.

    Of two who are new at once, the second waits for the first here. Who is forgotten meanwhile is made anew.
    """
    while True:
        known = Supporter.objects.with_address(answers.email).select_for_update(no_key=True).first()
        if known:
            return known, False
        with suppress(IntegrityError), transaction.atomic():
            return Supporter.objects.create(email=answers.email, name=answers.name), True


def first_code_of(supporter: Supporter) -> str:
    """Of the earliest adoption of theirs that a link brought, paid for or not."""
    earlier = Adoption.objects.filter(supporter=supporter).exclude(first_campaign_code="").order_by("pk")
    return earlier.values_list("first_campaign_code", flat=True).first() or ""


def terms_of(answers: Answers, supporter: Supporter) -> dict[str, object]:
    code = answers.campaign_code
    return {
        "supporter": supporter,
        "species": answers.species,
        "plan": answers.plan,
        "frequency": answers.frequency,
        "amount_pence": answers.amount_pence,
        "is_gift": answers.present is not None,
        "benefit_pence": answers.plan.benefit_pence,
        "campaign": Campaign.objects.filter(code=code).first() if code else None,
        "campaign_code": code,
    }


def change_terms(adoption: Adoption, terms: dict[str, object]) -> None:
    """Somebody went back and answered differently: close the page with the old amount, then take the new answers."""
    if adoption.stripe_session_id:
        stripe_gateway.expire_session(adoption.stripe_session_id)
        session = stripe_gateway.read_session(adoption.stripe_session_id)
        if session.status != "expired":
            return  # paid in another tab a moment ago: what was paid stands
    Adoption.objects.filter(pk=adoption.pk, state__in=OPEN).update(**terms, stripe_subscription_id=None)
    next_page(adoption)
    adoption.refresh_from_db()


def page_to_pay(adoption: Adoption) -> str | None:
    """The address of the one page at Stripe where this adoption can be paid; None if it was."""
    if adoption.state not in OPEN:
        return None
    if adoption.stripe_session_id:
        session = stripe_gateway.read_session(adoption.stripe_session_id)
        if session.status == "open":
            return session.url
        if session.status == "complete" and adoption.state != AdoptionState.ABANDONED:
            return None  # paid, or a debit on its way; abandoned means that the bank refused the debit
        next_page(adoption)
    return open_page(adoption)


def next_page(adoption: Adoption) -> None:
    """Count on, so that Stripe makes a new page instead of repeating its answer about the last."""
    Adoption.objects.filter(pk=adoption.pk, session_number=adoption.session_number).update(
        session_number=adoption.session_number + 1,
        stripe_session_id=None,
        stripe_subscription_id=None,
        state=AdoptionState.PENDING,
    )
    adoption.refresh_from_db()


def open_page(adoption: Adoption) -> str | None:
    try:
        session = stripe_gateway.create_session(request_for(adoption))
    except StripeUnavailable as error:
        if error.is_answered:
            next_page(adoption)
        raise
    Adoption.objects.filter(pk=adoption.pk, session_number=adoption.session_number).update(stripe_session_id=session.id)
    return session.url


def request_for(adoption: Adoption) -> CheckoutRequest:
    """What Stripe is asked to charge: everything comes from our row, nothing from the browser."""
    thanks = settings.SITE_URL + reverse("adoptions:thanks", args=[adoption.public_id])
    species = adoption.species.heading
    return CheckoutRequest(
        public_id=str(adoption.public_id),
        attempt=str(adoption.session_number),
        reference=adoption.reference,
        product_name=f"{species} adoption",
        description=what_happens_next(adoption),
        amount_pence=Pence(adoption.amount_pence),
        interval=INTERVALS[Frequency(adoption.frequency)],
        email=adoption.supporter.email,
        success_url=f"{thanks}?s={{CHECKOUT_SESSION_ID}}",
        cancel_url=settings.SITE_URL + way_back(adoption),
        # Enough to rebuild the adoption from Stripe alone, and nothing about a person.
        metadata={
            "adoption": str(adoption.public_id),
            "reference": adoption.reference,
            "species": adoption.species.slug,
            "plan": adoption.plan.slug,
            "frequency": adoption.frequency,
            "gift": "yes" if adoption.is_gift else "no",
            "campaign": adoption.campaign_code,
            "campaign_first": adoption.first_campaign_code,
        },
    )


def way_back(adoption: Adoption) -> str:
    """Where somebody goes who does not pay after all: to the form, or to the page behind the link they were sent."""
    link: PaymentLink | None = getattr(adoption, "payment_link", None) if adoption.source != Source.WEB else None
    if link:
        return link.get_absolute_url()
    return reverse("adoptions:adopt", args=[adoption.species.slug]) + f"?attempt={adoption.attempt}"


def what_happens_next(adoption: Adoption) -> str:
    """The sentence by the pay button, here and at Stripe."""
    amount = pounds(adoption.amount_pence)
    if adoption.frequency == Frequency.ONCE:
        return f"You pay {amount} once. Nothing renews by itself."
    rhythm = "month" if adoption.frequency == Frequency.MONTHLY else "year"
    return f"You pay {amount} today and {amount} on the same day every {rhythm}. You can stop at any time."
