"""The cases of money as plays: what people and Stripe do, act by act. Tests deliver the news of them in many ways.

A play yields after each act; the news told so far may be delivered then, or later, or in another order. Its
`expected` is what is shown in the end, in whatever way the news came.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from adoptions.models import Adoption
from tests.adoptions.world import Shown, World

type Acts = Iterator[Adoption]


@dataclass(frozen=True)
class Case:
    """`receipts` are those sent if all news is heard at once; fewer are right only where money went back unheard."""

    name: str
    play: Callable[[World], Acts]
    expected: Shown
    receipts: int


CASES: list[Case] = []


def ends(state: str, *moved: tuple[str, int], receipts: int) -> Callable[[Callable[[World], Acts]], None]:
    def register(play: Callable[[World], Acts]) -> None:
        CASES.append(Case(play.__name__, play, (state, tuple(sorted(moved))), receipts))

    return register


PAID = ("charge", 3600)
MONTH = ("charge", 500)


@ends("active", PAID, receipts=1)
def single_payment(world: World) -> Acts:
    """Cases 1 to 3: one payment, however often and by whatever name it is told."""
    yield world.adopt()


@ends("active", MONTH, receipts=1)
def first_month(world: World) -> Acts:
    """Case 4."""
    yield world.adopt_monthly()


@ends("active", ("charge", 6000), receipts=1)
def a_year(world: World) -> Acts:
    adoption = world.adopt(frequency="yearly", amount_pence=6000)
    yield adoption
    world.update_subscription(adoption, description="Amur leopard adoption, for Ellie")
    yield adoption


@ends("active", PAID, receipts=1)
def card_that_asks_the_bank(world: World) -> Acts:
    adoption = world.adopt("3ds")
    yield adoption
    world.answer_bank(adoption)
    yield adoption


@ends("active", PAID, receipts=1)
def declined_and_tried_again(world: World) -> Acts:
    adoption = world.adopt("declined")
    yield adoption
    world.pay(adoption.stripe_session_id or "")
    yield adoption


@ends("active", MONTH, receipts=1)
def month_declined_and_tried_again(world: World) -> Acts:
    adoption = world.adopt_monthly("declined")
    yield adoption
    world.pay(adoption.stripe_session_id or "")
    yield adoption


@ends("active", PAID, receipts=1)
def debit_paid_after_days(world: World) -> Acts:
    """Case 5."""
    adoption = world.adopt("bacs")
    yield adoption
    world.advance(days=6)
    yield adoption


@ends("active", MONTH, receipts=1)
def monthly_debit_paid_after_days(world: World) -> Acts:
    adoption = world.adopt_monthly("bacs")
    yield adoption
    world.advance(days=6)
    yield adoption


@ends("abandoned", receipts=0)
def debit_refused(world: World) -> Acts:
    """Case 6."""
    adoption = world.adopt("bacs_fails")
    yield adoption
    world.advance(days=5)
    yield adoption


@ends("abandoned", receipts=0)
def monthly_debit_refused_for_good(world: World) -> Acts:
    adoption = world.adopt_monthly("bacs_fails")
    yield adoption
    world.advance(days=40)
    yield adoption


@ends("ended", PAID, ("dispute", -3600), receipts=1)
def debit_claimed_back(world: World) -> Acts:
    """Case 7."""
    adoption = world.adopt("bacs_disputed")
    yield adoption
    world.advance(days=6)
    yield adoption


@ends("active", MONTH, MONTH, MONTH, MONTH, receipts=4)
def three_renewals(world: World) -> Acts:
    """Case 8."""
    adoption = world.adopt_monthly()
    yield adoption
    for _ in range(3):
        world.advance(months=1)
        yield adoption


@ends("active", MONTH, MONTH, receipts=2)
def renewal_that_fails_twice(world: World) -> Acts:
    """Case 9."""
    adoption = world.adopt_monthly()
    yield adoption
    world.control("fail_renewals", subscription=world.subscription(adoption), times=2)
    for days in (32, 4, 6):
        world.advance(days=days)
        yield adoption


@ends("ended", MONTH, receipts=1)
def renewal_that_fails_for_good(world: World) -> Acts:
    adoption = world.adopt_monthly()
    yield adoption
    world.control("fail_renewals", subscription=world.subscription(adoption), times=9)
    for days in (32, 4, 6, 8, 30):
        world.advance(days=days)
        yield adoption


@ends("ended", MONTH, receipts=1)
def cancelled_undone_and_cancelled(world: World) -> Acts:
    """Case 10."""
    adoption = world.adopt_monthly()
    yield adoption
    for is_ending in (True, False, True):
        world.update_subscription(adoption, cancel_at_period_end=is_ending)
        yield adoption
    world.advance(months=1)
    yield adoption


@ends("active", MONTH, MONTH, receipts=2)
def cancelled_and_undone(world: World) -> Acts:
    adoption = world.adopt_monthly()
    yield adoption
    for is_ending in (True, False):
        world.update_subscription(adoption, cancel_at_period_end=is_ending)
        yield adoption
    world.advance(months=1)
    yield adoption


@ends("ended", MONTH, MONTH, receipts=2)
def ended_by_stripe(world: World) -> Acts:
    """Case 11."""
    adoption = world.adopt_monthly()
    yield adoption
    world.advance(months=1)
    world.control("end_subscription", subscription=world.subscription(adoption))
    yield adoption


@ends("ended", PAID, ("refund", -3600), receipts=1)
def refunded_whole(world: World) -> Acts:
    """Case 12."""
    adoption = world.adopt()
    yield adoption
    world.refund(adoption)
    yield adoption


@ends("ended", MONTH, ("refund", -500), receipts=1)
def month_refunded_and_ended(world: World) -> Acts:
    adoption = world.adopt_monthly()
    yield adoption
    world.refund(adoption)
    yield adoption
    world.control("end_subscription", subscription=world.subscription(adoption))
    yield adoption


@ends("active", PAID, ("refund", -200), ("refund", -100), receipts=1)
def refunded_in_parts(world: World) -> Acts:
    """Case 13."""
    adoption = world.adopt()
    yield adoption
    for pence in (200, 100):
        world.refund(adoption, pence)
        yield adoption


@ends("active", PAID, ("refund", -3600), ("refund_failed", 3600), receipts=1)
def refund_that_fails_days_later(world: World) -> Acts:
    """Case 14."""
    adoption = world.adopt()
    yield adoption
    refund = world.refund(adoption)
    yield adoption
    world.advance(days=5)
    world.control("fail_refund", refund=refund)
    yield adoption


@ends("ended", PAID, ("refund", -3600), ("refund_failed", 3600), ("refund", -3600), receipts=1)
def refund_that_fails_and_is_made_again(world: World) -> Acts:
    adoption = world.adopt()
    yield adoption
    refund = world.refund(adoption)
    yield adoption
    world.advance(days=5)
    world.control("fail_refund", refund=refund)
    world.refund(adoption)
    yield adoption


@ends("active", PAID, ("refund", -3600), ("refund_failed", 3600), ("refund", -1), ("refund_failed", 1), receipts=1)
def refunds_that_fail_one_after_the_other(world: World) -> Acts:
    """In one second, so that not even their times tell which was first."""
    adoption = world.adopt()
    yield adoption
    refund = world.refund(adoption)
    yield adoption
    world.control("fail_refund", refund=refund)
    again = world.refund(adoption, 1)
    world.change("refund", again, created=world.books.need("refund", refund)["created"])
    world.control("fail_refund", refund=again)
    yield adoption


@ends("active", PAID, ("dispute", -3600), ("dispute_reversal", 3600), receipts=1)
def dispute_won(world: World) -> Acts:
    """Case 15."""
    adoption = world.adopt()
    yield adoption
    dispute = world.dispute(adoption)
    yield adoption
    world.advance(days=30)
    world.control("close_dispute", dispute=dispute, outcome="won")
    yield adoption


@ends("ended", PAID, ("dispute", -3600), receipts=1)
def dispute_lost(world: World) -> Acts:
    adoption = world.adopt()
    yield adoption
    dispute = world.dispute(adoption)
    yield adoption
    world.control("close_dispute", dispute=dispute, outcome="lost")
    yield adoption


@ends("active", MONTH, MONTH, ("dispute", -500), receipts=2)
def dispute_of_one_month(world: World) -> Acts:
    adoption = world.adopt_monthly()
    yield adoption
    world.dispute(adoption)
    yield adoption
    world.advance(months=1)
    yield adoption


@ends("held", PAID, receipts=0)
def amount_other_than_asked(world: World) -> Acts:
    """Case 16."""
    adoption = world.page()
    Adoption.objects.filter(pk=adoption.pk).update(amount_pence=1000)
    world.pay(adoption.stripe_session_id or "")
    yield adoption


@ends("held", PAID, ("refund", -100), receipts=0)
def amount_other_than_asked_and_refunded_in_part(world: World) -> Acts:
    adoption = world.page()
    Adoption.objects.filter(pk=adoption.pk).update(amount_pence=1000)
    world.pay(adoption.stripe_session_id or "")
    world.refund(adoption, 100)
    yield adoption


@ends("held", MONTH, MONTH, receipts=0)
def monthly_amount_other_than_asked(world: World) -> Acts:
    adoption = world.page(frequency="monthly", amount_pence=500)
    Adoption.objects.filter(pk=adoption.pk).update(amount_pence=1000)
    world.pay(adoption.stripe_session_id or "")
    yield adoption
    world.advance(months=1)
    yield adoption


@ends("held", receipts=0)
def other_currency_with_the_same_number(world: World) -> Acts:
    """Case 17."""
    adoption = world.page()
    session = world.session(adoption)
    world.change("checkout.session", session["id"], currency="eur")
    world.pay(session["id"])
    yield adoption
    world.refund(adoption, 100)
    yield adoption


@ends("held", PAID, receipts=0)
def reference_of_another_adoption(world: World) -> Acts:
    """Case 18."""
    adoption = world.page()
    world.change("checkout.session", adoption.stripe_session_id or "", client_reference_id="PM-ANOTHER")
    world.pay(adoption.stripe_session_id or "")
    yield adoption


@ends("abandoned", receipts=0)
def page_left_to_expire(world: World) -> Acts:
    """Case 25."""
    adoption = world.page()
    yield adoption
    world.advance(days=2)
    yield adoption


@ends("abandoned", receipts=0)
def monthly_page_declined_and_left(world: World) -> Acts:
    adoption = world.adopt_monthly("declined")
    yield adoption
    world.advance(days=2)
    yield adoption
