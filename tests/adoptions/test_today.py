"""The first page of the admin: what needs whom today, each number a link to exactly its rows."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from adoptions.models import Attention, Campaign, Complaint, Difference, Gift, Likeness, StripeEvent, Supporter
from adoptions.today import matters
from config.models import BlockedLoad, Mail, MailWords
from species.models import Comment
from tests.makers import make_active_adoption, make_adoption, make_species, make_supporter
from tests.species.makers import make_fact

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
    MailWords.objects.create(kind="receipt", subject="Hi", body="{{7*7}}")
    BlockedLoad.objects.note(rule="script-src", source="https://planted.example", page="species:detail")


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
        "refunds waiting for a second person": 0,
        "mails that do not get through": 2,
        "mails whose words of yours can no longer be used": 1,
        "adoptions whose payment failed": 1,
        "comments waiting": 1,
        "presents going out this week": 0,
        "pairs that may be one person": 0,
        "facts due for review": 0,
        "campaigns running": 1,
        "kinds of things that browsers blocked on our pages this week": 1,
    }


def test_bad_news_comes_first(fiona: User) -> None:
    make_trouble()
    urgent = [bool(matter.is_urgent and matter.count) for matter in matters(fiona)]
    assert urgent == sorted(urgent, reverse=True)


def make_decoys() -> None:
    """Beside each number something like it that is not meant."""
    now = timezone.now()
    adoption = make_active_adoption(is_gift=True)
    Attention.objects.create(kind="dispute", key="dp_2", reason="Settled.", resolved_at=now, how="Looked at.")
    Difference.objects.create(kind="missing", stripe_id="ch_1", repaired_at=now, how="Asked again.")
    Gift.objects.create(
        adoption=adoption,
        recipient_name="Ellie",
        recipient_email="ellie@example.org",
        delivery="email",
        state="scheduled",
        deliver_on=timezone.localdate() + timedelta(9),
    )
    make_fact("one", review_due_on=timezone.localdate())
    make_fact("two", review_due_on=timezone.localdate() + timedelta(9))
    for number, (state, days) in enumerate((("bounced", 9), ("bounced", 1), ("queued", 0), ("sent", 0))):
        failed_at = now - timedelta(days) if state == "bounced" else None
        sent_at = now if state in ("sent", "bounced") else None
        about = {"kind": "receipt", "to": "a@example.org", "subject": "s", "message_id": f"<d{number}>"}
        Mail.objects.create(key=f"d{number}", state=state, failed_at=failed_at, sent_at=sent_at, **about)
    first, second, third = (make_supporter("Zoe", f"zoe{number}@example.org") for number in range(3))
    Likeness.objects.create(first=first, second=second, because="name")
    Likeness.objects.create(first=second, second=third, because="name")
    Supporter.objects.filter(pk=third.pk).erase()
    Complaint.objects.create(about="data", name="Sam", email="sam@example.org", words="Stop.")


def test_each_number_leads_to_a_list_of_exactly_as_many_rows(client: Client, fiona: User) -> None:
    make_trouble()
    make_decoys()
    client.force_login(fiona)
    page = client.get("/admin/").content.decode()
    found = {}
    for matter in matters(fiona):
        assert f'href="{matter.address}"' in page
        shown = client.get(matter.address).context
        rows = shown["cl"].result_count if "cl" in shown else len(shown["unusable"])
        found[matter.label] = (matter.count, rows)
    assert {label: pair for label, pair in found.items() if pair[0] != pair[1]} == {}
    assert (found["mails that do not get through"], found["facts due for review"]) == ((3, 3), (1, 1))
    words = " ".join(re.sub("<[^>]+>", " ", page).split())
    assert "1 complaint to answer the first is due in" in words
    assert "3 mails that do not get through" in words


def test_nobody_sees_a_number_about_rows_they_may_not_see(client: Client) -> None:
    make_trouble()
    marek = User.objects.create_user("marek", is_staff=True)
    marek.user_permissions.add(Permission.objects.get(codename="view_comment"))
    assert list(counts(marek)) == ["comments waiting"]
    client.force_login(marek)
    page = client.get("/admin/").content.decode()
    assert "comment waiting" in page
    assert "with Stripe" not in page


def test_first_page_asks_as_much_on_a_busy_day_as_on_a_quiet_one(
    fiona: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_trouble()
    with django_assert_max_num_queries(19):
        matters(fiona)
