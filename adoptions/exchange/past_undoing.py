"""A list of adoptions is taken back: void movements beside its payments, its adoptions ended and shown to nobody.

The ledger only ever grows, so what came in stays to be seen, with what took it back. People whom the list made, and
with whom nothing else has happened since, stay for the sake of those movements, but without a name or an address: as
if they had been erased, only that they may come in again. The same list can be brought again afterwards.
"""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from .. import ledger
from ..models import (
    Adoption,
    Gift,
    ImportedFile,
    ImportedRow,
    Likeness,
    Outcome,
    PastAdoption,
    PastPayment,
    Supporter,
)
from .bringing_in import note
from .undoing import forget_words, take_back, what_hangs_on, why_to_stay

IN_THE_BOOKS = "Their payments stay in the books; the name and the address are gone."
OF_THE_BOOKS = {"reference_system", "reference", "payment_id", "paid_at", "paid_pence"}  # no word of who it was


def undo_past(file: ImportedFile, most: int) -> int:
    """A batch; how much that was. First the money, then the adoptions, then the people. As undoing.undo is called."""
    return undo_payments(file, most) or undo_adoptions(file, most) or undo_people(file, most)


def undo_payments(file: ImportedFile, most: int) -> int:
    theirs = PastPayment.objects.filter(list_number=file.pk, undone_at=None).select_related("payment")
    past = list(theirs.select_for_update(of=("self",)).order_by("pk")[:most])
    if past and (by := file.undone_by or file.confirmed_by):
        ledger.void_brought_in(past, by=by)
    return len(past)


def undo_adoptions(file: ImportedFile, most: int) -> int:
    """Those for which another list has told of payments stay: they are of that list too."""
    now = timezone.now()
    kept = PastPayment.objects.filter(undone_at=None, payment__adoption=OuterRef("adoption"))
    theirs = PastAdoption.objects.filter(~Exists(kept), list_number=file.pk, undone_at=None)
    pks = dict(theirs.order_by("pk").values_list("pk", "adoption")[:most])
    Adoption.objects.filter(pk__in=pks.values()).end(at=now)
    for gift in Gift.objects.filter(adoption__in=pks.values(), erased_at=None).values_list("pk", flat=True):
        Gift.objects.filter(pk=gift).erase()
    PastAdoption.objects.filter(pk__in=pks).update(undone_at=now)
    return len(pks)


def undo_people(file: ImportedFile, most: int) -> int:
    todo = ImportedRow.objects.filter(file=file, outcome__in=[Outcome.MADE, Outcome.FILLED])
    rows = list(todo.select_related("supporter").order_by("number")[:most])
    people = Supporter.objects.select_for_update().in_bulk([row.supporter_id for row in rows if row.supporter_id])
    hangs = what_hangs_on(file, list(people))
    forget_words(file, list(people))
    paid = set(Adoption.objects.filter(supporter__in=people).values_list("supporter", flat=True))
    nameless, gone = [], []
    for row in rows:
        someone = people.get(row.supporter_id or 0)
        if not row.cells.get("made") or someone is None:
            take_back(row, someone)
        elif because := why_to_stay(row, someone, hangs):
            row.outcome, row.why = Outcome.STAYS, because
        elif someone.pk in paid:
            row.outcome, row.why = Outcome.REMOVED, IN_THE_BOOKS
            nameless.append(someone.pk)
        else:
            row.outcome, row.supporter = Outcome.REMOVED, None
            gone.append(someone.pk)
    forget(nameless)
    for row in rows:
        if row.supporter_id in nameless or (row.supporter and row.supporter.erased_at):
            row.cells = {name: cell for name, cell in row.cells.items() if name in OF_THE_BOOKS}
    Supporter.objects.filter(pk__in=gone).delete()
    note(rows)
    return len(rows)


def forget(pks: Sequence[int]) -> None:
    """All that says who they were is their row and those of lists, for nothing else hangs on them."""
    ImportedRow.objects.filter(supporter__in=pks).update(email="")
    Likeness.objects.filter(Q(first__in=pks) | Q(second__in=pks)).delete()
    Supporter.objects.filter(pk__in=pks).erase()
