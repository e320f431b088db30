"""How Stripe answers: errors in its shape, lists in pages, and objects expanded where the request asks for it."""

from collections.abc import Iterable
from typing import Any

from adoptions.stripe_standin.books import Books, public
from adoptions.stripe_standin.state import Object

KIND_BY_PREFIX = {
    "cs": "checkout.session",
    "cus": "customer",
    "sub": "subscription",
    "in": "invoice",
    "pi": "payment_intent",
    "ch": "charge",
    "py": "charge",
    "re": "refund",
    "du": "dispute",
    "txn": "balance_transaction",
    "pm": "payment_method",
    "mandate": "mandate",
    "prod": "product",
    "price": "price",
    "po": "payout",
}


class ApiError(Exception):
    """An answer other than 200, in Stripe's words where these are known."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: Object = {"error": {"type": kind, "message": message, **more}}


def missing(kind: str, key: str, param: str = "id") -> ApiError:
    name = {"checkout.session": "checkout.session"}.get(kind, kind.replace(".", "_"))
    return ApiError(f"No such {name}: '{key}'", status=404, code="resource_missing", param=param)


def find(books: Books, kind: str, key: str, param: str = "id") -> Object:
    """The object a request names in its path (404 without it) or in a parameter (400, as Stripe does)."""
    found = books.get(kind, key)
    if found is None:
        error = missing(kind, key, param)
        error.status = 404 if param == "id" else 400
        raise error
    return found


def list_of(url: str, things: Iterable[Object], *, has_more: bool = False) -> Object:
    return {"object": "list", "data": list(things), "has_more": has_more, "url": url}


def page(things: list[Object], params: Object, url: str) -> Object:
    """`things` come newest first. `starting_after` goes on to older ones, `ending_before` back to newer ones."""
    limit = params.get("limit", 10)
    things = [thing for thing in things if _is_in_window(thing, params.get("created"))]
    if "ending_before" in params:
        newer = things[: _position(things, params["ending_before"], "ending_before")]
        return list_of(url, newer[-limit:], has_more=len(newer) > limit)
    if "starting_after" in params:
        things = things[_position(things, params["starting_after"], "starting_after") + 1 :]
    return list_of(url, things[:limit], has_more=len(things) > limit)


def _position(things: list[Object], key: str, param: str) -> int:
    for position, thing in enumerate(things):
        if thing["id"] == key:
            return position
    raise ApiError(f"No such object: '{key}'", code="resource_missing", param=param)


def _is_in_window(thing: Object, window: Object | int | None) -> bool:
    if window is None:
        return True
    if isinstance(window, int):
        return bool(thing["created"] == window)
    created = thing["created"]
    return bool(
        created > window.get("gt", created - 1)
        and created >= window.get("gte", created)
        and created < window.get("lt", created + 1)
        and created <= window.get("lte", created)
    )


def shown(books: Books, thing: Object, expand: list[str]) -> Object:
    """The object as it leaves: without the stand-in's notes, with what `expand` names put in."""
    if thing.get("object") == "list":
        inside = [_below(path, "data") for path in expand]
        return thing | {"data": [shown(books, one, [p for p in inside if p]) for one in thing["data"]]}
    result = public(thing)
    for path in expand:
        if path.count(".") > 3:
            raise ApiError(f"You cannot expand more than 4 levels of a property ({path}).", param="expand")
        field, _, rest = path.partition(".")
        result[field] = _expanded(books, result, field, rest)
    return result


def _below(path: str, field: str) -> str:
    head, _, rest = path.partition(".")
    if head != field:
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
    return rest


def _expanded(books: Books, thing: Object, field: str, rest: str) -> Any:
    value = thing[field] if field in thing else _included(books, thing, field)
    deeper = [rest] if rest else []
    if isinstance(value, str):
        found = books.get(KIND_BY_PREFIX.get(value.partition("_")[0], ""), value)
        if found is None:
            raise ApiError(f"This property cannot be expanded ({field}).", param="expand")
        return shown(books, found, deeper)
    if isinstance(value, dict) and (deeper or value.get("object")):
        return shown(books, value, deeper)
    if value is None:
        return None
    raise ApiError(f"This property cannot be expanded ({field}).", param="expand")


def _included(books: Books, thing: Object, field: str) -> Object:
    """Lists that Stripe leaves out of an object unless they are asked for."""
    key = thing.get("id", "")
    match thing.get("object"), field:
        case "checkout.session", "line_items":
            kept = books.need("checkout.session", key)["_line_items"]
            return list_of(f"/v1/checkout/sessions/{key}/line_items", kept)
        case "charge", "refunds":
            found = [one for one in books.all("refund") if one["charge"] == key]
            return list_of(f"/v1/charges/{key}/refunds", found)
        case "invoice", "payments":
            found = [one for one in books.all("invoice_payment") if one["invoice"] == key]
            return list_of("/v1/invoice_payments", found)
        case "customer", "subscriptions":
            found = [
                one
                for one in books.all("subscription")
                if one["customer"] == key and one["status"] not in ("canceled", "incomplete_expired")
            ]
            return list_of(f"/v1/customers/{key}/subscriptions", found)
    raise ApiError(f"This property cannot be expanded ({field}).", param="expand")
