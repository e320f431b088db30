"""Everything a subscription does: what can be wished for, what time brings, and who is told of it, once."""

import contextlib
import html
import random
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from adoptions import (
    fulfilment,
    money_emails,
    payment_days,
    rebuilding,
    reconcile,
    standing_orders,
    stripe_acts,
    stripe_gateway,
    subscriptions,
    tasks,
    timeline,
)
from adoptions.models import Adoption, AdoptionState, Change, Frequency
from adoptions.stripe_gateway import StripeRefused, StripeUnavailable
from adoptions.stripe_objects import Subscription
from adoptions.subscriptions import CannotChange
from config.models import Mail
from tests.adoptions.conftest import Amara, carry, work
from tests.adoptions.test_adopting import at_once, ours
from tests.adoptions.test_races import Slow, apply_whatever_came, unlocked, without_constraint
from tests.asked_first import press_twice, sure_of
from tests.test_hostile_input import HOSTILE


@pytest.fixture
def adopted(amara: Amara) -> Adoption:
    """Amara's monthly adoption, paid once."""
    return adopt(amara)


def adopt(amara: Amara, **changes: str) -> Adoption:
    adoption = amara.adopt(**{"frequency": "monthly", **changes})
    amara.come_back(adoption)
    return subscriptions.fresh(adoption)


def mails(kind: str) -> list[Mail]:
    return list(Mail.objects.filter(kind=kind).order_by("pk"))


def hear(amara: Amara, adoption: Adoption, *, times: int = 2) -> None:
    """All events so far, in any order, more than once."""
    events = ours(amara.stripe, adoption) * times
    random.Random(3).shuffle(events)
    carry(amara.client, events)
    work()
    adoption.refresh_from_db()


def at_stripe(adoption: Adoption) -> Subscription:
    return stripe_gateway.read_subscription(adoption.stripe_subscription_id or "")


# --- what can be wished for ---------------------------------------------------------------------------------


def test_running_adoption_knows_when_the_next_payment_is_due(adopted: Adoption) -> None:
    end = at_stripe(adopted).current_period_end
    assert end
    assert adopted.next_payment_on == timezone.localdate(end)
    assert adopted.card_expires_on == date(2034, 12, 31)


def test_cancel_at_the_end_of_the_period_is_told_once_and_can_be_undone(amara: Amara, adopted: Adoption) -> None:
    stopping = subscriptions.cancel(adopted, by=None)
    end = at_stripe(adopted).current_period_end
    assert end
    assert (stopping.state, stopping.ends_on, stopping.next_payment_on) == ("active", end.date(), None)
    hear(amara, adopted)
    assert len(mails("cancelled")) == 1
    assert "as you asked" in mails("cancelled")[0].text
    going_on = subscriptions.undo_cancel(stopping, by=None)
    assert (going_on.ends_on, at_stripe(adopted).cancel_at) == (None, None)
    assert going_on.next_payment_on == timezone.localdate(end)


def test_second_decision_to_stop_is_told_again_and_the_end_itself_is_not(amara: Amara, adopted: Adoption) -> None:
    subscriptions.undo_cancel(subscriptions.cancel(adopted, by=None), by=None)
    amara.stripe.control("advance", days=1)
    subscriptions.cancel(adopted, by=None)
    amara.stripe.control("advance", days=40)
    hear(amara, adopted)
    assert adopted.state == AdoptionState.ENDED
    assert len(mails("cancelled")) == 2


def test_cancel_now_ends_it_at_once(adopted: Adoption) -> None:
    ended = subscriptions.cancel(adopted, when="now", by=None)
    assert (ended.state, ended.next_payment_on, at_stripe(adopted).status) == ("ended", None, "canceled")
    assert len(mails("cancelled")) == 1
    with pytest.raises(CannotChange):
        subscriptions.cancel(ended, by=None)


def test_cancelling_in_stripes_portal_is_told_like_our_own(amara: Amara, adopted: Adoption) -> None:
    address = subscriptions.portal_address(adopted, return_url=settings.SITE_URL)
    assert address.startswith(f"{amara.stripe.url}/p/session/")
    amara.stripe.post(address.removeprefix(amara.stripe.url), act="stop", subscription=adopted.stripe_subscription_id)
    hear(amara, adopted)
    assert adopted.ends_on
    assert len(mails("cancelled")) == 1


def test_pause_takes_nothing_until_its_day_and_goes_on_by_itself(
    amara: Amara, adopted: Adoption, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "LONGEST_PAUSE", timedelta(days=10_000))  # Stripe's clock is ahead of ours here
    assert adopted.next_payment_on
    until = adopted.next_payment_on + timedelta(days=14)
    paused = subscriptions.pause(adopted, until=until, by=None)
    assert (paused.state, paused.is_paused, paused.resumes_on) == ("active", True, until)
    assert paused.next_payment_on
    assert paused.next_payment_on >= until
    amara.stripe.control("advance", days=40)
    hear(amara, adopted)
    assert (adopted.is_paused, adopted.payments.count()) == (True, 1)
    amara.stripe.control("advance", days=30)
    hear(amara, adopted)
    assert (adopted.is_paused, adopted.resumes_on, adopted.payments.count()) == (False, None, 2)


