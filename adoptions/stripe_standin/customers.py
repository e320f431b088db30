"""Customers: whom Stripe knows by name, email and the way they pay."""

from adoptions.stripe_standin.answers import find
from adoptions.stripe_standin.books import Books, new_id
from adoptions.stripe_standin.state import Object

CHANGEABLE = ("address", "description", "email", "metadata", "name", "phone", "preferred_locales", "shipping")


def new_customer(books: Books, params: Object) -> Object:
    customer: Object = {
        "id": new_id("cus_", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": books.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": new_id("").upper()[:8],
        "invoice_settings": dict.fromkeys(("custom_fields", "default_payment_method", "footer", "rendering_options")),
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": ["en-GB"],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    customer |= {key: params[key] for key in CHANGEABLE if key in params}
    books.save(customer, "customer.created")
    return customer


def update(books: Books, customer: Object, params: Object) -> Object:
    changes = {key: params[key] for key in CHANGEABLE if key in params}
    if "metadata" in changes:
        changes["metadata"] = merged_metadata(customer["metadata"], changes["metadata"])
    default = params.get("invoice_settings", {}).get("default_payment_method")
    if default:
        find(books, "payment_method", default, "invoice_settings[default_payment_method]")
        changes["invoice_settings"] = customer["invoice_settings"] | {"default_payment_method": default}
    customer |= changes
    books.save(customer, "customer.updated")
    return customer


def merged_metadata(before: Object, sent: Object) -> Object:
    """A key sent empty goes; the others stay or change; an empty hash unsets all."""
    return {key: value for key, value in {**before, **sent}.items() if value != ""} if sent else {}
