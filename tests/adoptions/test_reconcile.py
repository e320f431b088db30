"""Money match: what Stripe says beside what we say, and what becomes of the differences."""

import logging
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from adoptions import fulfilment, reconcile, stripe_gateway, tasks
from adoptions.models import Adoption, Comparison, Difference, Fee, Payment, PaymentKind, StripeEvent, Supporter
from adoptions.stripe_gateway import StripeUnavailable
from config.models import Mail
from tests.adoptions.invariants import violations
from tests.adoptions.money_cases import CASES, Case
from tests.adoptions.world import World, deliver, receipts, shown
from tests.asked_first import press_twice
from tests.makers import make_active_adoption, make_adoption, make_payment


def open_differences() -> list[tuple[str, str, int | None, int | None]]:
    rows = Difference.objects.open().order_by("kind", "pk")
    return list(rows.values_list("kind", "what", "ours_pence", "theirs_pence"))


# --- every webhook lost -----------------------------------------------------------------------------------------


@pytest.mark.threat("M5")
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_losing_every_webhook_and_comparing_equals_having_had_them(world: World, case: Case) -> None:
    *_, adoption = case.play(world)
    run = reconcile.reconcile(days=400)
    assert shown(adoption) == case.expected
    assert receipts(adoption) <= case.receipts
    assert violations(world.books) == []
    assert run.missed_events > 0 or case.name == "page_left_to_expire"
    left = ["currency"] if "currency" in case.name else []
    assert [kind for kind, *_ in open_differences()] == left
    again = reconcile.reconcile(days=400)
    assert (again.found - len(left), again.repaired) == (0, 0)


def test_a_day_of_many_adoptions_without_webhooks_is_made_good_at_once(world: World, client: Client) -> None:
    adoptions = [world.adopt(), world.adopt_monthly(), world.adopt("bacs"), world.adopt(), world.page()]
    deliver(client, world.new_events())
    assert reconcile.reconcile().found == 0
    more = [world.adopt(), world.adopt_monthly("declined"), world.adopt_monthly()]
    world.refund(adoptions[0], 600)
    world.control("end_subscription", subscription=world.subscription(adoptions[1]))
    world.dispute(adoptions[3])
    world.advance(days=7)
    run = reconcile.reconcile()
    assert (run.found, run.repaired, open_differences()) == (run.repaired, run.found, [])
    assert violations(world.books) == []
    states = [shown(adoption)[0] for adoption in [*adoptions, *more]]
    assert states == ["active", "ended", "active", "ended", "abandoned", "active", "abandoned", "active"]
    assert Mail.objects.filter(kind="receipt").count() == 6
    assert reconcile.reconcile().found == 0


def test_change_of_an_old_object_is_found_by_its_event(world: World, client: Client) -> None:
    """A refund of months ago fails: no list of the last days has it, and its event was lost."""
    adoption = world.adopt()
    refund = world.refund(adoption)
    old = int((timezone.now() - timedelta(days=60)).timestamp())
    for kind, key in (("charge", world.paid_charge(adoption)), ("refund", refund)):
        world.change(kind, key, created=old)
    for event in world.books.all("event"):
        world.change("event", event["id"], created=old)
    deliver(client, world.new_events())
    assert shown(adoption)[0] == "ended"
    world.control("fail_refund", refund=refund)
    reconcile.reconcile(days=3)
    assert shown(adoption)[0] == "active"
    assert Difference.objects.get().what == PaymentKind.REFUND_FAILED


# --- what is kept -----------------------------------------------------------------------------------------------


def test_payment_missing_here_is_written_down_and_kept_as_a_repaired_difference(world: World) -> None:
    adoption = world.adopt()
    charge = world.paid_charge(adoption)
    run = reconcile.reconcile()
    assert (run.found, run.repaired) == (2, 2)
    found = Difference.objects.get(kind="missing")
    assert (found.what, found.stripe_id, found.adoption_id) == ("charge", charge, adoption.pk)
    assert (found.ours_pence, found.theirs_pence) == (None, 3600)
    assert found.repaired_at
    assert found.how == reconcile.ASKED_AGAIN
    assert Difference.objects.get(kind="session").note == "Paid at Stripe, here: not paid yet."


