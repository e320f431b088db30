"""Payment intents and the charges that try to carry them out, by card or by Bacs Direct Debit."""

from typing import Any, Literal

from adoptions.stripe_standin import balance, cards
from adoptions.stripe_standin.books import Books, new_id, nulls
from adoptions.stripe_standin.clock import DAY
from adoptions.stripe_standin.state import Object

# What trying to pay comes to.
type Outcome = Literal["succeeded", "processing", "requires_action", "declined"]

DEBIT_TAKES = 4 * DAY
NO_ADDRESS: Object = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
_BLANK_INTENT: Object = nulls(
    "allowed_payment_method_types application application_fee_amount canceled_at cancellation_reason "
    "customer_account description excluded_payment_method_types last_payment_error latest_charge "
    "managed_payments next_action on_behalf_of payment_method payment_method_configuration_details "
    "payment_record processing review shipping source statement_descriptor statement_descriptor_suffix "
    "transfer_group"
)
_BLANK_CHARGE: Object = nulls(
    "application application_fee application_fee_amount balance_transaction calculated_statement_descriptor "
    "failure_balance_transaction failure_code failure_message on_behalf_of receipt_number receipt_url review "
    "shipping source source_transfer statement_descriptor statement_descriptor_suffix transfer_data "
    "transfer_group"
)


def new_intent(books: Books, amount: int, currency: str, **more: Any) -> Object:
    """Tells `payment_intent.created`. `more` are the fields this one knows: customer, metadata, `_session` …"""
    key = new_id("pi_3", 23)
    intent: Object = _BLANK_INTENT | {
        "id": key,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": None,
        "capture_method": "automatic_async",
        "client_secret": f"{key}_secret_{new_id('', 25)}",
        "confirmation_method": "automatic",
        "created": books.now(),
        "currency": currency,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "receipt_email": None,
        "setup_future_usage": None,
        "status": "requires_payment_method",
    }
    intent |= more
    books.save(intent, "payment_intent.created")
    return intent


def confirm(books: Books, intent: Object, payment_method: Object, *, is_present: bool = True) -> Outcome:
    """Try to pay. `is_present` says that the payer is there to answer the bank's question; a renewal's payer is not."""
    method = cards.METHODS[payment_method["_method"]]
    intent |= {"payment_method": payment_method["id"], "payment_method_types": [method.kind]}
    if method.kind == "bacs_debit":
        return _start_debit(books, intent, payment_method)
    if method.is_declined:
        decline(books, intent, payment_method, method.decline_code, method.message)
        return "declined"
    if method.asks and is_present:
        return ask(books, intent)
    succeed(books, intent, payment_method)
    return "succeeded"


def ask(books: Books, intent: Object) -> Outcome:
    """The bank wants to see its customer: 3-D Secure."""
    intent |= {
        "status": "requires_action",
        "last_payment_error": None,
        "next_action": {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": None, "url": f"{books.own_url}/confirm/{intent['id']}"},
        },
    }
    books.save(intent, "payment_intent.requires_action")
    return "requires_action"


def succeed(books: Books, intent: Object, payment_method: Object, *, confirmed: bool = False) -> Object:
    charge = _charge_of(books, intent, payment_method, confirmed=confirmed)
    kind = "payment" if payment_method["type"] == "bacs_debit" else "charge"
    fee = balance.fee_for(charge)
    charge |= {
        "amount_captured": charge["amount"],
        "balance_transaction": balance.record(books, charge, charge["amount"], kind, fee, charge["description"]),
        "captured": True,
        "outcome": _outcome("authorized", "Payment complete.", "approved_by_network"),
        "paid": True,
        "receipt_url": f"{books.own_url}/receipt/{charge['id']}",
        "status": "succeeded",
    }
    books.save(charge, "charge.succeeded")
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "status": "succeeded",
    }
    books.save(intent, "payment_intent.succeeded")
    if cards.METHODS[payment_method["_method"]].then_disputed:
        books.schedule(books.now(), "dispute", charge["id"])
    return charge


