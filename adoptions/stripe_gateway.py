"""All we ever ask of Stripe, and the only module that imports its library.

Answers leave here as small frozen values with pence and UTC times, so that nothing outside depends on how Stripe
spells its objects. Every call gives up while a visitor still waits (config/patience.py), and every call that creates
something carries an idempotency key made from a row of ours.
"""

import functools
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import stripe
from django.conf import settings

from config import patience
from config.money import whole_pence

from .stripe_objects import Charge, CheckoutRequest, Dispute, Invoice, Refund, Session, SignedEvent, Subscription

API_VERSION = "2026-10-28.endive"

SIGNATURE_TOLERANCE_SECONDS = 300

stripe.enable_telemetry = False  # it would write to the home directory and report our platform


class StripeUnavailable(Exception):
    """Stripe could not be reached, or failed. What it did is unknown; asking again with the same key is safe.

    `is_answered` says that Stripe did answer, with a fault of its own: it would replay that answer to the same
    idempotency key for a day, so the next try needs a new one.
    """

    def __init__(self, code: str, *, is_answered: bool) -> None:
        super().__init__(code)
        self.is_answered = is_answered


class StripeRefused(Exception):
    """Stripe understood and said no; `code` is Stripe's own word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotStripe(Exception):
    """A request to our webhook that Stripe did not sign."""


class WithinPatience(stripe.RequestsClient):
    """Gives up when the visitor's patience ends: each try, a second one too, has only what is left of it."""

    @property
    def _timeout(self) -> Any:  # asked for by each request, in its own thread
        return patience.timeouts()

    @_timeout.setter
    def _timeout(self, value: object) -> None:
        """The library's own constructor sets one for all."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        if patience.is_at_an_end():
            raise stripe.APIConnectionError("No time left to ask.", should_retry=False)  # type: ignore[no-untyped-call]  # library
        return super().request(*args, **kwargs)


def client() -> stripe.StripeClient:
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@functools.lru_cache(maxsize=4)
def _client(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base},
        stripe_version=API_VERSION,
        max_network_retries=1,
        http_client=WithinPatience(),
    )


class asking_stripe:  # noqa: N801  reads as a phrase: `with asking_stripe():`
    """Turn the library's many exceptions into our two."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError)):
            raise StripeRefused(error.code or type(error).__name__) from error
        if isinstance(error, stripe.StripeError):
            is_answered = (error.http_status or 0) >= 500
            raise StripeUnavailable(type(error).__name__, is_answered=is_answered) from error


def create_session(wanted: CheckoutRequest) -> Session:
    """Open a hosted Checkout page. The same attempt asked twice gets the same page.

    Raises StripeUnavailable or StripeRefused.
    """
    params: dict[str, Any] = {
        "mode": "subscription" if wanted.interval else "payment",
        "line_items": [{"quantity": 1, "price_data": price_data(wanted)}],
        "client_reference_id": wanted.reference,
        "customer_email": wanted.email,
        "metadata": wanted.metadata,
        "success_url": wanted.success_url,
        "cancel_url": wanted.cancel_url,
        "locale": "en-GB",
        "submit_type": "subscribe" if wanted.interval else "donate",
        # Sterling stays sterling: a supporter abroad would otherwise be shown a converted amount.
        "adaptive_pricing": {"enabled": False},
        "custom_text": {"submit": {"message": wanted.description}},
    }
    if wanted.interval:
        params["subscription_data"] = {"metadata": wanted.metadata, "description": wanted.product_name}
    else:
        params["customer_creation"] = "always"
        params["payment_intent_data"] = {"metadata": wanted.metadata, "description": wanted.product_name}
    with asking_stripe():
        made = client().v1.checkout.sessions.create(
            params,  # type: ignore[arg-type]  # built in two branches; the contract tests check every key
            {"idempotency_key": f"adoption:{wanted.public_id}:session:{wanted.attempt}"},
        )
    return as_session(made)


def price_data(wanted: CheckoutRequest) -> dict[str, Any]:
    data: dict[str, Any] = {
        "currency": "gbp",
        "unit_amount": wanted.amount_pence,
        "product_data": {"name": wanted.product_name},
    }
    if wanted.interval:
        data["recurring"] = {"interval": wanted.interval}
    return data


def read_session(session_id: str) -> Session:
    with asking_stripe():
        return as_session(client().v1.checkout.sessions.retrieve(session_id))


