"""Refunds, disputes, warnings, and where every penny is on its way to the bank."""

import pytest
import stripe

from tests.adoptions.standin.conftest import checkout, latest_charge, subscribe
from tests.standin import Standin


def paid_charge(standin: Standin, card: str = "ok", amount: int = 1200) -> str:
    standin.pay(checkout(standin, amount=amount).id, card)
    return str(latest_charge(standin).id)


def test_refunds_add_up_on_the_charge(standin: Standin) -> None:
    charge = paid_charge(standin)
    first = standin.client.v1.refunds.create({"charge": charge, "amount": 100, "metadata": {"row": "1"}})
    intent = str(latest_charge(standin).payment_intent)
    standin.client.v1.refunds.create({"payment_intent": intent, "amount": 200, "reason": "requested_by_customer"})
    after = standin.client.v1.charges.retrieve(charge, {"expand": ["refunds"]})
    assert after.refunds is not None
    assert (after.amount_refunded, after.refunded, len(after.refunds.data)) == (300, False, 2)
    told = standin.events("refund.created", "charge.refunded")
    assert [event["type"] for event in told] == ["refund.created", "charge.refunded"] * 2
    assert [event["data"]["object"]["amount_refunded"] for event in told[1::2]] == [100, 300]
    assert told[1]["data"]["previous_attributes"] == {"amount_refunded": 0}
    assert standin.client.v1.refunds.retrieve(first.id).status == "succeeded"
    standin.refund(charge)
    assert standin.client.v1.charges.retrieve(charge).refunded is True


@pytest.mark.parametrize("amount", [0, 1201])
def test_refund_of_more_than_there_is_or_of_nothing_is_refused(standin: Standin, amount: int) -> None:
    charge = paid_charge(standin)
    standin.checked._is_strict = False
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.refunds.create({"charge": charge, "amount": amount})
    assert caught.value.param == "amount"
    assert latest_charge(standin).amount_refunded == 0


def test_refund_of_what_was_not_paid_is_refused(standin: Standin) -> None:
    standin.pay(checkout(standin).id, "declined")
    failed = latest_charge(standin)
    standin.checked._is_strict = False
    one, other = {"charge": failed.id}, {"payment_intent": failed.payment_intent}
    for target in (one, other, one | other, {}):
        with pytest.raises(stripe.InvalidRequestError):
            standin.client.v1.refunds.create(target)  # type: ignore[arg-type]  # wrong on purpose


def test_refunded_twice_is_refused_the_second_time(standin: Standin) -> None:
    charge = paid_charge(standin)
    standin.client.v1.refunds.create({"charge": charge})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.refunds.create({"charge": charge})
    assert caught.value.code == "charge_already_refunded"


@pytest.mark.parametrize("card", ["ok", "bacs"])
def test_refund_that_comes_back_makes_the_charge_whole(standin: Standin, card: str) -> None:
    charge = paid_charge(standin, card)
    standin.advance(days=5)
    refund = standin.refund(charge, 500)
    standin.control("fail_refund", refund=refund["id"])
    standin.control("fail_refund", refund=refund["id"])
    assert standin.client.v1.refunds.retrieve(refund["id"]).status == "failed"
    assert standin.client.v1.charges.retrieve(charge).amount_refunded == 0
    assert len(standin.events("refund.failed")) == 1
    kinds = [entry.type for entry in standin.client.v1.balance_transactions.list().data]
    assert kinds.count("refund_failure") == 1


def test_refund_does_not_end_the_subscription(standin: Standin) -> None:
    key = subscribe(standin)
    standin.refund(str(latest_charge(standin).id))
    assert standin.client.v1.subscriptions.retrieve(key).status == "active"


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("won", ["charge.dispute.closed", "charge.dispute.funds_reinstated"]),
        ("lost", ["charge.dispute.closed"]),
    ],
)
def test_dispute_is_opened_and_decided(standin: Standin, outcome: str, told: list[str]) -> None:
    charge = paid_charge(standin)
    dispute = standin.control("dispute", charge=charge)
    assert standin.client.v1.charges.retrieve(charge).disputed is True
    assert standin.client.v1.disputes.list({"charge": charge}).data[0].status == "needs_response"
    standin.control("close_dispute", dispute=dispute["id"], outcome=outcome)
    after = standin.client.v1.disputes.retrieve(dispute["id"])
    assert after.status == outcome
    kinds = [event["type"] for event in standin.events() if event["type"].startswith("charge.dispute")]
    assert kinds == ["charge.dispute.created", "charge.dispute.funds_withdrawn", *told]
    net = sum(entry.net for entry in after.balance_transactions)
    assert net == (0 if outcome == "won" else -3200)


