"""What every test may use. People have names: Amara supports, Marek moderates, Sam is a stranger."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

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
