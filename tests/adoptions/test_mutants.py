"""Are the tests worth anything? Each mutant is one plausible fault in the code that moves money, made in the source of
a function while it runs; a play that passes on the right code must fail on the mutant.

A mutant names the function, the text that is replaced, and the plays that are to notice.
"""

import contextlib
import functools
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from adoptions import checkout, comparison, emails, fulfilment, ledger, rebuilding, reconcile, stripe_gateway, webhooks
from adoptions.models import Difference, StripeEvent
from adoptions.stripe_gateway import StripeUnavailable
from tests.adoptions.conftest import carry
from tests.adoptions.invariants import violations
from tests.adoptions.money_cases import CASES, Case
from tests.adoptions.test_reconcile import pay_again
from tests.adoptions.world import World, deliver, receipts, shown, work_events
from tests.makers import make_active_adoption

type Check = Callable[[World, Client], None]

BY_NAME = {case.name: case for case in CASES}


@contextlib.contextmanager
def mutated(function: Any, old: str, new: str) -> Iterator[None]:
    """The same function with one text in its source replaced; its code is swapped, so all who hold it are affected."""
    function = inspect.unwrap(function)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} is {source.count(old)} times in {function.__qualname__}"
    scope: dict[str, Any] = {}
    exec(compile(source.replace(old, new), inspect.getfile(function), "exec"), function.__globals__, scope)
    mutant = scope[function.__name__]
    assert isinstance(mutant, types.FunctionType)
    right = function.__code__
    function.__code__ = mutant.__code__
    try:
        yield
    finally:
        function.__code__ = right


# --- what notices -----------------------------------------------------------------------------------------------


def heard(case: Case, *, arrange: Callable[[list[Any]], list[Any]], world: World, client: Client) -> None:
    *_, adoption = case.play(world)
    deliver(client, arrange(world.new_events()))
    assert shown(adoption) == case.expected
    assert receipts(adoption) <= case.receipts
    assert violations(world.books) == []


@functools.cache
def late(name: str) -> Check:
    return lambda world, client: heard(BY_NAME[name], arrange=lambda events: events, world=world, client=client)


@functools.cache
def backwards(name: str) -> Check:
    return lambda world, client: heard(BY_NAME[name], arrange=lambda events: events[::-1], world=world, client=client)


@functools.cache
def in_time(name: str) -> Check:
    def check(world: World, client: Client) -> None:
        case = BY_NAME[name]
        for adoption in case.play(world):  # noqa: B007  the last one is looked at
            deliver(client, world.new_events())
        assert shown(adoption) == case.expected
        assert receipts(adoption) == case.receipts
        assert violations(world.books) == []

    return check


@functools.cache
def compared(name: str) -> Check:
    def check(world: World, client: Client) -> None:
        case = BY_NAME[name]
        *_, adoption = case.play(world)
        reconcile.reconcile(days=400)
        assert shown(adoption) == case.expected
        assert violations(world.books) == []
        assert reconcile.reconcile(days=400).found == 0

    return check


def stray_payment_is_found(world: World, client: Client) -> None:
    make_active_adoption()
    reconcile.reconcile()
    assert list(Difference.objects.open().values_list("kind", flat=True)) == ["unknown"]


def changed_amount_is_found(world: World, client: Client) -> None:
    adoption = world.adopt()
    world.come_back(adoption)
    world.change("charge", world.paid_charge(adoption), amount=3500)
    reconcile.reconcile()
    assert list(Difference.objects.open().values_list("kind", flat=True)) == ["amount"]


def payout_is_added_up(world: World, client: Client) -> None:
    world.come_back(world.adopt())
    world.advance(days=5)
    [payout] = world.books.all("payout")
    world.change("payout", payout["id"], amount=1)
    reconcile.reconcile()
    assert list(Difference.objects.open().values_list("kind", flat=True)) == ["payout"]


def other_mode_has_no_effect(world: World, client: Client) -> None:
    adoption = world.adopt()
    deliver(client, [{**event, "livemode": True} for event in world.new_events()])
    assert shown(adoption) == ("pending", ())


