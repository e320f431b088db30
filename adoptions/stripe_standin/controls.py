"""What the control page can do to the world: move time, fail payments, trouble webhooks and the API.

Each control is named for its address, `/_control/<name>`; the package's docstring is the table of them.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from adoptions.stripe_standin import checkout, clock, deliveries, disputes, refunds, subscriptions
from adoptions.stripe_standin.answers import ApiError, find
from adoptions.stripe_standin.books import public
from adoptions.stripe_standin.clock import DAY
from adoptions.stripe_standin.state import Object
from adoptions.stripe_standin.timetable import ACTS

if TYPE_CHECKING:
    from adoptions.stripe_standin.server import StandIn

type Fields = dict[str, str]
type Control = Callable[["StandIn", Fields], Object]


def _number(fields: Fields, name: str, default: int = 0) -> int:
    text = fields.get(name, "")
    if not text:
        return default
    if not text.isdigit() or len(text) > 9:
        raise ApiError(f"{name} must be a whole number", param=name)
    return int(text)


def advance(standin: "StandIn", fields: Fields) -> Object:
    books = standin.books
    ahead = _number(fields, "days") * DAY + _number(fields, "hours") * clock.HOUR + _number(fields, "seconds")
    months = _number(fields, "months") + 12 * _number(fields, "years")
    if months > 1200 or ahead > 36_500 * DAY:
        raise ApiError("A hundred years at a time are enough.")
    until = clock.months_from(books.now(), months) + ahead
    done = clock.pass_time(books, ACTS, until)
    return {"now": books.now(), "done": done}


def fail_renewals(standin: "StandIn", fields: Fields) -> Object:
    subscription = find(standin.books, "subscription", fields.get("subscription", ""))
    standin.books.save(subscription | {"_failing": _number(fields, "times", 1)})
    return {"subscription": subscription["id"], "times": _number(fields, "times", 1)}


def ask_at_renewal(standin: "StandIn", fields: Fields) -> Object:
    subscription = find(standin.books, "subscription", fields.get("subscription", ""))
    standin.books.save(subscription | {"_asks": True})
    return {"subscription": subscription["id"]}


def end_subscription(standin: "StandIn", fields: Fields) -> Object:
    subscription = find(standin.books, "subscription", fields.get("subscription", ""))
    subscriptions.end(standin.books, subscription["id"], "cancellation_requested")
    return public(standin.books.need("subscription", subscription["id"]))


def settle_debit(standin: "StandIn", fields: Fields) -> Object:
    """The bank answers now, not in four days."""
    intent = find(standin.books, "payment_intent", fields.get("payment_intent", ""))
    if fields.get("fails"):
        standin.books.save(intent | {"_method": "bacs_fails"})
    standin.books.unschedule("settle", intent["id"])
    checkout.settle_debit(standin.books, intent["id"])
    return public(standin.books.need("payment_intent", intent["id"]))


def refund(standin: "StandIn", fields: Fields) -> Object:
    charge = find(standin.books, "charge", fields.get("charge", ""))
    amount = _number(fields, "amount") or None
    return public(refunds.refund(standin.books, charge, amount, "requested_by_customer", {}))


def fail_refund(standin: "StandIn", fields: Fields) -> Object:
    thing = find(standin.books, "refund", fields.get("refund", ""))
    refunds.fail(standin.books, thing)
    return public(standin.books.need("refund", thing["id"]))


def dispute(standin: "StandIn", fields: Fields) -> Object:
    charge = find(standin.books, "charge", fields.get("charge", ""))
    disputes.open_dispute(standin.books, charge["id"])
    opened = [one for one in standin.books.all("dispute") if one["charge"] == charge["id"]]
    if not opened:
        raise ApiError("Only a payment that succeeded and was not refunded can be disputed.", param="charge")
    return opened[0]


def close_dispute(standin: "StandIn", fields: Fields) -> Object:
    opened = find(standin.books, "dispute", fields.get("dispute", ""))
    return disputes.close(standin.books, opened, is_won=fields.get("outcome") == "won")


def warn_of_fraud(standin: "StandIn", fields: Fields) -> Object:
    return disputes.warn_of_fraud(standin.books, find(standin.books, "charge", fields.get("charge", "")))


def webhooks(standin: "StandIn", fields: Fields) -> Object:
    """Only what is sent changes; switches are 1 or 0."""
    wishes = deliveries.settings(standin.books)
    for name, usual in deliveries.AS_USUAL.items():
        if name in fields:
            number = _number(fields, name)
            wishes[name] = bool(number) if isinstance(usual, bool) else number
    standin.books.put("_webhooks", "settings", wishes)
    standin.books.on_event()
    return wishes


def resend(standin: "StandIn", fields: Fields) -> Object:
    event = find(standin.books, "event", fields.get("event", ""))
    deliveries.send_again(standin.books, event["id"])
    return {"event": event["id"]}


def faults(standin: "StandIn", fields: Fields) -> Object:
    """For the next API calls: `fail` answers 500 and does nothing, `lose` does it and cuts the line, `hang` waits
    `hang_seconds` first."""
    wishes = {name: _number(fields, name) for name in ("fail", "lose", "hang", "hang_seconds")}
    standin.books.put("_faults", "faults", wishes)
    return dict(wishes)


def wait_for_webhooks(standin: "StandIn", fields: Fields) -> Object:
    """Returns when every webhook is delivered, or after `seconds`."""
    until = time.monotonic() + _number(fields, "seconds", 10)
    while not standin.deliverer.is_quiet():
        if time.monotonic() > until:
            return {"quiet": False}
        time.sleep(0.01)
    return {"quiet": True}


def now(standin: "StandIn", _fields: Fields) -> Object:
    return {"now": standin.books.now(), "ahead": int(standin.books.ahead())}


# These take their time, or take the lock themselves for each step.
UNLOCKED: Final[dict[str, Control]] = {"advance": advance, "wait_for_webhooks": wait_for_webhooks, "now": now}
LOCKED: Final[dict[str, Control]] = {
    "ask_at_renewal": ask_at_renewal,
    "close_dispute": close_dispute,
    "dispute": dispute,
    "end_subscription": end_subscription,
    "fail_refund": fail_refund,
    "fail_renewals": fail_renewals,
    "faults": faults,
    "refund": refund,
    "resend": resend,
    "settle_debit": settle_debit,
    "warn_of_fraud": warn_of_fraud,
    "webhooks": webhooks,
}


def run(standin: "StandIn", name: str, fields: Fields) -> Object:
    if name in UNLOCKED:
        return UNLOCKED[name](standin, fields)
    if name not in LOCKED:
        raise ApiError(f"No such control: {name}", status=404)
    with standin.books.change():
        return LOCKED[name](standin, fields)
