from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse

from .adoptions import Adoption

MOST_SENDINGS = 5
SIGNER = signing.Signer(salt="adoptions.pay")


class PaymentLinkQuerySet(models.QuerySet["PaymentLink"]):
    def usable(self, *, at: datetime) -> "PaymentLinkQuerySet":
        return self.filter(withdrawn_at=None, expires_at__gt=at)

    def send_again(self, *, until: datetime) -> int:
        """0: it was withdrawn, or sent often enough."""
        again = self.filter(withdrawn_at=None, sendings__lt=MOST_SENDINGS)
        return again.update(sendings=F("sendings") + 1, sent_at=Now(), expires_at=until)

    def withdraw(self, *, by: models.Model) -> int:
        return self.filter(withdrawn_at=None).update(withdrawn_at=Now(), withdrawn_by=by)


class PaymentLink(models.Model):
    """The way to pay for an adoption that staff typed in for somebody who rang: no card number is ever told to us.

    The address is signed and holds no secret of its own; this row says whether it still leads anywhere.
    """

    adoption = models.OneToOneField(Adoption, on_delete=models.PROTECT, related_name="payment_link")
    sent_at = models.DateTimeField(auto_now_add=True, help_text="The last time.")
    sendings = models.PositiveSmallIntegerField(default=1, editable=False)
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = PaymentLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payment_link_withdrawn_by_somebody",
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
            ),
            models.CheckConstraint(name="payment_link_expires", condition=Q(expires_at__gt=F("sent_at"))),
            models.CheckConstraint(name="payment_link_sendings", condition=Q(sendings__lte=MOST_SENDINGS)),
        ]

    def __str__(self) -> str:
        return f"for {self.adoption_id} until {self.expires_at:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("adoptions:pay", args=[SIGNER.sign(str(self.pk))])
