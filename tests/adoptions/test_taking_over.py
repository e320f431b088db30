"""Somebody else goes on paying: one link, two adoptions, and nobody pays for what another pays for."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adoptions import attention, by_hand, subscriptions, taking_over, tasks, timeline
from adoptions.models import (
    Adoption,
    AdoptionState,
    Attention,
    AttentionKind,
    Change,
    Gift,
    Payment,
    PaymentLink,
    Source,
    Takeover,
)
from adoptions.stripe_gateway import StripeRefused, StripeUnavailable
from adoptions.taking_over import CannotTakeOver, NewPayer
from config.models import Mail
from tests.adoptions.invariants import violations
from tests.adoptions.test_by_hand import staff_of
from tests.adoptions.test_payment_links import link_in_mail
from tests.adoptions.test_races import at_once
from tests.adoptions.world import World, deliver, shown
from tests.asked_first import press_twice

pytestmark = pytest.mark.django_db


@pytest.fixture
def fiona(db: None) -> Client:
    return staff_of("Fundraiser")


@pytest.fixture
def amara(world: World) -> Adoption:
    """Amara's £5 a month, paid once."""
    adoption = world.adopt_monthly()
    world.come_back(adoption)
    return subscriptions.fresh(adoption)


def page_of(adoption: Adoption) -> str:
    return f"/admin/adoptions/adoption/{adoption.pk}/take-over/"


def said(**changes: str) -> dict[str, str]:
    typed = {"source": "phone", "name": "Ada Daughter", "email": "ada@example.org", "attempt": str(uuid.uuid4())}
    return {**typed, **changes}


def offered(fiona: Client, former: Adoption, **changes: str) -> Adoption:
    press_twice(fiona, page_of(former), said(**changes))
    return Takeover.objects.select_related("successor").latest("pk").successor


def paid(world: World, successor: Adoption) -> Adoption:
    """Ada opens her link and pays."""
    Client().post(link_in_mail())
    successor.refresh_from_db()
    world.pay(successor.stripe_session_id or "")
    world.come_back(successor)
    return subscriptions.fresh(successor)


def mails(kind: str) -> list[Mail]:
    return list(Mail.objects.filter(kind=kind).order_by("pk"))


def test_from_the_call_to_the_first_payment_and_the_end_of_the_one_before(
    world: World, fiona: Client, amara: Adoption
) -> None:
    timeline_of_amara = f"/admin/adoptions/supporter/{amara.supporter_id}/timeline/"
    assert page_of(amara) in fiona.get(timeline_of_amara).text
    reads = ("ada@example.org is mailed a link to pay £5 a month", "nothing changes", "stays with who paid it")
    done = press_twice(fiona, page_of(amara), said(), reads=reads)
    successor = Takeover.objects.get().successor
    assert f"A link to go on with {amara}, as {successor}, goes to ada@example.org." in done.text
    assert (successor.supporter.email, successor.price, successor.state) == ("ada@example.org", amara.price, "pending")
    [letter] = mails("payment_link")
    assert letter.to == "ada@example.org"
    assert "somebody else has paid for so far" in " ".join(letter.text.split())
    assert "Amara" not in letter.text + letter.html
    assert "Their payments stop once yours has arrived" in Client().get(link_in_mail()).text
    tasks.settle_takeovers.func()
    assert (shown(amara), mails("cancelled")) == (("active", (("charge", 500),)), [])
    successor = paid(world, successor)
    tasks.settle_takeovers.func()
    tasks.settle_takeovers.func()
    deliver(Client(), world.new_events())
    amara.refresh_from_db()
    assert (amara.state, bool(amara.ends_on), amara.next_payment_on) == ("active", True, None)
    assert shown(successor) == ("active", (("charge", 500),))
    [told] = mails("cancelled")
    words = " ".join(told.text.split())
    assert (told.to, "Somebody else goes on paying" in words, "What you paid lasts until" in words) == (
        *("amara@example.org", True),
        True,
    )
    assert "Ada" not in told.text + told.html
    [change] = Change.objects.filter(adoption=amara)
    assert (change.act, change.detail, str(change.by)) == (
        *("stop_later", f"{successor} pays for it from now on"),
        "fundraiser",
    )
    admin = User.objects.create_superuser("root")
    both = [" ".join(one.words for one in timeline.of(each.supporter, admin)) for each in (amara, successor)]
    assert f"Somebody else was mailed a link to take over {amara}: {successor}, active." in both[0]
    assert f"It takes over {amara}." in both[1]
    assert violations(world.books) == []
    world.advance(days=70)
    deliver(Client(), world.new_events())
    assert [shown(each)[0] for each in (amara, successor)] == ["ended", "active"]
    assert Payment.objects.filter(adoption=amara).count() == 1


