"""Reading a request's parameters as strictly as Stripe does: unknown, ill-typed and empty ones are refused by name.

A rule takes what was sent and the parameter's full name, and returns the value to work with or raises `ApiError`.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from adoptions.stripe_standin.answers import ApiError
from adoptions.stripe_standin.state import Object

type Rule = Callable[[Any, str], Any]


def read_form(text: str) -> Object:
    """`a[b][0][c]=1` becomes {"a": {"b": [{"c": "1"}]}}; every leaf is still text."""
    root: Object = {}
    for pair in filter(None, text.split("&")):
        raw_name, _, raw_value = pair.partition("=")
        name, value = unquote_plus(raw_name), unquote_plus(raw_value)
        if not re.fullmatch(r"[^\[\]]+(\[[^\[\]]*\])*", name):
            raise ApiError(f"Invalid parameter name: {name}", param=name)
        _place(root, re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name), value, name)
    return {key: _with_lists(value) for key, value in root.items()}


def _place(root: Object, steps: list[str], value: str, name: str) -> None:
    node = root
    for step in steps[:-1]:
        node = node.setdefault(step or str(len(node)), {})
        if not isinstance(node, dict):
            raise ApiError(f"Invalid hash: {name}", param=name)
    node[steps[-1] or str(len(node))] = value


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_with_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _with_lists(value) for key, value in node.items()}


def _text_only(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ApiError(f"Invalid string: {name} must be a string", param=name)
    if value == "":
        raise ApiError(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty "
            "value.",
            code="parameter_invalid_empty",
            param=name,
        )
    return value


def text(limit: int = 5000) -> Rule:
    def rule(value: Any, name: str) -> str:
        sent = _text_only(value, name)
        if len(sent) > limit:
            raise ApiError(
                f"Invalid string: {sent[:10]}…; must be at most {limit} characters",
                code="parameter_invalid_string_too_long",
                param=name,
            )
        return sent

    return rule


TEXT = text()


def integer(value: Any, name: str) -> int:
    sent = _text_only(value, name)
    if not re.fullmatch(r"-?[0-9]{1,18}", sent):
        raise ApiError(f"Invalid integer: {sent}", code="parameter_invalid_integer", param=name)
    return int(sent)


def boolean(value: Any, name: str) -> bool:
    sent = _text_only(value, name)
    if sent not in ("true", "false"):
        raise ApiError(f"Invalid boolean: {sent}", param=name)
    return sent == "true"


def url(value: Any, name: str) -> str:
    sent = _text_only(value, name)
    if not re.match(r"https?://[^/\s]+", sent):
        raise ApiError(
            "Not a valid URL. URLs must be absolute and start with http:// or https://.",
            code="url_invalid",
            param=name,
        )
    return sent


def one_of(*allowed: str) -> Rule:
    def rule(value: Any, name: str) -> str:
        sent = _text_only(value, name)
        if sent not in allowed:
            raise ApiError(f"Invalid {name}: must be one of {', '.join(allowed)}", param=name)
        return sent

    return rule


def metadata(value: Any, name: str) -> Object:
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise ApiError(f"Invalid hash: {name}", param=name)
    if len(value) > 50:
        raise ApiError("Metadata can hold at most 50 keys.", param=name)
    for key, held in value.items():
        where = f"{name}[{key}]"
        if not isinstance(held, str):
            raise ApiError(f"Metadata values must be strings: {where}", param=where)
        if len(key) > 40 or len(held) > 500:
            raise ApiError("Metadata keys hold at most 40 characters, values 500.", param=where)
    return value


def clearable(inner: Rule) -> Rule:
    """May also be sent empty, which unsets it."""

    def rule(value: Any, name: str) -> Any:
        return None if value == "" else inner(value, name)

    return rule


def array_of(inner: Rule, at_most: int = 100) -> Rule:
    def rule(value: Any, name: str) -> list[Any]:
        if not isinstance(value, list):
            raise ApiError(f"Invalid array: {name}", param=name)
        if len(value) > at_most:
            raise ApiError(f"{name} holds at most {at_most} items.", param=name)
        return [inner(one, f"{name}[{position}]") for position, one in enumerate(value)]

    return rule


def hash_of(fields: dict[str, Rule], required: tuple[str, ...] = ()) -> Rule:
    def rule(value: Any, name: str) -> Object:
        if not isinstance(value, dict):
            raise ApiError(f"Invalid hash: {name}", param=name)
        inside = {key: f"{name}[{key}]" if name else key for key in {*value, *required}}
        for key in value:
            if key not in fields:
                raise ApiError(
                    f"Received unknown parameter: {inside[key]}", code="parameter_unknown", param=inside[key]
                )
        for key in required:
            if key not in value:
                raise ApiError(f"Missing required param: {inside[key]}.", code="parameter_missing", param=inside[key])
        return {key: fields[key](held, inside[key]) for key, held in value.items()}

    return rule


def either(first: Rule, second: Rule) -> Rule:
    """A hash by the first rule, anything else by the second."""

    def rule(value: Any, name: str) -> Any:
        return first(value, name) if isinstance(value, dict) else second(value, name)

    return rule


EXPAND = array_of(TEXT, 20)
TIME_WINDOW = either(hash_of({"gt": integer, "gte": integer, "lt": integer, "lte": integer}), integer)


def page_size(value: Any, name: str) -> int:
    size = integer(value, name)
    if not 1 <= size <= 100:
        raise ApiError(f"Invalid integer: {size}; {name} must be between 1 and 100", param=name)
    return size


def listing(**more: Rule) -> Rule:
    """The parameters of every list call, and this one's own filters."""
    pages: dict[str, Rule] = {
        "limit": page_size,
        "starting_after": TEXT,
        "ending_before": TEXT,
        "expand": EXPAND,
    }
    return hash_of(pages | more)


def call(*required: str, **fields: Rule) -> Rule:
    """The parameters of a call that answers with one object."""
    return hash_of(fields | {"expand": EXPAND}, required)
