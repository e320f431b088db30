"""Reports for fundraisers, finance and trustees: a chart, the table beneath it, its rows and a file.

The address says of which period, `?period=tax-2025` or `?from=2024-11-01&to=2024-11-30`, see report_periods.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.desk_page import desk_page
from config.money import pounds
from config.spreadsheet import csv_response

from .. import campaign_sums, report_periods, reports, takings
from ..campaign_report import decimal
from ..models import ReportLine
from ..report_periods import NoPeriod
from ..report_tables import Report, Row
from .rows_behind import Ways

HEIGHT, STEP, GAP = 120, 20, 4  # of a chart, in its own units
LONGEST = 20  # letters of what is asked for; the longest that can be has 14


@dataclass(frozen=True)
class Bar:
    x: int
    y: int
    height: int
    words: str


@dataclass(frozen=True)
class Chart:
    """`admin/adoptions/chart.html` draws it."""

    bars: list[Bar]
    width: int
    height: int = HEIGHT
    bar_width: int = STEP - GAP

    @property
    def has_bars(self) -> bool:
        """Where every figure is nothing, a chart is an empty place."""
        return any(bar.height for bar in self.bars)


@dataclass(frozen=True)
class Shown:
    """A report as its page needs it."""

    report: Report
    chart: Chart
    rows: list[tuple[str, list[tuple[str, str]]]]  # label, cells, each with the address of the rows behind it
    total: list[tuple[str, list[tuple[str, str]]]]  # one more line, or none


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    return [
        path("reports/", wrap(show), name="reports"),
        path("reports/<slug:kind>.csv", wrap(as_file), name="reports_csv"),
    ]


def check(request: HttpRequest) -> None:
    if not request.user.has_perm("adoptions.view_payment"):
        raise PermissionDenied


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """What is asked for and cannot be is said, above what is shown when nothing is asked for."""
    check(request)
    gathered_at, ways, fault = campaign_sums.summed_up_at(), Ways(request), ""
    try:
        period = report_periods.read(request.GET)
    except NoPeriod as error:
        period, fault = report_periods.of_late(), error.sentence
    return desk_page(
        request,
        "admin/adoptions/reports.html",
        "Reports",
        gathered_at=gathered_at,
        is_updated=not gathered_at and ReportLine.objects.exists(),
        period=period,
        most_days=report_periods.MOST_DAYS,
        most_months=report_periods.MOST_MONTHS,
        asked=dict(period.asked),
        fault=fault,
        choices=list(report_periods.choices(ReportLine.objects.oldest(takings.TAKINGS))),
        reports=[shown(ways, report) for report in reports.all_reports(period)] if gathered_at else [],
    )


@require_safe
def as_file(request: HttpRequest, kind: str) -> HttpResponse:
    """Of a period that cannot be there is none: the page says why. Cut, nothing too long becomes what can be."""
    check(request)
    try:
        period = report_periods.read(request.GET)
    except NoPeriod:
        asked = {name: request.GET.get(name, "")[:LONGEST] for name in report_periods.NAMES}
        return redirect(f"{reverse('admin:reports')}?{urlencode(asked)}")
    found = next((report for report in reports.all_reports(period) if report.slug == kind), None)
    if found is None:
        raise Http404
    headings = [f"{name} £" if place in found.money else name for place, name in enumerate(found.headings)]
    rows = [[row.label, *(in_file(found, row, place) for place in range(len(row.cells)))] for row in found.lines]
    name = "-".join([kind, *(value for _, value in period.asked)])
    return csv_response(f"{name}.csv", ["", *headings], rows or [[found.nothing]])


def shown(ways: Ways, report: Report) -> Shown:
    def line(row: Row) -> tuple[str, list[tuple[str, str]]]:
        places = range(len(row.cells))
        return row.label, [(cell(report, row, place), behind(ways, report, row, place)) for place in places]

    bars = ((row.label, row.cells[report.drawn], cell(report, row, report.drawn)) for row in report.charted)
    return Shown(report, chart(bars), [line(row) for row in report.rows], [line(report.total)] if report.total else [])


def in_file(report: Report, row: Row, place: int) -> str | int:
    if place in row.of_none:
        return ""
    return decimal(row.cells[place]) if place in report.money else row.cells[place]


def cell(report: Report, row: Row, place: int) -> str:
    if place in row.of_none:
        return "–"
    return pounds(row.cells[place]) if place in report.money else f"{row.cells[place]:,}"


def chart(figures: Iterable[tuple[str, int, str]]) -> Chart:
    """Of labels, each with its figure and that in words. What is below nothing has no bar: the table says it."""
    found = list(figures)
    most = max((figure for _, figure, _ in found), default=0)
    bars = []
    for number, (label, figure, words) in enumerate(found):
        height = max(0, figure) * HEIGHT // most if most > 0 else 0
        bars.append(Bar(number * STEP, HEIGHT - height, height, f"{label}: {words}"))
    return Chart(bars, max(len(bars), 1) * STEP)


def behind(ways: Ways, report: Report, row: Row, place: int) -> str:
    """The address of the rows that a figure counts; empty where it counts none."""
    found = report.behind[place]
    if not row.cells[place] and place not in row.moved:
        return ""
    span = {found.last_day: row.last.isoformat()} if found.last_day and row.last else {}
    if found.moment and row.first and row.last:
        ends = (row.first, row.last + timedelta(days=1))
        start, end = (timezone.make_aware(datetime.combine(day, time())).isoformat() for day in ends)
        span = {f"{found.moment}__gte": start, f"{found.moment}__lt": end}
    return ways.to(found, {**span, **dict(row.only)})
