"""Refunds: money given back, all or part, and the rare refund that does not arrive."""

from adoptions.stripe_standin import balance
from adoptions.stripe_standin.answers import ApiError
from adoptions.stripe_standin.books import Books, new_id, nulls
from adoptions.stripe_standin.state import Object

_BLANK: Object = nulls(
    "balance_transaction customer_account payment_method receipt_number source_transfer_reversal transfer_reversal"
)


def refund(books: Books, charge: Object, amount: int | None, reason: str | None, metadata: Object) -> Object:
    """`amount` in pence; all that is left of the charge when None."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = left if amount is None else amount
    _check(charge, amount, left)
    thing: Object = _BLANK | {
        "id": new_id("re_3", 23),
        "object": "refund",
        "amount": amount,
        "charge": charge["id"],
        "created": books.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "status": "succeeded",
    }
    if charge["payment_method_details"]["type"] == "card":
        thing["destination_details"] = {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        }
    kind = "payment_refund" if charge["id"].startswith("py_") else "refund"
    thing["balance_transaction"] = balance.record(books, thing, -amount, kind, description="REFUND")
    books.save(thing, "refund.created")
    total = charge["amount_refunded"] + amount
    charge |= {"amount_refunded": total, "refunded": total == charge["amount_captured"]}
    books.save(charge, "charge.refunded")
    return thing


def _check(charge: Object, amount: int, left: int) -> None:
    if charge["status"] != "succeeded":
        raise ApiError("This charge has not succeeded and cannot be refunded.", param="charge")
    if charge["disputed"]:
        raise ApiError(f"Charge {charge['id']} has been charged back.", code="charge_disputed", param="charge")
    if left == 0:
        raise ApiError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount < 1:
        raise ApiError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        raise ApiError(
            f"Refund amount ({_pounds(amount)}) is greater than unrefunded amount on charge ({_pounds(left)})",
            param="amount",
        )


def _pounds(pence: int) -> str:
    return f"£{pence // 100}.{pence % 100:02d}"


def fail(books: Books, thing: Object) -> None:
    """Days later the bank sends the money back: the refund failed and the charge counts in full again."""
    if thing["status"] != "succeeded":
        return
    charge = books.need("charge", thing["charge"])
    charge |= {"amount_refunded": charge["amount_refunded"] - thing["amount"], "refunded": False}
    books.save(charge, "charge.updated")
    back = balance.record(books, thing, thing["amount"], "refund_failure", description="REFUND FAILURE")
    thing |= {
        "status": "failed",
        "failure_reason": "lost_or_stolen_card",
        "failure_balance_transaction": back,
    }
    books.save(thing, "refund.updated", "charge.refund.updated", "refund.failed")
