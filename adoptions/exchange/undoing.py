"""A list is taken out again: whom it made, where nothing else hangs on them, and the words that it brought.

Addresses that it put among those never to be written to stay there: to forget that would be a harm, to remember it is
none.
"""

from collections.abc import Iterable, Iterator, Sequence

from django.db.models import ForeignObjectRel, Model

from config.retention import unlocked

from ..models import Adoption, ConsentEvent, ImportedFile, ImportedRow, Likeness, Outcome, Supporter
from .bringing_in import mark_of, note

OF_NO_WEIGHT = {ImportedRow, Likeness}  # a guess that they may be here twice goes with them
CHANGED = "Their name or address was changed since."


def undo(file: ImportedFile, most: int) -> int:
    """A batch; how many rows that was. In a transaction, with the row of the file locked."""
    todo = ImportedRow.objects.filter(file=file, outcome__in=[Outcome.MADE, Outcome.FILLED]).order_by("number")
    rows = list(todo[:most])
    # Locked, so that nobody adopts, signs in or says a word with one of them while it is decided.
    people = Supporter.objects.select_for_update().in_bulk([row.supporter_id for row in rows if row.supporter_id])
    hangs = what_hangs_on(file, list(people))
    forget_words(file, list(people))
    gone = []
    for row in rows:
        someone = people.get(row.supporter_id or 0)
        if row.outcome == Outcome.FILLED:
            take_back(row, someone)
        elif someone and (because := why_to_stay(row, someone, hangs)):
            row.outcome, row.why = Outcome.STAYS, because
        else:
            row.outcome, row.supporter = Outcome.REMOVED, None
            gone += [someone.pk] if someone else []
    Supporter.objects.filter(pk__in=gone).delete()
    note(rows)
    return len(rows)


def why_to_stay(row: ImportedRow, someone: Supporter, hangs: dict[int, str]) -> str:
    is_same = (someone.name, someone.email) == (row.cells["name"], row.cells["email"])
    return hangs.get(someone.pk, "" if is_same else CHANGED)


def take_back(row: ImportedRow, someone: Supporter | None) -> None:
    """A name that the list gave, if it still stands."""
    row.outcome = Outcome.REMOVED
    if someone and row.cells.get("named"):
        Supporter.objects.filter(pk=someone.pk, name=row.cells["name"]).update(name="")


def what_hangs_on(file: ImportedFile, pks: Sequence[int]) -> dict[int, str]:
    """Whatever table speaks of a supporter, those of a later version of ours as well; in words for the row."""
    found: dict[int, str] = {}
    for model, name in tables_about_supporters():
        rows = model._default_manager.filter(**{f"{name}__in": pks})
        if model is ConsentEvent:
            rows = rows.exclude(page__startswith=mark_of(file))
        if model is Adoption:
            rows = rows.exclude(past__list_number=file.pk, past__undone_at__isnull=False)
        for pk in set(rows.order_by().values_list(name, flat=True)):
            found.setdefault(pk, f"Since then: {model._meta.verbose_name}.")
    return found


def tables_about_supporters() -> Iterator[tuple[type[Model], str]]:
    """And which of their columns names one."""
    for relation in Supporter._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and relation.related_model not in OF_NO_WEIGHT:
            yield relation.related_model, relation.field.name


def forget_words(file: ImportedFile, pks: Iterable[int]) -> None:
    """A list that is undone is evidence of nothing, so its words may go: of those who stay as well."""
    words = ConsentEvent.objects.filter(supporter__in=list(pks), page__startswith=mark_of(file))
    unlocked("adoptions.ConsentEvent:append_only", words.delete)
