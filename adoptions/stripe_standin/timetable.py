"""What each thing that falls due means. At the same second they happen in the order of their names: `end` before
`renew`, so that a subscription that was to stop does not take one more payment."""

from typing import Final

from adoptions.stripe_standin import balance, checkout, disputes, subscriptions
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.clock import Act


def _expire(books: Books, key: str) -> None:
    checkout.expire(books, key)


ACTS: Final[dict[str, Act]] = {
    "dispute": disputes.open_dispute,
    "end": subscriptions.end_as_asked,
    "expire": _expire,
    "pay_out": balance.pay_out,
    "renew": subscriptions.renew,
    "resume": subscriptions.resume,
    "retry": subscriptions.retry,
    "settle": checkout.settle_debit,
}
