"""Stripe's form encoding: `a[b][0][c]=1` is {"a": {"b": [{"c": "1"}]}}. Leaves stay text."""

import re
from typing import Any
from urllib.parse import unquote_plus


class FormError(ValueError):
    pass


def decode(text: str) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for pair in filter(None, text.split("&")):
        raw_name, _, raw_value = pair.partition("=")
        _put(root, unquote_plus(raw_name), unquote_plus(raw_value))
    return {name: _tidy(value) for name, value in root.items()}


def _put(root: dict[str, Any], name: str, value: str) -> None:
    match = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\])*)", name)
    if not match:
        raise FormError(f"malformed parameter name {name!r}")
    steps = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    node = root
    for step in steps[:-1]:
        node = node.setdefault(step or str(len(node)), {})
        if not isinstance(node, dict):
            raise FormError(f"parameter {name!r} is both a value and a hash")
    last = steps[-1] or str(len(node))
    if last in node:
        raise FormError(f"parameter {name!r} given twice")
    node[last] = value


def _tidy(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_tidy(node[key]) for key in sorted(node, key=int)]
    return {key: _tidy(value) for key, value in node.items()}
