"""The operations and events we use, found in the library's service classes."""

import ast
import re
from dataclasses import dataclass
from functools import cache, cached_property

from tests.stripe_contract import library
from tests.stripe_contract.library import Ref
from tests.stripe_contract.schemas import Schema, Schemas

SERVICES = [
    "_balance_service",
    "_balance_transaction_service",
    "_charge_service",
    "_customer_payment_method_service",
    "_customer_service",
    "_dispute_service",
    "_event_service",
    "_invoice_line_item_service",
    "_invoice_payment_service",
    "_invoice_service",
    "_mandate_service",
    "_payment_intent_service",
    "_payment_method_service",
    "_payout_service",
    "_price_service",
    "_product_service",
    "_refund_service",
    "_setup_intent_service",
    "_subscription_item_service",
    "_subscription_service",
    "billing_portal._configuration_service",
    "billing_portal._session_service",
    "checkout._session_line_item_service",
    "checkout._session_service",
    "radar._early_fraud_warning_service",
]
# Which object an event is about, where its name does not say so itself; the longest beginning that fits counts.
OBJECT_OF_EVENT = {
    "charge.dispute": "dispute",
    "charge.refund": "refund",
    "customer.subscription": "subscription",
}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    params: Schema
    answer: Schema

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{\w+\}", "([^/]+)", self.path))


class Description:
    def __init__(self) -> None:
        self.schemas = Schemas()
        self.operations = [one for service in SERVICES for one in self._operations(f"stripe.{service}")]
        # A path without ids is meant before one that would take its last word for an id.
        self.operations.sort(key=lambda one: (one.path.count("{"), one.path))
        self.objects = self._objects()

    def operation(self, method: str, path: str) -> Operation | None:
        return next((one for one in self.operations if one.method == method and one.pattern.fullmatch(path)), None)

    def event_object(self, kind: str) -> Schema | None:
        subject = kind.rpartition(".")[0]
        return self.objects.get(OBJECT_OF_EVENT.get(subject, subject))

    def _operations(self, module: str) -> list[Operation]:
        return [
            operation
            for ref in library.classes_in(module)
            for node in library.class_of(ref).body
            if isinstance(node, ast.FunctionDef)
            for operation in [self._operation(ref, node)]
            if operation
        ]

    def _operation(self, ref: Ref, function: ast.FunctionDef) -> Operation | None:
        for node in ast.walk(function):
            if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "_request"):
                continue
            method, path = (_text(one) for one in node.args[:2])
            annotation = next((one.annotation for one in function.args.args if one.arg == "params"), None)
            params: Schema = {"type": "object", "properties": {}, "required": []}
            if annotation is not None:
                params = self.schemas.of_annotation(annotation, ref, is_answer=False)
            if method and path and function.returns:
                answer = self.schemas.of_annotation(function.returns, ref, is_answer=True)
                return Operation(method.upper(), path, params, answer)
        return None

    def _objects(self) -> dict[str, Schema]:
        """Each object by the word in its `object` field, as far as the operations lead to it."""
        found: dict[str, Schema] = {}
        waiting = [operation.answer for operation in self.operations]
        seen: set[Ref] = set()
        while waiting:
            schema = waiting.pop()
            if "ref" in schema:
                if schema["ref"] in seen:
                    continue
                seen.add(schema["ref"])
                target = self.schemas.of(schema)
                if "object" in target:
                    found.setdefault(target["object"], schema)
                schema = target
            waiting += [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]
            waiting += [schema[name] for name in ("items", "values") if name in schema]
        return found


def _text(node: ast.expr) -> str:
    """A path is a literal, or a literal whose `.format` fills in the ids."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    return str(node.value) if isinstance(node, ast.Constant) else ""


@cache
def from_library() -> Description:
    return Description()
