"""What a line of the log holds: what went wrong, and the ids by which it is found. Never a person, never a secret.

Each line says which request or task it belongs to; the number of a request is on its error page too, for a supporter
to quote. Django logs the path of every request that it refuses, and whoever reads the log could follow the link: into a
present, a certificate, or the comments that wait for a moderator. An exception's own words often quote the value that
it is about (PostgreSQL names the address that it refuses), so only its kind and its way through the code are kept.
"""

import copy
import json
import logging
import re
import secrets
import traceback
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

# Every secret of ours is longer than any slug or file name of a page: 22 characters of base64 are 128 bits.
SECRET = re.compile(r"(?<=/)(?=[^/]*\d|[^/]*[A-Z])[\w:-]{22,}")
FROM_OUTSIDE = re.compile(r"[A-Za-z0-9-]{8,64}")
TOP = f"{Path(__file__).resolve().parents[1]}/"
PACKAGES = "site-packages/"

type Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_ids: ContextVar[dict[str, str]] = ContextVar("ids")  # {"request": …} or {"task": …}, of what this thread is at


def ids() -> dict[str, str]:
    """The number of the request or task that this thread is at, under the name of which it is."""
    return dict(_ids.get({}))


def request_id() -> str:
    """The number of the request that is being answered; nothing outside of one."""
    return _ids.get({}).get("request", "")


def name_requests[R: Any, A: Any](get_response: Callable[[R], A]) -> Callable[[R], A]:
    """Give each request a number, in its log lines and in its answer.

    A number from outside is taken only from a server in front that is ours; from anybody else it could be any.
    """
    from django.conf import settings

    is_behind_ours = settings.SECURE_PROXY_SSL_HEADER is not None

    def middleware(request: R) -> A:
        given = request.headers.get("X-Request-ID", "") if is_behind_ours else ""
        number = given if FROM_OUTSIDE.fullmatch(given) else secrets.token_hex(6)
        token = _ids.set({"request": number})
        try:
            response = get_response(request)
            if "public" not in response.headers.get("Cache-Control", ""):  # what all visitors share is the same for all
                response.headers["X-Request-ID"] = number
            return response
        finally:
            _ids.reset(token)

    return middleware


def begin_task(task_result: Any, **kwargs: Any) -> None:
    """On `task_started`: what is logged from here on belongs to this task."""
    _ids.set({"task": str(task_result.id)})


def end_task(**kwargs: Any) -> None:
    """On `task_finished`."""
    _ids.set({})


class WithoutSecrets(logging.Filter):
    """Paths in a line lose their secrets. Other handlers get the record as it was."""

    def filter(self, record: logging.LogRecord) -> logging.LogRecord:
        if not isinstance(record.args, tuple):
            return record
        found = copy.copy(record)
        found.args = tuple(SECRET.sub("(secret)", each) if isinstance(each, str) else each for each in record.args)
        return found


class Plain(logging.Formatter):
    """Lines for a person at a terminal. `with_words` shows what exceptions say: on a developer's machine alone."""

    def __init__(self, *, with_words: bool = False) -> None:
        super().__init__("{asctime} {levelname} {name}{ids} {message}", style="{")
        self.with_words = with_words

    def format(self, record: logging.LogRecord) -> str:
        record.ids = "".join(f" {kind}={number}" for kind, number in _ids.get({}).items())
        if not self.with_words:
            record.exc_text = None  # another handler may have written it out in full
        return super().format(record)

    def formatException(self, ei: Raised) -> str:  # noqa: N802  logging's name
        if self.with_words:
            return super().formatException(ei)
        told = [line for each in raised(ei[1]) for line in (f"{each['kind']} at", *(f"  {at}" for at in each["at"]))]
        return "\n".join(told)


class Json(logging.Formatter):
    """One object a line, for whatever collects them."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_ids.get({}),
        }
        if match := getattr(getattr(record, "request", None), "resolver_match", None):
            line["view"] = match.view_name
        if status := getattr(record, "status_code", None):
            line["status"] = status
        if record.exc_info and record.exc_info[1]:
            line["raised"] = list(raised(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False)


def raised(error: BaseException | None) -> Iterator[dict[str, Any]]:
    """An exception and those behind it: kind, the way through the code, and of PostgreSQL's what it is about."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        kind = type(error)
        about = getattr(error, "diag", None)
        names = ("sqlstate", "table_name", "column_name", "constraint_name")
        yield {
            "kind": f"{kind.__module__}.{kind.__qualname__}",
            "at": [_place(frame) for frame in traceback.extract_tb(error.__traceback__)],
            **{name: found for name in names if (found := getattr(about, name, None))},
        }
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _place(frame: traceback.FrameSummary) -> str:
    file = frame.filename.rpartition(PACKAGES)[2].removeprefix(TOP)
    return f"{file}:{frame.lineno} {frame.name}"
