"""Where names stand on a map: beside their place, inside the map, and never on each other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .outlines import Line, Point, lines

# In map steps, for the largest lettering a map is shown with (a telephone's): smaller lettering has more room.
SIZE, LETTER, AWAY = 29, 15.5, 14


@dataclass(frozen=True, slots=True)
class Label:
    text: str
    x: int
    y: int
    text_x: int
    text_y: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def is_within(self, width: int, height: int) -> bool:
        return self.left >= 0 and self.top >= 0 and self.right <= width and self.bottom <= height


def placed(
    towns: Mapping[str, Point], countries: Mapping[str, str], *, width: int, height: int, taken: Iterable[Box]
) -> tuple[tuple[Label, ...], tuple[Label, ...]]:
    """Labels of towns and of countries; a name for which there is no room is left out, and its dot with it."""
    sheet = Sheet(width, height, [*taken, Box(0, height - 2.2 * SIZE, width / 3, height)])  # the scale bar's corner
    dots = {name: around(point, SIZE * 0.6) for name, point in towns.items()}
    towns_shown = tuple(
        label
        for name, point in towns.items()
        if sheet.has_room(dots[name])
        and (label := sheet.put(beside(name, point), [dot for other, dot in dots.items() if other != name]))
    )
    sheet.boxes.extend(dots[label.text] for label in towns_shown)
    countries_shown = (sheet.put(inside(name, path, width, height), ()) for name, path in countries.items())
    return towns_shown, tuple(label for label in countries_shown if label)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A map's face, and what already stands on it."""

    width: int
    height: int
    boxes: list[Box]

    def has_room(self, box: Box) -> bool:
        return box.is_within(self.width, self.height) and not any(box.meets(other) for other in self.boxes)

    def put(self, options: Iterable[tuple[Label, Box]], others: Iterable[Box]) -> Label | None:
        """The first label that fits, now taking its room."""
        for label, box in options:
            if self.has_room(box) and not any(box.meets(other) for other in others):
                self.boxes.append(box)
                return label
        return None


def around(point: Point, size: float) -> Box:
    x, y = point
    return Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2)


def beside(name: str, point: Point) -> Iterator[tuple[Label, Box]]:
    x, y = point
    long = len(name) * LETTER
    for anchor, left, top in (
        ("start", x + AWAY, y - SIZE / 2),
        ("end", x - AWAY - long, y - SIZE / 2),
        ("middle", x - long / 2, y - AWAY - SIZE),
        ("middle", x - long / 2, y + AWAY),
    ):
        box = Box(left, top, left + long, top + SIZE)
        text_x = {"start": box.left, "end": box.right, "middle": x}[anchor]
        yield Label(name, round(x), round(y), round(text_x), round(top + SIZE * 0.8), anchor), box


def inside(name: str, path: str, width: int, height: int) -> Iterator[tuple[Label, Box]]:
    """Places on a grid over the country's largest piece, those nearest its middle first."""
    largest = max((line for line, _closed in lines(path)), key=lambda line: len(line))
    xs, ys = zip(*largest, strict=True)
    left, right = max(min(xs), 0), min(max(xs), width)
    top, bottom = max(min(ys), 0), min(max(ys), height)
    mid = (left + right) / 2, (top + bottom) / 2
    spots = [
        (left + (right - left) * across / 12, top + (bottom - top) * down / 12)
        for across in range(1, 12)
        for down in range(1, 12)
    ]
    spots.sort(key=lambda spot: (spot[0] - mid[0]) ** 2 + (spot[1] - mid[1]) ** 2)
    long = len(name) * LETTER * 1.15
    for x, y in spots:
        box = Box(x - long / 2, y - SIZE / 2, x + long / 2, y + SIZE / 2)
        corners = ((box.left, box.top), (box.right, box.top), (box.left, box.bottom), (box.right, box.bottom))
        if all(is_inside(corner, largest) for corner in corners):
            yield Label(name, round(x), round(y), round(x), round(y + SIZE * 0.3), "middle"), box


def is_inside(point: Point, line: Line) -> bool:
    """Whether a ray from the point crosses the closed line an odd number of times."""
    x, y = point
    within = False
    for (x0, y0), (x1, y1) in zip(line, line[1:] + line[:1], strict=True):
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            within = not within
    return within
