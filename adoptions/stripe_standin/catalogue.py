"""Products and prices, mostly made on the way from a checkout's `price_data`, and the lines that use them."""

from adoptions.stripe_standin.answers import ApiError, find
from adoptions.stripe_standin.books import Books, new_id
from adoptions.stripe_standin.state import Object


def new_product(books: Books, params: Object, *told: str) -> Object:
    product: Object = {
        "id": params.get("id") or new_id("prod_", 14),
        "object": "product",
        "active": params.get("active", True),
        "created": books.now(),
        "default_price": None,
        "description": params.get("description"),
        "images": params.get("images") or [],
        "livemode": False,
        "marketing_features": [],
        "metadata": params.get("metadata") or {},
        "name": params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": params.get("statement_descriptor"),
        "tax_code": params.get("tax_code"),
        "tax_details": None,
        "type": "service",
        "unit_label": None,
        "updated": books.now(),
        "url": params.get("url"),
    }
    books.save(product, *told)
    return product


def new_price(books: Books, params: Object, *told: str) -> Object:
    """From `price_data` or a price's own parameters; makes the product too where it is only described."""
    product = params.get("product") or new_product(books, params["product_data"], *told and ("product.created",))["id"]
    find(books, "product", product, "product")
    recurring = params.get("recurring")
    price: Object = {
        "id": new_id("price_1", 23),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": books.now(),
        "currency": params["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": params.get("lookup_key"),
        "metadata": params.get("metadata") or {},
        "nickname": params.get("nickname"),
        "product": product,
        "recurring": recurring
        and {
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": params["unit_amount"],
        "unit_amount_decimal": str(params["unit_amount"]),
    }
    books.save(price, *told)
    return price


def price_of(books: Books, line: Object, name: str) -> Object:
    """The price a line names or describes."""
    if ("price" in line) == ("price_data" in line):
        raise ApiError(f"You must specify exactly one of `price` and `price_data` in {name}.", param=name)
    if "price" in line:
        price = find(books, "price", line["price"], f"{name}[price]")
        if not price["active"]:
            raise ApiError("The price specified is inactive.", param=f"{name}[price]")
        return price
    data = line["price_data"]
    if ("product" in data) == ("product_data" in data):
        raise ApiError("Specify exactly one of `product` and `product_data`.", param=f"{name}[price_data]")
    if "unit_amount" not in data:
        raise ApiError(
            f"Missing required param: {name}[price_data][unit_amount].",
            code="parameter_missing",
            param=f"{name}[price_data][unit_amount]",
        )
    if not 0 <= data["unit_amount"] <= 99_999_999:
        raise ApiError("Invalid amount.", code="parameter_invalid_integer", param=f"{name}[price_data][unit_amount]")
    return new_price(books, data)


def product_name(books: Books, price: Object) -> str:
    return str(books.need("product", price["product"])["name"])