def event_is_worked_again_after_stripe_was_away(world: World, client: Client) -> None:
    adoption = world.adopt()
    carry(client, [one for one in world.new_events() if one["type"] == "checkout.session.completed"])
    world.control("faults", fail=9)
    assert len(work_events()) == 1
    [event] = StripeEvent.objects.all()
    with contextlib.suppress(StripeUnavailable):
        webhooks.work(event.pk)
    world.control("faults", fail=0)
    webhooks.work(event.pk)
    assert shown(adoption)[0] == "active"


def two_presses_are_one_page(world: World, client: Client) -> None:
    adoption = world.page()
    type(adoption).objects.update(stripe_session_id=None)  # the answer was lost on its way to us
    adoption.refresh_from_db()
    checkout.page_to_pay(adoption)
    assert len(world.books.all("checkout.session")) == 1


def hint_of_another_subscription_moves_nothing(world: World, client: Client) -> None:
    """An event that names the subscription of somebody else as that of the invoice, as no event of Stripe's does."""
    mine, other = world.adopt_monthly(), world.adopt_monthly()
    deliver(client, world.new_events())
    world.advance(months=1)
    paid = [one for one in world.new_events() if one["type"] == "invoice.paid"]
    names = {world.subscription(mine): world.subscription(other), world.subscription(other): world.subscription(mine)}
    for event in paid:
        details = event["data"]["object"]["parent"]["subscription_details"]
        details["subscription"] = names[details["subscription"]]
    deliver(client, paid)
    assert shown(mine) == shown(other) == ("active", (("charge", 500), ("charge", 500)))
    for adoption in (mine, other):
        charges = {one["id"] for one in world.charges(adoption)}
        assert charges == set(adoption.payments.values_list("stripe_id", flat=True))


def second_page_changes_nothing(world: World, client: Client) -> None:
    adoption = world.adopt()
    world.come_back(adoption)
    first = adoption.stripe_session_id
    fulfilment.sync_session(pay_again(world, adoption))
    assert shown(adoption) == ("active", (("charge", 3600),))
    assert adoption.stripe_session_id == first


def declined_try_is_no_money(world: World, client: Client) -> None:
    adoption = world.adopt("declined")
    world.pay(adoption.stripe_session_id or "")
    for charge in world.charges(adoption):
        fulfilment.sync_charge(charge["id"])
    assert shown(adoption) == ("active", (("charge", 3600),))


def failed_renewal_is_behind(world: World, client: Client) -> None:
    adoption = world.adopt_monthly()
    world.control("fail_renewals", subscription=world.subscription(adoption), times=1)
    world.advance(days=32)
    deliver(client, world.new_events())
    assert shown(adoption)[0] == "past_due"


def payment_alone_tells_that_it_goes_on(world: World, client: Client) -> None:
    """The event of the subscription is lost; that of its invoice comes."""
    adoption = world.adopt_monthly()
    world.control("fail_renewals", subscription=world.subscription(adoption), times=1)
    world.advance(days=32)
    deliver(client, world.new_events())
    world.advance(days=5)
    deliver(client, [event for event in world.new_events() if event["type"] == "invoice.paid"])
    assert shown(adoption)[0] == "active"


def money_gone_is_not_thanked_for(world: World, client: Client) -> None:
    adoption = world.adopt()
    world.refund(adoption)
    deliver(client, world.new_events())
    assert (shown(adoption)[0], receipts(adoption)) == ("ended", 0)


def lost_refund_is_found(world: World, client: Client) -> None:
    adoption = world.adopt()
    world.come_back(adoption)
    world.refund(adoption, 600)
    reconcile.reconcile()
    assert adoption.payments.balance_pence() == 3000


def rebuilding_mails_nobody(world: World, client: Client) -> None:
    adoption = world.adopt()
    rebuilding.rebuild()
    assert (shown(adoption)[0], receipts(adoption)) == ("active", 0)


def refused_debit_may_be_tried_again(world: World, client: Client) -> None:
    adoption = world.adopt("bacs_fails")
    world.advance(days=5)
    deliver(client, world.new_events())
    adoption.refresh_from_db()
    assert checkout.page_to_pay(adoption)


