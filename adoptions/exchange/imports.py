"""A list comes in: kept as it is, looked through without a word to the tables of people, then brought in, or not.

The worker does each of the three in turns of small transactions, with the row of the file locked: two workers never
do the same, and one that dies has done whole batches and nothing else. Nobody on a list hears of it: no mail is sent
but to the member of staff who brought it.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import batched, islice
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.urls import reverse

from config import patience
from config.fields import plain
from config.mail import queue_mail

from ..models import OVER, ImportedFile, ImportedPiece, ImportedRow, ImportState, ListOf
from .bringing_in import bring_in
from .checking import COLUMNS
from .known import judged
from .past_bringing import bring_in_past
from .past_known import judged_past, settle
from .past_rows import READ
from .past_undoing import undo_past
from .reading import Row, Unreadable, encoding_of, read
from .undoing import undo

logger = logging.getLogger(__name__)

TOGETHER = 500
PIECE = 1 << 20
MOST_BYTES = 30 << 20  # some 200,000 people; a longer list comes in two
LONG = 5000  # rows, from which on a mail says that a list is looked through: nobody waits for that


@dataclass(frozen=True)
class Reader:
    """How a list of one kind is read, brought in and undone. `settle` is called when all of it is read."""

    known: Collection[str]
    needed: str
    judged: Callable[[int, Sequence[Row]], list[ImportedRow]]
    bring_in: Callable[[ImportedFile, int], int]
    undo: Callable[[ImportedFile, int], int]
    settle: Callable[[int], None] = lambda file_id: None


def reader_of(file: ImportedFile) -> Reader:
    if file.is_of_past:
        return Reader(READ, "reference", judged_past, bring_in_past, undo_past, settle)
    return Reader(COLUMNS, "email", judged, bring_in, undo)


class KnownFile(Exception):
    """The same file is here already."""

    def __init__(self, file: ImportedFile) -> None:
        self.file = file


def keep(chunks: Iterable[bytes], *, name: str, by: User, what: str = ListOf.PEOPLE) -> ImportedFile:
    """The worker looks it through. Raises KnownFile for a file that is here already."""
    digest, size, lines = sha256(), 0, 0
    with transaction.atomic():
        file = ImportedFile.objects.create(
            name=shown(name), what=what, digest="", size=0, asked_by=by, state=ImportState.DROPPED
        )
        for number, body in enumerate(chunks):
            digest.update(body)
            size, lines = size + len(body), lines + body.count(b"\n")
            ImportedPiece.objects.create(file=file, number=number, body=body)
        known = ImportedFile.objects.exclude(state__in=OVER).filter(digest=digest.hexdigest())
        this = ImportedFile.objects.filter(pk=file.pk)
        try:
            with transaction.atomic():
                this.update(digest=digest.hexdigest(), size=size, total=lines, state=ImportState.CHECKING)
        except IntegrityError:
            raise KnownFile(known.get()) from None
    return this.get()


def shown(name: str) -> str:
    return " ".join(plain(name, keep_newlines=False).split())[-120:] or "a file without a name"


def is_needed() -> bool:
    return ImportedFile.objects.at_work().exists()


def work(*, until: timedelta) -> None:
    """Go on with every list there is, the oldest first, until time is up."""
    for pk in ImportedFile.objects.at_work().order_by("pk").values_list("pk", flat=True):
        while patience.now() < until and work_on(pk, until=until):
            pass


def work_on(pk: int, *, until: timedelta) -> bool:
    """Some of one list; whether there may be more to do at once."""
    file = ImportedFile.objects.get(pk=pk)
    try:
        match file.state:
            case ImportState.CHECKING:
                return look_through(pk, until=until)
            case ImportState.IMPORTING:
                return batch(pk, file.state, reader_of(file).bring_in)
            case ImportState.UNDOING:
                return batch(pk, file.state, reader_of(file).undo)
    except Unreadable as error:
        with transaction.atomic():
            refuse(pk, str(error))
    except Exception:
        logger.exception("The imported file %s could not be gone on with.", pk)
        if ImportedFile.objects.filter(pk=pk).stumble():
            tell(pk)
    return False


# --- looking through ------------------------------------------------------------------------------------------------


def look_through(pk: int, *, until: timedelta) -> bool:
    """Read from the beginning past what was read in earlier turns: that is quick, and needs no place in a file."""
    file = ImportedFile.objects.get(pk=pk)
    if not file.encoding:
        ImportedFile.objects.filter(pk=pk).update(encoding=encoding_of(pieces(pk)))
        file.refresh_from_db()
    reader = reader_of(file)
    sheet = read(pieces(pk), encoding=file.encoding, known=reader.known, needed=reader.needed)
    unread = ", ".join(sheet.unread)
    ImportedFile.objects.filter(pk=pk).update(form=sheet.form, unread=unread[:500])
    read_before = file.done
    for rows in batched(islice(sheet.rows, read_before, None), TOGETHER):
        if not keep_rows(pk, rows, reader, after=read_before) or patience.now() >= until:
            return False
        read_before += len(rows)
    with transaction.atomic():
        if locked(pk, ImportState.CHECKING):
            reader.settle(pk)
            ImportedFile.objects.filter(pk=pk).looked_through(total=read_before)
            ImportedPiece.objects.filter(file=pk).delete()
            if read_before >= LONG:
                tell(pk)
    return False


def pieces(pk: int) -> Iterator[bytes]:
    found = ImportedPiece.objects.filter(file=pk).order_by("number")
    for number in range(found.count()):
        yield bytes(found.values_list("body", flat=True).get(number=number))


def keep_rows(pk: int, rows: tuple[Row, ...], reader: Reader, *, after: int) -> bool:
    """False if somebody else has read on meanwhile."""
    with transaction.atomic():
        file = locked(pk, ImportState.CHECKING)
        if file is None or file.done != after:
            return False
        ImportedRow.objects.bulk_create(reader.judged(pk, rows))
        ImportedFile.objects.filter(pk=pk).advance(len(rows))
    return True


def refuse(pk: int, because: str) -> None:
    """Nothing of it stays but that it was refused, and why."""
    ImportedFile.objects.filter(pk=pk).refuse(because)
    forget_rows(pk)
    tell(pk)


def drop(file: ImportedFile) -> bool:
    with transaction.atomic():
        is_mine = ImportedFile.objects.filter(pk=file.pk).drop() == 1
        if is_mine:
            forget_rows(file.pk)
    return is_mine


def forget_rows(pk: int) -> None:
    ImportedRow.objects.filter(file=pk).delete()
    ImportedPiece.objects.filter(file=pk).delete()


# --- bringing in and undoing ----------------------------------------------------------------------------------------


def batch(pk: int, state: str, act: Callable[[ImportedFile, int], int]) -> bool:
    """A batch, and whether there may be another."""
    with transaction.atomic():
        file = locked(pk, state)
        if file is None:
            return False
        rows = act(file, TOGETHER)
        ImportedFile.objects.filter(pk=pk).advance(rows)
        if rows == 0:
            ImportedFile.objects.filter(pk=pk).finish()
            tell(pk)
    return rows > 0


def locked(pk: int, state: str) -> ImportedFile | None:
    """None if another worker is at it, or it is in another state by now."""
    return ImportedFile.objects.select_for_update(skip_locked=True).filter(pk=pk, state=state).first()


# --- saying so ------------------------------------------------------------------------------------------------------


def counts(file: ImportedFile, column: str) -> dict[str, int]:
    """How many rows have each verdict, or outcome."""
    found = ImportedRow.objects.filter(file=file).order_by().values_list(column).annotate(count=Count("pk"))
    return dict(found)


def tell(pk: int) -> None:
    """By mail, without anybody of the list in it."""
    file = ImportedFile.objects.select_related("asked_by").get(pk=pk)
    if not file.asked_by.email:
        return
    outcomes = counts(file, "outcome")
    context: dict[str, Any] = {
        "file": file,
        "faults": counts(file, "verdict").get("bad", 0),
        "made": outcomes.get("made", 0),
        "filled": outcomes.get("filled", 0),
        "stays": outcomes.get("stays", 0),
        "admin_url": settings.SITE_URL + reverse("admin:adoptions_importedfile_look", args=[pk]),
    }
    queue_mail("import_done", to=file.asked_by.email, key=f"{pk}:{file.state}", context=context)
