"""What a supporter sees of their own: which adoptions, what came in, what comes next and when.

Every query starts from the supporter who is signed in, so another person's reference is simply not there.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Prefetch
from django.http import Http404
from django.utils.formats import date_format

from species.models import FieldNote

from .models import ADOPTED, Adoption, AdoptionState, Gift, PastAdoption, Payment, PaymentKind, Supporter

# What never became an adoption is shown nowhere.
SHOWN = ADOPTED | {AdoptionState.PROCESSING, AdoptionState.ENDED, AdoptionState.HELD}
NOTES_SHOWN = 6


def adoptions_of(supporter: Supporter) -> Any:
    payments = Payment.objects.order_by("-occurred_at", "-pk")
    rows = Adoption.objects.filter(supporter=supporter, state__in=SHOWN).exclude(past__undone_at__isnull=False)
    return (
        rows.select_related("species", "plan", "gift", "supporter", "past")
        .prefetch_related(Prefetch("payments", queryset=payments))
        .order_by("-pk")
    )


def adoption_of(supporter: Supporter, reference: str) -> Adoption:
    """One of the supporter's own adoptions; 404 for anybody else's, and for one that there is not."""
    adoption: Adoption | None = adoptions_of(supporter).filter(reference=reference).first()
    if adoption is None:
        raise Http404
    return adoption


def has_given(supporter: Supporter) -> bool:
    """Through this site: Gift Aid is about nothing else."""
    return Payment.objects.through_us().filter(adoption__supporter=supporter, kind=PaymentKind.CHARGE).exists()


def payment_of(supporter: Supporter, reference: str, payment_id: int) -> Payment:
    """A payment that came in for one of their own adoptions; 404 for any other.

    And for one that another system collected: its receipt came from there.
    """
    adoption = adoption_of(supporter, reference)
    payments = Payment.objects.through_us().filter(adoption=adoption, pk=payment_id, kind=PaymentKind.CHARGE)
    payment = payments.prefetch_related("reversals").first()
    if payment is None:
        raise Http404
    payment.adoption = adoption
    return payment


def overview(supporter: Supporter) -> dict[str, Any]:
    adoptions = list(adoptions_of(supporter))
    return {
        "supporter": supporter,
        "adoptions": [(adoption, what_comes_next(adoption)) for adoption in adoptions],
        "notes": notes_since(adoptions),
    }


def page_of(adoption: Adoption) -> dict[str, Any]:
    """What stands on the page of one adoption."""
    return {
        "adoption": adoption,
        "next": what_comes_next(adoption),
        "lines": lines_of(adoption),
        "gift": gift_of(adoption),
        "notes": notes_since([adoption]),
    }


def gift_of(adoption: Adoption) -> Gift | None:
    return getattr(adoption, "gift", None) if adoption.is_gift else None


def notes_since(adoptions: list[Adoption]) -> Any:
    """Field notes about the adopted species, each only if it was published since that species was adopted."""
    started: dict[int, Any] = {}
    for adoption in adoptions:
        if adoption.activated_at:
            earlier = started.get(adoption.species_id)
            started[adoption.species_id] = min(earlier or adoption.activated_at, adoption.activated_at)
    notes = FieldNote.objects.public().filter(species__in=started).select_related("species")
    return [note for note in notes[:60] if note.published_at and note.published_at >= started[note.species_id]][
        :NOTES_SHOWN
    ]


def day(value: date) -> str:
    return date_format(value, "j F Y")


def what_comes_next(adoption: Adoption) -> str:
    """One sentence: what is taken next and when, or why nothing is."""
    if adoption.state == AdoptionState.PROCESSING:
        return "Your bank has not confirmed the payment yet. A Direct Debit takes up to five working days."
    if adoption.state == AdoptionState.HELD:
        return "We are looking at this payment. We write to you as soon as that is done."
    past: PastAdoption | None = getattr(adoption, "past", None)
    if past and past.paid_until:
        return f"Paid elsewhere until {day(past.paid_until)}. Nothing is taken here."
    if adoption.state == AdoptionState.ENDED:
        return f"Ended on {day(adoption.ended_at)}. Nothing more is taken." if adoption.ended_at else ""
    if not adoption.is_repeating:
        return "A single gift. Nothing more is taken."
    if adoption.ends_on:
        return f"Stopped: it lasts until {day(adoption.ends_on)}, and nothing more is taken."
    if adoption.is_paused:
        until = f" until {day(adoption.resumes_on)}" if adoption.resumes_on else ""
        return f"Paused{until}. Nothing is taken meanwhile."
    if adoption.state == AdoptionState.PAST_DUE:
        again = f" We try again on {day(adoption.retry_on)}." if adoption.retry_on else ""
        return f"The last payment did not go through.{again}"
    if adoption.next_payment_on:
        return f"{adoption.price}. Next payment on {day(adoption.next_payment_on)}."
    return f"{adoption.price}, until you stop it."


@dataclass(frozen=True)
class Line:
    """One movement of money as a supporter reads it."""

    payment: Payment
    label: str
    has_receipt: bool


def lines_of(adoption: Adoption) -> list[Line]:
    labels = {PaymentKind.CHARGE: "Paid", PaymentKind.REFUND: "Sent back to you"}
    return [
        Line(
            payment,
            labels.get(PaymentKind(payment.kind), payment.get_kind_display()),
            has_receipt=payment.kind == PaymentKind.CHARGE and not payment.is_brought_in,
        )
        for payment in adoption.payments.all()
    ]