def test_present_goes_on_for_whom_it_was_given(world: World, fiona: Client, amara: Adoption) -> None:
    Gift.objects.create(adoption=amara, recipient_name="Ellie", message="From your gran")
    Adoption.objects.filter(pk=amara.pk).update(is_gift=True)
    successor = paid(world, offered(fiona, subscriptions.fresh(amara)))
    gift = Gift.objects.get(adoption=successor)
    assert (successor.certificate_name, gift.message, gift.delivery, gift.state) == ("Ellie", "", "self", "waiting")
    address = f"/adoptions/{amara.token}/certificate/"
    before = Client().get(address)
    subscriptions.cancel(amara, when="now", by=None)
    after = Client().get(address)
    assert (before.status_code, after.status_code) == (200, 200)
    assert successor.reference in after.text
    Adoption.objects.filter(pk=successor.pk).update(is_gift=False)
    assert Client().get(address).status_code == 404


def test_card_that_failed_is_not_tried_again_once_somebody_else_pays(
    world: World, fiona: Client, amara: Adoption
) -> None:
    world.control("fail_renewals", subscription=amara.stripe_subscription_id, times=9)
    world.advance(days=32)
    deliver(Client(), world.new_events())
    amara = subscriptions.fresh(amara)
    assert amara.state == AdoptionState.PAST_DUE
    assert "is not tried again" in fiona.post(page_of(amara), said()).text
    paid(world, offered(fiona, amara))
    tasks.settle_takeovers.func()
    world.advance(days=28)
    deliver(Client(), world.new_events())
    assert shown(amara) == ("ended", (("charge", 500),))


@pytest.mark.parametrize("email", ["amara@example.org", "AMARA@example.org"])
def test_who_pays_now_takes_nothing_over(fiona: Client, amara: Adoption, email: str) -> None:
    answer = fiona.post(page_of(amara), said(email=email))
    assert (answer.status_code, "That is who pays for it now" in answer.text) == (422, True)


def test_what_does_not_go_on_is_not_taken_over(world: World, fiona: Client, amara: Adoption) -> None:
    subscriptions.cancel(amara, by=None)
    once = world.adopt()
    world.come_back(once)
    for adoption in (amara, once):
        assert "there is nothing to take over" in fiona.get(page_of(adoption)).text
        assert fiona.post(page_of(adoption), said()).status_code == 422
    assert not Takeover.objects.exists()


def test_second_link_waits_for_the_first_to_be_withdrawn_or_over(fiona: Client, amara: Adoption) -> None:
    first = offered(fiona, amara)
    again = fiona.post(page_of(amara), said(email="ben@example.org"))
    assert (again.status_code, f"{first}. Withdraw it first" in again.text) == (422, True)
    press_twice(fiona, f"/admin/adoptions/adoption/{first.pk}/link/", {"act": "withdraw"})
    assert offered(fiona, amara, email="ben@example.org") != first
    PaymentLink.objects.all().delete()  # as the purge does, a month after they ran out
    assert offered(fiona, amara, email="cleo@example.org").supporter.email == "cleo@example.org"


def test_stripe_away_is_asked_again_and_a_refusal_is_for_staff(
    world: World, fiona: Client, amara: Adoption, monkeypatch: pytest.MonkeyPatch
) -> None:
    successor = paid(world, offered(fiona, amara))
    answers: list[Exception] = [StripeUnavailable("away", is_answered=False), StripeRefused("resource_missing")]

    def cancel(*args: object, **kwargs: object) -> Adoption:
        raise answers.pop(0)

    monkeypatch.setattr(subscriptions, "cancel", cancel)
    tasks.settle_takeovers.func()
    assert Takeover.objects.due().exists()
    tasks.settle_takeovers.func()
    assert not Takeover.objects.due().exists()
    found = Attention.objects.get(kind="takeover")
    assert (found.adoption_id, found.key) == (amara.pk, successor.reference)
    assert f"{amara} still takes money" in found.reason


