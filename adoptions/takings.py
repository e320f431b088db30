"""Takings by day, by month and by the way on which they came, out of the sums that are kept of every day."""

from collections.abc import Iterable
from datetime import date

from . import campaign_report
from .models import BY_HAND, Method, PaymentKind, ReportLine
from .report_periods import MOST_DAYS, Period, Span
from .report_tables import MOST_BARS, Report, Row
from .rows_behind import Behind

TAKINGS = "takings"
WAYS = (Method.STRIPE, *BY_HAND)
PAYMENTS = Behind("adoptions_payment", "occurred_at", (("is_brought_in__exact", "0"),))
CHARGES = PAYMENTS.who(kind__exact=PaymentKind.CHARGE)
HEADINGS = ["Payments", "Received", "Gone back", "Stays"]
BEHIND = (CHARGES, CHARGES, PAYMENTS.who(kind__in=campaign_report.WENT_BACK), PAYMENTS)

type Part = tuple[str, int, int]  # of a day or a month: its kind and its way, how many, and how many pence


def by_day(period: Period) -> Report:
    parts, days = found_in(period.days), period.days.each_day()
    rows = [row_of(f"{day:%a %-d %b %Y}", Span(day, day), parts.get(day, [])) for day in days]
    about = (
        "What the ledger says, on the day on which it happened at Stripe. Gone back: refunds and disputes. What a list "
        "brought in from another system is not in it."
    )
    return Report(
        "takings-by-day",
        "Takings by day",
        about,
        HEADINGS,
        rows,
        [1, 2, 3],
        3,
        BEHIND,
        total=in_all(rows),
        bars=month_rows(period.days) if len(rows) > MOST_BARS else [],
        nothing=f"These are more than {MOST_DAYS} days: see them by month, or choose fewer.",
    )


def by_month(period: Period) -> Report:
    rows = month_rows(period.span)
    about = "The same by month."
    return Report(
        "takings-by-month", "Takings by month", about, HEADINGS, rows, [1, 2, 3], 3, BEHIND, total=in_all(rows)
    )


def by_way(period: Period) -> Report:
    """What stays of each month, by the way on which it came."""
    known, rows = found_in(period.span, by_month=True), []
    for month in period.span.months():
        stays, moved = dict.fromkeys(WAYS, 0), set()
        for key, _, pence in known.get(month.first.replace(day=1), []):
            way = Method(key.split()[1])
            stays[way] += pence
            moved |= {WAYS.index(way), len(WAYS)}
        cells = [*stays.values(), sum(stays.values())]
        rows.append(Row(month.of_month, cells, month.first, month.last, moved=frozenset(moved)))
    about = "What stays, by the way on which it came: through Stripe, or written down by staff."
    headings = [*(way.label for way in WAYS), "In all"]
    behind = (*(PAYMENTS.who(method__exact=way) for way in WAYS), PAYMENTS)
    money = [*range(len(headings))]
    return Report(
        "takings-by-way", "Takings by way", about, headings, rows, money, len(WAYS), behind, total=in_all(rows)
    )


def found_in(span: Span, *, by_month: bool = False) -> dict[date, list[Part]]:
    """By the day, or by the first day of the month."""
    found: dict[date, list[Part]] = {}
    for (day, key), figures in ReportLine.objects.sums(TAKINGS, span.first, span.last, by_month=by_month).items():
        found.setdefault(day, []).append((key, *figures))
    return found


def month_rows(span: Span) -> list[Row]:
    parts = found_in(span, by_month=True)
    return [row_of(month.of_month, month, parts.get(month.first.replace(day=1), [])) for month in span.months()]


def row_of(label: str, span: Span, parts: Iterable[Part]) -> Row:
    parts = list(parts)
    came = [(number, pence) for key, number, pence in parts if key.split()[0] == PaymentKind.CHARGE]
    net = sum(pence for _, _, pence in parts)
    received = sum(pence for _, pence in came)
    moved = frozenset(({2} if len(came) < len(parts) else set()) | ({3} if parts else set()))
    cells = [sum(number for number, _ in came), received, received - net, net]
    return Row(label, cells, span.first, span.last, moved=moved)


def in_all(rows: list[Row]) -> Row | None:
    """Of days or months, the newest first, that follow each other."""
    if not rows:
        return None
    cells = [sum(column) for column in zip(*(row.cells for row in rows), strict=True)]
    return Row("In all", cells, rows[-1].first, rows[0].last, moved=frozenset().union(*(row.moved for row in rows)))
