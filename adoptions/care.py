"""Who rings: a supporter found by whatever they can say, and what staff can do for them at once.

One box asks every index that may know the words, each of them capped (see config/long_lists.py), and says by which of
them somebody was found. Only where none knows them are names looked for that are merely like it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.models import PermissionsMixin as HasPermissions
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import CharField, QuerySet, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from config.long_lists import LONGEST_TERM, MOST_WORDS, a_few, by_index_alone, with_words
from config.models import Mail
from config.money import pounds

from . import access, finding, refund_wishes, refunds, taking_over
from .finding import Rows, alone, is_last4
from .gift_aid_forms import whole_postcode
from .models import (
    OPEN,
    Adoption,
    FormerAddress,
    Gift,
    GiftAidDeclaration,
    PastAdoption,
    PastPayment,
    Payment,
    PaymentKind,
    RefundRequest,
    Supporter,
)
from .models.supporters import WithoutAccents

CHANGE_PLAN = "Stop, pause, skip or change the amount"
SHOWN = 50
ADOPTIONS_SHOWN = 5
LIKE_IT = "a name like it"
LIKE = "0.6"  # how much of what was typed is in the name, by pieces of three letters
IN_HAND = 20
MAILS_SHOWN = 3
HAS_TYPED = 5  # letters, before likeness means anything


@dataclass
class Found:
    supporter: Supporter
    because: list[str]
    adoptions: list[Adoption] = field(default_factory=list)

    @property
    def is_a_guess(self) -> bool:
        return LIKE_IT in self.because


def find(typed: str, user: AbstractBaseUser | AnonymousUser) -> list[Found]:
    """The best known first, at most SHOWN; takes any string, and looks only where this member of staff may."""
    words = typed[:LONGEST_TERM].replace("\0", " ").split()[:MOST_WORDS]
    if not words:
        return []
    may = user.has_perm if isinstance(user, HasPermissions) else lambda name: False
    parts = [
        a_few_with(rows, column, because)
        for permission, where in PLACES
        if may(permission)
        for because, rows, column in where(words)
    ]
    return gathered(together(parts) or alike(" ".join(words)))


def together(parts: list[Rows]) -> set[tuple[int, str]]:
    """All of them in one question. Of parts that are empty at once Django leaves out, and may leave only one."""
    if not parts:
        return set()
    union = parts[0].union(*parts[1:], all=True)
    return by_index_alone(union if union.query.is_sliced else union.order_by())


def a_few_with(rows: Rows, column: str, because: str) -> Rows:
    return a_few(rows.annotate(because=Value(because, output_field=CharField())), column, "because")


def gathered(reasons: set[tuple[int, str]]) -> list[Found]:
    """Supporters with why they were found, those found in most ways first, and their newest adoptions."""
    known: dict[int, set[str]] = {}
    for pk, because in reasons:
        known.setdefault(pk, set()).add(because)
    best = sorted(known, key=lambda pk: (-len(known[pk]), -pk))[:SHOWN]
    people = Supporter.objects.in_bulk(best)
    found = {pk: Found(people[pk], sorted(known[pk])) for pk in best if pk in people}
    for adoption in Adoption.objects.filter(supporter__in=list(found)).select_related("species")[: SHOWN * 20]:
        mine = found[adoption.supporter_id].adoptions
        if len(mine) < ADOPTIONS_SHOWN:
            mine.append(adoption)
    return list(found.values())


def named_like(typed: str) -> QuerySet[Supporter]:
    """By an index of names without accents; how like depends on a setting of the transaction."""
    named = Supporter.objects.alias(plain=WithoutAccents("name"))
    return named.filter(plain__trigram_word_similar=WithoutAccents(Value(typed)))


def alike(typed: str) -> set[tuple[int, str]]:
    """For a name that was misheard or misspelt, accents aside, which would count as letters that are wrong.

    The best of a few: where a hundred are alike, more must be typed.
    """
    if len(typed) < HAS_TYPED:
        return set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL pg_trgm.word_similarity_threshold = " + LIKE)
        few = by_index_alone(a_few(named_like(typed)))
    like: Any = WithoutAccents(Value(typed))  # the stubs know of a string alone
    likeness = TrigramWordSimilarity(like, WithoutAccents("name"))
    best = Supporter.objects.filter(pk__in=few).order_by(likeness.desc(), "pk")
    pks = list(best.values_list("pk", flat=True)[:SHOWN])
    return {(pk, LIKE_IT) for pk in pks}


# --- what can be done at once --------------------------------------------------------------------------------------


class Weight(IntEnum):
    """In the order of the page: what most calls are about, what ends or gives back something, what is seldom asked."""

    EVERYDAY = 1
    ENDING = 2
    SELDOM = 3


@dataclass(frozen=True)
class Deed:
    """A page where something is done to an adoption; each goes through what supporters themselves use."""

    words: str
    address: str
    weight: Weight = Weight.EVERYDAY

    @property
    def is_ending(self) -> bool:
        return self.weight == Weight.ENDING


@dataclass(frozen=True)
class InHand:
    """An adoption as it stands, with what this member of staff can do to it."""

    adoption: Adoption
    deeds: list[Deed]

    @property
    def at_hand(self) -> list[Deed]:
        return sorted((deed for deed in self.deeds if deed.weight != Weight.SELDOM), key=lambda deed: deed.weight)

    @property
    def apart(self) -> list[Deed]:
        return [deed for deed in self.deeds if deed.weight == Weight.SELDOM]


def in_hand(supporter: Supporter, user: AbstractBaseUser | AnonymousUser) -> list[InHand]:
    """The newest adoptions."""
    may = user.has_perm if isinstance(user, HasPermissions) else lambda name: False
    if not may("adoptions.view_adoption"):
        return []
    rows = Adoption.objects.filter(supporter=supporter).select_related(
        "species", "plan", "gift", "supporter", "payment_link", "past"
    )[:IN_HAND]
    charges = Payment.objects.through_us().filter(adoption__in=list(rows), kind=PaymentKind.CHARGE)
    charges = charges.select_related("adoption").order_by("occurred_at", "pk")
    newest = {charge.adoption_id: charge for charge in charges}
    back = refunds_of(charges) if may("adoptions.add_refundrequest") else {}
    asks = wishes_of(charges) if isinstance(user, HasPermissions) and refund_wishes.has_to_ask(user) else {}
    return [
        InHand(row, [*back.get(row.pk, []), *deeds(row, newest.get(row.pk), may), *asks.get(row.pk, [])])
        for row in rows
    ]


def refunds_of(charges: QuerySet[Payment]) -> dict[int, list[Deed]]:
    """By adoption: the newest payment of which anything is left, and what waits for a second person."""
    found = dict[int, list[Deed]]()
    for charge, left in newest_with_money_left(charges):
        address = refund_wishes.page_that_refunds(charge) + back_to(charge.adoption)
        found[charge.adoption_id] = [Deed(f"Refund {left}", address, Weight.ENDING)]
    for wanted in RefundRequest.objects.waiting().filter(payment__in=charges).select_related("payment"):
        words = f"Refund of {pounds(wanted.amount_pence)}: waits for a second person"
        deed = Deed(words, reverse("admin:refund_second", args=[wanted.pk]), Weight.ENDING)
        found.setdefault(wanted.payment.adoption_id, []).append(deed)
    return found


def wishes_of(charges: QuerySet[Payment]) -> dict[int, list[Deed]]:
    """By adoption, for who has to ask finance: its newest payment with money left, or that they were asked."""
    found, newest = dict[int, list[Deed]](), newest_with_money_left(charges)
    waiting = refund_wishes.waiting([charge.adoption for charge, _ in newest])
    for charge, left in newest:
        address = reverse("admin:ask_refund", args=[charge.pk]) + back_to(charge.adoption)
        deed = Deed(f"Ask finance to refund {left}", address)
        if wish := waiting.get(charge.pk):
            deed = Deed("Finance is asked for a refund", reverse("admin:adoptions_attention_change", args=[wish.pk]))
        found[charge.adoption_id] = [deed]
    return found


def newest_with_money_left(charges: QuerySet[Payment]) -> list[tuple[Payment, str]]:
    """One of each adoption that has any, with what is left: "£36 of 29/11/2026". `charges`: the oldest first."""
    left = refunds.refundable_of(charges)
    newest = {charge.adoption_id: charge for charge in charges if left[charge.pk]}
    return [
        (charge, f"{pounds(left[charge.pk])} of {timezone.localtime(charge.occurred_at):%d/%m/%Y}")
        for charge in newest.values()
    ]


def back_to(adoption: Adoption) -> str:
    """For the end of an address: where to go when it is done."""
    return "?" + urlencode({"back": reverse("admin:supporter_timeline", args=[adoption.supporter_id])})


def deeds(adoption: Adoption, charge: Payment | None, may: Callable[[str], bool]) -> Iterator[Deed]:
    back = back_to(adoption)
    if charge and not adoption.supporter.has_email and may("adoptions.view_payment"):
        yield Deed("Receipt to print", reverse("admin:receipt_for_post", args=[charge.pk]))
    if adoption.is_repeating and adoption.is_adopted and may("adoptions.add_change"):
        yield Deed(CHANGE_PLAN, reverse("admin:change_plan", args=[adoption.pk]) + back, Weight.ENDING)
        if may("adoptions.add_adoption") and taking_over.is_possible(adoption):
            address = reverse("admin:take_over", args=[adoption.pk])
            yield Deed("Let somebody else take over", address + back, Weight.SELDOM)
    if getattr(adoption, "payment_link", None) and adoption.state in OPEN and may("adoptions.add_adoption"):
        yield Deed("Payment link: send again or withdraw", reverse("admin:payment_link", args=[adoption.pk]) + back)
    if may("adoptions.add_adoption") and (address := way_to_go_on(adoption)):
        yield Deed("Ask them to go on here: a link to pay", address)
    gift: Gift | None = getattr(adoption, "gift", None)
    if gift and may("adoptions.view_gift"):
        if may("adoptions.change_gift") and gift.may_be_put_right:
            address = reverse("admin:put_gift_right", args=[gift.pk])
            yield Deed(f"Present {gift}: put right, or send again", address + back)
        else:
            yield Deed(f"Present {gift}", reverse("admin:adoptions_gift_change", args=[gift.pk]))
    if adoption.is_adopted:
        yield Deed("Certificate", reverse("adoptions:certificate", args=[adoption.token]))


def way_to_go_on(adoption: Adoption) -> str:
    """The form that mails a link to pay, filled in with what they paid elsewhere; empty for what was not paid there.

    Somebody of staff presses it, one by one: bringing a list in asks nobody.
    """
    past: PastAdoption | None = getattr(adoption, "past", None)
    if past is None or past.paid_until is None or past.undone_at or not adoption.supporter.has_email:
        return ""
    if adoption.supporter.erased_at:
        return ""
    asked: dict[str, str | int] = {
        "supporter": adoption.supporter_id,
        "species": adoption.species.slug,
        "plan": adoption.plan.slug,
        "frequency": adoption.frequency,
        "amount": adoption.amount_pence,
        "method": "link",
    }
    return f"{reverse('admin:enter_adoption')}?{urlencode(asked)}"


def mails_to_send_again(supporter: Supporter, user: AbstractBaseUser | AnonymousUser) -> list[Mail]:
    """The newest that went to them, for who says that it never came; not links, which are over in minutes."""
    if not (isinstance(user, HasPermissions) and user.has_perm("config.change_mail")):
        return []
    theirs = Mail.objects.filter(to__iexact=supporter.email).exclude(kind__in=access.TEMPLATES.values())
    return list(theirs.sendable_again()[:MAILS_SHOWN])


def may_mail_link(supporter: Supporter, user: AbstractBaseUser | AnonymousUser) -> bool:
    """A link to “My adoption”, for who cannot get in or needs a new card there."""
    may = isinstance(user, HasPermissions) and user.has_perm("adoptions.change_supporter")
    return may and supporter.has_email and not supporter.erased_at


# --- where somebody may be known -----------------------------------------------------------------------------------

type Place = tuple[str, Rows, str]  # why, the rows, and which of their columns is the supporter


def in_supporters(words: list[str]) -> list[Place]:
    found: list[Place] = [("name", with_words(Supporter.objects.all(), "name", words), "pk")]
    if word := alone(words):
        found.append(("email", Supporter.objects.filter(email__istartswith=word), "pk"))
        found.append(("former email", FormerAddress.objects.filter(email__istartswith=word), "supporter"))
        found.append(("Stripe customer", Supporter.objects.filter(stripe_customer_id=word), "pk"))
    return found


def in_adoptions(words: list[str]) -> list[Place]:
    word = alone(words)
    if not word:
        return []
    rows = Adoption.objects
    past = PastAdoption.objects.filter(reference__in=as_typed(word), undone_at=None)
    return [
        ("reference", finding.by_reference(word), "supporter"),
        ("reference elsewhere", past, "adoption__supporter"),
        ("Stripe session", rows.filter(stripe_session_id=word), "supporter"),
        ("Stripe subscription", rows.filter(stripe_subscription_id=word), "supporter"),
        ("Stripe customer", rows.filter(stripe_customer_id=word).exclude(stripe_customer_id=""), "supporter"),
    ]


def in_payments(words: list[str]) -> list[Place]:
    word = alone(words)
    if not word:
        return []
    by_id = finding.by_id_of_payment(word)
    found: list[Place] = [("Stripe payment", rows, "adoption__supporter") for rows in by_id]
    elsewhere = PastPayment.objects.filter(number__in=as_typed(word), undone_at=None)
    found.append(("payment elsewhere", elsewhere, "payment__adoption__supporter"))
    if is_last4(word):
        found.append(("last four digits", finding.by_last4(word), "adoption__supporter"))
    return found


def as_typed(word: str) -> set[str]:
    """A number of another system; many write theirs in capitals."""
    return {word, word.upper()}


def in_presents(words: list[str]) -> list[Place]:
    found: list[Place] = [
        ("recipient", with_words(Gift.objects.all(), "recipient_name", words), "adoption__supporter"),
    ]
    if word := alone(words):
        rows = Gift.objects.filter(recipient_email__istartswith=word)
        found.append(("recipient’s email", rows, "adoption__supporter"))
    return found


def in_declarations(words: list[str]) -> list[Place]:
    """By the whole postcode of a Gift Aid declaration: half of one is half a town."""
    code = whole_postcode(" ".join(words))
    return [("postcode", GiftAidDeclaration.objects.filter(postcode=code), "supporter")] if code else []


PLACES: list[tuple[str, Callable[[list[str]], list[Place]]]] = [
    ("adoptions.view_adoption", in_adoptions),
    ("adoptions.view_payment", in_payments),
    ("adoptions.view_giftaiddeclaration", in_declarations),
    ("adoptions.view_supporter", in_supporters),
    ("adoptions.view_gift", in_presents),
]
