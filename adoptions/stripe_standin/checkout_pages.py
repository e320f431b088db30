"""The hosted Checkout page, the bank's question, and the page of an invoice: where a person pays."""

from urllib.parse import quote

from adoptions.stripe_standin import cards, checkout, subscriptions
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.cards import TestMethod
from adoptions.stripe_standin.pages import Response, not_found, page, see
from adoptions.stripe_standin.payments import NO_ADDRESS
from adoptions.stripe_standin.state import Object

OTHER = "other"


def money(pence: int, currency: str) -> str:
    sign = {"gbp": "£", "eur": "€", "usd": "$"}.get(currency, currency.upper() + " ")
    return f"{sign}{pence // 100:,}.{pence % 100:02d}"


def rhythm(price: Object) -> str:
    """How often it is paid, to read after the amount: "every month"."""
    recurring = price["recurring"]
    if not recurring:
        return "once"
    count, interval = recurring["interval_count"], recurring["interval"]
    return f"every {interval}" if count == 1 else f"every {count} {interval}s"


def success_address(session: Object) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", quote(session["id"]))


def show_checkout(books: Books, key: str) -> Response:
    session = books.get("checkout.session", key)
    if session is None:
        return not_found()
    if session["status"] == "complete":
        return page("message.html", title="This is already paid for", message="It cannot be paid a second time.",
                    link=success_address(session), link_text="Go back to the charity")  # fmt: skip
    if session["status"] == "expired":
        return page("message.html", title="This page has expired", message="Nothing was paid. Please start again.",
                    link=session["cancel_url"], link_text="Go back to the charity")  # fmt: skip
    return page("checkout.html", leads_to=(session["success_url"], session["cancel_url"] or ""), **_what(session))


def _what(session: Object) -> Object:
    first = session["_line_items"][0]
    message = session["custom_text"]["submit"]
    total = money(session["amount_total"], session["currency"])
    verb = {"donate": "Give", "subscribe": "Subscribe", "book": "Book"}.get(session["submit_type"] or "", "Pay")
    how_often = rhythm(first["price"])
    return {
        "session": session,
        "lines": [
            {"name": one["description"], "amount": money(one["amount_total"], one["currency"])}
            for one in session["_line_items"]
        ],
        "rhythm": how_often,
        "total": total,
        "button": f"{verb} {total}" if how_often == "once" else f"{verb} {total} {how_often}",
        "message": message["message"] if message else "",
        "email": session["customer_email"] or "",
        "needs_address": session["billing_address_collection"] == "required",
        "error": session["_error"],
        "cards": cards.CARDS,
        "accounts": cards.BANK_ACCOUNTS if "bacs_debit" in session["payment_method_types"] else (),
    }


def press_pay(books: Books, key: str, fields: dict[str, str]) -> Response:
    """A second press finds the session complete, or the bank's question waiting, and pays nothing."""
    with books.change():
        session = books.get("checkout.session", key)
        if session is None:
            return not_found()
        here = f"/c/pay/{key}"
        if session["status"] == "complete":
            return see(success_address(session))
        if session["status"] != "open":
            return see(here)
        method = chosen_method(fields)
        if method is None or method.kind not in session["payment_method_types"]:
            books.save(session | {"_error": "That is not one of the test card numbers. Choose one from the list."})
            return see(here)
        outcome = checkout.pay(books, session, method, _payer(session, fields))
        session = books.need("checkout.session", key)
        if outcome == "requires_action":
            intent = checkout.intent_of(books, session) or {}
            return see(f"/confirm/{intent['id']}")
        return see(here if outcome == "declined" else success_address(session))


def chosen_method(fields: dict[str, str]) -> TestMethod | None:
    choice = fields.get("method", "")
    return cards.by_number(fields.get("number", "")) if choice in ("", OTHER) else cards.METHODS.get(choice)


