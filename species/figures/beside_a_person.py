"""Figure 3: the animal beside an adult, both to the same scale.

The drawn animal is as tall at the shoulder and as long as the middle of what was measured; a band shows how far
measurements of the shoulder reach.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from species.models import Fact

from .figure import Evidence, Figure, figure, middle, with_unit
from .spans import measure

SLUG = "beside-a-person"
PERSON, SHOULDER, BODY = "size-person", "shoulder", "body-male-length"
ALSO = ("tail", "body-male", "body-female")
ROSETTES = "coat-rosettes"
UNIT = "cm"

WIDTH, TALLEST, MARGIN = 320, 190, 24
# The drawings in the template, in their own steps: how tall the shoulder is, how long the body from rump to nose,
# how wide the animal with its tail; how tall and wide the person.
CAT_SHOULDER, CAT_BODY, CAT_WIDTH = 114, 202, 284
PERSON_HEIGHT, PERSON_WIDTH = 170, 52


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class SizeData:
    species: str
    width: int
    height: int
    ground: int
    person_text: str
    person_x: float
    person_y: float
    person_scale: float
    cat_x: float
    cat_scale_x: float
    cat_scale_y: float
    has_rosettes: bool
    shoulder_text: str
    shoulder_label: str
    band_y: float
    band_height: float
    lines: tuple[Line, ...]


def draw(evidence: Evidence) -> Figure | None:
    found = evidence.numbers(SHOULDER, BODY)
    person = evidence.facts.get(PERSON)
    tall = measure(person, UNIT) if person else None
    if not found or not person or not tall or any(fact.unit != UNIT for fact in found):
        return None
    shoulder, body = found
    also = [fact for key in ALSO for fact in evidence.numbers(key) or ()]
    rosettes = evidence.facts.get(ROSETTES)
    return figure(
        SLUG,
        title=_("Beside a person"),
        summary=_("At the shoulder they are %(shoulder)s tall, beside an adult of %(person)s.")
        % {"shoulder": with_unit(shoulder), "person": centimetres(tall)},
        data=to_scale(shoulder, body, tall, also, species=evidence.species.slug, has_rosettes=rosettes is not None),
        rests_on=[shoulder, body, person, *also, *([rosettes] if rosettes else [])],
        evidence=evidence,
    )


def to_scale(
    shoulder: Fact, body: Fact, tall: Decimal, also: list[Fact], *, species: str, has_rosettes: bool
) -> SizeData:
    long = float(middle(body))
    cat_width = long * CAT_WIDTH / CAT_BODY
    person_width = float(tall) * PERSON_WIDTH / PERSON_HEIGHT
    low, high = (float(end if end is not None else middle(shoulder)) for end in (shoulder.low, shoulder.high))
    # Steps of the drawing to one centimetre: as large as both width and height allow.
    step = min(TALLEST / max(float(tall), high), (WIDTH - 12) / (person_width + cat_width))
    ground = round(max(float(tall), high) * step) + MARGIN
    return SizeData(
        species=species,
        width=WIDTH,
        height=ground + 12,
        ground=ground,
        person_text=centimetres(tall),
        person_x=round(person_width * step / 2, 1),
        person_y=round(ground - float(tall) * step, 1),
        person_scale=round(float(tall) * step / PERSON_HEIGHT, 4),
        cat_x=round(WIDTH - cat_width * step - 4, 1),
        cat_scale_x=round(long * step / CAT_BODY, 4),
        cat_scale_y=round(float(middle(shoulder)) * step / CAT_SHOULDER, 4),
        has_rosettes=has_rosettes,
        shoulder_text=with_unit(shoulder),
        shoulder_label=shoulder.label,
        band_y=round(ground - high * step, 1),
        band_height=round((high - low) * step, 1),
        lines=tuple(Line(fact.label, with_unit(fact)) for fact in (shoulder, body, *also)),
    )


def centimetres(number: Decimal) -> str:
    return f"{number.normalize():f}\N{NO-BREAK SPACE}{UNIT}"
