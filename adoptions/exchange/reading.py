"""A list from elsewhere, as its program wrote it: which encoding, which separators, which headings, and then its rows.

Nothing is guessed silently: what was found is said to whoever brought it. A row that cannot be read is a row with a
reason, and the next one is read all the same; what makes the whole file unreadable is said in one sentence.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from config.spreadsheet import as_it_was

MOST_IN_A_LINE = 100_000  # characters; a quote that is never closed swallows the rest of the file
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Other names of a heading, as `plain_heading` leaves them; those of Salesforce are labels or the names of its fields.
ALSO = {
    "contact1_first_name": "first_name",
    "contact1_firstname": "first_name",
    "contact1_last_name": "last_name",
    "contact1_lastname": "last_name",
    "contact1_personal_email": "email",
    "contact1_consent_message": "news_wording",
    "home_zip_postal_code": "postcode",
    "email_address": "email",
    "full_name": "name",
    "firstname": "first_name",
    "lastname": "last_name",
    "surname": "last_name",
    "post_code": "postcode",
    "supporter_email": "email",
    "supporter_name": "name",
    "began_on": "began_at",
    "started_on": "began_at",
    "ended_on": "ended_at",
    "paid_on": "paid_at",
    "donation_amount": "paid_pounds",
    "donation_date": "paid_at",
    "payment_method": "method",
    "payment_check_reference_number": "payment_reference",
    "payment_gateway_payment_id": "payment_id",
    "recurring_donation_name": "reference",
    "recurring_donation_amount": "amount_pounds",
    "recurring_donation_installment_period": "frequency",
    "recurring_donation_date_established": "began_at",
    "campaign_name": "campaign_code",
}


class Unreadable(ValueError):
    """The whole file; the message is a sentence for whoever brought it."""


@dataclass(frozen=True)
class Row:
    """Its number as a spreadsheet counts, the headings being row 1; `fault` says why it cannot be read."""

    number: int
    cells: dict[str, str]
    fault: str = ""


@dataclass(frozen=True)
class Sheet:
    rows: Iterator[Row]
    form: str  # in words: "CSV with semicolons, UTF-8"
    unread: tuple[str, ...] = ()


class Stream(io.RawIOBase):
    """Pieces of a file, one at a time, as a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces, self.rest = iter(pieces), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.rest:
            piece = next(self.pieces, None)
            if piece is None:
                return 0
            self.rest = piece
        taken, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def encoding_of(pieces: Iterable[bytes]) -> str:
    """UTF-8 where all of it is; otherwise what old Excel writes here. Raises Unreadable for what is no text at all."""
    decoder, is_utf8 = codecs.getincrementaldecoder("utf-8")(), True
    marked = ""
    for number, piece in enumerate(pieces):
        if number == 0:
            if piece.startswith(WORKBOOKS):
                raise Unreadable("This is an Excel workbook. Save it as “CSV UTF-8” there, and bring that.")
            marked = next((name for mark, name in MARKS.items() if piece.startswith(mark)), "")
            if not marked and b"\0" in piece:
                raise Unreadable("This is no text: it holds characters that only programs write.")
        if marked == "utf-16":
            return marked
        try:
            decoder.decode(piece)
        except UnicodeDecodeError:
            is_utf8 = False
            break
    return (marked or "utf-8") if is_utf8 else "cp1252"


def read(pieces: Iterable[bytes], *, encoding: str, known: Iterable[str], needed: str) -> Sheet:
    """A list with the headings that are `known`, one of which it must have. Raises Unreadable, also while rows are
    taken from it."""
    binary = io.BufferedReader(Stream(pieces))
    text = io.TextIOWrapper(binary, encoding=encoding, errors="replace", newline="")
    lines = checked(text)
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise Unreadable("The file is empty.")
    words = "UTF-8" if encoding.startswith("utf-8") else {"utf-16": "UTF-16"}.get(encoding, "Windows letters")
    if first.lstrip().startswith("["):
        raise Unreadable("This is JSON in one piece. JSON Lines has one {…} on each line.")
    if first.lstrip().startswith("{"):
        return Sheet(json_rows(first, lines, set(known)), f"JSON Lines, {words}")
    return csv_sheet(first, lines, words, set(known), needed)


def checked(text: Iterable[str]) -> Iterator[str]:
    for line in text:
        if len(line) > MOST_IN_A_LINE:
            raise Unreadable("A line of it is far too long for a list of people.")
        yield line


# --- CSV ------------------------------------------------------------------------------------------------------------


def csv_sheet(first: str, lines: Iterator[str], words: str, known: set[str], needed: str) -> Sheet:
    separator = max(SEPARATORS, key=lambda each: known_in(first, each, known))
    reader = csv.reader(again(first, lines), delimiter=separator)
    headings = [plain_heading(heading) for heading in next(reader)]
    twice = sorted({heading for heading in headings if heading in known and headings.count(heading) > 1})
    if twice:
        raise Unreadable(f"The heading “{twice[0]}” stands there twice: which of them is meant?")
    if needed not in headings:
        raise Unreadable(f"There is no heading “{needed}” in the first line. The table below names those we read.")
    unread = tuple(heading[:60] for heading in headings if heading and heading not in known)
    return Sheet(csv_rows(reader, headings, known), f"CSV with {SEPARATORS[separator]}, {words}", unread)


def again(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def known_in(line: str, separator: str, known: set[str]) -> int:
    try:
        cells = next(csv.reader([line], delimiter=separator))
    except csv.Error:
        return 0
    return len({plain_heading(cell) for cell in cells} & known)


def plain_heading(heading: str) -> str:
    """`Contact1 First Name`, `npsp__Contact1_Firstname__c`, ` E-Mail ` … as our own names are written."""
    name = re.sub(r"[\s/-]+", "_", heading.replace("\ufeff", "").strip().lower())
    name = name.removeprefix("npsp__").removesuffix("__c").replace("e_mail", "email")
    return ALSO.get(name, name)


def csv_rows(reader: Iterator[list[str]], headings: list[str], known: set[str]) -> Iterator[Row]:
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error:
            raise Unreadable(
                f"Row {number} cannot be read, nor what follows: a quotation mark there is opened and never closed."
            ) from None
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        fault = ""
        if len(cells) != len(headings):
            fault = f"It has {len(cells)} cells where the headings are {len(headings)}: is a comma not in quotes?"
        named = zip(headings, cells, strict=False)
        yield Row(number, {name: as_it_was(cell) for name, cell in named if name in known}, fault)


# --- JSON Lines -----------------------------------------------------------------------------------------------------


class NoWords(ValueError):
    """A value that is nothing we could keep."""


def json_rows(first: str, lines: Iterator[str], known: set[str]) -> Iterator[Row]:
    """Here the first line is a row, and is row 1."""
    for number, line in enumerate(again(first, lines), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_float=refuse, parse_constant=refuse, object_pairs_hook=once)
            if not isinstance(found, dict):
                raise NoWords("It is no {…}.")
            cells = {ALSO.get(name, name): cell_of(name, value) for name, value in found.items()}
        except NoWords as error:
            yield Row(number, {}, str(error))
        except (ValueError, RecursionError):
            yield Row(number, {}, "It is no JSON.")
        else:
            yield Row(number, {name: cell for name, cell in cells.items() if name in known})


def refuse(text: str) -> None:
    raise NoWords(f"{text[:20]} is no whole number: money is in pence here.")


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NoWords("It says one thing twice.")
    return found


def cell_of(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return str(value)
    raise NoWords(f"“{name[:40]}” is neither words nor a number.")
