"""What whoever guesses a password here tries first: words of the charity, the site and its subject, and leaked ones."""

import logging
import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django_pwned.api import PwnedRequestError, get_pwned_count

log = logging.getLogger(__name__)

# What every site of this kind is about. Shorter words are in too many good passwords.
EVERYWHERE = frozenset(
    {"pugmark", "leopard", "tiger", "adopt", "adoption", "charity", "wildlife", "password", "welcome"}
)
SHORTEST = 5
PATIENCE = 1.5  # seconds that the list may take


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


class LeakedPasswordValidator(CommonPasswordValidator):
    """Refuses what stands in a list of leaked passwords; where none answers, the common ones alone are refused.

    The list is asked for all hashes that begin with the same five characters, so that it learns neither the password
    nor its hash. Those five are not logged either, as the package itself would.
    """

    def validate(self, password: str, user: Any = None) -> None:
        super().validate(password, user)
        try:
            times = get_pwned_count(password, PATIENCE)
        except (PwnedRequestError, ValueError) as error:  # ValueError: something else answered in its place
            log.warning("The list of leaked passwords could not be asked: %s.", type(error).__name__)
            return
        if times:
            raise ValidationError("This password stands in a list of leaked passwords.", code="password_leaked")

    def get_help_text(self) -> str:
        return "Your password can’t be a common one, or one that was stolen from any site and published."
