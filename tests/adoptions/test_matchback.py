"""Answers without a campaign's link: found by who was mailed, kept apart, counted once, forgotten with the person."""

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_tasks_db.models import DBTaskResult
from hypothesis import example, given
from hypothesis import strategies as st

from adoptions import campaign_report, matchback, personal_data
from adoptions.consent import address_hash
from adoptions.models import Adoption, Answer, Campaign, Payment, PaymentKind, SendList, SentTo, Source, Supporter
from adoptions.tasks import look_back_at_mails
from tests.adoptions.test_adopting import at_once
from tests.makers import make_active_adoption, make_adoption, make_campaign, make_payment, make_supporter

pytestmark = pytest.mark.django_db

SENT = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, 18, tzinfo=UTC)
LIST = b"Name,Email\r\nAmara,Amara@Example.org\r\nMarek,<marek@example.org>;\r\nagain,amara@example.org\r\n"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as travelling:
        yield travelling


@pytest.fixture
def fiona() -> User:
    return User.objects.create_superuser("fiona", "fiona@example.org", "x")


def sent(campaign: Campaign, by: User, words: bytes = LIST, day: date = SENT) -> SendList:
    made = matchback.take(io.BytesIO(words), campaign=campaign, sent_on=day, by=by)
    assert made
    return made


def adopted(email: str, *, days: int, pence: int = 3600, **values: Any) -> Adoption:
    who = Supporter.objects.filter(email=email).first() or make_supporter("Somebody", email)
    when = NOW + timedelta(days=days)
    made = make_active_adoption(supporter=who, amount_pence=pence, **values)
    Adoption.objects.filter(pk=made.pk).update(created_at=when)
    return made


def season(by: User) -> Campaign:
    winter = make_campaign("winter26")
    sent(winter, by)
    adopted("amara@example.org", days=3)
    adopted("MAREK@example.org", days=31)
    adopted("amara@example.org", days=91)  # too late
    adopted("amara@example.org", days=-1)  # before it
    adopted("stranger@example.org", days=3)  # not mailed
    adopted("amara@example.org", days=4, campaign=winter, campaign_code="winter26")  # by its link
    adopted("amara@example.org", days=5, campaign_code="partner-x")  # by another
    adopted("amara@example.org", days=5, source=Source.IMPORT, entered_by=by)  # of before
    make_adoption(supporter=Supporter.objects.get(email="amara@example.org"))  # never paid
    return winter


def told(*campaigns: Campaign) -> list[tuple[str, int, int, int]]:
    return [(f.campaign.code, f.within, f.adoptions, f.income_pence) for f in matchback.figures(campaigns)]


def test_answers_are_found_by_who_was_mailed_and_by_nothing_else(fiona: User) -> None:
    winter = season(fiona)
    look_back_at_mails.func()
    assert told(winter) == [("winter26", 30, 1, 3600), ("winter26", 90, 2, 7200)]
    look_back_at_mails.func()
    assert told(winter) == [("winter26", 30, 1, 3600), ("winter26", 90, 2, 7200)]


