from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from config.money import pounds

from .exchange import MOST_FAILURES
from .supporters import Supporter

MAY_BE_UNDONE = timedelta(days=30)  # and so long its rows are kept; config/retention.toml carries it out


class ImportState(models.TextChoices):
    CHECKING = "checking", "Being looked through"
    CHECKED = "checked", "Waits for your word"
    IMPORTING = "importing", "Being brought in"
    DONE = "done", "Brought in"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"
    REFUSED = "refused", "Cannot be read"
    DROPPED = "dropped", "Thrown away"
    FAILED = "failed", "Stopped by a fault"


AT_WORK = frozenset({ImportState.CHECKING, ImportState.IMPORTING, ImportState.UNDOING})
# The same file may come again only after these.
OVER = frozenset({ImportState.UNDONE, ImportState.REFUSED, ImportState.DROPPED})


class ListOf(models.TextChoices):
    """What a list is about."""

    PEOPLE = "people", "Supporters"
    PAST = "past", "Adoptions with their payments"


class OnKnown(models.TextChoices):
    """What to do about a row whose address we know already."""

    SKIP = "skip", "Leave them as they are"
    FILL = "fill", "Fill in what we lack: a name, and their word on news if they never said one"


class OnAlike(models.TextChoices):
    """What to do about a row with the name and postcode of somebody who has another address with us."""

    SKIP = "skip", "Leave them out, to look at one by one"
    NEW = "new", "Bring them in as people of their own"


class ImportedFileQuerySet(models.QuerySet["ImportedFile"]):
    def at_work(self) -> "ImportedFileQuerySet":
        return self.filter(state__in=AT_WORK)

    def begin(self, *, by: models.Model, known: str, alike: str) -> int:
        """Bring it in; 0 if somebody pressed first."""
        waiting = self.filter(state=ImportState.CHECKED)
        return waiting.update(
            state=ImportState.IMPORTING, confirmed_by=by, known=known, alike=alike, done=0, failures=0
        )

    def drop(self) -> int:
        """What was not brought in, and will not be."""
        idle = Q(state=ImportState.CHECKED) | Q(state=ImportState.FAILED, confirmed_by=None)
        return self.filter(idle).update(state=ImportState.DROPPED, finished_at=Now())

    def begin_undoing(self, *, by: models.Model) -> int:
        """0 if somebody pressed first, or it is too late."""
        some = Q(state=ImportState.DONE) | Q(state=ImportState.FAILED, confirmed_by__isnull=False)
        fresh = self.filter(some, asked_at__gt=timezone.now() - MAY_BE_UNDONE)
        return fresh.update(state=ImportState.UNDOING, undone_by=by, done=0, failures=0, finished_at=None)

    def advance(self, rows: int) -> int:
        """Called with the row locked, in the transaction that does what it counts."""
        return self.at_work().update(done=F("done") + rows, failures=0)

    def looked_through(self, *, total: int) -> int:
        return self.filter(state=ImportState.CHECKING).update(state=ImportState.CHECKED, total=total, done=total)

    def refuse(self, because: str) -> int:
        checking = self.filter(state=ImportState.CHECKING)
        return checking.update(state=ImportState.REFUSED, because=because[:300], finished_at=Now())

    def finish(self) -> int:
        done = self.filter(state=ImportState.IMPORTING).update(state=ImportState.DONE, finished_at=Now())
        return done + self.filter(state=ImportState.UNDOING).update(state=ImportState.UNDONE, finished_at=Now())

    def stumble(self) -> int:
        """Something went wrong that is nobody's typing: tried again, and given up in the end."""
        self.at_work().update(failures=F("failures") + 1)
        lost = self.at_work().filter(failures__gte=MOST_FAILURES)
        return lost.update(state=ImportState.FAILED, finished_at=Now())