def find_session(*, payment_intent: str = "", subscription: str = "") -> str | None:
    """The id of the Checkout session a payment or a subscription came from; None if it came from no page of ours."""
    sessions = client().v1.checkout.sessions
    with asking_stripe():
        if payment_intent:
            found = sessions.list({"payment_intent": payment_intent, "limit": 1})
        else:
            found = sessions.list({"subscription": subscription, "limit": 1})
    return found.data[0].id if found.data else None


def expire_session(session_id: str) -> None:
    """Close a page at Stripe, so that an older answer can no longer be paid. Closed or paid already is fine."""
    try:
        with asking_stripe():
            client().v1.checkout.sessions.expire(session_id)
    except StripeRefused:
        return


def read_charge(charge_id: str) -> Charge:
    with asking_stripe():
        charge = client().v1.charges.retrieve(charge_id, {"expand": ["refunds"]})
        # An expanded list stops at ten.
        refunds = list(charge.refunds.auto_paging_iter()) if charge.refunds else []
    return as_charge(charge, refunds)


def is_refused(payment_intent_id: str) -> bool:
    """Has the bank said no to a payment that was on its way?"""
    with asking_stripe():
        intent = client().v1.payment_intents.retrieve(payment_intent_id)
    return intent.status in {"requires_payment_method", "canceled"}


def read_charge_of(payment_intent_id: str) -> Charge | None:
    """The latest charge of a payment intent; None while there is none."""
    with asking_stripe():
        intent = client().v1.payment_intents.retrieve(payment_intent_id)
    return read_charge(id_of(intent.latest_charge)) if intent.latest_charge else None


def read_invoice(invoice_id: str) -> Invoice:
    with asking_stripe():
        invoice = client().v1.invoices.retrieve(invoice_id, {"expand": ["payments"]})
    return as_invoice(invoice)


def read_subscription(subscription_id: str) -> Subscription:
    """Asked for with every second event, so it is read as it comes: making the library's objects of it costs more
    than all that follows."""
    path = f"/v1/subscriptions/{quote(subscription_id, safe='')}"
    with asking_stripe():
        answer = client().raw_request("get", path, expand=["default_payment_method"])
    return as_subscription(answer.data)


def as_subscription(found: Any) -> Subscription:
    """From the library's object or from plain JSON."""
    items = found["items"]["data"]
    item = items[0] if items else None
    pause = found["pause_collection"]
    card = card_of(found["default_payment_method"])
    return Subscription(
        id=found["id"],
        status=found["status"],
        is_live=found["livemode"],
        customer=id_of(found["customer"]),
        adoption_public_id=_meta(found).get("adoption", ""),
        cancel_at=_when(found["cancel_at"]),
        ended_at=_when(found["ended_at"]),
        current_period_end=_when(item["current_period_end"]) if item else None,
        canceled_at=_when(found["canceled_at"]),
        cancel_reason=(found["cancellation_details"] and found["cancellation_details"]["reason"]) or "",
        begun_at=_when(found["billing_cycle_anchor"]),
        interval=item["price"]["recurring"]["interval"] if item else "",
        item=item["id"] if item else "",
        price=item["price"]["id"] if item else "",
        product=id_of(item["price"]["product"]) if item else "",
        amount_pence=whole_pence((item["price"]["unit_amount"] or 0) * item["quantity"] if item else 0),
        currency=found["currency"],
        is_paused=bool(pause),
        resumes_at=_when(pause["resumes_at"]) if pause and "resumes_at" in pause else None,
        latest_invoice=id_of(found["latest_invoice"]),
        card_last4=card["last4"] if card else "",
        card_expires=(card["exp_year"], card["exp_month"]) if card else None,
    )


def card_of(method: Any) -> Any:
    """The card of an expanded payment method; None for a bank account, or where only its id was sent."""
    is_card = method is not None and not isinstance(method, str) and method["type"] == "card"
    return method["card"] if is_card else None


def read_dispute(dispute_id: str) -> Dispute:
    with asking_stripe():
        return as_dispute(client().v1.disputes.retrieve(dispute_id))


def read_refund(refund_id: str) -> Refund:
    with asking_stripe():
        return as_refund(client().v1.refunds.retrieve(refund_id))


def verify(body: bytes, signature: str, secrets: Iterable[str]) -> SignedEvent:
    """The event in a request to our webhook; raises NotStripe unless one of our secrets signed it just now.

    The library checks the signature and no more: to turn all of an event into its objects takes longer than to keep it.
    """
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(body.decode(), signature, secret, SIGNATURE_TOLERANCE_SECONDS)
            refuse_from_the_future(signature)
            return as_signed_event(json.loads(body))
        except stripe.SignatureVerificationError:
            continue
        # Whatever else a stranger's bytes can make it raise: not UTF-8, not JSON, not an object, too deep.
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise NotStripe from error
    raise NotStripe


