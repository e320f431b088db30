from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .adoptions import Adoption


class DifferenceKind(models.TextChoices):
    """What does not match. The first three speak of one movement of money."""

    MISSING = "missing", "At Stripe, not here"
    UNKNOWN = "unknown", "Here, not at Stripe"
    AMOUNT = "amount", "Another amount at Stripe"
    CURRENCY = "currency", "Paid in another currency"
    SESSION = "session", "Checkout in another state"
    SUBSCRIPTION = "subscription", "Subscription in another state"
    PAYOUT = "payout", "Payout does not add up"


class DifferenceQuerySet(models.QuerySet["Difference"]):
    def open(self) -> "DifferenceQuerySet":
        return self.filter(repaired_at=None)

    def repair(self, *, how: str) -> int:
        return self.open().update(repaired_at=Now(), how=how[:300])

    def settle(self, *, by: AbstractUser) -> int:
        """A person has looked, and it is right as it is: it is not found again unless its amounts change."""
        return self.open().update(repaired_at=Now(), settled_by=by, how=f"Looked at by {by}."[:300])


class Difference(models.Model):
    """Something that Stripe and we say differently. Found by adoptions/reconcile.py; kept after its repair."""

    kind = models.CharField(max_length=12, choices=DifferenceKind)
    what = models.CharField(max_length=16, blank=True, help_text="The kind of movement, where it is about money.")
    stripe_id = models.CharField("Stripe id", max_length=100)
    adoption = models.ForeignKey(Adoption, on_delete=models.PROTECT, null=True, blank=True, related_name="differences")
    ours_pence = models.IntegerField("ours, in pence", null=True, blank=True)
    theirs_pence = models.IntegerField("Stripe's, in pence", null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)
    found_at = models.DateTimeField(auto_now_add=True)
    repaired_at = models.DateTimeField(null=True, blank=True)
    how = models.CharField("how it was repaired", max_length=300, blank=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)

    objects = DifferenceQuerySet.as_manager()

    class Meta:
        ordering = ["-found_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "what", "stripe_id"], condition=Q(repaired_at=None), name="difference_open_once"
            ),
            models.CheckConstraint(
                name="difference_repaired_says_how",
                condition=Q(repaired_at__isnull=True, how="") | (Q(repaired_at__isnull=False) & ~Q(how="")),
            ),
            models.CheckConstraint(
                name="difference_settled_is_repaired",
                condition=Q(settled_by__isnull=True) | Q(repaired_at__isnull=False),
            ),
        ]

        indexes = [
            models.Index(fields=["-found_at", "-id"], name="difference_newest"),
            models.Index(fields=["stripe_id"], name="difference_by_stripe_id"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.stripe_id}"


class Comparison(models.Model):
    """One comparison with Stripe from beginning to end. Without an end it was broken off, and nothing is proved."""

    started_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    days = models.PositiveIntegerField()
    compared = models.PositiveIntegerField(default=0, help_text="Objects of Stripe's that were looked at.")
    missed_events = models.PositiveIntegerField(default=0, help_text="Events that Stripe told and that never came.")
    found = models.PositiveIntegerField(default=0)
    repaired = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
