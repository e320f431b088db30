from django.db import models


class ReportLine(models.Model):
    """One figure of a report, summed up by a task: whoever reads it waits no longer for a million rows than for ten."""

    report = models.CharField(max_length=20)
    period = models.DateField(help_text="The day, or the first day of the month.")
    key = models.CharField(max_length=160)
    number = models.BigIntegerField(default=0)
    pence = models.BigIntegerField(default=0)
    gathered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "period", "key"], name="report_line_once")]

    def __str__(self) -> str:
        return f"{self.report} {self.period} {self.key}"
