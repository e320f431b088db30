"""What Stripe says, asked for all at once: the one side of every comparison."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from . import stripe_gateway, stripe_invoices, stripe_listing, webhooks
from .models import ADOPTED, Adoption, AdoptionState, Payment, PaymentKind, StripeEvent
from .stripe_gateway import StripeRefused
from .stripe_objects import BalanceLine, Charge, Dispute, Invoice, Payout, Refund, Session, Subscription

EVENTS_ARE_KEPT = timedelta(days=30)
UNPAID_AFTER = timedelta(days=2)  # a page at Stripe closes after one


@dataclass
class StripesWord:
    """What Stripe said during one comparison: all since a time, and whatever a missed event speaks of."""

    since: datetime
    sessions: dict[str, Session] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    payouts: list[tuple[Payout, list[BalanceLine]]] = field(default_factory=list)
    refused_intents: set[str] = field(default_factory=set)
    unknown_subscriptions: set[str] = field(default_factory=set)
    missed_warnings: set[str] = field(default_factory=set)
    missed_events: int = 0

    def __len__(self) -> int:
        everything = (self.sessions, self.subscriptions, self.invoices, self.charges, self.refunds, self.disputes)
        return sum(len(things) for things in everything) + len(self.payouts)

    def ids(self) -> set[str]:
        """Everything that was looked at."""
        everything = (self.sessions, self.subscriptions, self.invoices, self.charges, self.refunds, self.disputes)
        return {one for things in everything for one in things} | {payout.id for payout, _ in self.payouts}

    def reversed_charges(self) -> set[str]:
        """The charges that refunds and disputes speak of."""
        return {one.charge for one in self.refunds.values()} | {one.charge for one in self.disputes.values()} - {""}


def ask(since: datetime, *, events_since: datetime) -> StripesWord:
    """Everything first, so that what comes in by webhook meanwhile is not taken for a difference."""
    word = StripesWord(since)
    word.sessions = {one.id: one for one in stripe_listing.sessions(since)}
    word.subscriptions = {one.id: one for one in stripe_listing.living_subscriptions()}
    word.invoices = {one.id: one for one in stripe_listing.invoices(since)}
    word.charges = {one.id: one for one in stripe_listing.charges(since)}
    word.refunds = {one.id: one for one in stripe_listing.refunds(since)}
    word.disputes = {one.id: one for one in stripe_listing.disputes(since)}
    word.payouts = [(one, list(stripe_listing.lines_of(one.id))) for one in stripe_listing.payouts(since)]
    ask_about_missed_events(word, events_since)
    ask_about_ours(word)
    ask_about_owners(word)
    return word


def ask_about_missed_events(word: StripesWord, since: datetime) -> None:
    """Old objects that changed: their own date is long past, but the event of the change never came."""
    since = max(since, timezone.now() - EVENTS_ARE_KEPT)
    told = list(stripe_listing.events(since, list(webhooks.HANDLERS)))
    known = set(StripeEvent.objects.filter(pk__in=[event.id for event in told]).values_list("pk", flat=True))
    missed = [event for event in told if event.id not in known]
    word.missed_events = len(missed)
    for event in missed:
        look_up(word, event.object_id)


def look_up(word: StripesWord, stripe_id: str) -> None:
    match stripe_id.partition("_")[0]:
        case "cs":
            add(word.sessions, stripe_id, stripe_gateway.read_session)
        case "sub":
            add(word.subscriptions, stripe_id, stripe_gateway.read_subscription)
        case "in":
            add(word.invoices, stripe_id, stripe_gateway.read_invoice)
        case "ch" | "py":
            add(word.charges, stripe_id, stripe_gateway.read_charge)
        case "re" | "pyr":
            add(word.refunds, stripe_id, stripe_gateway.read_refund)
        case "du" | "dp":
            add(word.disputes, stripe_id, stripe_gateway.read_dispute)
        case "issfr":
            word.missed_warnings.add(stripe_id)


def add[Thing](things: dict[str, Thing], stripe_id: str, read: Callable[[str], Thing]) -> bool:
    """Unless it is there already; False if Stripe does not know it."""
    if stripe_id not in things:
        try:
            things[stripe_id] = read(stripe_id)
        except StripeRefused as refusal:
            if refusal.code != "resource_missing":
                raise
            return False
    return True


def ask_about(stripe_id: str) -> StripesWord:
    """One object and what it belongs to; empty if Stripe does not know it."""
    word = StripesWord(timezone.now())
    look_up(word, stripe_id)
    ask_about_tries(word)
    ask_about_debits(word)
    ask_about_owners(word)
    return word


def ask_about_tries(word: StripesWord) -> None:
    """The charges behind an invoice that was asked for alone."""
    for invoice in word.invoices.values():
        for intent in invoice.payment_intents:
            word.charges.update({charge.id: charge for charge in stripe_invoices.read_tries(intent)})


def ask_about_ours(word: StripesWord) -> None:
    """What we take for unfinished or running, in case Stripe's lists no longer show it."""
    unpaid = Q(state=AdoptionState.PENDING, created_at__lt=timezone.now() - UNPAID_AFTER)
    stale = Adoption.objects.filter(unpaid | Q(state=AdoptionState.PROCESSING)).exclude(stripe_session_id=None)
    for session_id in stale.values_list("stripe_session_id", flat=True):
        add(word.sessions, session_id or "", stripe_gateway.read_session)
    ask_about_debits(word)
    running = Adoption.objects.filter(state__in=ADOPTED).exclude(stripe_subscription_id=None)
    for subscription_id in running.values_list("stripe_subscription_id", flat=True):
        if not add(word.subscriptions, subscription_id or "", stripe_gateway.read_subscription):
            word.unknown_subscriptions.add(subscription_id or "")


def ask_about_debits(word: StripesWord) -> None:
    """Whether the bank has said no to a single debit; a session says no more than that it is unpaid."""
    for session in word.sessions.values():
        intent = session.payment_intent
        is_unpaid = session.status == "complete" and session.payment_status == "unpaid"
        if intent and is_unpaid and stripe_gateway.is_refused(intent):
            word.refused_intents.add(intent)


def ask_about_owners(word: StripesWord) -> None:
    """Whose money it is: the charge behind each refund and dispute, the invoice behind each charge we do not know."""
    behind = word.reversed_charges()
    for charge_id in behind - set(word.charges) - known_charges(behind).keys():
        add(word.charges, charge_id, stripe_gateway.read_charge)
    invoiced = {intent for invoice in word.invoices.values() for intent in invoice.payment_intents}
    known = known_charges(word.charges)
    for charge in word.charges.values():
        intent = charge.payment_intent
        if (
            intent
            and charge.is_paid
            and not charge.adoption_public_id
            and charge.id not in known
            and intent not in invoiced
        ):
            invoice = stripe_invoices.read_invoice_paid_by(intent)
            if invoice:
                word.invoices[invoice.id] = invoice


def known_charges(ids: Iterable[str]) -> dict[str, int]:
    """Those among them that are in our ledger, with their adoptions."""
    rows = Payment.objects.filter(kind=PaymentKind.CHARGE, stripe_id__in=list(ids))
    return dict(rows.values_list("stripe_id", "adoption_id"))
