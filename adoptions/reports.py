"""What trustees ask: takings, who came and who left, who stays, what failed, what is chosen, how comments fare.

All figures are summed up every hour from the ledger and the adoptions themselves, in one transaction, so that they fit
each other. A page only reads the sums. Days and months are those of London. What another system collected before, and a
list brought in, is in none of them: it never came to the bank by way of this site, and nobody was won or lost by it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Aggregate, Case, CharField, Count, DurationField, F, IntegerField, Q, Sum, Value, When
from django.db.models.functions import TruncDay, TruncMonth
from django.utils import timezone

from species.models import Comment, CommentStatus

from . import campaign_report, campaign_sums
from .models import (
    ADOPTED,
    BY_HAND,
    REPEATING,
    WHAT_BECAME,
    Adoption,
    Became,
    Campaign,
    FailedRenewal,
    Frequency,
    Method,
    Payment,
    PaymentKind,
    ReportLine,
    Source,
)
from .models.reports import line
from .rows_behind import Behind

DAYS, MONTHS = 31, 13
TAKINGS, NEW, LOST, STARTED, KEPT, PLANS, COMMENTS, WAITED = (
    *("takings", "new", "lost", "started", "kept", "plans", "comments", "waited"),
)
FAILED, CAME_BACK, CAME_AFTER = "failed", "came back", "came back after"
BEGAN = Q(activated_at__isnull=False, frequency__in=REPEATING) & ~Q(source=Source.IMPORT)
OURS = ",".join(source for source in Source if source != Source.IMPORT)
WAYS = (Method.STRIPE, *BY_HAND)


class Median(Aggregate):
    function = "PERCENTILE_DISC"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def gather() -> int:
    """Sum everything up anew; how many lines there are. Twice at once, the second waits and does the same."""
    now = timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE adoptions_reportline IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute("SET LOCAL statement_timeout = '60s'")  # a million rows take a few seconds
        lines = [ReportLine(gathered_at=now, **values) for values in everything()]
        ReportLine.objects.all().delete()
        ReportLine.objects.bulk_create(lines, batch_size=2000)
    return len(lines)


def gather_if_outdated() -> None:
    """Asked for more than once while it is done, it is done once."""
    if campaign_sums.is_outdated():
        gather()


def everything() -> Iterator[dict[str, Any]]:
    yield line(campaign_sums.KEPT_BY, timezone.localdate(), "", campaign_sums.VERSION)
    payments = Payment.objects.through_us().annotate(period=TruncDay("occurred_at")).order_by()
    for row in payments.values("period", "kind", "method").annotate(number=Count("pk"), pence=Sum("amount_pence")):
        yield line(TAKINGS, row["period"], f"{row['kind']} {row['method']}", row["number"], row["pence"])
    for report, moment in ((NEW, "activated_at"), (LOST, "ended_at")):
        moved = Adoption.objects.filter(BEGAN, **{f"{moment}__isnull": False}).annotate(period=TruncMonth(moment))
        for move in moved.order_by().values("period", "frequency").annotate(number=Count("pk")):
            yield line(report, move["period"], move["frequency"], move["number"])
    starts = Adoption.objects.filter(BEGAN).annotate(period=TruncMonth("activated_at")).order_by().values("period")
    for began in starts.annotate(all=Count("pk"), kept=Count("pk", filter=Q(state__in=ADOPTED))):
        yield line(STARTED, began["period"], "", began["all"])
        yield line(KEPT, began["period"], "", began["kept"])
    yield from of_failures()
    yield from of_plans()
    yield from of_comments()
    yield from campaign_sums.everything(Campaign.objects.all())


def of_failures() -> Iterator[dict[str, Any]]:
    """By the month of the first try: what became of how much, why, and after how many days half had come back."""
    rows = FailedRenewal.objects.annotate(period=TruncMonth("failed_at")).order_by()
    what = Case(*(When(q, then=Value(what.value)) for what, q in WHAT_BECAME.items()), output_field=CharField())
    refused = rows.annotate(what=what).values("period", "what", "reason")
    for row in refused.annotate(number=Count("pk"), pence=Sum("amount_pence")):
        yield line(FAILED, row["period"], f"{row['what']} {row['reason']}", row["number"], row["pence"])
    back = rows.filter(payment__isnull=False).annotate(after=F("payment__occurred_at") - F("failed_at"))
    for month in back.values("period").annotate(pence=Sum("payment__amount_pence"), median=Median("after")):
        yield line(CAME_BACK, month["period"], "", 0, month["pence"])
        yield line(CAME_AFTER, month["period"], "", month["median"].days)


def of_plans() -> Iterator[dict[str, Any]]:
    """What runs now, with what it brings in a year."""
    a_year = Case(
        When(frequency=Frequency.MONTHLY, then=F("amount_pence") * 12),
        default=F("amount_pence"),
        output_field=IntegerField(),
    )
    rows = Adoption.objects.filter(state__in=ADOPTED, frequency__in=REPEATING).order_by()
    today = timezone.localdate()
    for row in rows.values("plan__name", "frequency").annotate(number=Count("pk"), pence=Sum(a_year)):
        key = f"{row['frequency']} {row['plan__name']}"
        yield line(PLANS, today, key, row["number"], row["pence"])


def of_comments() -> Iterator[dict[str, Any]]:
    """By the month in which they were written. How long the one in the middle waited, in minutes."""
    rows = Comment.objects.annotate(period=TruncMonth("created_at")).order_by()
    for row in rows.values("period", "status").annotate(number=Count("pk")):
        yield line(COMMENTS, row["period"], row["status"], row["number"])
    decided = rows.filter(moderated_at__isnull=False).annotate(waited=F("moderated_at") - F("created_at"))
    for month in decided.values("period").annotate(median=Median("waited")):
        yield line(WAITED, month["period"], "", int(month["median"].total_seconds()) // 60)


# --- as they are read ----------------------------------------------------------------------------------------------

sums = ReportLine.objects.sums


@dataclass(frozen=True)
class Row:
    """One line of a table: its label, its cells, and from which day to which the rows behind it are, and which ones.

    `moved`: the cells with rows behind them that may come to nothing, as what was taken and given back on one day.
    `of_none`: the shares and middles of none at all; the nought in them says nothing.
    """

    label: str
    cells: list[int]
    first: date | None = None
    last: date | None = None
    only: tuple[tuple[str, str], ...] = ()
    moved: frozenset[int] = frozenset()
    of_none: frozenset[int] = frozenset()


PAYMENTS = Behind("adoptions_payment", "occurred_at", (("is_brought_in__exact", "0"),))
REPEATS = (("frequency__in", "monthly,yearly"), ("source__in", OURS))
BEGUN = Behind("adoptions_adoption", "activated_at", REPEATS)
ENDED = Behind("adoptions_adoption", "ended_at", (*REPEATS, ("activated_at__isnull", "0")))
STANDING = Behind("adoptions_adoption", only=REPEATS, last_day="stood_on")
NOW = Behind("adoptions_adoption", only=(("state__in", ",".join(sorted(ADOPTED))),))
FAILURES = Behind("adoptions_failedrenewal", "failed_at")
WRITTEN = Behind("species_comment", "created_at", (("status", "all"),))  # by itself it opens on what waits


@dataclass(frozen=True)
class Report:
    """`money`: columns of pence. `drawn`: the column of the chart. `behind`: for each column, where its rows are."""

    slug: str
    title: str
    about: str
    headings: list[str]
    rows: list[Row]
    money: list[int] = field(default_factory=list)
    drawn: int = 0
    behind: tuple[Behind, ...] = ()

    @property
    def is_by_time(self) -> bool:
        """Its lines are days or months, the newest first."""
        return any(row.first and not row.only for row in self.rows)

    @property
    def chart_heading(self) -> str:
        return self.headings[self.drawn]


def all_reports() -> list[Report]:
    return [
        takings_by_day(),
        takings_by_month(),
        takings_by_way(),
        coming_and_going(),
        retention(),
        failed_payments(),
        reasons_of_failure(),
        plans(),
        comments(),
    ]


def month_before(day: date, months: int) -> date:
    """The first day of the month that many months before a day's own."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def months() -> list[date]:
    return [month_before(timezone.localdate(), back) for back in range(MONTHS)]


