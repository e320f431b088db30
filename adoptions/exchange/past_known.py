"""Whether a row of a list of adoptions brings something new: a few questions to the database for a whole batch.

What is in already, by its reference or its number, is left as it is: so a list that comes a second time, or longer than
before, changes nothing but what is new in it. What can only be said once all rows are read is said by `settle`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection
from django.utils import timezone

from config.money import pounds
from species.models import Species

from ..likeness import bare
from ..models import Adoption, Frequency, ImportedRow, PastAdoption, PastPayment, Plan, Verdict
from .known import Here, look_up, put
from .past_rows import Known, PastRow, past_row
from .reading import Row

GOOD = (Verdict.NEW, Verdict.KNOWN, Verdict.ALIKE)
SAME = ("email", "species", "frequency")  # in every row that says what an adoption is
AT_ONCE = 1000


@dataclass(frozen=True)
class Said:
    """An adoption as a row above said it, or as it is in already: then with the number of its supporter."""

    number: int
    cells: dict[str, str]
    supporter: int | None = None
    is_in: bool = False


type Paid = tuple[str, str, date, int]  # the reference of its adoption, its number, its day and its pence


@dataclass
class PastHere:
    """What is known of the adoptions and payments of a batch."""

    people: Here
    species: dict[str, Species]
    plans: dict[str, Plan]
    adoptions: dict[Known, Said]
    ours: set[str]  # references of this site
    payments: dict[Known, str]  # numbers that are in, with the reference of their adoption
    same: dict[Paid, list[tuple[str, str]]]  # those again, with their systems and whose addresses paid them
    above: dict[Known, int] = field(default_factory=dict)  # payments of the rows that are read


def judged_past(file_id: int, rows: Sequence[Row]) -> list[ImportedRow]:
    """The rows as they are kept, each with what can be said of it. Reads, and writes nothing."""
    told = [past_row(row.cells) if not row.fault else PastRow(faults=[row.fault]) for row in rows]
    here = look_around(file_id, told)
    return [verdict_on(file_id, row, past, here) for row, past in zip(rows, told, strict=True)]


def look_around(file_id: int, told: Sequence[PastRow]) -> PastHere:
    references = {past.reference for past in told if past.reference}
    numbers = {past.payment for past in told if past.payment}
    above = ImportedRow.objects.filter(file=file_id, reference__in=references, defines=True, verdict__in=GOOD)
    adoptions = {(row.system, row.reference): Said(row.number, row.cells) for row in above}
    standing = PastAdoption.objects.filter(undone_at=None, reference__in=references).select_related("adoption__species")
    adoptions |= {(past.system, past.reference): as_it_is_in(past) for past in standing}
    species = Species.objects.order_by("-pk")
    payments = PastPayment.objects.filter(undone_at=None, number__in=numbers).values_list(
        *("system", "number", "payment__adoption__past__reference"),
        *("payment__occurred_at", "payment__amount_pence", "payment__adoption__supporter__email"),
    )
    same: dict[Paid, list[tuple[str, str]]] = {}
    for system, number, reference, at, pence, email in payments:
        same.setdefault((reference, number, timezone.localdate(at), pence), []).append((system, email.lower()))
    rows = ImportedRow.objects.filter(file=file_id, payment__in=numbers).exclude(verdict=Verdict.BAD)
    return PastHere(
        look_up([past.who for past in told if past.who]),
        species={n.lower(): each for each in species for n in (each.scientific_name, each.common_name, each.slug)},
        plans={plan.slug: plan for plan in Plan.objects.all()},
        adoptions=adoptions,
        ours=set(Adoption.objects.filter(reference__in=references).values_list("reference", flat=True)),
        payments={(system, number): reference for system, number, reference, *_ in payments},
        same=same,
        above={(system, number): row for system, number, row in rows.values_list("system", "payment", "number")},
    )


def as_it_is_in(past: PastAdoption) -> Said:
    adoption = past.adoption
    began = (adoption.activated_at or adoption.created_at).isoformat()
    cells = {"species": adoption.species.slug, "frequency": adoption.frequency, "began_at": began}
    return Said(0, cells, supporter=adoption.supporter_id, is_in=True)


def verdict_on(file_id: int, row: Row, past: PastRow, here: PastHere) -> ImportedRow:
    kept = ImportedRow(file_id=file_id, number=row.number, reference=past.reference, payment=past.payment)
    kept.system = past.system
    said = here.adoptions.get(past.known_as)
    if not past.faults and not past.system and past.reference in here.ours and said is None:
        kept.cells, kept.email = past.kept(), past.key
        return put(kept, Verdict.HERE, "It is an adoption of this site.")
    if not past.faults and (whose := system_of_the_same(past, said, here)):
        kept.cells, kept.email = past.kept(), past.key
        return put(kept, Verdict.HERE, f"It is in to the day and the penny, {whose}: this is that list again.")
    if past.who and not past.faults:
        complete(past, here)
    if not past.faults:
        past.faults += faults_beside(past, said, here)
    if past.faults:
        kept.cells = {name: cell.replace("\0", "")[:500] for name, cell in row.cells.items()}
        kept.system = kept.reference = kept.payment = ""
        return put(kept, Verdict.BAD, " ".join(past.faults))
    kept.cells, kept.email = past.kept(), past.key
    verdict = Verdict.HERE if said else verdict_on_person(kept, past, here.people)
    put(kept, *with_payment(past, verdict, row.number, here))
    if said is None and kept.verdict in GOOD:
        kept.defines, here.adoptions[past.known_as] = True, Said(row.number, kept.cells)
    return kept


def system_of_the_same(past: PastRow, said: Said | None, here: PastHere) -> str:
    """In words, where a list came once with the name of its system and once without; empty for what is not in so.

    Two systems that are both named may call theirs the same.
    """
    if not past.payment or past.paid_as in here.payments or (said and said.is_in):
        return ""
    whose = past.key or (said.cells.get("email", "").lower() if said else "")
    on, pence = local(past.values["paid_at"]), int(past.values["paid_pence"])
    for system, email in here.same.get((past.reference, past.payment, on, pence), []):
        if (system == "") != (past.system == "") and whose in {"", email}:
            return f"of “{system}”" if system else "of a system that nobody named"
    return ""


def complete(past: PastRow, here: PastHere) -> None:
    """The species and the plan by the names that they have here."""
    values = past.values
    species = here.species.get(values["species"].lower())
    if species is None:
        past.faults.append(f"“{values['species']}” is no species of ours.")
        return
    values["species"] = species.slug
    if values["plan"]:
        if values["plan"].lower() not in here.plans:
            past.faults.append(f"“{values['plan']}” is no plan of ours.")
        values["plan"] = values["plan"].lower()
        return
    on_offer = [plan for plan in here.plans.values() if plan.is_on_offer and plan.species_id in {None, species.pk}]
    if not on_offer:
        past.faults.append("There is no plan, and none is on offer for the species.")
        return
    values["plan"] = min(on_offer, key=lambda plan: (plan.species_id is None, plan.position, plan.pk)).slug


def faults_beside(past: PastRow, said: Said | None, here: PastHere) -> list[str]:
    """What is wrong with a row as far as others, or what is here, can tell."""
    if past.who and past.key in here.people.erased:
        return ["They asked us to erase them. Nothing of theirs comes in again."]
    if said is None and past.who is None:
        return [f"No row above that can be brought in says what the adoption “{past.reference}” is."]
    found = unlike(past, said, here) if said and past.who else []
    began = local((said.cells if said else past.values)["began_at"])
    if past.payment and local(past.values["paid_at"]) < began:
        paid = (
            f"It was paid on {local(past.values['paid_at']):%d/%m/%Y}, before the adoption began on {began:%d/%m/%Y}."
        )
        found.append(f"{paid} Are day and month swapped?")
    if here.payments.get(past.paid_as, past.reference) != past.reference:
        found.append(f"The payment “{past.payment}” is in already, with the adoption {here.payments[past.paid_as]}.")
    return found


def unlike(past: PastRow, said: Said, here: PastHere) -> list[str]:
    """It says what an adoption is that is known already, and says something else."""
    if said.is_in and said.supporter != here.people.by_email.get(past.key):
        taken = f"The reference “{past.reference}” is in already, for somebody else. Is it of another program? "
        return [f"{taken}Then name that in a column reference_system."]
    now = {"email": past.key, "species": past.values["species"], "frequency": past.values["frequency"]}
    before = {**said.cells, "email": said.cells.get("email", past.key).lower()}
    where = f"in row {said.number}" if said.number else "here"
    return [
        f"Its {name} is {now[name]}, and {where} it is {before[name]}." for name in SAME if now[name] != before[name]
    ]


def verdict_on_person(row: ImportedRow, past: PastRow, people: Here) -> Verdict:
    if past.who is None:
        return Verdict.NEW
    row.supporter_id = people.by_email.get(past.key)
    if row.supporter_id:
        return Verdict.KNOWN
    like = people.alike.get((bare(past.who.name), past.who.postcode)) if past.who.postcode else None
    row.supporter_id = like
    return Verdict.ALIKE if like else Verdict.NEW


def with_payment(past: PastRow, verdict: Verdict, number: int, here: PastHere) -> tuple[Verdict, str]:
    """A payment that is new makes its row new; one that stands further up, or is in, does not."""
    if not past.payment:
        return verdict, ""
    if past.paid_as in here.payments:
        return Verdict.HERE, ""
    if past.paid_as in here.above:
        return Verdict.TWICE, f"The same payment is in row {here.above[past.paid_as]}."
    here.above[past.paid_as] = number
    return (Verdict.NEW if verdict == Verdict.HERE else verdict), ""


def local(text: str) -> date:
    return timezone.localdate(datetime.fromisoformat(text))


# --- once all is read -----------------------------------------------------------------------------------------------

WRONG = """
    WITH paid AS (
        SELECT system, reference, count(*) AS times, sum((cells->>'paid_pence')::bigint) AS pence
        FROM adoptions_importedrow
        WHERE file_id = %(file)s AND reference <> '' AND payment <> '' AND verdict IN ('new', 'known', 'alike')
        GROUP BY system, reference
    )
    SELECT said.id, coalesce(paid.times, 0), coalesce(paid.pence, 0),
        said.cells->>'frequency', said.cells->>'payments', said.cells->>'received_pence'
    FROM adoptions_importedrow said LEFT JOIN paid USING (system, reference)
    WHERE said.file_id = %(file)s AND said.reference <> '' AND said.defines
        AND said.verdict IN ('new', 'known', 'alike')
        AND (paid.times IS NULL
            OR said.cells->>'frequency' = 'once' AND paid.times > 1
            OR (said.cells->>'payments')::bigint <> paid.times
            OR (said.cells->>'received_pence')::bigint <> paid.pence)
    LIMIT %(most)s
