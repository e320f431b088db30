"""What staff see of adoptions: useful, flat in queries, and never editable where money is concerned."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from adoptions.models import (
    Adoption,
    Attention,
    Campaign,
    CampaignDay,
    Closure,
    Comparison,
    ConsentEvent,
    Difference,
    Gift,
    GiftAidDeclaration,
    Payment,
    RefundRequest,
    StripeEvent,
    Supporter,
)
from config import long_lists
from config.mail import queue_mail
from config.models import BlockedLoad, Mail
from tests.asked_first import press_twice
from tests.makers import make_active_adoption, make_payment, make_plan, make_species, make_supporter

pytestmark = pytest.mark.django_db
LISTS = [
    "adoption",
    "supporter",
    "campaign",
    "plan",
    "stripeevent",
    "payment",
    "gift",
    "refundrequest",
    "difference",
    "comparison",
    "attention",
    "closure",
    "consentevent",
    "giftaiddeclaration",
]


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
        make_said(n, adoption)
        make_troubles(n, adoption)


def make_said(n: int, adoption: Adoption) -> None:
    """What the supporter said about news, and about their taxes under the name they have there."""
    supporter = adoption.supporter
    ConsentEvent.objects.create(
        supporter=supporter, address_hash=f"{n}", state="withdrawn", page="Unsubscribe", at=timezone.now()
    )
    GiftAidDeclaration.objects.create(
        supporter=supporter,
        first_name="Zoë",
        last_name=f"O’Neil {n}",
        address="4 Mill Lane",
        postcode=f"LS1 {n % 10}AB",
        charity_name="Us",
        wording_version="1",
        wording="I pay tax.",
        covers_from="2026-11-01",
    )


def make_troubles(n: int, adoption: Adoption) -> None:
    staff = User.objects.get_or_create(username="finance")[0]
    StripeEvent.objects.create(id=f"evt_{n}", type="invoice.paid", body=b'{"a": "<script>"}')
    RefundRequest.objects.create(
        public_id=uuid.uuid4(), payment=adoption.payments.get(), amount_pence=1, reason="duplicate", by=staff
    )
    Difference.objects.create(kind="amount", stripe_id=f"ch_{n}", adoption=adoption)
    Comparison.objects.create(started_at=timezone.now(), days=3)
    Attention.objects.create(kind="held", key=f"PM-{n}", adoption=adoption, reason="Look.")
    Closure.objects.create(whom="network", digest=f"{n}", because="Tries.", until=timezone.now())


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
        supporter = make_supporter("Amara", f"amara{n}@example.org")
        adoption = make_active_adoption(supporter=supporter, campaign=campaign, is_gift=True)
        Gift.objects.create(adoption=adoption, recipient_name="Ellie")
        make_said(n, adoption)
        make_troubles(n, adoption)


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
        lambda a: a.payments.earliest("pk").stripe_id,
        lambda a: a.reference[3:7].lower(),
        lambda a: "AMARA1@exam",
        lambda a: "amara 1",
        lambda a: "4242",
    ],
)
def test_adoption_is_found_by_what_a_caller_says(marek: Client, find: Callable[[Any], str]) -> None:
    make_rows(2)
    adoption = Campaign.objects.get(code="code-1").adoptions.get()
    make_payment(adoption, card_last4="4242")
    page = marek.get(reverse("admin:adoptions_adoption_changelist"), {"q": find(adoption)})
    assert adoption.reference in page.content.decode()


@pytest.mark.parametrize(
    ("name", "find"),
    [
        ("supporter", lambda a: a.supporter.name),
        ("supporter", lambda a: a.reference),
        ("supporter", lambda a: "amara1@"),
        ("gift", lambda a: a.reference),
        ("gift", lambda a: "amara1@example.org"),
        ("payment", lambda a: a.reference),
        ("payment", lambda a: a.payments.get().stripe_id),
        ("refundrequest", lambda a: a.reference),
        ("difference", lambda a: a.reference),
        ("attention", lambda a: "PM-1"),
        ("stripeevent", lambda a: "evt_1"),
        ("consentevent", lambda a: "1 amar"),
        ("consentevent", lambda a: "AMARA1@exam"),
        ("consentevent", lambda a: a.reference),
        ("giftaiddeclaration", lambda a: "zoe o'neil 1"),
        ("giftaiddeclaration", lambda a: "ls11ab"),
        ("giftaiddeclaration", lambda a: "LS1 1AB"),
        ("giftaiddeclaration", lambda a: "amara1@"),
        ("giftaiddeclaration", lambda a: a.reference),
    ],
)
def test_each_list_finds_one_row_of_two_by_what_staff_know(
    marek: Client, name: str, find: Callable[[Any], str]
) -> None:
    make_rows(2)
    adoption = Campaign.objects.get(code="code-1").adoptions.get()
    answer = marek.get(reverse(f"admin:adoptions_{name}_changelist"), {"q": find(adoption)})
    assert answer.context["cl"].result_count == 1


def test_word_that_is_nowhere_finds_nothing_and_a_beginning_is_enough(marek: Client) -> None:
    make_rows(2)
    for words, expected in (("elli", 2), ("llie", 0), ("zoe", 0), ("' | !", 0), ("ellie amara", 0)):
        answer = marek.get(reverse("admin:adoptions_adoption_changelist"), {"q": words})
        assert answer.context["cl"].result_count == expected, words


def test_long_list_is_estimated_and_ends_where_paging_would_be_slow(
    marek: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_lists, "COUNTED", 4)
    make_rows(1)
    address = reverse("admin:adoptions_payment_changelist")
    assert "is an estimate" not in marek.get(address).content.decode()
    make_more()
    for n in range(20, 24):
        make_payment(Adoption.objects.latest("pk"), stripe_id=f"ch_{n}")
    answer = marek.get(address)
    assert answer.context["cl"].result_count >= 5
    assert (answer.context["cl"].paginator.num_pages, "is an estimate" in answer.content.decode()) == (1, True)


def test_no_list_sorts_counts_or_searches_what_has_no_index(marek: Client) -> None:
    """The plans PostgreSQL makes once it may not read a whole table: an index for each list as it opens."""
    make_rows(3)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    opened = (Adoption, Payment, Supporter, Gift, StripeEvent, Difference, Attention, RefundRequest, Comparison)
    for model in (*opened, ConsentEvent, GiftAidDeclaration):
        asked = admin.site.get_model_admin(model).get_ordering(RequestFactory().get("/"))
        plan = model._default_manager.order_by(*(asked or model._meta.ordering or []))[:50].explain()
        assert "Seq Scan" not in plan, plan
        assert not re.search(r"(?<!Incremental )Sort  \(", plan), plan


HOSTILE_QUERIES = ["\x00", "%", "'\"", "🐆" * 300, "a" * 5000, "1e999", "a:* & !b | (", "PM-", "٤٢٤٢"]


def test_no_search_breaks_a_list(marek: Client) -> None:
    broken = []
    for model, screen in admin.site._registry.items():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        queries = HOSTILE_QUERIES if screen.search_fields else ["x"]
        codes = {marek.get(address, {"q": query}).status_code for query in queries}
        broken += [] if codes <= {200, 302, 400} else [(address, codes)]
    assert broken == []


def test_list_without_a_search_ignores_what_is_asked_of_it(marek: Client) -> None:
    BlockedLoad.objects.note(rule="img-src", source="https://x.example", page="")
    page = marek.get(reverse("admin:config_blockedload_changelist"), {"q": "nobody"}).text
    assert "https://x.example" in page


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
    again = {"action": "send_again", "_selected_action": [mail.pk]}
    marek.post(reverse("admin:config_mail_changelist"), again)
    mail.refresh_from_db()
    assert mail.state == "queued"
    other = Mail.objects.create(key="l", kind="receipt", to="b@example.org", subject="s", message_id="<2>")
    Mail.objects.all().claim(for_time=timedelta(minutes=1))
    Mail.objects.all().mark_sent()
    several = {**again, "_selected_action": [mail.pk, other.pk]}
    press_twice(marek, reverse("admin:config_mail_changelist"), several, reads=("It concerns 2 rows",))
    assert Mail.objects.filter(state="queued").count() == 2


def test_mail_is_shown_with_its_looks_and_runs_nothing(marek: Client, client: Client) -> None:
    mail = Mail.objects.create(
        key="k", kind="receipt", to="a@example.org", subject="s", text="t", html="<script>x</script>", message_id="<1>"
    )
    address = reverse("admin:mail_html", args=[mail.pk])
    assert address in marek.get(reverse("admin:config_mail_change", args=[mail.pk])).content.decode()
    response = marek.get(address)
    policy = response.headers["Content-Security-Policy"]
    assert ("sandbox" in policy, "default-src 'none'" in policy, "script-src" in policy) == (True, True, False)
    assert response.content == b"<script>x</script>"
    marek.logout()
    assert marek.get(address).status_code == 302


def test_admin_is_for_staff(client: Client) -> None:
    for name in LISTS:
        response = client.get(reverse(f"admin:adoptions_{name}_changelist"))
        assert (response.status_code, response.headers["Location"].split("?")[0]) == (302, "/admin/login/")


@pytest.mark.django_db
def test_mail_that_opens_somebodys_page_is_read_without_its_key(client: Client) -> None:
    """Otherwise whoever may read the log of mails is any supporter for an hour."""
    client.force_login(User.objects.create_superuser("fiona"))
    adoption = make_active_adoption()
    context = {"url": "https://example.org/my-adoption/" + "k3Y-" * 10, "code": "481516", "minutes": 10}
    queue_mail("manage_link", to=adoption.supporter.email, key="1", context=context)
    mail = Mail.objects.get(kind="manage_link")
    for page in (f"/admin/config/mail/{mail.pk}/change/", reverse("admin:mail_html", args=[mail.pk])):
        seen = client.get(page).text
        assert "k3Y-" not in seen
        assert "481516" not in seen
        assert "link to your adoption" in seen


def test_page_of_a_payment_and_of_a_refund_speaks_of_pounds(admin_client: Client) -> None:
    payment = make_payment(make_active_adoption(), amount_pence=12000)
    wanted = RefundRequest.objects.create(
        public_id=uuid.uuid4(), payment=payment, amount_pence=11950, by=User.objects.get(), reason="duplicate"
    )
    for row, amount in ((payment, "£120"), (wanted, "£119.50")):
        page = admin_client.get(reverse(f"admin:adoptions_{row._meta.model_name}_change", args=[row.pk])).text
        assert (amount in page, "pence" in page.lower()) == (True, False)
    finn = User.objects.create(username="finn")
    RefundRequest.objects.create(public_id=uuid.uuid4(), payment=payment, amount_pence=1, by=finn, reason="duplicate")
    assert "By who asked" in admin_client.get(reverse("admin:adoptions_refundrequest_changelist")).text
