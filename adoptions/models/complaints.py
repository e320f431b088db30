from datetime import date, timedelta

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5, Coalesce, Now, Upper
from django.utils import timezone

from .adoptions import eight_letters
from .states import Source

ANSWER_WITHIN = timedelta(days=30)  # also the time that section 164A of the Data Protection Act gives to acknowledge
GROWS_LATE_AFTER = timedelta(days=21)
NAME_LENGTH, WORDS_LENGTH, ANSWER_LENGTH = 120, 5000, 10_000


class ComplaintAbout(models.TextChoices):
    DATA = "data", "Personal details"
    OTHER = "other", "Something else"


class ComplaintOutcome(models.TextChoices):
    """What was found. Nothing is mailed about what only a robot sent."""

    UPHELD = "upheld", "We were wrong"
    PARTLY = "partly", "We were wrong in part"
    NOT_UPHELD = "not_upheld", "We think that we did nothing wrong"
    NO_COMPLAINT = "no_complaint", "Not a complaint (nothing is sent)"


def new_reference() -> str:
    return f"CP-{eight_letters()}"


class ComplaintQuerySet(models.QuerySet["Complaint"]):
    def open(self) -> "ComplaintQuerySet":
        return self.filter(closed_at=None)

    def late(self) -> "ComplaintQuerySet":
        """Open for so long that somebody must answer now."""
        return self.open().filter(received_at__lt=timezone.now() - GROWS_LATE_AFTER)

    def by_address(self, email: str) -> "ComplaintQuerySet":
        return self.filter(email__iexact=email) if email else self.none()

    def acknowledge(self) -> int:
        """0: that was done before, or it is closed."""
        return self.open().filter(acknowledged_at=None).update(acknowledged_at=Now())

    def close(self, *, outcome: ComplaintOutcome, answer: str, by: models.Model) -> int:
        """With the answer that is sent, which acknowledges it as well if nothing has. 0: somebody was first."""
        changed = {"closed_at": Now(), "outcome": outcome, "answer": answer, "closed_by": by}
        if outcome != ComplaintOutcome.NO_COMPLAINT:
            changed["acknowledged_at"] = Coalesce("acknowledged_at", Now())
        return self.open().update(**changed)

    def empty(self) -> int:
        """Take out who complained and all words. That there was one, and how it ended, stays to be counted.

        The database refuses this outside of `config.retention.unlocked`.
        """
        closed = self.filter(closed_at__isnull=False, erased_at=None)
        return closed.update(name="", email="", words="", answer="", erased_at=Now())


class Complaint(models.Model):
    """What somebody is not content with, and what we said to it. What they wrote never changes; an answer is final."""

    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    about = models.CharField(max_length=5, choices=ComplaintAbout)
    source = models.CharField("came", max_length=6, choices=Source, default=Source.WEB, db_default=Source.WEB)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who of staff typed it in. Empty: whoever complained.",
    )
    name = models.CharField(max_length=NAME_LENGTH)
    email = models.CharField(max_length=254, blank=True, help_text="Empty: none, so that the answer goes by post.")
    words = models.TextField("what they wrote")
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    acknowledged_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: no mail went out, for a robot may have sent it."
    )
    outcome = models.CharField(max_length=12, choices=ComplaintOutcome, blank=True)
    answer = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = ComplaintQuerySet.as_manager()

    class Meta:
        ordering = [F("closed_at").desc(nulls_first=True), "received_at"]
        constraints = [
            models.UniqueConstraint("email", MD5("words"), condition=Q(closed_at=None), name="complaint_said_once"),
            models.CheckConstraint(
                name="complaint_is_whole_until_erased",
                condition=Q(erased_at__isnull=True) & ~Q(name="") & ~Q(words="") & (~Q(email="") | ~Q(source="web"))
                | Q(erased_at__isnull=False, name="", email="", words="", answer="", closed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="complaint_off_the_site_names_who_typed",
                condition=Q(source="web", entered_by__isnull=True) | (~Q(source="web") & Q(entered_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="complaint_closed_says_how_and_by_whom",
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, outcome="", answer="")
                | Q(closed_at__isnull=False, closed_by__isnull=False, outcome="no_complaint")
                | Q(closed_at__isnull=False, closed_by__isnull=False, acknowledged_at__isnull=False)
                & Q(outcome__in=["upheld", "partly", "not_upheld"])
                & (~Q(answer="") | Q(erased_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(F("closed_at").desc(nulls_first=True), "received_at", name="complaint_as_listed"),
            models.Index(Upper("email"), name="complaint_by_email"),
            models.Index(fields=["received_at"], name="complaint_open", condition=Q(closed_at=None)),
        ]
        triggers = [
            pgtrigger.Protect(
                name="facts_stay",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__closed_at__isnull=False)
                | pgtrigger.Q(old__reference__df=pgtrigger.F("new__reference"))
                | pgtrigger.Q(old__about__df=pgtrigger.F("new__about"))
                | pgtrigger.Q(old__name__df=pgtrigger.F("new__name"))
                | pgtrigger.Q(old__email__df=pgtrigger.F("new__email"))
                | pgtrigger.Q(old__words__df=pgtrigger.F("new__words"))
                | pgtrigger.Q(old__source__df=pgtrigger.F("new__source"))
                | pgtrigger.Q(old__entered_by__df=pgtrigger.F("new__entered_by"))
                | pgtrigger.Q(old__received_at__df=pgtrigger.F("new__received_at")),
            ),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_about_data(self) -> bool:
        return self.about == ComplaintAbout.DATA

    @property
    def due_on(self) -> date:
        """The last day to answer, and to acknowledge if that was not done at once."""
        return timezone.localdate(self.received_at + ANSWER_WITHIN)

    @property
    def days_left(self) -> int:
        """Below nothing: overdue."""
        return (self.due_on - timezone.localdate()).days
