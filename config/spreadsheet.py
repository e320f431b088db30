"""Rows for a spreadsheet, in which no words of a stranger become a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from django.http import HttpResponse
from django.utils.http import content_disposition_header

# What Excel, LibreOffice or Google Sheets calculates with instead of showing it (OWASP, CSV injection).
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(value: object) -> object:
    """Words that would be a formula get an apostrophe before them; our own numbers stay numbers.

    So do words that begin with apostrophes and then one of those, so that `as_it_was` can tell ours from theirs.
    """
    if isinstance(value, str) and _would_be_one(value):
        return f"'{value}"
    return value


def as_it_was(cell: str) -> str:
    """What was made harmless here, read again."""
    return cell[1:] if cell.startswith("'") and _would_be_one(cell[1:]) else cell


def _would_be_one(value: str) -> bool:
    return value.lstrip("'").startswith(STARTS_A_FORMULA) and not _is_number(value)


def _is_number(value: str) -> bool:
    return value.removeprefix("-").replace(".", "", 1).isdecimal() and value.isascii()


def csv_response(name: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A download. The byte order mark tells Excel that it is UTF-8."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    response.headers["Cache-Control"] = "private, no-store"
    response.write(csv_text([headings, *rows]))
    return response


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Lines for a file that is written piece by piece."""
    written = io.StringIO()
    csv.writer(written).writerows([harmless(value) for value in row] for row in rows)
    return written.getvalue()