def test_payment_unknown_to_stripe_stays_open_until_somebody_has_looked(world: World, admin_user: User) -> None:
    make_active_adoption()
    run = reconcile.reconcile()
    assert (run.found, run.repaired) == (1, 0)
    assert open_differences() == [("unknown", "charge", 3600, None)]
    assert reconcile.reconcile().found == 1
    assert Difference.objects.count() == 1
    assert not reconcile.ask_again(Difference.objects.get())
    assert Difference.objects.open().settle(by=admin_user) == 1
    assert reconcile.reconcile().found == 0
    assert open_differences() == []


def test_difference_that_was_looked_at_is_found_again_when_its_amount_changes(world: World, admin_user: User) -> None:
    adoption = world.adopt()
    world.come_back(adoption)
    charge = world.paid_charge(adoption)
    world.change("charge", charge, amount=3500)
    reconcile.reconcile()
    assert open_differences() == [("amount", "charge", 3600, 3500)]
    Difference.objects.open().settle(by=admin_user)
    world.change("charge", charge, amount=3400)
    reconcile.reconcile()
    assert open_differences() == [("amount", "charge", 3600, 3400)]


def test_difference_that_mended_by_itself_is_closed(world: World) -> None:
    adoption = world.adopt()
    world.come_back(adoption)
    charge = world.paid_charge(adoption)
    world.change("charge", charge, amount=3500)
    reconcile.reconcile()
    world.change("charge", charge, amount=3600)
    assert reconcile.reconcile().found == 0
    assert Difference.objects.get().how == reconcile.GONE


def pay_again(world: World, like: Adoption, **changes: str) -> str:
    """Another page at Stripe for the same adoption, as only a fault of ours could make it; paid."""
    metadata = {**world.session(like)["metadata"], **changes}
    made = stripe_gateway.client().v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [
                {"quantity": 1, "price_data": {"currency": "gbp", "unit_amount": 3600, "product_data": {"name": "A"}}}
            ],
            "client_reference_id": metadata.get("reference", "x"),
            "customer_creation": "always",
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata},
            "success_url": "http://localhost/",
        }
    )
    world.pay(made.id)
    return str(made.id)


def test_adoption_paid_twice_is_for_staff(world: World) -> None:
    adoption = world.adopt()
    world.come_back(adoption)
    second = pay_again(world, adoption)
    assert not fulfilment.sync_session(second)
    reconcile.reconcile()
    assert open_differences() == [("missing", "charge", None, 3600), ("session", "", None, 3600)]
    found = Difference.objects.get(kind="session")
    assert (found.adoption_id, found.note) == (
        adoption.pk,
        "Paid a second time for the same adoption: consider a refund.",
    )
    assert shown(adoption) == ("active", (("charge", 3600),))


def test_adoption_lost_with_an_old_backup_is_restored(world: World) -> None:
    adoption = world.adopt()
    world.come_back(adoption)
    lost = str(uuid.uuid4())
    pay_again(world, adoption, adoption=lost, reference="PM-LOST2345")
    run = reconcile.reconcile()
    assert run.found == run.repaired
    restored = Adoption.objects.get(public_id=lost)
    assert (restored.reference, *shown(restored)) == ("PM-LOST2345", "active", (("charge", 3600),))
    assert receipts(restored) == 0


def test_money_that_is_nothing_of_ours_is_no_difference(world: World) -> None:
    adoption = world.page()
    session = world.session(adoption)
    world.change("checkout.session", session["id"], metadata={}, _data={})
    Adoption.objects.all().delete()
    world.pay(session["id"])
    assert reconcile.reconcile().found == 0


# --- subscriptions and payouts ----------------------------------------------------------------------------------


