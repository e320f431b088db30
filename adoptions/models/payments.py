import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Now

from config.money import Pence, whole_pence

from .adoptions import Adoption
from .states import Method, PaymentKind


class PaymentQuerySet(models.QuerySet["Payment"]):
    def balance_pence(self) -> Pence:
        """What has come in, less what went back."""
        return whole_pence(self.aggregate(total=Sum("amount_pence"))["total"] or 0)

    def through_stripe(self) -> "PaymentQuerySet":
        """What Stripe must know as well."""
        return self.filter(method=Method.STRIPE)

    def through_us(self) -> "PaymentQuerySet":
        """What the bank got by way of this site; not the past that a list brought in, which another system collected.

        Takings, annual statements and Gift Aid are about these alone.
        """
        return self.filter(is_brought_in=False)


class Payment(models.Model):
    """One movement of money, as Stripe reports it or staff wrote it down from a cheque, a note or a bank statement.

    Or, with `is_brought_in`, as a list from another system told of it: see exchange/past_bringing.py.

    Rows are added by adoptions/ledger.py and never changed.
    """

    adoption = models.ForeignKey(Adoption, on_delete=models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=16, choices=PaymentKind)
    amount_pence = models.IntegerField(help_text="Into the charity's account: positive. Back out of it: negative.")
    method = models.CharField("way", max_length=8, choices=Method, default=Method.STRIPE, db_default=Method.STRIPE)
    is_brought_in = models.BooleanField(
        "brought in",
        default=False,
        db_default=False,
        help_text="Another system collected it, and a list told us. No money came to the bank by way of this site.",
    )
    stripe_id = models.CharField(
        max_length=64,
        blank=True,
        help_text="Of the charge, refund or dispute. None where staff wrote the movement down.",
    )
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
    occurred_at = models.DateTimeField(help_text="When it happened at Stripe, or reached us.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["-occurred_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["stripe_id", "kind"], name="payment_once", condition=~Q(stripe_id="")),
            models.CheckConstraint(
                name="payment_sign",
                condition=Q(kind__in=["charge", "refund_failed", "dispute_reversal"], amount_pence__gt=0)
                | Q(kind__in=["refund", "dispute", "void"], amount_pence__lt=0),
            ),
            models.CheckConstraint(
                name="payment_is_known_to_stripe_or_to_staff",
                condition=Q(method="stripe") & ~Q(stripe_id="") & ~Q(kind="void")
                | ~Q(method="stripe")
                & Q(stripe_id="", invoice_id="", card_last4="")
                & Q(kind__in=["charge", "refund", "refund_failed", "void"]),
            ),
            models.CheckConstraint(
                name="payment_elsewhere_is_brought_in",
                condition=Q(is_brought_in=False) & ~Q(method__in=["card", "debit", "other"])
                | Q(is_brought_in=True, kind__in=["charge", "void"]) & ~Q(method="stripe"),
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
            models.Index(fields=["-occurred_at", "-id"], name="payment_by_hand", condition=~Q(method="stripe")),
            models.Index(fields=["-occurred_at", "-id"], name="payment_brought_in", condition=Q(is_brought_in=True)),
            models.Index(fields=["card_last4"], name="payment_by_card", condition=~Q(card_last4="")),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="refunds_within_charge",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                condition=pgtrigger.Q(new__kind__in=["refund", "refund_failed", "void"]),
                declare=[("refunded", "bigint"), ("charged", "bigint"), ("way", "text"), ("brought_in", "boolean")],
                func="""
                    -- The charge is locked first, so that two refunds at once cannot each see only themselves.
                    SELECT amount_pence, method, is_brought_in INTO charged, way, brought_in
                        FROM adoptions_payment WHERE id = NEW.charge_id FOR UPDATE;
                    IF (way = 'stripe') <> (NEW.method = 'stripe') THEN
                        RAISE EXCEPTION 'what came through Stripe goes back through Stripe, and nothing else does'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF brought_in <> NEW.is_brought_in THEN
                        RAISE EXCEPTION 'what takes back a payment that was brought in is counted where that is'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    SELECT -sum(amount_pence) INTO refunded FROM adoptions_payment
                        WHERE charge_id = NEW.charge_id AND kind IN ('refund', 'refund_failed', 'void');
                    IF refunded > charged OR refunded < 0 THEN
                        RAISE EXCEPTION 'refunds of % exceed the charge of %', refunded, charged
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.known_as}"

    @property
    def known_as(self) -> str:
        """What receipts and mails call it: Stripe's id, or ours where Stripe knows nothing of it."""
        return self.stripe_id or f"{'past' if self.is_brought_in else 'hand'}-{self.pk}"

    @property
    def is_by_hand(self) -> bool:
        return self.method != Method.STRIPE


class Because(models.TextChoices):
    """Why money that was written down by hand went back, or never was."""

    ASKED = "asked", "The supporter asked for it"
    TWICE = "twice", "Paid twice"
    MISTAKE = "mistake", "Entered by mistake"
    RETURNED = "returned", "The bank gave the cheque back, or the transfer was recalled"
    UNDONE = "undone", "The list that brought it in was undone"


class HandEntryQuerySet(models.QuerySet["HandEntry"]):
    def unseen(self) -> "HandEntryQuerySet":
        """Nobody has found it on the bank's statement yet. What was taken back is not looked for there."""
        return self.filter(confirmed_at=None, reverses=None, payment__taken_back_by=None)

    def confirm(self, *, by: models.Model) -> int:
        return self.unseen().update(confirmed_at=Now(), confirmed_by=by)


class HandEntry(models.Model):
    """Who wrote a movement of money down, from what, and whether it was found at the bank since.

    Beside the movement, which never changes: a note may be forgotten before the accounts may.
    """

    request = models.UUIDField(unique=True, editable=False, help_text="One visit to the form makes one movement.")
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="hand_entry")
    reverses = models.OneToOneField(
        Payment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="taken_back_by",
        help_text="The movement that was none. Each is taken back once.",
    )
    reference = models.CharField(max_length=60, blank=True, help_text="Number of the cheque or the paying-in slip.")
    note = models.CharField(max_length=300, blank=True)
    because = models.CharField(max_length=8, choices=Because, blank=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField("seen at the bank", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    needs_second = models.BooleanField("needed a second person", default=False, db_default=False)
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = HandEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "money by hand"
        verbose_name_plural = "money by hand"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="hand_entry_confirmed_by_somebody",
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="hand_entry_takes_back_for_a_reason", condition=Q(reverses__isnull=True) | ~Q(because="")
            ),
            models.CheckConstraint(
                name="hand_entry_agreed_by_another",
                condition=Q(needs_second=False, agreed_by__isnull=True)
                | (Q(needs_second=True, agreed_by__isnull=False) & ~Q(agreed_by=F("entered_by"))),
            ),
        ]
        indexes = [models.Index(fields=["-id"], name="hand_entry_unseen", condition=Q(confirmed_at=None))]
        triggers = [
            pgtrigger.ReadOnly(name="as_entered", exclude=["note", "confirmed_at", "confirmed_by"]),
            pgtrigger.Protect(
                name="confirmed_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__confirmed_at__isnull=False)
                & pgtrigger.Q(old__confirmed_at__df=pgtrigger.F("new__confirmed_at")),
            ),
            pgtrigger.Protect(name="hand_entry_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.payment.get_method_display()} {self.reference}".strip()


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
