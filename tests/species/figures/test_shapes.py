"""The outlines a page draws with `<use>` stand in one file beside it."""

import re
from xml.etree import ElementTree

import pytest
from django.test import Client

from species.figures.shapes import shapes_address, shapes_svg
from tests.makers import make_species
from tests.species.figures.knowledge import known

USED = re.compile(r'<use[^>]* href="([^"#]+)#([^"]+)"')


@pytest.mark.parametrize("slug", ["amur-leopard", "amur-tiger", "snow-leopard"])
def test_every_outline_a_figure_uses_is_in_the_file(slug: str) -> None:
    html = "".join(figure.html for figure in known(slug).figures().values())
    there = {path.get("id") for path in ElementTree.fromstring(shapes_svg(slug))}
    assert {(address, name) for address, name in USED.findall(html) if name not in there} == set()
    assert {address for address, _name in USED.findall(html)} <= {shapes_address(slug)}


def test_outlines_are_paths_alone() -> None:
    drawing = ElementTree.fromstring(shapes_svg("amur-leopard"))
    assert {path.tag for path in drawing} == {"{http://www.w3.org/2000/svg}path"}
    assert [path.get("id") for path in drawing if not path.get("d")] == []


@pytest.mark.django_db
def test_file_is_kept_for_ever_under_an_address_of_its_own(client: Client) -> None:
    species = make_species(slug="amur-leopard")
    response = client.get(shapes_address(species.slug))
    assert (response.headers["Content-Type"], response.text) == ("image/svg+xml", shapes_svg(species.slug))
    assert {"public", "immutable", "max-age=31536000"} == set(response.headers["Cache-Control"].split(", "))


@pytest.mark.django_db
def test_unknown_species_has_no_outlines(client: Client) -> None:
    assert client.get("/species/no-such-cat/shapes.svg").status_code == 404
