"""Where every API request arrives: who is asking, was it asked before, what is asked, and the answer in JSON."""

import hashlib
import json
import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from adoptions.stripe_standin import answers
from adoptions.stripe_standin.answers import ApiError
from adoptions.stripe_standin.api import billing_calls, checkout_calls, customer_calls, event_calls, money_calls
from adoptions.stripe_standin.api.calls import Call
from adoptions.stripe_standin.books import API_VERSION, Books, new_id
from adoptions.stripe_standin.clock import DAY
from adoptions.stripe_standin.parameters import read_form
from adoptions.stripe_standin.state import Object

log = logging.getLogger(__name__)

CALLS: list[Call] = [
    *checkout_calls.CALLS,
    *customer_calls.CALLS,
    *billing_calls.CALLS,
    *money_calls.CALLS,
    *event_calls.CALLS,
]


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    key: str
    idempotency_key: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    request_id: str
    replayed: bool = False

    def headers(self) -> dict[str, str]:
        again = {"Idempotent-Replayed": "true"} if self.replayed else {}
        return {
            "Content-Type": "application/json",
            "Request-Id": self.request_id,
            "Stripe-Version": API_VERSION,
            **again,
        }


def answer(books: Books, request: Request, secret_key: str) -> Answer:
    request_id = new_id("req_", 14)
    try:
        _check_key(request, secret_key)
        with books.change():
            return _answer_once(books, request, request_id)
    except ApiError as error:
        return Answer(error.status, _encode(error.body), request_id)


def _check_key(request: Request, secret_key: str) -> None:
    if not request.key:
        raise ApiError("You did not provide an API key.", status=401)
    if request.key != secret_key:
        raise ApiError(f"Invalid API Key provided: {request.key[:7]}****", status=401, code="api_key_expired")


def _answer_once(books: Books, request: Request, request_id: str) -> Answer:
    """The same key with the same request gets the first answer again, whatever it was."""
    key = request.idempotency_key if request.method == "POST" else ""
    if not key:
        status, body = _work_on(books, request, request_id)
        return Answer(status, body, request_id)
    if len(key) > 255:
        raise ApiError("Idempotency keys hold at most 255 characters.", kind="idempotency_error")
    asked = hashlib.sha256(f"{request.target}\n".encode() + request.body).hexdigest()
    kept = books.get("_answered", key)
    if kept:
        if kept["asked"] != asked:
            raise ApiError(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        return Answer(kept["status"], kept["body"].encode(), kept["request_id"], replayed=True)
    status, body = _work_on(books, request, request_id)
    kept = {"asked": asked, "status": status, "body": body.decode(), "request_id": request_id, "at": books.now()}
    books.put("_answered", key, kept)
    return Answer(status, body, request_id)


def forget_old_answers(books: Books) -> None:
    """Stripe keeps them for a day at least."""
    with books.change():
        for key, kept in books.items("_answered"):
            if kept["at"] < books.now() - DAY:
                books.remove("_answered", key)


def _work_on(books: Books, request: Request, request_id: str) -> tuple[int, bytes]:
    """Refusals over parameters are raised, and so are not remembered; a declined payment is an answer."""
    path, query = urlsplit(request.target)[2:4]
    call, ids = _route(request.method, path)
    try:
        params: Object = call.rule(read_form(request.body.decode() if request.method == "POST" else query), "")
    except UnicodeDecodeError:
        raise ApiError("The body is not UTF-8.") from None
    books.request = {"id": request_id, "idempotency_key": request.idempotency_key or None}
    try:
        thing = call.answer(books, params, *ids)
        return 200, _encode(answers.shown(books, thing, params.get("expand", [])))
    except ApiError as error:
        if error.status != 402:
            raise
        return error.status, _encode(error.body)
    finally:
        books.request = None


def _route(method: str, path: str) -> tuple[Call, tuple[str, ...]]:
    for call in CALLS:
        match = call.pattern.fullmatch(path)
        if match and call.method == method:
            return call, match.groups()
    raise ApiError(f"Unrecognized request URL ({method}: {path}).", status=404)


def _encode(body: Object) -> bytes:
    return json.dumps(body, indent=2).encode()
