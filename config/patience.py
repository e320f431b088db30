"""How long anybody waits for another system: one visitor, whatever their request asks of it, eight seconds in all.

The clock starts with the request, so a page that asks three times waits no longer than one that asks once. Tasks have
no visitor; each of their calls has its own, equally short, time.
"""

from contextvars import ContextVar
from datetime import timedelta
from time import monotonic_ns
from typing import Any

from django.core.signals import request_finished, request_started
from django.dispatch import receiver

CONNECT, READ = timedelta(seconds=2), timedelta(seconds=6)
PATIENCE = CONNECT + READ
LEAST = timedelta(milliseconds=300)  # asking with less time than this only makes Stripe work for nobody

_until: ContextVar[timedelta | None] = ContextVar("until", default=None)


def now() -> timedelta:
    return timedelta(microseconds=monotonic_ns() // 1000)


@receiver(request_started, dispatch_uid="patience")
def begin(**kwargs: Any) -> None:
    _until.set(now() + PATIENCE)


@receiver(request_finished, dispatch_uid="patience")
def end(**kwargs: Any) -> None:
    _until.set(None)


def left() -> timedelta:
    until = _until.get()
    return PATIENCE if until is None else until - now()


def is_at_an_end() -> bool:
    return left() < LEAST


def timeouts() -> tuple[float, float]:
    """Seconds to connect and seconds to wait for the answer, in all no more than is left."""
    whole = max(left(), LEAST)
    connect = min(CONNECT, whole // 2)
    return connect.total_seconds(), min(READ, whole - connect).total_seconds()
