"""The link maker and what it reports: golden figures, codes that read, watched links, harmless spreadsheets."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone
from PIL import Image

from adoptions import campaign_codes, campaign_report, campaign_sums, campaigns, gift_aid, ledger, merging, reports
from adoptions.admin import campaigns as campaigns_admin
from adoptions.gift_aid import Taxpayer
from adoptions.models import (
    Adoption,
    AdoptionState,
    Attention,
    Campaign,
    CampaignDay,
    Frequency,
    Method,
    PaymentKind,
    Plan,
    ReportLine,
    Supporter,
)
from adoptions.tasks import check_campaign_links
from config.models import Mail
from config.spreadsheet import harmless
from tests.adoptions.test_adopt_form import answers
from tests.makers import (
    make_active_adoption,
    make_adoption,
    make_campaign,
    make_payment,
    make_plan,
    make_species,
    make_supporter,
)
from tests.site.reading import read

pytestmark = pytest.mark.django_db


@pytest.fixture
def fiona(client: Client) -> Client:
    """A fundraiser in the admin."""
    client.force_login(User.objects.create_superuser("fiona", "fiona@example.org", "x"))
    return client


@pytest.fixture
def season() -> Campaign:
    """Three adoptions by one link, of which one was given back and one never paid; and one by no link."""
    campaign = make_campaign(cost_pence=2000)
    CampaignDay.objects.create(campaign=campaign, day="2026-11-01", landings=30)
    CampaignDay.objects.create(campaign=campaign, day="2026-11-02", landings=10)
    make_active_adoption(campaign=campaign, amount_pence=3601)
    make_active_adoption(
        campaign=campaign, frequency=Frequency.MONTHLY, amount_pence=500, stripe_subscription_id="sub_1"
    )
    given_back = make_active_adoption(
        campaign=campaign, frequency=Frequency.YEARLY, amount_pence=6000, stripe_subscription_id="sub_2"
    )
    charge = given_back.payments.get()
    make_payment(given_back, kind=PaymentKind.REFUND, amount_pence=-6000, charge=charge)
    Adoption.objects.filter(pk=given_back.pk).end(at=timezone.now())
    make_adoption(campaign=campaign, state=AdoptionState.ABANDONED)
    make_active_adoption(supporter=make_supporter("Lena", "lena@example.org"))
    return campaign


def test_figures_are_those_of_the_golden_season(season: Campaign) -> None:
    [found] = campaign_report.figures([season])
    assert (found.landings, found.started, found.adoptions, found.conversion_percent) == (40, 4, 3, "7.5")
    assert (found.income_pence, found.returned_pence) == (4101, 6000)
    assert found.year_pence == 3601 + 12 * 500
    assert (found.mean_pence, found.median_pence) == (3367, 3601)
    assert found.return_pence == 205


def test_single_gift_that_went_back_is_no_income_of_the_year(season: Campaign) -> None:
    single = Adoption.objects.get(campaign=season, frequency=Frequency.ONCE, activated_at__isnull=False)
    charge = single.payments.get()
    make_payment(single, kind=PaymentKind.REFUND, amount_pence=-charge.amount_pence, charge=charge)
    ledger.settle_state(single)
    [found] = campaign_report.figures([season])
    assert (found.year_pence, found.income_pence) == (12 * 500, 500)


def test_report_tells_late_from_in_time_and_who_came_first_by_a_link(fiona: Client, season: Campaign) -> None:
    Campaign.objects.filter(pk=season.pk).update(
        starts_at=timezone.now() - timedelta(days=9), ends_at=timezone.now() - timedelta(days=1)
    )
    Adoption.objects.filter(campaign=season, amount_pence=3601).update(created_at=timezone.now() - timedelta(days=2))
    Adoption.objects.filter(supporter__email="lena@example.org").update(first_campaign_code=season.code)
    CampaignDay.objects.create(campaign=None, day="2026-11-01", landings=7)
    [found] = campaign_report.figures([Campaign.objects.get()])
    assert (found.adoptions, found.late, found.first) == (3, 2, 1)
    page = " ".join(fiona.get("/admin/adoptions/campaign/report/").text.split())
    assert "7</a> landings had a code that is no campaign’s" in page
    [row] = csv.DictReader(io.StringIO(fiona.get("/admin/adoptions/campaign/report.csv").text.removeprefix("\ufeff")))
    assert (row["Of them late"], row["Of people it brought first"]) == ("2", "1")


def test_money_equals_an_independent_calculation(season: Campaign) -> None:
    other = make_campaign("tiger26")
    make_active_adoption(campaign=other, supporter=make_supporter("Lena", "lena@example.org"), amount_pence=2400)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.code, sum(p.amount_pence) FROM adoptions_campaign c"
            " JOIN adoptions_adoption a ON a.campaign_id = c.id JOIN adoptions_payment p ON p.adoption_id = a.id"
            " GROUP BY c.code ORDER BY c.code"
        )
        expected = [(code, int(Decimal(total))) for code, total in cursor.fetchall()]
    found = campaign_report.figures(Campaign.objects.order_by("code"))
    assert [(each.campaign.code, each.income_pence) for each in found] == expected


INDEPENDENTLY = """
WITH c AS (SELECT id, code, cost_pence, {field} AS word FROM adoptions_campaign),
     a AS (SELECT a.*, c.word FROM adoptions_adoption a JOIN c ON c.id = a.campaign_id),
     paid AS (SELECT *, row_number() OVER (PARTITION BY word ORDER BY amount_pence) AS place,
                     count(*) OVER (PARTITION BY word) AS many FROM a WHERE activated_at IS NOT NULL),
     p AS (SELECT p.amount_pence, p.kind, a.word FROM adoptions_payment p JOIN a ON a.id = p.adoption_id)
