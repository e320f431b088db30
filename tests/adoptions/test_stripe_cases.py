"""The acceptance cases of money, replayed over HTTP: in time, late, backwards, shuffled, doubled, eight at once.

PUGMARK_SEEDS sets how many shuffles each case goes through; the suite takes a few, a release takes 100.
"""

import contextlib
import os
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test import Client

from adoptions import reconcile
from adoptions.models import Adoption, Difference, StripeEvent
from adoptions.tasks import work_event
from tests.adoptions.conftest import carry
from tests.adoptions.invariants import violations
from tests.adoptions.money_cases import CASES, Case
from tests.adoptions.world import Event, World, deliver, receipts, shown

SEEDS = range(int(os.environ.get("PUGMARK_SEEDS", "1")))

each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def played(world: World, case: Case) -> tuple[Adoption, list[Event]]:
    """All of it happens, and not a word is heard."""
    *_, adoption = case.play(world)
    return adoption, world.new_events()


def is_right(world: World, case: Case, adoption: Adoption) -> None:
    """As the case says it ends; nothing is left to find for anybody; and no invariant is broken."""
    assert shown(adoption) == case.expected
    assert receipts(adoption) <= case.receipts
    assert violations(world.books) == []


@pytest.mark.threat("M1", "M10")
@each_case
def test_case_heard_as_it_happens(world: World, client: Client, case: Case) -> None:
    adoption = Adoption()
    for adoption in case.play(world):  # noqa: B007  the last one is looked at
        deliver(client, world.new_events())
    is_right(world, case, adoption)
    assert receipts(adoption) == case.receipts
    assert [one.kind for one in reconciled(world)] == (["currency"] if "currency" in case.name else [])


def reconciled(world: World) -> list[Difference]:
    reconcile.reconcile(days=400)
    return list(Difference.objects.all())


def in_order(events: list[Event]) -> list[Event]:
    return events


def backwards(events: list[Event]) -> list[Event]:
    return events[::-1]


def doubled(events: list[Event]) -> list[Event]:
    """Each twice, and all of it once more a day later."""
    return [event for event in events for _ in range(2)] + events


@pytest.mark.threat("M3")
@each_case
@pytest.mark.parametrize("arrange", [in_order, backwards, doubled])
def test_case_heard_late(
    world: World, client: Client, case: Case, arrange: Callable[[list[Event]], list[Event]]
) -> None:
    adoption, events = played(world, case)
    deliver(client, arrange(events))
    is_right(world, case, adoption)
    assert StripeEvent.objects.count() == len(events)


class Undone(Exception):
    """Back to the moment before anything was heard, for the next order."""


@pytest.mark.threat("M6")
@each_case
def test_case_heard_in_any_order(world: World, client: Client, case: Case) -> None:
    """Each event worked before the next is heard, so that every prefix of the order is a moment of its own."""
    adoption, events = played(world, case)
    for seed in SEEDS:
        with contextlib.suppress(Undone), transaction.atomic():
            for event in random.Random(seed).sample(events, len(events)):
                deliver(client, [event])
            is_right(world, case, adoption)
            raise Undone


@each_case
def test_case_whose_news_comes_by_fits_and_starts(world: World, client: Client, case: Case) -> None:
    """After each act some of the news comes, in any order, some of it twice; the rest much later."""
    chance = random.Random(case.name)
    waiting: list[Event] = []
    adoption = Adoption()
    for adoption in case.play(world):  # noqa: B007  the last one is looked at
        waiting += world.new_events()
        now = chance.sample(waiting, chance.randint(0, len(waiting)))
        waiting = [event for event in waiting if event not in now or chance.random() < 0.2]
        deliver(client, now, chance)
    deliver(client, chance.sample(waiting, len(waiting)), chance)
    is_right(world, case, adoption)


CASES_AT_ONCE = CASES if len(SEEDS) >= 100 else CASES[::4]


@pytest.mark.threat("M4")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("case", CASES_AT_ONCE, ids=[case.name for case in CASES_AT_ONCE])
def test_case_heard_by_eight_at_once(world: World, case: Case) -> None:
    """Eight times each event, in eight orders, at the same moment; then eight workers at once."""
    adoption, events = played(world, case)
    orders = [random.Random(seed).sample(events, len(events)) for seed in range(8)]
    answers: list[int] = []
    at_once(lambda: answers.extend(carry(Client(), orders.pop())))
    assert set(answers) == {200}
    assert StripeEvent.objects.count() == len(events)
    ids = list(StripeEvent.objects.waiting().values_list("pk", flat=True))
    # Every worker takes every event: one may be worked twice, and these are worked eight times.
    at_once(lambda: [work_event.func(event_id) for event_id in random.sample(ids, len(ids))])
    is_right(world, case, adoption)


def at_once(act: Callable[[], object], number: int = 8) -> None:
    start = threading.Barrier(number)

    def run() -> None:
        try:
            start.wait()
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        for future in [pool.submit(run) for _ in range(number)]:
            future.result()
