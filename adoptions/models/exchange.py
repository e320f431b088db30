from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

KEPT = timedelta(hours=24)  # of a file that was taken out; config/retention.toml carries it out
MOST_FAILURES = 5


class ExportLayout(models.TextChoices):
    """What a file can hold, and in which form."""

    SUPPORTERS_CSV = "supporters-csv", "Supporters, as CSV for a spreadsheet"
    SUPPORTERS_JSON = "supporters-json", "Supporters, as JSON Lines for a program"
    ADOPTIONS_CSV = "adoptions-csv", "Adoptions, as CSV for a spreadsheet"
    ADOPTIONS_JSON = "adoptions-json", "Adoptions, as JSON Lines for a program"
    PAYMENTS_CSV = "payments-csv", "Payments with their adoptions, as CSV for a spreadsheet"
    PAYMENTS_JSON = "payments-json", "Payments with their adoptions, as JSON Lines for a program"
    NPSP_CONTACTS = "npsp-contacts", "Contacts for Salesforce NPSP, as CSV"
    NPSP_DONATIONS = "npsp-donations", "Payments with their contacts for Salesforce NPSP, as CSV"


class ExportState(models.TextChoices):
    WRITING = "writing", "Being written"
    READY = "ready", "Ready"
    FAILED = "failed", "Could not be written"


class ExportedFileQuerySet(models.QuerySet["ExportedFile"]):
    def unfinished(self) -> "ExportedFileQuerySet":
        return self.filter(state=ExportState.WRITING)

    def advance(self, *, rows: int, after: int, size: int) -> int:
        """Another part of it is written, or was empty; called with the row locked, in the transaction that adds it."""
        more = {"done": F("done") + rows, "parts": F("parts") + (1 if size else 0), "size": F("size") + size}
        return self.unfinished().update(after=after, failures=0, **more)

    def finish(self) -> int:
        return self.unfinished().update(state=ExportState.READY, finished_at=Now(), total=F("done"))

    def stumble(self) -> int:
        """A part could not be written: tried again, and given up in the end."""
        self.unfinished().update(failures=F("failures") + 1)
        return self.unfinished().filter(failures__gte=MOST_FAILURES).update(state=ExportState.FAILED, finished_at=Now())


class ExportedFile(models.Model):
    """That somebody took out a list of people, and of which. The list itself is in the parts, for a day."""

    layout = models.CharField("what", max_length=20, choices=ExportLayout)
    chosen = models.JSONField(default=dict, help_text="The conditions, as numbers and words; nobody is named.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.WRITING)
    total = models.PositiveIntegerField("rows", default=0, help_text="Once it is ready.")
    done = models.PositiveIntegerField("rows so far", default=0)
    after = models.BigIntegerField(default=0, editable=False, help_text="As far as this number it is written.")
    last = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="The highest number there was when it began."
    )
    parts = models.PositiveIntegerField(default=0, editable=False)
    size = models.PositiveBigIntegerField("bytes", default=0)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ExportedFileQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="export_finished_has_time",
                condition=Q(state="writing", finished_at__isnull=True)
                | ~Q(state="writing") & Q(finished_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["id"], name="export_unfinished", condition=Q(state="writing"))]

    def __str__(self) -> str:
        return f"{self.get_layout_display()}, {timezone.localtime(self.asked_at):%d %B %Y, %H:%M}"

    @property
    def is_running(self) -> bool:
        return self.state == ExportState.WRITING

    @property
    def percent(self) -> int:
        return 100 if not self.is_running else min(99, 100 * self.after // max(self.last, 1))

    @property
    def name(self) -> str:
        """`supporters-17.csv`, `adoptions-18.jsonl`."""
        what = self.layout.removesuffix("-csv").removesuffix("-json")
        return f"{what}-{self.pk}.{'jsonl' if self.is_json else 'csv'}"

    @property
    def is_json(self) -> bool:
        return self.layout.endswith("-json")

    @property
    def gone_after(self) -> datetime | None:
        return self.finished_at + KEPT if self.finished_at else None


class ExportedPart(models.Model):
    """A piece of a file. In the database and not on a disk: web server and worker need not share one, what is under
    /media/ is public, and a row goes when its time is over, from the next backup as well."""

    file = models.ForeignKey(ExportedFile, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    body = models.BinaryField()
    written_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["file", "number"]
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="export_part_once")]

    def __str__(self) -> str:
        return f"{self.file_id}/{self.number}"
