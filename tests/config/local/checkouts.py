"""Copies of the project in which whole processes can be run and killed without touching a developer's data."""

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
PATIENCE = 180.0  # seconds; a busy build machine is slow, and nothing below waits longer than it must


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so; fail saying what was not."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"It never came true that {what}."
        time.sleep(0.02)


def copy_of_project(folder: Path) -> Path:
    """With what Python has compiled, or each of the many processes started there would begin with compiling."""
    for part in ("config", "adoptions", "species", "templates", "static"):
        shutil.copytree(PROJECT / part, folder / part)
    shutil.copy(PROJECT / "manage.py", folder)
    return folder


def copy_of_postgres(folder: Path) -> Path:
    """As much of a checkout as the embedded PostgreSQL needs."""
    shutil.copytree(
        PROJECT / "config/local/postgres",
        folder / "config/local/postgres",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return folder


def environment_in(folder: Path, **changes: str) -> dict[str, str]:
    """This process's environment for one in a copy. Where coverage is measured, the copy's lines count as ours."""
    environment = {**os.environ, **changes}
    if environment.pop("COVERAGE_PROCESS_CONFIG", None):  # it names our own folders
        settings = {
            "branch": True,
            "parallel": True,
            "sigterm": True,
            "data_file": str(PROJECT / ".coverage"),
            "source": [str(folder / app) for app in ("config", "species", "adoptions")],
            "omit": ["*/migrations/*"],
        }
        file = folder / "coverage.toml"
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items()]
        file.write_text("\n".join(["[tool.coverage.run]", *lines]))
        environment["COVERAGE_PROCESS_START"] = str(file)
    return environment


def processes_in(folder: Path) -> list[int]:
    """Every living process that works in this folder or was started from it.

    Asked fifty times a second while a test waits for an end, so without a Path for each of hundreds of files.
    """
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208  see above
        with suppress(OSError):
            if name.isdigit() and is_in(folder, f"/proc/{name}"):
                found.append(int(name))
    return [pid for pid in found if pid != os.getpid()]


def is_in(folder: Path, process: str) -> bool:
    needle = os.fsencode(folder)
    for part in ("cmdline", "environ"):
        with open(f"{process}/{part}", "rb", buffering=0) as file:  # noqa: PTH123  see above
            if needle in file.read():
                return True
    return f"{os.readlink(f'{process}/cwd')}/".startswith(f"{folder}/")  # noqa: PTH115  see above


def pids_of(folder: Path, *words: str) -> list[int]:
    """The processes of the folder whose command ends with these words."""
    tail = b"\0".join(os.fsencode(word) for word in words) + b"\0"
    found = []
    for pid in processes_in(folder):
        with suppress(OSError):  # gone since
            if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(tail):
                found.append(pid)
    return found


def open_to_postgres(folder: Path) -> Path:
    """This folder, or for root one of the same name that "nobody", as whom root's PostgreSQL runs, can enter.

    pytest closes its own folders to others, and does so again whenever anybody starts another pytest.
    """
    if os.geteuid() != 0:
        return folder
    outside = Path(tempfile.mkdtemp(prefix="pugmark-test-"))
    outside.chmod(0o755)
    atexit.register(shutil.rmtree, outside, ignore_errors=True)
    return outside / folder.name


def free_port() -> int:
    """A port for the site whose neighbours, which the demonstration takes as well, are free too.

    Workers that test side by side look in ranges of their own, and processes that begin together at other places in
    them: what is free now is taken only later.
    """
    first = 20_000 + 3_000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4)
    for port in range(first + os.getpid() % 50 * 30, first + 3_000, 30):
        with suppress(OSError):
            for offset in (0, 1, 2, 25):
                with socket.socket() as trial:
                    trial.bind(("127.0.0.1", port + offset))
            return port
    raise AssertionError("No free ports.")


class Demo:
    """`manage.py demo`, as a person at a terminal meets it: its output, and signals."""

    def __init__(self, checkout: Path, port: int) -> None:
        self.port, self.checkout = port, checkout
        self._output = checkout / f"output-{port}.txt"
        environment = {**os.environ, "PORT": str(port)}
        # Not measured: ten processes that are measured are too slow for the promises about time.
        for variable in ("DEBUG", "DATABASE_URL", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
            environment.pop(variable, None)
        with self._output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo"],
                cwd=checkout,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_for(self, words: str) -> None:
        eventually(lambda: words in self.output or self.process.poll() is not None, f"the output said {words!r}")
        assert words in self.output, self.output

    @property
    def banner(self) -> dict[str, str]:
        """Only what a script can read: labels and values."""
        self.wait_for("Ctrl-C stops")
        rows = (line.strip().partition(":") for line in self.output.splitlines() if line.startswith("  "))
        return {label: value.strip() for label, colon, value in rows if colon}


@contextmanager
def running_demo(checkout: Path, port: int) -> Iterator[Demo]:
    demo = Demo(checkout, port)
    try:
        yield demo
    finally:
        demo.process.kill()
        demo.process.wait()
        eventually(lambda: not processes_in(checkout), "every process of the checkout ended")
