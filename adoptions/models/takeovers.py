from datetime import datetime

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from .adoptions import Adoption
from .states import ADOPTED, AdoptionState


class TakeoverQuerySet(models.QuerySet["Takeover"]):
    def begun(self) -> "TakeoverQuerySet":
        """Paid for by the next one."""
        return self.filter(successor__state__in=ADOPTED)

    def due(self) -> "TakeoverQuerySet":
        """Begun, and nobody has stopped the payments before them yet."""
        return self.begun().filter(settled_at=None)

    def unused(self, *, since: datetime) -> "TakeoverQuerySet":
        """Their link ran out before `since`, unpaid, and nobody was mailed another one instead."""
        later = Takeover.objects.filter(former=OuterRef("former"), pk__gt=OuterRef("pk"))
        unpaid = self.filter(settled_at=None, successor__state__in=[AdoptionState.PENDING, AdoptionState.ABANDONED])
        over = unpaid.filter(successor__payment_link__withdrawn_at=None, successor__payment_link__expires_at__lt=since)
        return over.exclude(Exists(later)).select_related("former", "successor__entered_by", "successor__payment_link")

    def settle(self) -> int:
        return self.filter(settled_at=None).update(settled_at=Now())


class Takeover(models.Model):
    """One person goes on paying for what another has paid for so far: two adoptions, and each keeps its own money."""

    former = models.ForeignKey(Adoption, on_delete=models.PROTECT, related_name="takeovers")
    successor = models.OneToOneField(Adoption, on_delete=models.PROTECT, related_name="takeover")
    offered_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="When the payments before were stopped, or had stopped by themselves."
    )

    objects = TakeoverQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="takeover_by_another", condition=~Q(former=F("successor"))),
        ]
        indexes = [models.Index(fields=["offered_at"], name="takeover_open", condition=Q(settled_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.successor} after {self.former}"