def end_of(month: date) -> date:
    return month_before(month, -1) - timedelta(days=1)


def takings_row(label: str, first: date, last: date, found: Iterable[tuple[str, int, int]]) -> Row:
    parts = list(found)
    came = [(number, pence) for key, number, pence in parts if key.split()[0] == PaymentKind.CHARGE]
    net = sum(pence for _, _, pence in parts)
    received = sum(pence for _, pence in came)
    moved = frozenset(({2} if len(came) < len(parts) else set()) | ({3} if parts else set()))
    return Row(label, [sum(number for number, _ in came), received, received - net, net], first, last, moved=moved)


TAKINGS_HEADINGS = ["Payments", "Received", "Gone back", "Stays"]
CHARGES = PAYMENTS.who(kind__exact=PaymentKind.CHARGE)
TAKINGS_BEHIND = (
    CHARGES,
    CHARGES,
    PAYMENTS.who(kind__in=campaign_report.WENT_BACK),
    PAYMENTS,
)


def takings_by_day() -> Report:
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in range(DAYS)]
    known = sums(TAKINGS, days[-1])
    rows = [
        takings_row(f"{day:%a %-d %b %Y}", day, day, ((k, *v) for (on, k), v in known.items() if on == day))
        for day in days
    ]
    about = (
        "What the ledger says, on the day on which it happened at Stripe. Gone back: refunds and disputes. What a list "
        "brought in from another system is not in it."
    )
    return Report("takings-by-day", "Takings by day", about, TAKINGS_HEADINGS, rows, [1, 2, 3], 3, TAKINGS_BEHIND)


