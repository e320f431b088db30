"""What staff see of adoptions: useful, flat in queries, and never editable where money is concerned."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from adoptions.models import Campaign, CampaignDay, Gift, StripeEvent
from config.models import Mail
from tests.makers import make_active_adoption, make_plan, make_species, make_supporter

pytestmark = pytest.mark.django_db
LISTS = ["adoption", "supporter", "campaign", "plan", "stripeevent"]


@pytest.fixture
def marek(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("marek", "marek@example.org", "x"))
    return client


def make_rows(number: int) -> None:
    """So many of everything."""
    make_plan()
    for n in range(number):
        campaign = Campaign.objects.create(code=f"code-{n}", name=f"Mail {n}", species=make_species())
        CampaignDay.objects.create(campaign=campaign, day="2026-11-24", landings=7)
        adoption = make_active_adoption(
            supporter=make_supporter(f"Amara {n}", f"amara{n}@example.org"), campaign=campaign, is_gift=True
        )
        Gift.objects.create(adoption=adoption, recipient_name="Ellie <script>alert(1)</script>")
        StripeEvent.objects.create(id=f"evt_{n}", type="invoice.paid", body=b'{"a": "<script>"}')


@pytest.mark.parametrize("name", LISTS)
def test_list_takes_as_many_queries_for_five_rows_as_for_one(
    marek: Client, name: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    address = reverse(f"admin:adoptions_{name}_changelist")
    make_rows(1)
    marek.get(address)
    with_one = queries_of(marek, address)
    make_more()
    with django_assert_num_queries(with_one):
        assert marek.get(address).status_code == 200


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def make_more() -> None:
    for n in range(10, 14):
        campaign = Campaign.objects.create(code=f"code-{n}", name="Mail", species=make_species())
        make_active_adoption(supporter=make_supporter("Amara", f"amara{n}@example.org"), campaign=campaign)
        StripeEvent.objects.create(id=f"evt_{n}", type="invoice.paid", body=b"{}")


def test_adoption_shows_its_money_and_offers_no_way_to_change_it(marek: Client) -> None:
    make_rows(1)
    adoption = Campaign.objects.get().adoptions.get()
    page = marek.get(reverse("admin:adoptions_adoption_change", args=[adoption.pk])).content.decode()
    assert "£36" in page
    assert adoption.payments.get().stripe_id in page
    assert "Ellie &lt;script&gt;" in page
    assert 'name="_save"' not in page
    assert marek.post(reverse("admin:adoptions_adoption_delete", args=[adoption.pk])).status_code == 403


@pytest.mark.parametrize(
    "find",
    [
        lambda a: a.reference,
        lambda a: a.supporter.email,
        lambda a: a.supporter.name,
        lambda a: "Ellie",
        lambda a: a.payments.get().stripe_id,
    ],
)
def test_adoption_is_found_by_what_a_caller_says(marek: Client, find: Callable[[Any], str]) -> None:
    make_rows(2)
    adoption = Campaign.objects.get(code="code-1").adoptions.get()
    page = marek.get(reverse("admin:adoptions_adoption_changelist"), {"q": find(adoption)})
    assert adoption.reference in page.content.decode()


@pytest.mark.parametrize("query", ["", "\x00", "%", "'\"", "🐆" * 300, "a" * 5000, "1e999"])
@pytest.mark.parametrize("name", LISTS)
def test_no_search_breaks_a_list(marek: Client, name: str, query: str) -> None:
    response = marek.get(reverse(f"admin:adoptions_{name}_changelist"), {"q": query})
    assert response.status_code in {200, 302, 400}


def test_campaign_tells_what_it_brought(marek: Client) -> None:
    make_rows(1)
    page = marek.get(reverse("admin:adoptions_campaign_changelist")).content.decode()
    assert '<td class="field-landings">7</td>' in page
    assert '<td class="field-adoptions_count">1</td>' in page


def test_campaign_code_is_never_changed_once_it_was_made(marek: Client) -> None:
    make_rows(1)
    campaign = Campaign.objects.get()
    marek.post(reverse("admin:adoptions_campaign_change", args=[campaign.pk]), {"code": "other", "name": "x"})
    campaign.refresh_from_db()
    assert campaign.code == "code-0"


def test_event_is_worked_again_at_the_press_of_a_button(marek: Client) -> None:
    StripeEvent.objects.create(id="evt_1", type="invoice.paid", body=b"{}", state="parked", error="x")
    response = marek.post(
        reverse("admin:adoptions_stripeevent_changelist"),
        {"action": "work_again", "_selected_action": ["evt_1"]},
        follow=True,
    )
    assert "1 events will be worked again" in response.content.decode()


def test_mail_log_shows_what_was_sent_and_sends_it_again(marek: Client) -> None:
    mail = Mail.objects.create(
        key="k", kind="receipt", to="a@example.org", subject="Thank <you>", text="Hello", html="h", message_id="<1>"
    )
    assert "Thank &lt;you&gt;" in marek.get(reverse("admin:config_mail_changelist")).content.decode()
    assert "Hello" in marek.get(reverse("admin:config_mail_change", args=[mail.pk])).content.decode()
    Mail.objects.all().claim(for_time=timedelta(minutes=1))
    Mail.objects.all().mark_sent()
    marek.post(reverse("admin:config_mail_changelist"), {"action": "send_again", "_selected_action": [mail.pk]})
    mail.refresh_from_db()
    assert mail.state == "queued"


def test_admin_is_for_staff(client: Client) -> None:
    for name in LISTS:
        response = client.get(reverse(f"admin:adoptions_{name}_changelist"))
        assert (response.status_code, response.headers["Location"].split("?")[0]) == (302, "/admin/login/")
