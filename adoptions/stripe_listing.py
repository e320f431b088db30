"""What Stripe has, as lists: for comparing with it and for rebuilding from it. Newest first, as Stripe lists."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from config.money import whole_pence

from .stripe_gateway import (
    as_charge,
    as_dispute,
    as_invoice,
    as_refund,
    as_session,
    as_subscription,
    asking_stripe,
    client,
    id_of,
)
from .stripe_objects import (
    BalanceLine,
    Charge,
    Customer,
    Dispute,
    Invoice,
    Payout,
    Refund,
    Session,
    Subscription,
    ToldEvent,
)

PAGE = 100
MOST_TYPES = 20  # in one request for events


def seconds(since: datetime | None) -> int:
    return int(since.timestamp()) if since else 0


def sessions(since: datetime | None = None) -> Iterator[Session]:
    with asking_stripe():
        found = client().v1.checkout.sessions.list({"limit": PAGE, "created": {"gte": seconds(since)}})
        yield from map(as_session, found.auto_paging_iter())


def charges(since: datetime | None = None) -> Iterator[Charge]:
    """Without their refunds: these are listed by themselves."""
    with asking_stripe():
        found = client().v1.charges.list({"limit": PAGE, "created": {"gte": seconds(since)}})
        yield from map(as_charge, found.auto_paging_iter())


def refunds(since: datetime | None = None) -> Iterator[Refund]:
    with asking_stripe():
        found = client().v1.refunds.list({"limit": PAGE, "created": {"gte": seconds(since)}})
        yield from map(as_refund, found.auto_paging_iter())


def disputes(since: datetime | None = None) -> Iterator[Dispute]:
    with asking_stripe():
        found = client().v1.disputes.list({"limit": PAGE, "created": {"gte": seconds(since)}})
        yield from map(as_dispute, found.auto_paging_iter())


def invoices(since: datetime | None = None) -> Iterator[Invoice]:
    with asking_stripe():
        found = client().v1.invoices.list(
            {"limit": PAGE, "created": {"gte": seconds(since)}, "expand": ["data.payments"]}
        )
        yield from map(as_invoice, found.auto_paging_iter())


def living_subscriptions() -> Iterator[Subscription]:
    """All that have not been cancelled, however old."""
    with asking_stripe():
        found = client().v1.subscriptions.list({"limit": PAGE})
        yield from map(as_subscription, found.auto_paging_iter())


def payouts(since: datetime | None = None) -> Iterator[Payout]:
    with asking_stripe():
        found = client().v1.payouts.list({"limit": PAGE, "created": {"gte": seconds(since)}, "status": "paid"})
        yield from (Payout(id=one.id, amount_pence=whole_pence(one.amount)) for one in found.auto_paging_iter())


def lines_of(payout_id: str) -> Iterator[BalanceLine]:
    """The movements a payout is made of, without the payout itself."""
    with asking_stripe():
        found = client().v1.balance_transactions.list({"limit": PAGE, "payout": payout_id})
        for one in found.auto_paging_iter():
            if one.type != "payout":
                source = id_of(one.source)
                amount, net = whole_pence(one.amount), whole_pence(one.net)
                yield BalanceLine(id=one.id, source=source, type=one.type, amount_pence=amount, net_pence=net)


def events(since: datetime, types: Sequence[str]) -> Iterator[ToldEvent]:
    """Stripe keeps events for 30 days."""
    for start in range(0, len(types), MOST_TYPES):
        wanted = list(types[start : start + MOST_TYPES])
        with asking_stripe():
            found = client().v1.events.list({"limit": PAGE, "created": {"gte": seconds(since)}, "types": wanted})
            for one in found.auto_paging_iter():
                yield ToldEvent(id=one.id, type=one.type, object_id=str(one.data.object["id"]))


def read_customer(customer_id: str) -> Customer:
    with asking_stripe():
        found = client().v1.customers.retrieve(customer_id)
    if "deleted" in found:
        return Customer(name="", email="")
    return Customer(name=found.name or "", email=found.email or "")
