"""What was typed into a form that could not be taken: given back, so that it need not be typed again.

Staff's when their session ended is carried through the sign-in; a supporter's stays on the page that says so, and so
does anybody's when the database or a disk has no room, or when a browser has lost the cookie that a form needs.

It travels in the pages themselves, signed and compressed, and is stored nowhere: what a stranger could have us keep
would be a store for anybody.
"""

import re
from dataclasses import dataclass

from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

SALT = "typed before the session ended"
GOOD_FOR = 12 * 3600  # seconds
NOT_CARRIED = re.compile(r"csrfmiddlewaretoken|password", re.IGNORECASE)
OF_THE_FORM = re.compile(
    r"^_|^csrfmiddlewaretoken$|^initial-|-(TOTAL|INITIAL|MIN_NUM|MAX_NUM)_FORMS$|(^|-)(id|index|request|action)$"
)


@dataclass(frozen=True)
class Typed:
    path: str
    fields: list[tuple[str, str]]
    has_files: bool

    @property
    def words(self) -> list[tuple[str, str]]:
        """What a person would recognise of it."""
        shown = [(name, value) for name, value in self.fields if value.strip() and not OF_THE_FORM.search(name)]
        return [(re.sub(r"[_-]+", " ", name).capitalize(), value) for name, value in shown]

    @property
    def fields_without_token(self) -> list[tuple[str, str]]:
        """For a page that brings a token of its own."""
        return [(name, value) for name, value in self.fields if name != "csrfmiddlewaretoken"]

    @property
    def sentences(self) -> list[str]:
        """Of the words, those that took somebody time; who is no member of staff knows no name of a field."""
        return [value for _, value in self.words if " " in value.strip()]


def kept(request: HttpRequest) -> Typed | None:
    """What a request sent, with its form's token, without passwords; None where nothing was, or it was never read."""
    posted = getattr(request, "_post", None)
    if not posted:
        return None
    fields = [(name, value) for name, values in posted.lists() for value in values if "password" not in name.lower()]
    return Typed(request.get_full_path(), fields, has_files=bool(request.FILES))


def read(request: HttpRequest) -> Typed | None:
    """The same of a request that nobody has read so far; None of one that cannot be."""
    try:
        _ = request.POST
    except (SuspiciousOperation, MultiPartParserError, UnreadablePostError):
        return None
    return kept(request)


def pack(request: HttpRequest) -> str:
    fields = [
        (name, value) for name, values in request.POST.lists() for value in values if not NOT_CARRIED.search(name)
    ]
    return signing.dumps([request.get_full_path(), fields, bool(request.FILES)], salt=SALT, compress=True)


def unpack(text: str) -> Typed | None:
    """None for what is not ours, or older than a working day."""
    try:
        path, fields, has_files = signing.loads(text, salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        return None
    return Typed(path, [(name, value) for name, value in fields], has_files)
