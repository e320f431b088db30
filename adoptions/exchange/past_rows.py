"""One row of a list of adoptions with their payments: what it says of each of the two, and what is wrong with it.

A row tells of an adoption, of a payment, or of both. The first row with the reference of an adoption says what it is;
later ones need only name it, and where they say more it must be the same. Amounts are read as our own files have them,
pounds in CSV and pence in JSON Lines, and never through a float.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from config.fields import SingleLineField
from config.money import NOTHING, Pence, pounds

from ..ledger import noon_of
from ..models import Frequency, Method
from ..models.past import ID_LENGTH, SYSTEM_LENGTH
from .checking import Person, clean, moment, person
from .reading import ALSO

LEAST, MOST = Pence(100), Pence(1_000_000)  # of an adoption, as the database has it
IDENTIFIER = SingleLineField(max_length=ID_LENGTH, required=False)
SYSTEM = SingleLineField(max_length=SYSTEM_LENGTH, required=False)
SHORT = SingleLineField(max_length=60, required=False)
NAME = SingleLineField(max_length=120, required=False)
SENTENCE = SingleLineField(max_length=200, required=False)
IN_POUNDS = re.compile(r"(?:£|GBP)?\s*([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9})(?:\.([0-9]{1,2}))?")
IN_PENCE = re.compile(r"[0-9]{1,11}")
DONATION = re.compile(r"Adoption of (.+) (\S+)")  # as our own file for Salesforce names them
DAY = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}")  # of which no more is known
WHOLE = re.compile(r"[0-9]{1,6}")
FREQUENCIES = {
    **dict.fromkeys(("once", "one-off", "one off", "oneoff", "single"), Frequency.ONCE),
    **dict.fromkeys(("monthly", "month", "every month"), Frequency.MONTHLY),
    **dict.fromkeys(("yearly", "year", "annual", "annually", "every year"), Frequency.YEARLY),
}
METHODS = {
    **dict.fromkeys(("card", "credit card", "debit card", "stripe"), Method.CARD),
    **dict.fromkeys(("debit", "direct debit", "direct_debit"), Method.DEBIT),
    **dict.fromkeys(("transfer", "bank transfer", "standing order", "bacs"), Method.TRANSFER),
    **dict.fromkeys(("cheque", "check"), Method.CHEQUE),
    "cash": Method.CASH,
    **dict.fromkeys(("", "other"), Method.OTHER),
}
YES_NO = {**dict.fromkeys(("", "no", "false", "0", "n"), ""), **dict.fromkeys(("yes", "true", "1", "y"), "yes")}
OF_ADOPTION = ("email", "species", "frequency", "amount", "began_at")
COLUMNS: dict[str, str] = {
    "reference": "Needed. How the adoption is known where it comes from: by it we see that it is in already.",
    "reference_system": "In every row: the name of the system whose references and numbers these are, where lists of "
    "two come in. Two systems may have the same ones. Without it they are of the one that nobody named.",
    "supporter_email": "Needed in the first row of each adoption, as are the next seven unless it says otherwise.",
    "supporter_name": "The whole name in one piece; or first_name and last_name.",
    "species": "As in its address here, amur-leopard, or its name.",
    "plan": "As in the links of campaigns, friend. Empty: the first plan on offer.",
    "frequency": "once, monthly or yearly.",
    "amount_pounds": "Each payment as agreed, as 12.50. In JSON Lines, and wherever you like, amount_pence: 1250.",
    "began_at": "The day it began, as 2026-01-31 or 31/01/2026; a moment is read as well.",
    "ended_at": "The day it ended. Empty for what is paid again and again: the end of what was paid for last.",
    "ended_because": "Why, in a few words for colleagues.",
    "is_gift": "Whether it was a present: yes or no.",
    "recipient_name": "Who was given it. Nobody writes to them.",
    "campaign_code": "Of a campaign link of ours, if one brought it: only then it counts in the report of that link.",
    "payments": "How many payments the list has of it. Given, and it is another number: the adoption stays out.",
    "received_pounds": "What they come to; or received_pence. Given, and they come to something else: it stays out.",
    "payment_id": "Needed for a payment. Its number where it comes from: no number ever comes in twice.",
    "paid_at": "Needed for a payment: its day.",
    "paid_pounds": "Needed for a payment: how much it was, less what went back; or paid_pence.",
    "currency": "GBP, or empty. What was paid in another currency is no money of these books.",
    "method": "card, debit, transfer, cheque, cash or other; empty is other. Stripe of another account is card.",
    "payment_reference": "Number of the cheque, say.",
    "news": "As in a list of supporters, as are news_at, news_source, news_wording and postcode.",
}
HEADINGS = [
    *COLUMNS,
    *("first_name", "last_name", "postcode", "news_at", "news_source", "news_wording"),
    *("amount_pence", "received_pence", "paid_pence", "donation_name"),
]
READ = {ALSO.get(name, name) for name in HEADINGS}

type Known = tuple[str, str]  # a system, empty where none was named, and what it calls an adoption or a payment


@dataclass
class PastRow:
    """What a row says, as we would keep it. `who` is None where it only names an adoption further up."""

    system: str = ""
    reference: str = ""
    payment: str = ""
    who: Person | None = None
    values: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def known_as(self) -> Known:
        return self.system, self.reference

    @property
    def paid_as(self) -> Known:
        return self.system, self.payment

    @property
    def key(self) -> str:
        return self.who.key if self.who else ""

    def kept(self) -> dict[str, str]:
        named = {"reference": self.reference, "payment_id": self.payment, "reference_system": self.system}
        named |= self.values
        return {**(self.who.kept() if self.who else {}), **{name: cell for name, cell in named.items() if cell}}


def past_row(cells: dict[str, str]) -> PastRow:
    """With all that is wrong at once, so that nobody mends a row twice."""
    found = PastRow()
    held = [name for name, cell in cells.items() if "\0" in cell]
    if held:
        found.faults.append(f"“{held[0]}” holds a character that only programs write.")
        return found
    cells = {name: cell.strip() for name, cell in cells.items()}
    if cells.get("donation_name"):
        cells = out_of_salesforce(cells)
    found.system = words(found, SYSTEM, cells, "reference_system").lower()
    found.reference = words(found, IDENTIFIER, cells, "reference")
    if not found.reference:
        found.faults.append("There is no reference: of which adoption is it?")
    if any(cells.get(name) for name in (*OF_ADOPTION, "amount_pounds", "amount_pence")):
        read_adoption(found, cells)
    if any(cells.get(name) for name in ("payment_id", "paid_at", "paid_pounds", "paid_pence")):
        read_payment(found, cells)
    if not found.who and not found.payment and not found.faults:
        found.faults.append("It says nothing of an adoption, nor of a payment.")
    return found


def out_of_salesforce(cells: dict[str, str]) -> dict[str, str]:
    """A line of an NPSP Data Import is a payment; only one that repeats has its adoption in columns of its own."""
    named = DONATION.fullmatch(cells["donation_name"])
    found = {"species": named[1], "reference": named[2]} if named else {}
    found |= {name: cell for name, cell in cells.items() if cell}
    if "frequency" not in found:
        found |= {"frequency": Frequency.ONCE, "began_at": found.get("paid_at", "")}
        found["amount_pounds"] = found.get("paid_pounds", "")
    if not found.get("payment_id"):  # a cheque has none there
        parts = (found.get("reference", ""), found.get("paid_at", ""), found.get("paid_pounds", ""))
        found["payment_id"] = " ".join(parts)[:ID_LENGTH]
    return found


def words(found: PastRow, rule: SingleLineField, cells: dict[str, str], name: str) -> str:
    reader = Person()
    cell = clean(reader, rule, cells.get(name, ""), "")
    found.faults += [f"“{name}”: {fault}" for fault in reader.faults]
    return cell


# --- the adoption ---------------------------------------------------------------------------------------------------


def read_adoption(found: PastRow, cells: dict[str, str]) -> None:
    found.who = person(cells)
    found.faults += found.who.faults
    values = found.values
    for name, rule in (("species", NAME), ("plan", SHORT), ("ended_because", SENTENCE), ("campaign_code", SHORT)):
        values[name] = words(found, rule, cells, name)
    values["recipient_name"] = words(found, NAME, cells, "recipient_name")
    if not values["species"]:
        found.faults.append("There is no species.")
    frequency = FREQUENCIES.get(cells.get("frequency", "").lower())
    values["frequency"] = frequency or ""
    if frequency is None:
        found.faults.append(f"“{cells.get('frequency', '')[:20]}” is no rhythm: write once, monthly or yearly.")
    pence = amount(found, cells, "amount", "how much each payment is")
    values["amount_pence"] = str(pence)
    if pence and not LEAST <= pence <= MOST:
        found.faults.append(f"An adoption is from {pounds(LEAST)} to {pounds(MOST)} a payment.")
    is_gift = YES_NO.get(cells.get("is_gift", "").lower())
    if is_gift is None:
        found.faults.append(f"“{cells['is_gift'][:20]}” is neither yes nor no.")
    values["is_gift"] = "yes" if values["recipient_name"] else is_gift or ""
    read_days(found, cells)
    if any(cells.get(name) for name in ("received_pounds", "received_pence")):
        values["received_pence"] = str(amount(found, cells, "received", "what was received"))
    values["payments"] = cells.get("payments", "")
    if values["payments"] and not WHOLE.fullmatch(values["payments"]):
        found.faults.append(f"“{values['payments'][:20]}” is no number of payments.")


def read_days(found: PastRow, cells: dict[str, str]) -> None:
    began = day(found, cells, "began_at", "The adoption", "begun")
    ended = day(found, cells, "ended_at", "The adoption", "ended")
    if not cells.get("began_at"):
        found.faults.append("There is no day on which it began.")
    if began and ended and ended < began:
        found.faults.append("It ended before it began: are day and month swapped?")


def day(found: PastRow, cells: dict[str, str], name: str, what: str, happened: str) -> datetime | None:
    """Noon stands for a day of which no more is known."""
    text = cells.get(name, "")
    try:
        at = moment(text)
    except ValueError:
        at = None
    if text and at is None:
        found.faults.append(f"“{text[:30]}” is no day, as 2026-01-31 or 31/01/2026. Are day and month swapped?")
    elif at and at > timezone.now():
        found.faults.append(f"{what} cannot have {happened} in the future ({text[:30]}).")
    elif at and DAY.fullmatch(text):
        at = noon_of(timezone.localdate(at))
    found.values[name] = at.isoformat(timespec="microseconds") if at else ""
    return at


# --- the payment ----------------------------------------------------------------------------------------------------


def read_payment(found: PastRow, cells: dict[str, str]) -> None:
    values = found.values
    found.payment = words(found, IDENTIFIER, cells, "payment_id")
    if not found.payment:
        found.faults.append("The payment has no number (payment_id): without one it might come in twice.")
    values["payment_reference"] = words(found, SHORT, cells, "payment_reference")
    day(found, cells, "paid_at", "It", "been paid")
    if not cells.get("paid_at"):
        found.faults.append("There is no day on which it was paid.")
    pence = amount(found, cells, "paid", "how much was paid")
    values["paid_pence"] = str(pence)
    if pence > MOST:
        found.faults.append(f"A payment of more than {pounds(MOST)} is entered by hand.")
    currency = cells.get("currency", "")
    if currency.upper() not in {"", "GBP", "£"}:
        found.faults.append(
            f"It was paid in {currency[:20]}. These books are in pounds: the same number is other money."
        )
    method = METHODS.get(cells.get("method", "").lower())
    values["method"] = method or ""
    if method is None:
        found.faults.append(f"“{cells['method'][:20]}” is no way to pay: card, debit, transfer, cheque, cash or other.")


def amount(found: PastRow, cells: dict[str, str], name: str, what: str) -> Pence:
    """In pence; nothing, and a fault, for what is none. Pounds and pence both given must be the same."""
    in_pounds, in_pence = cells.get(f"{name}_pounds", ""), cells.get(f"{name}_pence", "")
    told = in_pounds or in_pence
    whole = IN_POUNDS.fullmatch(in_pounds)
    pence = int(whole[1].replace(",", "")) * 100 + int((whole[2] or "").ljust(2, "0")) if whole else 0
    if in_pence and IN_PENCE.fullmatch(in_pence):
        if whole and pence != int(in_pence):
            found.faults.append(f"{in_pounds[:20]} pounds are not {in_pence[:20]} pence.")
        whole, pence = whole or IN_PENCE.fullmatch(in_pence), int(in_pence)
    if not told:
        found.faults.append(f"It does not say {what}.")
    elif told.lstrip("£ ").startswith(("-", "−", "(")):
        found.faults.append(f"{told[:20]} is negative. What went back is taken off the payment that it belongs to.")
    elif not whole or (in_pence and not IN_PENCE.fullmatch(in_pence)):
        found.faults.append(f"“{told[:20]}” is no amount in pounds and pence, as 12.50.")
    elif not pence:
        found.faults.append("Nothing was paid: an amount of 0 is no payment.")
    return Pence(pence) if whole else NOTHING
