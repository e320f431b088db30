import logging
import threading
from typing import Any

from django.db import Error, close_old_connections
from django_tasks_db.management.commands import db_worker

from config import heartbeat, tasks

logger = logging.getLogger(__name__)


class Command(db_worker.Command):
    help = "Run background tasks and the timetable."

    def configure_logging(self, verbosity: int) -> None:
        """LOGGING decides, as for every other process; the package would say each line twice, at its own level."""

    def handle(self, **options: Any) -> None:
        threading.Thread(target=keep_time, daemon=True).start()
        super().handle(**options)


def keep_time(interval: float = 1) -> None:
    """Once a second: put back what a dead worker held, enqueue what is due, and say that we are alive."""
    pause = threading.Event()
    while True:
        try:
            close_old_connections()
            tasks.rescue()
            tasks.enqueue_due()
            heartbeat.beat()
        except Error as error:
            # PostgreSQL was restarted, or a lock took too long. A clock that stopped for that would never be missed.
            logger.warning("The clock could not reach the database: %s", type(error).__name__)
        pause.wait(interval)
