"""Outlines stay true when made light, and names stand where they can be read."""

import itertools
import json
import re

import pytest

from species.figures.map_labels import AWAY, LETTER, SIZE, Box, Label, placed
from species.figures.outlines import centre, light, lines, simplified
from species.figures.then_and_now import CONTENT, View, maps


def test_lines_reads_relative_and_absolute_steps() -> None:
    assert lines("M1 2l3 4l-1 -1zM10 10L20 10L20 20") == [
        ([(1, 2), (4, 6), (3, 5)], True),
        ([(10, 10), (20, 10), (20, 20)], False),
    ]


def test_simplified_drops_what_lies_on_the_line_and_keeps_corners() -> None:
    assert simplified([(0, 0), (5, 0.4), (10, 0), (10, 10)], 1) == [(0, 0), (10, 0), (10, 10)]


def test_light_drops_islands_and_writes_whole_steps() -> None:
    assert light("M0.2 0.3l99.6 0l0 100zM5 5l2 0l0 2z", tolerance=1, smallest=10) == "M0 0l100 0 0 100z"


def test_centre_is_the_middle_of_the_box() -> None:
    assert centre("M0 0L10 0L10 30") == (5, 15)


def area(path: str) -> float:
    total = 0.0
    for line, _closed in lines(path):
        total += sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in itertools.pairwise([*line, line[0]])) / 2
    return abs(total)


def restored(path: str) -> str:
    """Light path data with every number apart, as `lines` reads it."""
    return re.sub(r"-", " -", path)


def test_outline_of_today_keeps_its_area_when_light() -> None:
    raw = json.loads((CONTENT / "amur-leopard" / "basemap-core.json").read_text())["ranges"]["range-current"]
    drawn = views()["core"].now
    assert area(restored(drawn)) == pytest.approx(area(raw), rel=0.02)


def views() -> dict[str, View]:
    found = maps("amur-leopard")
    assert found
    return {"region": found[0], "core": found[1]}


def test_species_without_map_files_has_no_map() -> None:
    assert maps("amur-tiger") is None


def box(label: Label) -> Box:
    long = len(label.text) * LETTER
    left = {"start": label.text_x, "middle": label.text_x - long / 2, "end": label.text_x - long}[label.anchor]
    top = label.text_y - SIZE * 0.8
    return Box(left, top, left + long, top + SIZE)


@pytest.mark.parametrize("name", ["region", "core"])
def test_names_on_the_map_do_not_meet_and_stay_inside(name: str) -> None:
    view = views()[name]
    boxes = [(label.text, box(label)) for label in (*view.towns, *view.countries)]
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        assert (one, other, first.meets(second)) == (one, other, False)
    for label, there in boxes:
        assert (label, there.left >= -1, there.right <= view.width + 1) == (label, True, True)


def test_map_names_towns_and_countries() -> None:
    core = views()["core"]
    assert {town.text for town in core.towns} >= {"Vladivostok", "Hunchun", "Slavyanka", "Ussuriysk"}
    assert {country.text for country in core.countries} >= {"Russia", "China"}


def test_name_without_room_is_left_out() -> None:
    towns = {"Here": (100.0, 50.0), "There": (102.0, 52.0)}
    shown, countries = placed(towns, {}, width=110 + AWAY, height=400, taken=[])
    assert ([label.text for label in shown], countries) == (["Here"], ())