def test_end_that_was_not_heard_of_is_repaired(world: World, client: Client) -> None:
    adoption = world.adopt_monthly()
    deliver(client, world.new_events())
    world.update_subscription(adoption, cancel_at_period_end=True)
    reconcile.reconcile()
    adoption.refresh_from_db()
    assert adoption.ends_on
    assert Difference.objects.get().kind == "subscription"
    world.control("end_subscription", subscription=adoption.stripe_subscription_id)
    reconcile.reconcile()
    assert shown(adoption)[0] == "ended"


def test_pause_and_new_amount_that_were_not_heard_of_are_repaired(world: World, client: Client) -> None:
    adoption = world.adopt_monthly()
    deliver(client, world.new_events())
    subscription = world.books.need("subscription", world.subscription(adoption))
    item, price = subscription["items"]["data"][0], subscription["items"]["data"][0]["price"]
    new_price = {"currency": "gbp", "product": price["product"], "recurring": {"interval": "month"}, "unit_amount": 800}
    world.update_subscription(adoption, items=[{"id": item["id"], "price_data": new_price}], proration_behavior="none")
    reconcile.reconcile()
    adoption.refresh_from_db()
    assert adoption.amount_pence == 800
    world.update_subscription(adoption, pause_collection={"behavior": "void"})
    reconcile.reconcile()
    adoption.refresh_from_db()
    assert adoption.is_paused
    notes = list(Difference.objects.order_by("pk").values_list("note", flat=True))
    assert notes == ["At Stripe: 800p each time. Here: 500p.", "Paused at Stripe, here the other way."]
    assert reconcile.reconcile().found == 0


def test_subscription_that_stripe_does_not_know_stays_open(world: World) -> None:
    make_active_adoption(frequency="monthly", amount_pence=500, stripe_subscription_id="sub_gone")
    reconcile.reconcile()
    assert ("subscription", "", None, None) in open_differences()
    assert Difference.objects.get(kind="subscription").note == "Stripe does not know this subscription."


def test_payouts_are_compared_with_their_lines_and_with_ours(world: World, client: Client) -> None:
    world.adopt()
    monthly = world.adopt_monthly()
    world.refund(monthly, 200)
    world.advance(days=5)
    deliver(client, world.new_events())
    [payout] = world.books.all("payout")
    assert payout["amount"] == 3600 + 500 - 200 - 74 - 28
    assert reconcile.reconcile().found == 0
    world.change("payout", payout["id"], amount=payout["amount"] - 1)
    reconcile.reconcile()
    assert open_differences() == [("payout", "", payout["amount"], payout["amount"] - 1)]


def test_fees_are_written_down_once_with_the_payout_that_settles_them(world: World, client: Client) -> None:
    single = world.adopt()
    world.refund(world.adopt_monthly(), 200)
    deliver(client, world.new_events())
    reconcile.reconcile()
    assert not Fee.objects.exists()
    world.advance(days=5)
    for _ in range(2):
        reconcile.reconcile()
    assert sorted(Fee.objects.values_list("payment__kind", "amount_pence")) == [("charge", 28), ("charge", 74)]
    [payout] = world.books.all("payout")
    assert payout["amount"] == Payment.objects.all().balance_pence() - sum(
        fee.amount_pence for fee in Fee.objects.all()
    )
    assert single.payments.balance_pence() == 3600


def test_line_of_a_payout_with_another_amount_is_a_difference(world: World, client: Client) -> None:
    world.adopt()
    world.advance(days=5)
    deliver(client, world.new_events())
    line = next(one for one in world.books.all("balance_transaction") if one["type"] == "charge")
    world.change("balance_transaction", line["id"], amount=3500)
    reconcile.reconcile()
    assert open_differences() == [("payout", "charge", 3600, 3500)]


# --- the number, the alarm, the button --------------------------------------------------------------------------