def _payer(session: Object, fields: dict[str, str]) -> Object:
    address = {name: fields.get(name) or None for name in ("line1", "city", "postal_code")} | {"country": "GB"}
    return {
        "address": NO_ADDRESS | address,
        "email": fields.get("email") or session["customer_email"] or "payer@example.org",
        "name": fields.get("name") or "Test Payer",
        "phone": None,
        "tax_id": None,
    }


# --- the bank's question --------------------------------------------------------------------------------------


def show_question(books: Books, key: str) -> Response:
    intent = books.get("payment_intent", key)
    if intent is None:
        return not_found()
    amount = money(intent["amount"], intent["currency"])
    back = _after_answer(books, intent)
    if intent["status"] != "requires_action":
        return page("message.html", title="The bank has its answer", message="There is nothing left to confirm.",
                    link=back, link_text="Go on")  # fmt: skip
    session = books.get("checkout.session", intent.get("_session") or "") or {"success_url": ""}
    return page("confirm.html", leads_to=(session["success_url"],), intent=intent, amount=amount)


def answer_question(books: Books, key: str, fields: dict[str, str]) -> Response:
    with books.change():
        intent = books.get("payment_intent", key)
        if intent is None:
            return not_found()
        checkout.answer_bank(books, intent, agrees=fields.get("answer") == "complete")
        return see(_after_answer(books, books.need("payment_intent", key)))


def _after_answer(books: Books, intent: Object) -> str:
    session = books.get("checkout.session", intent.get("_session") or "")
    if session and session["status"] == "complete" and intent["status"] == "succeeded":
        return success_address(session)
    if session and session["status"] == "open":
        return f"/c/pay/{session['id']}"
    return f"/i/{intent['_invoice']}" if intent.get("_invoice") else "/"


# --- an invoice's own page ------------------------------------------------------------------------------------


def show_invoice(books: Books, key: str) -> Response:
    invoice = books.get("invoice", key)
    if invoice is None:
        return not_found()
    intent = books.get("payment_intent", invoice["_intent"] or "") or {}
    return page(
        "invoice.html",
        invoice=invoice,
        amount=money(invoice["amount_due"], invoice["currency"]),
        lines=invoice["lines"]["data"],
        error=(intent.get("last_payment_error") or {}).get("message", ""),
        is_asking=intent.get("status") == "requires_action",
        intent=intent,
        cards=cards.CARDS,
    )


def pay_invoice(books: Books, key: str, fields: dict[str, str]) -> Response:
    """Also how a supporter repairs a payment that failed: the new card becomes the subscription's."""
    with books.change():
        invoice = books.get("invoice", key)
        if invoice is None:
            return not_found()
        method = chosen_method(fields)
        if invoice["status"] != "open" or method is None or method.kind != "card":
            return see(f"/i/{key}")
        subscription = subscriptions.of_invoice(books, invoice)
        payment_method = change_card(books, subscription["customer"], method)
        outcome = subscriptions.collect(books, invoice, is_present=True, method=payment_method)
        if outcome == "requires_action":
            return see(f"/confirm/{books.need('invoice', key)['_intent']}")
        return see(f"/i/{key}")


def change_card(books: Books, customer: str, method: TestMethod) -> Object:
    """Give the customer, and every subscription of theirs that runs, a new way to pay."""
    person = books.need("customer", customer)
    billing = {"address": person["address"] or NO_ADDRESS, "email": person["email"], "name": person["name"]}
    payment_method = cards.new_payment_method(books, method, customer, billing | {"phone": None, "tax_id": None})
    books.save(payment_method, "payment_method.attached")
    person["invoice_settings"] |= {"default_payment_method": payment_method["id"]}
    books.save(person, "customer.updated")
    for subscription in books.all("subscription"):
        if subscription["customer"] == customer and subscription["status"] not in ("canceled", "incomplete_expired"):
            changed = subscription | {"default_payment_method": payment_method["id"]}
            books.save(changed, "customer.subscription.updated")
    return payment_method
