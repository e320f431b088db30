from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .adoptions import Adoption


class Whom(models.TextChoices):
    """What tries to pay can have in common. Kept as keyed digests only: countable, not readable."""

    NETWORK = "network", "One network"
    EMAIL = "email", "One email address"
    CARD = "card", "One card"


class PageOpening(models.Model):
    """From which network the page of an adoption was last opened, for a day."""

    adoption = models.OneToOneField(Adoption, on_delete=models.CASCADE, primary_key=True, related_name="opening")
    network = models.CharField(max_length=32)
    opened_at = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return str(self.adoption_id)


class Decline(models.Model):
    """One try to pay that a bank refused, before anything was adopted. Kept for a day."""

    key = models.CharField(max_length=100, help_text="Stripe's id of the try.")
    whom = models.CharField(max_length=8, choices=Whom)
    digest = models.CharField(max_length=32)
    at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "whom"], name="decline_once")]
        indexes = [models.Index(fields=["whom", "digest", "at"], name="decline_by_digest")]

    def __str__(self) -> str:
        return f"{self.key} {self.whom}"


class ClosureQuerySet(models.QuerySet["Closure"]):
    def in_force(self) -> "ClosureQuerySet":
        return self.filter(released_at=None, until__gt=Now())

    def extend(self, *, until: datetime) -> int:
        return self.filter(released_at=None).update(until=until)

    def release(self, *, by: models.Model) -> int:
        return self.filter(released_at=None).update(released_at=Now(), released_by=by)


class Closure(models.Model):
    """Somebody may open no page at Stripe for a while, because too many tries of theirs were refused."""

    whom = models.CharField(max_length=8, choices=Whom)
    digest = models.CharField(max_length=32)
    because = models.CharField(max_length=200)
    closed_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)

    objects = ClosureQuerySet.as_manager()

    class Meta:
        ordering = ["-closed_at"]
        constraints = [
            models.UniqueConstraint(fields=["whom", "digest"], condition=Q(released_at=None), name="closure_open_once"),
            models.CheckConstraint(
                name="closure_released_by_somebody",
                condition=Q(released_at__isnull=True, released_by__isnull=True)
                | Q(released_at__isnull=False, released_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_whom_display()}: {self.because}"
