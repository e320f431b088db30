"""An adopter comments with a badge, signed in; nobody gets the badge in any other way."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from adoptions.models import Adoption
from config.models import Mail
from species.models import Comment
from species.weighing import form_stamp
from tests.adoptions.visitors import signed_in
from tests.makers import make_active_adoption, make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def adoption() -> Adoption:
    return make_active_adoption(supporter=make_supporter("Amara Supporter", "amara@example.org"))


@pytest.fixture
def amara(adoption: Adoption) -> Client:
    client = signed_in(adoption.supporter)
    Mail.objects.all().delete()
    return client


def words(**values: str) -> dict[str, Any]:
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        loaded = form_stamp()
    return {"name": "Amara Supporter", "comment": "What a cat this is.", "loaded": loaded, **values}


def address(adoption: Adoption) -> str:
    return f"/my-adoption/{adoption.reference}/comment/"


def test_adopter_is_led_there_and_asked_for_no_address(amara: Client, adoption: Adoption) -> None:
    assert address(adoption) in amara.get(f"/my-adoption/{adoption.reference}/").text
    page = amara.get(address(adoption)).text
    assert 'value="Amara"' in page
    assert "id_email" not in page


def test_comment_of_an_adopter_waits_like_any_other(amara: Client, adoption: Adoption) -> None:
    response = amara.post(address(adoption), words())
    assert (response.status_code, response.headers["Location"]) == (303, "/species/amur-leopard/comments/waiting/")
    comment = Comment.objects.get()
    assert (comment.status, comment.is_by_adopter, comment.email) == ("pending", True, "amara@example.org")
    assert Mail.objects.get().kind == "comment_waiting"


def test_comment_appears_at_once_where_adopters_are_trusted(
    amara: Client, adoption: Adoption, settings: Settings
) -> None:
    settings.COMMENTS_SHOWN_AT_ONCE = ["adopters"]
    response = amara.post(address(adoption), words())
    comment = Comment.objects.get()
    assert (comment.status, response.headers["Location"]) == ("approved", comment.get_absolute_url())
    page = Client().get("/species/amur-leopard/").text
    assert ("What a cat this is." in page, ">Adopter</span>" in page) == (True, True)
    assert [mail.kind for mail in Mail.objects.all()] == ["comment_published"]


@pytest.mark.parametrize("held", ["Ring me on 07700 900123 about it.", "Look at https://cats.example/"])
def test_trust_ends_where_a_rule_holds_the_words(
    amara: Client, adoption: Adoption, settings: Settings, held: str
) -> None:
    settings.COMMENTS_SHOWN_AT_ONCE = ["adopters"]
    amara.post(address(adoption), words(comment=held))
    assert Comment.objects.get().status == "pending"


def test_errors_give_every_word_back(amara: Client, adoption: Adoption) -> None:
    response = amara.post(address(adoption), words(name="", comment="Words I would hate to lose"))
    assert response.status_code == 422
    assert "Words I would hate to lose" in response.text
    assert not Comment.objects.exists()


def test_badge_cannot_be_had_by_anybody_else(amara: Client, adoption: Adoption) -> None:
    other = make_active_adoption(supporter=make_supporter("Lena", "lena@example.org"))
    assert amara.post(address(other), words()).status_code == 404
    assert Client().post(address(adoption), words()).status_code in {302, 303, 401, 403}
    Client().post(
        "/species/amur-leopard/comments/",
        {**words(), "email": "amara@example.org", "is_by_adopter": "on", "proved_at": "2026-01-01"},
    )
    assert list(Comment.objects.values_list("is_by_adopter", "proved_at")) == [(False, None)]
