"""Error pages say what happened and what to do next, and need nothing to say it."""

import pytest
from django.template.loader import render_to_string

from tests.site.reading import read

TEMPLATES = ("400", "403", "404", "413", "429", "500", "503", "csrf_failure")


@pytest.mark.parametrize("name", TEMPLATES)
def test_error_page_needs_no_request_and_no_database(name: str) -> None:
    page = read(render_to_string(f"{name}.html"))
    assert [len(page.all(tag)) for tag in ("h1", "main", "title")] == [1, 1, 1]
    assert page.all("html")[0]["lang"] == "en-GB"


@pytest.mark.parametrize("name", TEMPLATES)
def test_error_page_offers_a_way_on(name: str) -> None:
    links = {tag["href"] for tag in read(render_to_string(f"{name}.html")).all("a")}
    assert {"/", "/contact/"} <= links


def test_page_not_found_can_be_searched_from() -> None:
    page = read(render_to_string("404.html"))
    assert [(form["action"], form["method"]) for form in page.all("form")] == [("/search/", "")]
    assert [field["name"] for field in page.all("input")] == ["q"]
