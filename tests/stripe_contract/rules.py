"""What stands only in Stripe's documentation: parameters that go together, limits, windows of time."""

import re
import time
from collections.abc import Iterator
from typing import Any

from tests.stripe_contract.problems import Problem
from tests.stripe_contract.requests import problem

SMALLEST_CHARGE = {"gbp": 30, "eur": 50, "usd": 50}
LONGEST_RHYTHM = {"day": 1095, "week": 156, "month": 36, "year": 3}
ONLY_IN_MODE = {
    "payment_intent_data": ("payment",),
    "subscription_data": ("subscription",),
    "setup_intent_data": ("setup",),
    "customer_creation": ("payment", "setup"),
    "payment_method_collection": ("subscription",),
    "submit_type": ("payment", "subscription"),
    "invoice_creation": ("payment",),
}
NOT_WITH_CUSTOMER = ("customer_email", "customer_creation")


def number(value: Any) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value) else None


def check(method: str, path: str, params: dict[str, Any]) -> list[Problem]:
    if method == "GET":
        return list(_lists(params))
    found = RULES.get((method, path))
    return list(found(params)) if found else []


def _lists(params: dict[str, Any]) -> Iterator[Problem]:
    if "limit" in params and not 1 <= (number(params["limit"]) or 0) <= 100:
        yield problem("limit", "limit", "limit is 1 to 100")
    if "starting_after" in params and "ending_before" in params:
        yield problem("cursor", "starting_after", "starting_after and ending_before together")


def _url(params: dict[str, Any], name: str, *, is_required: bool = False) -> Iterator[Problem]:
    value = params.get(name)
    if value is None:
        if is_required:
            yield problem("url_required", name, "required here")
    elif not isinstance(value, str) or not re.match(r"https?://[^/\s]+", value):
        yield problem("url_invalid", name, "not an absolute http(s) URL")


def _session(params: dict[str, Any]) -> Iterator[Problem]:
    mode = params.get("mode")
    if mode is None:
        yield problem("mode", "mode", "mode is needed: payment, subscription or setup")
    if mode != "setup" and not params.get("line_items"):
        yield problem("line_items", "line_items", "needed in this mode")
    yield from _url(params, "success_url", is_required=True)
    yield from _url(params, "cancel_url")
    for name in ("return_url", "redirect_on_completion", "permissions"):
        if name in params:
            yield problem("ui_mode", name, "does not go with the hosted page")
    for name, modes in ONLY_IN_MODE.items():
        if name in params and mode not in modes:
            yield problem("mode", name, f"only in mode {' or '.join(modes)}")
    for name in NOT_WITH_CUSTOMER:
        if "customer" in params and name in params:
            yield problem("customer", name, "not together with customer")
    expires_at = number(params.get("expires_at"))
    if expires_at is not None and not 30 * 60 - 60 <= expires_at - time.time() <= 24 * 3600 + 60:
        yield problem("expires_at", "expires_at", "30 minutes to 24 hours from now")
    items = params.get("line_items")
    yield from _line_items(mode, [one for one in items if isinstance(one, dict)] if isinstance(items, list) else [])


def _line_items(mode: str | None, items: list[dict[str, Any]]) -> Iterator[Problem]:
    prices = [one.get("price_data") for one in items]
    known: list[dict[str, Any]] = [one for one in prices if isinstance(one, dict)]
    for at, item in enumerate(items):
        yield from _line_item(f"line_items[{at}]", item)
    currencies = {one.get("currency") for one in known}
    if len(currencies) > 1:
        yield problem("currency", "line_items", "several currencies")
    if mode == "payment" and any("recurring" in one for one in known):
        yield problem("recurring", "line_items", "a recurring price in payment mode")
    if mode == "subscription" and items and len(known) == len(items) and not any("recurring" in one for one in known):
        yield problem("recurring", "line_items", "subscription mode needs a recurring price")
    if mode == "payment" and known and len(known) == len(items):
        total = sum((number(one.get("unit_amount")) or 0) * (number(item.get("quantity")) or 1)
                    for one, item in zip(known, items, strict=True))  # fmt: skip
        if total < SMALLEST_CHARGE.get(str(known[0].get("currency")).lower(), 50):
            yield problem("amount_too_small", "line_items", f"{total} is under the smallest charge")


def _line_item(path: str, item: dict[str, Any]) -> Iterator[Problem]:
    if ("price" in item) == ("price_data" in item):
        yield problem("price", path, "exactly one of price and price_data")
    if (number(item.get("quantity")) or 0) < 1:
        yield problem("quantity", f"{path}[quantity]", "a quantity of at least 1 is needed")
    price = item.get("price_data")
    if not isinstance(price, dict):
        return
    if ("product" in price) == ("product_data" in price):
        yield problem("product", f"{path}[price_data]", "exactly one of product and product_data")
    if ("unit_amount" in price) == ("unit_amount_decimal" in price):
        yield problem("amount", f"{path}[price_data]", "exactly one of unit_amount and unit_amount_decimal")
    amount = number(price.get("unit_amount"))
    if amount is not None and not 0 <= amount <= 99_999_999:
        yield problem("amount", f"{path}[price_data][unit_amount]", "0 to eight digits")
    rhythm = price.get("recurring")
    if isinstance(rhythm, dict):
        count = number(rhythm.get("interval_count", "1")) or 0
        if not 1 <= count <= LONGEST_RHYTHM.get(str(rhythm.get("interval")), count):
            yield problem("interval", f"{path}[price_data][recurring]", "at most three years")


def _refund(params: dict[str, Any]) -> Iterator[Problem]:
    if ("charge" in params) == ("payment_intent" in params):
        yield problem("refund_target", "charge", "exactly one of charge and payment_intent")
    if "amount" in params and (number(params["amount"]) or 0) < 1:
        yield problem("amount", "amount", "a refund is positive")


def _portal(params: dict[str, Any]) -> Iterator[Problem]:
    if ("customer" in params) == ("customer_account" in params):
        yield problem("customer", "customer", "exactly one of customer and customer_account")
    yield from _url(params, "return_url")


def _subscription(params: dict[str, Any]) -> Iterator[Problem]:
    if params.get("cancel_at") and params.get("cancel_at_period_end") == "true":
        yield problem("cancel", "cancel_at", "cancel_at and cancel_at_period_end together")


RULES = {
    ("POST", "/v1/checkout/sessions"): _session,
    ("POST", "/v1/refunds"): _refund,
    ("POST", "/v1/billing_portal/sessions"): _portal,
    ("POST", "/v1/subscriptions/{subscription_exposed_id}"): _subscription,
}
