"""Each figure of what campaigns have brought leads to the very rows it counts, whom it may lead there."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from adoptions import gift_aid, ledger, matchback, personal_data, reports
from adoptions.admin.campaign_figures import COLUMNS, OF_GROUPS
from adoptions.gift_aid import Taxpayer
from adoptions.models import Adoption, Answer, Campaign, CampaignDay, PaymentKind, SendList, Supporter
from tests.makers import make_active_adoption, make_adoption, make_campaign, make_payment, make_species, make_supporter

pytestmark = pytest.mark.django_db

REPORT = "/admin/adoptions/campaign/report/"
WAYS = ("", "source", "medium", "content")


@pytest.fixture
def fiona(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("fiona", "fiona@example.org", "x"))
    return client


def adopted(by: Campaign | None, first: Campaign, pence: int, **values: Any) -> Adoption:
    number = Adoption.objects.count()
    if values.get("frequency"):
        values["stripe_subscription_id"] = f"sub_{number}"
    supporter = make_supporter(f"Zoe {number}", f"zoe{number}@example.org")
    code = by.code if by else ""
    gift_aid.declare(supporter, Taxpayer("Zoe", "Adams", "1 Mill Lane", "EX1 1EX"))
    return make_active_adoption(
        supporter=supporter,
        campaign=by,
        campaign_code=code,
        first_campaign_code=first.code,
        amount_pence=pence,
        **values,
    )


def give_back(adoption: Adoption, pence: int, kind: PaymentKind = PaymentKind.REFUND) -> None:
    charge = adoption.payments.get(kind=PaymentKind.CHARGE)
    make_payment(adoption, kind=kind, amount_pence=-pence, charge=charge)
    ledger.settle_state(adoption)


@pytest.fixture
def world() -> list[Campaign]:
    """A mail that is over and one that runs, in two versions each under one source; a poster without words; silence."""
    now = timezone.now()
    over = {"starts_at": now - timedelta(days=90), "ends_at": now - timedelta(days=30), "utm_source": "appeal"}
    winter = make_campaign("winter", **over, utm_medium="email", utm_content="button & more=1", cost_pence=5000)
    spring = make_campaign("spring", utm_source="appeal", utm_medium="email", utm_content="photo", cost_pence=700)
    poster, silent = make_campaign("poster"), make_campaign("silent", utm_source="none", cost_pence=100)
    for campaign, landings in ((winter, 3000), (winter, 17), (spring, 40), (poster, 1), (None, 5), (None, 6)):
        day = now.date() - timedelta(days=CampaignDay.objects.count())
        CampaignDay.objects.create(campaign=campaign, day=day, landings=landings)
    in_time = adopted(winter, winter, 3600)
    adopted(winter, spring, 500, frequency="monthly")
    Adoption.objects.filter(pk=adopted(winter, winter, 2400, frequency="yearly").pk).end(at=now)
    Adoption.objects.filter(pk=in_time.pk).update(created_at=now - timedelta(days=31))
    make_adoption(campaign=winter, first_campaign_code="winter", campaign_code="winter")  # never paid for
    make_adoption(campaign=spring, first_campaign_code="winter", state="abandoned")
    give_back(in_time, 1000)
    forgotten, disputed = adopted(spring, winter, 9000), adopted(spring, spring, 300)
    give_back(forgotten, 9000)
    assert personal_data.erase(Supporter.objects.get(adoptions=forgotten))
    give_back(disputed, 300, PaymentKind.DISPUTE)
    give_back(adopted(poster, poster, 2500), 2500)  # nothing stays, but something came
    unwelcome = adopted(poster, spring, 4200)
    give_back(unwelcome, 4200)
    give_back(unwelcome, -4200, PaymentKind.REFUND_FAILED)
    adopted(None, winter, 1234)
    make_species("snow-leopard", is_published=False)
    adopted(spring, spring, 777, frequency="monthly", species=make_species("snow-leopard"))
    return [winter, spring, poster, silent]


def worked_out(name: str, rows: list[Any], line: Any) -> Any:
    """What a figure must be, from the rows of the list it leads to and, where it divides, from the figure beside it."""
    pence = [getattr(row, "amount_pence", 0) for row in rows]
    match name:
        case "landings":
            return sum(row.landings for row in rows)
        case "income_pence":
            return sum(pence)
        case "returned_pence":
            return -sum(pence)
        case "return_pence":
            return sum(pence) * 100 // line.cost_pence
        case "tax_pence":
            left = ((row, row.amount_pence + sum(each.amount_pence for each in row.reversals.all())) for row in rows)
            return sum(pence // 4 for row, pence in left if row.kind == PaymentKind.CHARGE and gift_aid.covering(row))
        case "year_pence":
            return sum(row.amount_pence * (12 if row.frequency == "monthly" else 1) for row in rows)
        case "mean_pence":
            return (2 * sum(pence) + len(rows)) // (2 * len(rows))
        case "median_pence":
            return sorted(pence)[(len(rows) - 1) // 2]
        case "cost_pence":
            return sum(row.cost_pence for row in rows)
        case "conversion":
            return line.conversion if len(rows) == line.adoptions else "other rows"
    return len(rows)


def listed(client: Client, address: str) -> list[Any]:
    page = client.get(address)
    assert page.status_code == 200, address
    rows, shown = list(page.context["cl"].queryset), list(page.context["cl"].result_list)
    assert shown == rows[: len(shown)], "a page is found in another way than all its rows"
    return rows


@pytest.mark.usefixtures("world")
def test_every_figure_of_campaigns_is_that_of_the_rows_it_leads_to(
    fiona: Client,
) -> None:
    reports.gather()
    led: dict[str, int] = {}
    rows: dict[str, list[Any]] = {}
    for by in WAYS:
        page = fiona.get(REPORT, {"by": by})
        for line in page.context["lines"]:
            for name, cell in zip(OF_GROUPS if by else COLUMNS, line.cells, strict=True):
                figure = getattr(line.of, name)
                if cell.address:
                    if cell.address not in rows:
                        rows[cell.address] = listed(fiona, cell.address)
                    found = worked_out(name, rows[cell.address], line.of)
                    assert found == figure, (by, line.of.title, name, cell.address)
                    led[name] = led.get(name, 0) + 1
                else:
                    assert figure in (0, None, "", "none"), (by, line.of.title, name)
        by_title = {line.of.title: line.of for line in page.context["lines"]}
        if not by:
            winter, poster = by_title["winter"], by_title["poster"]
            assert (winter.started, winter.adoptions, winter.late, winter.first) == (4, 3, 2, 4)
            assert (winter.income_pence, winter.returned_pence, winter.conversion) == (5500, 1000, "1 in 1,006")
            assert (poster.income_pence, poster.returned_pence) == (4200, 2500)
    assert set(led) == set(OF_GROUPS)
    assert min(led[name] for name in ("late", "first", "returned_pence", "landings")) >= 4


def test_income_of_which_nothing_stays_and_landings_of_no_campaign_lead_to_their_rows(fiona: Client) -> None:
    poster = make_campaign("poster")
    give_back(adopted(poster, poster, 2500), 2500)
    CampaignDay.objects.create(campaign=None, day="2026-11-01", landings=5)
    CampaignDay.objects.create(campaign=poster, day="2026-11-01", landings=6)
    page = fiona.get(REPORT)
    [line] = page.context["lines"]
    income = line.cells[list(COLUMNS).index("income_pence")]
    assert (income.words, [row.amount_pence for row in listed(fiona, income.address)]) == ("£0", [-2500, 2500])
    assert [row.landings for row in listed(fiona, page.context["unknown"].address)] == [5]
    shown = {what: listed(fiona, figure.address) for what, figure in screen(fiona, poster).items() if figure.address}
    assert [row.landings for row in shown["Landings (about)"]] == [6]
    assert {what: len(rows) for what, rows in shown.items()} == {
        "Landings (about)": 1,
        "Pressed pay": 1,
        "Adoptions": 1,
        "Of people new to us": 1,
        "Of people it brought first": 1,
        "Received, less what went back": 2,
        "Gone back": 1,
        "An adoption gives": 1,
    }


def screen(client: Client, campaign: Campaign) -> dict[str, Any]:
    return dict(client.get(f"/admin/adoptions/campaign/{campaign.pk}/change/").context["figures"])


def test_answers_without_a_link_lead_to_their_adoptions_and_their_money(fiona: Client, world: list[Campaign]) -> None:
    by = User.objects.get()
    mailed = SendList.objects.create(campaign=world[0], sent_on=timezone.localdate(), addresses=1, entered_by=by)
    answered = adopted(None, world[1], 5000)
    give_back(answered, 1500)
    Answer.objects.create(send_list=mailed, adoption=answered, days=40)
    for address in (REPORT, f"/admin/adoptions/campaign/{world[0].pk}/sent/"):
        none, one = fiona.get(address).context["found"]
        assert (none.adoptions.address, none.income.address) == ("", "")
        assert listed(fiona, one.adoptions.address) == [answered]
        assert sum(row.amount_pence for row in listed(fiona, one.income.address)) == one.of.income_pence == 3500
    assert len(list(matchback.figures([world[0]]))) == 2


FILTERS = ("campaign__id__exact={pk}", "utm_source=appeal", "utm_medium=email", "utm_content=photo")
OF_ADOPTIONS = [
    *FILTERS,
    *(f"{name}=campaign__id__exact:{{pk}}" for name in ("new", "first", "late")),
    "late=utm_source:appeal",
]
LISTS = {
    "adoption": [*OF_ADOPTIONS, "first=utm_source:appeal"],
    "payment": FILTERS,
    "campaignday": FILTERS,
}


def test_lists_behind_ask_as_much_for_one_row_as_for_three(fiona: Client) -> None:
    over = timezone.now() - timedelta(days=1)
    words = {"utm_source": "appeal", "utm_medium": "email", "utm_content": "photo"}
    campaign = make_campaign(**words, starts_at=over - timedelta(days=9), ends_at=over)
    queries = [(name, query.format(pk=campaign.pk)) for name, asked in LISTS.items() for query in asked]
    counts = []
    for rows in (1, 3):
        while (number := Adoption.objects.count()) < rows:
            adopted(campaign, campaign, 3600)
            CampaignDay.objects.create(campaign=campaign, day=over.date() - timedelta(days=number), landings=9)
        for name, query in queries:
            fiona.get(f"/admin/adoptions/{name}/?{query}")
            with CaptureQueriesContext(connection) as asked:
                page = fiona.get(f"/admin/adoptions/{name}/?{query}")
            assert len(page.context["cl"].result_list) == rows, query
            counts.append((name, query, len(asked)))
    assert counts[: len(queries)] == counts[len(queries) :]
    assert max(number for *_, number in counts) <= 13


@pytest.mark.usefixtures("world")
def test_who_may_not_open_a_list_reads_the_figures_alone(client: Client) -> None:
    """One right after another: what is a link leads somewhere, and what may not be opened is none."""
    sam = User.objects.create_user("sam", is_staff=True)
    client.force_login(sam)
    screen = f"/admin/adoptions/campaign/{Campaign.objects.latest('pk').pk}/change/"
    led = []
    for right in ("view_campaign", "view_campaignday", "view_adoption", "view_payment"):
        sam.user_permissions.add(Permission.objects.get(codename=right))
        page = client.get(REPORT, {"by": "source"})
        cells = [cell for line in page.context["lines"] for cell in line.cells]
        addresses = {cell.address for cell in cells if cell.address}
        assert {client.get(address).status_code for address in addresses} == {200}
        led.append({address.split("/")[3] for address in addresses})
        assert "Send me a test mail" not in client.get(screen).text
    assert led == [
        {"campaign"},
        {"campaign", "campaignday"},
        {"campaign", "campaignday", "adoption"},
        {"campaign", "campaignday", "adoption", "payment"},
    ]
