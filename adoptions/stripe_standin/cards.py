"""The test cards and test bank accounts: Stripe's own numbers where Stripe has one, each with a name."""

import hashlib
from dataclasses import dataclass

from adoptions.stripe_standin.books import Books, new_id
from adoptions.stripe_standin.state import Object

DECLINED = "Your card was declined."


@dataclass(frozen=True)
class TestMethod:
    name: str
    label: str
    number: str
    kind: str = "card"
    decline_code: str = ""
    message: str = DECLINED
    asks: bool = False
    then_disputed: bool = False

    # pytest takes every class whose name begins with Test for a test.
    __test__ = False

    @property
    def is_declined(self) -> bool:
        return bool(self.decline_code)

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced_number(self) -> str:
        return " ".join(self.number[at : at + 4] for at in range(0, len(self.number), 4))


CARDS = (
    TestMethod("ok", "Card that pays", "4242424242424242"),
    TestMethod("declined", "Card that is declined", "4000000000000002", decline_code="generic_decline"),
    TestMethod(
        "no_money",
        "Card with too little money",
        "4000000000009995",
        decline_code="insufficient_funds",
        message="Your card has insufficient funds.",
    ),
    TestMethod("3ds", "Card that asks for a confirmation (3-D Secure)", "4000002760003184", asks=True),
    TestMethod("disputed", "Card that pays and is then disputed", "4000000000000259", then_disputed=True),
)
BANK_ACCOUNTS = (
    TestMethod("bacs", "Bank account that pays after four days", "00012345", kind="bacs_debit"),
    TestMethod(
        "bacs_fails",
        "Bank account that fails after four days",
        "22222227",
        kind="bacs_debit",
        decline_code="insufficient_funds",
        message="The customer's account has insufficient funds to cover this payment.",
    ),
    TestMethod(
        "bacs_disputed",
        "Bank account that pays and is then claimed back",
        "55555559",
        kind="bacs_debit",
        then_disputed=True,
    ),
)
METHODS = {method.name: method for method in CARDS + BANK_ACCOUNTS}
_BY_NUMBER = {method.number: method for method in CARDS + BANK_ACCOUNTS}


def by_number(number: str) -> TestMethod | None:
    return _BY_NUMBER.get("".join(letter for letter in number if letter.isdigit()))


def failing(payment_method: Object) -> Object:
    """The same card or account on a bad day: this once it will be refused."""
    return payment_method | {"_method": "bacs_fails" if payment_method["type"] == "bacs_debit" else "declined"}


def asking(payment_method: Object) -> Object:
    """The same card, whose bank wants to hear from its holder this once. A Direct Debit never asks."""
    return payment_method if payment_method["type"] == "bacs_debit" else payment_method | {"_method": "3ds"}


def new_payment_method(books: Books, method: TestMethod, customer: str | None, billing: Object) -> Object:
    thing: Object = {
        "id": new_id("pm_"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing,
        "created": books.now(),
        "customer": customer,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": method.kind,
        method.kind: _card(method) if method.kind == "card" else _account(method),
        "_method": method.name,
    }
    books.save(thing)
    return thing


def _fingerprint(method: TestMethod) -> str:
    return hashlib.sha256(method.number.encode()).hexdigest()[:16]


def _card(method: TestMethod) -> Object:
    return {
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "GB",
        "display_brand": "visa",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": _fingerprint(method),
        "funding": "credit",
        "generated_from": None,
        "last4": method.last4,
        "networks": {"available": ["visa"], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _account(method: TestMethod) -> Object:
    return {"fingerprint": _fingerprint(method), "last4": method.last4, "sort_code": "108800"}


def charge_details(payment_method: Object, mandate: str | None, *, confirmed: bool) -> Object:
    """`payment_method_details` of a charge made with it."""
    kind = payment_method["type"]
    if kind == "bacs_debit":
        return {"type": kind, kind: payment_method[kind] | {"mandate": mandate}}
    held = payment_method["card"]
    kept = (
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
        "regulated_status",
    )
    return {
        "type": kind,
        kind: {key: held[key] for key in kept}
        | dict.fromkeys(("installments", "mandate", "network_transaction_id", "wallet", "authorization_code"))
        | {
            "amount_authorized": None,
            "electronic_commerce_indicator": None,
            "extended_authorization": {"status": "disabled"},
            "incremental_authorization": {"status": "unavailable"},
            "multicapture": {"status": "unavailable"},
            "network": "visa",
            "network_token": {"used": False},
            "overcapture": {"maximum_amount_capturable": 0, "status": "unavailable"},
            "three_d_secure": _proof() if confirmed else None,
            "transaction_link_id": None,
        },
    }


def _proof() -> Object:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("", 36),
        "version": "2.2.0",
    }
