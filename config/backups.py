"""The whole site in one folder, and back: every row of the database, and every file of `media/`, with checksums.

    manage.py backup            # 2026-01-31T024000Z/, complete or not there at all
    manage.py backup --check    # is the newest fresh and whole?
    manage.py restore FOLDER    # into an empty database alone

The rows are PostgreSQL's own COPY streams, taken in one snapshot; the tables are made by our migrations, brought to
where they were. `pg_dump` would do it too, but refuses a server newer than itself: the machine would need the client
of its database's own version, which neither the image nor many a host has. This needs what the site needs already,
its owner's role is enough, and each row that comes back is compared with what went in.
"""

import fcntl
import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from psycopg import sql

from . import heartbeat

MANIFEST = "manifest.json"
FORMAT = 1
BLOCK = 1 << 20
NAMED = "%Y-%m-%dT%H%M%SZ"
OLDEST = timedelta(hours=26)  # made every night; two hours for a night on which it takes long
PROCESS = "backup"  # under which heartbeat.py remembers the last one

# What a stream looks like must not depend on anybody's settings; and a large table takes longer than a request may.
SAME_EVERYWHERE = """
SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL synchronize_seqscans = off;
SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC';
SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex'
"""
TABLES = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
AND a.attgenerated = '' GROUP BY c.relname ORDER BY c.relname
"""
ANYTHING = (
    "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v', 'S')"
)
SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() ORDER BY sequencename"

Manifest = dict[str, Any]


class Faulty(Exception):
    """Why a backup cannot be made, trusted or brought back, in a sentence for the operator."""


# --- making one -------------------------------------------------------------------------------------------


def make(into: Path) -> Path:
    """Write a backup and return its folder, which has its name only once all of it is on the disk."""
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _one_at_a_time(into):
        whole = into / timezone.now().strftime(NAMED)
        part = into / f"{whole.name}.part"
        (part / "tables").mkdir(mode=0o700, parents=True)
        try:
            _write(part)
            part.rename(whole)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        _to_disk(into)
    heartbeat.beat(PROCESS)
    return whole


@contextmanager
def _one_at_a_time(into: Path) -> Iterator[None]:
    with (into / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Faulty(f"Another backup into {into} is being made.") from error
        for left in into.glob("*.part"):  # of one that was killed
            shutil.rmtree(left)
        yield


def _write(part: Path) -> None:
    rows = _write_rows(part)
    media = {name: _write_file(part, name) for name in _stored("")}
    manifest = {"format": FORMAT, "made_at": timezone.now().isoformat(), **rows, "media": media}
    (part / MANIFEST).write_text(json.dumps(manifest, indent=1))
    for path in (*part.rglob("*"), part):
        _to_disk(path)


def _write_rows(part: Path) -> Manifest:
    """All tables as they were at one moment, whoever writes meanwhile."""
    connection.close()  # what is read below must be the first thing that its transaction sees
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(SAME_EVERYWHERE)
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        migrations = cursor.fetchall()
        tables = {}
        for table, columns in _tables():
            with gzip.open(part / "tables" / f"{table}.gz", "wb", compresslevel=3) as file:
                tables[table] = {"columns": columns, **_measured(_copied_out(table, columns), file)}
        return {"migrations": migrations, "tables": tables, "sequences": _sequences()}


def _tables() -> list[tuple[str, list[str]]]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        return list(cursor.fetchall())


def _sequences() -> dict[str, tuple[int, bool]]:
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(SEQUENCES)
        for (name,) in cursor.fetchall():
            cursor.execute(_sql("SELECT last_value, is_called FROM {}", name))
            found[name] = cursor.fetchone()
    return found


def _sql(statement: LiteralString, name: str, columns: Iterable[str] = ()) -> str:
    """With the name of a table, and its columns, in place of the braces."""
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL(statement).format(sql.Identifier(name), listed).as_string()


def _copied_out(table: str, columns: list[str]) -> Iterator[bytes]:
    with connection.cursor() as cursor, cursor.copy(_sql("COPY {} ({}) TO STDOUT", table, columns)) as rows:
        for block in rows:
            yield bytes(block)


def _stored(folder: str) -> Iterator[str]:
    """Every file in the storage of uploads, wherever that is."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # nobody has uploaded anything yet
        return
    yield from (f"{folder}{name}" for name in sorted(files))
    for each in sorted(folders):
        yield from _stored(f"{folder}{each}/")


def _write_file(part: Path, name: str) -> dict[str, Any]:
    target = part / "media" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with default_storage.open(name) as source, target.open("wb") as file:
        return _measured(_blocks(source), file)


def _blocks(file: Any) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _measured(blocks: Iterable[bytes], file: Any = None) -> dict[str, Any]:
    """Size and SHA-256 of what was read, and, if a file is given, written to it."""
    size, digest = 0, hashlib.sha256()
    for block in blocks:
        size += len(block)
        digest.update(block)
        if file:
            file.write(block)
    return {"bytes": size, "sha256": digest.hexdigest()}


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# --- looking after them -----------------------------------------------------------------------------------


def all_in(folder: Path) -> list[Path]:
    """The complete ones, oldest first."""
    return sorted(path.parent for path in folder.glob(f"*Z/{MANIFEST}"))