"""
WITH_THEM = """
    UPDATE adoptions_importedrow paid
    SET verdict = 'bad', why = 'Its adoption cannot be brought in: see row ' || said.number || '.'
    FROM adoptions_importedrow said
    WHERE said.file_id = %(file)s AND said.reference <> '' AND said.defines AND said.verdict = 'bad'
        AND paid.file_id = said.file_id AND NOT paid.defines
        AND paid.system = said.system AND paid.reference = said.reference
        AND paid.verdict IN ('new', 'known', 'alike')
"""


def settle(file_id: int) -> None:
    """Adoptions whose payments are not in the list, or come to something else, stay out, and what was paid for them."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(WRONG, {"file": file_id, "most": AT_ONCE})
            wrong = {row[0]: why_not(*row[1:]) for row in cursor.fetchall()}
            if not wrong:
                break
            mark(wrong)
        cursor.execute(WITH_THEM, {"file": file_id})


def mark(wrong: dict[int, str]) -> None:
    rows = list(ImportedRow.objects.filter(pk__in=wrong))
    for row in rows:
        put(row, Verdict.BAD, wrong[row.pk])
    ImportedRow.objects.bulk_create(rows, update_conflicts=True, unique_fields=["pk"], update_fields=["verdict", "why"])


def why_not(times: int, pence: int, frequency: str, told: str | None, told_pence: str | None) -> str:
    if not times:
        return "No payment of it that can be brought in is in the list: nothing says that it ever began."
    if frequency == Frequency.ONCE and times > 1:
        return f"It was given once, and the list has {times} payments of it."
    there = f"{told or 'some'} payments" + (f" of {pounds(int(told_pence))} in all" if told_pence else "")
    return f"It says {there}; those in the list that can be brought in are {times}, of {pounds(int(pence))} in all."
