"""What trustees ask: takings, who came and who left, who stays, what failed, what is chosen, how comments fare.

All figures are summed up every hour from the ledger and the adoptions themselves, in one transaction, so that they fit
each other. A page only reads the sums. Days and months are those of London. What another system collected before, and a
list brought in, is in none of them: it never came to the bank by way of this site, and nobody was won or lost by it.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Aggregate, Case, CharField, Count, DurationField, F, IntegerField, Q, Sum, Value, When
from django.db.models.functions import TruncDay, TruncMonth
from django.utils import timezone

from species.models import Comment, CommentStatus

from . import campaign_sums, report_periods, takings
from .models import (
    ADOPTED,
    REPEATING,
    WHAT_BECAME,
    Adoption,
    Became,
    Campaign,
    FailedRenewal,
    Frequency,
    Payment,
    ReportLine,
    Source,
)
from .models.reports import line
from .report_periods import Period
from .report_tables import Report, Row
from .rows_behind import Behind

NEW, LOST, STARTED, KEPT, PLANS, COMMENTS, WAITED = (
    *("new", "lost", "started", "kept", "plans", "comments", "waited"),
)
FAILED, CAME_BACK, CAME_AFTER = "failed", "came back", "came back after"
BEGAN = Q(activated_at__isnull=False, frequency__in=REPEATING) & ~Q(source=Source.IMPORT)
OURS = ",".join(source for source in Source if source != Source.IMPORT)


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
        yield line(takings.TAKINGS, row["period"], f"{row['kind']} {row['method']}", row["number"], row["pence"])
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


REPEATS = (("frequency__in", "monthly,yearly"), ("source__in", OURS))
BEGUN = Behind("adoptions_adoption", "activated_at", REPEATS)
ENDED = Behind("adoptions_adoption", "ended_at", (*REPEATS, ("activated_at__isnull", "0")))
STANDING = Behind("adoptions_adoption", only=REPEATS, last_day="stood_on")
NOW = Behind("adoptions_adoption", only=(("state__in", ",".join(sorted(ADOPTED))),))
FAILURES = Behind("adoptions_failedrenewal", "failed_at")
WRITTEN = Behind("species_comment", "created_at", (("status", "all"),))  # by itself it opens on what waits


def all_reports(period: Period | None = None) -> list[Report]:
    """Of late, if no other period is asked for. What is chosen is of now."""
    period = period or report_periods.of_late()
    by_time = (
        *(takings.by_day, takings.by_month, takings.by_way),
        *(coming_and_going, retention, failed_payments, reasons_of_failure),
    )
    return [*(report(period) for report in by_time), plans(), comments(period)]


def months(period: Period) -> list[tuple[date, date]]:
    """The first and the last day of each: whole ones, for all but takings are kept by the month."""
    return [(month.first, month.last) for month in period.span.whole_months()]


def coming_and_going(period: Period) -> Report:
    """Active at the end of a month is all who had begun by then, less all who had ended."""
    new, lost = sums(NEW), sums(LOST)
    rows = []
    for month, last in months(period):
        came, went = (sum(n for (day, _), (n, _) in found.items() if day == month) for found in (new, lost))
        active = sum(n for (day, _), (n, _) in new.items() if day <= last)
        active -= sum(n for (day, _), (n, _) in lost.items() if day <= last)
        rows.append(Row(f"{month:%B %Y}", [came, went, active], month, last))
    about = "Adoptions that repeat: begun with their first payment, and ended."
    headings = ["New", "Lost", "Active at the end"]
    behind = (BEGUN, ENDED, STANDING)
    return Report("coming-and-going", "Active, new and lost", about, headings, rows, [], 2, behind)


def retention(period: Period) -> Report:
    started, kept = sums(STARTED), sums(KEPT)
    rows = []
    for month, last in months(period):
        began, stay = started.get((month, ""), (0, 0))[0], kept.get((month, ""), (0, 0))[0]
        cells = [began, stay, 100 * stay // began if began else 0]
        of_none = frozenset() if began else frozenset({2})
        rows.append(Row(f"{month:%B %Y}", cells, month, last, of_none=of_none))
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


def failed_payments(period: Period) -> Report:
    """By the month of the first try. What failed lately may still be tried again: those months are not over."""
    known, back, after = sums(FAILED), sums(CAME_BACK), sums(CAME_AFTER)
    rows = []
    for month, last in months(period):
        parts = fates((key, figures) for (on, key), figures in known.items() if on == month)
        came, days = back.get((month, ""), (0, 0))[1], after.get((month, ""), (0, 0))[0]
        of_none = frozenset() if (month, "") in after else frozenset({7})
        rows.append(Row(f"{month:%B %Y}", [*cells_of(parts), came, days], month, last, of_none=of_none))
    about = (
        "Payments of adoptions that repeat, the first one of each apart, that a bank refused when they were first "
        "tried, by the month of that try. By a retry: paid in the end by the same card or account. With another card: "
        "by another one than was refused first. Lost: not paid, and the adoption has ended. Days: half of those "
        "recovered took no longer. Where a bank only asks the payer to confirm, nothing is refused, and nothing is "
        "counted. What was recovered and later given back still counts as recovered."
    )
    headings, behind = [*FAILED_HEADINGS, "Recovered", "Days"], (*FAILED_BEHIND, RECOVERED, RECOVERED)
    return Report("failed-payments", "Failed payments and recovery", about, headings, rows, [1, 6], 0, behind)


def reasons_of_failure(period: Period) -> Report:
    (since, _), (_, until) = months(period)[-1], months(period)[0]
    by_reason: dict[str, list[tuple[str, tuple[int, int]]]] = {}
    for (_, key), figures in sums(FAILED, since, until).items():
        by_reason.setdefault(key.partition(" ")[2], []).append((key, figures))
    rows = []
    for reason, found in by_reason.items():
        cells = cells_of(fates(found))
        only = (("reason__exact", reason),)
        share = 100 * (cells[2] + cells[3]) // cells[0]
        rows.append(Row(reason.replace("_", " ").capitalize(), [*cells, share], since, until, only))
    rows.sort(key=lambda row: (-row.cells[0], row.label))
    months_of = f"{since:%B %Y} to {until:%B %Y}"
    about = f"The same of {months_of}, by why the first try was refused, in the word of the bank or of Stripe."
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


def comments(period: Period) -> Report:
    known, waited = sums(COMMENTS), sums(WAITED)
    rows = []
    for month, last in months(period):
        by_status = {status: known.get((month, status), (0, 0))[0] for status in CommentStatus}
        yes = by_status[CommentStatus.APPROVED]
        middle = waited.get((month, ""), (0, 0))[0]
        of_none = frozenset() if (month, "") in waited else frozenset({2})
        cells = [sum(by_status.values()), yes, middle]
        rows.append(Row(f"{month:%B %Y}", cells, month, last, of_none=of_none))
    about = "By the month in which they were written. Waited: of half of those decided on, no longer than this."
    decided = WRITTEN.who(moderated_at__isnull="0")
    behind = (WRITTEN, WRITTEN.who(status=CommentStatus.APPROVED), decided)
    return Report("comments", "Comments", about, ["Written", "Approved", "Waited, minutes"], rows, [], 0, behind)
