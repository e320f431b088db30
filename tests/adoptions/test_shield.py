"""People who test stolen cards are stopped; everybody else notices nothing."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from adoptions import shield, stripe_gateway
from adoptions.models import Adoption, Attention, Closure, Decline, PageOpening, Whom
from config.limits import Limit, digest_of
from config.models import Mail, RateWindow
from tests.adoptions.conftest import Amara, Stripe, carry, work
from tests.adoptions.test_adopting import PAID, at_once
from tests.adoptions.test_races import pause, slowly, without_constraint
from tests.makers import make_adoption


@pytest.fixture(autouse=True)
def guarded(settings: Settings) -> None:
    settings.IS_STRIPE_STANDIN = False


def visitor(stripe: Stripe, address: str = "203.0.113.7") -> Amara:
    return Amara(Client(REMOTE_ADDR=address), stripe)


def be_refused(person: Amara, times: int, **changes: str) -> Adoption:
    adoption = person.reach_stripe(**changes)
    for _ in range(times):
        person.stripe.pay(adoption.stripe_session_id or "", "declined")
    return adoption


def hear(person: Amara, *adoptions: Adoption) -> None:
    """The refusals of these adoptions, each told twice, and by whatever name."""
    known = {str(adoption.public_id) for adoption in adoptions}
    events = person.stripe.events("charge.failed", "payment_intent.payment_failed")
    carry(person.client, [e for e in events if e["data"]["object"]["metadata"].get("adoption") in known] * 2)
    work()


# --- pages, before anybody paid -----------------------------------------------------------------------------


@pytest.mark.threat("M9")
def test_one_address_opens_six_pages_in_ten_minutes(amara: Amara) -> None:
    person = visitor(amara.stripe)
    answers = [
        person.press_pay(attempt=str(uuid.uuid4()), amount_once="2400", email=f"a{n}@example.org") for n in range(8)
    ]
    assert [answer.status_code for answer in answers] == [303] * 6 + [429] * 2
    assert visitor(amara.stripe, "198.51.100.9").press_pay().status_code == 303


@pytest.mark.threat("M9")
def test_ten_thousand_tries_open_no_more_pages_than_the_limit(stripe: Stripe) -> None:
    """Counted where it is decided: 40 at once against a window of 30, from one network."""
    limit = shield.PER_NETWORK
    allowed: list[bool] = []
    at_once(40, lambda: allowed.append(limit.allows("203.0.113.0/24")))
    assert sum(allowed) == limit.times


def test_control_reading_first_and_writing_afterwards_opens_more(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_then_write(self: Limit, who: str) -> bool:
        level = RateWindow.objects.filter(key=who).values_list("level", flat=True).first() or 0
        if level >= self.times:
            return False
        pause()
        RateWindow.objects.update_or_create(key=who, defaults={"level": level + 1, "at": timezone.now()})
        return True

    monkeypatch.setattr(Limit, "allows", read_then_write)
    allowed: list[bool] = []
    at_once(40, lambda: allowed.append(shield.PER_NETWORK.allows("203.0.113.0/24")))
    assert sum(allowed) > shield.PER_NETWORK.times


def test_standin_is_not_guarded(amara: Amara, settings: Settings) -> None:
    settings.IS_STRIPE_STANDIN = True
    be_refused(amara, 6)
    hear(amara, Adoption.objects.get())
    assert not Decline.objects.exists()
    assert not PageOpening.objects.exists()


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.threat("M9")
def test_person_with_three_typing_errors_pays_all_the_same(amara: Amara) -> None:
    adoption = be_refused(amara, 3)
    hear(amara, adoption)
    assert Decline.objects.filter(whom=Whom.EMAIL).count() == 3
    amara.stripe.pay(adoption.stripe_session_id or "")
    assert PAID in amara.come_back(adoption)
    assert not Closure.objects.exists()


@pytest.mark.threat("M9")
def test_too_many_refusals_close_the_page_and_the_door_for_the_affected_only(amara: Amara) -> None:
    tester = visitor(amara.stripe)
    adoption = be_refused(tester, 6, email="tester@example.org")
    hear(tester, adoption)
    assert stripe_gateway.read_session(adoption.stripe_session_id or "").status == "expired"
    assert tester.press_pay(attempt=str(uuid.uuid4()), email="Tester@example.org").status_code == 429
    # A neighbour in the same network with another address.
    assert visitor(amara.stripe, "203.0.113.8").press_pay().status_code == 303


def test_card_refused_under_many_addresses_is_known_again(amara: Amara) -> None:
    adoptions = []
    for n in range(5):
        person = visitor(amara.stripe, f"198.51.{n}.9")
        adoptions.append(be_refused(person, 1, email=f"tester{n}@example.org"))
    hear(amara, *adoptions)
    assert Closure.objects.filter(whom=Whom.CARD).count() == 1
    assert stripe_gateway.read_session(adoptions[-1].stripe_session_id or "").status == "expired"


def test_network_with_many_refusals_is_closed_and_others_are_not(amara: Amara) -> None:
    adoptions = []
    for n in range(5):
        person = visitor(amara.stripe, f"203.0.113.{n}")
        adoptions.append(be_refused(person, 3, email=f"tester{n}@example.org"))
    hear(amara, *adoptions)
    assert Closure.objects.filter(whom=Whom.NETWORK).count() == 1
    assert visitor(amara.stripe, "203.0.113.99").press_pay(email="new@example.org").status_code == 429
    assert visitor(amara.stripe, "198.51.100.9").press_pay(email="new@example.org").status_code == 303


def test_staff_are_told_once_with_the_refusal_that_closed_the_door(amara: Amara) -> None:
    adoption = be_refused(amara, 7)
    hear(amara, adoption)
    [attention] = Attention.objects.all()
    assert (attention.kind, attention.adoption) == ("card_testing", adoption)
    [mail] = Mail.objects.filter(kind="attention")
    assert mail.created_at - attention.opened_at < timedelta(minutes=1)
    assert "amara@example.org" not in mail.text


def test_one_tap_releases_and_counts_from_nothing(amara: Amara) -> None:
    adoption = be_refused(amara, 6)
    hear(amara, adoption)
    assert amara.press_pay().status_code == 429
    marek = User.objects.create_superuser("marek")
    desk = Client()
    desk.force_login(marek)
    attention = Attention.objects.get()
    assert "Release" in desk.get(f"/admin/adoptions/attention/{attention.pk}/change/").content.decode()
    assert desk.post(f"/admin/adoptions/attention/{attention.pk}/release/").status_code == 303
    attention.refresh_from_db()
    assert (attention.resolved_by, attention.how) == (marek, "Released.")
    assert not Closure.objects.in_force().exists()
    assert amara.adopt().pk == adoption.pk
    assert PAID in amara.come_back(Adoption.objects.get())
    assert desk.get("/admin/adoptions/closure/").status_code == 200


def test_door_opens_by_itself_after_an_hour(amara: Amara) -> None:
    hear(amara, be_refused(amara, 6))
    Closure.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert amara.press_pay().status_code == 303


def test_second_hour_is_told_again(amara: Amara) -> None:
    adoption = make_adoption(supporter=None)
    for n in range(7):
        count(adoption, f"ch_{n}")
    Closure.objects.update(until=timezone.now() - timedelta(seconds=1))
    count(adoption, "ch_again")
    count(adoption, "ch_and_again")
    assert Closure.objects.filter(whom=Whom.EMAIL).count() == 1
    assert Attention.objects.count() == 2


def count(adoption: Adoption, charge_id: str) -> None:
    """One refusal, as the webhook counts it, without a Stripe to read it from."""
    from django.db import transaction

    with transaction.atomic():
        shield.one_at_a_time()
        found = [shield.close(who, digest) for who, digest in shield.who_was_refused(adoption, "", charge_id)]
        shield.alarm(adoption, [closure for closure in found if closure])


def test_eight_refusals_at_once_are_all_counted_and_close_once(transactional_db: None) -> None:
    adoption = make_adoption()
    names = iter([f"ch_{n}" for n in range(8)])
    at_once(8, lambda: count(adoption, next(names)))
    assert Decline.objects.count() == 8
    assert Closure.objects.count() == Attention.objects.count() == 1


def test_one_refusal_told_eight_times_at_once_counts_once(transactional_db: None) -> None:
    adoption = make_adoption()
    at_once(8, lambda: count(adoption, "ch_1"))
    assert Decline.objects.count() == 1
    assert not Closure.objects.exists()


def test_control_without_one_at_a_time_eight_refusals_at_once_close_nothing(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sees the few that were told before, and none is the one too many."""
    monkeypatch.setattr(shield, "one_at_a_time", lambda: None)
    slowly(monkeypatch, shield, "alarm")
    adoption = make_adoption()
    names = iter([f"ch_{n}" for n in range(8)])
    at_once(8, lambda: count(adoption, next(names)))
    assert Decline.objects.count() == 8
    assert (Closure.objects.count(), Attention.objects.count()) != (1, 1)


