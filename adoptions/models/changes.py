import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from config.money import pounds

from .adoptions import Adoption
from .payments import Payment

type Actor = Any  # who wished it: a member of staff, or None: the supporter


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
        if self.act == ChangeAct.SKIP and self.detail:  # which payment, in place of the next
            return f"Skip {self.detail}"
        return f"{self.get_act_display()} {self.detail}".strip()


class RefundReason(models.TextChoices):
    """Stripe's own three; what else is to be said goes into the note."""

    REQUESTED = "requested_by_customer", "The supporter asked for it"
    DUPLICATE = "duplicate", "Paid twice"
    FRAUDULENT = "fraudulent", "Not paid by the owner of the card"


class RefundRequestQuerySet(models.QuerySet["RefundRequest"]):
    def unanswered(self) -> "RefundRequestQuerySet":
        return self.filter(answered_at=None)

    def waiting(self) -> "RefundRequestQuerySet":
        """For a second person to look at: Stripe has not been asked."""
        return self.unanswered().filter(needs_second=True, second=None)

    def to_decide(self, *, by: models.Model) -> "RefundRequestQuerySet":
        """Of those that wait, what somebody else asked for."""
        return self.waiting().exclude(by=by.pk)

    def to_ask(self) -> "RefundRequestQuerySet":
        return self.unanswered().exclude(needs_second=True, second=None)

    def approve(self, *, by: models.Model) -> int:
        """0: it is decided, or it was them who asked."""
        return self.to_decide(by=by).update(second=by, second_at=Now())

    def turn_down(self, *, by: models.Model) -> int:
        """By a second person, or taken back by whoever asked. Nothing goes back."""
        moved = self.to_decide(by=by).update(
            second=by, second_at=Now(), answered_at=Now(), refused="turned down by a second person"
        )
        return moved or self.waiting().filter(by=by.pk).update(answered_at=Now(), refused="taken back by who asked")

    def mark_made(self, *, stripe_id: str) -> int:
        return self.to_ask().update(answered_at=Now(), stripe_refund_id=stripe_id)

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
    stops = models.BooleanField(
        "ends the adoption", default=False, db_default=False, help_text="The adoption is to end with it."
    )
    needs_second = models.BooleanField("needs a second person", default=False, db_default=False)
    second = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="second person",
    )
    second_at = models.DateTimeField("decided by them", null=True, blank=True)
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
            models.CheckConstraint(
                name="refund_request_second_is_another",
                condition=Q(second__isnull=True, second_at__isnull=True)
                | (Q(second__isnull=False, second_at__isnull=False, needs_second=True) & ~Q(second=F("by"))),
            ),
            models.CheckConstraint(
                name="refund_request_made_by_two",
                condition=Q(needs_second=False) | Q(second__isnull=False) | Q(stripe_refund_id__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{pounds(self.amount_pence)}, asked for on {timezone.localtime(self.asked_at):%d/%m/%Y}"

    @property
    def waits_for_second(self) -> bool:
        return self.needs_second and self.second_id is None and self.answered_at is None