def test_pause_until_further_notice_and_resume(adopted: Adoption) -> None:
    paused = subscriptions.pause(adopted, by=None)
    assert (paused.is_paused, paused.resumes_on, paused.next_payment_on) == (True, None, None)
    going_on = subscriptions.resume(paused, by=None)
    assert (going_on.is_paused, going_on.next_payment_on) == (False, adopted.next_payment_on)
    with pytest.raises(CannotChange):
        subscriptions.resume(going_on, by=None)


def test_skipped_payment_is_told_as_that_and_not_as_a_pause(adopted: Adoption) -> None:
    due = f"{adopted.next_payment_on:%-d %B %Y}"
    skipped = subscriptions.skip_next(adopted, by=None)
    told = Mail.objects.get(kind="paused")
    assert told.subject == f"Your next payment is skipped ({adopted.reference})"
    words = " ".join(told.text.split())
    assert f"The payment of {due} for your adoption of the Amur leopard is skipped" in words
    assert f"The next payment, £5 a month, is taken on {skipped.next_payment_on:%-d %B %Y}." in words
    assert "paused" not in told.text + told.html
    [change] = timeline.changes(adopted.supporter)
    assert change.words == f"Skip the payment of {due} ({adopted.reference}). Done."


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_pause_until_an_impossible_day_is_refused_before_stripe_is_asked(adopted: Adoption, days: int) -> None:
    with pytest.raises(CannotChange):
        subscriptions.pause(adopted, until=timezone.localdate() + timedelta(days=days), by=None)
    assert not Change.objects.exists()


def test_skipping_leaves_out_one_payment_however_often_it_is_pressed(amara: Amara, adopted: Adoption) -> None:
    subscriptions.skip_next(adopted, by=None)
    skipped = subscriptions.skip_next(adopted, by=None)
    amara.stripe.control("advance", days=33)
    hear(amara, adopted)
    assert (adopted.is_paused, adopted.payments.count()) == (False, 1)
    assert adopted.next_payment_on == skipped.next_payment_on
    amara.stripe.control("advance", days=33)
    hear(amara, adopted)
    assert adopted.payments.count() == 2


def test_amount_changes_from_the_next_payment_on(amara: Amara, adopted: Adoption) -> None:
    changed = subscriptions.change_amount(adopted, pence=800, by=None)
    assert (changed.amount_pence, changed.payments.balance_pence()) == (800, 500)
    [mail] = mails("amount_changed")
    assert "was £5 a month and is now £8 a month" in " ".join(mail.text.split())
    amara.stripe.control("advance", days=32)
    hear(amara, adopted)
    assert (adopted.payments.balance_pence(), adopted.state) == (1300, "active")
    assert len(mails("amount_changed")) == 1


@pytest.mark.parametrize("pence", [-500, 0, 299, 500, 1_000_001])
def test_amount_outside_the_plan_or_unchanged_is_refused(adopted: Adoption, pence: int) -> None:
    with pytest.raises(CannotChange):
        subscriptions.change_amount(adopted, pence=pence, by=None)
    assert at_stripe(adopted).amount_pence == 500


def test_rhythm_changes_from_the_next_payment_on(amara: Amara, adopted: Adoption) -> None:
    changed = subscriptions.change_rhythm(adopted, frequency=Frequency.YEARLY, pence=6000, by=None)
    assert (changed.price, changed.next_payment_on) == ("£60 a year", adopted.next_payment_on)
    hear(amara, adopted)
    [mail] = mails("amount_changed")
    assert "was £5 a month and is now £60 a year, from the next payment on" in " ".join(mail.text.split())
    assert adopted.payments.balance_pence() == 500
    amara.stripe.control("advance", days=32)
    hear(amara, adopted)
    assert (adopted.state, adopted.payments.balance_pence()) == ("active", 6500)
    amara.stripe.control("advance", days=330)
    hear(amara, adopted)
    assert adopted.payments.balance_pence() == 6500
    amara.stripe.control("advance", days=40)
    hear(amara, adopted)
    assert adopted.payments.balance_pence() == 12_500
    assert reconcile.reconcile(days=800).found == 0


