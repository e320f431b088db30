from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from .states import EventState


class StripeEventQuerySet(models.QuerySet["StripeEvent"]):
    def unworked(self) -> "StripeEventQuerySet":
        return self.filter(state__in=[EventState.RECEIVED, EventState.PARKED])

    def waiting(self) -> "StripeEventQuerySet":
        """Those nobody has begun to work."""
        return self.filter(state=EventState.RECEIVED, attempts=0)

    def take(self, number: int) -> list["StripeEvent"]:
        """So many of those that wait, oldest first, for this worker alone."""
        with transaction.atomic():
            free = self.waiting().select_for_update(skip_locked=True).order_by("received_at")
            taken = list(free.only("type", "object_id", "body")[:number])
            self.filter(pk__in=[event.pk for event in taken]).count_attempt()
        return taken

    def mark_done(self) -> int:
        return self.unworked().update(state=EventState.DONE, worked_at=Now(), error="")

    def mark_ignored(self, *, because: str = "") -> int:
        return self.unworked().update(state=EventState.IGNORED, worked_at=Now(), error=because)

    def park(self, *, reason: str) -> int:
        return self.unworked().update(state=EventState.PARKED, worked_at=None, error=reason[:500])

    def count_attempt(self) -> int:
        return self.update(attempts=F("attempts") + 1)


class StripeEvent(models.Model):
    """The inbox: every event Stripe signed for us, once, as it came."""

    id = models.CharField(primary_key=True, max_length=64)
    type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=100, blank=True, help_text="What it is about: a hint, we ask Stripe again.")
    api_version = models.CharField(max_length=40, blank=True)
    # Text, not JSON: jsonb refuses NUL and lone surrogates, and an event we cannot store is an event we lose.
    body = models.BinaryField()
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)
    state = models.CharField(max_length=10, choices=EventState, default=EventState.RECEIVED)
    worked_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)

    objects = StripeEventQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at"]
        constraints = [
            models.CheckConstraint(
                name="stripe_event_worked_has_time",
                condition=Q(state__in=["done", "ignored"], worked_at__isnull=False)
                | Q(state__in=["received", "parked"], worked_at__isnull=True),
            )
        ]
        indexes = [
            models.Index(fields=["received_at"], name="stripe_event_unworked", condition=Q(state="received")),
            models.Index(fields=["state", "-received_at"], name="stripe_event_by_state"),
            models.Index(fields=["type", "-received_at"], name="stripe_event_by_type"),
            models.Index(fields=["object_id"], name="stripe_event_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
