"""Payment intents, charges, refunds, disputes, warnings, the balance and its payouts."""

from adoptions.stripe_standin import balance, customers, disputes, refunds
from adoptions.stripe_standin.answers import ApiError, find
from adoptions.stripe_standin.api.calls import Call, retrieve, search
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.parameters import (
    TEXT,
    TIME_WINDOW,
    boolean,
    call,
    integer,
    metadata,
    one_of,
)
from adoptions.stripe_standin.state import Object


def refund(books: Books, params: Object) -> Object:
    if ("charge" in params) == ("payment_intent" in params):
        raise ApiError("One of the following params should be provided for this request: payment_intent or charge.")
    if "charge" in params:
        charge = find(books, "charge", params["charge"], "charge")
    else:
        intent = find(books, "payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise ApiError(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                code="payment_intent_unexpected_state",
            )
        charge = books.need("charge", intent["latest_charge"])
    return refunds.refund(books, charge, params.get("amount"), params.get("reason"), params.get("metadata") or {})


def label(kind: str, told: str) -> "Call":
    """The call that changes nothing but metadata."""

    def answer(books: Books, params: Object, key: str) -> Object:
        thing = find(books, kind, key)
        if "metadata" in params:
            thing["metadata"] = customers.merged_metadata(thing["metadata"], params["metadata"])
            books.save(thing, told)
        return thing

    return Call("POST", f"/v1/{kind}s/{{id}}", call(metadata=metadata), answer)


def close(books: Books, _params: Object, key: str) -> Object:
    """The charity gives in."""
    return disputes.close(books, find(books, "dispute", key), is_won=False)


def show_balance(books: Books, _params: Object) -> Object:
    return balance.balance(books)


def _entry_matches(entry: Object, params: Object) -> bool:
    return (
        params.get("payout") in (None, entry["_payout"])
        and entry["source"] == params.get("source", entry["source"])
        and entry["type"] == params.get("type", entry["type"])
        and entry["currency"] == params.get("currency", entry["currency"])
    )


CALLS = [
    retrieve("/v1/payment_intents", "payment_intent"),
    search("/v1/payment_intents", "payment_intent", created=TIME_WINDOW, customer=TEXT),
    retrieve("/v1/charges", "charge"),
    label("charge", "charge.updated"),
    search("/v1/charges", "charge", created=TIME_WINDOW, customer=TEXT, payment_intent=TEXT),
    Call(
        "POST",
        "/v1/refunds",
        call(
            amount=integer,
            charge=TEXT,
            metadata=metadata,
            payment_intent=TEXT,
            reason=one_of("duplicate", "fraudulent", "requested_by_customer"),
            refund_application_fee=boolean,
        ),
        refund,
    ),
    retrieve("/v1/refunds", "refund"),
    label("refund", "refund.updated"),
    search("/v1/refunds", "refund", created=TIME_WINDOW, charge=TEXT, payment_intent=TEXT),
    Call("POST", "/v1/disputes/{id}/close", call(), close),
    retrieve("/v1/disputes", "dispute"),
    search("/v1/disputes", "dispute", created=TIME_WINDOW, charge=TEXT, payment_intent=TEXT),
    retrieve("/v1/radar/early_fraud_warnings", "radar.early_fraud_warning"),
    search(
        "/v1/radar/early_fraud_warnings",
        "radar.early_fraud_warning",
        created=TIME_WINDOW,
        charge=TEXT,
        payment_intent=TEXT,
    ),
    retrieve("/v1/mandates", "mandate"),
    Call("GET", "/v1/balance", call(), show_balance),
    retrieve("/v1/balance_transactions", "balance_transaction"),
    search(
        "/v1/balance_transactions",
        "balance_transaction",
        _entry_matches,
        created=TIME_WINDOW,
        currency=TEXT,
        payout=TEXT,
        source=TEXT,
        type=TEXT,
    ),
    retrieve("/v1/payouts", "payout"),
    search(
        "/v1/payouts",
        "payout",
        created=TIME_WINDOW,
        status=one_of("paid", "pending", "in_transit", "canceled", "failed"),
    ),
]