def test_year_becomes_months_and_a_second_thought_costs_nothing(amara: Amara) -> None:
    yearly = adopt(amara, frequency="yearly")
    monthly = subscriptions.change_rhythm(yearly, frequency=Frequency.MONTHLY, pence=500, by=None)
    again = subscriptions.change_rhythm(monthly, frequency=Frequency.YEARLY, pence=6000, by=None)
    assert (again.price, again.next_payment_on) == ("£60 a year", yearly.next_payment_on)
    subscriptions.change_rhythm(again, frequency=Frequency.MONTHLY, pence=700, by=None)
    amara.stripe.control("advance", days=300)
    hear(amara, yearly)
    assert (yearly.price, yearly.payments.balance_pence()) == ("£7 a month", 6000)
    amara.stripe.control("advance", days=100)
    hear(amara, yearly)
    assert yearly.payments.balance_pence() == 7400


@pytest.mark.parametrize(
    ("frequency", "pence"), [("once", 6000), ("monthly", 800), ("yearly", 299), ("yearly", 1_000_001)]
)
def test_rhythm_that_cannot_be_is_refused_before_stripe_is_asked(adopted: Adoption, frequency: str, pence: int) -> None:
    with pytest.raises(CannotChange):
        subscriptions.change_rhythm(adopted, frequency=Frequency(frequency), pence=pence, by=None)
    assert not Change.objects.exists()


def test_rhythm_changed_in_stripes_dashboard_unheard_of_is_found_and_repaired(adopted: Adoption) -> None:
    stripe_acts.change_rhythm(at_stripe(adopted), 6000, "year", key="dashboard")
    run = reconcile.reconcile()
    adopted.refresh_from_db()
    assert (run.found, run.repaired, adopted.price) == (1, 1, "£60 a year")
    assert len(mails("amount_changed")) == 1


def test_ledger_rebuilt_from_stripe_knows_the_new_rhythm(adopted: Adoption) -> None:
    subscriptions.change_rhythm(adopted, frequency=Frequency.YEARLY, pence=6000, by=None)
    Adoption.objects.filter(pk=adopted.pk).update(frequency="monthly", amount_pence=500)
    rebuilding.rebuild()
    adopted.refresh_from_db()
    assert adopted.price == "£60 a year"


def test_pause_and_its_end_are_told_once_each(amara: Amara, adopted: Adoption) -> None:
    paused = subscriptions.pause(adopted, by=None)
    hear(amara, adopted)
    subscriptions.pause(paused, until=timezone.localdate() + timedelta(days=90), by=None)
    hear(amara, adopted)
    until_told, day_told = mails("paused")
    assert "until you take it up again" in until_told.text
    assert f"{timezone.localdate() + timedelta(days=90):%-d %B %Y}" in day_told.text
    subscriptions.resume(subscriptions.fresh(adopted), by=None)
    hear(amara, adopted)
    [resumed] = mails("resumed")
    assert f"is due on {adopted.next_payment_on:%-d %B %Y}" in " ".join(resumed.text.split())
    subscriptions.skip_next(subscriptions.fresh(adopted), by=None)
    amara.stripe.control("advance", days=40)
    hear(amara, adopted)
    assert [len(mails(kind)) for kind in ("paused", "resumed")] == [3, 2]


def test_every_wish_is_kept_with_who_and_what(adopted: Adoption) -> None:
    marek = User.objects.create_user("marek", is_staff=True)
    subscriptions.change_amount(adopted, pence=800, by=marek)
    subscriptions.cancel(adopted, by=None)
    found = list(Change.objects.order_by("pk").values_list("act", "detail", "by__username", "refused"))
    assert found == [("amount", "£5 → £8", "marek", ""), ("stop_later", "", None, "")]
    assert not Change.objects.filter(done_at=None).exists()


def test_single_adoption_has_nothing_to_stop_or_change(amara: Amara) -> None:
    adoption = adopt(amara, frequency="once")
    for act in (subscriptions.cancel, subscriptions.undo_cancel, subscriptions.skip_next, subscriptions.pause):
        with pytest.raises(CannotChange):
            act(adoption, by=None)
    with pytest.raises(CannotChange):
        subscriptions.portal_address(adoption, return_url=settings.SITE_URL)


def test_wish_is_not_done_when_stripe_refuses(amara: Amara, adopted: Adoption) -> None:
    """It was ended in the dashboard a moment ago, and we had not heard."""
    amara.stripe.control("end_subscription", subscription=adopted.stripe_subscription_id)
    with pytest.raises(StripeRefused):
        subscriptions.change_amount(adopted, pence=800, by=None)
    assert Change.objects.get().refused == "resource_missing"
    adopted.refresh_from_db()
    assert (adopted.state, adopted.amount_pence) == ("ended", 500)


