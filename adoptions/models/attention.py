from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from .adoptions import Adoption
from .payments import Payment


class AttentionKind(models.TextChoices):
    """Why a person has to look. Everything else looks after itself."""

    HELD = "held", "Payment does not fit the adoption"
    TWICE = "twice", "Paid twice for the same thing"
    DISPUTE = "dispute", "Payment disputed"
    FRAUD_WARNING = "fraud_warning", "Early fraud warning"
    REFUND_FAILED = "refund_failed", "Refund did not arrive"
    REFUND_ASKED = "refund_asked", "Refund asked for"
    ODD_AMOUNT = "odd_amount", "Amount at Stripe cannot be right"
    GIFT_WORDS = "gift_words", "Words of a present to read"
    CAMPAIGN_LINK = "campaign_link", "A campaign's link does not lead where it should"
    TAKEOVER = "takeover", "Taking over an adoption"
    CARD_TESTING = "card_testing", "Somebody may be testing stolen cards"


class AttentionQuerySet(models.QuerySet["Attention"]):
    def open(self) -> "AttentionQuerySet":
        return self.filter(resolved_at=None)

    def resolve(self, *, how: str, by: models.Model | None = None) -> int:
        """Dealt with by a person, or by itself (`by` None). 0: somebody was first."""
        return self.open().update(resolved_at=Now(), resolved_by=by, how=how[:300])

    def wishing_back(self, payment: Payment) -> "AttentionQuerySet":
        """What finance was asked to give back of a payment: see adoptions/refund_wishes.py."""
        about = self.filter(kind=AttentionKind.REFUND_ASKED, adoption=payment.adoption_id)
        return about.filter(key__startswith=f"{payment.pk}:")

    def ask_for_second(self, *, by: models.Model) -> int:
        """To give back what one may not alone. 0: somebody asked before."""
        return self.open().filter(asked_by=None).update(asked_by=by, asked_at=Now())


class Attention(models.Model):
    """One thing staff should look at, once. Opened by adoptions/attention.py, in the transaction that found it."""

    kind = models.CharField(max_length=16, choices=AttentionKind)
    key = models.CharField(max_length=120, help_text="What it is about: Stripe's id, or ours.")
    adoption = models.ForeignKey(Adoption, on_delete=models.PROTECT, null=True, blank=True, related_name="attentions")
    reason = models.CharField(max_length=300)
    opened_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    how = models.CharField("what was done", max_length=300, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="asked to give it back",
        help_text="It is more than one person may give back alone, and waits for another.",
    )
    asked_at = models.DateTimeField("asked on", null=True, blank=True)

    objects = AttentionQuerySet.as_manager()

    class Meta:
        verbose_name = "thing to look at"
        verbose_name_plural = "things to look at"
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="attention_once"),
            models.CheckConstraint(
                name="attention_resolved_says_how",
                condition=Q(resolved_at__isnull=True, how="", resolved_by__isnull=True)
                | (Q(resolved_at__isnull=False) & ~Q(how="")),
            ),
            models.CheckConstraint(
                name="attention_asked_by_somebody",
                condition=Q(asked_by__isnull=True, asked_at__isnull=True)
                | Q(asked_by__isnull=False, asked_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["-opened_at"], name="attention_open", condition=Q(resolved_at=None)),
            models.Index(F("resolved_at").desc(nulls_first=True), "opened_at", name="attention_as_listed"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.adoption or self.key}"
