"""A reload of the web server: whoever comes meanwhile is answered, and at once."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from django.conf import settings

PATIENCE = 60.0  # seconds
APPLICATION = """
import time
from pathlib import Path
here = Path(__file__).parent
import config.log
version = (here / "version").read_bytes()
while (here / "slow").exists():  # as the real one, which reads all of the site
    time.sleep(0.02)
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", str(len(version)))])
    return [version]
"""


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_old_processes_answer_until_new_ones_can(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    (tmp_path / "version").write_text("old")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{settings.BASE_DIR}", "LOG_FORMAT": "plain"}
    said = tmp_path / "said"
    with socket.create_server(("127.0.0.1", 0)) as door, said.open("wb") as errors:
        port = door.getsockname()[1]
        command = "gunicorn app --worker-class=gthread --workers=2 --no-control-socket --config=python:config.serving"
        process = subprocess.Popen(
            [sys.executable, "-m", *command.split(), f"--bind=fd://{door.fileno()}", f"--timeout={PATIENCE:.0f}"],
            cwd=tmp_path,
            env=environment,
            pass_fds=[door.fileno()],
            stderr=errors,
        )

        def answer() -> str:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as line:
                line.request("GET", "/")
                return line.getresponse().read().decode()

        def made() -> int:
            return said.read_text().count("Booting worker")

        try:
            assert answer() == "old"
            eventually(lambda: made() == 2)
            (tmp_path / "slow").touch()
            (tmp_path / "version").write_text("new")
            process.send_signal(signal.SIGHUP)
            eventually(lambda: made() == 4)
            time.sleep(0.5)  # an old process that left would do so now
            assert {answer() for _ in range(20)} == {"old"}
            (tmp_path / "slow").unlink()
            eventually(lambda: said.read_text().count("Worker exiting") == 2)
            assert {answer() for _ in range(20)} == {"new"}
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()