def test_state_says_how_many_are_open_and_how_old_that_is(world: World, client: Client) -> None:
    assert reconcile.state() == (0, None, None)
    make_active_adoption()
    run = reconcile.reconcile()
    world.adopt()
    deliver(client, world.new_events())
    heard = StripeEvent.objects.latest("received_at").received_at
    assert reconcile.state() == (1, run.started_at, heard)


def test_stripe_away_proves_nothing_and_says_so(world: World) -> None:
    world.control("faults", fail=9)
    with pytest.raises(StripeUnavailable):
        reconcile.reconcile()
    world.control("faults", fail=9)
    with pytest.raises(CommandError, match="nothing is proved"):
        call_command("reconcile")
    world.control("faults", fail=0)
    assert reconcile.state().checked_at is None
    assert set(Comparison.objects.values_list("finished_at", flat=True)) == {None}
    reconcile.reconcile()
    assert reconcile.state().checked_at


def test_silence_counts_only_while_subscriptions_run(world: World, client: Client) -> None:
    assert not reconcile.is_silent()
    adoption = world.adopt_monthly()
    deliver(client, world.new_events())
    assert not reconcile.is_silent()
    in_two_hours = timezone.now() + timedelta(hours=2)
    assert reconcile.is_silent(now=in_two_hours)
    world.control("end_subscription", subscription=world.subscription(adoption))
    deliver(client, world.new_events())
    assert not reconcile.is_silent(now=in_two_hours)


