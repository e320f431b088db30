"""Two plain papers that Stripe's objects link to: a payment's receipt and a Direct Debit's mandate."""

from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.checkout_pages import money
from adoptions.stripe_standin.pages import Response, not_found, page


def receipt(books: Books, key: str) -> Response:
    charge = books.get("charge", key)
    if charge is None:
        return not_found()
    amount, given_back = (money(charge[name], charge["currency"]) for name in ("amount", "amount_refunded"))
    message = f"{amount} for {charge['description'] or 'a payment'}: {charge['status']}. Refunded: {given_back}."
    return page("message.html", title="Receipt", message=message)


def mandate(books: Books, key: str) -> Response:
    paper = books.get("mandate", key)
    if paper is None:
        return not_found()
    reference = paper["payment_method_details"]["bacs_debit"]["reference"]
    return page(
        "message.html", title="Direct Debit mandate", message=f"Reference {reference}. Status: {paper['status']}."
    )
