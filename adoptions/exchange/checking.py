"""One row of a list from elsewhere: is it somebody we can take in, and in which words if not.

A yes to news is evidence, or it is nothing: without its day, its place and its words we could not show it to anybody,
so the row is refused rather than a yes made up. No list makes anybody reachable by soft opt-in: that is for those who
gave their address to us themselves.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from config.fields import PlainTextField, SingleLineField, StrictEmailField

from ..gift_aid_forms import whole_postcode

NAME = SingleLineField(max_length=120, required=False)
EMAIL = StrictEmailField()
SOURCE = SingleLineField(max_length=150, required=False)
WORDING = PlainTextField(max_length=2000, required=False)
UK_DAY = re.compile(r"([0-3]?[0-9])/([01]?[0-9])/([12][0-9]{3})")
YES, NO, NEVER = "yes", "no", "never"
NEWS = {
    **dict.fromkeys(("", "-", "none"), ""),
    **dict.fromkeys(("yes", "y", "true", "1"), YES),
    **dict.fromkeys(("no", "n", "false", "0"), NO),
    NEVER: NEVER,
}
COLUMNS: dict[str, str] = {
    "email": "Needed. By it we know whether somebody is here already.",
    "name": "The whole name in one piece; or the next two.",
    "first_name": "Put before the last name.",
    "last_name": "Put after the first name.",
    "news": "yes, no or never; empty if they said nothing. Never is for those who asked not to be written to at all.",
    "news_at": "The day they said so, as 2026-01-31 or 31/01/2026. Needed for a yes.",
    "news_source": "Where they said so, as “Spring fair, paper form”. Needed for a yes.",
    "news_wording": "What they read when they said yes, word for word. Needed for a yes.",
    "postcode": "Only to find who is here already under another address. It is not kept.",
}


@dataclass
class Person:
    """What a row says, as we would keep it."""

    email: str = ""
    name: str = ""
    news: str = ""
    news_at: datetime | None = None
    news_source: str = ""
    news_wording: str = ""
    postcode: str = ""
    faults: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.email.lower()

    def kept(self) -> dict[str, str]:
        values = {"email": self.email, "name": self.name, "news": self.news, "postcode": self.postcode}
        values |= {"news_source": self.news_source, "news_wording": self.news_wording}
        return values | {"news_at": self.news_at.isoformat() if self.news_at else ""}


def person(cells: dict[str, str]) -> Person:
    """With all that is wrong at once, so that nobody mends a row twice."""
    found = Person()
    held = [name for name, cell in cells.items() if "\0" in cell]
    if held:
        found.faults.append(f"“{held[0]}” holds a character that only programs write.")
        return found
    whole = cells.get("name", "").strip() or f"{cells.get('first_name', '')} {cells.get('last_name', '')}"
    found.email = clean(found, EMAIL, cells.get("email", ""), "There is no email address.")
    found.name = clean(found, NAME, whole, "")
    if not found.name:
        found.faults.append("There is no name.")
    if found.key.endswith(".invalid"):
        found.faults.append("This is nobody’s address: it is what we put where there is none.")
    found.postcode = whole_postcode(cells.get("postcode", "")[:20])
    read_news(found, cells)
    return found


def clean(found: Person, rule: Any, cell: str, missing: str) -> str:
    try:
        return str(rule.clean(cell.strip()))
    except ValidationError as error:
        found.faults.append(missing if missing and not cell.strip() else " ".join(error.messages))
        return ""


def read_news(found: Person, cells: dict[str, str]) -> None:
    word = cells.get("news", "").strip().lower()
    if word not in NEWS:
        found.faults.append(f"“{word[:20]}” is no word on news: write yes, no or never.")
        return
    found.news = NEWS[word]
    if not found.news:
        return
    said = cells.get("news_at", "").strip()
    found.news_at = moment(said)
    if said and found.news_at is None:
        found.faults.append(f"“{said[:30]}” is no day, as 2026-01-31 or 31/01/2026.")
    if found.news_at and found.news_at > timezone.now():
        found.faults.append("They cannot have said so in the future.")
    found.news_source = clean(found, SOURCE, cells.get("news_source", ""), "")
    found.news_wording = clean(found, WORDING, cells.get("news_wording", ""), "")
    if found.news == YES:
        parts = {"its day": said, "its place": found.news_source, "its words": found.news_wording}
        lacks = [name for name, value in parts.items() if not value]
        if lacks:
            found.faults.append(f"A yes to news without {' and '.join(lacks)} cannot be shown to anybody.")


def moment(text: str) -> datetime | None:
    """A day is its beginning here; a moment without its offset is one of ours too. None for what is neither."""
    uk = UK_DAY.fullmatch(text)
    if uk:
        text = f"{uk[3]}-{int(uk[2]):02}-{int(uk[1]):02}"
    try:
        day = parse_date(text)
        found = datetime.combine(day, time()) if day else parse_datetime(text)
        if found and timezone.is_naive(found):
            found = timezone.make_aware(found)
        return found.astimezone(UTC) if found and found.year > 1900 else None
    except (ValueError, OverflowError):
        return None
