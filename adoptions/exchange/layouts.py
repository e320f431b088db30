"""What stands in our files: each column with its meaning, in the order of the file.

The same values in both formats. CSV is for people with a spreadsheet: pounds, yes and no. JSON Lines is for programs:
whole pence, true and false. Days are ISO 8601, moments in UTC. No recipient of a present is in any file: they never
gave us their details for that. Nor is a postal address: the only one we have was given for Gift Aid. Salesforce alone,
which keeps the gift itself, gets the recipient's name and, if somebody who may see it asks for it, that address.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from config.spreadsheet import csv_text

from .. import consent
from ..campaign_report import decimal
from ..models import (
    Adoption,
    ConsentEvent,
    ConsentState,
    PastAdoption,
    PastPayment,
    Payment,
    PaymentKind,
    Supporter,
    Suppression,
)
from .choosing import Choice, chosen_adoptions, chosen_charges, chosen_supporters

BYTE_ORDER_MARK = "\ufeff"  # tells Excel that it is UTF-8


class Kind(StrEnum):
    TEXT = "Words"
    NUMBER = "A number"
    MONEY = "Money"
    YES = "Yes or no"
    DAY = "A day"
    MOMENT = "A moment in UTC"


@dataclass(frozen=True)
class Column:
    name: str
    what: str
    value: Callable[[Any], Any]
    kind: Kind = Kind.TEXT

    @property
    def in_csv(self) -> str:
        return f"{self.name}_pounds" if self.kind == Kind.MONEY else self.name

    @property
    def in_json(self) -> str:
        return f"{self.name}_pence" if self.kind == Kind.MONEY else self.name


@dataclass(frozen=True)
class Layout:
    """`rows` gives a page of what was chosen, in the order of `pk`, each with all that its columns ask for."""

    title: str
    about: str
    columns: tuple[Column, ...]
    chosen: Callable[[Choice], QuerySet[Any]]
    fill: Callable[[Sequence[Any]], Sequence[Any]]
    is_for_programs: bool = True  # also as JSON Lines


# --- one format and the other ---------------------------------------------------------------------------------------


def csv_head(layout: Layout) -> str:
    return BYTE_ORDER_MARK + csv_text([[column.in_csv for column in layout.columns]])


def csv_lines(layout: Layout, rows: Iterable[Any]) -> str:
    return csv_text([cell(column, column.value(row)) for column in layout.columns] for row in rows)


def json_lines(layout: Layout, rows: Iterable[Any]) -> str:
    return "".join(json_line({column.in_json: column.value(row) for column in layout.columns}) for row in rows)


def json_line(values: dict[str, Any]) -> str:
    plain = {name: written(value) if isinstance(value, date) else value for name, value in values.items()}
    return json.dumps(plain, ensure_ascii=False, allow_nan=False) + "\n"


def cell(column: Column, value: Any) -> Any:
    if column.kind == Kind.MONEY:
        return decimal(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return written(value) if isinstance(value, date) else value


def written(moment: date) -> str:
    """`2026-07-01`, `2026-07-01T08:30:00Z`; a moment keeps its millionths, so that it comes back the same."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# --- supporters -----------------------------------------------------------------------------------------------------


@dataclass
class SupporterRow:
    supporter: Supporter
    word: ConsentEvent | None = None
    is_suppressed: bool = False
    may_be_mailed: bool = False
    money: Mapping[str, Any] = field(default_factory=dict)
    adoptions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def news(self) -> str:
        if self.is_suppressed:
            return "never"
        if self.word is None:
            return ""
        return "yes" if self.word.state == ConsentState.GRANTED else "no"


def fill_supporters(supporters: Sequence[Supporter]) -> list[SupporterRow]:
    """With their words on news, their adoptions and their money: a fixed number of queries, however many they are."""
    pks = [supporter.pk for supporter in supporters]
    words = ConsentEvent.objects.filter(supporter__in=pks).order_by("supporter_id", "-at", "-pk")
    word_of = {word.supporter_id: word for word in words.distinct("supporter_id")}
    digests = {supporter.pk: consent.address_hash(supporter.email) for supporter in supporters}
    suppressed = set(
        Suppression.objects.filter(address_hash__in=digests.values()).values_list("address_hash", flat=True)
    )
    mailable = set(consent.marketable().filter(pk__in=pks).values_list("pk", flat=True))
    payments = Payment.objects.filter(adoption__supporter__in=pks).order_by().values("adoption__supporter")
    money = {
        row["adoption__supporter"]: row
        for row in payments.annotate(total=Sum("amount_pence"), last=Max("occurred_at", filter=CHARGES))
    }
    adopted = Adoption.objects.filter(supporter__in=pks).exclude(activated_at=None).order_by().values("supporter")
    adoptions = {row["supporter"]: row for row in adopted.annotate(count=Count("pk"), first=Min("activated_at"))}
    return [
        SupporterRow(
            supporter,
            word=word_of.get(supporter.pk),
            is_suppressed=digests[supporter.pk] in suppressed,
            may_be_mailed=supporter.pk in mailable,
            money=money.get(supporter.pk, {}),
            adoptions=adoptions.get(supporter.pk, {}),
        )
        for supporter in supporters
    ]


