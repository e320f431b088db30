"""Reports for fundraisers, finance and trustees: a chart, the table beneath it, its rows and a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.desk_page import desk_page
from config.money import pounds
from config.spreadsheet import csv_response

from .. import campaign_sums, reports
from ..campaign_report import decimal
from ..models import ReportLine
from ..reports import Report, Row
from .rows_behind import Ways

HEIGHT, STEP, GAP = 120, 20, 4  # of a chart, in its own units


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
    check(request)
    gathered_at, ways = campaign_sums.summed_up_at(), Ways(request)
    return desk_page(
        request,
        "admin/adoptions/reports.html",
        "Reports",
        gathered_at=gathered_at,
        is_updated=not gathered_at and ReportLine.objects.exists(),
        reports=[shown(ways, report) for report in reports.all_reports()] if gathered_at else [],
    )


@require_safe
def as_file(request: HttpRequest, kind: str) -> HttpResponse:
    check(request)
    found = next((report for report in reports.all_reports() if report.slug == kind), None)
    if found is None:
        raise Http404
    headings = [f"{name} £" if place in found.money else name for place, name in enumerate(found.headings)]
    rows = [[row.label, *(in_file(found, row, place) for place in range(len(row.cells)))] for row in found.rows]
    return csv_response(f"{kind}.csv", ["", *headings], rows)


def shown(ways: Ways, report: Report) -> Shown:
    rows = [
        (row.label, [(cell(report, row, place), behind(ways, report, row, place)) for place in range(len(row.cells))])
        for row in report.rows
    ]
    drawn = report.rows[::-1] if report.is_by_time else report.rows  # the oldest on the left
    bars = ((row.label, row.cells[report.drawn], cell(report, row, report.drawn)) for row in drawn)
    return Shown(report, chart(bars), rows)


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
