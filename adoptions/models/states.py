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
    VOID = "void", "Payment that was none"  # entered by hand by mistake, or a cheque that the bank gave back


INCOMING = frozenset({PaymentKind.CHARGE, PaymentKind.REFUND_FAILED, PaymentKind.DISPUTE_REVERSAL})


class Method(models.TextChoices):
    """On which way money came or went."""

    STRIPE = "stripe", "Through Stripe"
    CHEQUE = "cheque", "Cheque"
    CASH = "cash", "Cash"
    TRANSFER = "transfer", "Bank transfer"
    CARD = "card", "Card, elsewhere"
    DEBIT = "debit", "Direct Debit, elsewhere"
    OTHER = "other", "Another way, elsewhere"


BY_HAND = (Method.CHEQUE, Method.CASH, Method.TRANSFER)  # staff write it down; Stripe knows nothing of it
ELSEWHERE = frozenset({Method.CARD, Method.DEBIT, Method.OTHER})  # only payments that a list brought in have these


class Source(models.TextChoices):
    """How somebody reached us to adopt."""

    WEB = "web", "On the site"
    PHONE = "phone", "By phone"
    PAPER = "paper", "On paper"
    PERSON = "person", "In person"
    IMPORT = "import", "Through another system"  # a list brought it in: see exchange/past_bringing.py


TOLD_TO_STAFF = (Source.PHONE, Source.PAPER, Source.PERSON)


class EventState(models.TextChoices):
    RECEIVED = "received", "Waiting to be worked"
    DONE = "done", "Done"
    IGNORED = "ignored", "Nothing to do"
    PARKED = "parked", "Parked: staff should look"
