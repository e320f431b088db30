"""What Stripe says beside what we say. Reads only: adoptions/reconcile.py acts on what is found here."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from django.db.models import Max, Q, Sum

from config.money import Pence

from . import fulfilment, ledger, payment_days, rebuilding
from .models import (
    ADOPTED,
    INTERVALS,
    OPEN,
    Adoption,
    AdoptionState,
    DifferenceKind,
    FailedRenewal,
    Frequency,
    Payment,
    PaymentKind,
)
from .stripe_objects import Dispute, Invoice, Refund, Session, Subscription
from .stripes_word import StripesWord, known_charges


@dataclass(frozen=True)
class Found:
    """One thing that does not match. `repair` brings it in line by asking Stripe again, where that is safe."""

    kind: DifferenceKind
    stripe_id: str
    what: str = ""
    adoption_id: int | None = None
    ours_pence: int | None = None
    theirs_pence: int | None = None
    note: str = ""
    repair: Callable[[], object] | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.kind, self.what, self.stripe_id)


def compare(word: StripesWord) -> list[Found]:
    """All that does not match now; asked again after a repair, what is gone is repaired."""
    found = [
        *compare_sessions(word),
        *compare_subscriptions(word),
        *compare_money(word),
        *compare_invoices(word),
        *compare_failures(word),
        *compare_payouts(word),
    ]
    return list({one.key: one for one in found}.values())


def compare_sessions(word: StripesWord) -> Iterator[Found]:
    ours = [one for one in word.sessions.values() if fulfilment.is_uuid(one.metadata.get("adoption", ""))]
    public_ids = [one.metadata["adoption"] for one in ours]
    adoptions = {str(one.public_id): one for one in Adoption.objects.filter(public_id__in=public_ids)}
    for session in ours:
        adoption = adoptions.get(session.metadata["adoption"])
        fault, is_safe = fault_of_session(session, adoption)
        if adoption and adoption.state == AdoptionState.PROCESSING and session.payment_intent in word.refused_intents:
            fault = "The bank refused the debit, still on its way here."
        if fault:
            yield Found(
                DifferenceKind.SESSION,
                session.id,
                adoption_id=adoption.pk if adoption else None,
                theirs_pence=session.amount_pence,
                note=fault,
                repair=repair_of_session(session, adoption) if is_safe else None,
            )


def fault_of_session(session: Session, adoption: Adoption | None) -> tuple[str, bool]:
    """What does not match, and whether asking Stripe again is a safe answer."""
    is_done = session.status == "complete"
    is_paid = session.payment_status == "paid"
    if adoption is None:
        return ("Completed at Stripe, and no such adoption is here.", True) if is_done else ("", True)
    if adoption.stripe_session_id not in {None, session.id}:
        return ("Paid a second time for the same adoption: consider a refund.", False) if is_paid else ("", True)
    if is_paid and adoption.state in OPEN:
        return f"Paid at Stripe, here: {adoption.get_state_display().lower()}.", True
    if is_done and adoption.state == AdoptionState.PENDING:
        return "Completed at Stripe, not paid here.", True
    if session.status == "expired" and adoption.state == AdoptionState.PENDING:
        return "Expired at Stripe, still waiting here.", True
    return "", True


def repair_of_session(session: Session, adoption: Adoption | None) -> Callable[[], object]:
    if adoption is None:
        return lambda: rebuilding.restore(session)
    return lambda: fulfilment.sync_session(session.id)


def compare_subscriptions(word: StripesWord) -> Iterator[Found]:
    ours = {
        one.stripe_subscription_id: one
        for one in Adoption.objects.filter(stripe_subscription_id__in=list(word.subscriptions))
    }
    for subscription in word.subscriptions.values():
        adoption = ours.get(subscription.id)
        fault = fault_of_subscription(subscription, adoption)
        if fault:
            yield Found(
                DifferenceKind.SUBSCRIPTION,
                subscription.id,
                adoption_id=adoption.pk if adoption else None,
                note=fault,
                repair=functools.partial(fulfilment.sync_subscription, subscription.id),
            )
    lost = Adoption.objects.filter(state__in=ADOPTED, stripe_subscription_id__in=word.unknown_subscriptions)
    for adoption in lost:
        yield Found(
            DifferenceKind.SUBSCRIPTION,
            adoption.stripe_subscription_id or "",
            adoption_id=adoption.pk,
            note="Stripe does not know this subscription.",
        )


def fault_of_subscription(subscription: Subscription, adoption: Adoption | None) -> str:
    is_running = subscription.status in {"active", "trialing"}
    is_behind = subscription.status in {"past_due", "unpaid"}
    if adoption is None:
        is_ours = fulfilment.is_uuid(subscription.adoption_public_id)
        return "Runs at Stripe, and no adoption here has it." if is_ours and (is_running or is_behind) else ""
    if adoption.state == AdoptionState.HELD:
        return ""
    is_ended = subscription.status in {"canceled", "incomplete_expired"}
    ends_on = subscription.cancel_at.date() if subscription.cancel_at else None
    here = adoption.get_state_display().lower()
    if (
        (is_ended and (adoption.is_adopted or adoption.state == AdoptionState.PROCESSING))
        or (is_running and adoption.state in {AdoptionState.PAST_DUE, AdoptionState.ENDED, AdoptionState.ABANDONED})
        or (is_behind and adoption.state in {AdoptionState.ACTIVE, AdoptionState.ENDED})
    ):
        return f"At Stripe: {subscription.status}. Here: {here}."
    if is_ended or not adoption.is_adopted:
        return ""
    if adoption.ends_on != ends_on:
        return f"Ends at Stripe: {ends_on or 'no end'}. Here: {adoption.ends_on or 'no end'}."
    return fault_of_plan(subscription, adoption)


def fault_of_plan(subscription: Subscription, adoption: Adoption) -> str:
    """What is taken next, and when."""
    next_on = payment_days.next_payment(subscription)
    if adoption.is_paused != subscription.is_paused:
        return f"{'Paused' if subscription.is_paused else 'Not paused'} at Stripe, here the other way."
    if adoption.next_payment_on != next_on:
        return f"Next payment at Stripe: {next_on or 'none'}. Here: {adoption.next_payment_on or 'none'}."
    if subscription.currency == ledger.STERLING and subscription.amount_pence != adoption.amount_pence:
        return f"At Stripe: {subscription.amount_pence}p each time. Here: {adoption.amount_pence}p."
    if subscription.interval != INTERVALS[Frequency(adoption.frequency)]:
        return f"At Stripe: every {subscription.interval}. Here: {adoption.get_frequency_display().lower()}."
    return ""


def compare_money(word: StripesWord) -> Iterator[Found]:
    """Every movement, both ways: theirs in ours and ours in theirs, with the same pence."""
    theirs = {one.key[1:]: one for one in their_movements(word, owners(word))}
    recorded = Payment.objects.through_stripe()
    rows = recorded.filter(Q(occurred_at__gte=word.since) | Q(stripe_id__in=[key[1] for key in theirs]))
    ours = {(one.kind, one.stripe_id): one for one in rows}
    for key, movement in theirs.items():
        if movement.kind == DifferenceKind.CURRENCY or key not in ours:
            yield movement
        elif ours[key].amount_pence != movement.theirs_pence:
            yield replace(movement, kind=DifferenceKind.AMOUNT, ours_pence=ours[key].amount_pence, repair=None)
    for key, payment in ours.items():
        if key not in theirs:
            kind, stripe_id = key
            pence = payment.amount_pence
            yield Found(DifferenceKind.UNKNOWN, stripe_id, kind, payment.adoption_id, ours_pence=pence)


def owners(word: StripesWord) -> dict[str, int | None]:
    """The charges that are ours, with their adoptions; None where no adoption is here."""
    named = {charge.id: charge.adoption_public_id for charge in word.charges.values()}
    invoiced = {intent: one for one in word.invoices.values() for intent in one.payment_intents}
    for charge in word.charges.values():
        invoice = invoiced.get(charge.payment_intent or "")
        if invoice and invoice.adoption_public_id:
            named[charge.id] = invoice.adoption_public_id
    named = {charge_id: public_id for charge_id, public_id in named.items() if fulfilment.is_uuid(public_id)}
    adoptions = Adoption.objects.filter(public_id__in=list(named.values())).values_list("public_id", "pk")
    by_public_id = {str(public_id): pk for public_id, pk in adoptions}
    found: dict[str, int | None] = {charge_id: by_public_id.get(named[charge_id]) for charge_id in named}
    return {**found, **known_charges([*word.charges, *word.reversed_charges()])}


def their_movements(word: StripesWord, owned: dict[str, int | None]) -> Iterator[Found]:
    """What ought to be in our ledger, written as if all of it were missing."""
    for charge in word.charges.values():
        if charge.id in owned and charge.is_paid:
            is_sterling = charge.currency == ledger.STERLING
            yield Found(
                DifferenceKind.MISSING if is_sterling else DifferenceKind.CURRENCY,
                charge.id,
                PaymentKind.CHARGE,
                owned[charge.id],
                theirs_pence=charge.amount_pence,
                note="" if is_sterling else f"In {charge.currency}.",
                repair=functools.partial(fulfilment.sync_charge, charge.id) if is_sterling else None,
            )
    foreign = {one.id for one in word.charges.values() if one.currency != ledger.STERLING}
    moved: list[tuple[Refund | Dispute, list[tuple[PaymentKind, Pence]], Callable[[str], bool]]] = [
        *((one, ledger.movements_of_refund(one), fulfilment.sync_refund) for one in word.refunds.values()),
        *((one, ledger.movements_of_dispute(one), fulfilment.sync_dispute) for one in word.disputes.values()),
    ]
    for thing, movements, sync in moved:
        for what, pence in movements if thing.charge in owned.keys() - foreign else []:
            adoption_id, repair = owned[thing.charge], functools.partial(sync, thing.id)
            yield Found(DifferenceKind.MISSING, thing.id, what, adoption_id, theirs_pence=pence, repair=repair)


def compare_invoices(word: StripesWord) -> Iterator[Found]:
    """Each paid invoice of ours against the charges we have for it."""
    paid = [one for one in word.invoices.values() if one.status == "paid" and one.currency == ledger.STERLING]
    ours = [one for one in paid if fulfilment.is_uuid(one.adoption_public_id)]
    rows = Payment.objects.filter(kind=PaymentKind.CHARGE, invoice_id__in=[one.id for one in ours])
    received = {
        row["invoice_id"]: row
        for row in rows.order_by().values("invoice_id").annotate(pence=Sum("amount_pence"), adoption=Max("adoption"))
    }
    for invoice in ours:
        row = received.get(invoice.id)
        pence = row["pence"] if row else 0
        if pence != invoice.amount_paid_pence:
            yield Found(
                DifferenceKind.AMOUNT if row else DifferenceKind.MISSING,
                invoice.id,
                "invoice",
                row["adoption"] if row else None,
                ours_pence=pence,
                theirs_pence=invoice.amount_paid_pence,
                repair=functools.partial(fulfilment.sync_invoice, invoice.id),
            )


def compare_failures(word: StripesWord) -> Iterator[Found]:
    """Each renewal that was refused at first, and each that was paid after all, against what the reports count."""
    ours = owners_of_renewals(word)
    intents = {intent: one for one in ours.values() for intent in one[0].payment_intents}
    refused = {
        intents[one.payment_intent][0].id
        for one in word.charges.values()
        if one.refusal and one.payment_intent in intents
    }
    known = dict(FailedRenewal.objects.filter(invoice_id__in=refused).values_list("invoice_id", "payment"))
    paid = Payment.objects.filter(kind=PaymentKind.CHARGE, invoice_id__in=list(known)).values_list(
        "invoice_id", flat=True
    )
    for invoice_id in sorted((refused - known.keys()) | {one for one in paid if known[one] is None}):
        yield Found(
            DifferenceKind.MISSING,
            invoice_id,
            "failed try",
            ours[invoice_id][1],
            note="A payment that was refused, or what became of it.",
            repair=functools.partial(fulfilment.sync_invoice, invoice_id),
        )


def owners_of_renewals(word: StripesWord) -> dict[str, tuple[Invoice, int]]:
    """The renewals of our adoptions, by the invoice."""
    renewals = [one for one in word.invoices.values() if not one.is_first and one.currency == ledger.STERLING]
    named = {one.adoption_public_id for one in renewals if fulfilment.is_uuid(one.adoption_public_id)}
    rows = Adoption.objects.filter(public_id__in=named).values_list("public_id", "pk", "stripe_subscription_id")
    ours = {str(public_id): (pk, subscription) for public_id, pk, subscription in rows}
    return {
        one.id: (one, ours[one.adoption_public_id][0])
        for one in renewals
        if one.adoption_public_id in ours and ours[one.adoption_public_id][1] in {None, one.subscription}
    }


def compare_payouts(word: StripesWord) -> Iterator[Found]:
    """Each payout against its lines, and each line about money of ours against our ledger."""
    sources = [line.source for _, lines in word.payouts for line in lines]
    ours = {(one.kind, one.stripe_id): one for one in Payment.objects.filter(stripe_id__in=sources)}
    for payout, lines in word.payouts:
        total = sum(line.net_pence for line in lines)
        if total != payout.amount_pence:
            note = "The movements in this payout come to another sum than the payout."
            yield Found(DifferenceKind.PAYOUT, payout.id, ours_pence=total, theirs_pence=payout.amount_pence, note=note)
        for line in lines:
            kind = ledger.kind_of_line(line)
            payment = ours.get((kind, line.source))
            if payment and payment.amount_pence != line.amount_pence:
                yield Found(
                    DifferenceKind.PAYOUT,
                    payout.id,
                    kind,
                    payment.adoption_id,
                    ours_pence=payment.amount_pence,
                    theirs_pence=line.amount_pence,
                    note=f"{line.source} was paid out with another amount.",
                )
