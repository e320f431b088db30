"""Renewals that a bank refused, and what became of them: the same rows by whichever way and order the news comes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from adoptions import rebuilding, reconcile
from adoptions.models import Adoption, Became, Difference, FailedRenewal
from tests.adoptions.money_cases import PAID
from tests.adoptions.world import Event, World, deliver

type Rows = dict[str, tuple[str, int, str, str]]


def failing(world: World, times: int) -> Adoption:
    """A month later, that many tries in a row are refused."""
    adoption = world.adopt_monthly()
    world.control("fail_renewals", subscription=world.subscription(adoption), times=times)
    world.advance(days=32)
    return adoption


def a_bad_month(world: World) -> dict[str, Adoption]:
    """One of each fate, and two that are none: a first payment that was refused, and one that a bank asked about."""
    found = {"lost": failing(world, 9)}
    world.advance(days=45)
    found["again"], found["other"] = failing(world, 1), failing(world, 1)
    [unpaid] = [
        one["id"]
        for one in world.books.all("invoice")
        if one["status"] == "open" and one["customer"] == world.session(found["other"])["customer"]
    ]
    world.press(f"/i/{unpaid}", method="ok")
    world.advance(days=4)
    found["open"] = failing(world, 9)
    declined = world.adopt_monthly("declined")
    world.pay(declined.stripe_session_id or "")
    asked = world.adopt_monthly()
    world.control("ask_at_renewal", subscription=world.subscription(asked))
    return found


def days_to_recover(world: World, adoption: Adoption) -> int:
    """By Stripe's own books: months are of different lengths."""
    [_, refused, paid, *_] = world.charges(adoption)
    return int(paid["created"] - refused["created"]) // 86400


def rows(adoptions: dict[str, Adoption]) -> Rows:
    names = {adoption.pk: name for name, adoption in adoptions.items()}
    found = FailedRenewal.objects.select_related("adoption", "payment")
    return {
        names[one.adoption_id]: (
            one.became,
            one.amount_pence,
            one.reason,
            f"after {(one.payment.occurred_at - one.failed_at).days} days" if one.payment else "not paid",
        )
        for one in found
    }


EXPECTED: Rows = {
    "lost": (Became.LOST, 500, "generic_decline", "not paid"),
    "again": (Became.AGAIN, 500, "generic_decline", "after 3 days"),
    "other": (Became.OTHER, 500, "generic_decline", "after {days} days"),
    "open": (Became.OPEN, 500, "generic_decline", "not paid"),
}


def by_events(arrange: Callable[[list[Event]], list[Event]]) -> Callable[[World, Client], None]:
    return lambda world, client: deliver(client, arrange(world.new_events()))


def by_comparing(world: World, client: Client) -> None:
    reconcile.reconcile(days=400)
    assert reconcile.reconcile(days=400).found == 0


def by_rebuilding(world: World, client: Client) -> None:
    rebuilding.rebuild()


WAYS = {
    "in order": by_events(lambda events: events),
    "backwards": by_events(lambda events: events[::-1]),
    "twice": by_events(lambda events: [*events, *({**event, "id": f"{event['id']}B"} for event in events)]),
    "only invoices": by_events(lambda events: [one for one in events if one["type"].startswith(("inv", "checkout"))]),
    "by comparing": by_comparing,
    "by rebuilding": by_rebuilding,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_each_failed_renewal_is_kept_with_what_became_of_it(
    world: World, client: Client, way: Callable[[World, Client], None]
) -> None:
    adoptions = a_bad_month(world)
    way(world, client)
    found = rows(adoptions)
    fate, pence, reason, after = EXPECTED["other"]
    after = after.format(days=days_to_recover(world, adoptions["other"]))
    assert found == {**EXPECTED, "other": (fate, pence, reason, after)}
    assert FailedRenewal.objects.count() == len(EXPECTED)
    first = {one.pk: world.charges(one)[1]["created"] for one in adoptions.values()}
    assert {one.adoption_id: int(one.failed_at.timestamp()) for one in FailedRenewal.objects.all()} == first


def test_recovery_whose_event_was_lost_is_found_by_comparing(world: World, client: Client) -> None:
    adoption = failing(world, 1)
    deliver(client, world.new_events())
    world.advance(days=4)
    assert world.new_events()
    assert rows({"again": adoption})["again"][0] == Became.OPEN
    reconcile.reconcile(days=400)
    assert rows({"again": adoption}) == {"again": EXPECTED["again"]}
    assert FailedRenewal.objects.get().payment in adoption.payments.all()
    assert reconcile.reconcile(days=400).found == 0


def test_failure_nobody_heard_of_is_repaired_by_its_button(world: World, client: Client) -> None:
    adoption = failing(world, 9)
    deliver(client, [one for one in world.new_events() if not one["type"].startswith("invoice.payment_failed")])
    FailedRenewal.objects.all().delete()
    [invoice] = [one["id"] for one in world.books.all("invoice") if one["status"] == "open"]
    found = Difference.objects.create(kind="missing", what="failed try", stripe_id=invoice, adoption=adoption)
    assert reconcile.ask_again(found)
    assert FailedRenewal.objects.get().invoice_id == invoice


def test_single_payment_leaves_no_failure(world: World, client: Client) -> None:
    adoption = world.adopt("declined")
    world.pay(adoption.stripe_session_id or "")
    deliver(client, world.new_events())
    assert [(one.kind, one.amount_pence) for one in adoption.payments.all()] == [PAID]
    assert not FailedRenewal.objects.exists()


LIST = "/admin/adoptions/failedrenewal/"


@pytest.fixture
def fiona(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("fiona"))
    return client


def shown(fiona: Client, **query: str) -> set[int]:
    return {one.adoption_id for one in fiona.get(LIST, query).context["cl"].queryset}


def test_list_is_asked_by_fate_and_found_by_reference_or_invoice(
    world: World, fiona: Client, django_assert_max_num_queries: Any
) -> None:
    adoptions = a_bad_month(world)
    deliver(Client(), world.new_events())
    for name, adoption in adoptions.items():
        assert shown(fiona, became=EXPECTED[name][0]) == {adoption.pk}
    assert shown(fiona, became="recovered") == {adoptions["again"].pk, adoptions["other"].pk}
    assert shown(fiona, became="nonsense") == {one.pk for one in adoptions.values()}
    lost = FailedRenewal.objects.get(adoption=adoptions["lost"])
    assert shown(fiona, q=lost.invoice_id) == shown(fiona, q=adoptions["lost"].reference) == {adoptions["lost"].pk}
    with django_assert_max_num_queries(12):
        page = fiona.get(LIST).text
    assert "Generic decline" in page
    assert "Recovered with another card or account" in page
    assert fiona.get(f"{LIST}{lost.pk}/change/").status_code == 200
