"""Whatever people, banks and time do in whatever order, every penny in the stand-in's books can be explained.

The site is tested against these books, so they are held to their own rules first.
"""

import random
from typing import Any

import pytest

from tests.adoptions.standin.conftest import checkout
from tests.standin import Standin

METHODS = ("ok", "ok", "declined", "no_money", "3ds", "disputed", "bacs", "bacs_fails", "bacs_disputed")
STEPS = 40


def everything(listing: Any) -> list[Any]:
    return list(listing.list({"limit": 100}).auto_paging_iter())


def act(standin: Standin, chance: random.Random) -> None:
    """One thing that a person, a bank, the charity or time does; some of it is refused, as it should be."""
    v1 = standin.client.v1
    match chance.randrange(9):
        case 0 | 1:
            session = checkout(standin, chance.choice(("payment", "subscription")), chance.randrange(300, 9000))
            standin.pay(session.id, chance.choice(METHODS))
        case 2:
            for session in v1.checkout.sessions.list({"status": "open"}).data:
                standin.pay(session.id, chance.choice(METHODS))
        case 3 | 4:
            standin.advance(days=chance.choice((1, 5, 31)))
        case 5:
            for charge in v1.charges.list({"limit": 2}).data:
                standin.press("/_control/refund", charge=charge.id, amount=chance.randrange(1, 4000))
        case 6:
            for refund in v1.refunds.list({"limit": 1}).data:
                standin.press("/_control/fail_refund", refund=refund.id)
        case 7:
            for charge in v1.charges.list({"limit": 1}).data:
                standin.press("/_control/dispute", charge=charge.id)
            for dispute in v1.disputes.list({"limit": 2}).data:
                standin.press("/_control/close_dispute", dispute=dispute.id, outcome=chance.choice(("won", "lost")))
        case _:
            for subscription in v1.subscriptions.list({"limit": 2}).data:
                standin.control(chance.choice(("fail_renewals", "ask_at_renewal")), subscription=subscription.id)


@pytest.mark.parametrize("seed", range(5))
def test_books_balance_whatever_happens(standin: Standin, seed: int) -> None:
    chance = random.Random(seed)
    standin.control("webhooks", paused=1)
    for _ in range(STEPS):
        act(standin, chance)
    v1 = standin.client.v1
    charges, refunds, disputes = everything(v1.charges), everything(v1.refunds), everything(v1.disputes)
    entries = everything(v1.balance_transactions)
    paid = [charge for charge in charges if charge.status == "succeeded"]
    assert paid

    given_back = {charge.id: 0 for charge in charges}
    for refund in refunds:
        given_back[refund.charge] += refund.amount if refund.status == "succeeded" else 0
    assert {charge.id: charge.amount_refunded for charge in charges} == given_back
    assert all(charge.amount_refunded <= charge.amount_captured for charge in charges)
    assert {charge.id for charge in charges if charge.disputed} == {dispute.charge for dispute in disputes}

    taken = sum(charge.amount for charge in paid) - sum(given_back.values())
    lost = sum(dispute.amount for dispute in disputes if dispute.status != "won")
    assert sum(entry.amount for entry in entries if entry.type != "payout") == taken - lost
    balance = v1.balance.retrieve()
    assert sum(entry.net for entry in entries) == balance.available[0].amount + balance.pending[0].amount

    intents = everything(v1.payment_intents)
    assert {i.latest_charge for i in intents if i.status == "succeeded"} == {charge.id for charge in paid}
    for invoice in everything(v1.invoices):
        assert (invoice.status == "paid") == (invoice.amount_paid == invoice.total)
    by_session = [s for s in everything(v1.checkout.sessions) if s.mode == "payment" and s.payment_status == "paid"]
    assert {s.payment_intent for s in by_session} <= {i.id for i in intents if i.status == "succeeded"}