@pytest.mark.parametrize("fault", ["fail", "lose"])
def test_wish_is_neither_done_nor_refused_when_stripe_does_not_answer(
    amara: Amara, adopted: Adoption, fault: str
) -> None:
    amara.stripe.control("faults", **{fault: 10})
    with pytest.raises(StripeUnavailable):
        subscriptions.cancel(adopted, by=None)
    amara.stripe.control("faults")
    wish = Change.objects.get()
    assert (wish.done_at, wish.refused) == (None, "")
    hear(amara, adopted)
    assert bool(adopted.ends_on) == (fault == "lose")  # the truth, heard later; the person was told "not known yet"
    assert subscriptions.cancel(adopted, by=None).ends_on
    assert len(mails("cancelled")) == 1


# --- staff, for somebody who rings --------------------------------------------------------------------------


@pytest.fixture
def desk(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("marek"))
    return client


def press(desk: Client, adoption: Adoption, act: str, *reads: str) -> str:
    return str(press_twice(desk, f"/admin/adoptions/adoption/{adoption.pk}/plan/", {"act": act}, reads=reads).text)


def test_staff_stop_and_take_it_back_for_somebody_who_rings(desk: Client, adopted: Adoption) -> None:
    plan = f"/admin/adoptions/adoption/{adopted.pk}/plan/"
    assert plan in desk.get(f"/admin/adoptions/adoption/{adopted.pk}/change/").content.decode()
    assert "Stop at the end of the paid time" in desk.get(plan).content.decode()
    mail = "A mail to amara@example.org says so."
    assert "Done, as Stripe says" in press(desk, adopted, "stop_later", "Amara Supporter gives £5 a month", mail)
    assert at_stripe(adopted).cancel_at
    page = press(desk, adopted, "go_on", "It does not end on", "Nobody is mailed.")
    assert at_stripe(adopted).cancel_at is None
    assert "Skip the next payment" in page
    assert list(Change.objects.values_list("by__username", flat=True)) == ["marek", "marek"]


def test_staff_stop_at_once_only_after_they_have_read_what_it_does(desk: Client, adopted: Adoption) -> None:
    plan = f"/admin/adoptions/adoption/{adopted.pk}/plan/"
    for sure in ({}, {"sure": "yes"}):
        assert "It cannot be undone" in desk.post(plan, {"act": "stop_now", **sure}).text
    assert at_stripe(adopted).status == "active"
    assert "There is nothing to stop or change" in press(desk, adopted, "stop_now")
    assert at_stripe(adopted).status == "canceled"


@pytest.mark.parametrize("act", ["pause", "skip"])
def test_staff_pause_and_skip(desk: Client, adopted: Adoption, act: str) -> None:
    timeline = f"/admin/adoptions/supporter/{adopted.supporter_id}/timeline/"
    plan = f"/admin/adoptions/adoption/{adopted.pk}/plan/?back={timeline}"
    done = press_twice(desk, plan, {"act": act}, reads=("the £5 due on", f'href="{plan}"'))
    assert done.redirect_chain == [(timeline, 303)]
    assert "Done, as Stripe says" in done.text
    adopted.refresh_from_db()
    assert (at_stripe(adopted).is_paused, adopted.is_paused) == (True, True)


def test_staff_give_another_amount_and_rhythm_by_the_rules_of_supporters(desk: Client, adopted: Adoption) -> None:
    plan = f"/admin/adoptions/adoption/{adopted.pk}/plan/"
    due = f"{adopted.next_payment_on:%-d %B %Y}"
    reads = ("Give £8 a month?", f"due on {due}, it is £8 a month in place of £5 a month.", "A mail to amara@")
    done = press_twice(desk, plan, {"act": "amount", "amount": "8"}, reads=reads).text
    assert "Done, as Stripe says: give £8 a month." in done
    assert 'value="96"' in done  # a year of it, filled in
    assert (at_stripe(adopted).amount_pence, len(mails("amount_changed"))) == (800, 1)
    done = press_twice(desk, plan, {"act": "rhythm", "amount": "60"}, reads=("it is £60 a year in place of",)).text
    assert "Done, as Stripe says: give £60 a year." in done
    assert "Give every month instead" in done
    changes = list(Change.objects.order_by("pk").values_list("act", "detail", "by__username"))
    assert changes == [("amount", "£5 → £8", "marek"), ("rhythm", "£8 a month → £60 a year", "marek")]
    subscriptions.pause(subscriptions.fresh(adopted), by=None)
    assert "Give every month instead" not in desk.get(plan).text
    assert "Nothing was done" in desk.post(plan, {"act": "rhythm", "amount": "5"}, follow=True).text
    assert "in place of" in desk.post(plan, {"act": "amount", "amount": "50"}).text


