"""The link of a campaign as a QR code for paper.

In capitals, which such a code holds in less room, with a quarter of it to spare for dirt and folds (level Q) and four
squares of white around (ISO/IEC 18004). Print it 2 cm wide or more.
"""

import io
from typing import Any

import segno
from django.conf import settings

from .models import Campaign

QUIET = 4  # squares
PIXELS = 12  # a square, in the picture


def link(campaign: Campaign) -> str:
    return settings.SITE_URL + campaign.get_absolute_url()


def svg(campaign: Campaign) -> bytes:
    return _saved(campaign, kind="svg", scale=1, dark="#000", light="#fff", title=link(campaign))


def png(campaign: Campaign) -> bytes:
    return _saved(campaign, kind="png", scale=PIXELS)


def _saved(campaign: Campaign, **options: Any) -> bytes:
    out = io.BytesIO()
    segno.make_qr(link(campaign).upper(), error="q").save(out, border=QUIET, **options)
    return out.getvalue()