def test_stopped_by_its_payer_meanwhile_needs_no_more(world: World, fiona: Client, amara: Adoption) -> None:
    paid(world, offered(fiona, amara))
    subscriptions.cancel(amara, when="now", by=None)
    tasks.settle_takeovers.func()
    assert (Takeover.objects.due().count(), Change.objects.filter(adoption=amara).count()) == (0, 1)
    assert not Attention.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_of_staff_at_once_mail_one_link(world: World, fiona: Client, amara: Adoption) -> None:
    user = User.objects.get(username="fundraiser")
    told: list[str] = []

    def offer() -> None:
        payer = NewPayer(uuid.uuid4(), "Ada Daughter", f"ada{uuid.uuid4().hex[:6]}@example.org")
        try:
            told.append(taking_over.offer(amara, payer, by_hand.Entry(Source.PHONE, user)).reference)
        except CannotTakeOver as error:
            told.append(str(error)[:9])

    assert at_once(offer, 4) == []
    assert sorted(told)[:3] == ["A link is"] * 3
    assert (Takeover.objects.count(), len(mails("payment_link"))) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_stop_it_once(world: World, fiona: Client, amara: Adoption) -> None:
    paid(world, offered(fiona, amara))
    assert at_once(tasks.settle_takeovers.func, 3) == []
    amara.refresh_from_db()
    assert (bool(amara.ends_on), len(mails("cancelled")), Takeover.objects.due().count()) == (True, 1, 0)
    assert not Attention.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_settled_between", [True, False])
def test_two_who_both_paid_are_told_of_once(
    world: World, fiona: Client, amara: Adoption, is_settled_between: bool
) -> None:
    """The first link ran out with its page at Stripe open, so another was mailed; then both are paid."""
    ada = offered(fiona, amara)
    Client().post(link_in_mail())
    ran_out(ada, days=0)
    ben = paid(world, offered(fiona, amara, email="ben@example.org"))
    if is_settled_between:
        tasks.settle_takeovers.func()
    assert not Attention.objects.exists()
    ada.refresh_from_db()
    world.pay(ada.stripe_session_id or "")
    world.come_back(ada)
    assert at_once(tasks.settle_takeovers.func, 3) == []
    [found] = Attention.objects.all()
    assert (found.kind, found.adoption, len(mails("attention"))) == ("takeover", ben, 1)
    assert f"{ada} and {ben} both pay now to go on with {amara}." in found.reason
    assert [shown(subscriptions.fresh(each))[0] for each in (amara, ada, ben)] == ["active"] * 3
    assert (Takeover.objects.due().count(), violations(world.books)) == (0, [])


def ran_out(successor: Adoption, *, days: int) -> None:
    now = timezone.now()
    PaymentLink.objects.filter(adoption=successor).update(
        sent_at=now - timedelta(days=days + 7), expires_at=now - timedelta(days=days, minutes=1)
    )


def test_link_that_ran_out_is_told_once_to_who_mailed_it(world: World, fiona: Client, amara: Adoption) -> None:
    User.objects.filter(username="fundraiser").update(email="fiona@example.org")
    ada = offered(fiona, amara)
    for days, told in ((0, 0), (1, 1), (2, 1)):  # a page at Stripe may be open for a day
        ran_out(ada, days=days)
        tasks.tell_of_unused_links.func()
        assert len(mails("attention")) == told
    [found] = Attention.objects.open()
    assert (found.kind, found.adoption, mails("attention")[0].to) == ("takeover", ada, "fiona@example.org")
    assert f"{ada} was to take over {amara} ran out unpaid on" in found.reason
    assert f"{amara} goes on as before." in found.reason
    fiona.post(f"/admin/adoptions/adoption/{ada.pk}/link/", {"act": "again"})
    paid(world, ada)
    tasks.settle_takeovers.func()
    assert not Attention.objects.open().exists()


def unused(fiona: Client, amara: Adoption) -> Attention:
    User.objects.filter(username="fundraiser").update(email="fiona@example.org")
    ran_out(offered(fiona, amara), days=1)
    tasks.tell_of_unused_links.func()
    return Attention.objects.get()