def test_charity_may_give_in_to_a_dispute_once(standin: Standin) -> None:
    dispute = standin.control("dispute", charge=paid_charge(standin))
    assert standin.client.v1.disputes.close(dispute["id"]).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        standin.client.v1.disputes.close(dispute["id"])


def test_disputed_payment_cannot_be_refunded(standin: Standin) -> None:
    charge = paid_charge(standin)
    standin.control("dispute", charge=charge)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.refunds.create({"charge": charge})
    assert caught.value.code == "charge_disputed"


def test_card_that_is_disputed_is_disputed_by_itself(standin: Standin) -> None:
    paid_charge(standin, "disputed")
    standin.advance(seconds=1)
    assert standin.client.v1.disputes.list().data[0].reason == "fraudulent"


def test_warning_of_fraud_moves_no_money(standin: Standin) -> None:
    charge = paid_charge(standin)
    warning = standin.control("warn_of_fraud", charge=charge)
    found = standin.client.v1.radar.early_fraud_warnings.retrieve(warning["id"])
    assert (found.charge, found.actionable) == (charge, True)
    assert standin.client.v1.radar.early_fraud_warnings.list({"charge": charge}).data[0].id == found.id
    assert len(standin.client.v1.balance_transactions.list().data) == 1


@pytest.mark.parametrize(
    ("card", "amount", "fee"), [("ok", 1200, 38), ("ok", 2500, 58), ("bacs", 1200, 20), ("bacs", 50_000, 200)]
)
def test_fee_is_taken_from_each_payment(standin: Standin, card: str, amount: int, fee: int) -> None:
    paid_charge(standin, card, amount)
    standin.advance(days=5)
    entry = standin.client.v1.balance_transactions.retrieve(str(latest_charge(standin).balance_transaction))
    assert (entry.amount, entry.fee, entry.net) == (amount, fee, amount - fee)


def test_payout_is_the_sum_of_what_it_pays_out(standin: Standin) -> None:
    first = paid_charge(standin)
    paid_charge(standin, amount=3000)
    standin.refund(first, 200)
    balance = standin.client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 1162 + 2935 - 200)
    standin.advance(days=4)
    payout = standin.client.v1.payouts.list().data[0]
    assert (payout.status, payout.amount) == ("paid", 1162 + 2935 - 200)
    entries = standin.client.v1.balance_transactions.list({"payout": payout.id, "limit": 100}).data
    assert sum(entry.net for entry in entries) == 0
    assert sum(entry.net for entry in entries if entry.type != "payout") == payout.amount
    assert {entry.type for entry in entries} == {"charge", "refund", "payout"}
    assert standin.client.v1.balance.retrieve().pending[0].amount == 0


def test_balance_below_zero_waits_for_income(standin: Standin) -> None:
    standin.control("dispute", charge=paid_charge(standin))
    standin.advance(days=10)
    assert standin.client.v1.payouts.list().data == []
    paid_charge(standin, amount=10_000)
    standin.advance(days=4)
    assert standin.client.v1.payouts.list().data[0].amount == 1162 - 3200 + 9830


def test_charge_carries_labels_and_a_receipt(standin: Standin) -> None:
    charge = paid_charge(standin)
    changed = standin.client.v1.charges.update(charge, {"metadata": {"seen": "yes"}})
    assert changed.metadata["seen"] == "yes"
    assert "£12.00 for Amur leopard adoption: succeeded" in standin.open(str(changed.receipt_url)).text
