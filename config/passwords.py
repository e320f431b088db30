"""Words that whoever guesses a password here tries first: the charity's own, the site's, and what it is about."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

# What every site of this kind is about. Shorter words are in too many good passwords.
EVERYWHERE = frozenset(
    {"pugmark", "leopard", "tiger", "adopt", "adoption", "charity", "wildlife", "password", "welcome"}
)
SHORTEST = 5


def our_words() -> frozenset[str]:
    told = f"{settings.CHARITY['name']} {urlsplit(settings.SITE_URL).hostname or ''}"
    return EVERYWHERE | {word for word in re.findall(r"[^\W\d_]+", told.lower()) if len(word) >= SHORTEST}


class OurWordsValidator:
    """Refuses a password of which little is left without such words: less than half of it."""

    def validate(self, password: str, user: Any = None) -> None:
        rest = password.lower()
        for word in sorted(our_words(), key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) * 2 < len(password):
            raise ValidationError("This password is mostly words that belong to this site.", code="password_ours")

    def get_help_text(self) -> str:
        return "Your password can’t be mostly words that belong to this site, such as the charity’s name."
