"""People, Stripe, time, lost news, outages and crashes at random: the invariants hold after everything has settled.

Hypothesis plays it four times: with every channel; with webhooks alone (none lost for good); with comparison alone (no
webhook ever comes); and with the thanks page alone, which hears nothing but its own session, so that there nothing is
disputed and no month passes. PUGMARK_PLAYS sets how many plays of 30 acts each; the suite takes a few, a release
thousands.
"""

import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Set
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import stripe
from django.db import transaction
from django.test import Client
from django_tasks_db.models import DBTaskResult
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from adoptions import checkout, emails, fulfilment, ledger, reconcile, tasks
from adoptions.models import ADOPTED, OPEN, Adoption, Frequency, Payment, PaymentKind, StripeEvent
from adoptions.stripe_gateway import StripeRefused, StripeUnavailable
from config.models import Mail
from tests.adoptions.conftest import carry
from tests.adoptions.invariants import their_ledger, violations
from tests.adoptions.world import World
from tests.makers import make_adoption

logger = logging.getLogger(__name__)

PLAYS = int(os.environ.get("PUGMARK_PLAYS", "6"))
ACTS = 30
A_MONTH = 28

which = st.integers(0, 20)
crash = st.one_of(st.none(), st.none(), st.integers(1, 8))
outage = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 8))
methods = st.sampled_from(["ok", "ok", "bacs", "declined", "bacs_fails", "bacs_disputed", "disputed"])

WEBHOOKS, COMPARISON, PAGE = "webhooks", "comparison", "page"
EVERY = frozenset({WEBHOOKS, COMPARISON, PAGE})


class Crash(BaseException):
    """As kill -9: nothing catches it, and nothing after it is done."""


