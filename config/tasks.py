"""Retries, rescue and a timetable on top of django-tasks-db, which has none of the three.

    @retried(max_attempts=6)           # again after 30 s, 1 min, 2 min …
    def deliver(mail_id: int) -> None: ...

    @every(hours=1)
    @task
    def reconcile() -> None: ...

    @whenever(there_is_post)         # looked at once a second
    @task
    def open_it() -> None: ...

A task is a row in our own PostgreSQL: enqueued inside the transaction that makes it necessary, it exists exactly
if that transaction committed. Tasks take ids, fetch, delegate, and may run twice: each is idempotent and short.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.dispatch import receiver
from django.tasks import Task, TaskResult, TaskResultStatus, task
from django.tasks.signals import task_finished
from django.utils import timezone
from django_tasks_db.backend import DatabaseBackend

# Longer than any task may take: those that could wait on a network give up after 30 s at most.
LOST_AFTER = timedelta(minutes=2)
FIRST_WAIT = timedelta(seconds=30)
CLOCKS_DIFFER = timedelta(seconds=30)  # of two hosts that are both right
LONGEST_WAIT = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

timetable: list[tuple[timedelta, Task[[], None]]] = []
watched: list[tuple[Callable[[], bool], Task[[], None]]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryTask(Task[Any, Any]):
    """A task that may fail `max_attempts` times before it is left failed, for staff to see."""

    max_attempts: int = 1


class RetryBackend(DatabaseBackend):
    task_class = RetryTask


@receiver(task_finished, sender=RetryBackend)
def retry(task_result: TaskResult[Any, Any], **kwargs: Any) -> None:
    """Give a failed task another go, each time a little later."""
    attempts = task_result.attempts
    if task_result.status == TaskResultStatus.FAILED and attempts < task_result.task.max_attempts:  # type: ignore[attr-defined]  # RetryTask
        row = task_result.db_result  # type: ignore[attr-defined]  # set by the database backend
        row.status = TaskResultStatus.READY
        row.run_after = timezone.now() + min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
        row.save(update_fields=["status", "run_after"])


def rescue() -> int:
    """Put back what a worker was doing when it died; how many tasks that were."""
    from django_tasks_db.models import DBTaskResult

    lost = DBTaskResult.objects.running().filter(started_at__lt=timezone.now() - LOST_AFTER)
    return int(lost.update(status=TaskResultStatus.READY, run_after=timezone.now()))


def retried[**P, R](*, max_attempts: int) -> Callable[[Callable[P, R]], Task[P, R]]:
    """`@task` for what may fail for a while: tried again, later and later, `max_attempts` times in all."""
    options: dict[str, Any] = {"max_attempts": max_attempts}
    decorate: Callable[[Callable[P, R]], Task[P, R]] = task(**options)
    return decorate


def every[T: Task[[], None]](**period: float) -> Callable[[T], T]:
    """Run a task at each whole multiple of a period since the epoch, in UTC."""

    def register(periodic: T) -> T:
        timetable.append((timedelta(**period), periodic))
        return periodic

    return register


def whenever[T: Task[[], None]](is_needed: Callable[[], bool]) -> Callable[[T], T]:
    """Run a task while something is there for it to do: rows that are their own order, such as an inbox."""

    def register(needed: T) -> T:
        watched.append((is_needed, needed))
        return needed

    return register


def enqueue_due() -> None:
    """Enqueue whatever has come due or is needed; safe to call from any number of workers."""
    from django_tasks_db.models import DBTaskResult

    now = timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('timetable'))")
        for period, periodic in timetable:
            due = now - (now - EPOCH) % period
            # What a clock that was wrong has enqueued later than now would stop the timetable until then.
            done = DBTaskResult.objects.filter(enqueued_at__range=(due, now + CLOCKS_DIFFER))
            if not done.filter(task_path=periodic.module_path).exists():
                periodic.enqueue()
        for is_needed, needed in watched:
            ready = DBTaskResult.objects.filter(status=TaskResultStatus.READY, task_path=needed.module_path)
            if is_needed() and not ready.exists():
                needed.enqueue()
