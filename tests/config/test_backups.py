"""A backup of a site with everything in it comes back row by row; one that is not whole is never taken for one."""

import errno
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from pytest_django import Settings

from adoptions.models import Adoption, Payment
from config import backups, heartbeat
from config.mail import queue_mail
from config.models import AuditEntry
from species.models import Comment
from tests.makers import make_active_adoption
from tests.our_content import put_our_content
from tests.species.makers import make_approved_comment, make_moderator

KEEPER = "pugmark_restorer"  # owns the new database and is no superuser, as at any company that runs PostgreSQL
PICTURE = "pictures/3f2a.jpg"

# Each answers with one text for the whole database, whatever its name.
STRUCTURE = {
    "triggers": "SELECT concat_ws(' ', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE NOT tgisinternal",
    "constraints": "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated) "
    "FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "columns": "SELECT concat_ws(' ', table_name, column_name, data_type, column_default, is_nullable, "
    "generation_expression) "
    "FROM information_schema.columns WHERE table_schema = 'public'",
    "functions": "SELECT pg_get_functiondef(p.oid) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace "
    "AND prokind = 'f' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
}


def ask(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def everything() -> dict[str, Any]:
    """The database by other means than the backup's own: each row as text, sequences, and what guards the rows."""
    found: dict[str, Any] = {name: sorted(ask(statement)) for name, statement in STRUCTURE.items()}
    for (table,) in ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        found[table] = ask(f'SELECT t::text FROM "{table}" t ORDER BY 1')
    for (name,) in ask("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"):
        found[name] = ask(f'SELECT last_value, is_called FROM "{name}"')
    return found


@contextmanager
def another_database() -> Iterator[None]:
    """An empty one of a role that may do little; the connection is on it meanwhile."""
    ours = dict(connection.settings_dict)
    name = f"{ours['NAME']}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(
            f"DO $$ BEGIN CREATE ROLE {KEEPER} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$"
        )
        cursor.execute(f'CREATE DATABASE "{name}" OWNER {KEEPER}')
    connection.close()
    connection.settings_dict.update(NAME=name, USER=KEEPER)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(NAME=ours["NAME"], USER=ours["USER"])
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')


def fill(settings: Settings) -> None:
    """Each kind of row that the site knows to make in bulk, our species, and what only people write."""
    put_our_content()
    settings.DEBUG = True
    call_command("make_load", adoptions=1000, stdout=StringIO())
    settings.DEBUG = False
    make_active_adoption()
    make_approved_comment("Beautiful.\tTab, \\ backslash,\r\nline, \u2028 and 🐆.")
    queue_mail("manage_link", to="amara@example.org", key="1", context={"code": "1", "link": "/", "minutes": 15})
    AuditEntry.objects.create(by=make_moderator(), act="looked", path="/admin/", rows=["1", "a,b", '"'])
    default_storage.save(PICTURE, ContentFile(os.urandom(300_000)))
    default_storage.save("top.txt", ContentFile(b""))


@pytest.fixture
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return Path(settings.MEDIA_ROOT)


@pytest.mark.threat("X8")
@pytest.mark.django_db(transaction=True)
def test_backup_comes_back_row_by_row(settings: Settings, media: Path, tmp_path: Path) -> None:
    fill(settings)
    call_command("backup", into=tmp_path / "kept", stdout=StringIO())
    [backup] = backups.all_in(tmp_path / "kept")
    with connection.cursor() as cursor:  # what the backup does by itself at its end
        cursor.execute("DELETE FROM config_heartbeat")
    before, files = everything(), {path: path.read_bytes() for path in media.rglob("*") if path.is_file()}
    assert sum(len(rows) for rows in before.values()) > 9_000
    shutil.rmtree(media)
    with another_database():
        said = StringIO()
        call_command("restore", backup, stdout=said)
        assert "1 mails waited" in said.getvalue()
        after = everything()
        assert {name for name in before if before[name] != after[name]} == set()
        assert before.keys() == after.keys()
        assert {path: path.read_bytes() for path in media.rglob("*") if path.is_file()} == files
        call_command("migrate", check_unapplied=True, verbosity=0)
        # It goes on living: numbers go on, and what guards the rows is awake again.
        assert make_active_adoption().pk > 1000
        with pytest.raises(DatabaseError, match="Cannot update or delete"):
            AuditEntry.objects.all().delete()
        with pytest.raises(CommandError, match="not empty"):
            call_command("restore", backup)
    assert (Adoption.objects.count(), Payment.objects.count(), Comment.objects.count()) == (1001, 1001, 101)


@pytest.fixture
def kept(transactional_db: None, media: Path, tmp_path: Path) -> Path:
    """A folder with one small backup in it."""
    default_storage.save(PICTURE, ContentFile(b"a picture"))
    call_command("backup", into=tmp_path / "kept", stdout=StringIO())
    return tmp_path / "kept"


def check(folder: Path) -> str:
    """What `backup --check` has against the newest."""
    try:
        call_command("backup", into=folder, check=True, stdout=StringIO())
    except CommandError as error:
        return str(error)
    return ""


def test_backup_that_is_damaged_is_neither_trusted_nor_restored(kept: Path) -> None:
    assert check(kept) == ""
    [backup] = backups.all_in(kept)
    table, picture, manifest = backup / "tables/auth_user.gz", backup / "media" / PICTURE, backup / backups.MANIFEST
    hurts: dict[Path, tuple[Callable[[bytes], bytes], str]] = {
        table: (lambda whole: whole[:-6], "tables/auth_user.gz"),
        picture: (lambda whole: whole.replace(b"a", b"e"), f"media/{PICTURE} is not what was written."),
        manifest: (lambda whole: whole[: len(whole) // 2], "not a whole one"),
    }
    for file, (hurt, words) in hurts.items():
        whole = file.read_bytes()
        file.write_bytes(hurt(whole))
        assert words in check(kept)
        with pytest.raises(CommandError, match=words):
            call_command("restore", backup)
        file.write_bytes(whole)
    picture.unlink()
    assert f"media/{PICTURE} cannot be read." in check(kept)


def test_backup_on_a_full_disk_leaves_nothing_and_harms_nothing(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    there, first = sorted(kept.iterdir()), heartbeat.last_beat(backups.PROCESS)
    monkeypatch.setattr(backups, "_write_file", no_room)
    with time_machine.travel(timedelta(days=40)), pytest.raises(CommandError, match="No space left"):
        call_command("backup", into=kept, keep_days=1)
    assert sorted(kept.iterdir()) == there
    assert heartbeat.last_beat(backups.PROCESS) == first


def test_old_backups_go_once_there_is_a_newer_one_and_a_killed_one_leaves_no_trace(kept: Path) -> None:
    [first] = backups.all_in(kept)
    (kept / "2026-01-01T000000Z.part").mkdir()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=29), tick=False):
        assert "696 hours old" in check(kept)
        call_command("backup", into=kept, keep_days=30, stdout=StringIO())
        assert len(backups.all_in(kept)) == 2
    with time_machine.travel(datetime.now(UTC) + timedelta(days=31), tick=False):
        call_command("backup", into=kept, keep_days=30, stdout=StringIO())
    assert first not in backups.all_in(kept)
    assert len([path for path in kept.iterdir() if path.is_dir()]) == 2


def test_backup_far_smaller_than_the_last_is_told(kept: Path) -> None:
    [first] = backups.all_in(kept)
    manifest = json.loads((first / backups.MANIFEST).read_text())
    manifest["tables"]["auth_user"]["bytes"] = 10**9
    (first / backups.MANIFEST).write_text(json.dumps(manifest))
    with (
        time_machine.travel(datetime.now(UTC) + timedelta(minutes=1)),
        pytest.raises(CommandError, match="half the size"),
    ):
        call_command("backup", into=kept, stdout=StringIO())


def test_rows_are_of_one_moment(kept: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Somebody adopts while tables are being read: either none of their rows is in it, or all are."""
    measured = backups._measured
    seen: list[threading.Thread] = []

    def and_meanwhile(blocks: Any, file: Any = None) -> dict[str, Any]:
        if not seen:
            seen.append(threading.Thread(target=adopt))
            seen[0].start()
            seen[0].join()
        return measured(blocks, file)

    def adopt() -> None:
        make_active_adoption()
        connection.close()

    monkeypatch.setattr(backups, "_measured", and_meanwhile)
    backup = backups.make(tmp_path / "other")
    tables = backups.read(backup)["tables"]
    assert Adoption.objects.count() == 1
    assert {name: about["bytes"] for name, about in tables.items() if name.startswith("adoptions_a")} == {
        name: 0 for name in tables if name.startswith("adoptions_a")
    }


def test_two_backups_at_once_are_refused(kept: Path) -> None:
    with backups._one_at_a_time(kept), pytest.raises(CommandError, match="is being made"):
        call_command("backup", into=kept)
