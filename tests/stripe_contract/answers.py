"""Checks what comes back: objects by the description, expanded where asked and only there, ids that look right."""

import re
from typing import Any

from tests.stripe_contract.description import Description
from tests.stripe_contract.problems import Problem, kind, rank
from tests.stripe_contract.schemas import Schema

ID_PREFIX: dict[str, tuple[str, ...]] = {
    "balance_transaction": ("txn_",),
    "billing_portal.session": ("bps_",),
    "charge": ("ch_", "py_"),
    "checkout.session": ("cs_",),
    "customer": ("cus_",),
    "dispute": ("dp_", "du_"),
    "event": ("evt_",),
    "invoice": ("in_",),
    "invoice_payment": ("inpay_",),
    "item": ("li_",),
    "line_item": ("il_",),
    "mandate": ("mandate_",),
    "payment_intent": ("pi_",),
    "payment_method": ("pm_",),
    "payout": ("po_",),
    "price": ("price_", "plan_"),
    "product": ("prod_",),
    "refund": ("re_", "pyr_"),
    "subscription": ("sub_",),
    "subscription_item": ("si_",),
}


class AnswerChecker:
    """`expand` is what was asked for below the value at hand: "" for itself, ".x" for something inside it."""

    def __init__(self, description: Description, where: str) -> None:
        self._schemas, self._where = description.schemas, where

    def check(self, value: Any, schema: Schema, path: str, expand: list[str]) -> list[Problem]:
        alternatives, is_nullable = self._alternatives(schema)
        if value is None:
            is_anything = any("type" not in one for one in alternatives)
            return [] if is_nullable or is_anything else [self._problem("not_nullable", path, "null, and it never is")]
        found = self._check_expansion(value, alternatives, path, expand)
        best: list[Problem] | None = None
        for alternative in alternatives:
            faults = self._check_one(value, alternative, path, expand)
            if not faults:
                return found
            if best is None or rank(faults) < rank(best):
                best = faults
        return found + (best or [])

    def _problem(self, code: str, path: str, message: str) -> Problem:
        return Problem(self._where, code, path, message)

    def _alternatives(self, schema: Schema) -> tuple[list[Schema], bool]:
        is_nullable = schema.get("nullable", False)
        schema = self._schemas.of(schema)
        if "anyOf" not in schema:
            return [schema], is_nullable or schema.get("nullable", False)
        inner = [self._alternatives(one) for one in schema["anyOf"]]
        return [one for several, _ in inner for one in several], is_nullable or any(null for _, null in inner)

    def _check_expansion(self, value: Any, alternatives: list[Schema], path: str, expand: list[str]) -> list[Problem]:
        has_id = any(one.get("type") == "string" and "enum" not in one for one in alternatives)
        has_object = any("object" in one for one in alternatives)
        if not (has_id and has_object):
            return []
        if isinstance(value, dict) and not expand:
            return [self._problem("unasked_expansion", path, "an object where only its id was asked for")]
        if isinstance(value, str) and "" in expand:
            return [self._problem("expansion_not_honoured", path, "an id where the object was asked for")]
        return []

    def _check_one(self, value: Any, schema: Schema, path: str, expand: list[str]) -> list[Problem]:
        wanted = schema.get("type")
        if wanted == "object":
            return self._check_object(value, schema, path, expand)
        if wanted == "array":
            if not isinstance(value, list):
                return [self._problem("wrong_type", path, f"expected array, got {kind(value)}")]
            items = schema["items"]
            return [one for at, item in enumerate(value) for one in self.check(item, items, f"{path}[{at}]", expand)]
        return self._check_scalar(value, schema, path)

    def _check_scalar(self, value: Any, schema: Schema, path: str) -> list[Problem]:
        wanted = schema.get("type")
        types: dict[Any, tuple[type, ...]] = {"integer": (int,), "number": (int, float), "boolean": (bool,)}
        fits = isinstance(value, types.get(wanted, (str,))) and (wanted == "boolean" or not isinstance(value, bool))
        if wanted and not fits:
            return [self._problem("wrong_type", path, f"expected {wanted}, got {kind(value)}")]
        if "enum" in schema and value not in schema["enum"]:
            return [self._problem("bad_enum", path, f"{value!r} is not one of {', '.join(schema['enum'][:12])}")]
        if schema.get("format") == "decimal" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
            return [self._problem("wrong_type", path, f"expected a decimal, got {value!r}")]
        return []

    def _check_object(self, value: Any, schema: Schema, path: str, expand: list[str]) -> list[Problem]:
        if not isinstance(value, dict):
            return [self._problem("wrong_type", path, f"expected object, got {kind(value)}")]
        if schema.get("is_stub"):
            return (
                [] if value.get("object") == schema["object"] else [self._problem("wrong_type", path, "another object")]
            )
        found: list[Problem] = []
        properties = schema.get("properties", {})
        for name, held in value.items():
            inside = f"{path}.{name}" if path else name
            if name in properties or "values" in schema:
                found += self.check(held, properties.get(name, schema.get("values")), inside, below(expand, name))
            elif properties:
                found.append(self._problem("field_unknown", inside, "the library knows no such field"))
        required = schema.get("required", [])
        if not value.get("deleted"):
            required = schema.get("required_unless_deleted", required)
        for name in required:
            if name not in value:
                found.append(self._problem("field_missing", f"{path}.{name}".lstrip("."), "always there, but not here"))
        return found + self._check_looks(value, path)

    def _check_looks(self, value: dict[str, Any], path: str) -> list[Problem]:
        found = []
        prefixes = ID_PREFIX.get(value["object"], ()) if isinstance(value.get("object"), str) else ()
        if prefixes and isinstance(value.get("id"), str) and not value["id"].startswith(prefixes):
            found.append(self._problem("id", f"{path}.id".lstrip("."), f"ids here begin {' or '.join(prefixes)}"))
        if value.get("object") == "list" and not str(value.get("url")).startswith("/v1/"):
            found.append(self._problem("list_url", f"{path}.url".lstrip("."), "a list's url begins /v1/"))
        currency = value.get("currency")
        if isinstance(currency, str) and not re.fullmatch(r"[a-z]{3}", currency):
            found.append(self._problem("currency", f"{path}.currency".lstrip("."), f"{currency!r} is no ISO code"))
        return found


def below(expand: list[str], name: str) -> list[str]:
    paths = [path.lstrip(".") for path in expand]
    return [path[len(name) :] for path in paths if path == name or path.startswith(f"{name}.")]
