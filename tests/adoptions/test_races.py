"""Things that happen at the same moment. Each race is run again with its guard taken out, and must then go wrong:
a race test that cannot fail proves nothing."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from adoptions import checkout, fulfilment, ledger, stripe_gateway
from adoptions.models import Adoption, Payment, PaymentKind, StripeEvent
from adoptions.stripe_objects import Charge, Subscription
from tests.adoptions.conftest import carry
from tests.adoptions.invariants import violations
from tests.adoptions.world import World, receipts, shown
from tests.makers import make_adoption

pytestmark = pytest.mark.django_db(transaction=True)
CALLERS = 8


def at_once(act: Callable[[], object], number: int = CALLERS) -> list[BaseException]:
    """Run an act in as many threads, all starting together; what went wrong is returned."""
    start = threading.Barrier(number)

    def run() -> None:
        try:
            start.wait()
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        tried = [pool.submit(run) for _ in range(number)]
    return [failure for one in tried if (failure := one.exception())]


@contextmanager
def without_constraint(table: str, name: str) -> Iterator[None]:
    """A database that lost one rule, for a negative control."""
    with connection.cursor() as cursor:
        # One that holds for some of the rows is an index to PostgreSQL.
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name])
        rule = cursor.fetchone()
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
        index = cursor.fetchone()
        assert rule or index
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}" if rule else f"DROP INDEX {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule[0]}" if rule else index[0])


def unguarded_create(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look first, insert afterwards, as it would be without a unique key and without the lock."""

    def look_then_insert(adoption: Adoption, charge: Charge, *, invoice_id: str = "") -> Payment | None:
        if Payment.objects.filter(stripe_id=charge.id, kind=PaymentKind.CHARGE).exists():
            return None
        pause()
        return Payment.objects.create(
            adoption=adoption,
            stripe_id=charge.id,
            kind=PaymentKind.CHARGE,
            amount_pence=charge.amount_pence,
            occurred_at=charge.created,
        )

    monkeypatch.setattr(ledger, "record_charge", look_then_insert)


def pause() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.05)")


