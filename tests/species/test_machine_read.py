import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from species.models import Fact, Species
from species.sitemaps import species_changes
from tests.makers import make_plan
from tests.species.makers import (
    make_approved_comment,
    make_fact,
    make_field_note,
    make_species,
    make_text,
    make_threat_text,
)

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}"
SITE = "http://127.0.0.1:8000"


def test_api_has_the_shape_that_was_promised(client: Client, our_content: None) -> None:
    response = client.get("/api/species/amur-leopard.json")
    assert response["Content-Type"] == "application/json"
    assert response["Access-Control-Allow-Origin"] == "*"
    data = response.json()
    assert list(data) == [
        "slug",
        "common_name",
        "scientific_name",
        "status",
        "as_of",
        "url",
        "cite_as",
        "facts",
        "population_counts",
        "conflicts",
        "sources",
    ]
    assert data["status"] == {"code": "CR", "label": "Critically Endangered", "assessed": "2008-06-30"}
    (fact,) = [fact for fact in data["facts"] if fact["key"] == "pop-cn-2024"]
    assert fact == {
        "key": "pop-cn-2024",
        "group": "population",
        "label": "Leopards in the Chinese national park",
        "value": "about 80",
        "number": {"point": 80, "low": None, "high": None, "qualifier": "about"},
        "unit": "animals",
        "period": "May 2024",
        "place": "Northeast China Tiger and Leopard National Park",
        "confidence": "medium",
        "note": "Stated by the park's head. Not peer reviewed. Overlaps with the Russian count.",
        "reviewed_on": "2026-11-01",
        "sources": ["nctlnp-2024", "tvoidv-2025"],
    }
    assert data["population_counts"][0] == {
        "start": 1972,
        "end": 1973,
        "place": "Russia",
        "series": "snow-track",
        "point": None,
        "low": 38,
        "high": 46,
        "unit": "animals",
        "method": "snow tracks",
        "confidence": "medium",
        "note": "three groups; Pikunov & Abramov",
        "sources": ["alta-history"],
    }
    assert data["conflicts"][3]["positions"][2] == {
        "says": "26 (13–33)",
        "covers": "DNA",
        "sources": ["sugimoto-2014"],
    }
    known = {source["key"] for source in data["sources"]}
    cited = {key for row in (*data["facts"], *data["population_counts"]) for key in row["sources"]}
    assert cited <= known
    assert all("{" not in conflict["show"] for conflict in data["conflicts"])


def test_api_of_an_unknown_species_says_so_in_json(client: Client) -> None:
    response = client.get("/api/species/dodo.json")
    assert (response.status_code, response.json()) == (404, {"error": "There is no species at this address."})


@pytest.mark.threat("C1", "C7")
def test_comments_feed_holds_no_markup_and_no_address(client: Client) -> None:
    make_approved_comment("<script>alert(1)</script>\n\nTwo", name="<b>Sam</b>", email="sam@example.org")
    response = client.get("/feeds/comments/amur-leopard.xml")
    (entry,) = ElementTree.fromstring(response.content).findall(f"{ATOM}entry")
    title, summary = entry.find(f"{ATOM}title"), entry.find(f"{ATOM}summary")
    assert title is not None
    assert summary is not None
    assert (title.text or "").startswith("<b>Sam</b>, ")
    assert title.get("type", "text") == "text"
    assert summary.text == "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n\n<p>Two</p>"
    assert b"sam@example.org" not in response.content
    assert client.get("/feeds/comments/dodo.xml").status_code == 404


def test_feeds_ask_as_often_for_three_entries_as_for_one(client: Client) -> None:
    counts = []
    for number in range(3):
        make_approved_comment(f"Comment {number}")
        make_field_note(f"note-{number}", published_at=timezone.now() - timedelta(days=1))
        with CaptureQueriesContext(connection) as queries:
            client.get("/feeds/comments/amur-leopard.xml")
            client.get("/feeds/field-notes.xml")
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_field_notes_feed_holds_what_is_published(client: Client) -> None:
    make_field_note(title="Two cubs & a mother", published_at=timezone.now() - timedelta(days=1))
    make_field_note("draft", title="Draft")
    text = client.get("/feeds/field-notes.xml").text
    assert "Two cubs &amp; a mother" in text
    assert "Draft" not in text