def colleague() -> Client:
    """Another fundraiser, who offered nothing."""
    User.objects.create_user("ben", is_staff=True).groups.add(Group.objects.get(name="Fundraiser"))
    client = Client()
    client.force_login(User.objects.get(username="ben"))
    return client


@pytest.mark.threat("L5")
def test_who_offered_it_says_that_it_is_dealt_with_and_no_other_fundraiser_does(fiona: Client, amara: Adoption) -> None:
    mine = unused(fiona, amara)
    disputed = attention.call(AttentionKind.DISPUTE, key=mine.key, reason="Of money.", adoption=mine.adoption)
    later = attention.call(AttentionKind.TAKEOVER, key=f"{amara.reference}:too", reason="Of hers.", adoption=amara)
    assert disputed
    assert later
    ben, listed = colleague(), reverse("admin:adoptions_attention_changelist")
    rows = [each.pk for each in (mine, disputed, later)]
    for client, may in ((ben, []), (fiona, [mine.pk])):
        pages = {pk: client.get(reverse("admin:adoptions_attention_change", args=[pk])).text for pk in rows}
        assert [pk for pk, page in pages.items() if 'id="id_how"' in page] == may
        assert ["says when this is dealt with" in page for page in pages.values()].count(False) == len(may)
        theirs = [reverse("admin:adoptions_attention_resolve", args=[pk]) for pk in rows if pk not in may]
        assert {client.post(address).status_code for address in theirs} == {404}
    answer = ben.post(listed, {"action": "resolve", "_selected_action": rows}, follow=True)
    assert "3 left as before: dealt with already, or not yours to say." in answer.text
    assert Attention.objects.open().count() == 3
    answer = fiona.post(listed, {"action": "resolve", "_selected_action": rows}, follow=True)
    assert "1 marked as dealt with." in answer.text
    assert set(Attention.objects.open()) == {disputed, later}
    mine.refresh_from_db()
    assert str(mine.resolved_by) == "fundraiser"
    page = fiona.get(reverse("admin:adoptions_attention_change", args=[mine.pk])).text
    assert ["Resolved by" in each for each in (page, pages[mine.pk])] == [True, False]
    assert "Asked to give it back" not in page


@pytest.mark.threat("L5")
def test_who_may_offer_none_any_more_is_neither_told_nor_asked(fiona: Client, amara: Adoption) -> None:
    mine = unused(fiona, amara)
    assert mails("attention")[0].to == "fiona@example.org"
    assert "it was you who mailed the link" in mails("attention")[0].text
    User.objects.get(username="fundraiser").groups.set([Group.objects.get(name="Auditor")])
    assert fiona.post(reverse("admin:adoptions_attention_resolve", args=[mine.pk])).status_code == 404
    PaymentLink.objects.update(sendings=F("sendings") + 1)
    tasks.tell_of_unused_links.func()
    assert [letter.to == "fiona@example.org" for letter in mails("attention")] == [True, False]
    assert "you look after payments here" in mails("attention")[1].text


@pytest.mark.django_db(transaction=True)
def test_of_two_who_say_that_it_is_dealt_with_one_is_first_and_the_other_is_told(
    fiona: Client, amara: Adoption
) -> None:
    mine = unused(fiona, amara)
    address = reverse("admin:adoptions_attention_resolve", args=[mine.pk])
    answers = []

    def say(client: Client, how: str) -> None:
        answers.append(client.post(address, {"how": how}, follow=True).text)

    both = [(fiona, "She rang."), (staff_of("Finance"), "Looked at.")]
    waiting = iter(both)
    assert at_once(lambda: say(*next(waiting)), 2) == []
    assert sorted("Somebody was first" in page for page in answers) == [False, True]
    assert sorted("Marked as dealt with." in page for page in answers) == [False, True]
    mine.refresh_from_db()
    assert (str(mine.resolved_by), mine.how) in [("fundraiser", "She rang."), ("finance", "Looked at.")]


def test_link_withdrawn_or_followed_by_another_is_nothing_to_tell(fiona: Client, amara: Adoption) -> None:
    first = offered(fiona, amara)
    ran_out(first, days=3)
    second = offered(fiona, amara, email="ben@example.org")
    press_twice(fiona, f"/admin/adoptions/adoption/{second.pk}/link/", {"act": "withdraw"})
    ran_out(second, days=3)
    tasks.tell_of_unused_links.func()
    assert not Attention.objects.exists()
