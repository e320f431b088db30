from django.db import models
from django.db.models import Q

from .adoptions import Adoption
from .payments import Payment
from .states import AdoptionState


class Became(models.TextChoices):
    """What has become of a payment that failed."""

    AGAIN = "again", "Recovered by a retry"
    OTHER = "other", "Recovered with another card or account"
    LOST = "lost", "Lost: the adoption has ended"
    OPEN = "open", "Still open"


class FailedRenewalQuerySet(models.QuerySet["FailedRenewal"]):
    def that_became(self, what: Became) -> "FailedRenewalQuerySet":
        return self.filter(WHAT_BECAME[what])

    def recovered(self) -> "FailedRenewalQuerySet":
        return self.filter(payment__isnull=False)

    def recover(self, payment: Payment, *, is_by_other_means: bool) -> int:
        """0: that is known."""
        return self.filter(payment=None).update(payment=payment, is_by_other_means=is_by_other_means)


class FailedRenewal(models.Model):
    """A payment of a repeating adoption that was refused when it was first tried, and what paid it in the end.

    Made from every try that Stripe has of its invoice, so it ends the same in whatever order the news comes. A first
    payment that is refused is none: that is somebody who has not begun yet.
    """

    adoption = models.ForeignKey(Adoption, on_delete=models.PROTECT, related_name="failed_renewals")
    invoice_id = models.CharField(max_length=64, unique=True)
    amount_pence = models.PositiveIntegerField(help_text="What was to be paid.")
    failed_at = models.DateTimeField(help_text="When the first try that was refused was made.")
    reason = models.CharField(max_length=64, help_text="Why, in the word of the bank or else of Stripe.")
    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="recovers", help_text="What paid it."
    )
    is_by_other_means = models.BooleanField(
        default=False, help_text="With another card or account than the one refused."
    )

    objects = FailedRenewalQuerySet.as_manager()

    class Meta:
        verbose_name = "failed payment"
        ordering = ["-failed_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="failed_renewal_other_means_have_paid",
                condition=Q(is_by_other_means=False) | Q(payment__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=["-failed_at", "-id"], name="failed_renewal_newest"),
            models.Index(fields=["reason", "-failed_at", "-id"], name="failed_renewal_by_reason"),
            # The few that nothing has paid: without it, a list of them walks through all that were.
            models.Index(fields=["-failed_at", "-id"], name="failed_renewal_unpaid", condition=Q(payment=None)),
        ]

    def __str__(self) -> str:
        return self.invoice_id

    @property
    def became(self) -> Became:
        """As WHAT_BECAME has it for many."""
        if self.payment_id:
            return Became.OTHER if self.is_by_other_means else Became.AGAIN
        return Became.LOST if self.adoption.state == AdoptionState.ENDED else Became.OPEN


WHAT_BECAME = {
    Became.AGAIN: Q(payment__isnull=False, is_by_other_means=False),
    Became.OTHER: Q(payment__isnull=False, is_by_other_means=True),
    Became.LOST: Q(payment__isnull=True, adoption__state=AdoptionState.ENDED),
    Became.OPEN: Q(payment__isnull=True) & ~Q(adoption__state=AdoptionState.ENDED),
}