SELECT g.word,
  (SELECT count(*) FROM c WHERE c.word = g.word),
  (SELECT coalesce(sum(d.landings), 0) FROM adoptions_campaignday d JOIN c ON c.id = d.campaign_id
   WHERE c.word = g.word),
  (SELECT count(*) FROM a WHERE a.word = g.word),
  (SELECT count(*) FROM paid WHERE paid.word = g.word),
  (SELECT count(*) FROM paid WHERE paid.word = g.word AND id = (SELECT id FROM adoptions_adoption one
   WHERE one.supporter_id = paid.supporter_id AND one.activated_at IS NOT NULL ORDER BY one.activated_at, id LIMIT 1)),
  (SELECT count(*) FROM adoptions_adoption f JOIN c ON c.code = f.first_campaign_code
   WHERE c.word = g.word AND f.activated_at IS NOT NULL),
  (SELECT coalesce(sum(amount_pence), 0) FROM p WHERE p.word = g.word),
  (SELECT coalesce(sum(-amount_pence), 0) FROM p WHERE p.word = g.word AND kind <> 'charge'),
  (SELECT coalesce(sum(left_of.pence / 4), 0) FROM (
    SELECT p.amount_pence + coalesce(sum(b.amount_pence), 0) AS pence
    FROM adoptions_payment p JOIN a ON a.id = p.adoption_id
    LEFT JOIN adoptions_payment b ON b.charge_id = p.id
    JOIN adoptions_giftaiddeclaration d ON d.supporter_id = a.supporter_id AND d.cancelled_on IS NULL
    WHERE a.word = g.word AND p.kind = 'charge' GROUP BY p.id) left_of WHERE left_of.pence > 0),
  (SELECT coalesce(sum(CASE frequency WHEN 'monthly' THEN 12 ELSE 1 END * amount_pence), 0) FROM paid
   WHERE paid.word = g.word AND ended_at IS NULL),
  (SELECT round(avg(amount_pence)) FROM paid WHERE paid.word = g.word),
  (SELECT amount_pence FROM paid WHERE paid.word = g.word AND place = (many + 1) / 2),
  (SELECT sum(cost_pence) FROM c WHERE c.word = g.word)