def test_figures_equal_an_independent_calculation(fiona: User) -> None:
    winter = season(fiona)
    sent(winter, fiona, b"marek@example.org amara@example.org", SENT + timedelta(days=2))  # reminded: counts once
    answered = Adoption.objects.get(supporter__email="amara@example.org", created_at=NOW + timedelta(days=3))
    charge = answered.payments.get()
    make_payment(answered, kind=PaymentKind.REFUND, amount_pence=-600, stripe_id="re_1", charge=charge)
    look_back_at_mails.func()
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(DISTINCT a.id), coalesce(sum(p.amount_pence), 0) FROM adoptions_adoption a
               JOIN adoptions_supporter s ON s.id = a.supporter_id JOIN adoptions_payment p ON p.adoption_id = a.id
               WHERE a.campaign_code = '' AND a.source <> 'import' AND a.activated_at IS NOT NULL
               AND lower(s.email) IN ('amara@example.org', 'marek@example.org')
               AND (a.created_at AT TIME ZONE 'Europe/London')::date BETWEEN '2026-11-01' AND '2027-02-01'"""
        )
        assert told(winter)[1] == ("winter26", 90, *cursor.fetchone())
    assert told(winter)[1][2:] == (3, 3 * 3600 - 600)  # the third within 90 days of the reminder


def test_they_are_in_no_other_figure(fiona: User) -> None:
    winter = season(fiona)
    [before] = campaign_report.figures([winter])
    look_back_at_mails.func()
    assert campaign_report.figures([winter]) == [before]
    assert (before.adoptions, before.income_pence) == (1, 3600)
    assert told(make_campaign("other26")) == []


def test_list_is_kept_as_digests_and_each_address_once(fiona: User) -> None:
    made = sent(make_campaign(), fiona)
    assert made.addresses == SentTo.objects.count() == 2
    assert set(SentTo.objects.values_list("address_hash", flat=True)) == {
        address_hash("amara@example.org"),
        address_hash("marek@example.org"),
    }
    assert matchback.take(io.BytesIO(b"no address\nat @ all"), campaign=made.campaign, sent_on=SENT, by=fiona) is None
    assert SendList.objects.count() == 1


@given(st.binary(max_size=200))
@example(b"a" * (4 << 20))  # one line of megabytes
@example(b"a@" * (2 << 20))
def test_any_file_is_read(body: bytes) -> None:
    for found in matchback.addresses_in(body):
        assert "@" in found
        assert len(address_hash(found)) == 64


def test_addresses_are_found_however_they_are_written() -> None:
    line = b'"Zoe" <zoe@example.org>;mailto:a.b+c@mail.example.co.uk,(x@y.z) no@dot @example.org at@ a@.org two@@a.org'
    assert list(matchback.addresses_in(line)) == [
        "zoe@example.org",
        "a.b+c@mail.example.co.uk",
        "x@y.z",
        "two@@a.org",
    ]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_find_each_answer_once(fiona: User) -> None:
    winter = season(fiona)
    at_once(4, matchback.look_back)
    assert (Answer.objects.count(), told(winter)[1]) == (2, ("winter26", 90, 2, 7200))


def test_who_asks_is_told_and_who_is_erased_is_on_no_list(fiona: User) -> None:
    amara = make_supporter()
    sent(make_campaign(name="Winter mailing"), fiona)
    mailings = personal_data.export(amara)["mailings_you_were_sent"]
    assert mailings == [{"mailing": "Winter mailing", "sent_on": SENT}]
    assert personal_data.erase(amara)
    assert list(SentTo.objects.values_list("address_hash", flat=True)) == [address_hash("marek@example.org")]


def test_staff_bring_a_list_look_at_what_came_and_let_go_of_it(client: Client, fiona: User) -> None:
    client.force_login(fiona)
    winter = season(fiona)
    SendList.objects.all().delete()
    page = reverse("admin:adoptions_campaign_sent", args=[winter.pk])
    assert 'type="date" name="sent_on" value="2026-11-01"' in client.get(page).text  # as browsers read it
    for bad in ({}, {"sent_on": "2026-07-01"}, {"sent_on": "2026-11-02"}, {"sent_on": "2026-11-01", "file": b"none"}):
        sends = {**bad, **({"file": io.BytesIO(b"nobody")} if "file" in bad else {})}
        assert client.post(page, sends).status_code == 422
    assert not SendList.objects.exists()
    answer = client.post(page, {"sent_on": "2026-11-01", "file": io.BytesIO(LIST)}, follow=True)
    assert "2 addresses are kept" in answer.text
    assert DBTaskResult.objects.filter(task_path="adoptions.tasks.look_back_at_mails").exists()
    look_back_at_mails.func()
    assert f"?answers={winter.pk}-30" in client.get(page).text
    behind = client.get(reverse("admin:adoptions_adoption_changelist"), {"answers": f"{winter.pk}-90"})
    assert behind.context["cl"].result_count == 2
    assert (
        client.get(reverse("admin:adoptions_adoption_changelist"), {"answers": "x-'"}).context["cl"].result_count == 0
    )
    report = client.get(reverse("admin:adoptions_campaign_report"))
    assert "Answers without the link" in report.text
    written = client.get(reverse("admin:adoptions_campaign_answers")).text
    assert "winter26,90,2,72.00" in written
    [made] = SendList.objects.all()
    forget = reverse("admin:adoptions_campaign_forget_list", args=[winter.pk, made.pk])
    asked = client.get(forget)
    assert "2 answers that were found by it" in asked.text
    assert client.post(forget, {"sure": "not what it says"}).status_code == 200
    assert SendList.objects.exists()
    client.post(forget, {"sure": asked.context["said"]})
    assert not SendList.objects.exists() | SentTo.objects.exists() | Answer.objects.exists()


def test_questions_do_not_grow_with_campaigns_and_answers(fiona: User, django_assert_num_queries: Any) -> None:
    winter = season(fiona)
    look_back_at_mails.func()
    more = [make_campaign(f"more-{number}") for number in range(3)]
    for each in more:
        sent(each, fiona)
    look_back_at_mails.func()
    for campaigns in ([winter], [winter, *more]):
        with django_assert_num_queries(3):
            assert len(list(matchback.figures(campaigns))) == 2 * len(campaigns)
    assert Payment.objects.count() == 8
