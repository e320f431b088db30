"""“Since you adopted” by mail: to whom it may go, only what is new to them, once, and never too often."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as django_mail
from django.test import Client
from django.utils import timezone

from adoptions import consent, updates
from adoptions.models import Adoption, Supporter
from config.mail import deliver
from config.models import Mail
from species.models import FieldNote, Species
from tests.makers import make_active_adoption, make_species, make_supporter

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def days(number: int) -> timedelta:
    return timedelta(days=number)


def reader(email: str = "amara@example.org", *, since: int = 200, says_yes: bool = True, **values: Any) -> Supporter:
    adoption = make_active_adoption(supporter=make_supporter(email.split("@")[0], email), **values)
    Adoption.objects.filter(pk=adoption.pk).update(activated_at=NOON - days(since))
    if says_yes:
        consent.grant(adoption.supporter, page="/")
    return adoption.supporter


def note(title: str, *, ago: int, species: Species | None = None) -> FieldNote:
    return FieldNote.objects.create(
        species=species or make_species(),
        slug=title.lower().replace(" ", "-"),
        title=title,
        body=f"Words of {title}.",
        seen_on=(NOON - days(ago)).date(),
        published_at=NOON - days(ago),
    )


def told() -> list[str]:
    return list(Mail.objects.filter(kind="field_notes").order_by("pk").values_list("text", flat=True))


def test_reader_is_told_what_is_new_since_they_adopted_and_nothing_twice() -> None:
    reader()
    note("Before their time", ago=300)
    note("First cub", ago=150)
    note("Of tomorrow", ago=-1)
    note("Of another animal", ago=10, species=make_species("amur-tiger"))
    for _ in range(3):
        updates.send_due()
    [text] = told()
    assert "First cub" in text
    for title in ("Before their time", "Of tomorrow", "Of another animal"):
        assert title not in text


def test_next_mail_holds_only_what_is_new_since_the_last(noon: Any) -> None:
    reader()
    note("First cub", ago=150)
    updates.send_due()
    noon.move_to(NOON + days(60))
    FieldNote.objects.filter(slug="first-cub").update(title="First cub, put right")
    note("Deep snow", ago=-30)
    assert updates.send_due() == 0  # too soon
    noon.move_to(NOON + days(116))
    assert updates.send_due() == 1
    assert ("Deep snow" in told()[1], "First cub" in told()[1]) == (True, False)


def test_two_readers_are_told_different_things() -> None:
    reader("amara@example.org", since=200)
    reader("sam@example.org", since=140)
    note("First cub", ago=150)
    note("Deep snow", ago=100)
    updates.send_due()
    amara, sam = told()
    assert ("First cub" in amara, "Deep snow" in amara) == (True, True)
    assert ("First cub" in sam, "Deep snow" in sam) == (False, True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: reader(says_yes=False),
        lambda: consent.withdraw(consent.address_hash(reader().email), page="/"),
        lambda: reader(since=60),
        lambda: Supporter.objects.filter(pk=reader().pk).update(told_until=NOON - days(60)),
        lambda: Adoption.objects.filter(supporter=reader()).end(at=NOON),
    ],
    ids=["silent", "withdrew", "adopted lately", "told lately", "ended"],
)
def test_nobody_else_is_told(make: Any) -> None:
    make()
    note("First cub", ago=30)
    assert (updates.send_due(), told()) == (0, [])


def test_whose_mail_came_back_is_not_written_to_again(noon: Any) -> None:
    reader()
    note("First cub", ago=150)
    updates.send_due()
    Mail.objects.filter(kind="field_notes").claim(for_time=days(1))
    Mail.objects.filter(kind="field_notes").bounce(reason="550")
    noon.move_to(NOON + days(200))
    note("Deep snow", ago=-150)
    assert updates.send_due() == 0


def test_nothing_goes_out_at_night(noon: Any) -> None:
    reader()
    note("First cub", ago=150)
    noon.move_to(NOON + timedelta(hours=12))
    assert updates.send_due() == 0


def test_two_workers_at_once_send_one() -> None:
    supporter = reader()
    note("First cub", ago=150)
    stale = Supporter.objects.get(pk=supporter.pk)
    assert (updates.send(stale, timezone.now()), updates.send(stale, timezone.now())) == (True, False)


def test_one_click_ends_it_as_rfc_8058_says(browser_client: Client) -> None:
    supporter = reader()
    note("First cub", ago=150)
    updates.send_due()
    deliver.call(Mail.objects.get(kind="field_notes").pk)
    [sent] = django_mail.outbox
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = sent.extra_headers["List-Unsubscribe"].strip("<>")
    assert address in sent.body
    path = address.removeprefix("http://127.0.0.1:8000")
    posted = browser_client.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert posted.status_code == 200
    assert not consent.may_send_news(supporter)


def test_finding_who_is_due_takes_one_query(django_assert_num_queries: Any) -> None:
    for number in range(3):
        reader(f"reader-{number}@example.org")
    note("First cub", ago=30)
    with django_assert_num_queries(1):
        assert len(updates.due(NOON)) == 3
