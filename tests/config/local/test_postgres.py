"""The embedded server is started by whoever needs it first and stopped by nobody: it must notice that by itself."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from .checkouts import copy_of_postgres, environment_in, eventually, open_to_postgres, pids_of, processes_in

# Says "ready <server's start time>" once connected, and holds the server until its input ends.
USER = """
import sys, psycopg
from config.local import postgres
postgres.ensure_running()
where = {"host": postgres.DATABASE["HOST"], "port": postgres.DATABASE["PORT"], "user": "postgres", "dbname": "postgres"}
with psycopg.connect(**where) as connection:
    print("ready", connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0].isoformat(), flush=True)
sys.stdin.read()
"""
POSTMASTER = "data/postmaster.pid"


class User:
    """A process that uses the server of a checkout."""

    started: ClassVar[list["User"]] = []

    def __init__(self, checkout: Path, script: str = USER, **environment: str) -> None:
        self.checkout = checkout
        self.process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=checkout,
            env=environment_in(checkout, **environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(self)

    def server(self) -> str:
        """When the server that it is connected to was started, which tells one server from another."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready "), self.process.stderr.read()
        return line.removeprefix("ready ").strip()

    def leave(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def place(folder: Path) -> Iterator[Path]:
    """A checkout at this path, in which no process may be left at the end."""
    copy_of_postgres(folder)
    yield folder
    for user in [user for user in User.started if user.checkout == folder]:
        with user.process:
            user.kill()
        User.started.remove(user)
    eventually(lambda: not processes_in(folder), "the server stopped after its last user had gone")


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    with place(open_to_postgres(tmp_path / "checkout")) as folder:
        yield folder


def home(checkout: Path) -> Path:
    return checkout / ".local" / "postgres"


def keeper(checkout: Path) -> int:
    [pid] = pids_of(checkout, f"{checkout}/config/local/postgres/__init__.py")
    return pid


def postmaster(checkout: Path) -> int:
    return int((home(checkout) / POSTMASTER).read_text().split()[0])


def test_server_starts_with_the_first_connection_and_not_before(checkout: Path) -> None:
    importing = User(checkout, "from config.local import postgres; print('ready', postgres.HOME, flush=True); input()")
    assert importing.server() == str(home(checkout))
    assert not home(checkout).exists()
    importing.kill()


def test_server_outlives_one_user_and_not_the_last(checkout: Path) -> None:
    amara, marek = User(checkout), User(checkout)
    server = amara.server()
    assert marek.server() == server
    amara.kill()
    sam = User(checkout)
    assert sam.server() == server
    sam.leave()
    marek.kill()
    eventually(lambda: not (home(checkout) / POSTMASTER).exists(), "the server stopped")


def test_data_is_kept_for_the_next_time(checkout: Path) -> None:
    first = User(checkout, USER.replace("    print", "    connection.execute('CREATE TABLE kept ()')\n    print"))
    server = first.server()
    first.leave()
    eventually(lambda: not processes_in(checkout), "the server stopped")
    second = User(checkout, USER.replace("    print", "    connection.execute('SELECT FROM kept')\n    print"))
    assert second.server() > server
    second.leave()


def test_ten_at_once_share_one_server(checkout: Path) -> None:
    users = [User(checkout) for _ in range(10)]
    assert len({user.server() for user in users}) == 1
    for user in users:
        user.kill()


def test_killed_keeper_is_replaced(checkout: Path) -> None:
    amara = User(checkout)
    server = amara.server()
    killed = keeper(checkout)
    os.kill(killed, signal.SIGKILL)
    sam = User(checkout)
    assert sam.server() == server  # amara's work was not interrupted
    assert keeper(checkout) != killed
    sam.leave()
    amara.leave()


def test_killed_server_comes_back_with_the_next_connection(checkout: Path) -> None:
    amara = User(checkout)
    server = amara.server()
    killed = postmaster(checkout)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{killed}/exe").exists(), "the server died")
    sam = User(checkout)
    assert sam.server() > server
    amara.leave()
    sam.leave()


def test_interrupted_initdb_is_begun_again(checkout: Path) -> None:
    half = home(checkout) / "data.unfinished"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    user = User(checkout)
    assert user.server()
    user.leave()
    assert not half.exists()


def test_process_number_that_belongs_to_another_process_does_not_stop_the_start(checkout: Path) -> None:
    first = User(checkout)
    first.server()
    os.kill(keeper(checkout), signal.SIGKILL)
    killed = postmaster(checkout)
    note = (home(checkout) / POSTMASTER).read_text().splitlines()
    os.kill(killed, signal.SIGKILL)
    first.leave()
    eventually(lambda: not processes_in(checkout), "everything died, as in a power cut")
    (home(checkout) / POSTMASTER).write_text("\n".join([str(os.getpid()), *note[1:]]) + "\n")
    second = User(checkout)
    assert second.server()
    second.leave()


def test_copy_of_a_running_checkout_has_a_server_of_its_own(checkout: Path) -> None:
    amara = User(checkout)
    server = amara.server()
    with place(checkout.with_name("copy")) as copy:
        shutil.copytree(home(checkout), home(copy), ignore=shutil.ignore_patterns(".s.PGSQL*"))
        for path in (home(copy), *home(copy).rglob("*")):  # as `cp -a` does
            same = (home(checkout) / path.relative_to(home(copy))).stat()
            os.chown(path, same.st_uid, same.st_gid)
        sam = User(copy)
        assert sam.server() != server
        sam.leave()
    amara.leave()


@pytest.mark.parametrize("name", ["with spaces", "comma, 'quote' and ünïcode 豹", "long " * 30])
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    with place(open_to_postgres(tmp_path / name.strip())) as checkout:
        user = User(checkout)
        assert user.server()
        user.leave()


def test_socket_of_a_long_path_is_tidied_away(tmp_path: Path) -> None:
    script = USER.replace('"ready"', '"ready", postgres.SOCKETS')
    with place(open_to_postgres(tmp_path / ("long " * 30).strip())) as checkout:
        user = User(checkout, script)
        sockets = Path(user.server().split()[0])
        assert sockets.parent == Path("/tmp")
        assert sockets.stat().st_mode & 0o777 == 0o700
        user.leave()
    eventually(lambda: not sockets.exists(), "the folder of the socket was gone")


def test_server_stops_even_if_its_path_was_closed_meanwhile(checkout: Path) -> None:
    user = User(checkout)
    assert user.server()
    checkout.chmod(0o700)
    user.leave()  # and the fixture waits for the end of all processes


def test_environment_of_the_caller_does_not_matter(checkout: Path) -> None:
    user = User(checkout, PGPORT="1", PGDATA="/nowhere", PGHOST="nowhere.invalid", HOME="", LC_ALL="xx_XX.utf8")
    assert user.server()
    user.leave()


def test_folder_that_is_not_ours_is_refused(checkout: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    home(checkout).parent.mkdir()
    home(checkout).symlink_to(elsewhere)
    user = User(checkout)
    _, errors = user.process.communicate()
    assert f"{home(checkout)} belongs to another account." in errors


def test_start_that_fails_says_what_the_server_said(checkout: Path) -> None:
    home(checkout).mkdir(parents=True)
    (home(checkout) / "data").mkdir()  # no database in it
    user = User(checkout)
    _, errors = user.process.communicate()
    assert "PostgreSQL did not start." in errors
    assert "postgresql.conf" in errors or "not a database cluster directory" in errors


def test_release_returns_when_the_server_has_stopped(checkout: Path) -> None:
    script = USER.replace(
        "sys.stdin.read()", "postgres.release(wait=60); print('released', flush=True); sys.stdin.read()"
    )
    user = User(checkout, script)
    assert user.server()
    assert user.process.stdout is not None
    assert user.process.stdout.readline() == "released\n"
    assert not (home(checkout) / POSTMASTER).exists()
    user.leave()


def test_release_does_not_wait_for_others(checkout: Path) -> None:
    amara = User(checkout)
    server = amara.server()
    sam = User(checkout, USER.replace("sys.stdin.read()", "postgres.release(wait=60); print('released', flush=True)"))
    assert sam.server() == server
    began = time.monotonic()
    assert sam.process.stdout is not None
    assert sam.process.stdout.readline() == "released\n"
    assert time.monotonic() - began < 30
    sam.leave()
    amara.leave()


def test_server_is_refused_when_debug_is_off(checkout: Path) -> None:
    script = """
from django.conf import settings
from config.local.postgres import DATABASE
settings.configure(DEBUG=False, DATABASES={"default": DATABASE})
from django.db import connection
connection.ensure_connection()
"""
    user = User(checkout, script)
    _, errors = user.process.communicate()
    assert "ImproperlyConfigured: The embedded PostgreSQL is for development; set DATABASE_URL." in errors
    assert not home(checkout).exists()
