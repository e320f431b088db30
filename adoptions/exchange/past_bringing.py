"""Adoptions that were paid for through another system come in, each with the payments that it had there.

What was decided, and why:

* Payments are movements of the ledger like any other, written by adoptions/ledger.py, marked `is_brought_in` and kept
  with the number that they have elsewhere: a unique constraint says that none comes in twice. They count in what a
  supporter has given, on their own days. They are never compared with Stripe, which knows nothing of them; they are
  no takings, for the bank never saw them by way of this site; and they count for a campaign only where the list names
  a code of ours.
* What repeats comes in as ended: nobody takes the next payment here, and an adoption that runs has a subscription.
  Where the list tells of no end, it ended with what was paid for last: `paid_until` says until when it was paid
  elsewhere. To ask somebody to go on here, staff open the form with which they mail a link to pay.
* Nobody hears of it. The receipts of this money came from the system that collected it, so there is none of ours,
  no certificate is mailed, no reminder, and it is in no annual statement.
* No Gift Aid is claimed on it, for the other system may have claimed it already: see gift_aid.covering.
* A word on news is taken as from a list of supporters: a yes only with its day, place and words.
* Undoing writes the opposite movement beside each payment, for the ledger only ever grows; see past_undoing.py.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db.models import Max, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from config.money import Pence
from species.models import Species

from .. import ledger
from ..ledger import Brought
from ..models import (
    Adoption,
    AdoptionState,
    Campaign,
    Frequency,
    Gift,
    ImportedFile,
    ImportedRow,
    Method,
    OnKnown,
    Outcome,
    PastAdoption,
    PastPayment,
    Plan,
    Source,
    Supporter,
    Verdict,
)
from ..payment_days import months_after
from .bringing_in import erased_among, is_wanted, make, note, take_words
from .known import supporters_at
from .past_known import GOOD
from .past_rows import Known

MONTHS = {Frequency.MONTHLY: 1, Frequency.YEARLY: 12}
LEFT_OUT = "It was left out, and with it what was paid for it."


def bring_in_past(file: ImportedFile, most: int) -> int:
    """A batch; how many rows that was. In a transaction, with the row of the file locked."""
    waiting = ImportedRow.objects.filter(file=file, outcome=Outcome.WAITING).exclude(verdict=Verdict.BAD)
    rows = list(waiting.order_by("number")[:most])
    for row in rows:
        row.outcome = Outcome.LEFT
    good = [row for row in rows if row.verdict in GOOD]
    known = set(standing([row.reference for row in good]).values_list("system", "reference"))
    new = [row for row in good if row.defines and known_as(row) not in known and is_wanted(row, file)]
    begin(file, whose(file, new))
    pay(file, [row for row in good if row.payment])
    note(rows)
    return len(rows)


def known_as(row: ImportedRow) -> Known:
    return row.system, row.reference


def standing(references: Iterable[str]) -> QuerySet[PastAdoption]:
    return PastAdoption.objects.filter(undone_at=None, reference__in=set(references))


# --- people ---------------------------------------------------------------------------------------------------------


def whose(file: ImportedFile, rows: Sequence[ImportedRow]) -> list[ImportedRow]:
    """The rows whose supporter is here now, each with their number; who is new is made, with their word on news."""
    gone = erased_among(rows)
    rows = [row for row in rows if row.email not in gone]
    here = supporters_at([row.email for row in rows])
    by_email: dict[str, ImportedRow] = {}
    for row in rows:
        by_email.setdefault(row.email, row)
    first = list(by_email.values())
    new = [row for row in first if row.email not in here]
    make(new)
    for row in new:
        row.cells["made"] = "yes" if row.outcome == Outcome.MADE else ""
    here |= supporters_at([row.email for row in new])
    # Locked, so that nobody erases themselves while an adoption is hung on them.
    locked = Supporter.objects.select_for_update(no_key=True).filter(pk__in=here.values(), erased_at=None)
    kept = set(locked.values_list("pk", flat=True))
    for row in rows:
        row.supporter_id = here.get(row.email)
    fill = [row for row in first if row not in new] if file.known == OnKnown.FILL else []
    for row in fill:
        if Supporter.objects.filter(pk=here[row.email], name="", erased_at=None).update(name=row.cells["name"]):
            row.cells["named"] = "yes"
    take_words(file, [*(row for row in new if row.cells["made"]), *fill])
    return [row for row in rows if row.supporter_id in kept]


# --- adoptions ------------------------------------------------------------------------------------------------------


def begin(file: ImportedFile, rows: Sequence[ImportedRow]) -> None:
    """The adoptions of the rows, as they stood in the end."""
    species = dict(Species.objects.values_list("slug", "pk"))
    plans = dict(Plan.objects.values_list("slug", "pk"))
    codes = {row.cells["campaign_code"].lower() for row in rows if row.cells.get("campaign_code")}
    campaigns = dict(Campaign.objects.filter(code__in=codes).values_list("code", "pk"))
    paid = last_payments(file, rows)
    adoptions = [adoption_of(file, row, paid[known_as(row)], campaigns) for row in rows]
    for row, adoption in zip(rows, adoptions, strict=True):
        adoption.species_id, adoption.plan_id = species[row.cells["species"]], plans[row.cells["plan"]]
    Adoption.objects.bulk_create(adoptions)
    Gift.objects.bulk_create(
        Gift(adoption=adoption, recipient_name=row.cells["recipient_name"])
        for row, adoption in zip(rows, adoptions, strict=True)
        if row.cells.get("recipient_name")
    )
    PastAdoption.objects.bulk_create(
        PastAdoption(
            adoption=adoption,
            list_number=file.pk,
            system=row.system,
            reference=row.reference,
            paid_until=paid_until(row.cells["frequency"], paid[known_as(row)]),
            is_end_told="ended_at" in row.cells,
            ended_because=row.cells.get("ended_because", ""),
        )
        for row, adoption in zip(rows, adoptions, strict=True)
    )
    for row in rows:
        row.outcome = Outcome.MADE


def last_payments(file: ImportedFile, rows: Sequence[ImportedRow]) -> dict[Known, datetime]:
    """When each was paid for last, by what the list tells of it."""
    of_it = ImportedRow.objects.filter(file=file, reference__in=[row.reference for row in rows], verdict__in=GOOD)
    found = of_it.exclude(payment="").order_by().values_list("system", "reference")
    last = found.annotate(last=Max(KeyTextTransform("paid_at", "cells")))
    return {(system, reference): datetime.fromisoformat(text) for system, reference, text in last}


def adoption_of(file: ImportedFile, row: ImportedRow, paid_at: datetime, campaigns: dict[str, int]) -> Adoption:
    cells = row.cells
    assert row.supporter_id  # noqa: S101  only rows with somebody are begun
    began, code = datetime.fromisoformat(cells["began_at"]), cells.get("campaign_code", "").lower()
    ended = datetime.fromisoformat(cells["ended_at"]) if "ended_at" in cells else None
    if cells["frequency"] in MONTHS:
        ended = ended or end_of(cells["frequency"], paid_at)
    return Adoption(
        attempt=uuid.uuid4(),
        supporter_id=row.supporter_id,
        frequency=cells["frequency"],
        amount_pence=int(cells["amount_pence"]),
        is_gift=bool(cells.get("is_gift")),
        source=Source.IMPORT,
        entered_by_id=file.confirmed_by_id,
        campaign_id=campaigns.get(code),
        campaign_code=code[:32],
        first_campaign_code=code if code in campaigns else "",
        created_at=began,
        activated_at=began,
        state=AdoptionState.ENDED if ended else AdoptionState.ACTIVE,
        ended_at=ended,
    )


def paid_until(frequency: str, paid_at: datetime) -> date | None:
    """The last day that a payment is for."""
    months = MONTHS.get(Frequency(frequency))
    return timezone.localdate(months_after(paid_at, months)) if months else None


def end_of(frequency: str, paid_at: datetime) -> datetime:
    """With what was paid for last; now, where that is still to come: nobody takes a next payment."""
    return min(months_after(paid_at, MONTHS[Frequency(frequency)]), timezone.now())


# --- payments -------------------------------------------------------------------------------------------------------


def pay(file: ImportedFile, rows: Sequence[ImportedRow]) -> None:
    """What was paid for adoptions that are in now, and is not in itself."""
    found = standing(row.reference for row in rows).select_related("adoption")
    adoptions = {(past.system, past.reference): past for past in found}
    numbers = PastPayment.objects.filter(undone_at=None, number__in=[row.payment for row in rows])
    known = set(numbers.values_list("system", "number"))
    told = []
    for row in rows:
        past = adoptions.get(known_as(row))
        if past is None:
            row.why = LEFT_OUT
        elif (row.system, row.payment) not in known:
            row.outcome = Outcome.MADE
            row.supporter_id = past.adoption.supporter_id
            told.append(brought(row, past))
    ledger.record_brought_in(told, list_number=file.pk)
    by_adoption = {past.adoption_id: past for past in adoptions.values()}
    for one in told:
        prolong(by_adoption[one.adoption_id], one)


def brought(row: ImportedRow, past: PastAdoption) -> Brought:
    cells = row.cells
    return Brought(
        adoption_id=past.adoption_id,
        pence=Pence(int(cells["paid_pence"])),
        method=Method(cells["method"]),
        at=datetime.fromisoformat(cells["paid_at"]),
        system=row.system,
        number=row.payment,
        reference=cells.get("payment_reference", ""),
    )


def prolong(past: PastAdoption, one: Brought) -> None:
    """A later list tells of more: then what repeats was paid for until later."""
    until = paid_until(past.adoption.frequency, one.at)
    if until and past.paid_until and until > past.paid_until:
        past.paid_until = until
        past.save(update_fields=["paid_until"])
        if not past.is_end_told:
            ended = end_of(past.adoption.frequency, one.at)
            Adoption.objects.filter(pk=past.adoption_id).last_until(ended)