class ImportedFile(models.Model):
    """A list that came from elsewhere, and how far it is. Nothing of it is a supporter before somebody says so."""

    name = models.CharField(max_length=120)
    what = models.CharField("of", max_length=6, choices=ListOf, default=ListOf.PEOPLE, db_default=ListOf.PEOPLE)
    digest = models.CharField(max_length=64, editable=False, help_text="Of the file: the same one is known again.")
    size = models.PositiveIntegerField("bytes")
    form = models.CharField(max_length=80, blank=True, help_text="As what it was read.")
    encoding = models.CharField(max_length=12, blank=True, editable=False)
    unread = models.CharField("headings that are not read", max_length=500, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=9, choices=ImportState, default=ImportState.CHECKING)
    because = models.CharField(max_length=300, blank=True, help_text="Why it cannot be read.")
    known = models.CharField("with addresses we know", max_length=4, choices=OnKnown, default=OnKnown.SKIP)
    alike = models.CharField("like somebody we know", max_length=4, choices=OnAlike, default=OnAlike.SKIP)
    total = models.PositiveIntegerField("rows", default=0, help_text="Until it is looked through: about so many.")
    done = models.PositiveIntegerField("rows so far", default=0)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ImportedFileQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["digest"],
                name="import_file_once",
                condition=~Q(state__in=["undone", "refused", "dropped"]),
            ),
            models.CheckConstraint(
                name="import_brought_in_by_somebody",
                condition=Q(state__in=["checking", "checked", "refused", "dropped", "failed"])
                | Q(confirmed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="import_undone_by_somebody",  # who it was has been kept since 2026-11 only
                condition=Q(undone_by__isnull=True) | Q(state__in=["undoing", "undone", "failed"]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], name="import_at_work", condition=Q(state__in=["checking", "importing", "undoing"])
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_of_past(self) -> bool:
        return self.what == ListOf.PAST

    @property
    def is_running(self) -> bool:
        return self.state in AT_WORK

    @property
    def percent(self) -> int:
        return min(99, 100 * self.done // max(self.total, 1)) if self.is_running else 100

    @property
    def undone_until(self) -> datetime:
        return self.asked_at + MAY_BE_UNDONE

    @property
    def can_be_undone(self) -> bool:
        is_some_in = self.state == ImportState.DONE or (self.state == ImportState.FAILED and bool(self.confirmed_by_id))
        return is_some_in and timezone.now() < self.undone_until

    @property
    def can_be_dropped(self) -> bool:
        return self.state == ImportState.CHECKED or (self.state == ImportState.FAILED and not self.confirmed_by_id)


class ImportedPiece(models.Model):
    """A piece of the file as it came, until it is looked through."""

    file = models.ForeignKey(ImportedFile, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    body = models.BinaryField()
    came_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["file", "number"]
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="import_piece_once")]

    def __str__(self) -> str:
        return f"{self.file_id}/{self.number}"


class Verdict(models.TextChoices):
    """What looking at a row said, before anything was brought in."""

    NEW = "new", "New"
    KNOWN = "known", "The address is known here"
    ALIKE = "alike", "The name and postcode of somebody with another address here"
    HERE = "here", "Brought in before, and left as it is"
    TWICE = "twice", "Stands further up in the file"
    BAD = "bad", "Cannot be brought in"


class Outcome(models.TextChoices):
    """What became of a row."""

    WAITING = "", "Nothing yet"
    MADE = "made", "Brought in"
    FILLED = "filled", "Filled in"
    LEFT = "left", "Left out"
    REMOVED = "removed", "Taken out again"
    STAYS = "stays", "Stays"


class ImportedRow(models.Model):
    """A row as it was read, what was said of it and what became of it. Kept for as long as it can be undone."""

    file = models.ForeignKey(ImportedFile, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="As a spreadsheet counts: the headings are row 1.")
    cells = models.JSONField()
    email = models.CharField(max_length=254, blank=True, help_text="As compared: in small letters.")
    system = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="Whose reference and number they are."
    )
    reference = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text="Of an adoption, as it is known elsewhere."
    )
    payment = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text="The number of a payment elsewhere."
    )
    defines = models.BooleanField(
        default=False, db_default=False, help_text="The first row that says what the adoption is."
    )
    verdict = models.CharField(max_length=5, choices=Verdict)
    why = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(max_length=7, choices=Outcome, blank=True, default=Outcome.WAITING)
    supporter = models.ForeignKey(
        Supporter, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="Whom it is about."
    )
    read_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["file", "number"]
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="import_row_once")]
        indexes = [
            models.Index(fields=["file", "verdict", "number"], name="import_by_verdict"),
            models.Index(fields=["file", "outcome", "number"], name="import_by_outcome"),
            models.Index(fields=["email"], name="import_by_email"),
            models.Index(fields=["file", "reference"], name="import_by_reference", condition=~Q(reference="")),
            models.Index(fields=["file", "payment"], name="import_by_payment", condition=~Q(payment="")),
        ]

    def __str__(self) -> str:
        return f"{self.file_id}, row {self.number}"

    @property
    def amount(self) -> str:
        """Of its payment, and when it was made; empty where a row was not understood."""
        if not self.payment or self.verdict == Verdict.BAD:
            return ""
        return f"{pounds(int(self.cells['paid_pence']))}, {datetime.fromisoformat(self.cells['paid_at']):%d/%m/%Y}"
