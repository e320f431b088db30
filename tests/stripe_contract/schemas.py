"""Annotations turned into schemas, in the manner of OpenAPI.

An `Optional` in an answer means "may be null or absent": the library's annotations do not tell these apart.
"""

import ast
from dataclasses import dataclass, field
from typing import Any

from tests.stripe_contract import library
from tests.stripe_contract.library import Ref

type Schema = dict[str, Any]

SIMPLE: dict[str, Schema] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "Decimal": {"type": "string", "format": "decimal"},
    "Any": {},
    "object": {},
}
# Objects described in full; others need only be of the right kind.
DESCRIBED = frozenset(
    [
        "balance",
        "balance_transaction",
        "billing_portal.configuration",
        "billing_portal.session",
        "charge",
        "checkout.session",
        "customer",
        "discount",
        "dispute",
        "event",
        "invoice",
        "invoice_payment",
        "item",
        "line_item",
        "mandate",
        "payment_intent",
        "payment_method",
        "payout",
        "plan",
        "price",
        "product",
        "radar.early_fraud_warning",
        "refund",
        "setup_intent",
        "subscription",
        "subscription_item",
    ]
)


@dataclass
class Alternatives:
    """What one annotation allows, while it is read."""

    schemas: list[Schema] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    is_nullable: bool = False
    is_any_text: bool = False
    may_be_empty: bool = False

    def add(self, schema: Schema) -> None:
        if schema not in self.schemas:
            self.schemas.append(schema)

    def schema(self) -> Schema:
        schemas = list(self.schemas)
        if self.words:
            schemas.append({"type": "string", "enum": self.words})
        elif self.is_any_text:
            schemas.insert(0, {"type": "string"})
        if self.may_be_empty:
            schemas.append({"type": "string", "enum": [""]})
        whole = schemas[0] if len(schemas) == 1 else {"anyOf": schemas} if schemas else {}
        if not self.is_nullable:
            return whole
        return {"anyOf": [whole], "nullable": True} if "ref" in whole else {**whole, "nullable": True}


class Schemas:
    """Every class met so far, by its reference; a class is read when it is first asked for."""

    def __init__(self) -> None:
        self._read: dict[tuple[Ref, bool], Schema] = {}

    def of(self, schema: Schema) -> Schema:
        """Follow a reference to the class it names."""
        while "ref" in schema:
            key = (schema["ref"], schema["is_answer"])
            if key not in self._read:
                self._read[key] = self._of_class(*key)
            schema = self._read[key]
        return schema

    def _of_class(self, ref: Ref, is_answer: bool) -> Schema:
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for base in [] if is_answer else library.class_of(ref).bases:
            found = (
                library.resolve(ref.module, ref.name.rpartition(".")[0], base.id)
                if isinstance(base, ast.Name)
                else None
            )
            if found and found.name != "RequestOptions":
                inherited = self._of_class(found, is_answer=False)
                properties |= inherited["properties"]
                required += inherited.get("required", [])
        for name, annotation in library.fields_of(ref):
            properties[name] = self.of_annotation(annotation, ref, is_answer=is_answer)
            if not ast.unparse(annotation).startswith(("NotRequired", "Optional")):
                required.append(name)
        schema: Schema = {"type": "object", "properties": properties, "required": required}
        kind = library.object_name(ref)
        if is_answer and kind:
            schema["object"] = kind
            if "deleted" in properties:  # the same class also stands for a deleted object, which keeps only its id
                schema["required"] = [name for name in required if name in ("id", "object")]
                schema["required_unless_deleted"] = required
        return schema

    def of_annotation(self, node: ast.expr, scope: Ref, *, is_answer: bool) -> Schema:
        found = Alternatives()
        self._walk(node, scope, found, is_answer=is_answer)
        return found.schema()

    def _walk(self, node: ast.expr, scope: Ref, found: Alternatives, *, is_answer: bool) -> None:
        match node:
            case ast.Constant(value=str(text)):
                self._walk(ast.parse(text, mode="eval").body, scope, found, is_answer=is_answer)
            case ast.Constant(value=None):
                found.is_nullable = True
            case ast.BinOp(left=left, right=right):
                self._walk(left, scope, found, is_answer=is_answer)
                self._walk(right, scope, found, is_answer=is_answer)
            case ast.Name(id="str"):
                found.is_any_text = True
            case ast.Name(id=name):
                found.add(SIMPLE[name] if name in SIMPLE else self._named(name, scope, is_answer=is_answer))
            case ast.Subscript(value=ast.Name(id=head), slice=inner):
                self._generic(head, inner, scope, found, is_answer=is_answer)
            case _:
                found.add({})

    def _named(self, name: str, scope: Ref, *, is_answer: bool) -> Schema:
        ref = library.resolve(scope.module, scope.name, name)
        if ref is None:
            return {}
        kind = library.object_name(ref) if is_answer else None
        if kind and kind not in DESCRIBED:
            return {"type": "object", "object": kind, "is_stub": True}
        return {"ref": ref, "is_answer": is_answer}

    def _generic(self, head: str, inner: ast.expr, scope: Ref, found: Alternatives, *, is_answer: bool) -> None:
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        if head in ("NotRequired", "ClassVar", "Union", "Optional", "ExpandableField"):
            found.is_nullable |= head == "Optional"
            if head == "ExpandableField":
                found.add({"type": "string"})
            for part in parts:
                self._walk(part, scope, found, is_answer=is_answer)
        elif head == "Literal":
            _literals(parts, found)
        elif head == "List":
            found.add({"type": "array", "items": self.of_annotation(inner, scope, is_answer=is_answer)})
        elif head == "ListObject":
            found.add(_list_object(self.of_annotation(inner, scope, is_answer=is_answer)))
        elif head in ("Dict", "UntypedStripeObject", "Mapping"):
            value = self.of_annotation(parts[-1], scope, is_answer=is_answer)
            found.add({"type": "object", "values": value, "is_metadata": value == {"type": "string"}})
        else:
            found.add({})


def _literals(parts: list[ast.expr], found: Alternatives) -> None:
    for part in parts:
        value = part.value if isinstance(part, ast.Constant) else None
        if isinstance(value, bool):
            found.add({"type": "boolean"})
        elif value == "":
            found.may_be_empty = True
        else:
            found.words.append(str(value))


def _list_object(items: Schema) -> Schema:
    properties: Schema = {
        "object": {"type": "string", "enum": ["list"]},
        "data": {"type": "array", "items": items},
        "has_more": {"type": "boolean"},
        "url": {"type": "string"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}
