import json
import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

import stripe

from tests.stripe_contract import description, forms, rules
from tests.stripe_contract.answers import AnswerChecker
from tests.stripe_contract.description import Description, Operation
from tests.stripe_contract.problems import Problem
from tests.stripe_contract.requests import RequestChecker
from tests.stripe_contract.schemas import Schema

STATUS_OF_ERROR = {
    "api_error": range(500, 600),
    "card_error": (402,),
    "idempotency_error": (400, 409),
    "invalid_request_error": (400, 401, 403, 404, 409, 429),
}


class Contract:
    def __init__(self, described: Description) -> None:
        self._description = described
        self.version = stripe.api_version

    @classmethod
    def from_library(cls) -> Self:
        return cls(description.from_library())

    # --- what is sent ---------------------------------------------------------------------------------

    def check_request(
        self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> list[Problem]:
        """`path` with its query string; `headers` are checked where they are given."""
        target = urlsplit(path)
        operation = self._description.operation(method, target.path)
        if operation is None:
            return [Problem("request", "unknown_operation", "", f"{method} {target.path} is none of Stripe's calls")]
        try:
            params = forms.decode(body if method == "POST" else target.query)
        except forms.FormError as error:
            return [Problem("request", "form", "", str(error))]
        found = RequestChecker(self._description).check(params, operation.params)
        found += rules.check(method, operation.path, params)
        found += self._check_expand(params.get("expand"), operation)
        return found + (self._check_headers(method, headers) if headers is not None else [])

    def _check_headers(self, method: str, headers: Mapping[str, str]) -> list[Problem]:
        sent = {name.lower(): value for name, value in headers.items()}
        found = []
        if not re.match(r"Bearer (sk|rk)_(test|live)_", sent.get("authorization", "")):
            found.append(Problem("request", "no_key", "Authorization", "no secret key"))
        if sent.get("stripe-version") != self.version:
            found.append(
                Problem("request", "version", "Stripe-Version", f"{sent.get('stripe-version')}, not {self.version}")
            )
        key = sent.get("idempotency-key", "")
        if method == "POST" and not 1 <= len(key) <= 255:
            found.append(Problem("request", "idempotency_key", "Idempotency-Key", "1 to 255 characters"))
        return found

    def _check_expand(self, expand: Any, operation: Operation) -> list[Problem]:
        found = []
        for at, path in enumerate(expand if isinstance(expand, list) else []):
            where = f"expand[{at}]"
            if path.count(".") > 3:
                found.append(Problem("request", "expand_depth", where, f"{path} is deeper than four levels"))
            if not self._can_expand(operation.answer, path.split(".")):
                found.append(Problem("request", "expand", where, f"{path} cannot be expanded"))
        return found

    def _can_expand(self, schema: Schema, steps: list[str]) -> bool:
        checker = RequestChecker(self._description)
        for one in checker.alternatives(schema):
            if one.get("is_stub"):
                return True
            if one.get("type") == "array" and self._can_expand(one["items"], steps):
                return True
            if not steps:
                if one.get("type") == "object":
                    return True
            elif steps[0] in one.get("properties", {}) and self._can_expand(one["properties"][steps[0]], steps[1:]):
                return True
        return False

    # --- what comes back ------------------------------------------------------------------------------

    def check_answer(self, method: str, path: str, status: int, body: Any, sent: str = "") -> list[Problem]:
        target = urlsplit(path)
        if not 200 <= status < 300:
            return _check_error(status, body)
        operation = self._description.operation(method, target.path)
        if operation is None:
            return []  # check_request has said so
        params = forms.decode(sent if method == "POST" else target.query)
        expand = [one for one in params.get("expand", []) if isinstance(one, str)]
        return AnswerChecker(self._description, "answer").check(body, operation.answer, "", expand)

    def check_object(self, thing: Any, where: str = "object", path: str = "") -> list[Problem]:
        kind = thing.get("object") if isinstance(thing, dict) else None
        schema = self._description.objects.get(kind) if isinstance(kind, str) else None
        if schema is None:
            return [Problem(where, "unknown_object", path, f"no such object: {kind!r}")]
        return AnswerChecker(self._description, where).check(thing, schema, path, [])

    def check_event(self, event: Any) -> list[Problem]:
        schema = self._description.objects["event"]
        found = AnswerChecker(self._description, "event").check(event, schema, "", [])
        if found:
            return found
        data, kind = event["data"], event["type"]
        thing = data.get("object")
        if event.get("api_version") != self.version:
            found.append(Problem("event", "version", "api_version", f"{event.get('api_version')}, not {self.version}"))
        about = self._description.event_object(kind)
        if about is None:
            return [*found, Problem("event", "unknown_event", "type", f"what is {kind} about?")]
        found += AnswerChecker(self._description, "event").check(thing, about, "data.object", [])
        if isinstance(thing, dict) and thing.get("livemode", event["livemode"]) != event["livemode"]:
            found.append(Problem("event", "livemode", "data.object.livemode", "differs from the event's"))
        before = data.get("previous_attributes")
        if kind.endswith(".updated") and before is None:
            found.append(Problem("event", "previous_attributes", "data", "updated, and no word of what it was before"))
        for name in before or {}:
            if isinstance(thing, dict) and name not in thing:
                found.append(Problem("event", "previous_attributes", f"data.{name}", "not a field of the object"))
        return found


def _check_error(status: int, body: Any) -> list[Problem]:
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return [Problem("answer", "error_shape", "error", f"not an error as Stripe words it: {json.dumps(body)[:80]}")]
    if status not in STATUS_OF_ERROR.get(str(error.get("type")), ()):
        return [Problem("answer", "error_status", "error.type", f"{error.get('type')} with status {status}")]
    return []
