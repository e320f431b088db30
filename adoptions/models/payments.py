import pgtrigger
from django.db import models
from django.db.models import Q, Sum

from config.money import Pence, whole_pence

from .adoptions import Adoption
from .states import PaymentKind


class PaymentQuerySet(models.QuerySet["Payment"]):
    def balance_pence(self) -> Pence:
        """What has come in, less what went back."""
        return whole_pence(self.aggregate(total=Sum("amount_pence"))["total"] or 0)


class Payment(models.Model):
    """One movement of money, as Stripe reports it. Rows are added by adoptions/ledger.py and never changed."""

    adoption = models.ForeignKey(Adoption, on_delete=models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=16, choices=PaymentKind)
    amount_pence = models.IntegerField(help_text="Into the charity's account: positive. Back out of it: negative.")
    stripe_id = models.CharField(max_length=64, help_text="Of the charge, refund or dispute.")
    charge = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversals",
        help_text="What a refund or dispute takes back.",
    )
    invoice_id = models.CharField(max_length=64, blank=True, help_text="Stripe's invoice, for repeating adoptions.")
    card_last4 = models.CharField("last four digits", max_length=4, blank=True)
    occurred_at = models.DateTimeField(help_text="When it happened at Stripe.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["-occurred_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["stripe_id", "kind"], name="payment_once"),
            models.CheckConstraint(
                name="payment_sign",
                condition=Q(kind__in=["charge", "refund_failed", "dispute_reversal"], amount_pence__gt=0)
                | Q(kind__in=["refund", "dispute"], amount_pence__lt=0),
            ),
            models.CheckConstraint(
                name="payment_reverses_a_charge",
                condition=Q(kind="charge", charge__isnull=True) | (~Q(kind="charge") & Q(charge__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["-occurred_at", "-id"], name="payment_newest"),
            models.Index(fields=["kind", "-occurred_at"], name="payment_by_kind"),
            models.Index(fields=["invoice_id"], name="payment_by_invoice", condition=~Q(invoice_id="")),
            models.Index(fields=["card_last4"], name="payment_by_card", condition=~Q(card_last4="")),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="refunds_within_charge",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                condition=pgtrigger.Q(new__kind__in=["refund", "refund_failed"]),
                declare=[("refunded", "bigint"), ("charged", "bigint")],
                func="""
                    -- The charge is locked first, so that two refunds at once cannot each see only themselves.
                    SELECT amount_pence INTO charged FROM adoptions_payment WHERE id = NEW.charge_id FOR UPDATE;
                    SELECT -sum(amount_pence) INTO refunded FROM adoptions_payment
                        WHERE charge_id = NEW.charge_id AND kind IN ('refund', 'refund_failed');
                    IF refunded > charged OR refunded < 0 THEN
                        RAISE EXCEPTION 'refunds of % exceed the charge of %', refunded, charged
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.stripe_id}"


class Fee(models.Model):
    """What Stripe kept of one movement. Rows are added by adoptions/ledger.py and never changed.

    No payment of its own: what a supporter gave, and what goes back to them, is counted without it.
    """

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="fee")
    amount_pence = models.IntegerField(help_text="Kept by Stripe: positive.")
    stripe_id = models.CharField(max_length=64, unique=True, help_text="Of the line in Stripe's balance.")
    payout_id = models.CharField(max_length=64, help_text="The payout that settled it.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(name="fee_is_some", condition=~Q(amount_pence=0))]
        triggers = [pgtrigger.Protect(name="fee_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.stripe_id} {self.amount_pence}"
