import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .adoptions import Adoption
from .payments import Payment


class ChangeAct(models.TextChoices):
    """What can be asked of a repeating adoption, and of a present."""

    STOP_LATER = "stop_later", "Stop at the end of the paid time"
    STOP_NOW = "stop_now", "Stop now"
    GO_ON = "go_on", "Go on after all"
    PAUSE = "pause", "Pause"
    RESUME = "resume", "Take it up again"
    SKIP = "skip", "Skip the next payment"
    AMOUNT = "amount", "Give another amount"
    RHYTHM = "rhythm", "Give every year instead of every month, or the other way"
    CARD = "card", "Go to Stripe’s page to change the card or account"
    GIFT = "gift", "Change the present"
    GIFT_AGAIN = "gift_again", "Send the present again"


class ChangeQuerySet(models.QuerySet["Change"]):
    def unanswered(self) -> "ChangeQuerySet":
        return self.filter(done_at=None, refused="")

    def mark_done(self) -> int:
        return self.unanswered().update(done_at=Now())

    def mark_refused(self, *, because: str) -> int:
        return self.unanswered().update(refused=because[:100])


class Change(models.Model):
    """One wish about an adoption: who, what, when, and what came of it. Written before Stripe is asked."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    adoption = models.ForeignKey(Adoption, on_delete=models.PROTECT, related_name="changes")
    act = models.CharField(max_length=12, choices=ChangeAct)
    detail = models.CharField(max_length=100, blank=True, help_text="Such as from and to which amount, or until when.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, help_text="Empty: the supporter."
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True, help_text="When Stripe was read back and had it so.")
    refused = models.CharField(max_length=100, blank=True, help_text="Stripe's own word for why not.")

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="change_done_or_refused",
                condition=Q(done_at__isnull=True) | Q(refused=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.detail}".strip()


class RefundReason(models.TextChoices):
    """Stripe's own three; what else is to be said goes into the note."""

    REQUESTED = "requested_by_customer", "The supporter asked for it"
    DUPLICATE = "duplicate", "Paid twice"
    FRAUDULENT = "fraudulent", "Not paid by the owner of the card"


class RefundRequestQuerySet(models.QuerySet["RefundRequest"]):
    def unanswered(self) -> "RefundRequestQuerySet":
        return self.filter(answered_at=None)

    def mark_made(self, *, stripe_id: str) -> int:
        return self.unanswered().update(answered_at=Now(), stripe_refund_id=stripe_id)

    def mark_refused(self, *, because: str) -> int:
        return self.unanswered().update(answered_at=Now(), refused=because[:100] or "refused")


class RefundRequest(models.Model):
    """A refund staff asked for: who, why, and what Stripe said. Written before Stripe is asked; the key is in it."""

    public_id = models.UUIDField(unique=True, editable=False, help_text="One visit to the form makes one refund.")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refund_requests")
    amount_pence = models.PositiveIntegerField()
    reason = models.CharField(max_length=24, choices=RefundReason)
    note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    asked_at = models.DateTimeField(auto_now_add=True)
    attempt = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Counts keys used with Stripe.")
    answered_at = models.DateTimeField(null=True, blank=True)
    stripe_refund_id = models.CharField(max_length=64, unique=True, null=True, blank=True)
    refused = models.CharField(max_length=100, blank=True, help_text="Stripe's own word for why not.")

    objects = RefundRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="refund_request_answer",
                condition=Q(answered_at__isnull=True, stripe_refund_id__isnull=True, refused="")
                | (Q(answered_at__isnull=False, stripe_refund_id__isnull=True) & ~Q(refused=""))
                | Q(answered_at__isnull=False, stripe_refund_id__isnull=False, refused=""),
            ),
            models.CheckConstraint(name="refund_request_amount", condition=Q(amount_pence__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.public_id}"
