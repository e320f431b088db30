"""A database with every migration applied, of which each worker's own is a copy.

Applying them takes a quarter of a minute of a processor's time and copying half a second. It is made anew when the text
of a migration has changed. Django migrates the copies all the same, for what is to be done after every migrating.
"""

import hashlib
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration

EMBEDDED = "config.local.postgres"
FILL = """
import subprocess, sys
from config.local import postgres
postgres.ensure_running()
psql = [postgres.binaries() / "psql", "-qX", "-h", postgres.SOCKETS, "-U", "postgres", "-v", "ON_ERROR_STOP=1"]
sys.exit(subprocess.run(psql, stdout=subprocess.DEVNULL).returncode)
"""
IMPORTED = re.compile(rb"^(?:import|from) ((?:adoptions|config|species)\.[\w.]+)", re.MULTILINE)
KEPT = 3  # the newest ones, for who goes to and fro between branches
LOCK = 3_811_204  # any number that nothing else locks by


def name_of_migrated() -> str:
    """The database to copy. It is there now: workers that ask at once wait for the one that makes it."""
    name = f"migrated_{digest()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # until this connection is closed
        cursor.execute(r"SELECT datname FROM pg_database WHERE datname ~ '^migrated_[0-9a-f]{16}$' ORDER BY oid")
        there = [name for (name,) in cursor.fetchall()]
        if name not in there:
            for old in there[: -KEPT + 1]:
                cursor.execute(f"DROP DATABASE IF EXISTS {old}")
            make(cursor, name)
    return name


def digest() -> str:
    """Of everything that decides how the tables end up."""
    whole = hashlib.sha256(f"{version('django')} {version('django-pgtrigger')}".encode())
    for place, migration in sorted(MigrationLoader(None).disk_migrations.items()):
        whole.update(repr(place).encode() + text_of(migration))
    return whole.hexdigest()[:16]


def text_of(migration: Migration) -> bytes:
    """With the modules of ours that it imports: the expression of a generated column stands in one."""
    own = text_of_module(type(migration).__module__)
    return b"".join([own, *(text_of_module(name.decode()) for name in IMPORTED.findall(own))])


def text_of_module(name: str) -> bytes:
    return Path(str(sys.modules[name].__file__)).read_bytes()


def make(cursor: Any, name: str) -> None:
    """Under another name until it is whole: whoever makes it may be stopped half-way."""
    unfinished = f"{name}_unfinished"
    cursor.execute(f"DROP DATABASE IF EXISTS {unfinished}")
    cursor.execute(f"CREATE DATABASE {unfinished}")
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = unfinished
    try:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
    cursor.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")


def put_into(checkout: Path) -> Path:
    """Fill the embedded PostgreSQL of a copy of the project, whose first start would migrate otherwise.

    The first start of all is tested in config/local/test_demo.py.
    """
    if settings.DATABASES["default"]["ENGINE"] == EMBEDDED:
        from config.local import postgres

        whose = ["-h", str(postgres.SOCKETS), "-U", "postgres"]
        dump = subprocess.run(
            [postgres.binaries() / "pg_dump", *whose, name_of_migrated()], stdout=subprocess.PIPE, check=True
        )
        subprocess.run([sys.executable, "-c", FILL], cwd=checkout, input=dump.stdout, check=True)
    return checkout
