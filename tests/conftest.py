"""What every test may use. People have names: Amara supports, Marek moderates, Sam is a stranger."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.template import Context, RequestContext, Template
from django.test import Client, TransactionTestCase
from django.test.signals import template_rendered
from django.utils.safestring import SafeString
from pytest_django.plugin import DjangoDbBlocker

from tests.migrated_database import name_of_migrated

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(scope="session")
def django_db_modify_db_settings_tox_suffix() -> None:
    """Let two people run tests in one checkout: PYTEST_DB_SUFFIX tells their databases apart."""
    suffix = os.environ.get("PYTEST_DB_SUFFIX")
    if suffix:
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = f"test_pugmark_{suffix}"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Begin each worker's database as a copy of one that is made once."""
    with django_db_blocker.unblock():
        settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = name_of_migrated()


def empty_what_was_written(_: TransactionTestCase) -> None:
    """Bring the database back to empty after a test that committed.

    Django truncates every table, makes every permission anew and takes a fifth of a second for it; hundreds of tests
    write a few rows in a few tables. Triggers are off meanwhile, the foreign keys' and the append-only tables' alike,
    which takes a superuser of the database, as the embedded one's is.
    """
    kept = {"django_migrations", "django_content_type", "auth_permission"}
    tables = [connection.ops.quote_name(t) for t in connection.introspection.table_names() if t not in kept]
    # Asked as one row: as one row each, PostgreSQL plans for twice as long.
    question = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{table}' END" for table in tables)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT array_remove(ARRAY[{question}], NULL)")
        [written] = cursor.fetchone()
        if written:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("; ".join(f"DELETE FROM {table}" for table in written))


def tell_of_whole_pages(self: Template, context: Context) -> SafeString:
    """Tell the test client what a page was drawn from, but not what each piece of it was.

    Django tells of every template that another includes and of every field and widget of a form, a hundred and more
    for a page, each with a copy of everything it was drawn from. No test asks for those.
    """
    if context.template is self and isinstance(context, RequestContext):
        template_rendered.send(sender=self, template=self, context=context)
    return self.nodelist.render(context)


@pytest.fixture(autouse=True, scope="session")
def quick_settings(django_test_environment: None) -> Iterator[None]:
    """What hundreds of tests pay for and only production needs: slow passwords, truncated tables; and what nobody
    needs.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"])
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_what_was_written)
        patch.setattr(Template, "_render", tell_of_whole_pages)
        yield


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """A page that an earlier test made, with its settings, is of no use to the next."""
    from species.views.door import forget_all

    forget_all()


@pytest.fixture(autouse=True)
def asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test changes what pages show with a line of Python, and looks at once; tests of the sharing set their own."""
    monkeypatch.setattr("species.page_state.SHARED_FOR", 0)


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
