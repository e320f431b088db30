"""Every figure of a report is what an independent question to the database says, on a season made for it."""

import csv
import io
import json
import re
from collections import Counter
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django_tasks_db.models import DBTaskResult

from adoptions import campaign_report, campaign_sums, reports, takings
from adoptions.campaign_report import Brought
from adoptions.models import Adoption, AdoptionState, FailedRenewal, PaymentKind, ReportLine
from adoptions.report_periods import MONTHS, of_late, read
from adoptions.report_tables import Report
from adoptions.tasks import gather_reports_after_update
from config.tasks import enqueue_due
from species.models import Comment
from tests.makers import make_adoption, make_campaign, make_payment, make_species, make_supporter

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAGE = "/admin/adoptions/payment/reports/"
# Half past eleven at night in London's summer time is the day before in UTC terms of winter: both sides of a month.
MOMENTS = [
    datetime(2026, 6, 30, 22, 30, tzinfo=UTC),
    datetime(2026, 6, 30, 23, 30, tzinfo=UTC),  # already July in London
    datetime(2026, 11, 1, 0, 30, tzinfo=UTC),
    datetime(2026, 11, 19, 9, 0, tzinfo=UTC),
    datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
    datetime(2024, 2, 29, 9, 0, tzinfo=UTC),  # longer ago than any table reaches
]


@pytest.fixture
def season() -> None:
    for number, moment in enumerate(MOMENTS):
        supporter = make_supporter(f"Amara {number}", f"amara{number}@example.org")
        for frequency in ("monthly", "yearly", "once"):
            is_over = number == 0 and frequency == "monthly"
            adoption = make_adoption(
                supporter=supporter,
                frequency=frequency,
                amount_pence=301 + number,
                state=AdoptionState.ENDED if is_over else AdoptionState.ACTIVE,
                activated_at=moment,
                ended_at=moment + timedelta(days=40) if is_over else None,
                stripe_subscription_id=None if frequency == "once" else f"sub_{number}_{frequency}",
            )
            charge = make_payment(adoption, occurred_at=moment)
            if frequency == "yearly":
                when = moment + timedelta(hours=1)
                make_payment(adoption, kind=PaymentKind.REFUND, amount_pence=-101, charge=charge, occurred_at=when)
    make_adoption(frequency="monthly", state=AdoptionState.ABANDONED)
    write_comments()


def write_comments() -> None:
    marek = User.objects.create_user("marek")
    for number, waited in enumerate((3, 7, 300)):
        comment = Comment.objects.create(species=make_species(), name="Sam", email=f"s{number}@example.org", body="Hi")
        Comment.objects.filter(pk=comment.pk).approve(by=marek)
        Comment.objects.filter(pk=comment.pk).update(
            created_at=NOW - timedelta(days=3), moderated_at=NOW - timedelta(days=3) + timedelta(minutes=waited)
        )
    Comment.objects.create(species=make_species(), name="Sam", email="w@example.org", body="Waiting")
    Comment.objects.filter(email="w@example.org").update(created_at=NOW - timedelta(days=3))


@pytest.fixture(autouse=True)
def today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def rows(report: Report) -> dict[str, list[int]]:
    return {row.label: row.cells for row in report.rows}