def slowly(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """The same function, after which its transaction stays open for a moment."""
    function = getattr(module, name)

    def slow(*args: Any, **options: Any) -> Any:
        found = function(*args, **options)
        pause()
        return found

    monkeypatch.setattr(module, name, slow)


def unlocked(adoption_id: int, seen: int = 0) -> Adoption:
    return Adoption.objects.get(pk=adoption_id)


# --- one payment for one paid session ---------------------------------------------------------------------------


@pytest.mark.threat("M4")
def test_eight_callers_write_one_payment_down_once(world: World) -> None:
    adoption = world.adopt()
    assert at_once(lambda: fulfilment.sync_session(adoption.stripe_session_id or "")) == []
    assert (shown(adoption), receipts(adoption)) == (("active", (("charge", 3600),)), 1)
    assert violations(world.books) == []


@pytest.mark.threat("M4")
def test_control_without_lock_and_key_they_write_it_down_many_times(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    adoption = world.adopt()
    monkeypatch.setattr(fulfilment, "take_turn", unlocked)
    # Its UPDATE of the adoption's row makes the others wait as well.
    monkeypatch.setattr(fulfilment, "link", lambda adoption, session: None)
    unguarded_create(monkeypatch)
    with without_constraint("adoptions_payment", "payment_once"):
        at_once(lambda: fulfilment.sync_session(adoption.stripe_session_id or ""))
        assert adoption.payments.count() > 1
        assert any("charged" in one for one in violations(world.books))


def test_key_alone_holds_where_the_lock_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    adoption = world.adopt()
    monkeypatch.setattr(fulfilment, "take_turn", unlocked)
    at_once(lambda: fulfilment.sync_session(adoption.stripe_session_id or ""))
    assert shown(adoption) == ("active", (("charge", 3600),))


# --- one row for one event --------------------------------------------------------------------------------------


@pytest.mark.threat("M3")
def test_eight_deliveries_of_one_event_are_one_row(world: World) -> None:
    world.adopt()
    events = world.new_events()
    answers: list[int] = []
    assert at_once(lambda: answers.extend(carry(Client(), events))) == []
    assert set(answers) == {200}
    assert StripeEvent.objects.count() == len(events)


def test_control_without_its_key_the_inbox_keeps_an_event_many_times(world: World) -> None:
    world.adopt()
    events = [one for one in world.new_events() if one["type"] == "checkout.session.completed"]
    with without_constraint("adoptions_stripeevent", "adoptions_stripeevent_pkey"):
        at_once(lambda: carry(Client(), events))
        assert StripeEvent.objects.count() > 1


# --- one page at Stripe for one attempt -------------------------------------------------------------------------


@pytest.mark.threat("M7", "M8")
def test_eight_presses_open_one_page(world: World) -> None:
    adoption = make_adoption()
    addresses: list[str | None] = []
    assert at_once(lambda: addresses.append(checkout.page_to_pay(Adoption.objects.get(pk=adoption.pk)))) == []
    assert len(set(addresses)) == 1
    assert len(world.books.all("checkout.session")) == 1


def test_control_without_the_idempotency_key_they_open_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    adoption = make_adoption()
    sessions = stripe_gateway.client().v1.checkout.sessions
    create = type(sessions).create

    def without_key(self: Any, params: Any, options: Any) -> Any:
        return create(self, params)

    monkeypatch.setattr(type(sessions), "create", without_key)
    at_once(lambda: checkout.page_to_pay(Adoption.objects.get(pk=adoption.pk)))
    assert len(world.books.all("checkout.session")) > 1


# --- a slow answer and a newer one ------------------------------------------------------------------------------


class Slow:
    """Stripe's answer to the first who asks for a subscription takes long: others ask, hear and write meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.has_answer, self.may_go_on = threading.Event(), threading.Event()
        self.is_first = True
        self.read = stripe_gateway.read_subscription
        monkeypatch.setattr(stripe_gateway, "read_subscription", self.read_slowly)

    def read_slowly(self, subscription_id: str) -> Subscription:
        found = self.read(subscription_id)
        if self.is_first:
            self.is_first = False
            self.has_answer.set()
            assert self.may_go_on.wait(10)
        return found


def old_news_overtaken(world: World, monkeypatch: pytest.MonkeyPatch) -> Adoption:
    """One worker hears "past due" and is held up; the payment succeeds and another worker writes "active"."""
    adoption = world.adopt_monthly()
    world.come_back(adoption)
    subscription = world.subscription(adoption)
    world.control("fail_renewals", subscription=subscription, times=1)
    world.advance(days=32)
    slow = Slow(monkeypatch)

    def be_late() -> None:
        fulfilment.sync_subscription(subscription)
        connection.close()

    late = threading.Thread(target=be_late)
    late.start()
    assert slow.has_answer.wait(10)
    world.advance(days=10)
    paid = next(one for one in world.books.all("invoice") if one["status"] == "paid")
    fulfilment.sync_invoice(paid["id"])
    slow.may_go_on.set()
    late.join()
    return adoption


@pytest.mark.threat("M6")
def test_slow_answer_never_overwrites_a_newer_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    adoption = old_news_overtaken(world, monkeypatch)
    assert shown(adoption)[0] == "active"
    assert violations(world.books) == []


def apply_whatever_came(
    adoption_id: int, read: Callable[[], Any], apply: Callable[[Adoption, Any], None], *, seen: int | None = None
) -> Any:
    """Stands in for fulfilment.apply_latest: locked, but without a look whether another answer came first."""
    news = read()
    with transaction.atomic():
        apply(fulfilment.locked(adoption_id), news)
    return news


def test_control_without_counting_revisions_it_does(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fulfilment, "apply_latest", apply_whatever_came)
    adoption = old_news_overtaken(world, monkeypatch)
    assert shown(adoption)[0] == "past_due"
    assert violations(world.books) == [f"{adoption} is past_due, ought to be active"]


# --- refunds at once --------------------------------------------------------------------------------------------


def refund_in_parallel(adoption: Adoption) -> list[BaseException]:
    charge = adoption.payments.get()
    names = iter(["re_a", "re_b", "re_c", "re_d"])
    lock = threading.Lock()

    def add() -> None:
        with lock:
            stripe_id = next(names)
        Payment.objects.create(
            adoption=adoption,
            charge=charge,
            kind=PaymentKind.REFUND,
            amount_pence=-2000,
            stripe_id=stripe_id,
            occurred_at=charge.occurred_at,
        )

    return at_once(add, 4)


def test_refunds_written_at_once_cannot_exceed_their_charge(world: World) -> None:
    adoption = world.adopt()
    world.come_back(adoption)
    assert len(refund_in_parallel(adoption)) == 3
    assert adoption.payments.balance_pence() == 1600


def test_control_without_the_trigger_they_do(world: World) -> None:
    adoption = world.adopt()
    world.come_back(adoption)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE %s", ["%refunds_within_charge%"])
        [(name,)] = cursor.fetchall()
        cursor.execute(f"ALTER TABLE adoptions_payment DISABLE TRIGGER {name}")
    try:
        assert refund_in_parallel(adoption) == []
        assert adoption.payments.balance_pence() == 3600 - 4 * 2000
        assert any("more went back than came in" in one for one in violations(world.books))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE adoptions_payment ENABLE TRIGGER {name}")
