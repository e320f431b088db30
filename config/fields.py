"""Form fields for what strangers type: one line, several lines, an address, an amount.

Django's own fields accept text that later breaks a mail header, a database or a reader's eyes
(line breaks in a name, NUL, only invisible characters, `"a@b"@example.org`). Each rule is stated once, here.
"""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

from .money import Pence

# Joiners that emoji and several scripts (Persian, Hindi, …) need inside a word.
JOINERS = {"\u200c", "\u200d"}
# Letters that draw nothing; a name made of them would look empty.
BLANK_LETTERS = {"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800"}
MAX_COMBINING_IN_A_ROW = 8


def plain(text: str, *, keep_newlines: bool) -> str:
    """Text with its controls, direction overrides and piled-up accents gone, in composed form (NFC)."""
    kept: list[str] = []
    combining = 0
    for character in unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")):
        category = unicodedata.category(character)
        if character in "\n\u2028\u2029\u0085\t":
            kept.append("\n" if keep_newlines and character != "\t" else " ")
            continue
        if category in {"Cc", "Cs", "Cn"} or (category == "Cf" and character not in JOINERS):
            continue
        combining = combining + 1 if category in {"Mn", "Me"} else 0
        if combining <= MAX_COMBINING_IN_A_ROW:
            kept.append(character)
    return "".join(kept).strip()


def is_visible(text: str) -> bool:
    """Is there at least one character a person can see?"""
    return any(unicodedata.category(c)[0] in "LNPS" and c not in BLANK_LETTERS for c in text)


class SingleLineField(forms.CharField):
    """A name or a title: one line in any script, safe to put in a mail header."""

    def to_python(self, value: Any) -> str:
        text = " ".join(plain(super().to_python(value) or "", keep_newlines=False).split())
        if text and not is_visible(text):
            raise ValidationError(self.error_messages["required"], code="required")
        return text


class PlainTextField(forms.CharField):
    """Several lines of plain text: paragraphs stay, everything invisible goes."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        text = plain(super().to_python(value) or "", keep_newlines=True)
        if text and not is_visible(text):
            raise ValidationError(self.error_messages["required"], code="required")
        return re.sub(r"\n{3,}", "\n\n", text)


class StrictEmailField(forms.EmailField):
    """An address that a mail server can be given: ASCII before the @, a real domain after it."""

    default_error_messages = {
        "invalid": _("Enter an email address in the form name@example.org."),
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 254)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        address = (super().to_python(value) or "").strip()
        if not address:
            return ""
        local, at, domain = address.rpartition("@")
        if not at or not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", local) or local[0] == "-":
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            domain = domain.encode("idna").decode("ascii").lower()
        except UnicodeError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        if "." not in domain or domain.startswith("["):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        EmailValidator(message=self.error_messages["invalid"])(f"{local}@{domain}")
        return f"{local}@{domain}"


POUNDS = re.compile(r"£?\s*([0-9]{1,7}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.([0-9]{1,2}))?")


def pence_from_pounds(text: str) -> Pence | None:
    """`"12"`, `"£12.50"`, `"1,200"` → pence; None for anything else. No float and no Decimal on the way.

    ASCII digits only: `Decimal` would also read `1e3`, `1_000` and digits of other scripts.
    """
    match = POUNDS.fullmatch(text.strip())
    if not match:
        return None
    pounds, pennies = match.groups()
    return Pence(int(pounds.replace(",", "")) * 100 + int((pennies or "0").ljust(2, "0")))


class PenceField(forms.CharField):
    """Pounds as people type them, pence as we keep them."""

    default_error_messages = {
        "invalid": _("Enter an amount in pounds, such as 12 or 12.50."),
    }

    def to_python(self, value: Any) -> Pence | None:  # type: ignore[override]  # a CharField that yields pence
        text = super().to_python(value)
        if not text:
            return None
        pence = pence_from_pounds(text)
        if pence is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return pence

    def run_validators(self, value: Any) -> None:
        """The text's validators have no meaning for a number."""


class PoundsField(PenceField):
    """The same for a form that begins with pence of ours: `2450` is shown as `24.50`, `500` as `5`."""

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        whole, rest = divmod(value, 100)
        return f"{whole}.{rest:02}" if rest else f"{whole}"
