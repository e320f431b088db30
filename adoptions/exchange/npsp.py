"""The layout that Salesforce's Nonprofit Success Pack imports: its object “NPSP Data Import”.

The headings are the labels of its fields, as in the template that Salesforce hands out, for names of fields carry a
prefix that depends on how the package was installed. Matched against `DataImport__c` of SalesforceFoundation/NPSP.
Lengths are those of its fields: what is longer would stop the whole import.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from ..models import (
    REPEATING,
    Campaign,
    Frequency,
    Gift,
    GiftAidDeclaration,
    HandEntry,
    Method,
    PastPayment,
    Payment,
)
from .choosing import Choice, chosen_charges, chosen_supporters
from .layouts import Column, Kind, Layout, SupporterRow, fill_supporters, number_of, with_reversals

FIRST_LONG, LAST_LONG, MESSAGE_LONG = 40, 80, 2000
WAYS: dict[str, str] = {
    Method.CHEQUE: "Check",
    Method.CASH: "Cash",
    Method.TRANSFER: "Bank Transfer",
    Method.CARD: "Credit Card",
    Method.DEBIT: "Direct Debit",
    Method.OTHER: "Other",
}
PERIODS = {Frequency.MONTHLY: "Monthly", Frequency.YEARLY: "Yearly"}


class Field(Column):
    """A heading of theirs: the same whatever is beneath it."""

    @property
    def in_csv(self) -> str:
        return self.name


def first_and_last(name: str) -> tuple[str, str]:
    """Ours is one piece: the last word goes for the last name, which Salesforce cannot do without."""
    first, _, last = name.strip().rpartition(" ")
    return first[:FIRST_LONG], (last or "Unknown")[:LAST_LONG]


def contact(row: SupporterRow) -> tuple[str, str]:
    return first_and_last(row.supporter.name)


def with_homes(found: QuerySet[Any], choice: Choice, *, of: str) -> QuerySet[Any]:
    """Each row with the home of its supporter, where that was asked for and a declaration for Gift Aid stands."""
    if not choice.with_homes:
        return found
    given = GiftAidDeclaration.objects.counting().standing().filter(supporter=OuterRef(of)).order_by("-pk")
    homes: QuerySet[Any] = found.annotate(
        home_street=Subquery(given.values("address")[:1]), home_postcode=Subquery(given.values("postcode")[:1])
    )
    return homes


def home(row: SupporterRow, part: str) -> str:
    asked = row.payment if isinstance(row, DonationRow) else row.supporter
    return getattr(asked, f"home_{part}", None) or ""


CONTACT = (
    Field("Contact1 First Name", "All words of the name but the last.", lambda row: contact(row)[0]),
    Field("Contact1 Last Name", "The last word of the name.", lambda row: contact(row)[1]),
    Field("Contact1 Personal Email", "By which Salesforce finds them again.", lambda row: row.supporter.email_if_any),
    Field("Contact1 Preferred Email", "Always Personal.", lambda row: "Personal"),
    Field(
        "Contact1 Consent Opt-In",
        "TRUE for those who may be mailed news now; FALSE for all others.",
        lambda row: "TRUE" if row.may_be_mailed else "FALSE",
    ),
    Field(
        "Contact1 Consent Message",
        "The words they agreed to.",
        lambda row: row.word.wording[:MESSAGE_LONG] if row.may_be_mailed else "",
    ),
    Field(
        "Home Street",
        "House and street, of a Gift Aid declaration that stands; only if you ask for home addresses.",
        lambda row: home(row, "street"),
    ),
    Field("Home Zip/Postal Code", "As the line before. We never ask for the town.", lambda row: home(row, "postcode")),
)


@dataclass
class DonationRow(SupporterRow):
    payment: Payment | None = None
    net_pence: int = 0

    @property
    def charge(self) -> Payment:
        assert self.payment  # noqa: S101  it is what the row was made for
        return self.payment

    @property
    def campaign(self) -> Campaign | None:
        return self.charge.adoption.campaign

    @property
    def honoree(self) -> str:
        """Whom the adoption was given to, by name; nothing else of them leaves the site."""
        gift: Gift | None = getattr(self.charge.adoption, "gift", None)
        return gift.recipient_name if gift else ""


def fill_donations(charges: Sequence[Payment]) -> list[DonationRow]:
    """What came in, less what went back of it; nothing where all of it did."""
    supporters = {charge.adoption.supporter_id: charge.adoption.supporter for charge in charges}
    people = {row.supporter.pk: row for row in fill_supporters(list(supporters.values()))}
    rows = []
    for charge, back in with_reversals(charges):
        net = charge.amount_pence + back
        if net > 0:
            who = people[charge.adoption.supporter_id]
            rows.append(
                DonationRow(
                    who.supporter, who.word, who.is_suppressed, who.may_be_mailed, payment=charge, net_pence=net
                )
            )
    return rows


def way_of(row: DonationRow) -> str:
    """Of Stripe's two, only cards have last digits."""
    return WAYS.get(row.charge.method) or ("Credit Card" if row.charge.card_last4 else "Direct Debit")


