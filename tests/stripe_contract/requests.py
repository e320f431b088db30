"""Checks what is sent: parameters by the description, then what the description cannot say."""

import difflib
import re
from typing import Any

from tests.stripe_contract.description import Description
from tests.stripe_contract.problems import Problem, kind, rank
from tests.stripe_contract.schemas import Schema

SHAPES = {
    "integer": r"-?[0-9]+",
    "number": r"-?\d+(\.\d+)?([eE][-+]?\d+)?",
    "boolean": r"true|false",
    "decimal": r"-?\d+(\.\d{1,12})?",
}


def problem(code: str, path: str, message: str, level: str = "error") -> Problem:
    return Problem("request", code, path, message, level)


class RequestChecker:
    def __init__(self, description: Description) -> None:
        self._schemas = description.schemas

    def check(self, value: Any, schema: Schema, path: str = "") -> list[Problem]:
        """The problems with the alternative that fits best; none if one fits."""
        best: list[Problem] | None = None
        for alternative in self.alternatives(schema):
            found = self._check_one(value, alternative, path)
            if not found:
                return []
            if best is None or rank(found) < rank(best):
                best = found
        return best or []

    def alternatives(self, schema: Schema) -> list[Schema]:
        schema = self._schemas.of(schema)
        return [one for each in schema["anyOf"] for one in self.alternatives(each)] if "anyOf" in schema else [schema]

    def _check_one(self, value: Any, schema: Schema, path: str) -> list[Problem]:
        if schema.get("type") == "object":
            return self._check_hash(value, schema, path)
        if schema.get("type") == "array":
            if not isinstance(value, list):
                return [problem("wrong_type", path, f"expected an array, got {kind(value)}")]
            return [one for at, item in enumerate(value) for one in self.check(item, schema["items"], f"{path}[{at}]")]
        return self._check_text(value, schema, path) if "type" in schema else []

    def _check_hash(self, value: Any, schema: Schema, path: str) -> list[Problem]:
        if not isinstance(value, dict):
            return [problem("wrong_type", path, f"expected a hash, got {kind(value)}")]
        if schema.get("is_metadata"):
            return _check_metadata(value, path)
        found: list[Problem] = []
        properties = schema.get("properties", {})
        for name, held in value.items():
            inside = f"{path}[{name}]" if path else name
            if name in properties:
                found += self.check(held, properties[name], inside)
            elif "values" in schema:
                found += self.check(held, schema["values"], inside)
            else:
                near = difflib.get_close_matches(name, properties, 1, 0.75)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                found.append(problem("parameter_unknown", inside, f"unknown parameter{hint}"))
        for name in schema.get("required", []):
            if name not in value:
                inside = f"{path}[{name}]" if path else name
                found.append(problem("parameter_missing", inside, "missing required parameter"))
        return found

    def _check_text(self, value: Any, schema: Schema, path: str) -> list[Problem]:
        if not isinstance(value, str):
            return [problem("wrong_type", path, f"expected {schema['type']}, got {kind(value)}")]
        if "enum" in schema:
            if value in schema["enum"]:
                return []
            return [problem("bad_enum", path, f"{value!r} is not one of {', '.join(schema['enum'][:12])}")]
        if value == "":
            return [problem("parameter_invalid_empty", path, "empty, and this parameter cannot be unset")]
        shape = schema.get("format", schema["type"])
        if shape in SHAPES and not re.fullmatch(SHAPES[shape], value):
            return [problem(f"parameter_invalid_{shape}", path, f"invalid {shape}: {value}")]
        return []


def _check_metadata(value: dict[str, Any], path: str) -> list[Problem]:
    found = []
    if len(value) > 50:
        found.append(problem("metadata", path, f"{len(value)} keys, at most 50"))
    for name, held in value.items():
        inside = f"{path}[{name}]"
        if not isinstance(held, str):
            found.append(problem("wrong_type", inside, f"metadata values are strings, got {kind(held)}"))
        elif len(name) > 40 or len(held) > 500:
            found.append(problem("metadata", inside, "keys hold at most 40 characters, values 500"))
    return found
