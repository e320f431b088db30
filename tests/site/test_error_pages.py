"""Error pages say what happened and what to do next, and need nothing to say it."""

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client

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


@pytest.mark.django_db
def test_colleague_whose_role_does_not_open_a_page_is_told_so_and_led_back(client: Client) -> None:
    """Not of links in emails that have run out, nor to the home page of the public."""
    client.force_login(User.objects.create_user("marek", is_staff=True))
    answer = client.get("/admin/adoptions/adoption/")
    page = read(answer.text)
    assert (answer.status_code, page.all("a")[-1]["href"]) == (403, "/admin/")
    assert "Your role does not open this page" in answer.text
    assert "personal link" not in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["no-such-page/", "adoptions/adoption/7/link/"])
def test_colleague_who_finds_no_page_is_led_back_to_the_desk(client: Client, address: str) -> None:
    """And nobody else: a visitor is asked to sign in, or reads the page of the public."""
    assert "/admin/" not in client.get(f"/admin/{address}").text
    client.force_login(User.objects.create_superuser("marek"))
    answer = client.get(f"/admin/{address}")
    assert (answer.status_code, read(answer.text).all("a")[-1]["href"]) == (404, "/admin/")
    assert "There is no such page on the desk" in answer.text
    assert "/admin/" not in client.get("/no-such-page/").text


def test_page_not_found_can_be_searched_from() -> None:
    page = read(render_to_string("404.html"))
    assert [(form["action"], form["method"]) for form in page.all("form")] == [("/search/", "")]
    assert [field["name"] for field in page.all("input")] == ["q"]
