import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from species.models import Conflict, Fact, PopulationCount, Source, Species, Status
from species.page import SpeciesPage
from species.share_pictures import SharePicture
from species.structured_data import of_page
from tests.species.makers import (
    make_approved_comment,
    make_fact,
    make_field_note,
    make_moderator,
    make_source,
    make_species,
    make_text,
    make_threat_text,
)

pytestmark = pytest.mark.django_db

QUERIES = 8


class Words(HTMLParser):
    """What a page says, without its markup."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.skipped = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skipped += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self.skipped -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.said.append(data)


def words(html: str) -> str:
    return " ".join(" ".join(Words(html).said).split())


def fill(species: Species, number: int) -> None:
    """One of everything that a page shows."""
    fact = make_fact(f"fact-{number}", species=species, point=Decimal(1000 + number))
    fact.sources.add(make_source(f"source-{number}"))
    PopulationCount.objects.create(
        species=species,
        start=2000 + number,
        end=2000 + number,
        place="Russia",
        series="camera",
        point=number + 1,
        unit="adults",
        method="cameras",
        confidence="high",
    ).sources.add(make_source(f"source-{number}"))
    conflict = Conflict.objects.create(species=species, key=f"c-{number}", topic="How many?", show="We say both.")
    for say in ("Few", "Many"):
        conflict.positions.create(say=say, covers="all").sources.add(make_source(f"source-{number}"))
    make_text(f"There are {{fact-{number}}}.", "faq", species=species, key=f"q-{number}", title="How many?")
    make_threat_text(f"It is {{fact-{number}}}.", f"threat-{number}", species=species)
    comment = make_approved_comment(f"Comment {number}", species=species)
    make_approved_comment(f"Answer {number}", species=species, parent=comment)
    make_field_note(f"note-{number}", species=species, published_at=timezone.now() - timedelta(days=1))


def test_page_asks_the_database_eight_times_whatever_it_shows(client: Client) -> None:
    species = make_species()
    make_species("amur-tiger")
    fill(species, 1)
    counts = []
    for numbers in ((), (2, 3)):
        for number in numbers:
            fill(species, number)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/species/amur-leopard/").status_code == 200
        counts.append(len(queries))
    assert counts == [QUERIES, QUERIES]


def test_our_own_pages_ask_no_more(client: Client, our_content: None) -> None:
    for species in Species.objects.all():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(species.get_absolute_url()).status_code == 200
        assert len(queries) <= QUERIES


def test_sentence_knows_its_values_facts_and_sources() -> None:
    species = make_species()
    make_fact("range-now", species=species)
    make_fact("share", species=species, point=Decimal("2.96"), unit="%").sources.add(make_source("another"))
    make_text("It covers {range-now:3sf} square kilometres. [^share]\nThat is small.", "range", species=species)
    page = SpeciesPage.of(species)
    ((first, second),) = page.range
    assert first.text == "It covers 10,700 square kilometres."
    assert [part.key for part in first.parts] == ["", "range-now", ""]
    assert [(fact.key, fact.value, fact.sources) for fact in first.facts] == [
        ("share", "2.96%", (1, 2)),
        ("range-now", "10,709\N{NO-BREAK SPACE}km²", (2,)),
    ]
    assert first.sources == (1, 2)
    assert (second.text, second.facts, second.sources) == ("That is small.", (), ())
    assert [source.key for source in page.sources] == ["another", "jiang-2015"]


def test_sources_are_numbered_in_the_order_of_the_page() -> None:
    species = make_species()
    for key in ("unused", "later", "first"):
        fact = make_fact(key, species=species)
        fact.sources.set([make_source(f"{key}-source")])
    make_text("Later. [^later]", "why_they_matter", species=species)
    make_text("First. [^first]", "standfirst", species=species)
    page = SpeciesPage.of(species)
    assert [source.key for source in page.sources] == ["first-source", "later-source", "unused-source"]


def test_sentence_whose_fact_is_gone_is_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    species = make_species()
    make_fact("range-now", species=species)
    make_text("It covers {range-now}.\nIt is cold.", "range", species=species)
    Fact.objects.update(is_published=False)
    ((only,),) = SpeciesPage.of(species).range
    assert only.text == "It is cold."
    assert "A sentence about amur-leopard cannot be printed." in caplog.text


def test_unpublished_rows_are_shown_nowhere(client: Client) -> None:
    species = make_species()
    make_fact("secret", species=species, label="Secret label", value="secret words", is_published=False)
    make_text("Secret sentence.", "habitat", species=species, is_published=False)
    Conflict.objects.create(species=species, key="c", topic="Secret topic", show="x", is_published=False)
    make_field_note(title="Secret note")
    make_field_note("to-come", title="Secret note to come", published_at=timezone.now() + timedelta(days=1))
    make_species("dodo", is_published=False, common_name="Secret species")
    for address in ("/", "/species/", species.get_absolute_url(), "/sources/", "/threats/", "/sitemap.xml"):
        assert "secret" not in client.get(address).text.lower()
    for address in ("/search/?q=secret", "/api/species/amur-leopard.json", "/feeds/field-notes.xml"):
        assert not re.search(r"secret (label|words|sentence|topic|note|species)", client.get(address).text.lower())
    for address in ("/species/dodo/", "/api/species/dodo.json", "/field-notes/two-cubs/", "/field-notes/to-come/"):
        assert client.get(address).status_code == 404


def test_text_of_another_language_replaces_that_of_the_site() -> None:
    species = make_species()
    make_text("It is cold.", "habitat", species=species)
    make_text("They live alone.", "life_and_behaviour", species=species)
    make_text("Здесь холодно.", "habitat", species=species, language="ru")
    page = SpeciesPage.of(species, language="ru")
    ((habitat,),), ((life,),) = page.habitat, page.life
    assert (habitat.text, life.text) == ("Здесь холодно.", "They live alone.")


EDITS: list[tuple[str, dict[str, str], str, str]] = [
    ("pop-ru-2024", {"point": "131"}, r"\b129\b", r"\b131\b"),
    ("range-now", {"point": "11309"}, r"\b10,7\d\d\b", r"\b11,30[09]\b"),
    ("cameras", {"point": "433"}, r"\b420\b", r"\bover 433\b"),
    ("t-road", {"point": "219"}, r"\b216\b", r"\b219\b"),
    ("iucn-status", {"value": "Endangered"}, r"Critically Endangered(?! \()", r"Endangered"),
]
PUBLIC = ("/", "/species/", "/species/amur-leopard/", "/sources/", "/threats/", "/threats/roads-and-railways/")


@pytest.mark.parametrize(("key", "values", "old", "new"), EDITS, ids=[edit[0] for edit in EDITS])
def test_fact_corrected_in_the_admin_leaves_its_old_value_nowhere(
    client: Client, our_content: None, key: str, values: dict[str, str], old: str, new: str
) -> None:
    before = client.get("/species/amur-leopard/").text
    assert re.search(old, words(before))
    fact = edited(Fact.objects.get(species__slug="amur-leopard", key=key), **values)
    # A source keeps the title it was published under.
    Source.objects.update(title="A title")
    pages = {address: words(client.get(address).text) for address in PUBLIC}
    species = Species.objects.get(slug="amur-leopard")
    data = client.get("/api/species/amur-leopard.json").json()
    structured = json.dumps(of_page(SpeciesPage.of(species)), ensure_ascii=False)
    if key == "iucn-status":
        assert (data["status"]["code"], species.status) == ("EN", Status.EN)
        assert "Critically Endangered" not in structured
        assert "Critically Endangered" not in pages["/species/"]
    else:
        assert {address: re.findall(old, text) for address, text in pages.items() if re.search(old, text)} == {}
        assert not re.search(old, structured)
    assert re.search(new, pages["/species/amur-leopard/"])
    assert picture_of(before) != picture_of(client.get("/species/amur-leopard/").text)
    assert not re.search(old, f"{(picture := SharePicture.of(species)).number} {picture.label} {picture.status}")
    (sent,) = [row for row in data["facts"] if row["key"] == key]
    assert sent["value"] == fact.value_text
    assert set(numbers_of(data)).isdisjoint({129} if key == "pop-ru-2024" else set())


def edited(fact: Fact, **values: str) -> Fact:
    """The fact as a member of staff leaves it, who changes some fields of its form in the admin."""
    staff = Client()
    staff.force_login(make_moderator())
    address = reverse("admin:species_fact_change", args=[fact.pk])
    form = staff.get(address).context["adminform"].form
    found = {name: form[name].value() for name in form.fields}
    said = {name: value for name, value in found.items() if value not in (None, False)} | values
    assert staff.post(address, said).status_code == 302
    fact.refresh_from_db()
    return fact


def picture_of(html: str) -> str:
    (address,) = re.findall(r'property="og:image" content="([^"]+)"', html)
    assert html.count(address) == 2  # in the head, and as data
    return str(address)


def numbers_of(data: Any) -> Iterator[float]:
    """Every number in the data, wherever it stands."""
    if isinstance(data, dict):
        for value in data.values():
            yield from numbers_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from numbers_of(value)
    elif isinstance(data, int | float):
        yield data


def test_unknown_species_is_met_with_what_there_is(client: Client) -> None:
    make_species("amur-leopard")
    make_species("snow-leopard")
    response = client.get("/species/amur-lepard/")
    assert response.status_code == 404
    assert "Did you mean" in response.text
    assert 'href="/species/amur-leopard/"' in response.text


@pytest.mark.parametrize(
    "address",
    ["/", "/species/", "/species/amur-leopard/", "/threats/", "/threats/deforestation/", "/sources/", "/search/?q=a"],
)
def test_reading_pages_set_no_cookie_and_may_be_cached(client: Client, our_content: None, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200
    assert not response.cookies
    assert response["Cache-Control"] == "public, max-age=0, s-maxage=30, stale-while-revalidate=30"
    assert "Cookie" not in response.get("Vary", "")
    assert client.post(address).status_code == 405


def test_threat_page_tells_of_every_species_it_presses_on(client: Client) -> None:
    for slug in ("amur-leopard", "amur-tiger"):
        species = make_species(slug)
        make_fact("cut", species=species, point=Decimal(40), unit="%")
        make_threat_text("{cut:cap} percent is cut. [^cut]", species=species)
    make_threat_text("Gone.", species=make_species("dodo", is_published=False))
    text = words(client.get("/threats/deforestation/").text)
    assert ("Amur leopard" in text, "Amur tiger" in text, "Dodo" in text) == (True, True, False)
    assert text.count("40 percent is cut.") == 2
    assert client.get("/threats/boredom/").status_code == 404


def test_sources_page_lists_conflicts_with_who_says_what(client: Client) -> None:
    species = make_species()
    fill(species, 1)
    text = words(client.get("/sources/").text)
    assert "How many?" in text
    assert "Many" in text
    assert "Title of source-1" in text


def test_field_note_has_its_own_page(client: Client) -> None:
    note = make_field_note(published_at=timezone.now() - timedelta(hours=1), body="One.\n\n<b>Two</b>")
    response = client.get(note.get_absolute_url())
    assert response.status_code == 200
    assert "&lt;b&gt;Two&lt;/b&gt;" in response.text


def test_structured_data_of_our_pages_has_the_shapes_search_engines_read(our_content: None) -> None:
    for species in Species.objects.all():
        data = of_page(SpeciesPage.of(species))
        things = {thing["@type"]: thing for thing in data["@graph"]}
        assert {"Article", "Taxon", "BreadcrumbList", "DonateAction"} <= set(things)
        assert things["Taxon"]["name"] == species.scientific_name
        assert [step["position"] for step in things["BreadcrumbList"]["itemListElement"]] == [1, 2, 3]
        assert things["Article"]["isBasedOn"].endswith(f"/api/species/{species.slug}.json")
        for question in things.get("FAQPage", {"mainEntity": []})["mainEntity"]:
            assert question["name"].endswith("?")
            assert "{" not in question["acceptedAnswer"]["text"]


@pytest.mark.parametrize("address", ["/species/snow-leopard/", "/adopt/snow-leopard/"])
def test_name_is_small_within_a_sentence_and_capital_where_it_begins(
    client: Client, our_content: None, address: str
) -> None:
    text = words(client.get(address).text)
    assert ("dopt the snow leopard" in text, "he Snow leopard" in text) == (True, False)
    assert str(Species.objects.get(slug="snow-leopard")) == "Snow leopard"