def test_hourly_task_raises_the_alarm(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.adopt_monthly()
    with caplog.at_level(logging.ERROR):
        tasks.compare_with_stripe.func()
    said = [record.getMessage() for record in caplog.records if record.name == "adoptions.tasks"]
    assert said == [
        "Money match: 4 differences with Stripe, 4 of them repaired.",
        "No webhook from Stripe for an hour, while subscriptions run. Is the endpoint switched on?",
    ]
    caplog.clear()
    tasks.compare_deeply_with_stripe.func()
    assert [record.getMessage() for record in caplog.records if record.name == "adoptions.tasks"] == []


def test_only_one_comparison_runs_at_a_time(world: World) -> None:
    held, done = threading.Event(), threading.Event()

    def compare() -> None:
        with reconcile.only_once():
            held.set()
            done.wait(10)
        connection.close()

    other = threading.Thread(target=compare)
    other.start()
    try:
        assert held.wait(10)
        with pytest.raises(reconcile.AlreadyComparing):
            reconcile.reconcile()
        with pytest.raises(CommandError, match="Another comparison"):
            call_command("reconcile")
        tasks.compare_with_stripe.func()
    finally:
        done.set()
        other.join()
    assert reconcile.reconcile().finished_at


def test_command_says_what_it_did_and_what_is_left(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    adoption = world.adopt()
    stray = make_payment(make_adoption())
    call_command("reconcile", "--days", "7")
    said = capsys.readouterr().out
    assert "of the last 7 days: 3 differences, 2 repaired, 1 events had not come." in said
    assert f"Here, not at Stripe: {stray.stripe_id} · charge · {stray.adoption.reference} · here £36" in said
    assert said.endswith("1 differences are open.\n")
    assert shown(adoption)[0] == "active"


def test_comparing_costs_the_same_requests_for_many_payments_as_for_few(world: World, client: Client) -> None:
    world.adopt_monthly()
    deliver(client, world.new_events())

    def requests() -> int:
        before = len(world.asked)
        reconcile.reconcile()
        return len(world.asked) - before

    few = requests()
    world.advance(months=24)
    deliver(client, world.new_events())
    assert Payment.objects.count() == 25
    payouts = len(world.books.all("payout"))
    assert requests() <= few + payouts + 2  # one request for the lines of each payout


@pytest.fixture
def marek(client: Client, db: None) -> User:
    """Of the finance team: may look, and may settle."""
    marek = User.objects.create_user("marek", password="x", is_staff=True)
    marek.user_permissions.set(Permission.objects.filter(codename__in=["view_difference", "change_difference"]))
    client.force_login(marek)
    return marek


def press(client: Client, action: str, **where: Any) -> str:
    response = client.post(
        "/admin/adoptions/difference/",
        {"action": action, "_selected_action": list(Difference.objects.values_list("pk", flat=True))},
        follow=True,
    )
    assert response.status_code == 200
    return response.content.decode()


def test_admin_asks_stripe_again_at_the_press_of_a_button(world: World, client: Client, marek: User) -> None:
    adoption = world.adopt()
    Difference.objects.create(kind="missing", what="charge", stripe_id=world.paid_charge(adoption), theirs_pence=3600)
    page = client.get("/admin/adoptions/difference/").content.decode()
    assert "Ask Stripe again" in page
    assert "£36" in page
    assert "1 of 1 match now." in press(client, "ask_again")
    assert shown(adoption)[0] == "active"
    assert Difference.objects.get().repaired_at


def test_admin_says_so_when_stripe_does_not_answer(world: World, client: Client, marek: User) -> None:
    Difference.objects.create(kind="missing", what="charge", stripe_id="ch_1", theirs_pence=3600)
    world.control("faults", fail=9)
    assert "Stripe did not answer" in press(client, "ask_again")
    world.control("faults", fail=0)
    assert "0 of 1 match now." in press(client, "ask_again")


def test_admin_leaves_a_difference_under_the_name_of_who_looked(world: World, client: Client, marek: User) -> None:
    make_active_adoption()
    reconcile.reconcile()
    found = Difference.objects.get()
    assert "Leave it" in client.get(f"/admin/adoptions/difference/{found.pk}/change/").content.decode()
    press(client, "leave")
    assert Difference.objects.open().exists()
    chosen = {"action": "leave", "_selected_action": [found.pk]}
    reads = ("leaves the list", f"{found.adoption} of Amara Supporter", "here,", "at Stripe", "Nobody is mailed.")
    done = press_twice(client, "/admin/adoptions/difference/", chosen, reads=reads).text
    assert "1 left as they are, under your name." in done
    found.refresh_from_db()
    assert (found.settled_by, found.how) == (marek, "Looked at by marek.")
    assert "0 left as they are" in press_twice(client, "/admin/adoptions/difference/?state=all", chosen).text


def test_admin_lets_nobody_settle_who_may_only_look(world: World, client: Client, marek: User) -> None:
    marek.user_permissions.set(Permission.objects.filter(codename="view_difference"))
    make_active_adoption()
    reconcile.reconcile()
    assert "Leave it" not in client.get("/admin/adoptions/difference/").content.decode()
    press(client, "leave")
    assert Difference.objects.open().count() == 1


def test_admin_shows_the_comparisons(world: World, client: Client, admin_client: Client) -> None:
    reconcile.reconcile()
    make_active_adoption()
    reconcile.reconcile()
    Comparison.objects.create(started_at=timezone.now(), days=3)
    page = admin_client.get("/admin/adoptions/comparison/").content.decode()
    for result in ("Matches", "1 left", "Broken off: nothing proved"):
        assert result in page
    for query in ("", "?state=repaired", "?state=all"):
        assert admin_client.get(f"/admin/adoptions/difference/{query}").status_code == 200


def test_queries_of_the_list_are_the_same_for_three_as_for_one(client: Client, marek: User) -> None:
    def queries() -> int:
        number = Difference.objects.count()
        Difference.objects.create(kind="unknown", what="charge", stripe_id=f"ch_{number}", adoption=make_adoption())
        with CaptureQueriesContext(connection) as captured:
            client.get("/admin/adoptions/difference/")
        return len(captured)

    counts = [queries() for _ in range(4)]
    assert counts[1] == counts[3]


def test_events_that_came_are_not_counted_as_missed(world: World, client: Client) -> None:
    world.adopt()
    events = world.new_events()
    deliver(client, events)
    assert reconcile.reconcile().missed_events == 0
    StripeEvent.objects.filter(type="checkout.session.completed").delete()
    assert reconcile.reconcile().missed_events == 1
    assert Supporter.objects.count() == 1