CHARGES = Q(kind=PaymentKind.CHARGE)
SUPPORTERS = Layout(
    title="Supporters",
    about="One line for each supporter: who they are, whether they may be mailed, and what they have given.",
    columns=(
        Column("name", "As they gave it, in one piece.", lambda row: row.supporter.name),
        Column("email", "By which we know them.", lambda row: row.supporter.email_if_any),
        Column("known_since", "When they first came to us.", lambda row: row.supporter.created_at, kind=Kind.MOMENT),
        Column(
            "may_be_mailed",
            "Whether news may be sent to them now: an adopter, with a yes that stands.",
            lambda row: row.may_be_mailed,
            kind=Kind.YES,
        ),
        Column("news", "Their last word: yes, no, or never; empty if they said nothing.", lambda row: row.news),
        Column("news_at", "When they said so.", lambda row: row.word and row.word.at, kind=Kind.MOMENT),
        Column("news_source", "Where they said so.", lambda row: row.word.page if row.word else ""),
        Column("news_wording", "What they read when they said yes.", lambda row: row.word.wording if row.word else ""),
        Column("adoptions", "How many they began.", lambda row: row.adoptions.get("count", 0), kind=Kind.NUMBER),
        Column("first_adopted_at", "When the first began.", lambda row: row.adoptions.get("first"), kind=Kind.MOMENT),
        Column(
            "given", "All that came in, less what went back.", lambda row: row.money.get("total", 0), kind=Kind.MONEY
        ),
        Column("last_gave_at", "Their last payment.", lambda row: row.money.get("last"), kind=Kind.MOMENT),
    ),
    chosen=chosen_supporters,
    fill=fill_supporters,
)


# --- adoptions ------------------------------------------------------------------------------------------------------


@dataclass
class AdoptionRow:
    adoption: Adoption
    money: Mapping[str, Any] = field(default_factory=dict)


def fill_adoptions(adoptions: Sequence[Adoption]) -> list[AdoptionRow]:
    payments = Payment.objects.filter(adoption__in=[each.pk for each in adoptions]).order_by().values("adoption")
    summed = payments.annotate(
        total=Sum("amount_pence"),
        count=Count("pk", filter=CHARGES),
        first=Min("occurred_at", filter=CHARGES),
        last=Max("occurred_at", filter=CHARGES),
    )
    money = {row["adoption"]: row for row in summed}
    return [AdoptionRow(each, money.get(each.pk, {})) for each in adoptions]


ADOPTIONS = Layout(
    title="Adoptions",
    about="One line for each adoption, with its payments summed up.",
    columns=(
        Column("reference", "As on the receipt.", lambda row: row.adoption.reference),
        Column("supporter_name", "Who pays.", lambda row: row.adoption.supporter.name),
        Column("supporter_email", "Empty once they are erased.", lambda row: address_of(row.adoption.supporter)),
        Column("species", "As in its address: amur-leopard.", lambda row: row.adoption.species.slug),
        Column("plan", "As in the links of campaigns: friend.", lambda row: row.adoption.plan.slug),
        Column("frequency", "once, monthly or yearly.", lambda row: row.adoption.frequency),
        Column("amount", "Each payment, as agreed.", lambda row: row.adoption.amount_pence, kind=Kind.MONEY),
        Column(
            "state",
            "pending, processing, active, past_due, ended, abandoned or held.",
            lambda row: row.adoption.state,
        ),
        Column("is_gift", "Whether it is a present.", lambda row: row.adoption.is_gift, kind=Kind.YES),
        Column("source", "How it reached us: web, phone, paper or person.", lambda row: row.adoption.source),
        Column("campaign_code", "Of the link that brought it.", lambda row: row.adoption.campaign_code),
        Column(
            "first_campaign_code",
            "Of the link by which they first came to us.",
            lambda row: row.adoption.first_campaign_code,
        ),
        Column("asked_at", "When the form was sent.", lambda row: row.adoption.created_at, kind=Kind.MOMENT),
        Column("began_at", "When it began.", lambda row: row.adoption.activated_at, kind=Kind.MOMENT),
        Column("ended_at", "When it ended.", lambda row: row.adoption.ended_at, kind=Kind.MOMENT),
        Column(
            "next_payment_on", "Empty: nothing more is due.", lambda row: row.adoption.next_payment_on, kind=Kind.DAY
        ),
        Column("payments", "How many arrived.", lambda row: row.money.get("count", 0), kind=Kind.NUMBER),
        Column(
            "received",
            "What they came to, less what went back.",
            lambda row: row.money.get("total", 0),
            kind=Kind.MONEY,
        ),
        Column("first_paid_at", "The first of them.", lambda row: row.money.get("first"), kind=Kind.MOMENT),
        Column("last_paid_at", "The last of them.", lambda row: row.money.get("last"), kind=Kind.MOMENT),
    ),
    chosen=lambda choice: chosen_adoptions(choice).select_related("supporter", "species", "plan"),
    fill=fill_adoptions,
)


