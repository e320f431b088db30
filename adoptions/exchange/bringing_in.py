"""The rows that were found good become supporters, with the word on news that came with them.

Asked again for each batch, with the database as it is now: who came by themselves since the list was looked through is
known, and stays as they are.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from .. import consent
from ..models import (
    Basis,
    ConsentEvent,
    ConsentState,
    ImportedFile,
    ImportedRow,
    OnAlike,
    OnKnown,
    Outcome,
    Supporter,
    Suppression,
    Verdict,
)
from .checking import NEVER, YES
from .known import supporters_at

TOLD_US = "They have said themselves whether they wish news: that stands."


def bring_in(file: ImportedFile, most: int) -> int:
    """A batch; how many rows that was. In a transaction, with the row of the file locked."""
    waiting = ImportedRow.objects.filter(file=file, outcome=Outcome.WAITING).exclude(verdict=Verdict.BAD)
    rows = list(waiting.order_by("number")[:most])
    if not rows:
        return 0
    here = supporters_at([row.email for row in rows])
    gone = erased_among(rows)
    new = [row for row in rows if row.email not in here and row.email not in gone and is_wanted(row, file)]
    make(new)
    for row in rows:
        if row.outcome == Outcome.WAITING:
            settle_known(row, here.get(row.email), file)
    said = take_words(file, [row for row in rows if row.outcome in {Outcome.MADE, Outcome.FILLED}])
    for row in rows:
        if row.outcome == Outcome.FILLED and not row.cells.get("named") and row.pk not in said:
            row.outcome = Outcome.LEFT
    note(rows)
    return len(rows)


def note(rows: Sequence[ImportedRow]) -> None:
    """What became of them. As an INSERT that finds each row there: ten times as quick as Django's bulk_update."""
    fields = ["outcome", "supporter", "why", "cells"]
    ImportedRow.objects.bulk_create(rows, update_conflicts=True, unique_fields=["pk"], update_fields=fields)


def is_wanted(row: ImportedRow, file: ImportedFile) -> bool:
    return row.verdict in {Verdict.NEW, Verdict.KNOWN} or (row.verdict == Verdict.ALIKE and file.alike == OnAlike.NEW)


def erased_among(rows: Sequence[ImportedRow]) -> set[str]:
    digests = {consent.address_hash(row.email): row.email for row in rows}
    gone = Suppression.objects.filter(address_hash__in=digests, reason=Suppression.Reason.ERASED)
    return {digests[digest] for digest in gone.values_list("address_hash", flat=True)}


def make(rows: Sequence[ImportedRow]) -> None:
    """All at once; one by one where somebody with one of the addresses adopted at this very moment."""
    now = timezone.now()
    people = [Supporter(name=row.cells["name"], email=row.cells["email"], listed_at=now) for row in rows]
    try:
        with transaction.atomic():
            Supporter.objects.bulk_create(people)
    except IntegrityError:
        for row, someone in zip(rows, people, strict=True):
            someone.pk = None
            try:
                with transaction.atomic():
                    someone.save(force_insert=True)
            except IntegrityError:
                continue
            note_made(row, someone)
        return
    for row, someone in zip(rows, people, strict=True):
        note_made(row, someone)


def note_made(row: ImportedRow, someone: Supporter) -> None:
    row.supporter, row.outcome = someone, Outcome.MADE


def settle_known(row: ImportedRow, pk: int | None, file: ImportedFile) -> None:
    row.outcome = Outcome.LEFT
    if pk is None or file.known != OnKnown.FILL or row.verdict not in {Verdict.NEW, Verdict.KNOWN}:
        return
    row.supporter_id, row.outcome = pk, Outcome.FILLED
    if Supporter.objects.filter(pk=pk, name="", erased_at=None).update(name=row.cells["name"]):
        row.cells["named"] = "yes"


# --- their word on news ---------------------------------------------------------------------------------------------


def take_words(file: ImportedFile, rows: Sequence[ImportedRow]) -> set[int]:
    """Keep what they said elsewhere, with its day, place and words; the rows of which something was kept.

    What they told us themselves stands, and whoever is on the list of those never to be written to stays on it. A no
    is always taken: without its day, as of now.
    """
    spoken = {row.pk: consent.address_hash(row.email) for row in rows if row.cells["news"]}
    digests = list(spoken.values())
    known = set(ConsentEvent.objects.filter(address_hash__in=digests).values_list("address_hash", flat=True))
    known |= set(Suppression.objects.filter(address_hash__in=digests).values_list("address_hash", flat=True))
    events, kept = [], set()
    for row in rows:
        if row.pk not in spoken:
            continue
        if row.cells["news"] == YES and spoken[row.pk] in known:
            row.why = TOLD_US
            continue
        kept.add(row.pk)
        events.append(event_of(file, row, spoken[row.pk]))
    ConsentEvent.objects.bulk_create(events)
    never = [spoken[row.pk] for row in rows if row.cells["news"] == NEVER]
    reason, now = Suppression.Reason.UNSUBSCRIBED, timezone.now()
    Suppression.objects.bulk_create(
        [Suppression(address_hash=digest, reason=reason, at=now) for digest in never], ignore_conflicts=True
    )
    return kept


def event_of(file: ImportedFile, row: ImportedRow, digest: str) -> ConsentEvent:
    said = row.cells["news_at"]
    is_yes = row.cells["news"] == YES
    return ConsentEvent(
        supporter_id=row.supporter_id,
        address_hash=digest,
        state=ConsentState.GRANTED if is_yes else ConsentState.WITHDRAWN,
        basis=Basis.CONSENT if is_yes else "",
        wording_version="imported" if is_yes else "",
        wording=row.cells["news_wording"] if is_yes else "",
        page=f"{mark_of(file)}{row.cells['news_source']}"[:200],
        at=datetime.fromisoformat(said) if said else timezone.now(),
    )


def mark_of(file: ImportedFile) -> str:
    """By which the words are known that came with a file."""
    return f"import {file.pk}: "
