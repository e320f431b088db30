"""What must hold whatever happened, once all news has been heard: the list of design, as one function."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import F

from adoptions.models import ADOPTED, Adoption, AdoptionState, EventState, Frequency, Payment, PaymentKind, StripeEvent
from adoptions.stripe_standin.books import Books
from config.models import Mail

HAS_BEGUN = ADOPTED | {AdoptionState.ENDED}


def violations(books: Books) -> list[str]:
    """Everything that is wrong; empty is what tests want."""
    return [
        *paid_sessions_have_one_adoption(books),
        *adoptions_have_their_money(books),
        *ledger_equals_stripe(books),
        *states_follow_stripe(books),
        *receipts_are_sent_once(),
        *(f"event {e.type} is {e.state}: {e.error}" for e in StripeEvent.objects.filter(state=EventState.PARKED)),
        *(f"event {e.type} was never worked" for e in StripeEvent.objects.filter(state=EventState.RECEIVED)),
    ]


def paid_sessions_have_one_adoption(books: Books) -> Iterator[str]:
    """One adoption per paid intent, and none that was not paid."""
    paid = [one for one in books.all("checkout.session") if one["payment_status"] == "paid"]
    for session in paid:
        adoption = Adoption.objects.filter(stripe_session_id=session["id"]).first()
        if adoption is None:
            yield f"session {session['id']} is paid and has no adoption"
        elif adoption.state not in HAS_BEGUN | {AdoptionState.HELD}:
            yield f"{adoption} is {adoption.state}, though its session is paid"
    begun = Adoption.objects.filter(state__in=HAS_BEGUN).exclude(payments__kind=PaymentKind.CHARGE)
    yield from (f"{adoption} is {adoption.state} without a payment" for adoption in begun)


def adoptions_have_their_money(books: Books) -> Iterator[str]:
    for adoption in Adoption.objects.prefetch_related("payments"):
        charges = [one for one in adoption.payments.all() if one.kind == PaymentKind.CHARGE]
        if adoption.state == AdoptionState.HELD:
            continue
        if adoption.frequency == Frequency.ONCE and len(charges) > 1:
            yield f"{adoption} was charged {len(charges)} times"
        if adoption.frequency == Frequency.ONCE and any(c.amount_pence != adoption.amount_pence for c in charges):
            yield f"{adoption} was charged another amount than asked"
        if adoption.is_repeating and len({c.invoice_id for c in charges} - {""}) != len(charges):
            yield f"{adoption} has two charges for one period, or one without a period"
    for charge in Payment.objects.filter(kind=PaymentKind.CHARGE):
        if charge.amount_pence + charge.reversals.balance_pence() < 0:
            yield f"more went back than came in: {charge}"
    early = Payment.objects.filter(charge__isnull=False, occurred_at__lt=F("charge__occurred_at"))
    yield from (f"{one} happened before its charge" for one in early)


def their_ledger(books: Books) -> dict[tuple[str, str], int]:
    """The movements in Stripe's own balance, under the names our ledger has for them."""
    found: dict[tuple[str, str], int] = {}
    for line in books.all("balance_transaction"):
        source, is_in = str(line["source"]), line["amount"] > 0
        match source.partition("_")[0]:
            case "ch" | "py":
                kind = PaymentKind.CHARGE
            case "re":
                kind = PaymentKind.REFUND_FAILED if is_in else PaymentKind.REFUND
            case "du":
                kind = PaymentKind.DISPUTE_REVERSAL if is_in else PaymentKind.DISPUTE
            case _:
                continue
        if line["currency"] == "gbp":
            found[kind.value, source] = line["amount"]
    return found


def ledger_equals_stripe(books: Books) -> Iterator[str]:
    """To the penny and to the row, as Stripe's balance has it."""
    ours = {(one.kind, one.stripe_id): one.amount_pence for one in Payment.objects.through_stripe()}
    theirs = their_ledger(books)
    for key in ours.keys() | theirs.keys():
        if ours.get(key) != theirs.get(key):
            yield f"{key}: ours {ours.get(key)}, Stripe's {theirs.get(key)}"


def states_follow_stripe(books: Books) -> Iterator[str]:
    for adoption in Adoption.objects.exclude(state=AdoptionState.HELD):
        expected = expected_state(books, adoption)
        if expected and adoption.state != expected:
            yield f"{adoption} is {adoption.state}, ought to be {expected}"


def expected_state(books: Books, adoption: Adoption) -> str:
    has_paid = adoption.payments.exists()
    if adoption.frequency == Frequency.ONCE:
        if has_paid:
            return AdoptionState.ACTIVE if adoption.payments.balance_pence() > 0 else AdoptionState.ENDED
        session = books.get("checkout.session", adoption.stripe_session_id or "")
        return AdoptionState.ABANDONED if session and session["status"] == "expired" else ""
    subscription = books.get("subscription", adoption.stripe_subscription_id or "")
    if subscription is None:
        return ""
    if subscription["status"] in {"canceled", "incomplete_expired"}:
        return AdoptionState.ENDED if has_paid else AdoptionState.ABANDONED
    if has_paid:
        return AdoptionState.PAST_DUE if subscription["status"] in {"past_due", "unpaid"} else AdoptionState.ACTIVE
    return ""


def receipts_are_sent_once() -> Iterator[str]:
    """One for each payment, but for one that was already given back when it was heard of, or that is held."""
    keys = set(Mail.objects.filter(kind="receipt").values_list("key", flat=True))
    charges = Payment.objects.filter(kind=PaymentKind.CHARGE).select_related("adoption")
    for charge in charges:
        is_thanked = f"receipt:{charge.stripe_id}" in keys
        is_held = charge.adoption.state == AdoptionState.HELD
        is_back = charge.reversals.exists()
        if is_held and is_thanked:
            yield f"a held payment was thanked for: {charge}"
        if not is_held and not is_thanked and not is_back:
            yield f"nobody was thanked for {charge}"
    unknown = keys - {f"receipt:{charge.stripe_id}" for charge in charges}
    yield from (f"a receipt for no payment: {key} ({settings.SITE_URL})" for key in unknown)
