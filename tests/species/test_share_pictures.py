import re
import struct
from decimal import Decimal

import pytest
from django.test import Client

from species.models import Fact, Section, Species, Text
from species.share_pictures import SharePicture, png_of
from tests.species.makers import make_fact, make_species

pytestmark = pytest.mark.django_db

ADDRESS = "/species/amur-leopard/share.png"


def make_counted_species() -> Fact:
    fact = make_fact(
        "counted", group="population", label="Counted in Russia", point=Decimal(129), unit="adults", period="2023"
    )
    Text.objects.create(
        species=fact.species, section=Section.AT_A_GLANCE, key="counted", title="Counted", body="{counted} [^counted]"
    )
    return fact


def size_of(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_picture_is_a_png_of_the_promised_size_that_any_site_may_show(client: Client) -> None:
    make_species()
    response = client.get(ADDRESS)
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert response.content[:8] == b"\x89PNG\r\n\x1a\n"
    assert size_of(response.content) == (1200, 630)
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert not client.cookies


def test_picture_holds_the_headline_fact_with_its_year_and_source() -> None:
    picture = SharePicture.of(make_counted_species().species)
    assert (picture.number, picture.label) == ("129 adults", "Counted in Russia")
    assert picture.source == "2023. Source: Scientific Reports, 2015"


def test_picture_says_once_what_it_counts() -> None:
    fact = make_counted_species()
    Fact.objects.filter(pk=fact.pk).update(label="Mature animals", unit="mature animals")
    picture = SharePicture.of(fact.species)
    assert (picture.number, picture.label) == ("129 mature animals", "")
    assert size_of(png_of(picture)) == (1200, 630)


def test_picture_changes_with_the_fact_and_its_old_tag_is_worth_nothing(client: Client) -> None:
    fact = make_counted_species()
    before = client.get(ADDRESS)
    assert client.get(ADDRESS, headers={"If-None-Match": before["ETag"]}).status_code == 304
    fact.point = Decimal(131)
    fact.save()
    after = client.get(ADDRESS, headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert after["ETag"] != before["ETag"]
    assert after.content != before.content


@pytest.mark.parametrize(("status", "printed"), [("CR", "Critically Endangered"), ("NE", ""), ("DD", "")])
def test_status_stands_on_the_picture_where_somebody_has_judged_it(status: str, printed: str) -> None:
    assert SharePicture.of(make_species(status=status)).status == printed


def test_species_without_drawing_or_number_still_has_a_picture() -> None:
    picture = SharePicture.of(make_species("sand-cat"))
    assert (picture.drawing, picture.number) == ("landscape", "")
    assert size_of(png_of(picture)) == (1200, 630)


@pytest.mark.parametrize("name", ["W" * 80, '#panic("x") #v.art [*a*]', "Дальневосточный леопард"])
def test_any_name_an_editor_can_save_is_drawn(name: str) -> None:
    assert size_of(png_of(SharePicture.of(make_species("any", common_name=name)))) == (1200, 630)


def test_species_that_is_unknown_or_not_published_has_none(client: Client) -> None:
    make_species("sand-cat", is_published=False)
    assert client.get("/species/sand-cat/share.png").status_code == 404
    assert client.get("/species/nobody/share.png").status_code == 404


@pytest.mark.parametrize("address", ["/", "/species/amur-leopard/"])
def test_pages_name_the_picture_with_its_size_and_what_it_shows(client: Client, address: str) -> None:
    make_species(status="CR")
    html = client.get(address).content.decode()
    said = dict(re.findall(r'<meta property="(og:image[a-z:]*)" content="([^"]*)">', html))
    picture, _, version = said.pop("og:image").partition("?")
    assert (picture, len(version)) == ("http://127.0.0.1:8000" + ADDRESS, 8)
    assert said == {
        "og:image:type": "image/png",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "Amur leopard, Critically Endangered",
    }


def test_every_species_of_ours_has_a_drawing_and_a_number(our_content: None) -> None:
    pictures = [SharePicture.of(species) for species in Species.objects.public()]
    assert [picture.drawing for picture in pictures] == ["amur-leopard", "amur-tiger", "snow-leopard"]
    assert all(picture.number and picture.source for picture in pictures)
