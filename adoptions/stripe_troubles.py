"""What Stripe knows about payments in trouble: refused, in need of an answer, or suspected. Reads only."""

from typing import Any

from .stripe_gateway import asking_stripe, client, id_of
from .stripe_objects import FailedTry, FraudWarning, Refusal

ASKS = "authentication_required"


def read_refusal(payment_intent: str) -> Refusal | None:
    """Why a payment intent is not paid; None if it is, or was not tried."""
    with asking_stripe():
        found = client().v1.payment_intents.retrieve(payment_intent)
    if found.status == "requires_action":
        return Refusal(code=ASKS, is_asking=True)
    error: Any = found.last_payment_error
    if found.status not in {"requires_payment_method", "canceled"} or not error:
        return None
    code = word(error, "decline_code") or word(error, "code")
    return Refusal(code=code, is_asking=code == ASKS)


def read_failed_try(charge_id: str) -> FailedTry:
    with asking_stripe():
        found = client().v1.charges.retrieve(charge_id)
    method = found.payment_method_details
    details: Any = method[method["type"]] if method and method["type"] in method else {}
    return FailedTry(
        payment_intent=id_of(found.payment_intent),
        adoption_public_id=word(found.metadata, "adoption"),
        card=word(details, "fingerprint"),
    )


def word(thing: Any, name: str) -> str:
    return str(thing[name] or "") if name in thing else ""


def read_warning(warning_id: str) -> FraudWarning:
    with asking_stripe():
        found = client().v1.radar.early_fraud_warnings.retrieve(warning_id)
    return FraudWarning(id=found.id, charge=id_of(found.charge), kind=found.fraud_type, is_actionable=found.actionable)
