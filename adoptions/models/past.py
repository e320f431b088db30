"""Where adoptions and payments came from that a list brought in: how another system knows them, and by which list."""

import pgtrigger
from django.db import models
from django.db.models import Q

from .adoptions import Adoption
from .payments import Payment

ID_LENGTH = 80
SYSTEM_LENGTH = 40


class PastAdoption(models.Model):
    """How an adoption was known where it was paid for. Its reference comes in once, unless that is undone."""

    adoption = models.OneToOneField(Adoption, on_delete=models.PROTECT, related_name="past")
    list_number = models.PositiveBigIntegerField(help_text="Of the imported file, which may be gone before this is.")
    system = models.CharField(
        max_length=SYSTEM_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text="Whose reference it is, in small letters: two systems may give the same one. Empty: none was named.",
    )
    reference = models.CharField("reference elsewhere", max_length=ID_LENGTH)
    paid_until = models.DateField(
        "paid elsewhere until", null=True, blank=True, help_text="Of one that repeats: the end of what was paid for."
    )
    is_end_told = models.BooleanField(default=False, help_text="The list said when it ended; else it is paid_until.")
    ended_because = models.CharField(max_length=200, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "system"], name="past_adoption_of_system_once", condition=Q(undone_at=None)
            ),
        ]
        indexes = [models.Index(fields=["list_number", "id"], name="past_adoption_by_list")]
        triggers = [pgtrigger.Protect(name="past_adoption_kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.reference} ({self.system})" if self.system else self.reference


class PastPayment(models.Model):
    """How a payment is known in the system that collected it. Its number comes in once, unless that is undone."""

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="past")
    list_number = models.PositiveBigIntegerField(help_text="Of the imported file, which may be gone before this is.")
    system = models.CharField(
        max_length=SYSTEM_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text="Whose number it is, as of an adoption.",
    )
    number = models.CharField("number elsewhere", max_length=ID_LENGTH)
    reference = models.CharField(max_length=60, blank=True, help_text="Number of the cheque or the transfer.")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["number", "system"], name="past_payment_of_system_once", condition=Q(undone_at=None)
            ),
        ]
        indexes = [models.Index(fields=["list_number", "id"], name="past_payment_by_list")]
        triggers = [
            pgtrigger.ReadOnly(name="past_payment_as_told", fields=["payment", "system", "number", "reference"]),
            pgtrigger.Protect(name="past_payment_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.number