def takings_by_month() -> Report:
    known = sums(TAKINGS, months()[-1])
    rows = []
    for month in months():
        parts = ((k, *v) for (day, k), v in known.items() if month <= day <= end_of(month))
        rows.append(takings_row(f"{month:%B %Y}", month, end_of(month), parts))
    about = "The same by month."
    return Report("takings-by-month", "Takings by month", about, TAKINGS_HEADINGS, rows, [1, 2, 3], 3, TAKINGS_BEHIND)


def takings_by_way() -> Report:
    """What stays of each month, by the way on which it came."""
    known = sums(TAKINGS, months()[-1])
    rows = []
    for month in months():
        stays, moved = dict.fromkeys(WAYS, 0), set()
        for (day, key), (_, pence) in known.items():
            if month <= day <= end_of(month):
                way = Method(key.split()[1])
                stays[way] += pence
                moved |= {WAYS.index(way), len(WAYS)}
        cells = [*stays.values(), sum(stays.values())]
        rows.append(Row(f"{month:%B %Y}", cells, month, end_of(month), moved=frozenset(moved)))
    about = "What stays, by the way on which it came: through Stripe, or written down by staff."
    headings = [*(way.label for way in WAYS), "In all"]
    behind = (*(PAYMENTS.who(method__exact=way) for way in WAYS), PAYMENTS)
    return Report("takings-by-way", "Takings by way", about, headings, rows, [0, 1, 2, 3, 4], 4, behind)


def coming_and_going() -> Report:
    """Active at the end of a month is all who had begun by then, less all who had ended."""
    new, lost = sums(NEW), sums(LOST)
    rows = []
    for month in months():
        last = end_of(month)
        came, went = (sum(n for (day, _), (n, _) in found.items() if day == month) for found in (new, lost))
        active = sum(n for (day, _), (n, _) in new.items() if day <= last)
        active -= sum(n for (day, _), (n, _) in lost.items() if day <= last)
        rows.append(Row(f"{month:%B %Y}", [came, went, active], month, last))
    about = "Adoptions that repeat: begun with their first payment, and ended."
    headings = ["New", "Lost", "Active at the end"]
    behind = (BEGUN, ENDED, STANDING)
    return Report("coming-and-going", "Active, new and lost", about, headings, rows, [], 2, behind)


