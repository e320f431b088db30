"""Declaring Gift Aid: who, from where, to which words, and from when on. What is claimed on it comes later.

A declaration covers the gifts from its day on until it is taken back. It is asked of a person, never of a company,
and their home address is asked for nothing else.
"""

from dataclasses import astuple, dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from . import benefits
from .models import Adoption, GiftAidDeclaration, Payment, Supporter

# A new wording is a new line. The old ones stay, for the declarations that were given to them.
WORDINGS = {
    "2026-11": (
        "I want {charity} to treat this gift, and every gift I make to it from today on, as a Gift Aid donation. I pay "
        "UK Income Tax or Capital Gains Tax. I understand that if I pay less of these in a tax year than the Gift Aid "
        "that all charities claim on my gifts for it, I must pay the difference."
    ),
}
CURRENT = "2026-11"


def wording() -> str:
    return WORDINGS[CURRENT].format(charity=settings.CHARITY["name"])


@dataclass(frozen=True)
class Taxpayer:
    """A person and their home, as they typed it."""

    first_name: str
    last_name: str
    address: str
    postcode: str


def keep(adoption: Adoption, taxpayer: Taxpayer | None) -> None:
    """Write a declaration down with the adoption it came with. Called with the adoption's row locked.

    Answering differently before paying takes the earlier declaration back and makes another one.
    """
    given = GiftAidDeclaration.objects.filter(adoption=adoption).standing()
    last = given.first()
    if last and taxpayer and astuple(taxpayer) == (last.first_name, last.last_name, last.address, last.postcode):
        return
    given.cancel(because="Answered differently before paying.")
    if taxpayer:
        declare(adoption.supporter, taxpayer, adoption=adoption)


def declare(supporter: Supporter, taxpayer: Taxpayer, *, adoption: Adoption) -> GiftAidDeclaration:
    return GiftAidDeclaration.objects.create(
        supporter=supporter,
        adoption=adoption,
        first_name=taxpayer.first_name,
        last_name=taxpayer.last_name,
        address=taxpayer.address,
        postcode=taxpayer.postcode,
        charity_name=settings.CHARITY["name"],
        wording_version=CURRENT,
        wording=wording(),
        covers_from=timezone.localdate(),
    )


def covering(payment: Payment) -> GiftAidDeclaration | None:
    """The declaration that a payment falls under, by the day it was made in London."""
    day = timezone.localdate(payment.occurred_at)
    given = GiftAidDeclaration.objects.filter(supporter=payment.adoption.supporter_id, covers_from__lte=day)
    return given.exclude(cancelled_on__lte=day).first()


def sentence_about(payment: Payment) -> str:
    """What a receipt says of it."""
    declaration = covering(payment)
    if declaration is None:
        return "Not declared for this gift."
    if not benefits.is_within(payment.adoption.benefit_pence, payment.amount_pence, payment.adoption.frequency):
        return "Not possible for this gift: what came with it is worth more than the tax office allows."
    return f"Declared by {declaration.first_name} {declaration.last_name} on {day_of(declaration.given_at)}."


def day_of(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "j F Y")


def standing_of(supporter: Supporter) -> list[GiftAidDeclaration]:
    return list(GiftAidDeclaration.objects.filter(supporter=supporter).standing())


def take_back(supporter: Supporter) -> int:
    """They no longer pay enough tax, or do not wish it. Gifts of earlier days stay covered."""
    return GiftAidDeclaration.objects.filter(supporter=supporter).cancel(because="The supporter took it back.")