class Machine(RuleBasedStateMachine):
    """`world`, `client` and the channels are set by the test that runs it."""

    world: ClassVar[World]
    client: ClassVar[Client]
    channels: ClassVar[frozenset[str]] = EVERY
    done: ClassVar[Counter[str]] = Counter()
    writes_left: ClassVar[int | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.world.forget_everything()
        self.on_their_way: list[dict[str, Any]] = []
        self.days = 0
        self.world.adopt()
        self.world.adopt_monthly()

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)
            self.done["plays"] += 1

    def act(self, act: Callable[[], object], crash: int | None = None, outage: int | None = None) -> bool:
        """Whether it went through: Stripe may fail after so many answers, the process die after so many writes.

        What was committed before stays.
        """
        Machine.writes_left, self.world.answers_left = crash, outage
        try:
            act()
        except (StripeUnavailable, StripeRefused):
            self.done["outages"] += 1
            return False
        except Crash:
            self.done["crashes"] += 1
            return False
        finally:
            Machine.writes_left = self.world.answers_left = None
            self.done["acts"] += 1
        return True

    def one(self, number: int, **having: Any) -> Adoption | None:
        found = list(Adoption.objects.filter(**having).order_by("pk"))
        return found[number % len(found)] if found else None

    # --- people ---------------------------------------------------------------------------------------

    @rule(frequency=st.sampled_from(list(Frequency)), crash=crash, outage=outage)
    def press_pay(self, frequency: str, crash: int | None, outage: int | None) -> None:
        adoption = make_adoption(frequency=frequency, amount_pence=3600 if frequency == "once" else 500)
        self.act(lambda: checkout.page_to_pay(adoption), crash, outage)

    @rule(number=which, outage=outage)
    def press_pay_again(self, number: int, outage: int | None) -> None:
        adoption = self.one(number)
        if adoption:
            self.act(lambda: checkout.page_to_pay(adoption), None, outage)

    @rule(number=which, pence=st.sampled_from([300, 2400, 5000]), frequency=st.sampled_from(list(Frequency)))
    def go_back_and_answer_differently(self, number: int, pence: int, frequency: str) -> None:
        adoption = self.one(number, state__in=OPEN)
        if adoption:
            terms: dict[str, object] = {"amount_pence": pence, "frequency": frequency}

            def answer() -> None:
                checkout.change_terms(adoption, terms)
                checkout.page_to_pay(adoption)

            self.act(answer)

    @rule(number=which, method=methods)
    def pay(self, number: int, method: str) -> None:
        """Any page that is open at Stripe, whether or not it is the newest of its adoption."""
        if self.channels == {PAGE} and "disputed" in method:
            return
        pages = [one for one in self.world.books.all("checkout.session") if one["status"] == "open"]
        if pages:
            page = pages[number % len(pages)]["id"]
            self.act(lambda: self.world.pay(page, method))
            self.world.advance(seconds=1)  # what follows at once, as a dispute, follows now

    @rule(number=which, crash=crash, outage=outage)
    def come_back(self, number: int, crash: int | None, outage: int | None) -> None:
        adoption = self.one(number, stripe_session_id__isnull=False)
        if adoption and PAGE in self.channels:
            self.act(lambda: self.world.come_back(adoption), crash, outage)

    # --- Stripe, the bank and time --------------------------------------------------------------------

    def thing(self, kind: str, number: int, **having: Any) -> str | None:
        found = [one for one in self.world.books.all(kind) if all(one[k] == v for k, v in having.items())]
        return str(found[number % len(found)]["id"]) if found else None

    @rule(number=which, pence=st.sampled_from([None, 1, 100, 300]))
    def refund(self, number: int, pence: int | None) -> None:
        charge = self.thing("charge", number, status="succeeded", disputed=False, refunded=False)
        if charge:
            left = self.world.books.need("charge", charge)
            amount = min(pence or 10**6, left["amount"] - left["amount_refunded"])
            self.act(lambda: self.world.control("refund", charge=charge, amount=amount))

    @rule(number=which)
    def refund_fails(self, number: int) -> None:
        refund = self.thing("refund", number, status="succeeded")
        if refund:
            self.act(lambda: self.world.control("fail_refund", refund=refund))

    @rule(number=which)
    def dispute(self, number: int) -> None:
        charge = self.thing("charge", number, status="succeeded", disputed=False, amount_refunded=0)
        if charge and self.channels != {PAGE}:
            self.act(lambda: self.world.control("dispute", charge=charge))

    @rule(number=which, outcome=st.sampled_from(["won", "lost"]))
    def dispute_ends(self, number: int, outcome: str) -> None:
        dispute = self.thing("dispute", number, status="needs_response")
        if dispute:
            self.act(lambda: self.world.control("close_dispute", dispute=dispute, outcome=outcome))

    @rule(number=which, times=st.integers(1, 5))
    def renewals_will_fail(self, number: int, times: int) -> None:
        subscription = self.thing("subscription", number, status="active")
        if subscription:
            self.act(lambda: self.world.control("fail_renewals", subscription=subscription, times=times))

    @rule(number=which, is_ending=st.booleans())
    def cancel_or_undo(self, number: int, is_ending: bool) -> None:
        subscription = self.thing("subscription", number, status="active")
        adoption = self.one(0, stripe_subscription_id=subscription)
        if subscription and adoption:
            self.act(lambda: self.world.update_subscription(adoption, cancel_at_period_end=is_ending))

    @rule(number=which)
    def stripe_ends_it(self, number: int) -> None:
        subscription = self.thing("subscription", number, status="active")
        if subscription:
            self.act(lambda: self.world.control("end_subscription", subscription=subscription))

    @rule(days=st.sampled_from([1, 2, 5, 31, 45]))
    def time_passes(self, days: int) -> None:
        self.days += days
        if self.channels != {PAGE} or self.days < A_MONTH:
            self.act(lambda: self.world.advance(days=days))

    # --- news -----------------------------------------------------------------------------------------

    @rule(seed=st.integers(0, 999), share=st.sampled_from([0.2, 0.5, 1.0]), crash=crash, outage=outage)
    def some_news_comes(self, seed: int, share: float, crash: int | None, outage: int | None) -> None:
        """In any order; some of it will come again."""
        self.on_their_way += self.world.new_events()
        if WEBHOOKS in self.channels:
            chance = random.Random(seed)
            coming = chance.sample(self.on_their_way, int(len(self.on_their_way) * share))
            assert set(carry(self.client, coming)) <= {200}
            again = [event for event in coming if chance.random() < 0.1]
            self.on_their_way = [event for event in self.on_their_way if event not in coming] + again
            self.work(crash, outage)

    @rule(seed=st.integers(0, 999))
    def some_news_is_lost(self, seed: int) -> None:
        self.on_their_way += self.world.new_events()
        if COMPARISON in self.channels:
            kept = [event for event in self.on_their_way if random.Random(f"{seed}{event['id']}").random() < 0.6]
            self.done["events lost"] += len(self.on_their_way) - len(kept)
            self.on_their_way = kept

    def work(self, crash: int | None, outage: int | None) -> None:
        """The worker: what waits, together; then each event that failed or whose worker died, by itself."""
        self.act(tasks.work_inbox.func, crash, outage)
        tasks.work_forgotten_events.func()
        for task in DBTaskResult.objects.filter(task_path="adoptions.tasks.work_event"):
            if self.act(lambda task=task: task.task.func(*task.args_kwargs["args"]), crash, outage):  # type: ignore[misc]
                task.delete()

    @rule(crash=crash, outage=outage)
    def compare(self, crash: int | None, outage: int | None) -> None:
        if COMPARISON in self.channels:
            self.act(lambda: reconcile.reconcile(days=3), crash, outage)

    # --- what holds -----------------------------------------------------------------------------------

    @invariant()
    def nothing_is_made_up(self) -> None:
        """At every moment: no money Stripe has not, no adoption without money, no charge or thanks twice."""
        theirs = their_ledger(self.world.books)
        for payment in Payment.objects.all():
            assert theirs.get((payment.kind, payment.stripe_id)) == payment.amount_pence
        begun = Adoption.objects.filter(state__in=[*ADOPTED, "ended"])
        assert not begun.exclude(payments__kind=PaymentKind.CHARGE).exists()
        charges = Payment.objects.filter(kind=PaymentKind.CHARGE).values_list("stripe_id", flat=True)
        thanked = Mail.objects.filter(kind="receipt").values_list("key", flat=True)
        assert set(thanked) <= {f"receipt:{charge}" for charge in charges}

    def settle(self) -> None:
        """All news that was not lost comes, work is done, and what was lost is found by comparing."""
        self.on_their_way += self.world.new_events()
        if WEBHOOKS in self.channels:
            assert set(carry(self.client, self.on_their_way)) <= {200}
        self.on_their_way = []
        self.work(None, None)
        if self.channels == {PAGE}:
            for page in self.world.books.all("checkout.session"):
                fulfilment.sync_session(page["id"])
        if COMPARISON in self.channels:
            reconcile.reconcile(days=400)
        assert violations(self.world.books) == []
        again = reconcile.reconcile(days=400)
        assert again.found == 0
        self.done["events"] += StripeEvent.objects.count()
        self.done["payments"] += Payment.objects.count()