FROM (SELECT DISTINCT word FROM c) g"""


@pytest.fixture
def seasons(season: Campaign) -> list[Campaign]:
    """Beside the golden one, which has no words: a mail in two versions, one of them never followed; and a poster."""
    mail = {"utm_source": "spring", "utm_medium": "email"}
    button = make_campaign("mail-a", **mail, utm_content="button", cost_pence=5000)
    photo = make_campaign("mail-b", **mail, utm_content="photo & more=1")
    poster = make_campaign("poster", utm_source="spring", utm_medium="poster", cost_pence=700)
    silent = make_campaign("silent", utm_source="none", utm_medium="email", cost_pence=100)
    CampaignDay.objects.create(campaign=button, day="2026-11-01", landings=7)
    CampaignDay.objects.create(campaign=poster, day="2026-11-01", landings=11)
    CampaignDay.objects.create(campaign=None, day="2026-11-01", landings=5)
    amounts = ((button, 300), (button, 400), (button, 9000), (photo, 20000), (poster, 2400), (poster, 3600))
    for number, (campaign, pence) in enumerate(amounts):
        supporter = make_supporter("Zoe", f"zoe{number}@example.org")
        make_active_adoption(
            campaign=campaign, supporter=supporter, amount_pence=pence, first_campaign_code=amounts[number - 1][0].code
        )
        if number % 2:
            gift_aid.declare(supporter, Taxpayer("Zoe", "Adams", "1 Mill Lane", "EX1 1EX"))
    make_adoption(campaign=photo, state=AdoptionState.ABANDONED)
    return [season, button, photo, poster, silent]


def asked_independently(by: str) -> dict[str, tuple[int | None, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(INDEPENDENTLY.format(field=f"utm_{by}"))
        return {
            word: tuple(None if each is None else int(each) for each in figures) for word, *figures in cursor.fetchall()
        }


def reported(by: str) -> dict[str, tuple[int | None, ...]]:
    return {
        each.word: (
            *(each.campaigns, each.landings, each.started, each.adoptions, each.new, each.first),
            *(each.income_pence, each.returned_pence, each.tax_pence, each.year_pence),
            *(each.mean_pence, each.median_pence, each.cost_pence),
        )
        for each in campaign_report.grouped(Campaign.objects.all(), f"utm_{by}")
    }


def test_kept_sums_are_read_and_built_anew_they_are_the_ledgers_whatever_happened_since(
    seasons: list[Campaign], django_assert_num_queries: Any
) -> None:
    """Money back, what staff wrote down and took back, an end, two who are one, other words of a link, a new gift."""
    marek = User.objects.create_superuser("marek")
    button = seasons[1]
    reports.gather()
    before = {by: reported(by) for by in campaign_report.WORDS}
    assert before == {by: asked_independently(by) for by in campaign_report.WORDS}
    rows = ReportLine.objects.filter(report=campaign_sums.REPORT)
    assert campaign_sums.summed_up_at() == rows.latest("gathered_at").gathered_at
    with django_assert_num_queries(3):
        campaign_report.figures([button])

    refunded, monthly = (Adoption.objects.get(amount_pence=pence) for pence in (9000, 500))
    charge = refunded.payments.get()
    make_payment(refunded, kind=PaymentKind.REFUND, amount_pence=-1234, charge=charge)
    written = make_payment(refunded, method=Method.CASH, stripe_id="", amount_pence=777)
    paper = {"method": Method.CASH, "stripe_id": "", "charge": written}
    make_payment(refunded, kind=PaymentKind.VOID, amount_pence=-777, **paper)
    Adoption.objects.filter(pk=monthly.pk).end(at=timezone.now())
    make_active_adoption(campaign=button, supporter=make_supporter("Kit", "kit@example.org"), amount_pence=100)
    one, other = (Supporter.objects.get(email=f"zoe{number}@example.org") for number in (0, 1))
    merging.merge(other.pk, one.pk, merging.Choice(one.name, one.email), by=marek)
    assert {by: reported(by) for by in campaign_report.WORDS} == before, "until the next hour"
    Campaign.objects.filter(pk=button.pk).update(utm_source="autumn")
    assert reported("source")["autumn"][7] == 0, "its sums are found under the word it has now"

    reports.gather()
    after = {by: reported(by) for by in campaign_report.WORDS}
    assert after == {by: asked_independently(by) for by in campaign_report.WORDS}
    assert after["source"]["autumn"][6:8] == (300 + 400 + 9000 + 100 - 1234, 1234 + 777)
    assert after["source"]["autumn"][3:5] == (4, 3), "two of the four adoptions are of the two who are one"
    ReportLine.objects.all().delete()
    assert {by: reported(by) for by in campaign_report.WORDS} == after, "summed up on the spot they are the same"


@pytest.mark.parametrize("by", ["source", "medium", "content"])
def test_figures_by_a_word_equal_an_independent_calculation(fiona: Client, seasons: list[Campaign], by: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(INDEPENDENTLY.format(field=f"utm_{by}"))
        expected = {
            word: tuple(None if each is None else int(each) for each in figures) for word, *figures in cursor.fetchall()
        }
    page = fiona.get("/admin/adoptions/campaign/report/", {"by": by})
    found = [line.of for line in page.context["lines"]]
    assert {
        each.word: (
            *(each.campaigns, each.landings, each.started, each.adoptions, each.new, each.first),
            *(each.income_pence, each.returned_pence, each.tax_pence, each.year_pence),
            *(each.mean_pence, each.median_pence, each.cost_pence),
        )
        for each in found
    } == expected
    assert len(page.context["chart"].bars) == len(found) == len(expected)
    tags = read(page.text)
    titles = [tag.text.strip() for tag in tags.all("th") if tag["scope"] == "row"]
    assert titles[-len(found) :] == [each.title for each in found]
    file = fiona.get("/admin/adoptions/campaign/report.csv", {"by": by})
    assert file.headers["Content-Disposition"] == f'attachment; filename="campaigns-by-{by}.csv"'
    lines = list(csv.reader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert lines[0][:4] == [by.capitalize(), "Campaigns", "Landings (about)", "Started"]
    assert [line[:4] for line in lines[1:]] == [
        [each.title, str(each.campaigns), str(each.landings), str(each.started)] for each in found
    ]


def test_median_of_a_source_is_of_all_its_gifts_and_nothing_is_divided_by_nothing(seasons: list[Campaign]) -> None:
    found = {each.word: each for each in campaign_report.grouped(seasons, "utm_source")}
    assert found["spring"].median_pence == 2400, (
        "of 300 400 2400 3600 9000 20000; by campaign they are 400, 20000, 2400"
    )
    assert (found[""].income_pence, found[""].conversion_percent, found[""].return_pence) == (4101, "7.5", 205)
    silent = found["none"]
    assert (silent.landings, silent.conversion_percent, silent.mean_pence, silent.median_pence) == (0, None, None, None)


@pytest.mark.threat("O1")
def test_words_in_the_address_of_a_report_or_in_a_link_do_no_harm(fiona: Client, season: Campaign) -> None:
    Campaign.objects.filter(pk=season.pk).update(utm_source="=HYPERLINK(1)", utm_content="<b>&utm_source=x")
    report, names = (
        "/admin/adoptions/campaign/report",
        ("campaign__id__exact", "utm_source", "utm_medium", "utm_content"),
    )
    asked_by = {"adoption": (*names, "first", "late", "answers"), "payment": (*names, "answers"), "campaignday": names}
    plain = fiona.get(f"{report}/").context["lines"]
    for wrong in ("utm_source", "id", "species__name", "' OR 1=1 --", "<script>bad()", "a" * 5000, "__class__"):
        assert fiona.get(f"{report}/", {"by": wrong}).context["lines"] == plain
        assert fiona.get(f"{report}.csv", {"by": wrong}).text.count("\n") == 2
        for rows, filters in asked_by.items():
            page = fiona.get(f"/admin/adoptions/{rows}/", dict.fromkeys(filters, wrong))
            assert (page.status_code, page.context["cl"].queryset.count()) == (200, 0)
            assert "<script>bad" not in page.text
    [row] = csv.DictReader(io.StringIO(fiona.get(f"{report}.csv?by=source").text.removeprefix("\ufeff")))
    assert row["Source"] == "'=HYPERLINK(1)"
    page = fiona.get(f"{report}/?by=content")
    assert "<b>&utm" not in page.text
    assert "utm_content=%3Cb%3E%26utm_source%3Dx" in page.text


@pytest.mark.parametrize(
    ("landings", "adoptions", "percent", "words"),
    [
        (3000, 3, "0.1", "1 in 1,000"),
        (17001, 2, "0.0118", "1 in 8,501"),
        (201, 2, "0.995", "1 in 101"),
        (200, 2, "1", "1 of 100"),
        (40, 3, "7.5", "7.5 of 100"),
        (3, 3, "100", "100 of 100"),
        (3, 2, "66.7", "66.7 of 100"),
        (10, 0, "0", "none"),
        (0, 3, None, ""),
    ],
)
def test_how_many_of_those_who_came_adopted_is_said_also_of_few(
    landings: int, adoptions: int, percent: str | None, words: str
) -> None:
    found = campaign_report.Group(
        field="utm_source", word="spring", campaigns=1, landings=landings, adoptions=adoptions
    )
    assert (found.conversion_percent, found.conversion) == (percent, words)


def test_link_that_brought_nothing_divides_by_nothing() -> None:
    [found] = campaign_report.figures([make_campaign()])
    assert (found.conversion_percent, found.mean_pence, found.median_pence, found.return_pence) == (None,) * 4


def test_report_is_turned_over_page_by_page_and_whole_as_a_file(
    fiona: Client, season: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page with its chart; of an address somebody wrote by hand, the nearest page there is."""
    monkeypatch.setattr(campaigns_admin, "PER_PAGE", 2)
    for number in range(4):
        make_campaign(f"other-{number}", utm_source=f"source-{number}")
    reports.gather()
    for by, first in (("", "other-3"), ("source", season.utm_source or "none")):
        address, shown = f"/admin/adoptions/campaign/report/?by={by}", []
        for number in (1, 2, 3):
            page = fiona.get(f"{address}&page={number}")
            shown.append([line.of.title for line in page.context["lines"]])
            assert len(page.context["chart"].bars) == len(shown[-1])
            [here] = [tag for tag in read(page.text).all("a") if tag["href"].endswith(f"page={number}")]
            assert here["aria-current"] == "page"
        assert [len(titles) for titles in shown] == [2, 2, 1]
        assert shown[0][0] == first
        file = csv.reader(io.StringIO(fiona.get("/admin/adoptions/campaign/report.csv", {"by": by}).text))
        assert [line[0] for line in file][1:] == [title for titles in shown for title in titles]
        for wrong, right in (("4", 2), ("0", 2), ("x", 0), ("9" * 5000, 0), ("", 0)):
            assert [line.of.title for line in fiona.get(f"{address}&page={wrong}").context["lines"]] == shown[right]


