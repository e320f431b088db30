"""The coat of a reference never changes: certificates already printed carry it."""

import hashlib
import re
from xml.etree import ElementTree

import pytest

from species.figures import coat_svg
from species.figures.coat import Chance, grown

# If one of these fails, the rule was changed: put it back and add a second rule beside it.
GOLDEN = {
    "amur-leopard": "9c650b764a85dfa368764e4faa04d61957e3c6d37b208596210b6053eb7cb404",
    "PM-7K2Q-X9": "839c3889b8d942dbaaba675d193b05e19b3c71a6676f9d52984748e939bda29b",
    "": "0ccb8622d5c363867b6ea926cfbcc9edbf76227cc23d0b5335e9c9756b4fc051",
}
CHANCE = [0.964635, 0.858709, 0.246825, 0.995794, 0.544503, 0.483792, 0.997539, 0.191106, 0.144571, 0.051973]


@pytest.mark.parametrize(("reference", "digest"), GOLDEN.items())
def test_coat_of_a_reference_is_what_it_always_was(reference: str, digest: str) -> None:
    assert hashlib.sha256(coat_svg(reference).encode()).hexdigest() == digest


def test_chance_is_what_it_always_was() -> None:
    chance = Chance("AMUR-LEOPARD")
    assert [round(chance.between(0, 1), 6) for _ in range(10)] == CHANCE


@pytest.mark.parametrize("same", ["pm-7k2q-x9", " PM-7K2Q-X9 ", "Pm-7k2Q-x9"])
def test_capitals_and_spaces_make_no_difference(same: str) -> None:
    assert coat_svg(same) == coat_svg("PM-7K2Q-X9")


def test_other_references_grow_other_coats() -> None:
    assert len({coat_svg(f"PM-{number}") for number in range(200)}) == 200


@pytest.mark.parametrize("reference", ["", "a", "PM-7K2Q-X9", "日本語", "x" * 10_000, '"><script>'])
def test_coat_is_small_sound_and_says_nothing_of_its_reference(reference: str) -> None:
    svg = coat_svg(reference)
    root = ElementTree.fromstring(svg)
    assert (root.tag, len(svg.encode()) <= 12_000) == ("{http://www.w3.org/2000/svg}svg", True)
    assert re.findall(r"style=|<script|class=|id=|[^\x20-\x7e]", svg) == []


def test_patch_is_covered_by_rosettes_that_do_not_touch() -> None:
    coat = grown("amur-leopard")
    places = [(int(x), int(y)) for x, y in re.findall(r"M(-?\d+) (-?\d+)l", coat.centres)]
    assert 18 <= len(places) <= 40
    for across in range(3):
        for down in range(2):
            left, top = across * coat.width / 3, down * coat.height / 2
            inside = [
                (x, y) for x, y in places if left <= x <= left + coat.width / 3 and top <= y <= top + coat.height / 2
            ]
            assert inside