def paper_of(charge: Payment) -> str:
    """Number of the cheque or the slip."""
    written: HandEntry | PastPayment | None = getattr(charge, "past" if charge.is_brought_in else "hand_entry", None)
    return written.reference if written else ""


def repeating(row: DonationRow) -> bool:
    return row.charge.adoption.frequency in REPEATING


DONATIONS = Layout(
    title="Payments for Salesforce NPSP",
    about="One line for each payment that has arrived, with who gave it, as the NPSP Data Import of Salesforce reads "
    "it. The days above are those of the payments. What was wholly refunded is left out.",
    columns=(
        *CONTACT,
        Field("Donation Donor", "Always Contact1: a person gave it.", lambda row: "Contact1"),
        Field("Donation Amount", "In pounds, less what went back.", lambda row: row.net_pence, kind=Kind.MONEY),
        Field(
            "Donation Date",
            "The day of the payment.",
            lambda row: timezone.localdate(row.charge.occurred_at),
            kind=Kind.DAY,
        ),
        Field(
            "Donation Name",
            "The species and the reference of the adoption.",
            lambda row: f"Adoption of {row.charge.adoption.species.common_name} {row.charge.adoption.reference}"[:120],
        ),
        Field("Donation Stage", "Always Closed Won: the money is here.", lambda row: "Closed Won"),
        Field(
            "Campaign Name",
            "The code of the link that brought the adoption. It must exist in Salesforce beforehand.",
            lambda row: row.charge.adoption.campaign_code,
        ),
        Field(
            "UTM Source",
            "Where the link of that campaign stood. Empty, as the next three, without a campaign of ours.",
            lambda row: row.campaign.utm_source if row.campaign else "",
        ),
        Field("UTM Medium", "How it got there.", lambda row: row.campaign.utm_medium if row.campaign else ""),
        Field("UTM Campaign", "The code of its link.", lambda row: row.campaign.code if row.campaign else ""),
        Field("UTM Content", "Which of several.", lambda row: row.campaign.utm_content if row.campaign else ""),
        Field(
            "Donation Tribute Type",
            "Honor for a present; empty for all others, and once the recipient was forgotten.",
            lambda row: "Honor" if row.honoree else "",
        ),
        Field("Donation Honoree Name", "Whom the present is for, by name only.", lambda row: row.honoree),
        Field("Payment Method", "Credit Card, Direct Debit, Check, Cash or Bank Transfer.", lambda row: way_of(row)),
        Field(
            "Payment Check/Reference Number",
            "Of the cheque or the slip, where staff wrote the payment down.",
            lambda row: paper_of(row.charge),
        ),
        Field(
            "Payment Gateway Payment ID",
            "Of the charge at Stripe, or where it was brought in from: the same line twice can be told by it.",
            lambda row: number_of(row.charge) if row.charge.is_brought_in else row.charge.stripe_id,
        ),
        Field(
            "Recurring Donation Name",
            "The reference; only for monthly and yearly adoptions, as are the next three.",
            lambda row: row.charge.adoption.reference if repeating(row) else "",
        ),
        Field(
            "Recurring Donation Amount",
            "In pounds, each time.",
            lambda row: row.charge.adoption.amount_pence if repeating(row) else None,
            kind=Kind.MONEY,
        ),
        Field(
            "Recurring Donation Installment Period",
            "Monthly or Yearly.",
            lambda row: PERIODS[Frequency(row.charge.adoption.frequency)] if repeating(row) else "",
        ),
        Field(
            "Recurring Donation Date Established",
            "The day it began.",
            lambda row: timezone.localdate(row.charge.adoption.activated_at) if repeating(row) else None,
            kind=Kind.DAY,
        ),
    ),
    chosen=lambda choice: with_homes(chosen_charges(choice), choice, of="adoption__supporter").select_related(
        *("adoption__supporter", "adoption__species", "adoption__campaign", "adoption__gift", "hand_entry", "past")
    ),
    fill=fill_donations,
    is_for_programs=False,
)
CONTACTS = Layout(
    title="Contacts for Salesforce NPSP",
    about="One line for each supporter, without any payments, as the NPSP Data Import of Salesforce reads it.",
    columns=CONTACT,
    chosen=lambda choice: with_homes(chosen_supporters(choice), choice, of="pk"),
    fill=fill_supporters,
    is_for_programs=False,
)
