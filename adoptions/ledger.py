"""From Stripe's objects to our payments: the one place where money is written down.

Every function is called with the adoption's row locked, adds only what is missing, and can be called any number of
times with any older or newer news: a charge, refund or dispute has one row per kind, under Stripe's own id. What comes
by cheque, in cash or as a transfer has no such id; it is written once for each visit to the form that staff fill in.
What another system collected before, and a list told of, is written once under the number that it has there.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Max, Min, Model
from django.utils import timezone

from config.money import Pence, pounds

from .models import OPEN, Adoption, Attention, Because, Fee, HandEntry, Method, PastPayment, Payment, PaymentKind
from .stripe_objects import BalanceLine, Charge, Dispute, Refund

REFUND_STANDS = {"succeeded", "pending", "requires_action"}
NO_MONEY_MOVED = {"warning_needs_response", "warning_under_review", "warning_closed", "prevented"}
STERLING = "gbp"
TO_THE_SECOND = timedelta(seconds=1)  # Stripe says when by whole seconds


def record_charge(adoption: Adoption, charge: Charge, *, invoice_id: str = "") -> Payment | None:
    """Write down a paid charge and all that was refunded of it; the payment if it is new to us.

    Another currency never enters the ledger: the same number would not be the same money.
    """
    if not charge.is_paid or charge.currency != STERLING:
        return None
    payment, is_new = Payment.objects.get_or_create(
        stripe_id=charge.id,
        kind=PaymentKind.CHARGE,
        defaults={
            "adoption": adoption,
            "amount_pence": charge.amount_pence,
            "invoice_id": invoice_id,
            "card_last4": charge.last4,
            "occurred_at": charge.created,
        },
    )
    for refund in in_order(payment, charge.refunds):
        record_refund(payment, refund)
    return payment if is_new else None


def in_order(payment: Payment, refunds: Sequence[Refund]) -> Sequence[Refund]:
    """Such that at no moment more is back than came in: what returned to us first, what left us last.

    Among refunds that failed, those whose leaving is written down already come before those nobody has heard of.
    """
    if len(refunds) < 2:
        return refunds
    known = set(payment.reversals.filter(kind=PaymentKind.REFUND).values_list("stripe_id", flat=True))
    return sorted(refunds, key=lambda one: (one.status in REFUND_STANDS, one.id not in known, one.created))


def record_refund(payment: Payment, refund: Refund) -> None:
    for kind, pence in movements_of_refund(refund):
        add(payment, kind, refund.id, pence, refund)


def movements_of_refund(refund: Refund) -> list[tuple[PaymentKind, Pence]]:
    """A refund is money back out; one that failed later is money in again, as a row of its own.

    Both rows are written however late we hear, as both movements are in Stripe's balance.
    """
    back = [] if refund.status in REFUND_STANDS else [(PaymentKind.REFUND_FAILED, refund.amount_pence)]
    return [(PaymentKind.REFUND, Pence(-refund.amount_pence)), *back]


def record_dispute(payment: Payment, dispute: Dispute) -> None:
    for kind, pence in movements_of_dispute(dispute):
        add(payment, kind, dispute.id, pence, dispute)


def movements_of_dispute(dispute: Dispute) -> list[tuple[PaymentKind, Pence]]:
    """Disputed money leaves at once and comes back only if the dispute is won."""
    if dispute.status in NO_MONEY_MOVED:
        return []  # an inquiry: the bank asks
    back = [(PaymentKind.DISPUTE_REVERSAL, dispute.amount_pence)] if dispute.status == "won" else []
    return [(PaymentKind.DISPUTE, Pence(-dispute.amount_pence)), *back]


def add(payment: Payment, kind: PaymentKind, stripe_id: str, amount_pence: Pence, source: Refund | Dispute) -> None:
    _, is_new = Payment.objects.get_or_create(
        stripe_id=stripe_id,
        kind=kind,
        defaults={
            "adoption": payment.adoption,
            "charge": payment,
            "amount_pence": amount_pence,
            "occurred_at": source.created,
        },
    )
    if is_new and kind == PaymentKind.REFUND:
        answer_who_asked(payment, amount_pence, before=source.created + TO_THE_SECOND)


def answer_who_asked(payment: Payment, pence: Pence, *, before: datetime) -> None:
    """Finance was asked to give it back, and has. `before`: what was asked after a refund is not answered by it."""
    asked = Attention.objects.wishing_back(payment).filter(opened_at__lt=before)
    asked.resolve(how=f"{pounds(abs(pence))} went back.")


def record_by_hand(
    adoption: Adoption,
    kind: PaymentKind,
    *,
    pence: Pence,
    method: Method,
    on: date,
    entry: HandEntry,
    charge: Payment | None = None,
) -> Payment:
    """Write down what staff saw: `entry`, unsaved, says who and from what. Once for each of its requests.

    Raises IntegrityError for a request, or a reversal, that was written down before.
    """
    at = noon_of(on)
    with transaction.atomic():
        entry.payment = Payment.objects.create(
            adoption=adoption,
            kind=kind,
            amount_pence=pence,
            method=method,
            charge=charge,
            is_brought_in=charge is not None and charge.is_brought_in,
            occurred_at=max(at, charge.occurred_at) if charge else at,
        )
        entry.save(force_insert=True)
        if charge and kind == PaymentKind.REFUND:
            answer_who_asked(charge, pence, before=timezone.now())
    return entry.payment


@dataclass(frozen=True)
class Brought:
    """A payment that another system collected: its number there, and its day. `reference`: of a cheque, say.

    `system`: whose number it is, where the list named it.
    """

    adoption_id: int
    pence: Pence
    method: Method
    at: datetime
    number: str
    reference: str = ""
    system: str = ""


def record_brought_in(told: Sequence[Brought], *, list_number: int) -> None:
    """Write down what a list tells. Raises IntegrityError, and writes nothing, if one of the numbers is in already."""
    with transaction.atomic():
        payments = Payment.objects.bulk_create(
            Payment(
                adoption_id=one.adoption_id,
                kind=PaymentKind.CHARGE,
                amount_pence=one.pence,
                method=one.method,
                is_brought_in=True,
                occurred_at=one.at,
            )
            for one in told
        )
        PastPayment.objects.bulk_create(
            PastPayment(
                payment=payment, list_number=list_number, system=one.system, number=one.number, reference=one.reference
            )
            for payment, one in zip(payments, told, strict=True)
        )


def void_brought_in(past: Sequence[PastPayment], *, by: Model) -> None:
    """Take back what a list brought in, each by the opposite movement beside it, as a mistake by hand is taken back.

    Once for each: `reverses` of the entry is unique. What staff have taken back before stays so. From now on the same
    numbers may come in again. Called with `past` locked, and its payments read.
    """
    now = timezone.now()
    taken_back = HandEntry.objects.filter(reverses__in=[one.payment_id for one in past])
    known = set(taken_back.values_list("reverses", flat=True))
    charges = [one.payment for one in past if one.payment_id not in known]
    voids = Payment.objects.bulk_create(
        Payment(
            adoption_id=charge.adoption_id,
            kind=PaymentKind.VOID,
            amount_pence=-charge.amount_pence,
            method=charge.method,
            is_brought_in=True,
            charge=charge,
            occurred_at=now,
        )
        for charge in charges
    )
    HandEntry.objects.bulk_create(
        HandEntry(request=uuid.uuid4(), payment=void, reverses=charge, because=Because.UNDONE, entered_by_id=by.pk)
        for charge, void in zip(charges, voids, strict=True)
    )
    PastPayment.objects.filter(pk__in=[one.pk for one in past]).update(undone_at=now)


def noon_of(day: date) -> datetime:
    """The moment that stands for a day of which no more is known; never one to come."""
    return min(timezone.make_aware(datetime.combine(day, time(12))), timezone.now())


def kind_of_line(line: BalanceLine) -> str:
    """Which of our movements a line of Stripe's balance tells of."""
    prefix = line.source.partition("_")[0]
    if prefix in {"ch", "py"}:
        return PaymentKind.CHARGE
    if prefix in {"re", "pyr"}:
        return PaymentKind.REFUND if line.amount_pence < 0 else PaymentKind.REFUND_FAILED
    return PaymentKind.DISPUTE if line.amount_pence < 0 else PaymentKind.DISPUTE_REVERSAL


