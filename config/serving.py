"""What gunicorn needs to know beside its arguments (`--config=python:config.serving`); read in its first process.

Its own lines look like the site's, and its processes count their requests into one folder (config/metrics.py).
"""

import os
import shutil
import tempfile
from typing import Any

from gunicorn.glogging import Logger

from config import log, shared_mark  # noqa: F401  the mark has to be there before the first process is started

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


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead  # looks for the folder when it is imported

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library's


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ.get(COUNTED, ""), ignore_errors=True)
