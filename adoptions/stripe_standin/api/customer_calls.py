"""`/v1/customers`, `/v1/products`, `/v1/prices` and `/v1/payment_methods`."""

from adoptions.stripe_standin import answers, catalogue, customers
from adoptions.stripe_standin.answers import ApiError
from adoptions.stripe_standin.api.calls import Call, retrieve, search
from adoptions.stripe_standin.api.checkout_calls import ADDRESS, PRICE_DATA
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.parameters import (
    TEXT,
    TIME_WINDOW,
    Rule,
    array_of,
    boolean,
    call,
    clearable,
    hash_of,
    listing,
    metadata,
    one_of,
    text,
    url,
)
from adoptions.stripe_standin.state import Object

CUSTOMER: dict[str, Rule] = {
    "address": clearable(ADDRESS),
    "description": clearable(text()),
    "email": clearable(text(512)),
    "metadata": metadata,
    "name": clearable(text(256)),
    "phone": clearable(text(20)),
    "preferred_locales": array_of(TEXT),
}
PRODUCT: dict[str, Rule] = {
    "active": boolean,
    "description": clearable(text(40_000)),
    "images": array_of(url, 8),
    "metadata": metadata,
    "name": text(),
    "statement_descriptor": text(22),
    "tax_code": TEXT,
    "url": clearable(url),
}


def create_customer(books: Books, params: Object) -> Object:
    return customers.new_customer(books, params)


def update_customer(books: Books, params: Object, key: str) -> Object:
    return customers.update(books, answers.find(books, "customer", key), params)


def delete_customer(books: Books, _params: Object, key: str) -> Object:
    """Erasing a person. What they paid stays in the books, as the law asks."""
    customer = answers.find(books, "customer", key)
    for subscription in books.all("subscription"):
        if subscription["customer"] == key and subscription["status"] not in ("canceled", "incomplete_expired"):
            raise ApiError("The stand-in deletes no customer with a live subscription: cancel it first.")
    blank = dict.fromkeys(("address", "description", "email", "name", "phone"))
    books.save(customer | blank | {"metadata": {}, "_deleted": True}, "customer.deleted")
    return {"id": key, "object": "customer", "deleted": True}


def retrieve_customer(books: Books, _params: Object, key: str) -> Object:
    customer = answers.find(books, "customer", key)
    return {"id": key, "object": "customer", "deleted": True} if customer.get("_deleted") else customer


def create_product(books: Books, params: Object) -> Object:
    return catalogue.new_product(books, params, "product.created")


def update_product(books: Books, params: Object, key: str) -> Object:
    product = answers.find(books, "product", key) | {"updated": books.now()}
    if "metadata" in params:
        params["metadata"] = customers.merged_metadata(product["metadata"], params["metadata"])
    product |= {name: sent for name, sent in params.items() if name in PRODUCT}
    books.save(product, "product.updated")
    return product


def create_price(books: Books, params: Object) -> Object:
    if ("product" in params) == ("product_data" in params):
        raise ApiError("You must specify either `product` or `product_data` when creating a price.", param="product")
    if "unit_amount" not in params:
        raise ApiError("Missing required param: unit_amount.", code="parameter_missing", param="unit_amount")
    return catalogue.new_price(books, params, "price.created")


def update_price(books: Books, params: Object, key: str) -> Object:
    price = answers.find(books, "price", key)
    if "metadata" in params:
        params["metadata"] = customers.merged_metadata(price["metadata"], params["metadata"])
    price |= {name: params[name] for name in ("active", "metadata", "nickname") if name in params}
    books.save(price, "price.updated")
    return price


def methods_of(books: Books, params: Object, key: str) -> Object:
    answers.find(books, "customer", key)
    held = [one for one in books.all("payment_method") if one["customer"] == key]
    held = [one for one in held if one["type"] == params.get("type", one["type"])]
    return answers.page(held, params, f"/v1/customers/{key}/payment_methods")


CALLS = [
    Call("POST", "/v1/customers", call(**CUSTOMER), create_customer),
    Call(
        "POST",
        "/v1/customers/{id}",
        call(**CUSTOMER, invoice_settings=hash_of({"default_payment_method": TEXT})),
        update_customer,
    ),
    Call("DELETE", "/v1/customers/{id}", call(), delete_customer),
    Call("GET", "/v1/customers/{id}", call(), retrieve_customer),
    search(
        "/v1/customers",
        "customer",
        lambda thing, params: not thing.get("_deleted") and thing["email"] == params.get("email", thing["email"]),
        created=TIME_WINDOW,
        email=TEXT,
    ),
    Call("GET", "/v1/customers/{id}/payment_methods", listing(type=TEXT), methods_of),
    Call("POST", "/v1/products", call("name", **PRODUCT, id=text(40)), create_product),
    Call("POST", "/v1/products/{id}", call(**PRODUCT), update_product),
    retrieve("/v1/products", "product"),
    search("/v1/products", "product", active=boolean, created=TIME_WINDOW),
    Call(
        "POST",
        "/v1/prices",
        call("currency", **PRICE_DATA, metadata=metadata, nickname=TEXT, lookup_key=text(200)),
        create_price,
    ),
    Call("POST", "/v1/prices/{id}", call(active=boolean, metadata=metadata, nickname=TEXT), update_price),
    retrieve("/v1/prices", "price"),
    search(
        "/v1/prices", "price", active=boolean, created=TIME_WINDOW, product=TEXT, type=one_of("one_time", "recurring")
    ),
    retrieve("/v1/payment_methods", "payment_method"),
]
