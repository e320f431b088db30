from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Max
from django.utils import timezone


class ReportLineQuerySet(models.QuerySet["ReportLine"]):
    def sums(self, report: str, since: date | None = None) -> dict[tuple[date, str], tuple[int, int]]:
        """By period and key: how many, and how many pence."""
        rows = self.filter(report=report)
        rows = rows.filter(period__gte=since) if since else rows
        found = rows.values_list("period", "key", "number", "pence")
        return {(period, key): (number, pence) for period, key, number, pence in found}

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
