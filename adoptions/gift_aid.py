"""Declaring Gift Aid: who, from where, to which words, and from when on. What is claimed on it comes later.

A declaration covers the gifts from its day on until it is taken back. It is asked of a person, never of a company,
and their home address is asked for nothing else.
"""

from dataclasses import astuple, dataclass
from datetime import date, datetime
from enum import StrEnum

from django.conf import settings
from django.db.models import Exists, F, Model, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone
from django.utils.formats import date_format

from config.money import pounds

from . import benefits
from .models import Adoption, GiftAidDeclaration, Payment, PaymentKind, Supporter
from .models.payments import PaymentQuerySet

Channel = GiftAidDeclaration.Channel
YEARS_BACK = 4  # as far as the law lets a declaration reach


class Scope(StrEnum):
    """Which gifts a declaration is for; each has words of its own, and a version that is kept with them."""

    WITH_A_GIFT = "2026-11"
    FROM_NOW_ON = "2026-11-later"
    EARLIER_TOO = "2026-11-past"


OWN_WORDS = "their own"  # the version of what stood on a paper that was not ours

# A new wording is a new version. The old ones stay, for the declarations that were given to them.
WANTS = {
    Scope.WITH_A_GIFT: (
        "I want {charity} to treat this gift, and every gift I make to it from today on, as a Gift Aid donation."
    ),
    Scope.FROM_NOW_ON: (
        "I want {charity} to treat every gift of my own money that I make to it from {day} on as a Gift Aid donation."
    ),
    Scope.EARLIER_TOO: (
        "I want {charity} to treat every gift of my own money that I have made to it since {since}, and every one that "
        "I make from {day} on, as a Gift Aid donation."
    ),
}
TAX = (
    "I pay UK Income Tax or Capital Gains Tax. I understand that if I pay less of these in a tax year than the Gift "
    "Aid that all charities claim on my gifts for it, I must pay the difference."
)


def wants(scope: Scope, day: date) -> str:
    """The first sentence of a declaration given on a day: which gifts it is for."""
    since = date_format(covered_from(scope, day), "j F Y")
    return WANTS[scope].format(charity=settings.CHARITY["name"], since=since, day=date_format(day, "j F Y"))


def wording(scope: Scope = Scope.WITH_A_GIFT, day: date | None = None) -> str:
    return f"{wants(scope, day or timezone.localdate())} {TAX}"


def covered_from(scope: Scope, day: date) -> date:
    """The first day of which gifts are covered by a declaration given on `day`; the 28th for a 29 February."""
    if scope != Scope.EARLIER_TOO:
        return day
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - YEARS_BACK, day=28 if is_leap_day else day.day)


@dataclass(frozen=True)
class Taxpayer:
    """A person and their home, as they typed it."""

    first_name: str
    last_name: str
    address: str
    postcode: str


def keep(adoption: Adoption, taxpayer: Taxpayer | None, given: "Given | None" = None) -> None:
    """Write a declaration down with the adoption it came with. Called with the adoption's row locked.

    Answering differently before paying takes the earlier declaration back and makes another one.
    """
    standing = GiftAidDeclaration.objects.filter(adoption=adoption).standing()
    last = standing.first()
    if last and taxpayer and astuple(taxpayer) == (last.first_name, last.last_name, last.address, last.postcode):
        return
    standing.cancel(because="Answered differently before paying.")
    if taxpayer:
        declare(adoption.supporter, taxpayer, adoption=adoption, given=given)


@dataclass(frozen=True)
class Given:
    """How a declaration reached us: when, on what way, in which words (empty: ours), and who of staff wrote it down."""

    at: datetime
    scope: Scope
    channel: Channel = Channel.WEB
    words: str = ""
    by: Model | None = None


def declare(
    supporter: Supporter, taxpayer: Taxpayer, *, adoption: Adoption | None = None, given: Given | None = None
) -> GiftAidDeclaration:
    """Write a declaration down whole; `given` now, with a gift, on the site, unless said otherwise."""
    given = given or Given(timezone.now(), Scope.WITH_A_GIFT)
    day = timezone.localdate(given.at)
    return GiftAidDeclaration.objects.create(
        supporter=supporter,
        adoption=adoption,
        first_name=taxpayer.first_name,
        last_name=taxpayer.last_name,
        address=taxpayer.address,
        postcode=taxpayer.postcode,
        charity_name=settings.CHARITY["name"],
        wording_version=OWN_WORDS if given.words else given.scope.value,
        wording=given.words or wording(given.scope, day),
        channel=given.channel,
        covers_from=covered_from(given.scope, day),
        given_at=given.at,
        entered_by_id=given.by.pk if given.by else None,
    )


