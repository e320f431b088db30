"""Map outlines, made light enough to stand in a page.

The map files hold outlines as SVG path data at full detail. A page needs a tenth of it: points that change the
outline by less than a pixel go, islands nobody can see go, and what is left is written in whole steps.
"""

import re
from collections.abc import Iterable, Sequence

type Point = tuple[float, float]
type Line = list[Point]

PIECE = re.compile(r"([MLlz])([^MLlz]*)")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def lines(path: str) -> list[tuple[Line, bool]]:
    """The lines of a path of M, L, l and z, each with whether it is closed."""
    found: list[tuple[Line, bool]] = []
    for letter, rest in PIECE.findall(path):
        numbers = [float(number) for number in NUMBER.findall(rest)]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if letter == "M":
            found.append((points, False))
        elif letter == "L":
            found[-1][0].extend(points)
        elif letter == "l":
            x, y = found[-1][0][-1]
            for dx, dy in points:
                x, y = x + dx, y + dy
                found[-1][0].append((x, y))
        else:
            found[-1] = (found[-1][0], True)
    return found


def simplified(line: Sequence[Point], tolerance: float) -> Line:
    """The line without the points that lie within `tolerance` of it (Douglas and Peucker)."""
    if len(line) < 3:
        return list(line)
    keep = {0, len(line) - 1}
    spans = [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distance, index = max((away(line[index], line[first], line[last]), index) for index in range(first + 1, last))
        if distance > tolerance:
            keep.add(index)
            spans += [(first, index), (index, last)]
    return [line[index] for index in sorted(keep)]


def away(point: Point, start: Point, end: Point) -> float:
    """How far a point lies from the stretch between two others."""
    (x, y), (x0, y0), (x1, y1) = point, start, end
    dx, dy = x1 - x0, y1 - y0
    length = dx * dx + dy * dy
    along = max(0.0, min(1.0, ((x - x0) * dx + (y - y0) * dy) / length)) if length else 0.0
    return float(((x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2) ** 0.5)


def is_visible(line: Sequence[Point], smallest: float) -> bool:
    xs, ys = zip(*line, strict=True)
    return bool(max(max(xs) - min(xs), max(ys) - min(ys)) >= smallest)


def light(path: str, *, tolerance: float, smallest: float) -> str:
    """The same path, light: whole steps, relative, and without what is smaller than `smallest`."""
    return "".join(
        written(simplified(line, tolerance), is_closed) for line, is_closed in lines(path) if is_visible(line, smallest)
    )


def written(line: Iterable[Point], is_closed: bool) -> str:
    steps: list[str] = []
    x0, y0 = 0, 0
    for x, y in ((round(x), round(y)) for x, y in line):
        if steps and (x, y) == (x0, y0):
            continue
        steps.append(f"{x - x0} {y - y0}")
        x0, y0 = x, y
    return f"M{steps[0]}l{' '.join(steps[1:])}".replace(" -", "-") + ("z" if is_closed else "")


def centre(path: str) -> Point:
    """The middle of the box around a path: where its letter stands."""
    xs, ys = zip(*(point for line, _closed in lines(path) for point in line), strict=True)
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