# --- payments -------------------------------------------------------------------------------------------------------


@dataclass
class PaymentRow:
    payment: Payment
    net_pence: int

    @property
    def adoption(self) -> Adoption:
        return self.payment.adoption

    @property
    def past(self) -> PastAdoption | None:
        return getattr(self.adoption, "past", None)


def fill_payments(charges: Sequence[Payment]) -> list[PaymentRow]:
    """What came in, less what went back of it; nothing where all of it did."""
    rows = [PaymentRow(charge, charge.amount_pence + back) for charge, back in with_reversals(charges)]
    return [row for row in rows if row.net_pence > 0]


def with_reversals(charges: Sequence[Payment]) -> list[tuple[Payment, int]]:
    """Each with the pence that went back of it, as the ledger has them: none or fewer."""
    back = Payment.objects.filter(charge__in=[charge.pk for charge in charges]).order_by().values("charge")
    reversed_pence = dict(back.values_list("charge", Sum("amount_pence")))
    return [(charge, reversed_pence.get(charge.pk, 0)) for charge in charges]


def number_of(payment: Payment) -> str:
    past: PastPayment | None = getattr(payment, "past", None)
    return past.number if past else payment.known_as


PAYMENTS = Layout(
    title="Payments with their adoptions",
    about="One line for each payment, with the adoption it is for. Such a list can be brought in again elsewhere.",
    columns=(
        Column(
            "reference",
            "As on the receipt; of an adoption that was brought in, as it was known there.",
            lambda row: row.past.reference if row.past else row.adoption.reference,
        ),
        Column(
            "reference_system",
            "Of an adoption that was brought in: the system whose reference and numbers these are, if it was named.",
            lambda row: row.past.system if row.past else "",
        ),
        Column("supporter_name", "Who pays.", lambda row: row.adoption.supporter.name),
        Column("supporter_email", "By which we know them.", lambda row: address_of(row.adoption.supporter)),
        Column("species", "As in its address: amur-leopard.", lambda row: row.adoption.species.slug),
        Column("plan", "As in the links of campaigns: friend.", lambda row: row.adoption.plan.slug),
        Column("frequency", "once, monthly or yearly.", lambda row: row.adoption.frequency),
        Column("amount", "Each payment, as agreed.", lambda row: row.adoption.amount_pence, kind=Kind.MONEY),
        Column("began_at", "When it began.", lambda row: row.adoption.activated_at, kind=Kind.MOMENT),
        Column("ended_at", "When it ended.", lambda row: row.adoption.ended_at, kind=Kind.MOMENT),
        Column(
            "ended_because",
            "Why, where it was brought in.",
            lambda row: row.past.ended_because if row.past else "",
        ),
        Column("is_gift", "Whether it is a present.", lambda row: row.adoption.is_gift, kind=Kind.YES),
        Column("campaign_code", "Of the link that brought it.", lambda row: row.adoption.campaign_code),
        Column(
            "payment_id",
            "The number of the payment; Stripe’s id, where it has one.",
            lambda row: number_of(row.payment),
        ),
        Column("paid_at", "When it was paid.", lambda row: row.payment.occurred_at, kind=Kind.MOMENT),
        Column("paid", "How much, less what went back of it.", lambda row: row.net_pence, kind=Kind.MONEY),
        Column("method", "stripe, cheque, cash, transfer; card, debit or other.", lambda row: row.payment.method),
        Column(
            "brought_in",
            "Whether another system collected it.",
            lambda row: row.payment.is_brought_in,
            kind=Kind.YES,
        ),
    ),
    chosen=lambda choice: chosen_charges(choice).select_related(
        "adoption__supporter", "adoption__species", "adoption__plan", "adoption__past", "past"
    ),
    fill=fill_payments,
)


def address_of(supporter: Supporter) -> str:
    return supporter.email_if_any if supporter.erased_at is None else ""
