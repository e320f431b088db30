"""An HTTP client for the `stripe` library that checks each exchange on its way."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import stripe

from tests.stripe_contract.contract import Contract
from tests.stripe_contract.problems import ContractBroken, Problem


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    sent: str
    status: int
    answer: Any
    headers: Mapping[str, str]
    problems: tuple[Problem, ...]


class CheckingClient(stripe.HTTPClient):
    """Raises ContractBroken on the first disagreement, unless it is told to be lenient and only write it down."""

    name = "requests"

    def __init__(self, contract: Contract, *, is_strict: bool = True, timeout: int = 20) -> None:
        super().__init__()
        self._inner = stripe.RequestsClient(timeout=timeout)
        self._contract, self._is_strict = contract, is_strict
        self._keys: dict[str, tuple[str, str]] = {}
        self.exchanges: list[Exchange] = []

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **more: Any
    ) -> tuple[Any, int, Mapping[str, str]]:
        target = urlsplit(url)
        path = f"{target.path}?{target.query}" if target.query else target.path
        method, sent = method.upper(), post_data.decode() if isinstance(post_data, bytes) else post_data or ""
        problems = self._contract.check_request(method, path, sent, headers or {})
        problems += self._check_key(path, sent, headers or {})
        content, status, answered = self._inner.request(method.lower(), url, headers, post_data, **more)
        answer = json.loads(content)
        problems += self._contract.check_answer(method, path, status, answer, sent)
        self.exchanges.append(Exchange(method, path, sent, status, answer, answered, tuple(problems)))
        if problems and self._is_strict:
            raise ContractBroken(problems)
        return content, status, answered

    def _check_key(self, path: str, sent: str, headers: Mapping[str, str]) -> list[Problem]:
        """The same key for another request: Stripe answers 400."""
        key = headers.get("Idempotency-Key")
        if not key or self._keys.setdefault(key, (path, sent)) == (path, sent):
            return []
        return [Problem("request", "idempotency", "Idempotency-Key", "used before for another request")]

    def close(self) -> None:
        self._inner.close()  # type: ignore[no-untyped-call]  # the library has not annotated it