# --- the mutants ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    name: str
    function: Any
    old: str
    new: str
    check: Check


def mutant(name: str, function: Any, old: str, new: str, check: Check) -> None:
    MUTANTS.append(Mutant(name, function, old, new, check))


MUTANTS: list[Mutant] = []

PAID, REFUSED = 'session.payment_status == "paid"', 'session.status == "complete" and stripe_gateway.is_refused(intent)'
mutant("take complete for paid", fulfilment.read_news_of, PAID, 'session.status == "complete"', late("debit_refused"))
mutant("leave a refused debit on its way", fulfilment.read_news_of, REFUSED, "False", late("debit_refused"))

charge = ledger.record_charge
mutant("count a charge that failed", charge, "not charge.is_paid or ", "", declined_try_is_no_money)
mutant(
    "count another currency as pounds",
    charge,
    " or charge.currency != STERLING",
    "",
    late("other_currency_with_the_same_number"),
)
mutant("forget the refunds of a charge", charge, "(payment, charge.refunds)", "(payment, ())", late("refunded_whole"))
mutant(
    "write a later refund down before the one that failed",
    ledger.in_order,
    "one.status in REFUND_STANDS",
    "one.status not in REFUND_STANDS",
    in_time("refund_that_fails_and_is_made_again"),
)
mutant(
    "write a refund nobody heard of down before the return of one that is known",
    ledger.in_order,
    "one.id not in known, ",
    "",
    in_time("refunds_that_fail_one_after_the_other"),
)

refund, dispute = ledger.movements_of_refund, ledger.movements_of_dispute
mutant("take a part for the whole", refund, "-refund.amount_pence", "-300", late("refunded_in_parts"))
mutant(
    "let a failed refund stand",
    refund,
    "refund.status in REFUND_STANDS",
    "True",
    in_time("refund_that_fails_days_later"),
)
mutant("lose a won dispute", dispute, 'dispute.status == "won"', "False", late("dispute_won"))
mutant("count disputed money", dispute, "-dispute.amount_pence", "-1", late("dispute_lost"))
mutant(
    "see only the first page of refunds",
    stripe_gateway.read_charge,
    "charge.refunds.auto_paging_iter()",
    "charge.refunds.data[:1]",
    late("refunded_in_parts"),
)

settle = ledger.settle_state
mutant("stay active without money", settle, "this.end(", "this.none().end(", in_time("refunded_whole"))
mutant("stay ended with money", settle, "this.reopen()", "this.none().reopen()", in_time("dispute_won"))

wrong = fulfilment.what_is_wrong
mutant(
    "fulfil any amount",
    wrong,
    "session.amount_pence != adoption.amount_pence",
    "False",
    late("amount_other_than_asked"),
)
mutant(
    "fulfil anybody's session",
    wrong,
    "session.reference != adoption.reference",
    "False",
    late("reference_of_another_adoption"),
)
mutant(
    "trust the metadata of a charge",
    fulfilment.owner_of_charge,
    "find_by_payment(charge.payment_intent)",
    "Adoption.objects.filter(public_id=charge.adoption_public_id or None).values_list('pk', flat=True).first()",
    backwards("amount_other_than_asked_and_refunded_in_part"),
)
mutant(
    "let a second page take the adoption over",
    fulfilment.find_by_session,
    "public_id=public_id, stripe_session_id=None",
    "public_id=public_id",
    second_page_changes_nothing,
)

take = fulfilment.take
mutant(
    "thank for held money",
    take,
    " and adoption.state != AdoptionState.HELD",
    "",
    late("amount_other_than_asked"),
)
mutant(
    "thank for money gone",
    take,
    "if payment and is_kept",
    "if payment",
    money_gone_is_not_thanked_for,
)
mutant("thank for nothing", emails.queue_receipt, "if is_rebuilding.get():", "if False:", rebuilding_mails_nobody)
mutant("thank nobody", take, "if payment and is_kept", "if False", in_time("three_renewals"))
mutant(
    "forget which month was paid",
    fulfilment.write_invoice,
    "take(adoption, charge, invoice_id=invoice_id)",
    "take(adoption, charge)",
    late("three_renewals"),
)
mutant(
    "take the hint of an event for the truth",
    fulfilment.write_invoice,
    "if standing is None or standing.subscription.id != of:",
    "if standing is None:",
    hint_of_another_subscription_moves_nothing,
)
mutant(
    "leave an invoice alone of which the hint was wrong",
    fulfilment.sync_invoice,
    "bool(of) and sync_invoice(invoice_id)",
    "True",
    hint_of_another_subscription_moves_nothing,
)

