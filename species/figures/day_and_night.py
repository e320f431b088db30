"""Figure 5: when they move, in the three bands that the data can tell apart.

The bands are drawn equal: cameras said more or less, not at which hour, and an hourly curve would be made up.
"""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from species.models import Fact

from .figure import Evidence, Figure, figure

SLUG = "day-and-night"
CAMERAS, COMMON = "activity-camera", "activity-nocturnal"
# A band's name, and the words by which a fact names it.
BANDS = (
    ("day", gettext_lazy("Day"), re.compile(r"\b(day|daytime|daylight|diurnal)\b", re.IGNORECASE)),
    ("twilight", gettext_lazy("Dawn and dusk"), re.compile(r"\b(dawn|dusk|twilight|crepuscular)\b", re.IGNORECASE)),
    ("night", gettext_lazy("Night"), re.compile(r"\b(night|nights|nocturnal)\b", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class Band:
    slug: str
    name: str
    in_cameras: bool
    in_common: bool


@dataclass(frozen=True, slots=True)
class Witness:
    words: str
    where: str
    when: str


@dataclass(frozen=True, slots=True)
class ActivityData:
    bands: tuple[Band, ...]
    cameras: Witness
    common: Witness | None


def draw(evidence: Evidence) -> Figure | None:
    cameras, common = evidence.words(CAMERAS), evidence.words(COMMON)
    if not cameras or not active(cameras):
        return None
    bands = tuple(
        Band(
            slug=slug,
            name=str(name),
            in_cameras=slug in active(cameras),
            in_common=common is not None and slug in active(common),
        )
        for slug, name, _pattern in BANDS
    )
    return figure(
        SLUG,
        title=_("Day and night"),
        summary=summary(cameras, common),
        data=ActivityData(bands=bands, cameras=witness(cameras), common=witness(common) if common else None),
        rests_on=[cameras, *([common] if common else [])],
        evidence=evidence,
    )


def active(fact: Fact) -> frozenset[str]:
    return frozenset(slug for slug, _name, pattern in BANDS if pattern.search(fact.value))


def summary(cameras: Fact, common: Fact | None) -> str:
    seen = _("Cameras found them %(seen)s.") % {"seen": cameras.value}
    if not common or active(common) == active(cameras):
        return seen
    return _("They are %(said)s, yet cameras found them %(seen)s.") % {"said": common.value, "seen": cameras.value}


def witness(fact: Fact) -> Witness:
    return Witness(words=fact.value, where=fact.place, when=fact.period)
