"""The picture that messengers and social sites show for a species: its drawing, its status and one dated number."""

import hashlib
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Self

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from config.typesetting import compile_page

from .art import drawing_of
from .content_version import content_version
from .headline import headline_fact, label_beside, where_from
from .models import Species, Status

WIDTH, HEIGHT = 1200, 630
TEMPLATE = Path(__file__).parent / "share_picture" / "share.typ"
# More than there are species; each is some 200 kB.
KEPT = 32


@dataclass(frozen=True, slots=True)
class SharePicture:
    """What stands on the picture, ready to be read. `number` is empty where no dated, sourced number is known."""

    drawing: str
    name: str
    scientific_name: str
    status: str
    charity: str
    number: str = ""
    label: str = ""
    source: str = ""

    @classmethod
    def of(cls, species: Species) -> Self:
        fact = headline_fact(species)
        with translation.override("en-gb"):
            return cls(
                drawing=drawing_of(species.slug),
                name=species.heading,
                scientific_name=species.scientific_name,
                status=printed_status(species),
                charity=settings.CHARITY["name"],
                number=f"{fact.value_text} {fact.unit}".strip() if fact else "",
                label=label_beside(fact) if fact else "",
                source=where_from(fact) if fact else "",
            )

    @property
    def etag(self) -> str:
        """Changes with any word on the picture, with its drawing and with its design."""
        words = "\0".join(asdict(self).values())
        return f'"{hashlib.sha256(f"{words}\0{_design(self.drawing)}".encode()).hexdigest()[:32]}"'


def share_address(species: Species) -> str:
    """Where the picture is. With the content, the drawing or the design it moves, as others keep what they fetched."""
    version = getattr(species, "content_version", "") or content_version()
    digest = hashlib.sha256(f"{version}{_design(drawing_of(species.slug))}".encode()).hexdigest()
    return f"{settings.SITE_URL}{reverse('species:share_picture', args=[species.slug])}?{digest[:8]}"


def printed_status(species: Species) -> str:
    """Nothing for a species of which nobody has judged how it fares."""
    return "" if species.status in {Status.NE, Status.DD} else str(species.get_status_display())


@lru_cache(maxsize=KEPT)
def png_of(picture: SharePicture) -> bytes:
    """1200 × 630 pixels. Drawn once for each content: the picture is its own key."""
    values = asdict(picture) | {"art": _art(picture.drawing)}
    return compile_page(TEMPLATE, values, format="png", ppi=72)


def _art(drawing: str) -> str:
    return (settings.BASE_DIR / "static" / "art" / f"{drawing}.svg").read_text()


@cache
def _design(drawing: str) -> str:
    """Fingerprint of what comes with a release: the template and the drawing."""
    return hashlib.sha256(f"{TEMPLATE.read_text()}{_art(drawing)}".encode()).hexdigest()
