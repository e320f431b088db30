"""The inbox of Stripe's events: a row is the order to work it. Taken by one worker, worked together, none forgotten."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from adoptions import tasks, webhooks
from adoptions.models import Adoption, StripeEvent
from adoptions.stripe_gateway import StripeUnavailable
from adoptions.stripe_objects import SignedEvent
from config.tasks import FIRST_WAIT, enqueue_due
from tests.adoptions.conftest import carry
from tests.adoptions.test_races import at_once
from tests.adoptions.world import World, deliver, shown


def waiting(number: int, **values: Any) -> None:
    """Events about nothing we know."""
    kind = {"type": "customer.subscription.updated", "body": b"{}", **values}
    StripeEvent.objects.bulk_create(StripeEvent(id=f"evt_{n}", object_id=f"sub_{n}", **kind) for n in range(number))


def states() -> set[str]:
    return set(StripeEvent.objects.values_list("state", flat=True))


def test_events_that_tell_of_one_subscription_ask_stripe_once(world: World, client: Client) -> None:
    adoption = world.adopt_monthly()
    deliver(client, world.new_events())
    for description in "abc":
        world.update_subscription(adoption, description=description)
    told = [one for one in world.new_events() if one["type"] == "customer.subscription.updated"]
    carry(client, told)
    world.asked.clear()
    tasks.work_inbox.func()
    assert (len(told), len(world.asked)) == (3, 1)
    assert StripeEvent.objects.filter(pk__in=[one["id"] for one in told], state="done", attempts=1).count() == 3


@pytest.mark.threat("M5")
def test_event_that_fails_stops_no_other_and_is_tried_again_by_itself(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    adoptions = [world.adopt(), world.adopt(), world.adopt()]
    sync = webhooks.HANDLERS["checkout.session.completed"]

    def fail_for_one(session_id: str) -> bool:
        if session_id == adoptions[1].stripe_session_id:
            raise StripeUnavailable("APIError", is_answered=True)
        return sync(session_id)

    carry(client, [one for one in world.new_events() if one["type"] == "checkout.session.completed"])
    monkeypatch.setitem(webhooks.HANDLERS, "checkout.session.completed", fail_for_one)
    tasks.work_inbox.func()
    assert [shown(adoption)[0] for adoption in adoptions] == ["active", "pending", "active"]
    parked = StripeEvent.objects.get(state="parked")
    assert parked.error == "StripeUnavailable: APIError"
    again = DBTaskResult.objects.get(task_path="adoptions.tasks.work_event")
    assert again.args_kwargs["args"] == [parked.pk]
    assert timedelta(0) < again.run_after - timezone.now() <= FIRST_WAIT
    monkeypatch.setitem(webhooks.HANDLERS, "checkout.session.completed", sync)
    tasks.work_event.func(parked.pk)
    assert shown(adoptions[1])[0] == "active"
    assert StripeEvent.objects.get(pk=parked.pk).state == "done"


def test_worker_that_waits_long_for_stripe_leaves_the_rest_for_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task may not run for so long that it is taken for lost."""
    waiting(5)
    monkeypatch.setattr(tasks, "TURN", timedelta(seconds=-1))
    tasks.work_inbox.func()
    assert StripeEvent.objects.waiting().count() == 5
    assert set(webhooks.work_together(StripeEvent.objects.take(5), until=timedelta(0))) == {
        f"evt_{n}" for n in range(5)
    }
    assert not world.asked


def test_inbox_is_opened_while_something_waits_in_it_and_by_one_task(db: None) -> None:
    def tasks_waiting() -> int:
        return DBTaskResult.objects.filter(task_path="adoptions.tasks.work_inbox").count()

    enqueue_due()
    assert tasks_waiting() == 0
    waiting(2)
    enqueue_due()
    enqueue_due()
    assert tasks_waiting() == 1
    StripeEvent.objects.take(2)
    DBTaskResult.objects.all().delete()
    enqueue_due()
    assert tasks_waiting() == 0


@pytest.mark.threat("X5")
def test_event_whose_worker_died_is_tried_again_by_itself(db: None) -> None:
    waiting(3)
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(minutes=2))
    [taken] = StripeEvent.objects.take(1)
    tasks.work_forgotten_events.func()
    found = DBTaskResult.objects.filter(task_path="adoptions.tasks.work_event").values_list("args_kwargs", flat=True)
    assert [one["args"] for one in found] == [[taken.pk]]


@pytest.mark.threat("X5")
@pytest.mark.django_db
@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(minutes=-5)])
def test_event_comes_in_by_the_clock_of_the_database(ahead: timedelta) -> None:
    """Or a web server whose clock is ahead would keep it from being tried again for as long."""
    event = SignedEvent("evt_1", "invoice.paid", "in_1", "", is_live=False)
    before = timezone.now()
    with time_machine.travel(before + ahead, tick=True):
        webhooks.keep(event, b"{}", None)
    assert abs(StripeEvent.objects.get().received_at - before) < timedelta(minutes=1)


def take_at_once() -> list[str]:
    taken: list[str] = []
    assert at_once(lambda: taken.extend(event.pk for event in StripeEvent.objects.take(3))) == []
    return taken


@pytest.mark.django_db(transaction=True)
def test_eight_workers_take_different_events() -> None:
    waiting(40)
    taken = take_at_once()
    assert (len(taken), len(set(taken))) == (24, 24)


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_they_take_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **options: self)
    for _try in range(10):
        StripeEvent.objects.all().delete()
        waiting(40)
        taken = take_at_once()
        if len(set(taken)) < len(taken):
            return
    pytest.fail("Even without the lock each took its own: the test above proves nothing.")


@pytest.mark.parametrize("batch", [1, 50])
def test_first_event_of_many_that_is_poison_is_met_alone_the_next_time(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """As if an event killed its worker: those after it in the batch are worked without it."""
    adoption = world.adopt()
    waiting(1, type="charge.refunded", received_at=timezone.now() - timedelta(hours=1))
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(hours=1))
    carry(client, [one for one in world.new_events() if one["type"] == "checkout.session.completed"])

    def die(stripe_id: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setitem(webhooks.HANDLERS, "charge.refunded", die)
    monkeypatch.setattr(tasks, "TOGETHER", batch)
    with pytest.raises(KeyboardInterrupt):
        tasks.work_inbox.func()
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(minutes=2))
    tasks.work_inbox.func()
    tasks.work_forgotten_events.func()
    for row in DBTaskResult.objects.filter(task_path="adoptions.tasks.work_event"):
        if row.args_kwargs["args"] != ["evt_0"]:
            tasks.work_event.func(*row.args_kwargs["args"])
    assert shown(Adoption.objects.get(pk=adoption.pk))[0] == "active"
    assert states() == {"received", "done"}
