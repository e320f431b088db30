"""What many campaigns brought is found without walking through all there is, and is the same."""

from datetime import timedelta
from itertools import batched
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import OuterRef
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adoptions.admin import by_campaign
from adoptions.models import Adoption, AdoptionState, Campaign, Payment
from config import long_lists
from tests.makers import make_active_adoption, make_adoption, make_campaign, make_payment, make_supporter

pytestmark = pytest.mark.django_db

CAMPAIGNS, ADOPTIONS = 6, 60
MOST = 4  # as many as can be paged through here, for the thousand of the site


@pytest.fixture
def campaigns() -> list[Campaign]:
    over = timezone.now() - timedelta(days=1)
    words = {"starts_at": over - timedelta(days=9), "ends_at": over, "utm_source": "appeal"}
    return [make_campaign(f"mail-{number}", **words) for number in range(CAMPAIGNS)]


@pytest.fixture
def adoptions() -> list[Adoption]:
    supporter = make_supporter()
    return [make_adoption(supporter=supporter, stripe_session_id=f"cs_{n}") for n in range(ADOPTIONS)]


@given(
    brought=st.lists(st.integers(0, CAMPAIGNS), min_size=ADOPTIONS, max_size=ADOPTIONS),
    asked=st.sets(st.integers(0, CAMPAIGNS - 1)),
    most=st.integers(1, ADOPTIONS + 5),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_newest_of_campaigns_are_those_of_them_all_in_order(
    campaigns: list[Campaign], adoptions: list[Adoption], brought: list[int], asked: set[int], most: int
) -> None:
    by = [None, *campaigns]
    for adoption, number in zip(adoptions, brought, strict=True):
        adoption.campaign = by[number]
    Adoption.objects.bulk_update(adoptions, ["campaign"])
    wanted = [campaigns[number] for number in asked]
    found = by_campaign.newest_of(
        Campaign.objects.filter(pk__in=[each.pk for each in wanted]),
        Adoption.objects.filter(campaign=OuterRef("pk")),
        most,
    )
    everything = Adoption.objects.filter(campaign__in=wanted).order_by("-pk").values_list("pk", flat=True)
    assert found == list(everything[:most])


def test_rounds_grow_with_what_is_asked_for_and_not_with_the_campaigns(campaigns: list[Campaign]) -> None:
    """One that brought all, as the first share of each is small, and as many as there are that brought nothing."""
    supporter = make_supporter()
    for number in range(40):
        make_adoption(supporter=supporter, stripe_session_id=f"cs_{number}", campaign=campaigns[0])
    rounds = []
    for more in (0, 100):
        for number in range(more):
            make_campaign(f"silent-{number}", utm_source="appeal")
        with CaptureQueriesContext(connection) as asked:
            theirs = Adoption.objects.filter(campaign=OuterRef("pk"))
            found = by_campaign.newest_of(Campaign.objects.filter(utm_source="appeal"), theirs, 32)
        assert len(found) == 32
        rounds.append(len(asked))
    assert rounds[0] <= rounds[1] <= 5, "one to count the campaigns, and shares of 1, 4, 16 and 64"


@pytest.fixture
def fiona(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    for module in (long_lists, by_campaign):
        monkeypatch.setattr(module, "COUNTED", MOST)
    monkeypatch.setattr(by_campaign.ListOfBrought, "list_per_page", 2)
    client.force_login(User.objects.create_superuser("fiona", "fiona@example.org", "x"))
    return client


def paged(client: Client, address: str) -> list[list[Any]]:
    """What stands on each page that can be turned to."""
    first = client.get(address).context["cl"]
    pages = range(1, first.paginator.num_pages + 1)
    return [list(client.get(f"{address}&p={number}").context["cl"].result_list) for number in pages]


@pytest.fixture
def brought(campaigns: list[Campaign]) -> list[Adoption]:
    """Of each campaign in turn, adopted but for every third; and later ones of nobody's."""
    made = []
    for number in range(18):
        campaign = campaigns[number % CAMPAIGNS]
        values = {"campaign": campaign, "campaign_code": campaign.code, "first_campaign_code": campaign.code}
        supporter = make_supporter(f"Zoe {number}", f"zoe{number}@example.org")
        make = make_adoption if number % 3 == 2 else make_active_adoption
        made.append(make(supporter=supporter, stripe_session_id=f"cs_{number}", **values))
    for number in range(18, 24):
        make_active_adoption(supporter=make_supporter(f"Kit {number}", f"kit{number}@example.org"))
    return made


@pytest.mark.usefixtures("brought")
@pytest.mark.parametrize("filters", ["utm_source=appeal", "late=utm_source:appeal", "first=utm_source:appeal"])
def test_pages_of_what_a_word_brought_are_those_of_the_whole_list_in_its_order(fiona: Client, filters: str) -> None:
    of_campaigns = Adoption.objects.exclude(campaign=None)
    rows = of_campaigns if filters.startswith("utm") else of_campaigns.exclude(activated_at=None)
    shown = paged(fiona, f"/admin/adoptions/adoption/?{filters}")
    assert shown == [list(each) for each in batched(rows.order_by("-pk")[:MOST], 2)]


@pytest.mark.usefixtures("brought")
def test_pages_are_right_where_something_else_is_asked_for_as_well(
    fiona: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what some are, with what hardly one is and the planner looks for, and with what none is."""
    word = "/admin/adoptions/adoption/?utm_source=appeal"
    some = Adoption.objects.exclude(campaign=None).exclude(activated_at=None).order_by("-pk")
    assert paged(fiona, f"{word}&activated_at__isnull=0") == [list(each) for each in batched(some[:MOST], 2)]
    oldest = Adoption.objects.exclude(campaign=None).order_by("pk")[:1].get()
    Adoption.objects.filter(pk=oldest.pk).update(state=AdoptionState.HELD, held_because="funds")
    for most in (1, 8):
        monkeypatch.setattr(by_campaign, "MORE", most)
        assert paged(fiona, f"{word}&state__exact=held") == [[oldest]]
    assert paged(fiona, f"{word}&state__exact=cancelled") == [[]]
    assert paged(fiona, f"{word}&q={oldest.reference}") == [[oldest]]
    oldest_first = Adoption.objects.exclude(campaign=None).order_by("created_at")[:MOST]
    assert paged(fiona, f"{word}&o=1") == [list(each) for each in batched(oldest_first, 2)]


@pytest.mark.usefixtures("brought")
def test_payments_of_a_word_stand_by_adoption_on_every_page(fiona: Client) -> None:
    newest = Adoption.objects.exclude(campaign=None).exclude(activated_at=None).order_by("-pk")[0]
    for number in (1, 2):
        make_payment(newest, stripe_id=f"ch_more{number}", invoice_id=f"in_more{number}")
    rows = Payment.objects.exclude(adoption__campaign=None).order_by("-adoption_id", "-pk")[:MOST]
    shown = paged(fiona, "/admin/adoptions/payment/?utm_source=appeal")
    assert shown == [list(each) for each in batched(rows, 2)]
    assert [each.adoption for each in shown[0]] == [newest, newest]
