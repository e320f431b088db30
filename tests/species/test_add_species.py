import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from species.models import Species, Status

pytestmark = pytest.mark.django_db


def add(slug: str, *, common_name: str = "Sand cat", scientific_name: str = "Felis margarita", **options: str) -> str:
    said = StringIO()
    call_command("add_species", slug, common_name=common_name, scientific_name=scientific_name, stdout=said, **options)
    return said.getvalue()


def test_species_is_added_unpublished_and_its_preview_can_be_read(client: Client) -> None:
    said = add("sand-cat", status="LC")
    species = Species.objects.get(slug="sand-cat")
    assert (species.common_name, species.status, species.is_published) == ("Sand cat", Status.LC, False)
    assert client.get("/species/sand-cat/").status_code == 404
    [preview] = re.findall(r"http://\S+(/preview/\S+)", said)
    page = client.get(preview).content.decode()
    assert "<h1" in page
    assert "Works once this page is published." in page
    assert "/adopt/sand-cat/" not in page


def test_species_once_published_has_its_page_and_its_adopt_page(client: Client) -> None:
    add("sand-cat")
    Species.objects.filter(slug="sand-cat").update(is_published=True)
    pages = ["/species/sand-cat/", "/adopt/sand-cat/", "/species/sand-cat/share.png", "/api/species/sand-cat.json"]
    assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


@pytest.mark.parametrize(
    ("slug", "common_name", "reason"),
    [("Sand cat!", "Sand cat", "slug: "), ("sand-cat", "  ", "common_name: "), ("taken", "Sand cat", "slug: ")],
)
def test_bad_or_taken_name_adds_nothing_and_says_why(slug: str, common_name: str, reason: str) -> None:
    add("taken")
    with pytest.raises(CommandError, match=f"Nothing was added. {reason}"):
        add(slug, common_name=common_name)
    assert Species.objects.count() == 1


def test_status_that_is_no_category_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("add_species", "cat", "--common-name=Cat", "--scientific-name=Felis", "--status=endangered")
