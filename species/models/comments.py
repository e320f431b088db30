"""Replies under a species page. Nothing is shown before a moderator approved it."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models, transaction
from django.db.models import F, Func, Q, Value
from django.db.models.functions import MD5, Coalesce, Lower, Now, NullIf
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .species import Species

if TYPE_CHECKING:
    from django.contrib.auth.models import User

NAME_LENGTH = 80
BODY_LENGTH = 5000
NAMELESS = "A reader"
# How long a writer may still change or take back what waits.
EDITABLE_FOR = timedelta(minutes=30)
# Two clocks may differ by this much, and a page be read while a change to it is being written.
CLOCKS_DIFFER = timedelta(seconds=5)


class CommentStatus(models.TextChoices):
    PENDING = "pending", _("Waiting")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    SPAM = "spam", _("Spam")
    WITHDRAWN = "withdrawn", _("Withdrawn by the writer")


# Statuses a moderator decides on, each of which has a who and a when.
DECIDED = (CommentStatus.APPROVED, CommentStatus.REJECTED, CommentStatus.SPAM)
# The rules may mark as spam, where a moderator still sees it; anything else takes a person.
BY_A_PERSON = (CommentStatus.APPROVED, CommentStatus.REJECTED)
# From where each decision may be taken. Undoing one goes through PENDING, so that nobody overturns by accident.
DECIDABLE = (CommentStatus.PENDING,)


# What readers see: the first name unless more was wanted, and the words without what a moderator took out.
_TEXT = models.TextField()
_NOTHING = Value("", output_field=_TEXT)
SHOWN_NAME = Coalesce(
    NullIf(F("name_to_show"), _NOTHING, output_field=_TEXT),
    Func(F("name"), Value(" "), Value(1), function="split_part", output_field=_TEXT),
    output_field=_TEXT,
)
SHOWN_BODY = Coalesce(NullIf(F("masked_body"), _NOTHING, output_field=_TEXT), F("body"), output_field=_TEXT)


class CommentQuerySet(models.QuerySet["Comment"]):
    def public(self) -> Self:
        return self.filter(status=CommentStatus.APPROVED)

    def pending(self) -> Self:
        return self.filter(status=CommentStatus.PENDING)

    def by_address(self, email: str) -> Self:
        """Everything written with an address, however it was capitalised."""
        return self.alias(address=Lower("email")).filter(address=email.lower()).exclude(email="")

    def unchanged_since(self, moment: datetime) -> Self:
        """Those that still say what they said when somebody looked: nobody decides on words they have not read."""
        return self.filter(Q(edited_at=None) | Q(edited_at__lt=moment - CLOCKS_DIFFER))

    def unsuspected(self) -> Self:
        """Those that no rule holds."""
        return self.filter(suspicion=0, held_because="")

    def editable(self) -> Self:
        return self.pending().filter(created_at__gt=timezone.now() - EDITABLE_FOR)

    def change(self, **columns: Any) -> int:
        """By the writer, while nobody has decided; 0 if it is too late."""
        return self.editable().update(edited_at=timezone.now(), **columns)

    def approve(self, *, by: "User", **shown: str) -> int:
        """Publish as it is, or with `masked_body` and `name_to_show` in place of what gives somebody away."""
        return self._move(DECIDABLE, CommentStatus.APPROVED, by=by, **shown)

    def publish_proved(self) -> int:
        """Without a moderator, for a writer who has proved who they are: the history names nobody."""
        return self._move(DECIDABLE, CommentStatus.APPROVED, by=None, proved_at=Now())

    def reject(self, *, by: "User", reason: str = "") -> int:
        return self._move(DECIDABLE, CommentStatus.REJECTED, by=by, reason=reason)

    def mark_spam(self, *, by: "User | None") -> int:
        """By a moderator, or by the rules, who are nobody."""
        return self._move(DECIDABLE, CommentStatus.SPAM, by=by)

    def reopen(self, *, by: "User") -> int:
        """Undo a decision: back to the queue, with all its words."""
        return self._move(DECIDED, CommentStatus.PENDING, by=by, masked_body="")

    def report(self) -> int:
        """A reader says that something is wrong with what is shown."""
        return self.public().update(report_count=F("report_count") + 1)

    def dismiss_reports(self) -> int:
        return self.filter(report_count__gt=0).update(report_count=0)

    def withdraw(self) -> int:
        """By the writer, who has no account: the history names nobody."""
        return self._move((CommentStatus.PENDING, CommentStatus.APPROVED), CommentStatus.WITHDRAWN, by=None)

    def _move(
        self,
        sources: tuple[CommentStatus, ...],
        target: CommentStatus,
        *,
        by: "User | None",
        reason: str = "",
        **columns: Any,
    ) -> int:
        """Move the rows that are still in one of `sources`; how many moved. Of two at once, the second moves none.

        Rows are locked in the order of their keys so that two bulk actions cannot wait for each other.
        """
        with transaction.atomic():
            chosen = self.model.objects.filter(pk__in=self.order_by().values("pk"), status__in=sources)
            locked = list(chosen.order_by("pk").select_for_update().values_list("pk", flat=True))
            # Asked again once they are ours: while we waited, somebody may have changed what made them ours to choose.
            was = dict(self.order_by().filter(pk__in=locked, status__in=sources).values_list("pk", "status"))
            is_decision = target in DECIDED
            moved = self.model.objects.filter(pk__in=was, status__in=sources).update(
                status=target,
                moderated_at=None if target == CommentStatus.PENDING else Now(),
                moderated_by=by if is_decision else None,
                reason=reason if is_decision else "",
                **columns,
            )
            CommentDecision.objects.bulk_create(
                CommentDecision(comment_id=pk, was=status, became=target, by=by, reason=reason)
                for pk, status in was.items()
            )
        return moved


class Comment(models.Model):
    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="comments")
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replies",
        help_text="The comment answered.",
    )
    name = models.CharField(max_length=NAME_LENGTH)
    name_to_show = models.CharField(
        max_length=NAME_LENGTH,
        blank=True,
        editable=False,
        help_text="What readers see, where that is not simply the first word of the name.",
    )
    email = models.EmailField(max_length=254, blank=True, help_text="Never shown to readers.")
    body = models.TextField("comment", max_length=BODY_LENGTH)
    masked_body = models.TextField(
        max_length=BODY_LENGTH * 2, blank=True, editable=False, help_text="What is published instead, if anything."
    )
    is_from_charity = models.BooleanField("from the charity", default=False, editable=False)
    is_by_adopter = models.BooleanField(
        "by an adopter", default=False, editable=False, help_text="Written by somebody signed in to their adoption."
    )
    wants_replies = models.BooleanField(
        "tell of replies", default=False, help_text="The writer asked for a mail when somebody answers."
    )
    status = models.CharField(max_length=10, choices=CommentStatus, default=CommentStatus.PENDING, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    moderated_at = models.DateTimeField(null=True, editable=False)
    moderated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    reason = models.CharField("reason given", max_length=300, blank=True, help_text="Why it was rejected.")
    proved_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When it was shown without a moderator, its writer having proved who they are.",
    )
    edited_at = models.DateTimeField(null=True, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False, help_text="When its writer's details were erased.")
    held_because = models.CharField(
        max_length=1000, blank=True, editable=False, help_text="What made the rules hold this comment."
    )
    suspicion = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="How much like spam it looks, from 0 to 100."
    )
    akismet_answer = models.CharField(
        max_length=4,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="“spam” or “real”, as Akismet sees it; empty where it was not asked.",
    )
    network = models.CharField(
        max_length=43,
        blank=True,
        editable=False,
        help_text="The neighbourhood it came from, cut short. Forgotten after 30 days.",
    )
    report_count = models.PositiveIntegerField("reports", default=0, editable=False)

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="comment_decision_has_who_and_when",
                condition=(
                    Q(status=CommentStatus.PENDING, moderated_at__isnull=True, moderated_by__isnull=True)
                    | Q(status__in=BY_A_PERSON, moderated_at__isnull=False, moderated_by__isnull=False)
                    | Q(status=CommentStatus.APPROVED, moderated_at__isnull=False, proved_at__isnull=False)
                    | Q(status=CommentStatus.SPAM, moderated_at__isnull=False)
                    | Q(status=CommentStatus.WITHDRAWN, moderated_at__isnull=False, moderated_by__isnull=True)
                ),
            ),
            models.CheckConstraint(name="comment_has_words", condition=~Q(name="") & ~Q(body="")),
            models.CheckConstraint(
                name="comment_is_not_its_own_parent", condition=Q(parent__isnull=True) | ~Q(parent=F("pk"))
            ),
            # A double click, a reload or a bot: the same words by the same person under the same species, once.
            models.UniqueConstraint(
                "species",
                Lower("email"),
                MD5("body"),
                condition=~Q(email="") & ~Q(status=CommentStatus.WITHDRAWN),
                name="comment_said_once",
            ),
        ]
        indexes = [
            models.Index(fields=["species", "status", "-id"], name="comment_page"),
            models.Index(fields=["status", "-id"], name="comment_queue"),
            models.Index(fields=["parent", "status"], name="comment_replies"),
            models.Index(fields=["-created_at"], name="comment_by_day"),
            GinIndex(SearchVector("name", "body", config="simple"), name="comment_by_word"),
            models.Index(Lower("email"), "status", name="comment_writer"),
            models.Index(fields=["network"], condition=~Q(network=""), name="comment_network"),
            models.Index(fields=["-id"], condition=Q(report_count__gt=0), name="comment_reported"),
        ]
        triggers = [
            # What a moderator approved is what readers see. Only the eraser of personal data may change it, once.
            pgtrigger.Protect(
                name="approved_words_stay",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.status = 'approved' AND NEW.status = 'approved'"
                    " AND (OLD.body, OLD.masked_body, OLD.name, OLD.name_to_show)"
                    " IS DISTINCT FROM (NEW.body, NEW.masked_body, NEW.name, NEW.name_to_show)"
                    " AND NOT (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL)"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.created_at:%d %b %Y}" if self.created_at else self.name

    def get_absolute_url(self) -> str:
        return reverse("species:comment", args=[self.pk])

    @property
    def shown_name(self) -> str:
        return self.name_to_show or self.name.partition(" ")[0]

    @property
    def shown_body(self) -> str:
        return self.masked_body or self.body


class CommentDecision(models.Model):
    """The history of a comment: one row per change of status, never changed."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="decisions")
    was = models.CharField(max_length=10, choices=CommentStatus)
    became = models.CharField(max_length=10, choices=CommentStatus)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["comment", "-at"], name="comment_history")]

    def __str__(self) -> str:
        return f"{self.get_was_display()} → {self.get_became_display()}"