def test_control_without_lock_and_key_one_refusal_counts_many_times(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shield, "one_at_a_time", lambda: None)
    slowly(monkeypatch, shield, "alarm")
    adoption = make_adoption()
    with without_constraint("adoptions_decline", "decline_once"):
        at_once(8, lambda: count(adoption, "ch_1"))
        assert Decline.objects.count() > 1


def test_failed_renewal_is_nobody_testing_cards(amara: Amara) -> None:
    adoption = amara.adopt(frequency="monthly")
    amara.come_back(adoption)
    adoption.refresh_from_db()
    amara.stripe.control("fail_renewals", subscription=adoption.stripe_subscription_id, times=1)
    before = {event["id"] for event in amara.stripe.events("charge.failed")}
    amara.stripe.control("advance", days=32)
    carry(amara.client, [e for e in amara.stripe.events("charge.failed") if e["id"] not in before])
    work()
    assert not Decline.objects.exists()


def test_refusal_of_the_first_month_is_counted_as_well(amara: Amara) -> None:
    before = {event["id"] for event in amara.stripe.events("charge.failed")}
    be_refused(amara, 1, frequency="monthly")
    carry(amara.client, [e for e in amara.stripe.events("charge.failed") if e["id"] not in before])
    work()
    assert set(Decline.objects.values_list("whom", flat=True)) == {"email", "card", "network"}


def test_many_refusals_from_many_places_tell_staff_and_close_nobody_out(transactional_db: None) -> None:
    for n in range(shield.REFUSALS_OF_ALL[0]):
        Decline.objects.create(key=f"ch_{n}", whom=Whom.EMAIL, digest=digest_of(str(n)))
    shield.alarm_for_all()
    shield.alarm_for_all()
    assert Attention.objects.get().adoption is None
    assert not Closure.objects.exists()


def test_page_says_the_same_for_every_kind_of_limit(amara: Amara) -> None:
    hear(amara, be_refused(amara, 6))
    closed = amara.press_pay().content
    crowded = visitor(amara.stripe)
    pages = [
        crowded.press_pay(attempt=str(uuid.uuid4()), email=f"b{n}@example.org", amount_once="2400") for n in range(7)
    ]
    assert pages[-1].content == closed
