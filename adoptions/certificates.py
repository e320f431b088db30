"""The certificate of an adoption: an A4 page as an accessible PDF, and a picture of it to share.

The pages are drawn by Typst from the templates in adoptions/certificate/. Whatever people typed goes there as a
string and is never run.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import segno
import typst
from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from config.fields import JOINERS, plain
from config.typesetting import compile_page
from species.figures.coat import ROSETTES, coat_svg
from species.headline import headline_fact, label_beside, where_from
from species.models import Fact, Species

from .models import ADOPTED, Adoption, AdoptionState

TEMPLATES = Path(__file__).parent / "certificate"
LONGEST_NAME = 120
MOST_MARKS = 3  # on one letter: no language needs more, and a pile of them would be painted over the page
NAMELESS = "A friend of the wild"
SKIN_TONES = range(0x1F3FB, 0x1F400)  # our emoji are drawn in outline: a tone would stand beside them as a square


@dataclass(frozen=True)
class Certificate:
    """What stands on the page, ready to be read.

    `fact` is empty for a species without a dated, sourced number, `coat` for one without rosettes.
    """

    name: str
    species: str
    scientific_name: str
    date: str
    reference: str
    address: str
    fact: str = ""
    fact_source: str = ""
    coat: str = ""


def of(adoption: Adoption) -> Certificate:
    species = adoption.species
    fact = headline_fact(species)
    with translation.override("en-gb"):
        return Certificate(
            name=printable(adoption.certificate_name),
            species=species.common_name,
            scientific_name=species.scientific_name,
            date=date_format(timezone.localtime(adoption.activated_at or adoption.created_at), "j F Y"),
            reference=adoption.reference,
            address=settings.SITE_URL + species.get_absolute_url(),
            fact=": ".join(filter(None, [label_beside(fact), f"{fact.value_text} {fact.unit}".strip()]))
            if fact
            else "",
            fact_source=where_from(fact) if fact else "",
            coat=coat_svg(adoption.reference) if has_rosettes(species) else "",
        )


def with_reference(typed: str) -> Adoption | None:
    """The adoption whose certificate has this reference, however it was read off the paper; None if there is none."""
    letters_typed = "".join(letter for letter in typed.upper() if letter.isascii() and letter.isalnum())
    reference = f"PM-{letters_typed.removeprefix('PM')}"
    if len(reference) != len("PM-") + 8:
        return None
    given_out = Adoption.objects.filter(reference=reference, state__in=ADOPTED | {AdoptionState.ENDED})
    return given_out.exclude(past__undone_at__isnull=False).select_related("species").first()


def has_rosettes(species: Species) -> bool:
    return Fact.objects.public().filter(species=species, key=ROSETTES).exists()


def render(certificate: Certificate) -> bytes:
    """One A4 page, landscape, tagged after PDF/UA-1."""
    return draw("certificate.typ", certificate, format="pdf", pdf_standards="ua-1")


def render_png(certificate: Certificate) -> bytes:
    """1200 × 630 pixels, the shape that messengers and social sites show whole."""
    return draw("share.typ", certificate, format="png", ppi=72)


def draw(template: str, certificate: Certificate, **how: Any) -> bytes:
    name, has_system_fonts = choose_letters(certificate.name)
    values = asdict(certificate) | charity_lines() | {"name": name, "qr": qr_code(certificate.address)}
    return compile_page(TEMPLATES / template, values, has_system_fonts=has_system_fonts, **how)


def charity_lines() -> dict[str, str]:
    """Who gives the paper out, as the law wants it on certificates and receipts."""
    charity = settings.CHARITY
    return {
        "charity": charity["name"],
        "charity_number": f"Charity number {charity['number']}, registered with {charity['regulator']}.",
        "charity_address": charity["address"],
        "check_at": settings.SITE_URL + reverse("adoptions:certificate_check"),
    }


def choose_letters(name: str) -> tuple[str, bool]:
    """The name as it can be drawn, and whether the machine's own fonts are needed for it.

    First the whole name in our fonts, then in the machine's; then without what no font here holds. A name of which
    nothing is left becomes a friend's: a certificate is never refused.
    """
    for has_system_fonts in (False, True):
        if can_draw(name, has_system_fonts):
            return name, has_system_fonts
    known = "".join(letter for letter in letters(name) if can_draw(letter, True))
    rest = " ".join(known.split())
    return (rest, True) if rest and can_draw(rest, True) else (NAMELESS, False)


def can_draw(words: str, has_system_fonts: bool) -> bool:
    """PDF/UA refuses a letter that no font holds, so the question is put to the one who will have to draw it.

    A missing letter goes unnoticed when the mark on it is there, hence the second line without marks.
    """
    bare = "".join(character for character in words if not is_mark(character))
    values = {"name": words, "bare": bare}
    try:
        compile_page(
            TEMPLATES / "letters.typ", values, has_system_fonts=has_system_fonts, format="pdf", pdf_standards="ua-1"
        )
    except typst.TypstError:
        return False
    return True


def letters(words: str) -> Iterator[str]:
    """Letters with the marks and joiners that belong to them."""
    letter = ""
    for character in words:
        if letter and (is_mark(character) or character in JOINERS or letter[-1] in JOINERS):
            letter += character
        else:
            yield from [letter] if letter else []
            letter = character
    yield from [letter] if letter else []


def printable(name: str) -> str:
    """A name on one line, without what paper cannot show: private letters, skin tones, a pile of marks, no end."""
    kept: list[str] = []
    marks = 0
    for character in plain(name, keep_newlines=False):
        marks = marks + 1 if is_mark(character) else 0
        is_private = unicodedata.category(character) == "Co"
        if not is_private and marks <= MOST_MARKS and ord(character) not in SKIN_TONES:
            kept.append(character)
    return " ".join("".join(kept[:LONGEST_NAME]).split()) or NAMELESS


def is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


@lru_cache(maxsize=64)
def qr_code(address: str) -> str:
    code = BytesIO()
    segno.make(address, error="m").save(code, kind="svg", border=0, dark="#15262c", light=None)
    return code.getvalue().decode()