def retention() -> Report:
    started, kept = sums(STARTED), sums(KEPT)
    rows = []
    for month in months():
        began, stay = started.get((month, ""), (0, 0))[0], kept.get((month, ""), (0, 0))[0]
        cells = [began, stay, 100 * stay // began if began else 0]
        of_none = frozenset() if began else frozenset({2})
        rows.append(Row(f"{month:%B %Y}", cells, month, end_of(month), of_none=of_none))
    about = "Of the adoptions that began in a month and repeat, how many still run today."
    headings = ["Began", "Still run", "Of 100"]
    running = BEGUN.who(state__in=",".join(sorted(ADOPTED)))
    behind = (BEGUN, running, running)
    return Report("retention", "Who stays, by the month they began", about, headings, rows, [], 2, behind)


type Fates = dict[Became, tuple[int, int]]  # how many, and how many pence


def fates(found: Iterable[tuple[str, tuple[int, int]]]) -> Fates:
    """Summed up over whatever the lines of failures are about."""
    parts: Fates = dict.fromkeys(Became, (0, 0))
    for key, (number, pence) in found:
        what = Became(key.split()[0])
        parts[what] = parts[what][0] + number, parts[what][1] + pence
    return parts


def cells_of(parts: Fates) -> list[int]:
    """All, their pence, and how many came to what."""
    numbers = [number for number, _ in parts.values()]
    return [sum(numbers), sum(pence for _, pence in parts.values()), *numbers]


FAILED_HEADINGS = ["Failed", "Amount", "By a retry", "With another card", "Lost", "Still open"]
RECOVERED = FAILURES.who(became="recovered")
FAILED_BEHIND = (FAILURES, FAILURES, *(FAILURES.who(became=what) for what in Became))


def failed_payments() -> Report:
    """By the month of the first try. What failed lately may still be tried again: those months are not over."""
    known, back, after = sums(FAILED), sums(CAME_BACK), sums(CAME_AFTER)
    rows = []
    for month in months():
        parts = fates((key, figures) for (on, key), figures in known.items() if on == month)
        came, days = back.get((month, ""), (0, 0))[1], after.get((month, ""), (0, 0))[0]
        of_none = frozenset() if (month, "") in after else frozenset({7})
        rows.append(Row(f"{month:%B %Y}", [*cells_of(parts), came, days], month, end_of(month), of_none=of_none))
    about = (
        "Payments of adoptions that repeat, the first one of each apart, that a bank refused when they were first "
        "tried, by the month of that try. By a retry: paid in the end by the same card or account. With another card: "
        "by another one than was refused first. Lost: not paid, and the adoption has ended. Days: half of those "
        "recovered took no longer. Where a bank only asks the payer to confirm, nothing is refused, and nothing is "
        "counted. What was recovered and later given back still counts as recovered."
    )
    headings, behind = [*FAILED_HEADINGS, "Recovered", "Days"], (*FAILED_BEHIND, RECOVERED, RECOVERED)
    return Report("failed-payments", "Failed payments and recovery", about, headings, rows, [1, 6], 0, behind)


def reasons_of_failure() -> Report:
    since, until = months()[-1], end_of(months()[0])
    by_reason: dict[str, list[tuple[str, tuple[int, int]]]] = {}
    for (_, key), figures in sums(FAILED, since).items():
        by_reason.setdefault(key.partition(" ")[2], []).append((key, figures))
    rows = []
    for reason, found in by_reason.items():
        cells = cells_of(fates(found))
        only = (("reason__exact", reason),)
        share = 100 * (cells[2] + cells[3]) // cells[0]
        rows.append(Row(reason.replace("_", " ").capitalize(), [*cells, share], since, until, only))
    rows.sort(key=lambda row: (-row.cells[0], row.label))
    about = f"The same since {since:%B %Y}, by why the first try was refused, in the word of the bank or of Stripe."
    headings, behind = [*FAILED_HEADINGS, "Recovered of 100"], (*FAILED_BEHIND, RECOVERED)
    return Report("reasons-of-failure", "Why payments fail", about, headings, rows, [1], 0, behind)


def plans() -> Report:
    found = sorted(sums(PLANS).items(), key=lambda item: -item[1][0])
    rows = []
    for (_, key), (number, pence) in found:
        rhythm, _, name = key.partition(" ")
        if rhythm not in Frequency:
            continue  # summed up by the version before: within the hour they are anew
        label = f"{name}, {Frequency(rhythm).label.lower()}"
        rows.append(Row(label, [number, pence], only=(("frequency__exact", rhythm), ("plan__name__exact", name))))
    about = "What is given now, again and again, and what it comes to in a year if nobody leaves."
    return Report("plans", "What is chosen", about, ["Adoptions", "In a year"], rows, [1], 0, (NOW, NOW))


def comments() -> Report:
    known, waited = sums(COMMENTS), sums(WAITED)
    rows = []
    for month in months():
        by_status = {status: known.get((month, status), (0, 0))[0] for status in CommentStatus}
        yes = by_status[CommentStatus.APPROVED]
        middle = waited.get((month, ""), (0, 0))[0]
        of_none = frozenset() if (month, "") in waited else frozenset({2})
        cells = [sum(by_status.values()), yes, middle]
        rows.append(Row(f"{month:%B %Y}", cells, month, end_of(month), of_none=of_none))
    about = "By the month in which they were written. Waited: of half of those decided on, no longer than this."
    decided = WRITTEN.who(moderated_at__isnull="0")
    behind = (WRITTEN, WRITTEN.who(status=CommentStatus.APPROVED), decided)
    return Report("comments", "Comments", about, ["Written", "Approved", "Waited, minutes"], rows, [], 0, behind)
