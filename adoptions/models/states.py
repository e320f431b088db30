"""Words with a fixed meaning, and the sets of them that rules speak of."""

from django.db import models


class Frequency(models.TextChoices):
    ONCE = "once", "Once"
    MONTHLY = "monthly", "Every month"
    YEARLY = "yearly", "Every year"


REPEATING = frozenset({Frequency.MONTHLY, Frequency.YEARLY})
INTERVALS = {Frequency.ONCE: "", Frequency.MONTHLY: "month", Frequency.YEARLY: "year"}  # Stripe's word
RHYTHMS = {INTERVALS[rhythm]: rhythm for rhythm in REPEATING}


class AdoptionState(models.TextChoices):
    """Where an adoption is. Derived from what Stripe says; nobody chooses it."""

    PENDING = "pending", "Not paid yet"
    PROCESSING = "processing", "Payment on its way"
    ACTIVE = "active", "Active"
    PAST_DUE = "past_due", "Payment failed"
    ENDED = "ended", "Ended"
    ABANDONED = "abandoned", "Abandoned before paying"
    HELD = "held", "Held for staff to look at"


OPEN = frozenset({AdoptionState.PENDING, AdoptionState.PROCESSING, AdoptionState.ABANDONED})
ADOPTED = frozenset({AdoptionState.ACTIVE, AdoptionState.PAST_DUE})


class PaymentKind(models.TextChoices):
    CHARGE = "charge", "Payment"
    REFUND = "refund", "Refund"
    REFUND_FAILED = "refund_failed", "Refund that failed"
    DISPUTE = "dispute", "Dispute"
    DISPUTE_REVERSAL = "dispute_reversal", "Dispute won"


INCOMING = frozenset({PaymentKind.CHARGE, PaymentKind.REFUND_FAILED, PaymentKind.DISPUTE_REVERSAL})


class EventState(models.TextChoices):
    RECEIVED = "received", "Waiting to be worked"
    DONE = "done", "Done"
    IGNORED = "ignored", "Nothing to do"
    PARKED = "parked", "Parked: staff should look"