follow = fulfilment.apply_subscription
mutant(
    "ignore that a payment failed", follow, "this.fall_behind()", "this.none().fall_behind()", failed_renewal_is_behind
)
mutant("stay behind", follow, "this.activate()", "this.none().activate()", in_time("renewal_that_fails_twice"))
mutant("never end", follow, "this.end(", "this.none().end(", in_time("ended_by_stripe"))
mutant(
    "hear of a payment and not ask how it goes on",
    fulfilment.write_invoice,
    "apply_subscription(adoption, standing)",
    "pass",
    payment_alone_tells_that_it_goes_on,
)

mutant(
    "open a page for each press",
    stripe_gateway.create_session,
    "adoption:{wanted.public_id}:session:{wanted.attempt}",
    "{time.monotonic()}",
    two_presses_are_one_page,
)
mutant(
    "refuse another try after a refused debit",
    checkout.page_to_pay,
    " and adoption.state != AdoptionState.ABANDONED",
    "",
    refused_debit_may_be_tried_again,
)

mutant(
    "work events of the other mode",
    webhooks.why_not,
    "event.is_live != settings.STRIPE_LIVEMODE",
    "False",
    other_mode_has_no_effect,
)
mutant(
    "call an event done before it is",
    webhooks.work,
    ".count_attempt()",
    ".mark_done()",
    event_is_worked_again_after_stripe_was_away,
)
mutant(
    "call an event done that failed among others",
    webhooks.work_together,
    "failed.update(dict.fromkeys(ids, error))",
    "done.extend(ids)",
    event_is_worked_again_after_stripe_was_away,
)
mutant("take unknown types for done", webhooks.is_ours, "if not event.object_id:", "if True:", late("single_payment"))

mutant("compare one way only", comparison.compare_money, "if key not in theirs:", "if False:", stray_payment_is_found)
mutant(
    "compare ids but not pence",
    comparison.compare_money,
    "ours[key].amount_pence != movement.theirs_pence",
    "False",
    changed_amount_is_found,
)
mutant(
    "compare charges only",
    comparison.their_movements,
    "for thing, movements, sync in moved:",
    "for thing, movements, sync in []:",
    lost_refund_is_found,
)
mutant("trust a payout", comparison.compare_payouts, "total != payout.amount_pence", "False", payout_is_added_up)
mutant("find and not repair", reconcile.compare_and_repair, "if found.repair:", "if False:", compared("first_month"))


# --- the proof --------------------------------------------------------------------------------------------------


class Undone(Exception):
    """Back to an empty database."""


def notices(check: Check, world: World, client: Client) -> bool:
    """Only a failed assertion counts: a mutant that merely crashes is no fault somebody could make."""
    world.forget_everything()
    try:
        with transaction.atomic():
            check(world, client)
            raise Undone
    except Undone:
        return False
    except AssertionError:
        return True
    finally:
        world.control("faults", fail=0)


CHECKS = {one.check: one.name for one in MUTANTS}


@pytest.mark.parametrize("check", CHECKS, ids=list(CHECKS.values()))
def test_check_passes_on_the_right_code(world: World, client: Client, check: Check) -> None:
    assert not notices(check, world, client)


@pytest.mark.parametrize("fault", MUTANTS, ids=[one.name for one in MUTANTS])
def test_mutant_is_killed(world: World, client: Client, fault: Mutant) -> None:
    with mutated(fault.function, fault.old, fault.new):
        assert notices(fault.check, world, client)


def test_there_are_enough_mutants() -> None:
    assert len({one.name for one in MUTANTS}) == len(MUTANTS) >= 30
