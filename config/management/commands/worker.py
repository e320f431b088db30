import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError
from django.db import Error, InterfaceError, OperationalError, close_old_connections
from django_tasks_db.management.commands import db_worker

from config import heartbeat, practice, tasks

logger = logging.getLogger(__name__)


class Command(db_worker.Command):
    help = "Run background tasks and the timetable."

    def configure_logging(self, verbosity: int) -> None:
        """LOGGING decides, as for every other process; the package would say each line twice, at its own level."""

    def handle(self, **options: Any) -> None:
        try:
            practice.claim_database()
        except practice.WrongDatabaseError as error:
            raise CommandError(str(error)) from error
        super().handle(**options)


class Worker(db_worker.Worker):
    """One that outlives its database.

    The package's ends when PostgreSQL was restarted. On a development site not even that is seen: its thread ends, and
    the process waits for somebody to edit a file.
    """

    def run(self) -> None:
        works = threading.current_thread()
        threading.Thread(target=keep_time, args=[works.is_alive], daemon=True).start()
        while self.running:
            try:
                super().run()
                return
            except (OperationalError, InterfaceError) as error:
                if self.batch:
                    raise
                logger.warning("The worker lost its database, and tries again: %s", type(error).__name__)
                close_old_connections()
                time.sleep(self.interval)


db_worker.Worker = Worker  # type: ignore[misc]  # the command has no other place to say which


def keep_time(is_working: Callable[[], bool], interval: float = 1) -> None:
    """Once a second: put back what a dead worker held, enqueue what is due, and say that we are alive.

    It ends with the thread that works: a sign of life from a worker that does nothing would be a lie.
    """
    pause = threading.Event()
    while is_working():
        try:
            close_old_connections()
            tasks.rescue()
            tasks.enqueue_due()
            heartbeat.beat()
        except Error as error:
            # PostgreSQL was restarted, or a lock took too long. A clock that stopped for that would never be missed.
            logger.warning("The clock could not reach the database: %s", type(error).__name__)
        pause.wait(interval)
