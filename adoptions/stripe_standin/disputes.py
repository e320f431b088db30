"""Disputes: a payer asks their bank for the money back. A Direct Debit claimed back is lost at once, without appeal."""

from adoptions.stripe_standin import balance
from adoptions.stripe_standin.answers import ApiError
from adoptions.stripe_standin.books import Books, new_id, nulls, public
from adoptions.stripe_standin.clock import DAY
from adoptions.stripe_standin.state import Object

_NO_EVIDENCE: Object = nulls(
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure "
    "cancellation_rebuttal customer_communication customer_email_address customer_name customer_purchase_ip "
    "customer_signature duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id "
    "product_description receipt refund_policy refund_policy_disclosure refund_refusal_explanation "
    "service_date service_documentation shipping_address shipping_carrier shipping_date "
    "shipping_documentation shipping_tracking_number uncategorized_file uncategorized_text"
)


def open_dispute(books: Books, key: str) -> None:
    charge = books.need("charge", key)
    if charge["status"] != "succeeded" or charge["disputed"] or charge["amount_refunded"]:
        return
    is_debit = charge["payment_method_details"]["type"] == "bacs_debit"
    dispute = _new(books, charge, is_debit=is_debit)
    charge["disputed"] = True
    books.save(charge, "charge.updated")
    books.save(dispute, "charge.dispute.created")
    _move(books, dispute, -charge["amount"], balance.DISPUTE_FEE, "charge.dispute.funds_withdrawn")
    if is_debit:
        close(books, books.need("dispute", dispute["id"]), is_won=False)


def _new(books: Books, charge: Object, *, is_debit: bool) -> Object:
    dispute: Object = {
        "id": new_id("du_1", 23),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": books.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": _NO_EVIDENCE | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": None if is_debit else books.now() + 10 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "debit_not_authorized" if is_debit else "fraudulent",
        "status": "needs_response",
    }
    if not is_debit:
        card = {"brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "10.4"}
        dispute["payment_method_details"] = {"card": card, "type": "card"}
    return dispute


def _move(books: Books, dispute: Object, amount: int, fee: int, told: str) -> None:
    entry = balance.record(books, dispute, amount, "adjustment", fee, f"Chargeback of {dispute['charge']}")
    dispute["balance_transactions"] = [
        *dispute["balance_transactions"],
        public(books.need("balance_transaction", entry)),
    ]
    books.save(dispute, told)


def close(books: Books, dispute: Object, *, is_won: bool) -> Object:
    if dispute["status"] in ("won", "lost"):
        raise ApiError("This dispute is already closed.", param="id")
    dispute["status"] = "won" if is_won else "lost"
    books.save(dispute, "charge.dispute.closed")
    if is_won:
        _move(books, dispute, dispute["amount"], -balance.DISPUTE_FEE, "charge.dispute.funds_reinstated")
    return dispute


def warn_of_fraud(books: Books, charge: Object) -> Object:
    """An issuer's early warning: no money moves yet."""
    warning: Object = {
        "id": new_id("issfr_1", 23),
        "object": "radar.early_fraud_warning",
        "actionable": not charge["refunded"] and not charge["disputed"],
        "charge": charge["id"],
        "created": books.now(),
        "fraud_type": "unauthorized_use_of_card",
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
    books.save(warning, "radar.early_fraud_warning.created")
    return warning
