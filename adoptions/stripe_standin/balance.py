"""The charity's balance: one transaction for each movement of money, and the payouts that empty it into the bank."""

from adoptions.stripe_standin.books import Books, new_id, nulls
from adoptions.stripe_standin.clock import DAY
from adoptions.stripe_standin.state import Object

DISPUTE_FEE = 2000


def fee_for(charge: Object) -> int:
    """What Stripe keeps, in pence: 1.5 % and 20p for a card; 1 %, from 20p to £2, for a Direct Debit."""
    amount = int(charge["amount"])
    if charge["payment_method_details"]["type"] == "bacs_debit":
        return min(200, max(20, (amount + 50) // 100))
    return (amount * 15 + 500) // 1000 + 20


def record(books: Books, source: Object, amount: int, kind: str, fee: int = 0, description: str | None = None) -> str:
    """Book a movement; `amount` is signed, positive for money coming in. Returns the transaction's id."""
    categories = {"charge": "charge", "payment": "charge", "adjustment": "dispute", "payout": "payout"}
    now = books.now()
    available = now if kind == "payout" else now + 2 * DAY
    thing: Object = {
        "id": new_id("txn_"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available,
        "balance_type": "payments",
        "created": now,
        "currency": source["currency"],
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": _fee_details(source["currency"], fee),
        "net": amount - fee,
        "reporting_category": categories.get(kind, "refund"),
        "source": source["id"],
        "status": "available" if kind == "payout" else "pending",
        "type": kind,
        "_payout": source["id"] if kind == "payout" else None,
    }
    books.save(thing)
    if kind != "payout":
        books.put("_unpaid", thing["id"], {"available_on": available})
        books.schedule(available + DAY - available % DAY, "pay_out", "balance")
    return str(thing["id"])


def _fee_details(currency: str, fee: int) -> list[Object]:
    if not fee:
        return []
    return [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]


def pay_out(books: Books, _subject: str) -> None:
    """Send what is available to the bank; a balance below zero waits for the next income."""
    due = [books.need("balance_transaction", key) for key in [key for key, at in _unpaid(books) if at <= books.now()]]
    total = sum(one["net"] for one in due)
    later = [at for _, at in _unpaid(books) if at > books.now()]
    if later:
        books.schedule(min(later) + DAY - min(later) % DAY, "pay_out", "balance")
    if total <= 0:
        return
    payout = _new_payout(books, total, str(due[0]["currency"]))
    for one in due:
        books.save(one | {"status": "available", "_payout": payout["id"]})
        books.remove("_unpaid", one["id"])
    payout["balance_transaction"] = record(books, payout, -total, "payout", description="STRIPE PAYOUT")
    books.save(payout, "payout.created")
    books.save(payout | {"status": "paid"}, "payout.updated", "payout.paid", "payout.reconciliation_completed")


def _unpaid(books: Books) -> list[tuple[str, int]]:
    return [(key, int(kept["available_on"])) for key, kept in books.items("_unpaid")]


def _new_payout(books: Books, amount: int, currency: str) -> Object:
    never = nulls(
        "application_fee application_fee_amount description destination failure_balance_transaction failure_code "
        "failure_message original_payout payout_method reversed_by statement_descriptor trace_id"
    )
    return never | {
        "id": new_id("po_"),
        "object": "payout",
        "amount": amount,
        "arrival_date": books.now() + DAY,
        "automatic": True,
        "balance_transaction": None,
        "created": books.now(),
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "completed",
        "source_type": "card",
        "status": "in_transit",
        "type": "bank_account",
    }


def balance(books: Books) -> Object:
    """The `balance` object: what could be paid out now, and what is still on its way."""
    totals = {"available": 0, "pending": 0}
    for key, available_on in _unpaid(books):
        which = "available" if available_on <= books.now() else "pending"
        totals[which] += int(books.need("balance_transaction", key)["net"])
    amounts = {which: [{"amount": total, "currency": "gbp"}] for which, total in totals.items()}
    return {"object": "balance", "livemode": False, **amounts}
