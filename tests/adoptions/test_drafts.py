"""What was typed into the adopt form comes back for a day, to the browser that sent it, and to nobody else."""

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from adoptions import checkout, drafts
from adoptions.models import Adoption, Draft, Plan
from tests.adoptions.test_adopt_form import answers
from tests.makers import make_adoption, make_plan, make_species

pytestmark = pytest.mark.django_db

ADDRESS = "/adopt/amur-leopard/"


@pytest.fixture(autouse=True)
def on_offer(client: Client) -> None:
    make_species()
    make_plan()
    client.get(ADDRESS)  # a browser that has seen the form


def typed(**changes: Any) -> dict[str, str]:
    return answers(is_gift="gift", recipient_name="Ellie", message="Dear\nEllie", delivery="self", **changes)


def page(client: Client, attempt: str) -> str:
    response = client.get(ADDRESS, {"attempt": attempt})
    assert response.status_code == 200
    return response.content.decode()


def test_answers_come_back_after_a_lost_connection_right_or_wrong(client: Client) -> None:
    wrong = typed(email="amara@", name="Amara <b>")
    assert client.post(ADDRESS, {**wrong, "step": "check"}).status_code == 422
    form = page(client, wrong["attempt"])
    for words in ('value="amara@"', 'value="Amara &lt;b&gt;"', 'value="Ellie"', "Dear\nEllie", wrong["attempt"]):
        assert words in form
    assert "There is a problem" not in form
    assert Adoption.objects.count() == 0


def test_way_back_from_stripe_leads_to_the_answers(client: Client) -> None:
    given = typed()
    client.post(ADDRESS, {**given, "step": "check"})
    adoption = make_adoption(attempt=uuid.UUID(given["attempt"]))
    back = urlsplit(checkout.request_for(adoption).cancel_url)
    assert 'value="Ellie"' in client.get(f"{back.path}?{back.query}").content.decode()


def test_address_alone_brings_nothing_back(client: Client) -> None:
    """It stands in what Stripe is told, and in the history of whatever it passed through."""
    given = typed()
    client.post(ADDRESS, {**given, "step": "check"})
    stranger = Client()
    assert "Ellie" not in page(stranger, given["attempt"])
    stranger.post(ADDRESS, {**given, "recipient_name": "Mallory", "step": "check"})
    assert "Ellie" in page(client, given["attempt"])
    assert "Ellie" not in page(stranger, given["attempt"])
    assert given["attempt"] not in Draft.objects.get().browser_hash


def test_browser_that_keeps_no_cookie_leaves_nothing_behind() -> None:
    Client().post(ADDRESS, {**typed(), "step": "check"})
    assert Draft.objects.count() == 0


def test_form_posts_to_the_address_that_brings_it_back(client: Client) -> None:
    form = client.get(ADDRESS).content.decode()
    attempt = form.partition('action="?attempt=')[2].partition('"')[0]
    assert f'name="attempt" value="{attempt}"' in form
    assert uuid.UUID(attempt)


def test_after_a_day_nothing_is_left(client: Client) -> None:
    given = typed()
    client.post(ADDRESS, {**given, "step": "check"})
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
        assert "Ellie" not in page(client, given["attempt"])


def test_who_is_erased_leaves_no_draft(client: Client) -> None:
    client.post(ADDRESS, {**typed(email="Amara@Example.org"), "step": "check"})
    assert drafts.forget("amara@example.ORG") == 1


@pytest.mark.parametrize("attempt", ["", "x", "\x00", "0" * 5000, "5e8635db-21e6-4c4d-be0c-274ddbc223ad"])
def test_attempt_that_is_none_is_a_new_form(client: Client, attempt: str) -> None:
    assert client.get(ADDRESS, {"attempt": attempt}).status_code in {200, 400}
    client.post(ADDRESS, {**typed(), "attempt": attempt, "step": "check"})
    assert Draft.objects.count() == (1 if len(attempt) == 36 else 0)


@pytest.mark.parametrize("message", ["a\x00b", "x" * 20_000, "%00&email=x"])
def test_hostile_answers_are_kept_as_text_or_not_at_all(client: Client, message: str) -> None:
    given = typed() | {"message": message}
    assert client.post(ADDRESS, {**given, "step": "check"}).status_code < 500
    assert "amara@example.org" in page(client, given["attempt"]) or not Draft.objects.exists()


def test_flood_of_one_network_is_not_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.limits.Limit.allows", lambda self, who: False)
    client.post(ADDRESS, {**typed(), "step": "check"})
    assert Draft.objects.count() == 0


def test_plan_that_was_chosen_is_the_one_adopted(client: Client) -> None:
    patron = Plan.objects.create(slug="patron", name="Patron", position=1)
    patron.prices.create(frequency="once", minimum_pence=300, preset_pence=[3600], suggested_pence=3600)
    hidden = '<input type="hidden" name="plan" value="patron">'
    assert hidden in client.get(ADDRESS, {"plan": "patron"}).content.decode()
    given = typed() | {"plan": "patron", "step": "check"}
    assert hidden in client.post(ADDRESS, given).content.decode()
    assert hidden in page(client, given["attempt"])