def test_amount_that_cannot_be_comes_back_to_staff_and_asks_stripe_nothing(desk: Client, adopted: Adoption) -> None:
    """With what was typed, whatever it is; where it was typed, and with a sentence for staff."""
    plan = f"/admin/adoptions/adoption/{adopted.pk}/plan/"
    expected = {"5": "They give £5 a month already.", "2.99": "Enter an amount from £3 to £10,000.", "": "Enter an"}
    for typed in (*expected, *HOSTILE[::4]):
        for act in ("amount", "rhythm") if typed in {"", "2.99"} else ("amount",):
            answer = desk.post(plan, {"act": act, "amount": typed, "sure": "x"})
            assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["amount"]), typed
            assert f'id="id_{act}_amount_error"' in answer.text, typed
            assert html.escape(expected.get(typed, "")) in answer.text
            assert "<script>alert(1)" not in answer.text
    assert not Change.objects.exists()


def test_second_press_and_colleague_who_was_first_change_no_amount(desk: Client, adopted: Adoption) -> None:
    plan = f"/admin/adoptions/adoption/{adopted.pk}/plan/"
    wish = {"act": "amount", "amount": "8"}
    sure = sure_of(desk.post(plan, wish).text)
    assert "it is £9 a month" in desk.post(plan, {**wish, "amount": "9", **sure}).text
    assert "Done, as Stripe says" in desk.post(plan, {**wish, **sure}, follow=True).text
    again = desk.post(plan, {**wish, **sure})
    assert (again.status_code, "They give £8 a month already." in again.text) == (422, True)
    wish = {"act": "amount", "amount": "20"}
    sure = sure_of(desk.post(plan, wish).text)
    subscriptions.change_amount(subscriptions.fresh(adopted), pence=1000, by=None)
    assert "in place of £10 a month" in desk.post(plan, {**wish, **sure}).text
    assert list(Change.objects.order_by("pk").values_list("detail", flat=True)) == ["£5 → £8", "£8 → £10"]


def test_second_of_staff_is_told_what_changed_while_they_read(desk: Client, adopted: Adoption) -> None:
    plan = f"/admin/adoptions/adoption/{adopted.pk}/plan/"
    sure = sure_of(desk.post(plan, {"act": "skip"}).text)
    subscriptions.change_amount(adopted, pence=800, by=None)
    again = desk.post(plan, {"act": "skip", **sure}).text
    assert "what is said here has changed" in again
    assert "£8 a month" in again
    subscriptions.pause(adopted, by=None)
    assert "has changed since" in desk.post(plan, {"act": "skip", **sure_of(again)}, follow=True).text
    assert not Change.objects.filter(act="skip").exists()
    assert desk.post(plan, {"act": "nonsense"}).status_code == 200


def test_staff_are_never_told_done_when_stripe_did_not_say_so(amara: Amara, desk: Client, adopted: Adoption) -> None:
    amara.stripe.control("faults", fail=10)
    page = press(desk, adopted, "stop_later")
    amara.stripe.control("faults")
    assert "nobody knows yet" in page
    assert "Done, as Stripe says" not in page
    amara.stripe.control("end_subscription", subscription=adopted.stripe_subscription_id)
    assert "Done, as Stripe says" not in press(desk, adopted, "skip")


def test_another_amount_is_not_done_when_stripe_does_not_say_so(amara: Amara, desk: Client, adopted: Adoption) -> None:
    plan, wish = f"/admin/adoptions/adoption/{adopted.pk}/plan/", {"act": "amount", "amount": "8"}
    amara.stripe.control("faults", fail=10)
    page = press_twice(desk, plan, wish).text
    amara.stripe.control("faults")
    assert "nobody knows yet" in page
    amara.stripe.control("end_subscription", subscription=adopted.stripe_subscription_id)
    refused = press_twice(desk, plan, wish).text
    assert "Nothing was changed. Stripe" in refused
    assert "Done, as Stripe says" not in page + refused


def test_plan_needs_its_own_permission(adopted: Adoption) -> None:
    client = Client()
    client.force_login(User.objects.create_user("sam", is_staff=True))
    assert client.get(f"/admin/adoptions/adoption/{adopted.pk}/plan/").status_code == 403


# --- races --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["period_end", "now"])
def test_eight_cancelling_at_once_stop_it_once(adopted: Adoption, when: Any) -> None:
    def act() -> None:
        try:
            subscriptions.cancel(adopted, when=when, by=None)
        except (StripeRefused, CannotChange):
            assert when == "now"  # the others came after the end

    at_once(8, act)
    assert len(mails("cancelled")) == 1
    assert Change.objects.unanswered().count() == 0


