"""Whether a row of a list is somebody who is here already: a few questions to the database for a whole batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models.functions import Lower

from .. import consent
from ..likeness import bare
from ..models import FormerAddress, GiftAidDeclaration, ImportedRow, Supporter, Suppression, Verdict
from .checking import Person, person
from .reading import Row


@dataclass
class Here:
    """What is known of the people of a batch."""

    by_email: dict[str, int] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    above: dict[str, int] = field(default_factory=dict)  # the rows that are read, by their address
    alike: dict[tuple[str, str], int] = field(default_factory=dict)


def judged(file_id: int, rows: Sequence[Row]) -> list[ImportedRow]:
    """The rows as they are kept, each with what can be said of it. Reads, and writes nothing."""
    people = [person(row.cells) for row in rows]
    here = look_up(people)
    here.above = rows_above(file_id, people)
    return [verdict_on(file_id, row, who, here) for row, who in zip(rows, people, strict=True)]


def look_up(people: Iterable[Person]) -> Here:
    good = [who for who in people if not who.faults]
    keys = [who.key for who in good]
    digests = {consent.address_hash(key): key for key in keys}
    gone = Suppression.objects.filter(address_hash__in=digests, reason=Suppression.Reason.ERASED)
    return Here(
        by_email=supporters_at(keys),
        erased={digests[digest] for digest in gone.values_list("address_hash", flat=True)},
        alike=at_home([who.postcode for who in good if who.postcode]),
    )


def rows_above(file_id: int, people: Iterable[Person]) -> dict[str, int]:
    """The rows that are read already, by their address."""
    keys = [who.key for who in people if not who.faults]
    rows = ImportedRow.objects.filter(file=file_id, email__in=keys).exclude(verdict__in=[Verdict.BAD, Verdict.TWICE])
    return dict(rows.values_list("email", "number"))


def supporters_at(keys: Sequence[str]) -> dict[str, int]:
    """Whose address this is, or was. Nobody who is erased: of them no address is left."""
    before = FormerAddress.objects.annotate(key=Lower("email")).filter(key__in=keys, supporter__erased_at=None)
    now = Supporter.objects.annotate(key=Lower("email")).filter(key__in=keys)
    return dict(before.values_list("key", "supporter")) | dict(now.values_list("key", "pk"))


def at_home(postcodes: Sequence[str]) -> dict[tuple[str, str], int]:
    """By name and postcode: we know a postcode of those who declared Gift Aid, and of nobody else.

    Names are compared as where two who are here already are suggested to be one.
    """
    declared = GiftAidDeclaration.objects.filter(postcode__in=postcodes, supporter__erased_at=None)
    found: dict[tuple[str, str], int] = {}
    for name, first, last, postcode, pk in declared.values_list(
        "supporter__name", "first_name", "last_name", "postcode", "supporter"
    ):
        found |= {(bare(name), postcode): pk, (bare(f"{first} {last}"), postcode): pk}
    return found


def verdict_on(file_id: int, row: Row, who: Person, here: Here) -> ImportedRow:
    faults = " ".join([row.fault, *who.faults] if not row.fault else [row.fault])
    kept = ImportedRow(file_id=file_id, number=row.number, cells=who.kept(), email=who.key)
    if faults.strip():
        kept.cells = {name: cell.replace("\0", "")[:500] for name, cell in row.cells.items()}
        kept.email = ""
        return put(kept, Verdict.BAD, faults.strip())
    if who.key in here.erased:
        return put(kept, Verdict.BAD, "They asked us to erase them. Nothing of theirs comes in again.")
    if who.key in here.above:
        return put(kept, Verdict.TWICE, f"The same address is in row {here.above[who.key]}.")
    here.above[who.key] = row.number
    if who.key in here.by_email:
        kept.supporter_id = here.by_email[who.key]
        return put(kept, Verdict.KNOWN)
    like = here.alike.get((bare(who.name), who.postcode)) if who.postcode else None
    if like:
        kept.supporter_id = like
        return put(kept, Verdict.ALIKE)
    return put(kept, Verdict.NEW)


def put(row: ImportedRow, verdict: Verdict, why: str = "") -> ImportedRow:
    row.verdict, row.why = verdict, why[:500]
    return row
