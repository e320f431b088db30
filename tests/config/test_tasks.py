"""Retries, rescue and the timetable."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import InterfaceError, OperationalError
from django.tasks import TaskResultStatus, task
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from config import heartbeat, tasks
from config.management.commands.worker import keep_time
from config.tasks import retried

pytestmark = pytest.mark.django_db(transaction=True)  # a worker opens and closes its own connections

calls: list[str] = []


@retried(max_attempts=3)
def fail_twice() -> None:
    calls.append("fail_twice")
    if len(calls) < 3:
        raise RuntimeError("not yet")


@task
def fail_once() -> None:
    raise RuntimeError("for good")


@task
def tick() -> None:
    calls.append("tick")


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


def work() -> None:
    """Let a worker run until there is nothing to do."""
    call_command("worker", "--batch", "--no-startup-delay", "--no-reload", "--interval=0", verbosity=0)


@pytest.fixture(autouse=True)
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the worker runs in a thread of its own, which a test's transaction cannot show anything."""
    monkeypatch.setattr("config.management.commands.worker.keep_time", lambda is_working: None)


def test_task_that_fails_is_tried_again_later() -> None:
    result = fail_twice.enqueue()
    for _attempt in range(3):
        work()
        DBTaskResult.objects.filter(status=TaskResultStatus.READY).update(run_after=timezone.now())
    row = DBTaskResult.objects.get(pk=result.id)
    assert (row.status, calls) == (TaskResultStatus.SUCCESSFUL, ["fail_twice"] * 3)


def test_task_waits_between_attempts() -> None:
    fail_twice.enqueue()
    work()
    row = DBTaskResult.objects.get()
    assert row.status == TaskResultStatus.READY
    assert timedelta(seconds=25) < row.run_after - timezone.now() <= timedelta(seconds=30)


def test_task_without_retries_stays_failed_for_staff_to_see() -> None:
    fail_once.enqueue()
    work()
    row = DBTaskResult.objects.get()
    assert row.status == TaskResultStatus.FAILED
    assert "for good" in row.traceback


@pytest.mark.threat("X5")
def test_task_of_a_dead_worker_is_put_back() -> None:
    tick.enqueue()
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, started_at=timezone.now())
    assert tasks.rescue() == 0
    DBTaskResult.objects.update(started_at=timezone.now() - tasks.LOST_AFTER - timedelta(seconds=1))
    assert tasks.rescue() == 1
    work()
    assert calls == ["tick"]


def test_timetable_enqueues_each_slot_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "timetable", [(timedelta(hours=1), tick)])
    monkeypatch.setattr(tasks, "watched", [])
    tasks.enqueue_due()
    tasks.enqueue_due()
    assert DBTaskResult.objects.count() == 1
    DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(hours=1))
    tasks.enqueue_due()
    assert DBTaskResult.objects.count() == 2


@pytest.mark.threat("X1")
def test_clock_goes_on_after_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = iter([OperationalError("terminated"), InterfaceError("closed"), KeyboardInterrupt()])

    def rescue() -> None:
        raise next(faults)

    monkeypatch.setattr(tasks, "rescue", rescue)
    with pytest.raises(KeyboardInterrupt):
        keep_time(lambda: True, interval=0)
    assert list(faults) == []


@pytest.mark.threat("X1")
def test_worker_goes_on_after_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = iter([OperationalError("terminated"), InterfaceError("closed")])
    found = DBTaskResult.objects.ready

    def ready() -> Any:
        for fault in faults:
            raise fault
        return found()

    monkeypatch.setattr(DBTaskResult.objects, "ready", ready)
    tick.enqueue()
    call_command("worker", "--max-tasks=1", "--no-startup-delay", "--no-reload", "--interval=0", verbosity=0)
    assert (calls, list(faults)) == (["tick"], [])


def test_clock_ends_with_the_work() -> None:
    lives = iter([True, True, False])
    keep_time(lambda: next(lives), interval=0)
    assert list(lives) == []
    assert heartbeat.last_beat() is not None


@pytest.mark.django_db
def test_clock_that_was_an_hour_ahead_does_not_stop_the_timetable() -> None:
    tasks.enqueue_due()
    first = DBTaskResult.objects.count()
    tasks.enqueue_due()
    assert DBTaskResult.objects.count() == first
    DBTaskResult.objects.update(enqueued_at=timezone.now() + timedelta(hours=1))
    tasks.enqueue_due()
    assert DBTaskResult.objects.count() >= first + len(tasks.timetable)
