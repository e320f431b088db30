"""What every test may use. People have names: Amara supports, Marek moderates, Sam is a stranger."""

import os
import socket
from collections.abc import Iterator
from typing import Any

# Before Django reads its settings: tests run on a development site, on the embedded PostgreSQL unless told otherwise.
os.environ["DEBUG"] = "True"
for variable in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "STRIPE_API_BASE", "SITE_URL", "EMAIL_URL"):
    os.environ.pop(variable, None)
# Playwright keeps an event loop running in the test's thread; Django would take that for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

import pytest  # noqa: E402  the environment comes first
from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Let two people run tests in one checkout: PYTEST_DB_SUFFIX tells their databases apart."""
    suffix = os.environ.get("PYTEST_DB_SUFFIX")
    if suffix:
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = f"test_pugmark_{suffix}"


@pytest.fixture(autouse=True, scope="session")
def only_this_machine() -> Iterator[None]:
    """No test talks to anything but this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "127.0.0.1"
        if not str(host).startswith(LOOPBACK):
            raise AssertionError(f"A test tried to reach {host}.")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture
def browser_client() -> Client:
    """A client that checks CSRF, as a browser would meet it."""
    return Client(enforce_csrf_checks=True)
