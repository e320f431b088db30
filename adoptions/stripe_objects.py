"""What Stripe tells us, as small values: pence, UTC times, ids. How Stripe spells it stays in the gateway."""

from dataclasses import dataclass, field
from datetime import datetime

from config.money import NOTHING, Pence


@dataclass(frozen=True)
class Session:
    """A Checkout session. `payment_status` is the only word on money; `status` tells whether the page was used."""

    id: str
    url: str | None
    status: str
    payment_status: str
    amount_pence: Pence
    currency: str
    is_live: bool
    reference: str
    payment_intent: str | None
    subscription: str | None
    customer: str | None
    created: datetime
    metadata: dict[str, str] = field(default_factory=dict)
    invoice: str | None = None


@dataclass(frozen=True)
class Refund:
    id: str
    charge: str
    amount_pence: Pence
    status: str
    created: datetime


@dataclass(frozen=True)
class Charge:
    """Money that was taken, or tried; `refunds` are all there are now, failed ones included."""

    id: str
    payment_intent: str | None
    amount_pence: Pence
    currency: str
    is_paid: bool
    is_live: bool
    created: datetime
    last4: str
    adoption_public_id: str = ""
    refunds: tuple[Refund, ...] = ()
    method: str = ""  # the card or account by Stripe's id: another one, if the supporter typed it in anew
    refusal: str = ""  # why it failed, in the word of the bank or of Stripe; empty unless it did


@dataclass(frozen=True)
class Invoice:
    id: str
    status: str
    subscription: str | None
    amount_paid_pence: Pence
    currency: str
    payment_intents: tuple[str, ...]
    adoption_public_id: str = ""
    amount_due_pence: Pence = NOTHING
    attempts: int = 0
    next_attempt_at: datetime | None = None
    address: str = ""  # Stripe's own page, where it can be paid by other means
    is_first: bool = False  # of its subscription: all others are renewals


@dataclass(frozen=True)
class Subscription:
    id: str
    status: str
    is_live: bool
    customer: str
    adoption_public_id: str
    cancel_at: datetime | None
    ended_at: datetime | None
    current_period_end: datetime | None
    canceled_at: datetime | None = None  # when the end was decided, which may be long before it
    cancel_reason: str = ""
    begun_at: datetime | None = None  # periods are counted from here
    interval: str = ""
    item: str = ""
    price: str = ""
    product: str = ""
    amount_pence: Pence = NOTHING
    currency: str = ""
    is_paused: bool = False
    resumes_at: datetime | None = None
    latest_invoice: str = ""
    card_last4: str = ""
    card_expires: tuple[int, int] | None = None  # year, month


@dataclass(frozen=True)
class Period:
    """One invoice, every try to have it paid (the newest first), and the subscription it is of, read in one moment."""

    invoice: Invoice
    tries: tuple[Charge, ...]
    subscription: Subscription | None


@dataclass(frozen=True)
class Dispute:
    id: str
    charge: str
    amount_pence: Pence
    status: str
    created: datetime
    reason: str = ""
    answer_by: datetime | None = None


@dataclass(frozen=True)
class Refusal:
    """Why a payment was not made, in Stripe's word."""

    code: str
    is_asking: bool  # the bank wants to hear from the payer


@dataclass(frozen=True)
class FailedTry:
    """A charge that a bank refused. `card` is Stripe's fingerprint: the same for the same card, whoever types it."""

    payment_intent: str
    adoption_public_id: str
    card: str


@dataclass(frozen=True)
class FraudWarning:
    """A card's bank believes that a payment was not its owner's. No money moves yet."""

    id: str
    charge: str
    kind: str
    is_actionable: bool


@dataclass(frozen=True)
class Customer:
    """Who paid, as typed at Stripe; empty where Stripe was asked to forget."""

    name: str
    email: str


@dataclass(frozen=True)
class Payout:
    """Money on its way from the balance at Stripe to the charity's bank."""

    id: str
    amount_pence: Pence


@dataclass(frozen=True)
class BalanceLine:
    """One movement in the balance at Stripe; `source` is the id of the charge, refund or dispute behind it."""

    id: str
    source: str
    type: str
    amount_pence: Pence
    net_pence: Pence


@dataclass(frozen=True)
class ToldEvent:
    """An event Stripe has told, or tried to."""

    id: str
    type: str
    object_id: str


@dataclass(frozen=True)
class SignedEvent:
    """What a rightly signed request to the webhook says. Only a hint: the object is asked for again."""

    id: str
    type: str
    object_id: str
    api_version: str
    is_live: bool
    account: str = ""


@dataclass(frozen=True)
class CheckoutRequest:
    """What a Checkout session is made from. `interval` is empty for a single payment."""

    public_id: str
    attempt: str
    reference: str
    product_name: str
    description: str
    amount_pence: Pence
    interval: str
    email: str
    success_url: str
    cancel_url: str
    metadata: dict[str, str]
