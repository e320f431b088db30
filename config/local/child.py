"""One of manage.py's commands as a child of the demonstration, which ends when its supervisor does.

    python -m config.local.child runserver 127.0.0.1:8000

The supervisor holds a lock on a file, and the kernel drops it however the supervisor ends. Every child, and every
child of a child, waits for that lock in a thread: to get it is to be orphaned.
"""

import fcntl
import os
import signal
import sys
import threading
import time

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

LOCK_VARIABLE = "PUGMARK_SUPERVISOR_LOCK"
# How a child says that it stated a reason, and that starting it again would only repeat it.
CANNOT_RUN = os.EX_CONFIG
SECONDS_TO_TIDY = 3


def main() -> None:
    threading.Thread(target=end_with_supervisor, daemon=True).start()
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(CANNOT_RUN)
    except SystemExit as end:
        # Django turns a CommandError, a reason in words, into exit code 1; what else is raised arrives here as itself.
        sys.exit(CANNOT_RUN if end.code == 1 else end.code)


def end_with_supervisor() -> None:
    wait_for_lock()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_TIDY)
    os._exit(1)


def wait_for_lock() -> None:
    """Return when the supervisor is gone. The shared lock stays ours, so that its successor waits for us to go."""
    try:
        file = os.open(os.environ[LOCK_VARIABLE], os.O_RDONLY)
    except FileNotFoundError:  # a supervisor removes it as its last act
        return
    fcntl.flock(file, fcntl.LOCK_SH)


if __name__ == "__main__":
    main()
