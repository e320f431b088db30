"""From an empty database and Stripe alone: every supporter, adoption and payment is there again."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from adoptions import checkout, rebuilding, reconcile, stripe_gateway
from adoptions.models import Adoption, Campaign, Fee, Payment, Plan, StripeEvent, Supporter
from config.models import Mail
from species.models import Species
from tests.adoptions.invariants import violations
from tests.adoptions.money_cases import CASES, Case
from tests.adoptions.world import World, deliver, shown
from tests.makers import make_plan, make_species, make_supporter

type Row = dict[str, Any]

KEPT = (
    *("public_id", "reference", "frequency", "amount_pence", "is_gift", "campaign__code", "campaign_code", "state"),
    *("species__slug", "plan__slug", "supporter__email", "supporter__name", "activated_at", "ended_at", "ends_on"),
    *("stripe_session_id", "stripe_subscription_id", "stripe_customer_id", "session_number", "held_because"),
)


def adoptions() -> list[Row]:
    """Those that were completed at Stripe: of others there is nothing there to restore."""
    done = Adoption.objects.exclude(stripe_customer_id="").order_by("public_id")
    return list(done.values(*KEPT))


def payments() -> set[tuple[Any, ...]]:
    rows = Payment.objects.values_list(
        *("stripe_id", "kind", "amount_pence", "invoice_id", "card_last4", "occurred_at"),
        *("adoption__public_id", "charge__stripe_id"),
    )
    return set(rows)


def fees() -> set[tuple[Any, ...]]:
    return set(Fee.objects.values_list("stripe_id", "amount_pence", "payout_id", "payment__stripe_id", "payment__kind"))


def lose_everything() -> None:
    """All that adopting ever wrote. Payments cannot be deleted, so the tables are emptied."""
    names = [model._meta.db_table for model in (Adoption, Payment, Fee, Supporter, StripeEvent, Mail, Plan, Campaign)]
    with connection.cursor() as cursor:
        # Deferred checks of what this test wrote so far must be over before its tables can be emptied.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {', '.join(names)} CASCADE")


def everything(world: World, client: Client) -> None:
    """Amara and others do all that can be done, and all of it is heard."""
    autumn = Campaign.objects.create(code="autumn", name="Autumn", species=make_species())
    ellie = make_supporter("Ellie Ó Súilleabháin", "ellie@example.org")
    world.adopt(campaign=autumn, campaign_code="autumn", supporter=ellie)
    world.adopt(is_gift=True, campaign_code="unknown-code")
    refunded = world.adopt()
    world.refund(refunded, 100)
    failing = world.refund(refunded, 3500)
    monthly = world.adopt_monthly(supporter=ellie)
    ending = world.adopt_monthly("bacs")
    world.adopt("bacs_disputed")
    world.adopt("declined")
    world.page()
    deliver(client, world.new_events())
    world.advance(months=2)
    world.control("fail_refund", refund=failing)
    world.update_subscription(ending, cancel_at_period_end=True)
    world.control("close_dispute", dispute=world.dispute(monthly), outcome="won")
    world.control("fail_renewals", subscription=world.subscription(monthly), times=1)
    world.advance(months=1)
    deliver(client, world.new_events())


def pay_as(world: World, name: str, email: str) -> None:
    """The payer of a page types a name at Stripe; the stand-in takes the one it is sent."""
    for customer in world.books.all("customer"):
        if customer["email"] == email:
            world.change("customer", customer["id"], name=name)


def test_everything_is_restored_from_stripe_alone(world: World, client: Client) -> None:
    everything(world, client)
    for supporter in Supporter.objects.all():
        pay_as(world, supporter.name, supporter.email)
    assert violations(world.books) == []
    payers = set(Supporter.objects.filter(adoptions__payments__isnull=False).values_list("email", flat=True))
    reconcile.reconcile(days=400)
    before = adoptions(), payments(), fees()
    assert [len(one) for one in before[:2]] == [6, 16]
    assert len(before[2]) > 6
    lose_everything()
    make_plan()
    Campaign.objects.create(code="autumn", name="Autumn", species=make_species())
    rebuilt = rebuilding.rebuild()
    assert (rebuilt.adoptions, rebuilt.restored) == (6, 6)
    assert adoptions() == before[0]
    assert payments() == before[1]
    assert fees() == before[2]
    assert set(Supporter.objects.values_list("email", flat=True)) == payers
    wrong = [one for one in violations(world.books) if not one.startswith("nobody was thanked")]
    assert wrong == []
    assert reconcile.reconcile(days=400).found == 0


def test_nobody_is_mailed(world: World, client: Client) -> None:
    everything(world, client)
    lose_everything()
    rebuilding.rebuild()
    assert not Mail.objects.exists()
    deliver(client, [event for _, event in world.books.items("event")])  # Stripe sends all of it once more
    assert not Mail.objects.filter(kind="receipt").exists()


def test_rebuilding_twice_changes_nothing(world: World, client: Client) -> None:
    everything(world, client)
    rebuilt = rebuilding.rebuild()
    before = list(Adoption.objects.order_by("pk").values(*KEPT, "pk", "token", "attempt")), payments()
    assert rebuilt.restored == 0
    assert rebuilding.rebuild() == rebuilt
    assert (list(Adoption.objects.order_by("pk").values(*KEPT, "pk", "token", "attempt")), payments()) == before


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case_is_restored(world: World, case: Case) -> None:
    *_, adoption = case.play(world)
    is_held = case.expected[0] == "held"
    world.come_back(adoption)
    public_id, was_done = adoption.public_id, bool(Adoption.objects.get(pk=adoption.pk).stripe_customer_id)
    lose_everything()
    rebuilding.rebuild()
    restored = Adoption.objects.filter(public_id=public_id).first()
    assert bool(restored) == was_done
    if restored and not is_held:  # a fault is one only beside what was asked, and that is what was lost
        assert shown(restored) == case.expected


def test_no_personal_data_travels_in_metadata(world: World) -> None:
    supporter = make_supporter("Amara Supporter", "amara@example.org")
    adoption = world.adopt_monthly(supporter=supporter, is_gift=True, campaign_code="autumn")
    session = world.session(adoption)
    subscription = world.books.need("subscription", session["subscription"])
    assert session["metadata"] == subscription["metadata"]
    assert session["metadata"] == {
        "adoption": str(adoption.public_id),
        "reference": adoption.reference,
        "species": "amur-leopard",
        "plan": "friend",
        "frequency": "monthly",
        "gift": "yes",
        "campaign": "autumn",
        "campaign_first": "",
    }


def test_species_and_plan_that_are_gone_are_kept_for_the_record(world: World) -> None:
    world.adopt()
    lose_everything()
    Species.objects.all().delete()
    rebuilding.rebuild()
    adoption = Adoption.objects.get()
    assert (adoption.species.common_name, adoption.species.is_published) == ("Amur leopard", False)
    assert (adoption.plan.slug, adoption.plan.is_on_offer) == ("friend", False)


def test_supporter_whom_stripe_was_asked_to_forget_has_no_address(world: World) -> None:
    adoption = world.adopt()
    world.change("customer", world.session(adoption)["customer"], _deleted=True)
    lose_everything()
    rebuilding.rebuild()
    supporter = Supporter.objects.get()
    assert supporter.name == rebuilding.UNKNOWN_NAME
    assert supporter.email.endswith("@forgotten.invalid")


def test_session_with_half_its_metadata_is_left_out_and_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    adoption = world.adopt()
    session = world.session(adoption)
    world.change("checkout.session", session["id"], metadata={"adoption": str(adoption.public_id)})
    lose_everything()
    assert rebuilding.rebuild().restored == 0
    assert not Adoption.objects.exists()
    assert f"Could not restore the adoption of session {session['id']}: KeyError" in caplog.text


def test_page_after_a_refused_debit_has_a_key_of_its_own_again(world: World) -> None:
    adoption = world.adopt("bacs_fails")
    world.advance(days=5)
    world.come_back(adoption)
    lose_everything()
    rebuilding.rebuild()
    restored = Adoption.objects.get()
    assert (restored.state, restored.session_number) == ("abandoned", 1)
    assert (checkout.page_to_pay(restored) or "").startswith(f"{world.url}/c/pay/cs_")
    restored.refresh_from_db()
    world.pay(restored.stripe_session_id or "")
    world.come_back(restored)
    assert shown(restored) == ("active", (("charge", 3600),))
    lose_everything()
    rebuilding.rebuild()
    restored = Adoption.objects.get()
    assert (restored.state, restored.session_number) == ("active", 2)


def test_command_says_what_it_restored(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    adoption = world.adopt()
    world.adopt_monthly()
    world.refund(adoption, 600)
    lose_everything()
    call_command("rebuild_ledger")
    said = "2 adoptions at Stripe, {} of them restored now. The ledger holds 3 movements, £35 in all.\n"
    said += "Stripe knows nothing of cheques, cash and transfers: only a backup brings them back. "
    said += "The ledger holds 0 of them, £0.\n"
    assert capsys.readouterr().out == said.format(2)
    call_command("rebuild_ledger")
    assert capsys.readouterr().out == said.format(0)


def test_command_says_so_when_stripe_does_not_answer(world: World) -> None:
    world.control("faults", fail=9)
    with pytest.raises(CommandError, match="Stripe did not answer"):
        call_command("rebuild_ledger")
    world.control("faults", fail=0)
    assert stripe_gateway.client()
