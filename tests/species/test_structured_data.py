"""Our JSON-LD against the shapes that schema.org and the search engines give its types."""

import json
import re
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
ADDRESS = re.compile(r"https?://\S+")
BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)

# For each type: what it must have, what it may have, and of what type each is. An upper-case name is a type of ours,
# “@id” a reference to a thing of the same page, “url” a whole address, “date” a year with or without month and day.
SHAPES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "Article": (
        {"@id": "url", "headline": "text", "author": "NGO", "publisher": "NGO", "dateModified": "date"},
        {
            "description": "text",
            "inLanguage": "text",
            "url": "url",
            "mainEntityOfPage": "url",
            "image": "url",
            "about": "@id",
            "isBasedOn": "url",
        },
    ),
    "NGO": ({"name": "text", "url": "url"}, {}),
    "Taxon": (
        {"@id": "url", "name": "text", "taxonRank": "text"},
        {"alternateName": "text", "description": "text", "additionalProperty": "PropertyValue"},
    ),
    "PropertyValue": ({"name": "text", "value": "text"}, {}),
    "BreadcrumbList": ({"itemListElement": "ListItem"}, {}),
    "ListItem": ({"position": "number", "name": "text", "item": "url"}, {}),
    "DonateAction": ({"name": "text", "recipient": "NGO", "target": "url"}, {}),
    "FAQPage": ({"mainEntity": "Question"}, {"@id": "url"}),
    "Question": ({"name": "text", "acceptedAnswer": "Answer"}, {}),
    "Answer": ({"text": "text"}, {}),
}


def faults(thing: Any, wanted: str, ids: set[str], path: str) -> list[str]:
    """Everything about a value that is not as its shape says, each with where it stands."""
    if isinstance(thing, list) and wanted in SHAPES:
        found = [fault for n, each in enumerate(thing) for fault in faults(each, wanted, ids, f"{path}[{n}]")]
        return found if thing else [f"{path} is empty"]
    if wanted in SHAPES:
        return thing_faults(thing, wanted, ids, path)
    is_right = {
        "text": isinstance(thing, str) and bool(thing.strip()) and "{" not in thing,
        "url": isinstance(thing, str) and bool(ADDRESS.fullmatch(thing)),
        "date": isinstance(thing, str) and bool(re.fullmatch(r"\d{4}(-\d\d){0,2}", thing)),
        "number": isinstance(thing, int),
        "@id": isinstance(thing, dict) and thing.get("@id") in ids,
    }[wanted]
    return [] if is_right else [f"{path} is no {wanted}: {thing!r}"]


def thing_faults(thing: dict[str, Any], wanted: str, ids: set[str], path: str) -> list[str]:
    must, may = SHAPES[wanted]
    found = [] if thing.get("@type") == wanted else [f"{path} is a {thing.get('@type')}, not a {wanted}"]
    found += [f"{path} lacks {name}" for name in must if name not in thing]
    for name, value in thing.items():
        if name == "@type":
            continue
        kind = (must | may).get(name)
        found += faults(value, kind, ids, f"{path}.{name}") if kind else [f"{path}.{name} is not of a {wanted}"]
    return found


@pytest.mark.parametrize("slug", ["amur-leopard", "amur-tiger", "snow-leopard"])
def test_every_thing_on_the_page_has_the_shape_of_its_type(our_content: None, client: Client, slug: str) -> None:
    blocks = [json.loads(block) for block in BLOCK.findall(client.get(f"/species/{slug}/").text)]
    assert [block["@context"] for block in blocks] == ["https://schema.org"]
    things = blocks[0]["@graph"]
    ids = {thing["@id"] for thing in things if "@id" in thing}
    assert [fault for thing in things for fault in faults(thing, thing["@type"], ids, thing["@type"])] == []
    assert {thing["@type"] for thing in things} >= {"Article", "Taxon", "BreadcrumbList", "DonateAction"}


def test_fault_is_found_in_a_thing_that_lacks_or_invents_something() -> None:
    crumbs = {
        "@type": "BreadcrumbList",
        "itemListElement": [{"@type": "ListItem", "position": 1, "item": "/here", "x": 1}],
    }
    assert faults(crumbs, "BreadcrumbList", set(), "B") == [
        "B.itemListElement[0] lacks name",
        "B.itemListElement[0].item is no url: '/here'",
        "B.itemListElement[0].x is not of a ListItem",
    ]
