"""What pages remember of the content ends with the content: the database says when."""

import re
from collections.abc import Callable
from dataclasses import fields

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from species.content_version import CONTENT, content_version
from species.models import ConflictPosition, Fact, PopulationCount, Source, Species, SpeciesThreat, Text, Threat
from species.overview import HowWeKnow
from species.page import SpeciesPage
from species.templatetags.drawn import one_comment
from tests.species.makers import make_approved_comment, make_field_note, make_source

pytestmark = pytest.mark.django_db

LEOPARD = "/species/amur-leopard/"


def queries_of(act: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        act()
    return [query["sql"] for query in queries]


def test_every_table_that_content_is_made_of_has_its_part_in_the_version(our_content: None) -> None:
    asked = [*queries_of(lambda: SpeciesPage.of(Species.objects.get(slug="amur-leopard"))), *queries_of(HowWeKnow.read)]
    tables = set(re.findall(r'(?:FROM|JOIN) "(\w+)"', " ".join(asked)))
    read_for_each_page = {"species_comment", "species_fieldnote", "species_picture"}
    assert tables - read_for_each_page == {model._meta.db_table for model in CONTENT}


CHANGES: dict[str, Callable[[], object]] = {
    "a bulk update": lambda: Fact.objects.filter(key="range-now").update(place="elsewhere"),
    "the same again": lambda: Fact.objects.filter(key="range-now").update(place="elsewhere"),
    "a deletion": lambda: PopulationCount.objects.filter(start=1985).delete(),
    "a new row": lambda: make_source("another"),
    "a source taken away": lambda: Fact.objects.get(key="range-now").sources.clear(),
    "a source of a position": lambda: ConflictPosition.sources.through.objects.all()[:1].get().delete(),
    "a threat": lambda: Threat.objects.filter(slug="deforestation").update(name="Felling"),
    "its order": lambda: SpeciesThreat.objects.update(position=1),
    "a text": lambda: Text.objects.filter(section="habitat").update(body="It is cold."),
    "a name": lambda: Species.objects.filter(slug="snow-leopard").update(common_name="Ounce"),
}


def test_any_change_to_content_gives_another_version(our_content: None) -> None:
    versions = [content_version()]
    for change in CHANGES.values():
        assert content_version() == versions[-1]
        change()
        versions.append(content_version())
    repeated = [
        name for name, version, before in zip(CHANGES, versions[1:], versions, strict=False) if version == before
    ]
    assert (repeated, len(set(versions))) == ([], len(versions))


def test_page_that_did_not_change_is_read_from_memory(client: Client, our_content: None) -> None:
    first = client.get(LEOPARD).text
    make_field_note(title="Tracks in the snow", species=Species.objects.get(slug="amur-leopard"))
    make_approved_comment("So fine.", species=Species.objects.get(slug="amur-leopard"))
    shown: list[str] = []
    assert (
        len(queries_of(lambda: shown.append(client.get(LEOPARD).text))) == 3
    )  # which state, the species and their conversation
    (second,) = shown
    assert ("So fine." in first, "So fine." in second) == (False, True)
    HowWeKnow.read()
    assert len(queries_of(HowWeKnow.read)) == 1


def test_change_that_django_is_not_told_of_is_on_every_page_at_once(client: Client, our_content: None) -> None:
    for address in (LEOPARD, "/sources/"):
        client.get(address)
    source = Source.objects.filter(facts__key="range-now").order_by("pk")[0]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE species_source SET publisher = 'The Owl Post' WHERE id = %s", [source.pk])
        cursor.execute("UPDATE species_fact SET point = 4321 WHERE key = 'range-now'")
    assert "The Owl Post" in client.get("/sources/").text
    page = client.get(LEOPARD).text
    assert ("The Owl Post" in page, "4,321" in page, "10,709" in page) == (True, True, False)


def test_after_an_approved_comment_only_that_comment_is_drawn(client: Client, our_content: None) -> None:
    leopard = Species.objects.get(slug="amur-leopard")
    for number in range(3):
        make_approved_comment(f"What a cat, {number}.", species=leopard)
    one_comment.cache_clear()
    client.get(LEOPARD)
    assert one_comment.cache_info().misses == 3
    make_approved_comment("And what a coat.", species=leopard)
    assert "And what a coat." in client.get(LEOPARD).text
    assert one_comment.cache_info().misses == 4


def test_section_is_drawn_again_once_its_content_has_changed(client: Client, our_content: None) -> None:
    client.get(LEOPARD)
    Text.objects.filter(section="habitat").update(body="It is cold.")
    assert "It is cold." in client.get(LEOPARD).text
    Text.objects.filter(section="faq").delete()
    assert 'id="questions"' not in client.get(LEOPARD).text


def test_sections_hold_nothing_that_is_read_for_each_request(our_content: None) -> None:
    page = SpeciesPage.of(Species.objects.get(slug="amur-leopard"))
    assert not {"conversation", "pictures", "field_notes", "related"} & {each.name for each in fields(page.alone)}
