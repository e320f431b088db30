"""The acceptance cases of money, replayed over HTTP into the running site: in time, late, backwards, shuffled, doubled,
eight at once. tests/adoptions/running_site.py is that site; the last tests prove that it is there, and can fail a case.

PUGMARK_SEEDS sets how many shuffles each case goes through; the suite takes a few, a release takes 100.
"""

import functools
import http.client
import os
import random
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.db import connection
from django.test import TransactionTestCase

from adoptions import reconcile, webhooks
from adoptions.models import Adoption, Difference, StripeEvent
from adoptions.tasks import work_event, work_inbox
from config import practice
from tests.adoptions import conftest
from tests.adoptions.conftest import carry, signed, work
from tests.adoptions.invariants import violations
from tests.adoptions.money_cases import CASES, Case
from tests.adoptions.running_site import Line, RunningSite, all_is_worked, deliver, running_site
from tests.adoptions.world import Event, World, receipts, shown
from tests.conftest import empty_what_was_written
from tests.makers import make_plan, make_species

# The running site sees what was committed, and only that.
pytestmark = pytest.mark.django_db(transaction=True)

SEEDS = range(int(os.environ.get("PUGMARK_SEEDS", "1")))

each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(scope="session")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("site") / "requests.log") as running:
        running.wait_until_started()
        yield running


@pytest.fixture(autouse=True)
def site_and_worker_are_of_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run with DEBUG off, so the worker in this process would claim the database for a live site; one of the
    running site's, a development site, that starts after that would refuse to.
    """
    monkeypatch.setattr(practice, "kind", lambda: practice.DEVELOPMENT)


@pytest.fixture
def line(site: RunningSite) -> Iterator[Line]:
    with site.line() as opened:
        yield opened


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
def test_case_heard_as_it_happens(world: World, line: Line, case: Case) -> None:
    adoption = Adoption()
    for adoption in case.play(world):  # noqa: B007  the last one is looked at
        deliver(line, world.new_events())
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
def test_case_heard_late(world: World, line: Line, case: Case, arrange: Callable[[list[Event]], list[Event]]) -> None:
    adoption, events = played(world, case)
    deliver(line, arrange(events))
    is_right(world, case, adoption)
    assert StripeEvent.objects.count() == len(events)


@pytest.mark.threat("M6")
@each_case
def test_case_heard_in_any_order(world: World, line: Line, case: Case) -> None:
    """Each event worked before the next is heard, so that every prefix of the order is a moment of its own."""
    for seed in SEEDS:
        if seed > SEEDS[0]:
            begin_anew(world)
        adoption, events = played(world, case)
        for event in random.Random(seed).sample(events, len(events)):
            deliver(line, [event])
        is_right(world, case, adoption)


def begin_anew(world: World) -> None:
    """As before the test, for the next order."""
    empty_what_was_written(TransactionTestCase())
    world.forget_everything()
    make_species(common_name="Amur leopard")
    make_plan()


@each_case
def test_case_whose_news_comes_by_fits_and_starts(world: World, line: Line, case: Case) -> None:
    """After each act some of the news comes, in any order, some of it twice; the rest much later."""
    chance = random.Random(case.name)
    waiting: list[Event] = []
    adoption = Adoption()
    for adoption in case.play(world):  # noqa: B007  the last one is looked at
        waiting += world.new_events()
        now = chance.sample(waiting, chance.randint(0, len(waiting)))
        waiting = [event for event in waiting if event not in now or chance.random() < 0.2]
        deliver(line, now)
    deliver(line, chance.sample(waiting, len(waiting)))
    is_right(world, case, adoption)


CASES_AT_ONCE = CASES if len(SEEDS) >= 100 else CASES[::4]


@pytest.mark.threat("M4")
@pytest.mark.parametrize("case", CASES_AT_ONCE, ids=[case.name for case in CASES_AT_ONCE])
def test_case_heard_by_eight_at_once(world: World, site: RunningSite, case: Case) -> None:
    """Eight times each event, in eight orders, at the same moment; then eight workers at once."""
    adoption, events = played(world, case)
    orders = [random.Random(seed).sample(events, len(events)) for seed in range(8)]
    answers: list[int] = []
    with ExitStack() as opened:
        lines = [opened.enter_context(site.line()) for _ in orders]
        at_once(lambda: answers.extend(carry(lines.pop(), orders.pop())))
    assert (len(answers), set(answers)) == (8 * len(events), {200})
    assert StripeEvent.objects.count() == len(events)
    ids = list(StripeEvent.objects.waiting().values_list("pk", flat=True))
    # Every worker takes every event, as if all had been lost: one may be worked twice, and these are worked eight
    # times. Two more find them in the inbox, as they do while all is well.
    each_and_all = [functools.partial(work_each, ids) for _ in range(8)] + [work_inbox.func] * 2
    at_once(lambda: each_and_all.pop()(), len(each_and_all))
    work()  # what they left to the queue
    all_is_worked()
    is_right(world, case, adoption)


def work_each(ids: list[str]) -> None:
    for event_id in random.sample(ids, len(ids)):
        work_event.func(event_id)


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


# --- that it is the running site, and that a case can fail ------------------------------------------------------


def test_events_go_through_the_socket(
    world: World, site: RunningSite, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process could not keep one, and yet each is kept: by the site, which wrote each request in its log."""
    monkeypatch.setattr(webhooks, "receive", None)
    before = len(site.webhooks_answered())
    adoption = world.adopt()
    events = world.new_events()
    deliver(line, doubled(events))
    assert shown(adoption)[0] == "active"
    line.connection.request("GET", "/healthz")
    assert line.connection.getresponse().read()
    assert site.webhooks_answered()[before:] == [200] * 3 * len(events)


def test_case_fails_if_the_site_says_no(world: World, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    world.adopt()
    monkeypatch.setattr(conftest, "signed", functools.partial(signed, secret="whsec_of_somebody_else"))
    with pytest.raises(AssertionError):
        deliver(line, world.new_events())
    assert not StripeEvent.objects.exists()


def test_case_fails_if_nobody_is_there(world: World, line: Line) -> None:
    world.adopt()
    line.connection = http.client.HTTPConnection("127.0.0.1", 9, timeout=5)
    with pytest.raises(ConnectionRefusedError):
        deliver(line, world.new_events())


def test_case_fails_if_an_event_is_left_unworked(world: World, line: Line) -> None:
    world.adopt()
    events = world.new_events()
    world.control("faults", fail=9)
    with pytest.raises(AssertionError, match=re.escape("StripeUnavailable: APIError")):
        deliver(line, events)
    world.control("faults", fail=0)
