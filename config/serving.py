"""What gunicorn needs to know beside its arguments (`--config=python:config.serving`); read in its first process.

Its own lines look like the site's, and its processes count their requests into one folder (config/metrics.py). At a
reload an old process goes on answering until new ones can: by itself gunicorn ends it as soon as they are made, and
whoever comes while they read the whole site waits for some seconds.
"""

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from typing import Any

from gunicorn.glogging import Logger

from config import log, shared_mark

STARTS_WITHIN = 60.0  # seconds; an old process goes even if no new one has come by then
ready = multiprocessing.Value("l", 0)  # how many processes have ever got so far that they can answer
wanted = multiprocessing.Value("l", 0)  # how many that must be before the old ones may go

COUNTED = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name; where it is set, each process writes a file there


class Lines(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Of gunicorn itself: started, a process killed, and the like."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(log.Plain() if os.environ.get("LOG_FORMAT") == "plain" else log.Json())


logger_class = Lines


def on_starting(server: Any) -> None:
    """A folder of our own at each start: numbers of an earlier one would count twice."""
    os.environ[COUNTED] = tempfile.mkdtemp(prefix="pugmark-counted-")


def on_reload(server: Any) -> None:
    wanted.value = ready.value + server.cfg.workers


def post_fork(server: Any, worker: Any) -> None:
    """What the first process has read of ours may be of an earlier version. The mark is one for all of them."""
    for name in [name for name in sys.modules if name == "config" or name.startswith("config.")]:
        if name != shared_mark.__name__:
            del sys.modules[name]


def post_worker_init(worker: Any) -> None:
    with ready.get_lock():
        ready.value += 1
    signal.signal(signal.SIGTERM, lambda number, frame: leave(worker, number))
    signal.siginterrupt(signal.SIGTERM, False)  # as gunicorn has it: a request is not disturbed


def leave(worker: Any, number: int) -> None:
    """At once if the site stops; at a reload when the new processes can answer."""
    until = time.monotonic() + STARTS_WITHIN

    def wait() -> None:
        while ready.value < wanted.value and time.monotonic() < until:
            time.sleep(0.05)
        worker.handle_exit(number, None)

    if ready.value < wanted.value:
        threading.Thread(target=wait, daemon=True).start()
    else:
        worker.handle_exit(number, None)


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead  # looks for the folder when it is imported

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library's


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ.get(COUNTED, ""), ignore_errors=True)
