"""Starts the demonstration's processes, keeps them running, and leaves none behind."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from .child import CANNOT_RUN, LOCK_VARIABLE

STOP_WITHIN = 3.0  # seconds before a process that was asked to stop is made to
STEADY_AFTER = 60.0  # seconds after which a crash counts as the first again
LONGEST_PAUSE = 30.0
ASKS_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, kill, a closed terminal
PROJECT = Path(__file__).resolve().parents[2]


class CannotRunError(Exception):
    """The demonstration cannot run; the message says why in a sentence."""


class Console:
    """The terminal, shared by the supervisor and what its children print."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._held: list[str] | None = []  # start-up chatter, shown only if something goes wrong

    def say(self, text: str) -> None:
        with self._lock:
            self._write(text)

    def relay(self, name: str, line: str) -> None:
        with self._lock:
            text = f"{name:<10} | {line}"
            if self._held is None:
                self._write(text)
            else:
                self._held.append(text)

    def show_held(self) -> None:
        with self._lock:
            for text in self._held or ():
                self._write(text)
            self._held = None

    def drop_held(self) -> None:
        with self._lock:
            self._held = None

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # the terminal, or the reader of our pipe, has gone: we go on
            self._out.write(f"{text}\n")
            self._out.flush()


class Child:
    """One process with a session of its own, so that its whole family can be stopped and Ctrl-C reaches only us."""

    def __init__(self, name: str, *command: str, ports: Sequence[int] = ()) -> None:
        self.name = name
        self.ports = ports
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._started_at = 0.0
        self._start_again_at = 0.0
        self._crashes = 0

    def start(self, *, lock: Path, console: Console) -> None:
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "config.local.child", *self._command],
            cwd=PROJECT,
            env={"LOG_LEVEL": "WARNING", **os.environ, LOCK_VARIABLE: str(lock), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        if self._process.stdout:
            threading.Thread(target=self._relay, args=[self._process.stdout, console], daemon=True).start()

    def tend(self, *, lock: Path, console: Console) -> None:
        """Look after the process once: notice that it has stopped, or start it again when its pause is over."""
        if self._process is None:
            if time.monotonic() >= self._start_again_at:
                self.start(lock=lock, console=console)
            return
        code = self._process.poll()
        if code is None:
            return
        self.signal(signal.SIGKILL)  # what it may have left of its family holds its port
        if code == CANNOT_RUN:
            raise CannotRunError(f"The {self.name} cannot run: it says why above.")
        pause = self._next_pause()
        console.say(f"The {self.name} stopped ({describe(code)}); starting it again in {pause:g} s.")
        self._process = None
        self._start_again_at = time.monotonic() + pause

    def signal(self, signum: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signum)

    @property
    def is_gone(self) -> bool:
        """Has the whole family ended?"""
        if self._process is None:
            return True
        self._process.poll()
        try:
            os.killpg(self._process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return True
        return False

    def _next_pause(self) -> float:
        if time.monotonic() - self._started_at > STEADY_AFTER:
            self._crashes = 0
        self._crashes += 1
        return float(min(LONGEST_PAUSE, 2 ** (self._crashes - 1)))

    def _relay(self, output: IO[str], console: Console) -> None:
        with output:
            for line in output:
                if line.strip():
                    console.relay(self.name, line.rstrip())


class Supervisor:
    """Used as a context: whatever ends it, the children end with it."""

    def __init__(self, children: Sequence[Child], *, lock: Path, console: Console) -> None:
        self._children = children
        self._lock = lock
        self._console = console
        self._is_stopping = False
        self._is_preparing = True

    def __enter__(self) -> Self:
        self._file = take_lock(self._lock)
        self._handlers = {signum: signal.signal(signum, self._asked_to_stop) for signum in ASKS_TO_STOP}
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_preparing = False
        self._stop()
        self._lock.unlink(missing_ok=True)
        os.close(self._file)
        for signum, handler in self._handlers.items():
            signal.signal(signum, handler)

    def start(self) -> None:
        self._is_preparing = False
        for child in self._children:
            child.start(lock=self._lock, console=self._console)

    def tend(self, *, seconds: float = 0.1) -> bool:
        """Look after the children for a moment. False when somebody has asked us to stop."""
        for child in self._children:
            if not self._is_stopping:
                child.tend(lock=self._lock, console=self._console)
        if not self._is_stopping:
            time.sleep(seconds)
        return not self._is_stopping

    def _asked_to_stop(self, signum: int, frame: object) -> None:
        if self._is_preparing:
            raise KeyboardInterrupt  # out of whatever migration we are in; PostgreSQL rolls it back
        if self._is_stopping:  # asked twice
            for child in self._children:
                child.signal(signal.SIGKILL)
        self._is_stopping = True

    def _stop(self) -> None:
        self._is_stopping = True
        for signum in (signal.SIGTERM, signal.SIGKILL):
            for child in self._children:
                child.signal(signum)
            end = time.monotonic() + STOP_WITHIN
            while time.monotonic() < end:
                if all(child.is_gone for child in self._children):
                    return
                time.sleep(0.02)


def take_lock(path: Path) -> int:
    """Become the one supervisor of this port. Children of one that was killed are given time to end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 10
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.fstat(file).st_ino == path.stat().st_ino:
                return file
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRunError(
                "It is already running from this folder on this port. Stop that one first, or choose another port: "
                "PORT=8010 make run"
            ) from None
        finally:
            os.close(file)
        if time.monotonic() > end:
            raise CannotRunError("An earlier run was killed and its processes do not end. Look for them with: ps ax")
        time.sleep(0.05)


def describe(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
