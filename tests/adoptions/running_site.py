"""The site as production runs it: gunicorn, by the command of its systemd unit, on this test's own database.

Nothing is shared with the test but the database, so whatever is to be seen by both must be committed. Events come in
over a socket and are worked by the worker's own command, out of the inbox and the queue.
"""

import http.client
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django_tasks_db.models import DBTaskResult

from adoptions.models import StripeEvent
from tests.adoptions.conftest import carry, work
from tests.adoptions.world import Event
from tests.branches import in_project

UNIT = Path(settings.BASE_DIR) / "config" / "deploy" / "pugmark-web.service"
KEPT_ALIVE = 60  # seconds; by itself gunicorn hangs up after two, and a test may think for longer
STARTS_WITHIN = 180  # on a machine that does much else; by itself gunicorn kills who has not started after 30


@dataclass(frozen=True)
class Answer:
    status_code: int


class Line:
    """One connection to the site, kept alive; it posts as Django's test client does."""

    def __init__(self, port: int, *, patience: int = 60) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)

    def post(self, path: str, data: str, content_type: str, headers: dict[str, str]) -> Answer:
        self.connection.request("POST", path, data.encode(), {**headers, "Content-Type": content_type})
        response = self.connection.getresponse()
        response.read()
        return Answer(response.status)

    def close(self) -> None:
        self.connection.close()


class RunningSite:
    def __init__(self, port: int, log: Path, process: subprocess.Popen[bytes]) -> None:
        self.port, self.log, self.process = port, log, process

    @contextmanager
    def line(self) -> Iterator[Line]:
        line = Line(self.port)
        try:
            yield line
        finally:
            line.close()

    def wait_until_started(self) -> None:
        """For those whose own patience is shorter than a start on a machine that does much else."""
        line = Line(self.port, patience=STARTS_WITHIN)
        line.connection.request("GET", "/healthz")
        assert line.connection.getresponse().status == 200
        line.close()

    def webhooks_answered(self) -> list[int]:
        """The status of each webhook so far, by the site's own log of requests. All whose answer has come are in it
        once the same line was answered something else."""
        return [int(status) for status in re.findall(r'"POST /stripe/webhook/ HTTP/1.1" (\d+)', self.log.read_text())]


@contextmanager
def running_site(log: Path) -> Iterator[RunningSite]:
    """Ready at once: whoever connects waits until the site has started. If it dies, the failure has what it said."""
    given = connection.settings_dict
    who = {"PGHOST": given["HOST"], "PGPORT": given["PORT"], "PGUSER": given["USER"], "PGPASSWORD": given["PASSWORD"]}
    environment = {**in_project(os.environ), "DATABASE_URL": f"postgres:///{given['NAME']}"}
    environment |= {name: str(value) for name, value in who.items() if value}
    said = log.with_suffix(".said")
    with socket.create_server(("127.0.0.1", 0)) as door, said.open("wb") as errors:
        command = [*production_command(), f"--bind=fd://{door.fileno()}", f"--access-logfile={log}"]
        process = subprocess.Popen(
            [*command, f"--keep-alive={KEPT_ALIVE}", f"--timeout={STARTS_WITHIN}"],
            cwd=settings.BASE_DIR,
            env=environment,
            pass_fds=[door.fileno()],
            stderr=errors,
        )
        try:
            yield RunningSite(door.getsockname()[1], log, process)
            assert process.poll() is None, said.read_text()
        finally:
            process.terminate()
            process.wait(30)


def production_command() -> list[str]:
    """As the unit has it, but for where it listens."""
    found = re.search(r"^ExecStart=\S+/python (.+)$", UNIT.read_text(), re.MULTILINE)
    assert found
    return [sys.executable, *(word for word in found[1].split() if not word.startswith("--bind="))]


def deliver(line: Line, events: list[Event]) -> None:
    """Post events over the line, each answered 200, and let a worker empty the inbox by way of the queue."""
    answers = carry(line, events)
    assert set(answers) <= {200}
    work()
    all_is_worked()


def all_is_worked() -> None:
    """Nothing waits, nothing was parked for staff, no task failed."""
    unworked = StripeEvent.objects.unworked().values_list("type", "state", "error")
    assert not unworked, list(unworked)
    undone = DBTaskResult.objects.exclude(status="SUCCESSFUL").values_list("task_path", "status")
    assert not undone, list(undone)