def asked(question: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return list(cursor.fetchall())


TAKINGS = """
SELECT to_char(occurred_at AT TIME ZONE 'Europe/London', '{format}'), count(*) FILTER (WHERE kind = 'charge'),
  coalesce(sum(amount_pence) FILTER (WHERE kind = 'charge'), 0)::int,
  coalesce(-sum(amount_pence) FILTER (WHERE kind <> 'charge'), 0)::int, sum(amount_pence)::int
FROM adoptions_payment WHERE occurred_at >= '{since}' GROUP BY 1
"""


@pytest.mark.usefixtures("season")
def test_takings_are_the_ledgers_to_the_penny() -> None:
    reports.gather()
    for report, form, since in (
        (takings.by_day(of_late()), "Dy FMDD Mon YYYY", "2026-10-20 23:00+00"),
        (takings.by_month(of_late()), "FMMonth YYYY", "2025-11-01 00:00+00"),
    ):
        expected = {label: list(figures) for label, *figures in asked(TAKINGS.format(format=form, since=since))}
        found = {label: cells for label, cells in rows(report).items() if any(cells)}
        assert found == expected
    assert rows(takings.by_month(of_late()))["July 2026"] == [3, 906, 202, 704]
    everything = sum(line.pence for line in ReportLine.objects.filter(report=takings.TAKINGS))
    assert everything == asked("SELECT sum(amount_pence) FROM adoptions_payment")[0][0]


@pytest.mark.usefixtures("season")
def test_active_new_and_lost_equal_an_independent_count() -> None:
    reports.gather()
    for row in reports.coming_and_going(of_late()).rows:
        assert row.first
        assert row.last
        begin, end = (midnight(day) for day in (row.first, row.last + timedelta(days=1)))
        [(new, lost, active)] = asked(f"""
            SELECT count(*) FILTER (WHERE activated_at >= {begin} AND activated_at < {end}),
              count(*) FILTER (WHERE ended_at >= {begin} AND ended_at < {end}),
              count(*) FILTER (WHERE activated_at < {end} AND (ended_at IS NULL OR ended_at >= {end}))
            FROM adoptions_adoption WHERE frequency <> 'once' AND activated_at IS NOT NULL
        """)
        assert row.cells == [new, lost, active], row.label
    assert rows(reports.coming_and_going(of_late()))["August 2026"] == [0, 1, 5]


def midnight(day: date) -> str:
    return f"timestamp '{day} 00:00' AT TIME ZONE 'Europe/London'"


@pytest.fixture
def failures() -> None:
    """Two fates a month, in a ring, on both sides of midnight in London; the amounts tell them apart."""
    for number, moment in enumerate([*MOMENTS, *MOMENTS]):
        is_over, is_paid, reason = number % 4 == 0, number % 4 > 1, ("expired_card", "do_not_honor")[number % 3 == 0]
        adoption = make_adoption(
            supporter=make_supporter(f"Bela {number}", f"bela{number}@example.org"),
            frequency="monthly",
            amount_pence=500 + number,
            state=AdoptionState.ENDED if is_over else AdoptionState.ACTIVE,
            activated_at=MOMENTS[-1],
            ended_at=NOW if is_over else None,
            stripe_subscription_id=f"sub_failing_{number}",
        )
        paid_at = moment + timedelta(days=number, hours=number)
        paid = make_payment(adoption, amount_pence=400 + number, occurred_at=paid_at) if is_paid else None
        FailedRenewal.objects.create(
            adoption=adoption,
            invoice_id=f"in_failed_{number}",
            amount_pence=500 + number,
            failed_at=moment,
            reason=reason,
            payment=paid,
            is_by_other_means=number % 4 == 3,
        )


FATES = """
count(*), sum(f.amount_pence)::int, count(*) FILTER (WHERE p.id > 0 AND NOT f.is_by_other_means),
  count(*) FILTER (WHERE p.id > 0 AND f.is_by_other_means),
  count(*) FILTER (WHERE p.id IS NULL AND a.ended_at IS NOT NULL),
  count(*) FILTER (WHERE p.id IS NULL AND a.ended_at IS NULL)
"""
FAILED = f"""
SELECT to_char(f.failed_at AT TIME ZONE 'Europe/London', 'FMMonth YYYY'), {FATES},
  coalesce(sum(p.amount_pence), 0)::int, coalesce(floor(extract(epoch FROM
    percentile_disc(0.5) WITHIN GROUP (ORDER BY p.occurred_at - f.failed_at)) / 86400), 0)::int
FROM adoptions_failedrenewal f JOIN adoptions_adoption a ON a.id = f.adoption_id
  LEFT JOIN adoptions_payment p ON p.id = f.payment_id
WHERE f.failed_at >= '2025-11-01' GROUP BY 1
"""
WHY = f"""
SELECT f.reason, {FATES}, (100 * count(p.id) / count(*))::int
FROM adoptions_failedrenewal f JOIN adoptions_adoption a ON a.id = f.adoption_id
  LEFT JOIN adoptions_payment p ON p.id = f.payment_id
WHERE f.failed_at >= '2025-11-01' GROUP BY 1
"""


@pytest.mark.usefixtures("season", "failures")
def test_failed_payments_and_their_reasons_equal_an_independent_count() -> None:
    reports.gather()
    expected = {label: list(figures) for label, *figures in asked(FAILED)}
    found = rows(reports.failed_payments(of_late()))
    assert {label: cells for label, cells in found.items() if any(cells)} == expected
    assert found["July 2026"] == [2, 1008, 0, 1, 0, 1, 407, 7]
    assert sum(cells[0] for cells in found.values()) == 10  # two are longer ago than the table reaches
    why = {reason.replace("_", " ").capitalize(): list(figures) for reason, *figures in asked(WHY)}
    assert rows(reports.reasons_of_failure(of_late())) == why
    assert len(why) == 2


@pytest.mark.usefixtures("season")
def test_retention_plans_and_comments_are_those_of_the_season() -> None:
    reports.gather()
    kept = rows(reports.retention(of_late()))
    assert (kept["June 2026"], kept["July 2026"], kept["May 2026"]) == ([2, 1, 50], [2, 2, 100], [0, 0, 0])
    expected = asked("""
        SELECT frequency, count(*), sum(amount_pence * CASE frequency WHEN 'monthly' THEN 12 ELSE 1 END)::int
        FROM adoptions_adoption WHERE frequency <> 'once' AND state IN ('active', 'past_due') GROUP BY 1 ORDER BY 1
    """)
    found = sorted((label.split(", ")[1], *cells) for label, cells in rows(reports.plans()).items())
    assert [tuple(figures) for _, *figures in found] == [tuple(figures) for _, *figures in expected]
    assert rows(reports.comments(of_late()))["November 2026"] == [4, 3, 7]


@pytest.mark.usefixtures("season")
def test_summing_up_again_changes_nothing_and_follows_what_is_new() -> None:
    reports.gather()
    before = list(
        ReportLine.objects.order_by("report", "period", "key").values_list("report", "period", "key", "pence")
    )
    reports.gather()
    again = ReportLine.objects.order_by("report", "period", "key").values_list("report", "period", "key", "pence")
    assert list(again) == before
    make_payment(Adoption.objects.filter(frequency="monthly").latest("pk"), occurred_at=MOMENTS[0], amount_pence=7)
    reports.gather()
    assert sum(pence for *_, pence in again.all()) == sum(pence for *_, pence in before) + 7


@pytest.fixture
def fiona(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("fiona"))
    return client


NOT_A_SUM = {"Of 100", "Recovered of 100", "Days", "Waited, minutes"}


def worth(report: Report, place: int, listed: Any) -> int:
    """What the rows of a list come to, as the figure that leads to it counts them."""
    heading = report.headings[place]
    if place not in report.money:
        return int(listed.count())
    if heading == "In a year":
        return sum(int(one.amount_pence) * (12 if one.frequency == "monthly" else 1) for one in listed)
    if heading == "Recovered":
        return sum(int(one.payment.amount_pence) for one in listed)
    pence = sum(int(one.amount_pence) for one in listed)
    return -pence if heading == "Gone back" else pence


@pytest.mark.usefixtures("season", "failures")
def test_every_figure_leads_to_the_rows_it_counts(fiona: Client) -> None:
    reports.gather()
    led: Counter[str] = Counter()
    for each in fiona.get(PAGE).context["reports"]:
        for row, (_, cells) in zip(each.report.rows, each.rows, strict=True):
            for place, (_, address) in enumerate(cells):
                heading = each.report.headings[place]
                if not address:
                    assert not row.cells[place] or heading in NOT_A_SUM
                elif heading not in NOT_A_SUM:
                    listed = fiona.get(address).context["cl"].queryset
                    assert worth(each.report, place, listed) == row.cells[place], (each.report.slug, row.label, heading)
                    led[each.report.slug] += 1
    assert set(led) == {one.slug for one in reports.all_reports()}
    assert led["coming-and-going"] >= MONTHS  # how many were active at the end of each month among them
    for hostile in ("x", "9999-12-31", "0001-01-01", "2026-13-01", "\0"):
        assert fiona.get("/admin/adoptions/adoption/", {"stood_on": hostile}).status_code in (200, 302, 400)
    assert led["failed-payments"] >= 12


IN_ALL = """
SELECT count(*) FILTER (WHERE kind = 'charge'), coalesce(sum(amount_pence) FILTER (WHERE kind = 'charge'), 0)::int,
  coalesce(-sum(amount_pence) FILTER (WHERE kind <> 'charge'), 0)::int, coalesce(sum(amount_pence), 0)::int
FROM adoptions_payment WHERE occurred_at >= {begin} AND occurred_at < {end}
"""
PERIODS = {  # each with its first and last day, how many days stand each by itself, months in parts, and whole months
    "period=tax-2023": ("2023-04-06", "2024-04-05", 366, 13, 13),
    "period=tax-2026": ("2026-04-06", "2026-11-20", 229, 8, 8),
    "period=financial-2023": ("2023-04-01", "2024-03-31", 366, 12, 12),
    "period=calendar-2024": ("2024-01-01", "2024-12-31", 366, 12, 12),
    "period=two-years": ("2025-01-01", "2026-11-20", 0, 23, 23),
    "from=2024-02-29&to=2024-02-29": ("2024-02-29", "2024-02-29", 1, 1, 1),
    "from=30/06/2026&to=01/07/2026": ("2026-06-30", "2026-07-01", 2, 2, 2),
    "from=2016-12-01&to=2026-11-20": ("2016-12-01", "2026-11-20", 0, 120, 120),
}


@pytest.fixture
def edges() -> None:
    """The last moment of a tax year and the first of the next, in London's summer time; and what went back of it."""
    adoption = make_adoption(supporter=make_supporter("Ines", "ines@example.org"), activated_at=MOMENTS[-1])
    for number, moment in enumerate(("2023-04-05 22:59", "2023-04-05 23:00", "2024-04-05 22:59", "2024-04-05 23:00")):
        when = datetime.fromisoformat(f"{moment}+00:00")
        charge = make_payment(
            adoption, occurred_at=when, amount_pence=10 ** (number + 1), method="cheque", stripe_id=""
        )
        paper = {"method": "cheque", "stripe_id": "", "charge": charge, "occurred_at": when}
        make_payment(adoption, kind=PaymentKind.VOID, amount_pence=-number - 1, **paper)


@pytest.mark.usefixtures("season", "edges")
def test_takings_of_any_period_are_the_ledgers_to_the_penny_and_lead_to_its_rows(fiona: Client) -> None:
    reports.gather()
    for asked_for, (first, last, days, months, whole) in PERIODS.items():
        begin, end = midnight(date.fromisoformat(first)), midnight(date.fromisoformat(last) + timedelta(days=1))
        [expected] = asked(IN_ALL.format(begin=begin, end=end))
        page = fiona.get(f"{PAGE}?{asked_for}")
        by_day, by_month, by_way, coming, *_ = page.context["reports"]
        numbers = [len(each.rows) for each in (by_day, by_month, by_way, coming)]
        assert numbers == [days, months, months, whole], asked_for
        assert by_month.report.total.cells == list(expected), asked_for
        assert by_way.report.total.cells[-1] == expected[-1]
        if days:
            assert by_day.report.total.cells == list(expected)
        [(label, cells)] = by_month.total
        [(_, lines)] = [(name, cells) for name, cells in by_month.rows if name.endswith(by_month.rows[-1][0])]
        for place, (_, address) in enumerate([*cells, *lines]):
            if address and place % 4:
                row = by_month.report.total if place < 4 else by_month.report.rows[-1]
                assert (
                    worth(by_month.report, place % 4, fiona.get(address).context["cl"].queryset) == row.cells[place % 4]
                )
        assert all(len(each.chart.bars) <= 60 for each in page.context["reports"])
        text = fiona.get(f"{PAGE}takings-by-month.csv?{asked_for}").text
        assert text.splitlines()[-1] == f"{label},{expected[0]}," + ",".join(
            f"{pence / 100:.2f}" for pence in expected[1:]
        )
    assert rows(takings.by_month(read({"period": "tax-2023"})))["6 to 30 April 2023"] == [1, 100, 2, 98]
    assert rows(takings.by_month(read({"period": "tax-2023"})))["1 to 5 April 2024"] == [1, 1000, 3, 997]


HOSTILE = {
    "from=2026-13-99": "is not one",
    "from=2026-11-01&to=31/11/26": "is not one",
    "from=99999-01-01&to=99999-01-02": "is not one",
    "from=9999-12-31&to=9999-12-31": "still to come",
    "from=0001-01-01&to=9999-12-31": "No more than 120 months",
    "from=2016-11-30&to=2026-11-20": "No more than 120 months",
    "from=2026-11-02&to=2026-11-01": "The last day is before the first.",
    "to=2026-11-01": "Say from which day on.",
    "period=tax-9999": "There is no such period.",
    "period=tax-2027": "still to come",
    "period=tax-0000": "There is no such period.",
    "period=tax-\u0662\u0660\u0662\u0665": "There is no such period.",
    f"from={'9' * 10_000}": "is not one",
    f"period={'<script>' * 1_000}": "There is no such period.",
}


def test_period_that_cannot_be_is_said_and_what_is_shown_otherwise_is_shown(fiona: Client) -> None:
    reports.gather()
    for query, sentence in HOSTILE.items():
        asked_for = dict(part.split("=", 1) for part in query.split("&"))
        page = fiona.get(PAGE, asked_for)
        assert page.status_code == 200, query[:60]
        assert sentence in page.context["fault"]
        assert page.context["fault"] in page.text
        assert page.context["period"] == of_late()
        assert len(page.text) < 400_000
        file = fiona.get(f"{PAGE}plans.csv", asked_for, follow=True)
        assert (len(file.redirect_chain), sentence in file.context["fault"]) == (1, True), query[:60]
        assert len(file.redirect_chain[0][0]) < 300
    assert fiona.get(PAGE, {"from": "2026-11-01"}).context["period"].days.last == NOW.date()
    assert fiona.get(PAGE, {"from": "2026-11-01", "to": "2026-12-31"}).context["period"].span.last == date(2026, 11, 30)


@pytest.mark.usefixtures("season")
def test_years_to_choose_from_are_those_of_which_there_are_takings(fiona: Client) -> None:
    reports.gather()
    groups = {group: [name for name, _ in options] for group, options in fiona.get(PAGE).context["choices"]}
    assert groups["Calendar years"] == ["calendar-2026", "calendar-2025", "calendar-2024"]
    assert groups["Tax years"] == ["tax-2026", "tax-2025", "tax-2024", "tax-2023"]  # of the 29th of February 2024
    assert groups["Financial years"] == ["financial-2026", "financial-2025", "financial-2024", "financial-2023"]
    for name in filter(None, (name for names in groups.values() for name in names)):
        page = fiona.get(PAGE, {"period": name})
        assert not page.context["fault"]
        assert f'value="{name}" selected' in page.text
    assert "more than 366 days" in fiona.get(PAGE, {"period": "two-years"}).text
    assert "whole months, April 2025 to April 2026" in " ".join(fiona.get(PAGE, {"period": "tax-2025"}).text.split())
    assert "“Stays” by month" in fiona.get(PAGE, {"period": "tax-2023"}).text


def test_day_of_which_nothing_stays_leads_to_what_came_and_went(fiona: Client) -> None:
    adoption = make_adoption(state=AdoptionState.ACTIVE, activated_at=NOW)
    charge = make_payment(adoption, occurred_at=NOW)
    back = {"charge": charge, "occurred_at": NOW, "stripe_id": "re_1"}
    make_payment(adoption, kind=PaymentKind.REFUND, amount_pence=-3600, **back)
    make_payment(adoption, kind=PaymentKind.REFUND_FAILED, amount_pence=3600, **back)
    make_payment(adoption, kind=PaymentKind.DISPUTE, amount_pence=-3600, **back)
    make_payment(adoption, kind=PaymentKind.DISPUTE_REVERSAL, amount_pence=3600, **back)
    make_payment(adoption, kind=PaymentKind.REFUND, amount_pence=-3600, **{**back, "stripe_id": "re_2"})
    reports.gather()
    by_day, by_month, by_way = fiona.get(PAGE).context["reports"][:3]
    for each, places in ((by_day, {3}), (by_month, {3}), (by_way, {0, 4})):
        (_, today), (_, before), *_ = each.rows
        nothing = {place: address for place, (words, address) in enumerate(today) if words == "£0" and address}
        counts = {place: fiona.get(address).context["cl"].queryset.count() for place, address in nothing.items()}
        assert counts == dict.fromkeys(places, 6)
        assert {address for _, address in before} == {""}


@pytest.mark.usefixtures("season")
def test_share_or_middle_of_none_is_said_to_be_none(fiona: Client) -> None:
    """Not nought of a hundred who stayed, where nobody began; nor no wait, where nobody has decided yet."""
    Comment.objects.create(species=make_species(), name="Sam", body="Not read yet", created_at=MOMENTS[1])
    reports.gather()
    shown = {each.report.slug: dict(each.rows) for each in fiona.get(PAGE).context["reports"]}
    said = [
        [words for words, _ in shown[slug][month]]
        for slug, month in (("retention", "May 2026"), ("retention", "June 2026"), ("comments", "July 2026"))
    ]
    assert said == [["0", "0", "–"], ["2", "1", "50"], ["1", "0", "–"]]
    assert shown["failed-payments"]["May 2026"][7] == ("–", "")
    assert "May 2026,0,0,\r\n" in fiona.get(f"{PAGE}retention.csv").text


@pytest.mark.usefixtures("season")
def test_chart_and_file_say_what_the_table_says(fiona: Client) -> None:
    reports.gather()
    page = fiona.get(PAGE).text
    assert "<title>July 2026: £7.04</title>" in page
    drawn = [each for each in reports.all_reports() if any(row.cells[each.drawn] > 0 for row in each.rows)]
    assert 0 < len(drawn) < len(reports.all_reports())  # where there is nothing, there is no empty place for a chart
    assert page.count('<svg class="report__chart"') == page.count("The chart shows") == len(drawn)
    response = fiona.get(f"{PAGE}takings-by-month.csv")
    found = {row[""]: row for row in csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff")))}
    assert found["July 2026"] == {
        "": "July 2026",
        "Payments": "3",
        "Received £": "9.06",
        "Gone back £": "2.02",
        "Stays £": "7.04",
    }
    assert fiona.get(f"{PAGE}nothing.csv").status_code == 404


def test_page_opens_before_anything_was_summed_up(fiona: Client) -> None:
    """Pounds may have come since the last hour: rows of £0 would say that there were none."""
    page = fiona.get(PAGE).text
    assert "Nothing has been summed up yet" in page
    assert "£0" not in page


# Of each version of what is summed up, what it has figures of. Where this does not match: if lines are summed up that
# were not before, one more for campaign_sums.VERSION; if only words changed, the new digest for the same version.
SUMMED_UP = {1: "ffcc1132d84a71c4"}


def test_whoever_adds_a_figure_must_say_that_it_is_to_be_summed_up() -> None:
    shown = [[each.slug, *each.headings] for each in reports.all_reports()]
    shown.append([each.name for each in fields(Brought)])
    assert SUMMED_UP[campaign_sums.VERSION] == sha256(json.dumps(shown).encode()).hexdigest()[:16]


def test_after_an_update_the_worker_sums_up_at_once_and_no_page_says_nought_until_then(fiona: Client) -> None:
    campaign = make_campaign()
    make_payment(make_adoption(campaign=campaign, activated_at=NOW, state=AdoptionState.ACTIVE), occurred_at=NOW)
    reports.gather()
    ReportLine.objects.filter(report=campaign_sums.KEPT_BY).update(number=campaign_sums.VERSION - 1)
    ReportLine.objects.filter(key=f"new {campaign.pk}").delete()  # as if the version before did not count it
    assert [each.new for each in campaign_report.figures([campaign])] == [1]
    page = fiona.get(PAGE).text
    assert "being summed up anew" in page
    assert "£0" not in page
    enqueue_due()
    due = DBTaskResult.objects.filter(task_path=gather_reports_after_update.module_path)
    assert due.count() == 1
    gather_reports_after_update.func()
    assert ReportLine.objects.filter(key=f"new {campaign.pk}").exists()
    kept = ReportLine.objects.get(report=campaign_sums.KEPT_BY).pk
    due.delete()
    enqueue_due()
    gather_reports_after_update.func()
    assert (due.count(), ReportLine.objects.get(report=campaign_sums.KEPT_BY).pk) == (0, kept)
    assert "Summed up on 20 November 2026" in fiona.get(PAGE).text
    # While an update goes out, the version before lets the sums of the next one be: they do not take turns.
    ReportLine.objects.filter(report=campaign_sums.KEPT_BY).update(number=campaign_sums.VERSION + 1)
    assert not campaign_sums.is_outdated()


@pytest.mark.usefixtures("season")
def test_page_asks_for_sums_and_not_for_rows(fiona: Client, django_assert_max_num_queries: Any) -> None:
    reports.gather()
    fiona.get(PAGE)
    for ten_years in ("", "?from=2016-12-01&to=2026-11-20"):
        with django_assert_max_num_queries(22) as asked_for:
            fiona.get(f"{PAGE}{ten_years}")
        for query in asked_for.captured_queries:
            assert not re.search(r'FROM "(adoptions_(payment|adoption|failedrenewal)|species_comment)"', query["sql"])


def test_hostile_name_of_a_plan_is_only_words(fiona: Client) -> None:
    adoption = make_adoption(
        frequency="monthly", state=AdoptionState.ACTIVE, activated_at=NOW, stripe_subscription_id="s"
    )
    type(adoption.plan).objects.update(name="=cmd|' /C calc'!A0<script>")
    reports.gather()
    assert "<script>" not in fiona.get(PAGE).text.replace("<script src", "")
    assert "'=cmd" in fiona.get(f"{PAGE}plans.csv").text
