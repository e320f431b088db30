"""News goes to who said yes, themselves, and has not taken it back. A receipt goes to everybody who pays."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from adoptions import consent
from adoptions.models import Basis, ConsentEvent, Supporter, Suppression
from config.checks import news_has_a_ground
from config.models import Mail
from tests.adoptions.conftest import Amara
from tests.adoptions.visitors import signed_in
from tests.asked_first import press_twice
from tests.makers import make_active_adoption, make_adoption, make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def amara() -> Supporter:
    return make_active_adoption().supporter


@pytest.fixture
def reader(amara: Supporter) -> Supporter:
    """Somebody who said yes."""
    consent.grant(amara, page="/adopt/amur-leopard/")
    return amara


def path(supporter: Supporter) -> str:
    return consent.unsubscribe_url(supporter.email).removeprefix("http://127.0.0.1:8000")


def test_silence_is_a_no(amara: Supporter) -> None:
    assert not consent.may_send_news(amara)


def test_yes_keeps_who_when_where_and_the_words(reader: Supporter) -> None:
    event = ConsentEvent.objects.get()
    assert (event.supporter, event.state, event.basis, event.page) == (
        reader,
        "granted",
        "consent",
        "/adopt/amur-leopard/",
    )
    assert (event.wording_version, event.wording) == (consent.CURRENT, consent.wording())
    assert consent.may_send_news(reader)


def test_yes_of_somebody_who_never_paid_counts_for_nothing() -> None:
    supporter = make_adoption().supporter
    consent.grant(supporter, page="/")
    assert not consent.may_send_news(supporter)


def test_saying_yes_twice_is_one_event(reader: Supporter) -> None:
    assert not consent.grant(reader, page="/")
    assert ConsentEvent.objects.count() == 1


def test_box_in_the_form_is_not_ticked_for_anybody(client: Client, stripe: Any) -> None:
    page = client.get("/adopt/amur-leopard/").content.decode()
    box = page[page.index('name="wants_news"') :].split(">")[0]
    assert "checked" not in box
    assert consent.wording() in page


@pytest.mark.parametrize(("answers", "events"), [({}, 0), ({"wants_news": "on"}, 1)])
def test_tick_in_the_form_is_kept_with_its_words(client: Client, stripe: Any, answers: Any, events: int) -> None:
    Amara(client, stripe).reach_stripe(**answers)
    assert ConsentEvent.objects.filter(state="granted", page="/adopt/amur-leopard/").count() == events


# --- charity soft opt-in --------------------------------------------------------------------------------------------


@pytest.fixture
def soft_opt_in(settings: Settings) -> None:
    settings.NEWS_BASIS = "soft_opt_in"


ASKED = {"news_asked": "soft_opt_in"}


def test_form_offers_a_box_to_refuse_and_ticks_nothing(client: Client, stripe: Any, soft_opt_in: None) -> None:
    page = client.get("/adopt/amur-leopard/").content.decode()
    box = page[page.index('name="no_news"') :].split(">")[0]
    assert "checked" not in box
    assert "Please do not email me news" in page
    assert 'name="wants_news"' not in page


@pytest.mark.parametrize(
    ("answers", "states"),
    [(ASKED, ["granted"]), ({**ASKED, "no_news": "on"}, ["withdrawn"]), ({}, []), ({"news_asked": "consent"}, [])],
    ids=["silent", "refused", "not asked", "asked otherwise"],
)
def test_what_was_said_of_news_is_kept_with_its_ground(
    client: Client, stripe: Any, soft_opt_in: None, answers: Any, states: list[str]
) -> None:
    Amara(client, stripe).reach_stripe(**answers)
    events = list(ConsentEvent.objects.all())
    assert [event.state for event in events] == states
    if states == ["granted"]:
        assert (events[0].basis, events[0].wording) == ("soft_opt_in", consent.wording(Basis.SOFT_OPT_IN))


def test_silence_takes_no_refusal_back_and_weakens_no_yes(reader: Supporter, soft_opt_in: None) -> None:
    consent.answered(reader, wants_news=True, page="/")
    assert ConsentEvent.objects.get().basis == "consent"
    consent.withdraw(consent.address_hash(reader.email), page="/")
    consent.answered(reader, wants_news=True, page="/")
    assert not consent.may_send_news(reader)


def test_refusal_in_the_form_is_heeded_and_told_and_suppresses_nothing(reader: Supporter, soft_opt_in: None) -> None:
    """Anybody can type an address: its owner loses no more than they can take back."""
    for _ in range(2):
        consent.answered(reader, wants_news=False, page="/adopt/amur-leopard/")
        assert not consent.may_send_news(reader)
    assert "If that was not you" in Mail.objects.get(kind="news_refused").text
    assert not Suppression.objects.exists()
    consent.answered(reader, wants_news=True, page="/")  # a silence
    assert not consent.may_send_news(reader)
    signed_in(reader).post("/my-adoption/news/", {"wants_news": "yes"})
    assert consent.may_send_news(reader)


def test_refusal_of_somebody_who_had_no_news_is_kept_and_tells_nobody(amara: Supporter, soft_opt_in: None) -> None:
    consent.answered(amara, wants_news=False, page="/adopt/amur-leopard/")
    consent.answered(amara, wants_news=True, page="/adopt/amur-leopard/")
    assert [event.state for event in ConsentEvent.objects.all()] == ["withdrawn"]
    assert not Mail.objects.filter(kind="news_refused").exists()


def test_silence_counts_only_where_the_site_goes_by_it(amara: Supporter, settings: Settings, soft_opt_in: None) -> None:
    consent.answered(amara, wants_news=True, page="/")
    assert consent.may_send_news(amara)
    settings.NEWS_BASIS = "consent"
    assert not consent.may_send_news(amara)
    consent.grant(amara, page="/my-adoption/news/")
    assert consent.may_send_news(amara)


def test_ground_that_there_is_not_stops_the_start(settings: Settings) -> None:
    assert news_has_a_ground() == []
    settings.NEWS_BASIS = "hope"
    assert [error.id for error in news_has_a_ground()] == ["pugmark.E008"]


# --- one click ---------------------------------------------------------------------------------------------------


@pytest.mark.threat("L1")
def test_looking_at_the_link_unsubscribes_nobody(client: Client, reader: Supporter) -> None:
    for _ in range(3):
        assert b"Stop the news" in client.get(path(reader)).content
        client.head(path(reader))
    assert consent.may_send_news(reader)


def test_mail_program_unsubscribes_with_one_post_as_rfc_8058_says(browser_client: Client, reader: Supporter) -> None:
    response = browser_client.post(
        path(reader), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert (response.status_code, dict(response.cookies)) == (200, {})
    assert not consent.may_send_news(reader)


def test_unsubscribing_again_is_the_same_page_and_no_second_event(client: Client, reader: Supporter) -> None:
    assert client.post(path(reader)).content == client.post(path(reader)).content
    assert ConsentEvent.objects.filter(state="withdrawn").count() == 1


def test_unsubscribing_can_be_undone_from_the_same_page(client: Client, reader: Supporter) -> None:
    client.post(path(reader))
    assert b"You get news again" in client.post(path(reader), {"undo": "1"}).content
    assert consent.may_send_news(reader)


def test_undoing_signs_up_nobody_who_had_not_said_yes(client: Client, amara: Supporter) -> None:
    client.post(path(amara))
    client.post(path(amara), {"undo": "1"})
    assert not consent.may_send_news(amara)


def test_what_staff_suppressed_stays_so(client: Client, reader: Supporter) -> None:
    consent.suppress(consent.address_hash(reader.email), reason=Suppression.Reason.PREFERENCE_SERVICE)
    client.post(path(reader), {"undo": "1"})
    assert not consent.may_send_news(reader)


@pytest.mark.parametrize(("act", "reason"), [("stop_news", "staff"), ("stop_news_for_the_service", "fps")])
def test_staff_end_news_for_good(admin_client: Client, reader: Supporter, act: str, reason: str) -> None:
    rows = reverse("admin:adoptions_supporter_changelist")
    asked = admin_client.post(rows, {"action": act, "_selected_action": [reader.pk]})
    assert "no news from this moment on" in asked.text
    assert not Suppression.objects.exists()
    for _ in range(2):
        press_twice(admin_client, rows, {"action": act, "_selected_action": [reader.pk]})
    event = ConsentEvent.objects.filter(state="withdrawn").get()
    assert (event.given_by, str(event.by), event.page) == ("staff", "admin", "admin")
    assert Suppression.objects.get().reason == reason
    signed_in(reader).post("/my-adoption/news/", {"wants_news": "yes"})
    assert not consent.may_send_news(reader)


def test_tick_by_somebody_else_does_not_undo_an_unsubscribing(client: Client, reader: Supporter) -> None:
    client.post(path(reader))
    consent.grant(reader, page="/adopt/amur-leopard/")
    assert not consent.may_send_news(reader)


@pytest.mark.parametrize("token", ["x", "x.y", "A" * 64 + "." + "B" * 43, "%F0%9F%90%86", "a" * 3000])
def test_link_that_is_not_ours_is_404_and_writes_nothing(client: Client, token: str) -> None:
    assert client.get(f"/unsubscribe/{token}/").status_code == 404
    assert client.post(f"/unsubscribe/{token}/").status_code == 404
    assert Suppression.objects.count() == 0


def test_wish_can_be_changed_when_signed_in(reader: Supporter) -> None:
    client = signed_in(reader)
    client.post("/my-adoption/news/", {"wants_news": "no"})
    assert not consent.may_send_news(reader)
    client.post("/my-adoption/news/", {"wants_news": "yes"})
    assert consent.may_send_news(reader)


# --- what the database refuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"supporter": None},
        {"given_by": "staff"},
        {"basis": ""},
        {"wording": ""},
    ],
)
def test_yes_that_nobody_gave_cannot_be_written(amara: Supporter, values: dict[str, Any]) -> None:
    yes = {"supporter": amara, "address_hash": "x", "state": "granted", "basis": "consent", "wording": "Yes"}
    at = datetime(2026, 11, 1, tzinfo=UTC)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentEvent.objects.create(**{**yes, "page": "/", "at": at, **values})


def test_events_are_never_changed_or_deleted(reader: Supporter) -> None:
    for act in (lambda: ConsentEvent.objects.update(page="/x"), lambda: ConsentEvent.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            act()


def test_suppression_holds_for_the_address_however_it_is_written() -> None:
    make_supporter()
    assert consent.address_hash(" Amara@Example.org ") == consent.address_hash("amara@example.org")
