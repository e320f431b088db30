"""The first page of the admin: what needs whom today, each number a link to exactly its rows."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from adoptions.models import Attention, Campaign, StripeEvent
from adoptions.today import matters
from config.models import Mail
from species.models import Comment
from tests.makers import make_active_adoption, make_adoption, make_species

pytestmark = pytest.mark.django_db


@pytest.fixture
def fiona() -> User:
    return User.objects.create_superuser("fiona", "fiona@example.org", "x")


def counts(user: User) -> dict[str, int]:
    return {matter.label: matter.count for matter in matters(user)}


def make_trouble() -> None:
    adoption = make_active_adoption()
    make_adoption(
        frequency="monthly",
        state="past_due",
        activated_at=timezone.now(),
        stripe_subscription_id="sub_1",
        amount_pence=500,
    )
    Attention.objects.create(kind="dispute", key="dp_1", adoption=adoption, reason="The bank wants it back.")
    StripeEvent.objects.create(id="evt_1", type="invoice.paid", body=b"{}", state="parked", error="x")
    Campaign.objects.create(code="running", name="Now", species=make_species())
    Campaign.objects.create(
        code="over",
        name="Then",
        destination="home",
        starts_at=timezone.now() - timedelta(9),
        ends_at=timezone.now() - timedelta(1),
    )
    Comment.objects.create(species=make_species(), name="Sam", email="sam@example.org", body="Hello")
    for number, state in enumerate(("failed", "queued")):
        mail = Mail.objects.create(
            key=f"k{number}",
            kind="receipt",
            to="a@example.org",
            subject="s",
            text="t",
            html="h",
            message_id=f"<{number}>",
            state=state,
        )
        Mail.objects.filter(pk=mail.pk).update(created_at=timezone.now() - timedelta(hours=1))


def test_nothing_waits_on_a_quiet_day(fiona: User) -> None:
    assert set(counts(fiona).values()) == {0}


def test_each_number_counts_its_rows(fiona: User) -> None:
    make_trouble()
    assert counts(fiona) == {
        "differences with Stripe": 0,
        "things to look at": 1,
        "complaints to answer": 0,
        "events of Stripe's that could not be worked": 1,
        "cheques, cash and transfers to find at the bank": 0,
        "mails that do not get through": 2,
        "adoptions whose payment failed": 1,
        "comments waiting": 1,
        "presents going out this week": 0,
        "pairs that may be one person": 0,
        "facts due for review": 0,
        "campaigns running": 1,
    }


def test_bad_news_comes_first(fiona: User) -> None:
    make_trouble()
    urgent = [bool(matter.is_urgent and matter.count) for matter in matters(fiona)]
    assert urgent == sorted(urgent, reverse=True)


def test_first_page_links_every_number_to_a_page_that_opens(client: Client, fiona: User) -> None:
    make_trouble()
    client.force_login(fiona)
    page = client.get("/admin/").content.decode()
    for matter in matters(fiona):
        assert f'href="{matter.address}"' in page
        assert client.get(matter.address).status_code == 200, matter.label


def test_nobody_sees_a_number_about_rows_they_may_not_see(client: Client) -> None:
    make_trouble()
    marek = User.objects.create_user("marek", is_staff=True)
    marek.user_permissions.add(Permission.objects.get(codename="view_comment"))
    assert list(counts(marek)) == ["comments waiting"]
    client.force_login(marek)
    page = client.get("/admin/").content.decode()
    assert "comments waiting" in page
    assert "differences with Stripe" not in page


def test_first_page_asks_as_much_on_a_busy_day_as_on_a_quiet_one(
    fiona: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_trouble()
    with django_assert_max_num_queries(17):
        matters(fiona)