def test_control_without_lock_and_key_the_end_is_told_many_times(
    adopted: Adoption, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = threading.Barrier(2)

    def look_then_queue(kind: str, *, to: str, key: str, **context: Any) -> bool:
        if Mail.objects.filter(key=f"{kind}:{key}").exists():
            return False
        with contextlib.suppress(threading.BrokenBarrierError):
            two.wait(2)  # until another has looked too
        Mail.objects.create(kind=kind, key=f"{kind}:{key}", to=to, message_id=str(uuid.uuid4()))
        return True

    monkeypatch.setattr(money_emails, "queue", look_then_queue)
    monkeypatch.setattr(fulfilment, "take_turn", unlocked)
    # Its UPDATE of the adoption's row makes the others wait as well.
    told = money_emails.queue_cancelled
    monkeypatch.setattr(fulfilment, "apply_subscription", lambda adoption, now: told(adoption, now.subscription))

    def act() -> None:
        with contextlib.suppress(CannotChange):
            subscriptions.cancel(adopted, by=None)

    with without_constraint("config_mail", "config_mail_key_key"):
        at_once(8, act)
        assert len(mails("cancelled")) > 1


def test_cancel_and_undo_at_once_end_as_stripe_has_it(adopted: Adoption) -> None:
    subscriptions.cancel(adopted, by=None)
    acts = [lambda: subscriptions.undo_cancel(adopted, by=None), lambda: subscriptions.cancel(adopted, by=None)]
    turns = iter(acts * 4)

    def act() -> None:
        try:
            next(turns)()
        except CannotChange:
            return

    at_once(8, act)
    now, there = subscriptions.fresh(adopted), at_stripe(adopted)
    assert now.ends_on == (there.cancel_at and there.cancel_at.date())


def taken_back_before_its_answer_was_written(adopted: Adoption, monkeypatch: pytest.MonkeyPatch, wish: Any) -> None:
    """The worker that carried a wish out is held up with its answer; meanwhile the wish is taken back, and heard of."""
    slow, undo = Slow(monkeypatch), {"cancel": stripe_acts.go_on, "pause": stripe_acts.resume}[wish.__name__]

    def be_late() -> None:
        with contextlib.suppress(CannotChange):
            wish(adopted, by=None)
        connection.close()

    late = threading.Thread(target=be_late)
    late.start()
    assert slow.has_answer.wait(10)
    subscription = adopted.stripe_subscription_id or ""
    undo(subscription, key="undo")
    fulfilment.sync_subscription(subscription)
    slow.may_go_on.set()
    late.join()


EACH_WISH = pytest.mark.parametrize("wish", [subscriptions.cancel, subscriptions.pause])


@EACH_WISH
def test_late_answer_to_a_wish_that_was_taken_back_is_not_written(
    adopted: Adoption, monkeypatch: pytest.MonkeyPatch, wish: Any
) -> None:
    taken_back_before_its_answer_was_written(adopted, monkeypatch, wish)
    now = subscriptions.fresh(adopted)
    assert (now.ends_on, now.is_paused) == (None, False)


@EACH_WISH
def test_control_without_counting_revisions_it_is(
    adopted: Adoption, monkeypatch: pytest.MonkeyPatch, wish: Any
) -> None:
    monkeypatch.setattr(fulfilment, "apply_latest", apply_whatever_came)
    taken_back_before_its_answer_was_written(adopted, monkeypatch, wish)
    now = subscriptions.fresh(adopted)
    assert (bool(now.ends_on), now.is_paused) == (wish is subscriptions.cancel, wish is subscriptions.pause)


def test_skipping_pausing_and_events_at_once_end_as_stripe_has_it(amara: Amara, adopted: Adoption) -> None:
    events = ours(amara.stripe, adopted)
    acts: Iterator[Any] = iter(
        [
            lambda: subscriptions.skip_next(adopted, by=None),
            lambda: subscriptions.pause(adopted, by=None),
            lambda: subscriptions.change_amount(adopted, pence=900, by=None),
            lambda: carry(Client(), events),
            lambda: fulfilment.sync_subscription(adopted.stripe_subscription_id or ""),
            lambda: subscriptions.cancel(adopted, by=None),
        ]
    )

    def act() -> None:
        try:
            next(acts)()
        except CannotChange:
            return  # another wish was first, and Stripe was read back

    at_once(6, act)
    there = at_stripe(adopted)
    adopted = subscriptions.fresh(adopted)
    resumes_on = timezone.localdate(there.resumes_at) if there.resumes_at else None
    assert (adopted.is_paused, adopted.resumes_on) == (there.is_paused, resumes_on)
    assert (adopted.amount_pence, adopted.next_payment_on) == (there.amount_pence, payment_days.next_payment(there))
    assert adopted.ends_on == (there.cancel_at and there.cancel_at.date())


# --- payments that fail -------------------------------------------------------------------------------------


def fail_next(amara: Amara, adoption: Adoption, times: int = 1) -> None:
    """An hour after the next payment was due, so that no later try has been made yet, however long the month is."""
    amara.stripe.control("fail_renewals", subscription=adoption.stripe_subscription_id, times=times)
    due = at_stripe(adoption).current_period_end
    assert due
    now = amara.stripe.control("now")["now"]
    amara.stripe.control("advance", seconds=int(due.timestamp()) - now + 3600)


def test_failed_payment_is_told_once_with_the_next_try_and_a_way_to_repair(amara: Amara, adopted: Adoption) -> None:
    fail_next(amara, adopted)
    hear(amara, adopted)
    hear(amara, adopted)
    [mail] = mails("payment_failed")
    assert (mail.to, adopted.state) == ("amara@example.org", "past_due")
    assert adopted.retry_on
    assert f"{adopted.retry_on:%-d %B %Y}" in mail.text
    assert subscriptions.repair_address(adopted) in mail.text
    assert "£5" in mail.text


def test_supporter_repairs_it_on_stripes_page_and_is_told_once(amara: Amara, adopted: Adoption) -> None:
    fail_next(amara, adopted)
    hear(amara, adopted)
    page = subscriptions.repair_address(adopted).removeprefix(amara.stripe.url)
    amara.stripe.post(page, method="ok")
    hear(amara, adopted)
    assert (adopted.state, adopted.retry_on, adopted.payments.count()) == ("active", None, 2)
    assert subscriptions.repair_address(adopted) == ""
    assert [len(mails(kind)) for kind in ("payment_failed", "payment_recovered", "receipt")] == [1, 1, 2]


def test_each_failed_try_is_told_and_the_end_is_told_instead_of_the_last(amara: Amara, adopted: Adoption) -> None:
    fail_next(amara, adopted, times=9)
    tries = 0
    while adopted.state != AdoptionState.ENDED:
        hear(amara, adopted)
        amara.stripe.control("advance", days=3)
        tries += 1
        assert tries < 9
    assert len(mails("payment_failed")) == 3
    [mail] = mails("cancelled")
    assert "the last payments did not go through" in mail.text
    assert "as you asked" not in mail.text
    assert (adopted.next_payment_on, adopted.retry_on) == (None, None)


def test_news_of_a_failure_that_comes_after_the_success_says_nothing(amara: Amara, adopted: Adoption) -> None:
    fail_next(amara, adopted)
    amara.stripe.control("advance", days=5)
    hear(amara, adopted)
    assert (adopted.state, adopted.payments.count()) == ("active", 2)
    assert mails("payment_failed") == mails("payment_recovered") == []


def test_bank_that_asks_at_a_renewal_is_told_of_with_a_page_to_confirm_on(amara: Amara, adopted: Adoption) -> None:
    amara.stripe.control("ask_at_renewal", subscription=adopted.stripe_subscription_id)
    amara.stripe.control("advance", days=32)
    hear(amara, adopted)
    [mail] = mails("action_required")
    assert subscriptions.repair_address(adopted) in mail.text
    assert mails("payment_failed") == []


def test_wish_for_more_waits_until_a_failed_payment_is_repaired(amara: Amara, adopted: Adoption) -> None:
    fail_next(amara, adopted)
    hear(amara, adopted)
    behind = subscriptions.fresh(adopted)
    for act in (subscriptions.pause, subscriptions.skip_next):
        with pytest.raises(CannotChange):
            act(behind, by=None)
    assert subscriptions.cancel(behind, when="now", by=None).state == AdoptionState.ENDED


def test_payment_that_comes_for_an_ended_adoption_is_kept_and_it_stays_ended(amara: Amara, adopted: Adoption) -> None:
    fail_next(amara, adopted)
    hear(amara, adopted)
    page = subscriptions.repair_address(adopted).removeprefix(amara.stripe.url)
    subscriptions.cancel(subscriptions.fresh(adopted), when="now", by=None)
    amara.stripe.post(page, method="ok")
    hear(amara, adopted)
    assert adopted.state == AdoptionState.ENDED
    assert len(mails("cancelled")) == 1


# --- what only time brings about ----------------------------------------------------------------------------


def expire_card(amara: Amara, adoption: Adoption, *, month: int, year: int) -> None:
    books = amara.stripe.server.books
    subscription = books.need("subscription", adoption.stripe_subscription_id or "")
    method = books.need("payment_method", subscription["default_payment_method"])
    with books.change():
        books.save(method | {"card": method["card"] | {"exp_month": month, "exp_year": year}})


def test_card_that_runs_out_is_told_once_a_month_before(amara: Amara, adopted: Adoption) -> None:
    soon = timezone.localdate()  # a card works until the end of its month
    expire_card(amara, adopted, month=soon.month, year=soon.year)
    fulfilment.sync_subscription(adopted.stripe_subscription_id or "")
    for _ in range(3):
        tasks.write_before_it_happens.func()
        work()
    assert len(mails("card_expiring")) == 1
    assert f"{soon:%B %Y}" in mails("card_expiring")[0].text


def test_card_that_its_bank_renewed_meanwhile_is_not_told_of(amara: Amara, adopted: Adoption) -> None:
    soon = timezone.localdate()  # a card works until the end of its month
    expire_card(amara, adopted, month=soon.month, year=soon.year)
    fulfilment.sync_subscription(adopted.stripe_subscription_id or "")
    expire_card(amara, adopted, month=12, year=2040)
    tasks.write_before_it_happens.func()
    work()
    assert mails("card_expiring") == []
    adopted.refresh_from_db()
    assert adopted.card_expires_on == date(2040, 12, 31)


def nightly() -> None:
    """What the timetable does at night, and everything that follows from it."""
    tasks.write_before_it_happens.func()
    work()


@pytest.mark.parametrize(("days", "expected"), [(32, 0), (30, 1), (12, 1)])
def test_yearly_renewal_is_told_of_once_within_the_month_before(amara: Amara, days: int, expected: int) -> None:
    yearly = adopt(amara, frequency="yearly")
    assert yearly.next_payment_on
    with time_machine.travel(yearly.next_payment_on - timedelta(days=days), tick=True):
        nightly()
        nightly()
        assert len(mails("renewal_notice")) == expected
        assert standing_orders.with_yearly_renewals() == []
    for mail in mails("renewal_notice"):
        assert f"renews on {yearly.next_payment_on:%-d %B %Y}: £60 a year is taken" in " ".join(mail.text.split())


@pytest.mark.parametrize("act", [subscriptions.cancel, subscriptions.pause])
def test_yearly_renewal_that_will_not_be_is_not_told_of(amara: Amara, act: Any) -> None:
    """It was stopped or paused at Stripe, and the event never came."""
    yearly = adopt(amara, frequency="yearly")
    due = yearly.next_payment_on
    assert due
    act(yearly, by=None)
    Adoption.objects.filter(pk=yearly.pk).update(next_payment_on=due, ends_on=None, is_paused=False)
    with time_machine.travel(due - timedelta(days=20), tick=True):
        assert standing_orders.with_yearly_renewals() == [yearly.stripe_subscription_id]
        nightly()
    assert mails("renewal_notice") == []


@pytest.mark.parametrize(("days", "expected"), [(31, 0), (30, 1), (29, 0), (7, 1), (1, 0)])
def test_end_is_told_a_month_and_a_week_before(adopted: Adoption, days: int, expected: int) -> None:
    Adoption.objects.filter(pk=adopted.pk).update(ends_on=timezone.localdate() + timedelta(days=days))
    for _ in range(2):
        standing_orders.tell_of_endings()
    assert len(mails("adoption_ending")) == expected


def test_end_that_was_just_decided_is_not_told_again(adopted: Adoption) -> None:
    subscriptions.cancel(adopted, by=None)
    Adoption.objects.filter(pk=adopted.pk).update(ends_on=timezone.localdate() + timedelta(days=7))
    assert standing_orders.tell_of_endings() == 0
    Mail.objects.filter(kind="cancelled").update(created_at=timezone.now() - timedelta(days=22))
    assert standing_orders.tell_of_endings() == 1


# --- days ---------------------------------------------------------------------------------------------------


def a_subscription(**values: Any) -> Subscription:
    return Subscription(
        **{
            "id": "sub_1",
            "status": "active",
            "is_live": False,
            "customer": "cus_1",
            "adoption_public_id": "",
            "cancel_at": None,
            "ended_at": None,
            "begun_at": datetime(2026, 1, 31, 12, tzinfo=UTC),
            "current_period_end": datetime(2026, 2, 28, 12, tzinfo=UTC),
            "interval": "month",
            **values,
        }
    )


@pytest.mark.threat("X7")
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, date(2026, 2, 28)),
        ({"is_paused": True}, None),
        ({"is_paused": True, "resumes_at": datetime(2026, 3, 1, tzinfo=UTC)}, date(2026, 3, 31)),
        ({"is_paused": True, "resumes_at": datetime(2026, 2, 1, tzinfo=UTC)}, date(2026, 2, 28)),
        ({"cancel_at": datetime(2026, 2, 28, 12, tzinfo=UTC)}, None),
        ({"cancel_at": datetime(2026, 6, 1, tzinfo=UTC)}, date(2026, 2, 28)),
        ({"status": "canceled"}, None),
        (
            {
                "interval": "year",
                "begun_at": datetime(2024, 2, 29, tzinfo=UTC),
                "current_period_end": datetime(2027, 2, 28, tzinfo=UTC),
                "is_paused": True,
                "resumes_at": datetime(2027, 3, 1, tzinfo=UTC),
            },
            date(2028, 2, 29),
        ),
        # Half past midnight in London's summer is still the day before in UTC.
        ({"current_period_end": datetime(2026, 6, 30, 23, 30, tzinfo=UTC)}, date(2026, 7, 1)),
    ],
)
def test_next_payment_falls_on_the_day_people_here_would_say(values: dict[str, Any], expected: date | None) -> None:
    assert payment_days.next_payment(a_subscription(**values)) == expected
