"""Figure 6: a coat pattern grown from a reference, the same one for ever.

An adoption's certificate carries the pattern of its reference, so the rule may never change: chance comes from
SHA-256 alone, not from a generator of Python's that a later version may alter, and a test pins what grows. To
draw coats differently, add a second rule beside this one; leave this one to the references it has served.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from django.utils.translation import gettext as _

from .figure import Evidence, Figure, figure

SLUG = "coat"
UNIQUE, ROSETTES = "spots-id", "coat-rosettes"
WIDTH, HEIGHT = 400, 300
FUR, CENTRES, MARKS = "#e3c68f", "#c2925a", "#2a2019"
# Shapes are narrow and their outlines thick, with round joins: few corners, none of them seen.
OUTLINE = 10
# Rosettes stand about so far apart, and are about so large; where more room is left, small spots fill it.
STEP, NEAREST, RADIUS = 84.0, 79.0, 29.5
FILL_TRIES, FILL_ROOM = 120, 46.0

type Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Coat:
    """A patch of coat as path data: the centres of rosettes, and on top their dark rims and the spots between."""

    reference: str
    centres: str
    marks: str
    width: int = WIDTH
    height: int = HEIGHT
    fur_colour: str = FUR
    centre_colour: str = CENTRES
    mark_colour: str = MARKS
    outline: int = OUTLINE


@dataclass(frozen=True, slots=True)
class CoatData:
    coat: Coat
    rosettes: str


def draw(evidence: Evidence) -> Figure | None:
    unique, rosettes = evidence.words(UNIQUE), evidence.words(ROSETTES)
    if not unique or not rosettes:
        return None
    return figure(
        SLUG,
        title=_("No two coats alike"),
        summary=_("%(unique)s: it is how one animal is told from another in a photograph.")
        % {"unique": unique.value[:1].upper() + unique.value[1:]},
        data=CoatData(coat=grown(evidence.species.slug), rosettes=rosettes.value),
        rests_on=[unique, rosettes],
        evidence=evidence,
    )


def coat_svg(reference: str) -> str:
    """The pattern as an SVG image of its own, for a certificate or a share picture."""
    coat = grown(reference)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {coat.width} {coat.height}">'
        f'<path fill="{coat.fur_colour}" d="M0 0h{coat.width}v{coat.height}H0z"/>'
        f'<g stroke-width="{coat.outline}" stroke-linejoin="round">'
        f'<path fill="{coat.centre_colour}" stroke="{coat.centre_colour}" d="{coat.centres}"/>'
        f'<path fill="{coat.mark_colour}" stroke="{coat.mark_colour}" d="{coat.marks}"/></g></svg>'
    )


@lru_cache(maxsize=64)
def grown(reference: str) -> Coat:
    """The coat of a reference; capitals and spaces around it make no difference."""
    chance = Chance(reference.strip().upper())
    centres, marks = [], []
    places = spread(chance)
    for place in places:
        radius = RADIUS * chance.between(0.86, 1.14)
        turn, flat = chance.between(-0.5, 0.5), chance.between(0.8, 1)
        centres.append(outline(turned(ring(chance, (0, 0), radius * 0.62, points=7), place, turn, flat)))
        marks += [outline(turned(arc, place, turn, flat)) for arc in rim(chance, radius)]
    marks += [outline(ring(chance, place, chance.between(2, 5), points=5)) for place in gaps(chance, places)]
    return Coat(reference=reference, centres="".join(centres), marks="".join(marks))


@dataclass(slots=True)
class Chance:
    """A stream of numbers that follows from its seed alone: SHA-256 of the seed and a running number."""

    seed: str
    block: int = 0
    left: list[int] = field(default_factory=list)

    def between(self, low: float, high: float) -> float:
        if not self.left:
            digest = hashlib.sha256(f"{self.seed}/{self.block}".encode()).digest()
            self.left = [int.from_bytes(digest[at : at + 4]) for at in range(28, -1, -4)]
            self.block += 1
        return low + (high - low) * self.left.pop() / 2**32


def spread(chance: Chance) -> list[Point]:
    """Places on a shaken honeycomb, then pushed apart until no two rosettes touch."""
    places: list[list[float]] = []
    rows = math.ceil(HEIGHT / (STEP * 0.84)) + 2
    columns = math.ceil(WIDTH / STEP) + 2
    for row in range(rows):
        for column in range(columns):
            x = (column - 0.75 + row % 2 / 2) * STEP + chance.between(-18, 18)
            y = (row - 0.75) * STEP * 0.84 + chance.between(-15, 15)
            places.append([x, y])
    for _round in range(12):
        for index, one in enumerate(places):
            for other in places[:index]:
                push_apart(one, other)
    reach = RADIUS * 1.3
    return [(x, y) for x, y in places if -reach < x < WIDTH + reach and -reach < y < HEIGHT + reach]


def gaps(chance: Chance, places: list[Point]) -> Iterator[Point]:
    """Places of small spots: where no rosette and no other spot is near."""
    taken = list(places)
    for _try in range(FILL_TRIES):
        spot = (chance.between(0, WIDTH), chance.between(0, HEIGHT))
        if all(math.sqrt((spot[0] - x) ** 2 + (spot[1] - y) ** 2) > FILL_ROOM for x, y in taken):
            taken.append(spot)
            yield spot


def push_apart(one: list[float], other: list[float]) -> None:
    dx, dy = one[0] - other[0], one[1] - other[1]
    distance = math.sqrt(dx * dx + dy * dy) or 1.0
    if distance < NEAREST:
        push = (NEAREST - distance) / 2 / distance * 0.6
        one[0] += dx * push
        one[1] += dy * push
        other[0] -= dx * push
        other[1] -= dy * push


def ring(chance: Chance, place: Point, radius: float, *, points: int) -> list[Point]:
    x, y = place
    corners = []
    for index in range(points):
        turn, away = 2 * math.pi * index / points, radius * chance.between(0.84, 1.16)
        corners.append((x + away * math.cos(turn), y + away * math.sin(turn)))
    return corners


def rim(chance: Chance, radius: float) -> Iterator[list[Point]]:
    """The broken dark ring of a rosette: two to four fat arcs, each thinner towards its ends."""
    arcs = (2, 3, 3, 3, 4, 4)[int(chance.between(0, 6))]
    gap, start = chance.between(0.5, 0.72), chance.between(0, 2 * math.pi)
    for index in range(arcs):
        first = start + 2 * math.pi * index / arcs + gap / 2
        last = start + 2 * math.pi * (index + 1) / arcs - gap / 2
        steps = max(1, round((last - first) / 0.48))
        outer, inner = [], []
        for step in range(steps + 1):
            turn = first + (last - first) * step / steps
            thick = radius * 0.09 * math.sin(math.pi * (step + 0.6) / (steps + 1.2)) ** 0.5
            away = radius * chance.between(0.92, 1.08)
            outer.append(((away + thick) * math.cos(turn), (away + thick) * math.sin(turn)))
            inner.append(((away - thick) * math.cos(turn), (away - thick) * math.sin(turn)))
        yield outer + inner[::-1]


def turned(line: list[Point], place: Point, turn: float, flat: float) -> list[Point]:
    x0, y0 = place
    cos, sin = math.cos(turn), math.sin(turn)
    return [(x0 + x * cos - y * flat * sin, y0 + x * sin + y * flat * cos) for x, y in line]


def outline(line: list[Point]) -> str:
    """Path data in whole steps, each from the last: short, and the same on every machine."""
    whole = [(round(x), round(y)) for x, y in line]
    steps = [f"{x - x0} {y - y0}" for (x0, y0), (x, y) in pairwise(whole)]
    return f"M{whole[0][0]} {whole[0][1]}l{' '.join(steps)}z".replace(" -", "-")
