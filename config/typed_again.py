"""What staff had typed into a form when their session ended: carried through the sign-in and given back.

It travels in the pages themselves, signed and compressed, and is stored nowhere: what a stranger could have us keep
would be a store for anybody.
"""

import re
from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest

SALT = "typed before the session ended"
GOOD_FOR = 12 * 3600  # seconds
NOT_CARRIED = re.compile(r"csrfmiddlewaretoken|password", re.IGNORECASE)
OF_THE_FORM = re.compile(r"^_|^initial-|-(TOTAL|INITIAL|MIN_NUM|MAX_NUM)_FORMS$|(^|-)(id|index|request|action)$")


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