def decline(
    books: Books,
    intent: Object,
    payment_method: Object,
    decline_code: str,
    message: str,
    code: str = "card_declined",
) -> None:
    charge = _charge_of(books, intent, payment_method)
    is_debit = payment_method["type"] == "bacs_debit"
    charge |= {
        "failure_code": decline_code if is_debit else code,
        "failure_message": message,
        "outcome": _outcome("issuer_declined", message, "declined_by_network", decline_code),
        "status": "failed",
    }
    books.save(charge, "charge.failed")
    error: Object = {
        "charge": charge["id"],
        "code": charge["failure_code"],
        "decline_code": decline_code,
        "message": message,
        "payment_method": {key: value for key, value in payment_method.items() if key[0] != "_"},
        "type": "card_error",
    }
    _fail(books, intent | {"latest_charge": charge["id"]}, error)


def refuse_confirmation(books: Books, intent: Object) -> None:
    """The payer said no to the bank's question, or left it: no charge was made."""
    method = books.need("payment_method", intent["payment_method"])
    error: Object = {
        "code": "payment_intent_authentication_failure",
        "message": "We are unable to authenticate your payment method. "
        "Please choose a different payment method and try again.",
        "payment_method": {key: value for key, value in method.items() if key[0] != "_"},
        "type": "invalid_request_error",
    }
    _fail(books, intent, error)


def _fail(books: Books, intent: Object, error: Object) -> None:
    failed = intent | {
        "last_payment_error": error,
        "next_action": None,
        "payment_method": None,
        "processing": None,
        "status": "requires_payment_method",
    }
    books.save(failed, "payment_intent.payment_failed")


def cancel(books: Books, intent: Object, reason: str) -> None:
    if intent["status"] not in ("succeeded", "canceled", "processing"):
        intent |= {
            "canceled_at": books.now(),
            "cancellation_reason": reason,
            "next_action": None,
            "status": "canceled",
        }
        books.save(intent, "payment_intent.canceled")


def _start_debit(books: Books, intent: Object, payment_method: Object) -> Outcome:
    """A Direct Debit takes days: the charge stands at pending until the bank answers."""
    charge = _charge_of(books, intent, payment_method) | {"status": "pending"}
    books.save(charge, "charge.pending")
    intent |= {"latest_charge": charge["id"], "status": "processing", "last_payment_error": None}
    intent["_method"] = payment_method["_method"]
    books.save(intent, "payment_intent.processing")
    books.schedule(books.now() + DEBIT_TAKES, "settle", intent["id"])
    return "processing"


def _charge_of(books: Books, intent: Object, payment_method: Object, *, confirmed: bool = False) -> Object:
    """The pending charge of a Direct Debit goes on; a card gets a new one for each try."""
    latest = books.get("charge", intent["latest_charge"] or "")
    if latest and latest["status"] == "pending":
        return latest
    is_debit = payment_method["type"] == "bacs_debit"
    return _BLANK_CHARGE | {
        "id": new_id("py_3" if is_debit else "ch_3", 23),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": payment_method["billing_details"],
        "captured": False,
        "created": books.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": payment_method["id"],
        "payment_method_details": cards.charge_details(
            payment_method, _mandate_for(books, payment_method) if is_debit else None, confirmed=confirmed
        ),
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "status": "pending",
    }


def _outcome(reason: str, message: str, network_status: str, decline_code: str | None = None) -> Object:
    is_paid = network_status == "approved_by_network"
    return {
        "advice_code": None if is_paid else "try_again_later",
        "network_advice_code": None,
        "network_decline_code": None if is_paid else "01",
        "network_status": network_status,
        "reason": None if is_paid else decline_code,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": message,
        "type": reason,
    }


def _mandate_for(books: Books, payment_method: Object) -> str:
    """The payer's standing permission; one for each bank account given."""
    if payment_method.get("_mandate"):
        return str(payment_method["_mandate"])
    key = new_id("mandate_1", 23)
    reference = new_id("").upper()[:12]
    mandate: Object = {
        "id": key,
        "object": "mandate",
        "customer_acceptance": {
            "accepted_at": books.now(),
            "online": {"ip_address": "127.0.0.1", "user_agent": "stand-in"},
            "type": "online",
        },
        "livemode": False,
        "multi_use": {},
        "payment_method": payment_method["id"],
        "payment_method_details": {
            "bacs_debit": {
                "display_name": None,
                "network_status": "accepted",
                "reference": reference,
                "revocation_reason": None,
                "service_user_number": None,
                "url": f"{books.own_url}/mandate/{key}",
            },
            "type": "bacs_debit",
        },
        "status": "active",
        "type": "multi_use",
    }
    books.save(mandate)
    payment_method["_mandate"] = key
    books.save(payment_method)
    return key
