"""Figure 2: where they lived and where they live, on a map and as squares to scale.

The outlines come from map files of the species (equal-area projection, so that what looks small is small); the
areas come from facts. The outlines are approximate and no finer than what is published: they locate no animal.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from species.models import Fact, FactGroup

from .figure import Evidence, Figure, figure, middle, with_unit
from .map_labels import SIZE, Box, Label, around, placed
from .outlines import centre, light
from .spans import years

SLUG = "then-and-now"
THEN, BETWEEN, NOW, SHARE = "range-hist", "range-1970s", "range-now", "range-share"
AREA_UNIT = "km²"
CONTENT = Path(__file__).resolve().parent.parent / "content"
VIEWS = ("region", "core")
THEN_OUTLINE, NOW_OUTLINE = "range-historic", "range-current"
# In the steps of the map files, of which some 760 make the width of a map.
TOLERANCE = {"region": 3.0, "core": 2.0}
SMALLEST = 18
SQUARE = 100


@dataclass(frozen=True, slots=True)
class Frame:
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Area:
    letter: str
    name: str
    outline: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Scale:
    text: str
    x: int
    y: int
    length: int


@dataclass(frozen=True, slots=True)
class View:
    name: str
    width: int
    height: int
    land: str
    lakes: str
    borders: str
    then: str
    now: str
    areas: tuple[Area, ...]
    towns: tuple[Label, ...]
    countries: tuple[Label, ...]
    frame: Frame | None
    scale: Scale


@dataclass(frozen=True, slots=True)
class Square:
    """A square as large, beside the others, as the area it stands for."""

    kind: str
    value: str
    when: str
    side: float

    @property
    def y(self) -> float:
        return round(SQUARE - self.side, 1)


@dataclass(frozen=True, slots=True)
class MapData:
    species: str
    region: View
    core: View
    squares: tuple[Square, ...]
    credit: str

    @property
    def square(self) -> int:
        return SQUARE


def draw(evidence: Evidence) -> Figure | None:
    found = evidence.numbers(THEN, NOW)
    views = maps(evidence.species.slug)
    if not found or not views:
        return None
    then, now = found
    between = evidence.numbers(BETWEEN) or ()
    share = evidence.numbers(SHARE) or ()
    region, core, credit = views
    return figure(
        SLUG,
        title=_("Then and now"),
        summary=summary(then, now, share),
        data=MapData(
            species=evidence.species.slug,
            region=region,
            core=core,
            squares=tuple(squares(then, *between, now)),
            credit=credit,
        ),
        rests_on=[*areas_by_date(evidence), *share],
        evidence=evidence,
    )


def summary(then: Fact, now: Fact, share: tuple[Fact, ...]) -> str:
    values = {"then": with_unit(then), "now": with_unit(now), "when": now.period}
    if not share:
        return _("Of the %(then)s where they once lived, %(now)s were left (%(when)s).") % values
    values["share"] = with_unit(share[0])
    return _("Of the %(then)s where they once lived, %(now)s were left (%(when)s): %(share)s.") % values


def areas_by_date(evidence: Evidence) -> list[Fact]:
    """Every area a source gives for the range, oldest first, then those of the protected areas."""
    found = [fact for fact in evidence.facts.values() if fact.unit == AREA_UNIT and fact.is_number]

    def age_of(fact: Fact) -> tuple[bool, float]:
        span = years(fact.period)
        return fact.group == FactGroup.PROTECTED, float(span.low) if span and fact.key != THEN else 0.0

    groups = (FactGroup.RANGE, FactGroup.PROTECTED)
    return sorted((fact for fact in found if fact.group in groups), key=age_of)


def squares(*facts: Fact) -> Iterator[Square]:
    largest = max(middle(fact) for fact in facts)
    for fact in facts:
        yield Square(
            kind="now" if fact.key == NOW else "then" if fact.key == THEN else "between",
            value=with_unit(fact),
            when=fact.period,
            side=round(SQUARE * math.sqrt(middle(fact) / largest), 1),
        )


@lru_cache(maxsize=32)
def maps(slug: str) -> tuple[View, View, str] | None:
    """Region, close-up and credit line, read and made light once in the life of the process."""
    folder = CONTENT / slug
    files = {name: folder / f"basemap-{name}.json" for name in VIEWS}
    if not all(path.is_file() for path in (*files.values(), folder / "range.geojson")):
        return None
    features = json.loads((folder / "range.geojson").read_text())["features"]
    names = {kind: dict(named(features, kind)) for kind in ("protected-area", "town")}
    raw: dict[str, dict[str, Any]] = {name: json.loads(path.read_text()) for name, path in files.items()}
    frame = frame_of(raw["core"], raw["region"])
    return (
        view(raw["region"], names, frame=frame, with_areas=False),
        view(raw["core"], names, frame=None, with_areas=True),
        raw["region"]["source"],
    )


def named(features: list[dict[str, Any]], kind: str) -> Iterator[tuple[str, str]]:
    for feature in features:
        if feature["properties"]["kind"] == kind:
            yield feature["properties"]["id"], feature["properties"]["name"]


def view(raw: dict[str, Any], names: dict[str, dict[str, str]], *, frame: Frame | None, with_areas: bool) -> View:
    _x, _y, width, height = (int(float(number)) for number in raw["viewBox"].split())
    tolerance = TOLERANCE[raw["name"]]

    def lightened(path: str, smallest: int = SMALLEST) -> str:
        return light(path, tolerance=tolerance, smallest=smallest)

    areas = tuple(areas_on(raw, names["protected-area"])) if with_areas else ()
    points = {name: (x, y) for name, x, y in raw["points"] if name in names["town"].values()}
    if frame:
        points = {name: point for name, point in points.items() if not is_in(point, frame)}
    taken = [around((area.x, area.y), SIZE) for area in areas]
    if frame:
        taken.append(Box(frame.x, frame.y, frame.x + frame.width, frame.y + frame.height))
    towns, countries = placed(points, raw["countries"], width=width, height=height, taken=taken)
    return View(
        name=raw["name"],
        width=width,
        height=height,
        land="".join(lightened(path) for path in raw["countries"].values()),
        lakes="".join(lightened(path) for path in raw["lakes"].values()),
        borders=lightened(raw["borders"]),
        # Its coast is cut out of the land when drawn, so it need not be exact.
        then=light(raw["ranges"][THEN_OUTLINE], tolerance=4, smallest=SMALLEST) if frame else "",
        now=lightened(raw["ranges"][NOW_OUTLINE], 0),
        areas=areas,
        towns=towns,
        countries=countries,
        frame=frame,
        scale=scale_bar(raw["km_per_px"], width, height),
    )


def areas_on(raw: dict[str, Any], names: dict[str, str]) -> Iterator[Area]:
    for letter, (key, name) in zip("ABCDEFGH", names.items(), strict=False):
        if key in raw["ranges"]:
            x, y = centre(raw["ranges"][key])
            outline = light(raw["ranges"][key], tolerance=TOLERANCE["core"], smallest=0)
            yield Area(letter=letter, name=name, outline=outline, x=round(x), y=round(y))


def frame_of(core: dict[str, Any], region: dict[str, Any]) -> Frame:
    """Where the close-up lies on the region: both have the same projection, so one shared point places it."""
    here, there = ({name: (x, y) for name, x, y in raw["points"]} for raw in (core, region))
    shared = next(name for name in here if name in there)
    ratio = core["km_per_px"] / region["km_per_px"]
    _x, _y, width, height = (float(number) * ratio for number in core["viewBox"].split())
    x, y = (there[shared][axis] - here[shared][axis] * ratio for axis in (0, 1))
    return Frame(round(x), round(y), round(width), round(height))


def is_in(point: tuple[float, float], frame: Frame) -> bool:
    x, y = point
    return frame.x <= x <= frame.x + frame.width and frame.y <= y <= frame.y + frame.height


def scale_bar(km_per_step: float, width: int, height: int) -> Scale:
    """The longest round distance that takes up to a quarter of the map's width."""
    most = width / 4 * km_per_step
    power = 10 ** math.floor(math.log10(most))
    km = max(step * power for step in (1, 2, 5) if step * power <= most)
    return Scale(text=f"{km}\N{NO-BREAK SPACE}km", x=24, y=height - 24, length=round(km / km_per_step))