def test_sitemap_dates_a_page_by_its_last_change(client: Client) -> None:
    species = make_species()
    make_plan()
    make_fact(species=species)
    make_text("Words.", species=species)
    make_threat_text("Words.", species=species)
    old = datetime(2026, 1, 2, 12, tzinfo=UTC)
    for model in (Species, Fact):
        model._default_manager.update(updated_at=old)
    species.texts.update(updated_at=old + timedelta(days=5))
    assert species_changes() == [(species, old + timedelta(days=5))]
    comment = make_approved_comment()
    assert species_changes() == [(species, comment.moderated_at)]
    places = ElementTree.fromstring(client.get("/sitemap.xml").content)
    addresses = [place.findtext(f"{SITEMAP}loc") for place in places]
    assert "http://127.0.0.1:8000/species/amur-leopard/" in addresses
    assert "http://127.0.0.1:8000/threats/deforestation/" in addresses
    assert len(addresses) == len(set(addresses))
    for address in addresses:
        assert client.get((address or "").removeprefix("http://127.0.0.1:8000")).status_code == 200


@pytest.mark.parametrize("address", ["/", "/species/amur-leopard/"])
def test_page_announces_its_feed_as_what_it_is(client: Client, address: str) -> None:
    make_species()
    ((kind, feed),) = re.findall(
        r'<link rel="alternate" type="([^"]+)"[^>]*href="([^"]+\.xml)"', client.get(address).text
    )
    assert client.get(feed)["Content-Type"].split(";")[0] == kind == "application/atom+xml"


def test_sitemap_names_a_page_in_every_language_it_is_written_in(client: Client) -> None:
    make_text("Амурский леопард", "at_a_glance", key="common-name", language="ru")
    make_species("amur-tiger")
    languages: dict[str, dict[str, str]] = {}
    for place in ElementTree.fromstring(client.get("/sitemap.xml").content):
        others = {link.get("hreflang", ""): link.get("href", "") for link in place.findall(f"{XHTML}link")}
        languages[place.findtext(f"{SITEMAP}loc") or ""] = others
    own, russian = f"{SITE}/species/amur-leopard/", f"{SITE}/ru/species/amur-leopard/"
    assert languages[own] == languages[russian] == {"en-gb": own, "ru": russian, "x-default": own}
    assert languages[f"{SITE}/species/amur-tiger/"] == {}
    assert client.get("/ru/species/amur-leopard/").status_code == 200


def test_security_txt_is_good_for_more_than_a_month(client: Client) -> None:
    response = client.get("/.well-known/security.txt")
    lines = dict(line.split(": ", 1) for line in response.text.splitlines())
    assert set(lines) == {"Contact", "Expires", "Preferred-Languages", "Canonical"}
    expires = parse_datetime(lines["Expires"])
    assert expires is not None
    assert timedelta(days=30) < expires - timezone.now() < timedelta(days=365)


def test_robots_are_kept_from_what_is_not_for_reading(client: Client) -> None:
    lines = client.get("/robots.txt").text.splitlines()
    assert "Disallow: /admin/" in lines
    assert lines[-1] == "Sitemap: http://127.0.0.1:8000/sitemap.xml"


@pytest.mark.threat("C1")
def test_structured_data_cannot_close_its_tag() -> None:
    page = Template("{% load structured_data %}{% json_ld data %}")
    block = page.render(Context({"data": {"name": "</script><script>alert(1)</script>"}}))
    assert block.count("<") == 2
    assert block.startswith('<script type="application/ld+json">')


def test_doors_may_be_found_and_what_is_behind_them_may_not(client: Client) -> None:
    make_species()
    make_plan()
    for address in ("/adopt/amur-leopard/", "/my-adoption/"):
        page = client.get(address)
        assert (page.headers.get("X-Robots-Tag", "all"), "noindex" in page.text) == ("all", False)
        assert f'<link rel="canonical" href="{SITE}{address}">' in page.text
    assert client.get("/my-adoption/sent/").headers["X-Robots-Tag"] == "noindex"