def record_fees(payout_id: str, lines: Iterable[BalanceLine]) -> None:
    """What Stripe kept of each of our movements, as the payout that settles them has it. Before it, nobody knows."""
    kept = {(kind_of_line(line), line.source): line for line in lines if line.net_pence != line.amount_pence}
    for payment in Payment.objects.filter(stripe_id__in=[line.source for line in kept.values()], fee=None):
        line = kept.get((payment.kind, payment.stripe_id))
        if line:
            amount = Pence(line.amount_pence - line.net_pence)
            values = {"payment": payment, "amount_pence": amount, "payout_id": payout_id}
            Fee.objects.get_or_create(stripe_id=line.id, defaults=values)


def is_money_there(adoption: Adoption) -> bool:
    """Has more come in than went back?"""
    return adoption.payments.balance_pence() > 0


def settle_state(adoption: Adoption) -> None:
    """Let the state follow the money, so that it is the same in whatever order the news came.

    A single adoption is active while money is there and ended once all of it went back. A repeating one begins with
    its first payment; how it goes on is told by its subscription, so that nothing is asked once it has begun.
    """
    if adoption.is_repeating and adoption.state not in OPEN:
        return
    this = Adoption.objects.filter(pk=adoption.pk)
    moved = adoption.payments.aggregate(first=Min("occurred_at"), last=Max("occurred_at"))
    if adoption.is_repeating and moved["first"]:
        this.filter(state__in=OPEN).exclude(stripe_subscription_id=None).activate(at=moved["first"])
    elif moved["first"]:
        this.activate(at=moved["first"])
        if is_money_there(adoption):
            this.reopen()
        else:
            this.end(at=moved["last"])
    adoption.refresh_from_db()
