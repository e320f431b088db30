from datetime import timedelta

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from .supporters import Supporter

MAY_UNDO_MERGE = timedelta(days=30)


class LikenessQuerySet(models.QuerySet["Likeness"]):
    def open(self) -> "LikenessQuerySet":
        return self.filter(refused_at=None)

    def of_people(self) -> "LikenessQuerySet":
        """Both are still there."""
        return self.filter(first__erased_at=None, second__erased_at=None)

    def about(self, *supporters: int) -> "LikenessQuerySet":
        return self.filter(Q(first__in=supporters) | Q(second__in=supporters))

    def refuse(self, *, by: models.Model) -> int:
        """They are not the same, and are never suggested again."""
        return self.open().update(refused_at=Now(), refused_by=by)


class Likeness(models.Model):
    """Two supporters who may be one person, or of whom staff said that they are not."""

    first = models.ForeignKey(Supporter, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Supporter, on_delete=models.CASCADE, related_name="+")
    because = models.CharField(max_length=200)
    found_at = models.DateTimeField(auto_now_add=True)
    refused_at = models.DateTimeField("not the same", null=True, blank=True)
    refused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = LikenessQuerySet.as_manager()

    class Meta:
        verbose_name = "pair that may be one person"
        verbose_name_plural = "pairs that may be one person"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="likeness_once"),
            models.CheckConstraint(name="likeness_in_order", condition=Q(first__lt=F("second"))),
            models.CheckConstraint(
                name="likeness_refused_by_somebody",
                condition=Q(refused_at__isnull=True, refused_by__isnull=True)
                | Q(refused_at__isnull=False, refused_by__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["-id"], name="likeness_open", condition=Q(refused_at=None))]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}"


class MergeQuerySet(models.QuerySet["Merge"]):
    def standing(self) -> "MergeQuerySet":
        return self.filter(undone_at=None)

    def undoable(self) -> "MergeQuerySet":
        return self.standing().filter(at__gt=timezone.now() - MAY_UNDO_MERGE, memory__isnull=False)

    def undo(self, *, by: models.Model) -> int:
        return self.standing().update(undone_at=Now(), undone_by=by, memory=None)

    def forget(self) -> int:
        """How they were before is of no use any more, or whoever it is about is erased."""
        return self.update(memory=None)


class Merge(models.Model):
    """Two supporters became one: who, when, and for thirty days how both were before."""

    survivor = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="merges")
    merged = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)
    memory = models.JSONField(null=True, blank=True, editable=False, help_text="Of both before, and of what moved.")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = "merge of two supporters"
        verbose_name_plural = "merges of supporters"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["merged"], condition=Q(undone_at=None), name="merged_into_one"),
            models.CheckConstraint(name="merge_of_two", condition=~Q(survivor=F("merged"))),
            models.CheckConstraint(
                name="merge_undone_by_somebody",
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False, memory__isnull=True),
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="as_merged", fields=["survivor", "merged", "by", "at"]),
            pgtrigger.Protect(name="merge_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} into {self.survivor_id}"
