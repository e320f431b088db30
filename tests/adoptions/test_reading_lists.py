"""Files as other programs write them: each is read as it was meant, or refused in a sentence."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adoptions.exchange.reading import Row, Sheet, Unreadable, encoding_of, read
from config.spreadsheet import csv_text, harmless
from tests.test_hostile_input import HOSTILE

KNOWN = ["name", "first_name", "last_name", "email", "news", "news_wording", "postcode"]
AMARA = {"name": "Amara Önal", "email": "amara@example.org"}


def sheet(body: bytes, size: int = 7) -> Sheet:
    """Read in pieces so small that every boundary falls somewhere awkward."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    return read(pieces, encoding=encoding_of(pieces), known=KNOWN, needed="email")


def rows(body: bytes) -> list[Row]:
    return list(sheet(body).rows)


PLAIN = "name,email\r\nAmara Önal,amara@example.org\r\n"


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (PLAIN.encode(), "CSV with commas, UTF-8"),
        (PLAIN.encode("utf-8-sig"), "CSV with commas, UTF-8"),
        (PLAIN.encode("utf-16"), "CSV with commas, UTF-16"),
        (PLAIN.encode("cp1252"), "CSV with commas, Windows letters"),
        (PLAIN.replace(",", ";").encode(), "CSV with semicolons, UTF-8"),
        (PLAIN.replace(",", "\t").encode(), "CSV with tabs, UTF-8"),
        (PLAIN.replace(",", "|").encode(), "CSV with bars, UTF-8"),
        (PLAIN.replace("\r\n", "\n").encode(), "CSV with commas, UTF-8"),
        (PLAIN.replace("\r\n", "\r").encode(), "CSV with commas, UTF-8"),
        (("\r\n" + PLAIN + ",\r\n").encode(), "CSV with commas, UTF-8"),
        (PLAIN.replace("name,email", '" Full Name ","E-Mail"').encode(), "CSV with commas, UTF-8"),
        ((json.dumps(AMARA) + "\n\n").encode(), "JSON Lines, UTF-8"),
    ],
)
def test_file_is_read_however_its_program_writes(body: bytes, form: str) -> None:
    found = sheet(body)
    assert (found.form, [row.cells for row in found.rows]) == (form, [AMARA])


@pytest.mark.parametrize("prefix", ["", "npsp__"])
def test_headings_of_salesforce_are_its_labels_or_its_fields(prefix: str) -> None:
    labels = "Contact1 First Name,Contact1 Last Name,Contact1 Personal Email,Home Zip/Postal Code,Donation Amount"
    fields = "Contact1_Firstname__c,Contact1_Lastname__c,Contact1_Personal_Email__c,Home_Zip_Postal_Code__c,X__c"
    for headings in (labels, ",".join(prefix + field for field in fields.split(","))):
        found = sheet(f"{headings}\nAmara,Önal,amara@example.org,EX1 1EX,36.00\n".encode())
        assert [row.cells for row in found.rows] == [
            {"first_name": "Amara", "last_name": "Önal", "email": "amara@example.org", "postcode": "EX1 1EX"}
        ]
        assert len(found.unread) == 1


def test_rows_are_numbered_as_the_spreadsheet_numbers_them() -> None:
    found = rows(b'name,email\n"two\nlines",a@example.org\n,\nSam,s@example.org\nToo,many@example.org,cells\n')
    assert [(row.number, row.cells["name"], bool(row.fault)) for row in found] == [
        (2, "two\nlines", False),
        (4, "Sam", False),
        (5, "Too", True),
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "Excel workbook"),
        (b"name,email\0\n", "no text"),
        (b"name,address\nAmara,1 The Street\n", "no heading “email”"),
        (b"name,email,Email\nAmara,a@example.org,b@example.org\n", "“email” stands there twice"),
        (b'[{"email": "a@example.org"}]', "one {…} on each line"),
        (b"name,email\n" + b"x" * 200_000, "far too long"),
        (b'name,email\n"never closed' + b"\nx,y@example.org" * 20_000, "Row 2 cannot be read"),
    ],
)
def test_file_that_cannot_be_read_says_why_in_a_sentence(body: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        list(sheet(body, size=4096).rows)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"email": 1.5}', "1.5 is no whole number"),
        ('{"email": NaN}', "NaN is no whole number"),
        ('{"email": "a", "email": "b"}', "one thing twice"),
        ('{"email": ["a"]}', "“email” is neither words nor a number"),
        ('"a"', "no {…}"),
        ("{broken", "no JSON"),
        ('{"email": ' + "[" * 40_000 + "]" * 40_000 + "}", "no JSON"),
    ],
)
def test_line_that_is_no_row_says_why_and_the_next_is_read(line: str, words: str) -> None:
    first, second, third = rows(f'{{"email": "a@example.org"}}\n{line}\n{{"email": true}}\n'.encode())
    assert (first.fault, second.number, third.cells) == ("", 2, {"email": "yes"})
    assert words in second.fault


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=2)))
def test_what_our_csv_writes_is_read_as_it_was(table: list[list[str]]) -> None:
    text = csv_text([["name", "email"], *table])
    filled = [cells for cells in table if any(str(harmless(cell)).strip() for cell in cells)]
    expected = [dict(zip(["name", "email"], cells, strict=True)) for cells in filled]
    assert [row.cells for row in rows(text.encode())] == expected


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        found = rows(b"email\n" + body)
    except Unreadable:
        return
    assert all(isinstance(row.number, int) for row in found)


def test_cells_may_hold_anything() -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["name", "email"], *([value.replace("\0", ""), "a@example.org"] for value in HOSTILE)])
    assert [row.cells["name"] for row in rows(out.getvalue().encode("utf-8", "surrogatepass"))] == [
        value.replace("\0", "") for value in HOSTILE
    ]
