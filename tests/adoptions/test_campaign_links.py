"""Links in mails: any spelling leads to the right page, nothing leads elsewhere, nobody is followed."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from adoptions.models import Campaign, CampaignDay, Destination, Frequency
from tests.makers import make_species
from tests.our_content import put_our_content

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    return Campaign.objects.create(
        code="leopard26",
        name="Winter mailing",
        species=make_species(),
        preset_frequency=Frequency.ONCE,
        preset_pence=2400,
        preset_gift=True,
    )


def landings() -> int:
    return sum(CampaignDay.objects.values_list("landings", flat=True))


@pytest.mark.parametrize(
    "path", ["leopard26", "LEOPARD26", "Leopard26/", "leopard26.", "leopard26,", "leopard26)", "%E2%80%8Bleopard26"]
)
def test_any_spelling_leads_there_in_one_hop_and_counts_once(client: Client, campaign: Campaign, path: str) -> None:
    response = client.get(f"/go/{path}")
    assert response.status_code == 302
    assert response.headers["Location"] == "/adopt/amur-leopard/?c=leopard26&frequency=once&amount=24.00&gift=1"
    assert landings() == 1
    assert not client.cookies


def test_scanner_and_prefetch_are_not_counted(client: Client, campaign: Campaign) -> None:
    assert client.head("/go/leopard26").status_code == 302
    assert client.get("/go/leopard26", headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 302
    assert landings() == 0


def test_link_takes_no_post(client: Client, campaign: Campaign) -> None:
    assert client.post("/go/leopard26").status_code == 405


@pytest.mark.parametrize(
    "query", ["next=https://evil.example", "next=//evil", "email=jane@example.org&fbclid=1", "url=javascript:alert(1)"]
)
def test_nothing_in_the_link_but_its_code_counts(client: Client, campaign: Campaign, query: str) -> None:
    place = client.get(f"/go/leopard26?{query}").headers["Location"]
    assert place == "/adopt/amur-leopard/?c=leopard26&frequency=once&amount=24.00&gift=1"


@pytest.mark.parametrize(
    "code", ["unknown", "..", "%2e%2e%2f", "x" * 500, "%F0%9F%90%86", "' or 1=1", "//evil.example"]
)
def test_unknown_code_leads_to_the_species(client: Client, code: str) -> None:
    response = client.get(f"/go/{code}")
    assert response.status_code in {302, 404}
    assert response.headers.get("Location", "/species/") == "/species/"


def test_ended_campaign_keeps_its_credit_and_drops_its_presets(client: Client, campaign: Campaign) -> None:
    Campaign.objects.update(starts_at=timezone.now() - timedelta(days=9), ends_at=timezone.now() - timedelta(days=1))
    assert client.get("/go/leopard26").headers["Location"] == "/adopt/amur-leopard/?c=leopard26"


@pytest.mark.parametrize(
    ("destination", "place"),
    [(Destination.SPECIES, "/species/amur-leopard/?c=leopard26"), (Destination.HOME, "/?c=leopard26")],
)
def test_destination_is_one_of_our_pages(client: Client, campaign: Campaign, destination: str, place: str) -> None:
    Campaign.objects.update(destination=destination)
    assert client.get("/go/leopard26").headers["Location"] == place


def test_species_taken_offline_leads_home_with_its_credit(client: Client, campaign: Campaign) -> None:
    make_species().__class__.objects.update(is_published=False)
    assert client.get("/go/leopard26").headers["Location"] == "/?c=leopard26"


def test_landings_are_counted_per_day(client: Client, campaign: Campaign) -> None:
    for _ in range(3):
        client.get("/go/leopard26")
    assert list(CampaignDay.objects.values_list("landings", flat=True)) == [3]


@pytest.mark.parametrize("values", [{"species": None}, {"ends_at": timezone.now() - timedelta(days=999)}])
def test_campaign_that_leads_nowhere_cannot_be_stored(campaign: Campaign, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        Campaign.objects.update(**values)


@pytest.mark.parametrize("code", ["UPPER", "a b", "ab", "x" * 33, "é-été", "a/b"])
def test_code_is_lower_case_letters_digits_and_hyphens(code: str) -> None:
    with pytest.raises(ValidationError, match="code"):
        Campaign(code=code, name="x", species=make_species()).full_clean()


def test_code_travels_from_page_to_page_in_addresses_and_without_a_cookie(client: Client) -> None:
    put_our_content()
    adopt = "/adopt/amur-leopard/?c=leopard26"
    assert adopt in client.get("/?c=leopard26").content.decode()
    page = client.get("/species/amur-leopard/?c=leopard26").content.decode()
    assert adopt in page
    assert "/species/?c=leopard26" in page
    assert adopt in client.get("/species/?c=leopard26").content.decode()
    assert adopt in client.get("/threats/deforestation/?c=LEOPARD26").content.decode()
    assert not client.cookies
    assert 'name="c" value="leopard26"' in client.get(adopt).content.decode()


@pytest.mark.parametrize("code", ["<script>", 'x"onclick=', "a b", "x" * 40, "%00"])
def test_code_that_is_none_is_not_repeated_on_the_page(client: Client, code: str) -> None:
    put_our_content()
    page = client.get("/species/amur-leopard/", {"c": code}).content.decode()
    assert "?c=" not in page