def die_between_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process can die before and after each of its writes."""
    places = [(ledger, "record_charge"), (ledger, "settle_state"), (fulfilment, "take_turn"), (fulfilment, "link")]
    for module, name in [*places, (emails, "queue_receipt"), (fulfilment, "follow")]:
        function = getattr(module, name)

        def dying(*args: Any, function: Any = function, **options: Any) -> Any:
            count_a_write()
            result = function(*args, **options)
            count_a_write()
            return result

        monkeypatch.setattr(module, name, dying)


def count_a_write() -> None:
    if Machine.writes_left is not None:
        Machine.writes_left -= 1
        if Machine.writes_left < 0:
            raise Crash


@pytest.mark.threat("M5", "M6", "X5")
@pytest.mark.parametrize("channels", [EVERY, {WEBHOOKS}, {COMPARISON}, {PAGE}], ids=["all", WEBHOOKS, COMPARISON, PAGE])
def test_invariants_hold_whatever_happens(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch, channels: Set[str]
) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "_sleep_time_seconds", lambda *args, **options: 0)
    die_between_writes(monkeypatch)
    monkeypatch.setattr(Machine, "done", Counter())
    monkeypatch.setattr(logging.root.manager, "disable", logging.INFO)  # a line per request, by the hundred thousand
    Machine.world, Machine.client = world, client
    monkeypatch.setattr(Machine, "channels", frozenset(channels))
    monkeypatch.setattr(tasks, "UNWORKED_AFTER", timedelta(0))
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=PLAYS,
            stateful_step_count=ACTS,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink] if PLAYS < 100 else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    logger.warning("%s plays: %s", PLAYS, dict(Machine.done))
    assert Machine.done["plays"] >= PLAYS
    assert Machine.done["acts"] > 5 * PLAYS