def test_report_asks_as_much_for_one_campaign_as_for_twenty(
    fiona: Client, season: Campaign, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        make_active_adoption(campaign=make_campaign(f"other-{number}"))
    Campaign.objects.filter(code__startswith="other-1").update(utm_source=F("code"))
    reports.gather()
    for by in ("source", ""):
        with django_assert_max_num_queries(14):
            page = fiona.get("/admin/adoptions/campaign/report/", {"by": by})
    assert page.text.count("other-") >= 20
    assert "£41.01" in page.text
    with django_assert_max_num_queries(11):
        fiona.get("/admin/adoptions/campaign/")


@pytest.mark.threat("O1")
def test_spreadsheet_holds_the_same_figures_and_no_formula(fiona: Client, season: Campaign) -> None:
    Campaign.objects.filter(pk=season.pk).update(name="=HYPERLINK(1)")
    response = fiona.get("/admin/adoptions/campaign/report.csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="campaigns.csv"'
    [row] = csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff")))
    assert row["Name"] == "'=HYPERLINK(1)"
    assert (row["Income £"], row["Gone back £"], row["Mean £"], row["Back for each £ spent"]) == (
        "41.01",
        "60.00",
        "33.67",
        "2.05",
    )


@pytest.mark.threat("O1")
@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+44 1632", "'+44 1632"),
        ("-", "'-"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("-12.50", "-12.50"),
        (-5, -5),
        ("Amara", "Amara"),
        ("", ""),
    ],
)
def test_words_that_would_be_a_formula_are_words(value: object, written: object) -> None:
    assert harmless(value) == written


# --- the maker -------------------------------------------------------------------------------------------------------


def test_link_is_made_in_one_step_and_shown_whole(fiona: Client) -> None:
    make_plan()
    answers = {
        "code": "spring-27",
        "name": "Spring",
        "destination": "adopt",
        "species": make_species().pk,
        "preset_frequency": "monthly",
        "preset_pence": "£5",
        "starts_at_0": "2026-11-01",
        "starts_at_1": "00:00",
        "utm_source": " Spring Appeal! ",
        "cost_pence": "1,234.50",
    }
    response = fiona.post("/admin/adoptions/campaign/add/", answers)
    campaign = Campaign.objects.get()
    assert response.headers["Location"] == f"/admin/adoptions/campaign/{campaign.pk}/change/"
    assert campaign.utm_source == "spring-appeal"
    assert (campaign.preset_pence, campaign.cost_pence) == (500, 123450)
    page = fiona.get(response.headers["Location"]).text
    assert "http://127.0.0.1:8000/go/spring-27" in page
    assert "/adopt/amur-leopard/?c=spring-27&amp;frequency=monthly&amp;amount=5.00" in page
    assert "errornote" not in page
    assert "<summary>Landings by day" not in page
    client = Client()
    client.get("/go/spring-27")
    page = fiona.get(response.headers["Location"]).text
    assert f"{timezone.localdate():%a %-d %b %Y}: 1" in page


def test_name_and_species_alone_make_a_link(fiona: Client) -> None:
    make_plan()
    add = "/admin/adoptions/campaign/add/"
    species = make_species().pk
    preset = fiona.get(add).context["adminform"].form
    assert preset["species"].value() == species  # the only one there is
    answers = {name: preset[name].value() or "" for name in preset.fields if name not in ("starts_at", "ends_at")}
    answers |= {"starts_at_0": "2026-11-01", "starts_at_1": "00:00", "code": "", "preset_gift": ""}
    for name in ("Spring Appeal: the 2nd, to everyone who gave", "Spring appeal, the 2nd, to everyone else", "Été"):
        assert fiona.post(add, {**answers, "name": name}).status_code == 302
    codes = ["spring-appeal-the-2nd-to-everyon", "spring-appeal-the-2nd-to-every-2", "ete"]
    assert list(Campaign.objects.order_by("pk").values_list("code", flat=True)) == codes
    assert "Type one" in fiona.post(add, {**answers, "name": "雪豹"}).text
    assert "Type one" not in fiona.post(add, {**answers, "name": ""}).text
    assert Campaign.objects.count() == 3


@pytest.mark.parametrize(
    ("typed", "pence"),
    [("5", 500), ("£12.50", 1250), (" 0.01 ", 1), ("", None), ("12.345", "no"), ("-5", "no"), ("99999999999", "no")],
)
def test_amount_is_typed_and_shown_in_pounds(fiona: Client, typed: str, pence: int | str | None) -> None:
    campaign = make_campaign(preset_frequency="once", preset_pence=2450, cost_pence=100000)
    address = f"/admin/adoptions/campaign/{campaign.pk}/change/"
    form = fiona.get(address).context["adminform"].form
    assert [form[name].value() for name in ("preset_pence", "cost_pence")] == ["24.50", "1000"]
    answers = {name: form[name].value() or "" for name in form.fields if name not in ("starts_at", "ends_at")}
    answers |= {"starts_at_0": "2026-11-01", "starts_at_1": "00:00", "preset_pence": typed, "preset_gift": ""}
    response = fiona.post(address, answers)
    campaign.refresh_from_db()
    assert response.status_code == (200 if pence == "no" else 302)
    assert campaign.preset_pence == (2450 if pence == "no" else pence)
    assert campaign.cost_pence == 100000
    if pence == "no":
        assert f'value="{typed}"' in response.text


def test_amount_is_not_taken_without_how_often_it_is_asked_for(fiona: Client) -> None:
    """£24 of an adoption given once would stand chosen on the page as £24 every month."""
    answers = {"name": "Spring", "destination": "adopt", "species": make_species().pk, "preset_pence": "24"}
    answers |= {"starts_at_0": "2026-11-01", "starts_at_1": "00:00"}
    page = fiona.post("/admin/adoptions/campaign/add/", answers).text
    assert ("Say how often: £24 once is not £24 every month." in page, Campaign.objects.count()) == (True, 0)
    fiona.post("/admin/adoptions/campaign/add/", {**answers, "preset_frequency": "once"})
    assert Campaign.objects.get().preset_frequency == "once"


def test_preview_is_the_page_with_the_words_as_typed_and_keeps_none_of_it(fiona: Client) -> None:
    make_plan()
    campaign = make_campaign(landing_text="Kept words.", preset_pence=2400, preset_frequency="once", is_paused=True)
    address = f"/admin/adoptions/campaign/preview/?campaign={campaign.pk}"
    kept = fiona.get(address)
    assert "<p>Kept words.</p>" in kept.text
    assert "Adopt the Amur leopard" in kept.text
    policy = {part.strip() for part in kept.headers["Content-Security-Policy"].split(";")}
    assert {"script-src 'none'", "form-action 'none'", "sandbox allow-same-origin", "frame-ancestors 'self'"} <= policy
    assert not any(part.startswith("report-") for part in policy), "that its scripts do not run is nobody's concern"
    assert (kept.headers["X-Frame-Options"], len(kept.cookies)) == ("SAMEORIGIN", 0)
    typed = {"destination": "home", "code": "Not one", "landing_text": "<i>Typed</i> words."}
    typed["statement"] = "£2 is theirs."
    for place in (address, "/admin/adoptions/campaign/preview/"):
        page = fiona.post(place, typed)
        assert page.status_code == 200
        assert "Meet the Amur leopard" in page.text
        assert "<p>&lt;i&gt;Typed&lt;/i&gt; words.</p>" in page.text
        assert '<p class="appeal__statement">£2 is theirs.</p>' in page.text
        assert f"?c={'leopard26' if place == address else 'preview'}" in page.text
    shown = {"destination": "adopt", "species": campaign.species_id, "preset_frequency": "yearly"}
    form = read(fiona.post(address, {**shown, "preset_pence": "£60"}).text)
    chosen = {(field["name"], field["value"]) for field in form.all("input") if "checked" in field.attributes}
    assert {("frequency", "yearly"), ("amount_yearly", "6000")} <= chosen
    assert fiona.post(address, {"species": "x" * 99, "preset_pence": "-"}).status_code == 200
    reader = Client()
    assert "words." not in reader.get("/?c=leopard26").text + reader.get("/?c=preview").text
    assert list(Campaign.objects.values_list("landing_text", flat=True)) == ["Kept words."]
    for wrong in ("", "?campaign=999", "?campaign=x"):
        assert fiona.get(f"/admin/adoptions/campaign/preview/{wrong}").status_code == 404


def test_maker_has_its_preview_in_a_frame(fiona: Client) -> None:
    campaign = make_campaign()
    for address in ("add", f"{campaign.pk}/change"):
        page = fiona.get(f"/admin/adoptions/campaign/{address}/")
        assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
        assert page.text.index('name="_save"') < page.text.index('id="see"'), "Enter saves"


def test_code_for_paper_is_the_address_in_capitals_with_white_around(fiona: Client) -> None:
    campaign = make_campaign()
    svg = fiona.get(f"/admin/adoptions/campaign/{campaign.pk}/code.svg?download")
    assert svg.headers["Content-Type"] == "image/svg+xml"
    assert svg.headers["Content-Disposition"] == 'attachment; filename="leopard26.svg"'
    assert "<script" not in svg.text
    png = Image.open(io.BytesIO(fiona.get(f"/admin/adoptions/campaign/{campaign.pk}/code.png").content))
    # 29 squares, as capitals need, and four of white on either side.
    assert png.size == ((29 + 8) * campaign_codes.PIXELS,) * 2
    assert png.convert("L").getpixel((0, 0)) == 255
    assert fiona.get(f"/admin/adoptions/campaign/{campaign.pk}/code.gif").status_code == 404
    assert fiona.get("/admin/adoptions/campaign/999/code.svg").status_code == 404


def test_address_in_capitals_leads_there_in_one_hop(client: Client) -> None:
    make_campaign()
    assert client.get("/GO/LEOPARD26").headers["Location"] == "/adopt/amur-leopard/?c=leopard26"


def test_staff_send_themselves_a_test(fiona: Client) -> None:
    campaign = make_campaign()
    fiona.post(f"/admin/adoptions/campaign/{campaign.pk}/test-mail/")
    mail = Mail.objects.get()
    assert (mail.kind, mail.to) == ("campaign_test", "fiona@example.org")
    assert "http://127.0.0.1:8000/go/leopard26" in mail.text
    assert fiona.get(f"/admin/adoptions/campaign/{campaign.pk}/test-mail/").status_code == 405


def test_who_may_not_see_campaigns_sees_none_of_it(client: Client) -> None:
    campaign = make_campaign()
    client.force_login(User.objects.create_user("marek", is_staff=True))
    for place in ("report/", "report.csv", f"{campaign.pk}/code.svg"):
        assert client.get(f"/admin/adoptions/campaign/{place}").status_code in {403, 404}
    assert client.post(f"/admin/adoptions/campaign/{campaign.pk}/test-mail/").status_code in {403, 404}


# --- links that are watched ------------------------------------------------------------------------------------------


def test_paused_link_leads_on_without_what_it_fills_in() -> None:
    campaign = make_campaign(preset_pence=2400, preset_gift=True, is_paused=True)
    assert campaigns.destination(campaign) == "/adopt/amur-leopard/?c=leopard26"
    assert not Campaign.objects.running().exists()


def test_words_of_an_appeal_stand_where_its_readers_decide(client: Client) -> None:
    make_plan()
    campaign = make_campaign(
        landing_text="Welcome.\n\n<b>Thank you</b>", statement="The agency is paid £2 of each gift."
    )
    address = campaigns.destination(campaign)
    page = client.get(address).text
    assert "<p>Welcome.</p>" in page
    assert "&lt;b&gt;Thank you&lt;/b&gt;" in page
    assert page.index("The agency is paid £2") < page.index("Check your answers</button>")
    checked = client.post("/adopt/amur-leopard/", answers(c=campaign.code, step="check"))
    assert checked.status_code == 200
    assert "The agency is paid £2" in checked.text
    for other in ("", "?c=nobodys", "?c=%00abc"):
        assert "Welcome." not in client.get(f"/adopt/amur-leopard/{other}").text
    Campaign.objects.update(is_paused=True)
    assert "Welcome." not in client.get(address).text


def test_words_that_staff_change_stand_on_the_page_at_the_next_request(
    fiona: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every process: each sees the mark that a POST leaves (tests/species/test_page_state.py)."""
    monkeypatch.setattr("species.page_state.SHARED_FOR", 60.0)
    campaign = make_campaign(destination="home", landing_text="Welcome.")
    reader = Client()
    assert "<p>Welcome.</p>" in reader.get("/go/leopard26", follow=True).text
    address = f"/admin/adoptions/campaign/{campaign.pk}/change/"
    form = fiona.get(address).context["adminform"].form
    given = {name: form[name].value() or "" for name in form.fields if name not in ("starts_at", "ends_at")}
    given |= {"starts_at_0": "2026-11-01", "starts_at_1": "00:00", "preset_gift": "", "is_paused": ""}
    assert fiona.post(address, {**given, "landing_text": "Come in."}).status_code == 302
    page = reader.get("/?c=leopard26").text
    assert ("<p>Come in.</p>" in page, "Welcome." in page) == (True, False)


def test_plan_is_chosen_beforehand(client: Client) -> None:
    make_campaign(preset_plan=make_plan())
    assert client.get("/go/leopard26").headers["Location"] == "/adopt/amur-leopard/?c=leopard26&plan=friend"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("nothing", ""),
        ("species", "not published"),
        ("plan", "not on offer"),
        ("no plan", "Nothing is on offer"),
        ("rhythm", "cannot be given"),
        ("amount", "£1 is not taken"),
        ("note", "No field note of this species"),
    ],
)
def test_staff_are_called_once_to_a_link_that_does_not_do_what_it_says(spoil: str, words: str) -> None:
    plan = make_plan()
    campaign = make_campaign(preset_frequency="monthly", preset_pence=500)
    if spoil == "species":
        type(make_species()).objects.update(is_published=False)
    elif spoil == "plan":
        other = Plan.objects.create(slug="gone", name="Gone", is_on_offer=False)
        Campaign.objects.update(preset_plan=other)
    elif spoil == "no plan":
        Plan.objects.update(is_on_offer=False)
    elif spoil == "rhythm":
        plan.prices.filter(frequency="monthly").delete()
    elif spoil == "amount":
        Campaign.objects.update(preset_pence=100)
    elif spoil == "note":
        Campaign.objects.update(destination="note")
        assert campaigns.destination(Campaign.objects.get()) == "/species/amur-leopard/?c=leopard26"
    for _ in range(2):
        check_campaign_links.func()
    found = list(Attention.objects.values_list("reason", flat=True))
    assert len(found) == (0 if spoil == "nothing" else 1)
    assert all(words in reason for reason in found)
    assert Mail.objects.filter(kind="attention").count() == len(found)
    Campaign.objects.update(ends_at=timezone.now() + timedelta(seconds=1), starts_at=timezone.now() - timedelta(days=9))
    campaign.refresh_from_db()
    assert bool(campaigns.problems(campaign)) == bool(words)


def test_code_that_was_mailed_cannot_be_changed(fiona: Client) -> None:
    campaign = make_campaign()
    page = fiona.get(f"/admin/adoptions/campaign/{campaign.pk}/change/").text
    assert 'name="code"' not in page
    with pytest.raises(ValidationError, match="already exists"):
        Campaign(code="leopard26", name="again", species=make_species()).full_clean()


def test_link_that_staff_called_mended_and_is_not_calls_them_the_next_day() -> None:
    make_plan()
    make_campaign(preset_frequency="monthly", preset_pence=100)
    campaigns.check_links()
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        campaigns.check_links()
        assert Attention.objects.count() == 1
        Attention.objects.all().resolve(how="Mended.")
        campaigns.check_links()
        assert Attention.objects.open().count() == 1
