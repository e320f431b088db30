from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from species.models import Source, Species
from species.search import find
from tests.species.makers import make_fact, make_field_note, make_source, make_species, make_text, make_threat_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(db: None) -> None:
    species = make_species()
    make_fact("range-places", species=species, label="Where they live now", value="Hunchún and Wangqing, China")
    make_text("They stay out of open grass. [^range-places]", "habitat", species=species)
    make_threat_text("Trees were cut.", species=species)
    make_field_note(title="Two cubs", body="Seen on a ridge.", published_at=timezone.now() - timedelta(days=1))
    make_source("sugimoto", title="Diet of the leopard", publisher="Mammal Research")


def titles(words: str) -> list[str]:
    return [f"{result.kind}: {result.title}" for result in find(words)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("leopard", ["Species: Amur leopard", "Source: Diet of the leopard"]),
        ("LEOP", ["Species: Amur leopard", "Source: Diet of the leopard"]),
        ("pardus amur", ["Species: Amur leopard"]),
        ("hunchun", ["Fact: Amur leopard: Where they live now"]),
        ("grasses", ["On the page: Amur leopard: Habitat"]),
        ("deforestation", ["Threat: Deforestation"]),
        ("cub ridge", ["Field note: Two cubs"]),
        ("mammal research", ["Source: Diet of the leopard"]),
        ("amur lepard", ["Species: Amur leopard"]),
        ("deforestaton", ["Threat: Deforestation"]),
        ("range-places", []),
        ("zebra", []),
        ("", []),
        ("&|!:*'()", []),
    ],
)
def test_search_finds_what_people_mean(library: None, words: str, expected: list[str]) -> None:
    assert titles(words) == expected


def test_name_comes_before_mention(library: None) -> None:
    make_text("The tiger lives there too.", "range", species=Species.objects.get())
    make_species("amur-tiger", scientific_name="Panthera tigris")
    assert titles("tiger")[0] == "Species: Amur tiger"


@pytest.mark.threat("O6")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=300))
def test_any_string_may_be_searched_for(library: None, words: str) -> None:
    assert isinstance(find(words), tuple)


@pytest.mark.parametrize("words", ["x" * 5000, "🐆" * 300, "نمر", "雪豹", "a b c d e f g h i j k l", "\u202e\u200b"])
def test_search_page_takes_any_words(client: Client, library: None, words: str) -> None:
    response = client.get("/search/", {"q": words})
    assert response.status_code == 200
    assert '<meta name="robots" content="noindex">' in response.text


def test_nul_is_refused_before_the_database(client: Client) -> None:
    assert client.get("/search/?q=a%00b").status_code == 400


def test_search_asks_as_often_for_three_results_as_for_one(client: Client, library: None) -> None:
    counts = []
    for number in range(3):
        Source.objects.create(key=f"s-{number}", title=f"Leopard paper {number}", publisher="P", kind="paper")
        make_fact(f"leopard-{number}", label="Leopard", value="leopard")
        with CaptureQueriesContext(connection) as queries:
            client.get("/search/?q=leopard")
        counts.append(len(queries))
    assert counts == [6, 6, 6]
