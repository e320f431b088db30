"""Replies under a species page. Nothing is shown before a moderator approved it."""

from typing import TYPE_CHECKING, Self

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import MD5, Lower, Now
from django.utils.translation import gettext_lazy as _

from .species import Species

if TYPE_CHECKING:
    from django.contrib.auth.models import User

NAME_LENGTH = 80
BODY_LENGTH = 5000


class CommentStatus(models.TextChoices):
    PENDING = "pending", _("Waiting")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    SPAM = "spam", _("Spam")
    WITHDRAWN = "withdrawn", _("Withdrawn by the writer")


# Statuses a moderator decides on, each of which has a who and a when.
DECIDED = (CommentStatus.APPROVED, CommentStatus.REJECTED, CommentStatus.SPAM)
# From where each decision may be taken. Undoing one goes through PENDING, so that nobody overturns by accident.
DECIDABLE = (CommentStatus.PENDING,)


class CommentQuerySet(models.QuerySet["Comment"]):
    def public(self) -> Self:
        return self.filter(status=CommentStatus.APPROVED)

    def pending(self) -> Self:
        return self.filter(status=CommentStatus.PENDING)

    def approve(self, *, by: "User") -> int:
        return self._move(DECIDABLE, CommentStatus.APPROVED, by=by)

    def reject(self, *, by: "User", reason: str = "") -> int:
        return self._move(DECIDABLE, CommentStatus.REJECTED, by=by, reason=reason)

    def mark_spam(self, *, by: "User") -> int:
        return self._move(DECIDABLE, CommentStatus.SPAM, by=by)

    def reopen(self, *, by: "User") -> int:
        """Undo a decision: back to the queue."""
        return self._move(DECIDED, CommentStatus.PENDING, by=by)

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
    ) -> int:
        """Move the rows that are still in one of `sources`; how many moved. Of two at once, the second moves none.

        Rows are locked in the order of their keys so that two bulk actions cannot wait for each other.
        """
        with transaction.atomic():
            chosen = self.model.objects.filter(pk__in=self.order_by().values("pk"), status__in=sources)
            was = dict(chosen.order_by("pk").select_for_update().values_list("pk", "status"))
            is_decision = target in DECIDED
            moved = self.model.objects.filter(pk__in=was, status__in=sources).update(
                status=target,
                moderated_at=None if target == CommentStatus.PENDING else Now(),
                moderated_by=by if is_decision else None,
                reason=reason if is_decision else "",
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
    email = models.EmailField(max_length=254, help_text="Never shown to readers.")
    body = models.TextField("comment", max_length=BODY_LENGTH)
    status = models.CharField(max_length=10, choices=CommentStatus, default=CommentStatus.PENDING, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    moderated_at = models.DateTimeField(null=True, editable=False)
    moderated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    reason = models.CharField("reason given", max_length=300, blank=True, help_text="Why it was rejected.")
    held_because = models.CharField(
        max_length=200, blank=True, editable=False, help_text="What made the rules hold this comment."
    )

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="comment_decision_has_who_and_when",
                condition=(
                    Q(status=CommentStatus.PENDING, moderated_at__isnull=True, moderated_by__isnull=True)
                    | Q(status__in=DECIDED, moderated_at__isnull=False, moderated_by__isnull=False)
                    | Q(status=CommentStatus.WITHDRAWN, moderated_at__isnull=False, moderated_by__isnull=True)
                ),
            ),
            models.CheckConstraint(name="comment_has_words", condition=~Q(name="") & ~Q(body="")),
            models.CheckConstraint(
                name="comment_is_not_its_own_parent", condition=Q(parent__isnull=True) | ~Q(parent=F("pk"))
            ),
            # A double click, a reload or a bot: the same words by the same person under the same species, once.
            models.UniqueConstraint(
                "species", Lower("email"), MD5("body"), condition=~Q(email=""), name="comment_said_once"
            ),
        ]
        indexes = [
            models.Index(fields=["species", "status", "-id"], name="comment_page"),
            models.Index(fields=["status", "-id"], name="comment_queue"),
        ]
        triggers = [
            # What a moderator approved is what readers see: an approved comment's words cannot change unseen.
            pgtrigger.Protect(
                name="approved_words_stay",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status="approved", new__status="approved")
                & (
                    pgtrigger.Q(old__body__df=pgtrigger.F("new__body"))
                    | pgtrigger.Q(old__name__df=pgtrigger.F("new__name"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.created_at:%d %b %Y}" if self.created_at else self.name


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