def made_at(backup: Path) -> datetime:
    return datetime.strptime(backup.name, NAMED).replace(tzinfo=timezone.get_fixed_timezone(0))


def forget_old(folder: Path, *, days: int) -> int:
    """Delete those older than so many days, but never the newest."""
    old = [each for each in all_in(folder)[:-1] if made_at(each) < timezone.now() - timedelta(days=days)]
    for each in old:
        (each / MANIFEST).unlink()  # first: what is half deleted is no backup
        shutil.rmtree(each)
    return len(old)


def faults(folder: Path) -> list[str]:
    """What is wrong with the newest backup, in sentences: too old, not whole, or far smaller than the one before."""
    found = all_in(folder)
    if not found:
        return [f"There is no backup in {folder}."]
    newest = found[-1]
    age = timezone.now() - made_at(newest)
    wrong = [f"{newest.name} is {age / timedelta(hours=1):.0f} hours old."] if age > OLDEST else []
    if len(found) > 1 and _size(newest) < _size(found[-2]) / 2:
        wrong.append(f"{newest.name} is less than half the size of {found[-2].name}.")
    try:
        read(newest)
    except Faulty as fault:
        wrong.append(str(fault))
    return wrong


def _size(backup: Path) -> int:
    manifest = json.loads((backup / MANIFEST).read_text())
    return sum(part["bytes"] for kind in ("tables", "media") for part in manifest[kind].values())


def read(backup: Path) -> Manifest:
    """What a backup says it holds, after every file of it has been compared with that."""
    try:
        manifest: Manifest = json.loads((backup / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise Faulty(f"{backup} is no backup, or not a whole one.") from error
    if manifest["format"] != FORMAT:
        raise Faulty(f"{backup} was made by another version of the site (format {manifest['format']}).")
    for table, promised in manifest["tables"].items():
        _compare(f"tables/{table}.gz", lambda table=table: _unpacked(backup, table), promised)
    for name, promised in manifest["media"].items():
        _compare(f"media/{name}", lambda name=name: _plain(backup / "media" / name), promised)
    return manifest


def _compare(what: str, found: Any, promised: dict[str, Any]) -> None:
    try:
        measured = _measured(found())
    except (OSError, EOFError) as error:
        raise Faulty(f"{what} cannot be read.") from error
    if measured != {name: promised[name] for name in measured}:
        raise Faulty(f"{what} is not what was written.")


def _unpacked(backup: Path, table: str) -> Iterator[bytes]:
    with gzip.open(backup / "tables" / f"{table}.gz", "rb") as file:
        yield from _blocks(file)


def _plain(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from _blocks(file)


# --- bringing one back ------------------------------------------------------------------------------------


def restore(backup: Path, *, with_media: bool = True) -> Manifest:
    """Fill an empty database, and the storage of uploads, from a backup that has been found whole.

    Files come first: should anything fail there, the database is as empty as before. Then tables as the migrations of
    that day make them, then all rows in one transaction. Whatever is newer is for `manage.py migrate` afterwards.
    """
    manifest = read(backup)
    with connection.cursor() as cursor:
        cursor.execute(ANYTHING)
        [there] = cursor.fetchone()
    if there:
        raise Faulty("The database is not empty. Make a new one; nothing is ever restored over what is there.")
    executor = MigrationExecutor(connection)
    then = {(app, name) for app, name in manifest["migrations"]}
    unknown = then - set(executor.loader.disk_migrations)
    if unknown:
        raise Faulty(f"The backup was made by a newer version of the site: {min(unknown)} is not known to this one.")
    if with_media:
        _bring_files_back(backup, manifest["media"])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    executor.migrate(sorted(then), plan=[(each, back) for each, back in plan if (each.app_label, each.name) in then])
    _bring_rows_back(backup, manifest)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return manifest


def _bring_files_back(backup: Path, media: Manifest) -> None:
    for name, promised in media.items():
        if default_storage.exists(name):
            with default_storage.open(name) as file:
                _compare(f"The file {name} that is already there", lambda file=file: _blocks(file), promised)
        else:
            with (backup / "media" / name).open("rb") as file:
                default_storage.save(name, file)


def _bring_rows_back(backup: Path, manifest: Manifest) -> None:
    """Our own triggers are off meanwhile: they ran when the rows were first written. Constraints all hold.

    What the migrations wrote by themselves goes first. Foreign keys are looked at when all rows are there.
    """
    tables = manifest["tables"]
    if {name: about["columns"] for name, about in tables.items()} != dict(_tables()):
        raise Faulty("The migrations of this version make other tables than the backup holds.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SAME_EVERYWHERE)
        for table in tables:
            cursor.execute(_sql("ALTER TABLE {} DISABLE TRIGGER USER", table))
        cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, tables))}")
        for table, about in tables.items():
            with cursor.copy(_sql("COPY {} ({}) FROM STDIN", table, about["columns"])) as rows:
                for block in _unpacked(backup, table):
                    rows.write(block)
        for sequence, (value, is_called) in manifest["sequences"].items():
            cursor.execute("SELECT setval(%s::regclass, %s, %s)", [_sql("{}", sequence), value, is_called])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, about in tables.items():
            cursor.execute(_sql("ALTER TABLE {} ENABLE TRIGGER USER", table))
            _compare(f"The table {table}", lambda t=table, a=about: _copied_out(t, a["columns"]), about)