def covering(payment: Payment) -> GiftAidDeclaration | None:
    """The declaration that a payment falls under, by the day it was made in London; whatever is claimed asks here.

    None for what was brought in from another system: that one may have claimed on it, and nobody may twice.
    """
    if payment.is_brought_in:
        return None
    day = timezone.localdate(payment.occurred_at)
    given = GiftAidDeclaration.objects.counting().filter(supporter=payment.adoption.supporter_id, covers_from__lte=day)
    return given.exclude(cancelled_on__lte=day).first()


def expected(payments: PaymentQuerySet) -> PaymentQuerySet:
    """Of these payments those that Gift Aid can be claimed on, or has been, each with what it adds, as `tax_pence`.

    What `covering` and `benefits` say of one, of many at once: on what has not gone back of it since.
    """
    back = Payment.objects.filter(charge=OuterRef("pk")).order_by().values("charge").annotate(all=Sum("amount_pence"))
    declared = GiftAidDeclaration.objects.counting().filter(
        supporter=OuterRef("adoption__supporter"), covers_from__lte=OuterRef("day")
    )
    return (
        payments.through_us()
        .filter(kind=PaymentKind.CHARGE)
        .alias(day=TruncDate("occurred_at"), left=F("amount_pence") + Coalesce(Subquery(back.values("all")), 0))
        .filter(Exists(declared.exclude(cancelled_on__lte=OuterRef("day"))))
        .filter(left__gt=0, adoption__benefit_pence__lte=benefits.limit_of("left", "adoption__frequency"))
        .annotate(tax_pence=benefits.parted(F("left"), 4))
    )


def sentence_about(payment: Payment) -> str:
    """What a receipt says of it."""
    declaration = covering(payment)
    if declaration is None:
        return "Not declared for this gift."
    if not benefits.is_within(payment.adoption.benefit_pence, payment.amount_pence, payment.adoption.frequency):
        return "Not possible for this gift: what came with it is worth more than the tax office allows."
    return f"Declared by {declaration.first_name} {declaration.last_name} on {day_of(declaration.given_at)}."


def effect_of_return(payment: Payment, *, left: int, pence: int) -> str:
    """What it means for Gift Aid if `pence` go back of a payment, and `left` pence of it stay: a sentence for staff.

    Tax is counted at the basic rate, and what comes with the adoption as for a gift of what stays.
    """
    if covering(payment) is None:
        return "No Gift Aid is declared for this payment, so nothing changes there."
    worth, rhythm = payment.adoption.benefit_pence, payment.adoption.frequency
    if not benefits.is_within(worth, left + pence, rhythm):
        return "Gift Aid was not possible for this payment: what came with it is worth too much. Nothing changes there."
    lost = pounds(benefits.added_pence(left + pence))
    again = "claimed already, that goes back to the tax office."
    if not left:
        return f"It is declared for Gift Aid: the {lost} of tax can no longer be claimed on it. If it was {again}"
    if not benefits.is_within(worth, left, rhythm):
        return (
            f"It is declared for Gift Aid: the {lost} of tax can no longer be claimed, for what came with it is worth "
            f"more than the tax office allows with the {pounds(left)} that stays. If it was {again}"
        )
    stays = pounds(benefits.added_pence(left))
    now = f"{stays} of tax, on the {pounds(left)} that stays, instead of {lost}"
    return f"It is declared for Gift Aid: {now}. If more was {again}"


def day_of(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "j F Y")


def standing_of(supporter: Supporter) -> list[GiftAidDeclaration]:
    return list(GiftAidDeclaration.objects.filter(supporter=supporter).standing())


def take_back(supporter: Supporter) -> int:
    """They no longer pay enough tax, or do not wish it. Gifts of earlier days stay covered."""
    return GiftAidDeclaration.objects.filter(supporter=supporter).cancel(because="The supporter took it back.")