def as_signed_event(told: dict[str, Any]) -> SignedEvent:
    subject = told["data"]["object"]  # only snapshot events: a thin one has no object in it
    return SignedEvent(
        id=str(told["id"]),
        type=str(told["type"]),
        object_id=str(subject.get("id", "")),
        api_version=str(told.get("api_version") or ""),
        is_live=bool(told["livemode"]),
        account=str(told.get("account") or ""),
    )


def refuse_from_the_future(signature: str) -> None:
    """The library refuses signatures older than five minutes; one made for later could be kept and replayed."""
    times = [part[2:] for part in signature.split(",") if part.startswith("t=")]
    if not times or int(times[0]) > time.time() + SIGNATURE_TOLERANCE_SECONDS:
        raise NotStripe


def as_session(found: Any) -> Session:
    return Session(
        id=found.id,
        url=found.url,
        status=found.status or "",
        payment_status=found.payment_status,
        amount_pence=whole_pence(found.amount_total or 0),
        currency=found.currency or "",
        is_live=found.livemode,
        reference=found.client_reference_id or "",
        payment_intent=id_of(found.payment_intent) or None,
        subscription=id_of(found.subscription) or None,
        customer=id_of(found.customer) or None,
        metadata=_meta(found),
        invoice=id_of(found.invoice) or None,
        created=as_time(found.created),
    )


def as_charge(found: Any, refunds: Iterable[Any] = ()) -> Charge:
    method = found["payment_method_details"]
    details = method[method["type"]] if method and method["type"] in method else None
    return Charge(
        id=found["id"],
        payment_intent=id_of(found["payment_intent"]) or None,
        amount_pence=whole_pence(found["amount"]),
        currency=found["currency"],
        is_paid=bool(found["paid"]) and found["status"] == "succeeded",
        is_live=found["livemode"],
        created=as_time(found["created"]),
        adoption_public_id=_meta(found).get("adoption", ""),
        last4=(details["last4"] or "") if details and "last4" in details else "",
        refunds=tuple(as_refund(refund) for refund in refunds),
        method=found["payment_method"] or "",
        refusal=why_refused(found) if found["status"] == "failed" else "",
    )


def why_refused(charge: Any) -> str:
    """The bank's own word if it gave one, else Stripe's."""
    outcome = charge["outcome"]
    return str((outcome and outcome["reason"]) or charge["failure_code"] or "unknown")


def as_refund(found: Any) -> Refund:
    return Refund(
        id=found["id"],
        charge=id_of(found["charge"]),
        amount_pence=whole_pence(found["amount"]),
        status=found["status"] or "",
        created=as_time(found["created"]),
    )


def as_dispute(found: Any) -> Dispute:
    return Dispute(
        id=found.id,
        charge=id_of(found.charge),
        amount_pence=whole_pence(found.amount),
        status=found.status,
        created=as_time(found.created),
        reason=found.reason,
        answer_by=_when(found.evidence_details["due_by"]),
    )


def as_invoice(found: Any) -> Invoice:
    details = found["parent"] and found["parent"]["subscription_details"]
    tried = found["payments"]["data"] if "payments" in found and found["payments"] is not None else []
    intents = (id_of(p["payment"]["payment_intent"]) for p in tried if "payment_intent" in p["payment"])
    return Invoice(
        id=found["id"],
        status=found["status"] or "",
        subscription=id_of(details["subscription"]) if details else None,
        amount_paid_pence=whole_pence(found["amount_paid"]),
        currency=found["currency"],
        payment_intents=tuple(intent for intent in intents if intent),
        amount_due_pence=whole_pence(found["amount_due"]),
        attempts=found["attempt_count"],
        next_attempt_at=_when(found["next_payment_attempt"]),
        address=found["hosted_invoice_url"] or "",
        adoption_public_id=_meta(details).get("adoption", "") if details else "",
        is_first=found["billing_reason"] == "subscription_create",
    )


def _meta(found: Any) -> dict[str, str]:
    told = found["metadata"] or {}
    return {str(k): str(v) for k, v in (told if isinstance(told, dict) else told.to_dict()).items()}


def id_of(value: Any) -> str:
    """An id, whether Stripe sent it alone or expanded into its object."""
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value["id"])


def as_time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _when(seconds: int | None) -> datetime | None:
    return as_time(seconds) if seconds else None
