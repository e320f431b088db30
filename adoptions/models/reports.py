from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Max, Min, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone


class ReportLineQuerySet(models.QuerySet["ReportLine"]):
    def sums(
        self, report: str, since: date | None = None, until: date | None = None, *, by_month: bool = False
    ) -> dict[tuple[date, str], tuple[int, int]]:
        """By period and key: how many, and how many pence. `by_month`: of what is kept by the day, by its month."""
        rows = self.filter(report=report)
        rows = rows.filter(period__gte=since) if since else rows
        rows = rows.filter(period__lte=until) if until else rows
        if not by_month:
            found = rows.values_list("period", "key", "number", "pence")
            return {(period, key): (number, pence) for period, key, number, pence in found}
        months = rows.order_by().annotate(month=TruncMonth("period")).values("month", "key")
        together = months.values_list("month", "key", Sum("number"), Sum("pence"))
        return {(month, key): (int(number), int(pence)) for month, key, number, pence in together}

    def oldest(self, report: str) -> date | None:
        found: date | None = self.filter(report=report).aggregate(oldest=Min("period"))["oldest"]
        return found

    def gathered_at(self) -> datetime | None:
        found: datetime | None = self.aggregate(latest=Max("gathered_at"))["latest"]
        return found


class ReportLine(models.Model):
    """One figure of a report, summed up by a task: whoever reads it waits no longer for a million rows than for ten."""

    report = models.CharField(max_length=20)
    period = models.DateField(help_text="The day, or the first day of the month.")
    key = models.CharField(max_length=160)
    number = models.BigIntegerField(default=0)
    pence = models.BigIntegerField(default=0)
    gathered_at = models.DateTimeField()

    objects = ReportLineQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "period", "key"], name="report_line_once")]

    def __str__(self) -> str:
        return f"{self.report} {self.period} {self.key}"


def line(report: str, period: datetime | date, key: str, number: int, pence: int = 0) -> dict[str, Any]:
    """What stands in a line that is not kept yet."""
    day = timezone.localtime(period).date() if isinstance(period, datetime) else period
    return {"report": report, "period": day, "key": key, "number": number, "pence": pence}
