"""Money that goes back: asked for by staff, from Stripe's dashboard, by a bank; and what is told and shown of it."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from adoptions import fulfilment, gift_aid, reconcile, refunds, stripe_acts, stripe_gateway, subscriptions
from adoptions.models import Adoption, Attention, Payment, PaymentKind, RefundReason, RefundRequest
from adoptions.stripe_gateway import StripeRefused, StripeUnavailable
from adoptions.today import matters
from config.models import Mail
from config.money import pounds
from tests.adoptions.conftest import Amara, carry, work
from tests.adoptions.test_adopting import at_once

ASKED_FOR = RefundReason.REQUESTED


@pytest.fixture
def marek(transactional_db: None) -> User:
    return User.objects.create_superuser("marek")


@pytest.fixture
def payment(amara: Amara) -> Payment:
    """£36, paid once."""
    return pay(amara)


def pay(amara: Amara, **changes: str) -> Payment:
    adoption = amara.adopt(**changes)
    amara.come_back(adoption)
    return Payment.objects.select_related("adoption__supporter").get(adoption=adoption)


def refunded_at_stripe(payment: Payment) -> list[int]:
    return [refund.amount_pence for refund in stripe_gateway.read_charge(payment.stripe_id).refunds]


def mails(kind: str) -> list[Mail]:
    return list(Mail.objects.filter(kind=kind).order_by("pk"))


def hear(amara: Amara) -> None:
    """All events about money that goes back, twice."""
    kinds = ("charge.refunded", "refund.created", "refund.updated", "refund.failed", "charge.dispute.created")
    more = ("charge.dispute.closed", "charge.dispute.funds_withdrawn", "radar.early_fraud_warning.created")
    events = amara.stripe.events(*kinds, *more)
    carry(amara.client, events * 2)
    work()


# --- asked for by staff -------------------------------------------------------------------------------------


def test_whole_refund_ends_a_single_adoption_and_is_told_once(amara: Amara, payment: Payment, marek: User) -> None:
    made = refunds.refund(payment, pence=3600, reason=ASKED_FOR, note="Rang us.", by=marek)
    assert refunded_at_stripe(payment) == [3600]
    assert (made.stripe_refund_id is not None, made.refused, made.by) == (True, "", marek)
    hear(amara)
    payment.adoption.refresh_from_db()
    assert (payment.adoption.state, payment.adoption.payments.balance_pence()) == ("ended", 0)
    [mail] = mails("refund_made")
    assert "That is all of your payment" in mail.text


def test_part_of_a_payment_leaves_the_adoption_as_it_is(amara: Amara, payment: Payment, marek: User) -> None:
    refunds.refund(payment, pence=1000, reason=ASKED_FOR, by=marek)
    refunds.refund(payment, pence=600, reason=ASKED_FOR, by=marek)
    hear(amara)
    payment.adoption.refresh_from_db()
    assert (payment.adoption.state, payment.adoption.payments.balance_pence()) == ("active", 2000)
    assert refunds.refundable_pence(payment) == 2000
    assert len(mails("refund_made")) == 2


@pytest.mark.parametrize("pence", [-1, 0, 3601, 10**9])
def test_amount_that_is_not_there_is_refused_before_stripe_is_asked(payment: Payment, marek: User, pence: int) -> None:
    with pytest.raises(refunds.CannotRefund):
        refunds.refund(payment, pence=pence, reason=ASKED_FOR, by=marek)
    assert not RefundRequest.objects.exists()
    assert refunded_at_stripe(payment) == []


def test_refund_cannot_be_refunded(payment: Payment, marek: User) -> None:
    refunds.refund(payment, pence=100, reason=ASKED_FOR, by=marek)
    with pytest.raises(refunds.CannotRefund):
        refunds.refund(Payment.objects.get(kind=PaymentKind.REFUND), pence=1, reason=ASKED_FOR, by=marek)


def test_what_stripe_refuses_is_kept_with_its_reason(amara: Amara, payment: Payment, marek: User) -> None:
    """Disputed a moment ago, and we had not heard."""
    amara.stripe.control("dispute", charge=payment.stripe_id)
    with pytest.raises(StripeRefused):
        refunds.refund(payment, pence=3600, reason=ASKED_FOR, by=marek)
    assert RefundRequest.objects.get().refused == "charge_disputed"
    assert mails("refund_made") == []


@pytest.mark.parametrize("fault", ["fail", "lose"])
def test_refund_without_an_answer_is_asked_for_again_and_made_once(
    amara: Amara, payment: Payment, marek: User, fault: str
) -> None:
    amara.stripe.control("faults", **{fault: 10})
    with pytest.raises(StripeUnavailable):
        refunds.refund(payment, pence=1000, reason=ASKED_FOR, by=marek)
    amara.stripe.control("faults")
    assert RefundRequest.objects.unanswered().count() == 1
    assert refunds.ask_for_unanswered() == 0  # a minute has to pass
    RefundRequest.objects.update(asked_at=timezone.now() - refunds.ASKED_AGAIN_AFTER * 2)
    assert refunds.ask_for_unanswered() == 1
    assert refunds.ask_for_unanswered() == 0
    assert refunded_at_stripe(payment) == [1000]
    assert len(mails("refund_made")) == 1


def test_refund_nobody_knows_of_yet_counts_as_gone(amara: Amara, payment: Payment, marek: User) -> None:
    amara.stripe.control("faults", fail=10)
    with pytest.raises(StripeUnavailable):
        refunds.refund(payment, pence=3000, reason=ASKED_FOR, by=marek)
    amara.stripe.control("faults")
    with pytest.raises(refunds.CannotRefund):
        refunds.refund(payment, pence=1000, reason=ASKED_FOR, by=marek)


def test_answered_refund_has_exactly_one_answer(payment: Payment, marek: User) -> None:
    made = refunds.refund(payment, pence=100, reason=ASKED_FOR, by=marek)
    with pytest.raises(IntegrityError):
        RefundRequest.objects.filter(pk=made.pk).update(refused="no")


# --- races --------------------------------------------------------------------------------------------------


def test_one_button_pressed_eight_times_at_once_refunds_once(payment: Payment, marek: User) -> None:
    name = uuid.uuid4()
    at_once(8, lambda: refunds.refund(payment, pence=1000, reason=ASKED_FOR, by=marek, request=name))
    assert refunded_at_stripe(payment) == [1000]
    assert payment.adoption.payments.balance_pence() == 2600
    assert len(mails("refund_made")) == 1


def test_eight_people_refunding_at_once_never_give_back_more_than_was_paid(payment: Payment, marek: User) -> None:
    def act() -> None:
        try:
            refunds.refund(payment, pence=1000, reason=ASKED_FOR, by=marek)
        except refunds.CannotRefund:
            return

    at_once(8, act)
    assert refunded_at_stripe(payment) == [1000, 1000, 1000]
    assert RefundRequest.objects.count() == 3


def test_more_would_be_asked_of_stripe_without_the_lock(
    payment: Payment, marek: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: without the lock more is asked for than there is."""
    monkeypatch.setattr(fulfilment, "locked", lambda pk: Adoption.objects.get(pk=pk))
    monkeypatch.setattr(refunds, "ask", lambda wanted: wanted)
    for _ in range(10):
        RefundRequest.objects.all().delete()
        at_once(8, lambda: quietly(lambda: refunds.refund(payment, pence=3600, reason=ASKED_FOR, by=marek)))
        if RefundRequest.objects.count() > 1:
            return
    pytest.fail("Even without the lock only one was asked for: the test above proves nothing.")


def quietly(act: Any) -> None:
    try:
        act()
    except refunds.CannotRefund:
        return


def test_refund_here_and_in_the_dashboard_at_once_are_both_written_down(
    amara: Amara, payment: Payment, marek: User
) -> None:
    acts: Iterator[Any] = iter(
        [
            lambda: refunds.refund(payment, pence=1000, reason=ASKED_FOR, by=marek),
            lambda: amara.stripe.control("refund", charge=payment.stripe_id, amount=500),
            lambda: fulfilment.sync_charge(payment.stripe_id),
        ]
    )
    at_once(3, lambda: next(acts)())
    hear(amara)
    assert sorted(refunded_at_stripe(payment)) == [500, 1000]
    assert payment.adoption.payments.balance_pence() == 2100
    assert len(mails("refund_made")) == 2


# --- in the admin -------------------------------------------------------------------------------------------


@pytest.fixture
def desk(marek: User) -> Client:
    client = Client()
    client.force_login(marek)
    return client


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def name_in(page: str) -> str:
    found = re.search(r'name="request" value="([0-9a-f-]{36})"', page)
    assert found
    return found[1]


def test_staff_see_what_a_refund_does_before_it_does_it(desk: Client, payment: Payment) -> None:
    address = f"/admin/adoptions/adoption/payments/{payment.pk}/refund/"
    assert address in text(desk.get(f"/admin/adoptions/adoption/{payment.adoption_id}/change/"))
    first = text(desk.get(address))
    assert "£36 of it can be refunded" in first
    answers = {"amount": "10", "reason": "duplicate", "note": "", "request": name_in(first)}
    second = text(desk.post(address, {**answers, "step": "check"}))
    assert "£10 goes back" in second
    assert "£26 of the payment stays here" in second
    assert "Refund £10 now" in second
    assert refunded_at_stripe(payment) == []
    timeline = f"/admin/adoptions/supporter/{payment.adoption.supporter_id}/timeline/"
    last = desk.post(f"{address}?back={timeline}", {**answers, "step": "refund"}, follow=True)
    assert last.redirect_chain == [(timeline, 303)]
    assert "£10 is on its way back" in text(last)
    assert refunded_at_stripe(payment) == [1000]
    desk.post(address, {**answers, "step": "refund"})
    assert refunded_at_stripe(payment) == [1000]


def test_refund_page_says_what_it_means_for_the_adoption(amara: Amara, payment: Payment) -> None:
    effects = refunds.effect_of(payment, pence=3600, stops=False)
    assert "The adoption ends, and its certificate can no longer be opened." in effects
    monthly = pay(amara, frequency="monthly", attempt=str(uuid.uuid4()))
    assert "The adoption goes on: £5 a month is taken as before." in refunds.effect_of(monthly, pence=500, stops=False)
    assert "The adoption ends now, and nothing more is taken." in refunds.effect_of(monthly, pence=500, stops=True)


@pytest.mark.parametrize(
    ("worth", "pence", "words"),
    [
        (0, 3600, "the £9 of tax can no longer be claimed on it. If it was claimed already"),
        (0, 1000, "£6.50 of tax, on the £26 that stays, instead of £9. If more was claimed already"),
        (800, 1000, "more than the tax office allows with the £26 that stays. If it was claimed already"),
        (2000, 1000, "was not possible for this payment"),
    ],
    ids=["whole", "part", "part_too_small_for_what_came", "never_possible"],
)
def test_refund_page_says_what_it_means_for_gift_aid(payment: Payment, worth: int, pence: int, words: str) -> None:
    assert "No Gift Aid is declared" in " ".join(refunds.effect_of(payment, pence=pence, stops=False))
    day = payment.occurred_at - timedelta(days=1)
    home = gift_aid.Taxpayer("Amara", "Supporter", "1 Forest Road", "SW1A 1AA")
    given = gift_aid.Given(day, gift_aid.Scope.WITH_A_GIFT)
    gift_aid.declare(payment.adoption.supporter, home, given=given)
    payment.adoption.benefit_pence = worth
    [says] = [each for each in refunds.effect_of(payment, pence=pence, stops=False) if "Gift Aid" in each]
    assert words in says


def test_refund_can_stop_the_subscription_as_well(amara: Amara, desk: Client) -> None:
    payment = pay(amara, frequency="monthly")
    answers = {"amount": "5", "reason": "fraudulent", "stops": "on", "request": str(uuid.uuid4()), "step": "refund"}
    page = desk.post(f"/admin/adoptions/adoption/payments/{payment.pk}/refund/", answers, follow=True)
    assert "The adoption has ended" in text(page)
    assert stripe_gateway.read_subscription(payment.adoption.stripe_subscription_id or "").status == "canceled"
    assert payment.adoption.payments.balance_pence() == 0


@pytest.fixture
def priya(settings: Any, transactional_db: None) -> Client:
    """Of finance as well, where one alone may give back £30 of a payment."""
    settings.REFUND_ALONE_PENCE = 3000
    priya = User.objects.create_user("priya", is_staff=True)
    priya.user_permissions.set(Permission.objects.filter(codename__in=["add_refundrequest", "view_refundrequest"]))
    client = Client()
    client.force_login(priya)
    return client


def ask_for(desk: Client, payment: Payment, amount: str, **more: str) -> tuple[str, str]:
    """What the page before the last button says, and what is answered to it."""
    address = f"/admin/adoptions/adoption/payments/{payment.pk}/refund/"
    answers = {"amount": amount, "reason": ASKED_FOR.value, "note": "Rang us.", "request": str(uuid.uuid4()), **more}
    says = text(desk.post(address, {**answers, "step": "check"}))
    return says, text(desk.post(address, {**answers, "step": "refund"}, follow=True))


def test_large_refund_waits_for_a_second_person(amara: Amara, desk: Client, priya: Client, settings: Any) -> None:
    settings.REFUND_ALONE_PENCE = 300
    payment = pay(amara, frequency="monthly")
    says, answer = ask_for(desk, payment, "5", stops="on")
    assert "more than £3 of a payment goes back when a second person has agreed" in says
    assert "Ask a second person to refund £5" in says
    assert "£5 goes back when a second person has agreed" in answer
    [wanted] = RefundRequest.objects.all()
    page = f"/admin/adoptions/refundrequest/{wanted.pk}/second/"
    assert "You asked for it yourself" in text(desk.get(page))
    assert "somebody else has to look" in text(desk.post(page, {"step": "approve"}, follow=True))
    RefundRequest.objects.update(asked_at=timezone.now() - refunds.ASKED_AGAIN_AFTER * 2)
    assert refunds.ask_for_unanswered() == 0
    assert refunded_at_stripe(payment) == []
    assert refunds.refundable_pence(payment) == 0  # nobody asks for it a second time meanwhile
    again = text(desk.get(f"/admin/adoptions/adoption/payments/{payment.pk}/refund/"))
    assert f'marek asked to give back £5 of it, and that waits for a second person: <a href="{page}">' in again
    assert "Nothing of this payment is left" not in again
    assert "refund waiting for a second person" in text(priya.get("/admin/"))
    counts = [
        [matter.count for matter in matters(user) if "second person" in matter.label]
        for user in User.objects.filter(username__in=["marek", "priya"]).order_by("username")
    ]
    assert counts == [[0], [1]]  # who asked for it cannot decide it
    yours = "/admin/adoptions/refundrequest/?state=yours"
    assert [page in each.get(yours).text for each in (priya, desk)] == [True, False]
    assert page in priya.get("/admin/adoptions/refundrequest/?state=waiting").text
    assert f"{pounds(wanted.amount_pence)}, asked for on" in priya.get(page.replace("second", "change")).text
    look = text(priya.get(page))
    for words in ("Rang us.", "Nothing of the payment stays here.", "The adoption ends now", "Refund £5 now"):
        assert words in look
    done = text(priya.post(page, {"step": "approve"}, follow=True))
    assert "£5 is on its way back" in done
    assert "The adoption has ended" in done
    assert refunded_at_stripe(payment) == [500]
    assert "decided already" in text(priya.post(page, {"step": "approve"}, follow=True))
    assert "A colleague was first" in text(priya.post(page, {"step": "turn_down"}, follow=True))
    wanted.refresh_from_db()
    assert (str(wanted.second), wanted.refused, refunded_at_stripe(payment)) == ("priya", "", [500])


def test_large_refund_in_small_parts_is_a_large_refund(desk: Client, priya: Client, payment: Payment) -> None:
    assert "£20 is on its way back" in ask_for(desk, payment, "20")[1]
    says, answer = ask_for(desk, payment, "10.01")
    assert "second person" in says
    assert "second person" in answer
    assert "£5 is on" not in ask_for(desk, payment, "5")[1]
    assert refunded_at_stripe(payment) == [2000]
    assert RefundRequest.objects.waiting().count() == 2


@pytest.mark.parametrize(("who", "why"), [("priya", "turned down by a second"), ("marek", "taken back by who asked")])
def test_refund_that_is_turned_down_leaves_the_money(
    desk: Client, priya: Client, payment: Payment, who: str, why: str
) -> None:
    ask_for(desk, payment, "36")
    page = f"/admin/adoptions/refundrequest/{RefundRequest.objects.get().pk}/second/"
    answer = {"priya": priya, "marek": desk}[who].post(page, {"step": "turn_down"}, follow=True)
    assert "Nothing went back: " + why in text(answer)
    assert "decided already" in text(priya.post(page, {"step": "approve"}, follow=True))
    assert refunded_at_stripe(payment) == []
    assert refunds.refundable_pence(payment) == 3600


def test_two_who_approve_at_once_refund_once(desk: Client, priya: Client, payment: Payment) -> None:
    ask_for(desk, payment, "36")
    [wanted] = RefundRequest.objects.all()
    others = [User.objects.get(username="priya"), User.objects.create_superuser("finn")] * 2
    answers: list[str] = []

    def approve() -> None:
        try:
            answers.append(refunds.approve(wanted, by=others.pop()).stripe_refund_id or "")
        except refunds.CannotRefund as error:
            answers.append(str(error))

    at_once(4, approve)
    assert (refunded_at_stripe(payment), len([each for each in answers if "decided" in each])) == ([3600], 3)


def test_database_itself_wants_a_second_person(payment: Payment, priya: Client, marek: User) -> None:
    wanted = refunds.refund(payment, pence=3600, reason=ASKED_FOR, by=marek)
    this, now = RefundRequest.objects.filter(pk=wanted.pk), timezone.now()
    with pytest.raises(IntegrityError):
        this.update(stripe_refund_id="re_1", answered_at=now)
    with pytest.raises(IntegrityError):
        this.update(second=marek, second_at=now)


@pytest.mark.parametrize("amount", ["0", "-1", "36.01", "1e1", "ten", "10.001"])
def test_amount_typed_wrong_is_said_beside_the_field(desk: Client, payment: Payment, amount: str) -> None:
    answers = {"amount": amount, "reason": "duplicate", "request": str(uuid.uuid4()), "step": "refund"}
    page = desk.post(f"/admin/adoptions/adoption/payments/{payment.pk}/refund/", answers)
    assert page.status_code == 422
    assert not RefundRequest.objects.exists()


def test_staff_are_told_when_nobody_knows_yet(amara: Amara, desk: Client, payment: Payment) -> None:
    amara.stripe.control("faults", fail=20)
    answers = {"amount": "10", "reason": "duplicate", "request": str(uuid.uuid4()), "step": "refund"}
    page = text(desk.post(f"/admin/adoptions/adoption/payments/{payment.pk}/refund/", answers, follow=True))
    amara.stripe.control("faults")
    assert "nobody knows yet" in page
    assert "£10 is on its way back" not in page


def test_refund_needs_its_own_permission(payment: Payment) -> None:
    sam = User.objects.create_user("sam", is_staff=True)
    sam.user_permissions.add(Permission.objects.get(codename="view_adoption"))
    client = Client()
    client.force_login(sam)
    address = f"/admin/adoptions/adoption/payments/{payment.pk}/refund/"
    assert client.get(address).status_code == 403
    assert Client().get(address).status_code == 302


# --- from the dashboard, from banks -------------------------------------------------------------------------


@pytest.mark.threat("M10")
def test_refund_in_stripes_dashboard_is_told_once(amara: Amara, payment: Payment) -> None:
    amara.stripe.control("refund", charge=payment.stripe_id)
    hear(amara)
    fulfilment.sync_charge(payment.stripe_id)
    assert len(mails("refund_made")) == 1
    payment.adoption.refresh_from_db()
    assert payment.adoption.state == "ended"


def test_refund_that_comes_back_days_later_calls_staff_once(amara: Amara, payment: Payment) -> None:
    refund = amara.stripe.control("refund", charge=payment.stripe_id, amount=1000)
    hear(amara)
    amara.stripe.control("fail_refund", refund=refund["id"])
    hear(amara)
    hear(amara)
    attention = Attention.objects.get()
    assert (attention.kind, attention.key, attention.adoption_id) == (
        "refund_failed",
        refund["id"],
        payment.adoption_id,
    )
    assert payment.adoption.payments.balance_pence() == 3600
    assert refunds.refundable_pence(payment) == 3600
    assert len(mails("attention")) == 1


def test_dispute_calls_staff_once_and_is_settled_by_its_end(amara: Amara, payment: Payment) -> None:
    dispute = amara.stripe.control("dispute", charge=payment.stripe_id)
    hear(amara)
    hear(amara)
    assert Attention.objects.open().get().kind == "dispute"
    assert len(mails("dispute_opened")) == 1
    assert mails("attention") == []
    amara.stripe.control("close_dispute", dispute=dispute["id"], outcome="won")
    hear(amara)
    assert Attention.objects.get().how == "Closed: won."
    payment.adoption.refresh_from_db()
    assert (payment.adoption.state, payment.adoption.payments.balance_pence()) == ("active", 3600)


def test_direct_debit_claimed_back_has_no_answer_and_is_told_all_the_same(amara: Amara) -> None:
    adoption = amara.adopt("bacs_disputed", frequency="monthly")
    amara.stripe.control("advance", days=8)
    fulfilment.sync_session(adoption.stripe_session_id or "")
    payment = Payment.objects.get(kind=PaymentKind.CHARGE)
    hear(amara)
    [mail] = mails("dispute_opened")
    assert "the bank takes no answer" in mail.text
    assert Attention.objects.get().how == "Closed: lost."
    assert payment.adoption.payments.balance_pence() == 0


def test_early_fraud_warning_calls_staff_once_and_offers_a_refund(amara: Amara, payment: Payment, desk: Client) -> None:
    amara.stripe.control("warn_of_fraud", charge=payment.stripe_id)
    hear(amara)
    hear(amara)
    attention = Attention.objects.get()
    assert attention.kind == "fraud_warning"
    page = text(desk.get(f"/admin/adoptions/attention/{attention.pk}/change/"))
    assert f"/admin/adoptions/adoption/payments/{payment.pk}/refund/" in page
    assert len(mails("attention")) == 1


def test_early_fraud_warning_that_was_never_delivered_calls_staff_all_the_same(amara: Amara, payment: Payment) -> None:
    amara.stripe.control("warn_of_fraud", charge=payment.stripe_id)
    for _ in range(2):
        reconcile.reconcile()
    assert Attention.objects.get().kind == "fraud_warning"
    assert len(mails("attention")) == 1


def test_warning_about_a_refunded_payment_calls_nobody(amara: Amara, payment: Payment) -> None:
    amara.stripe.control("refund", charge=payment.stripe_id)
    amara.stripe.control("warn_of_fraud", charge=payment.stripe_id)
    hear(amara)
    assert not Attention.objects.exists()


def test_staff_settle_what_they_looked_at_once(amara: Amara, payment: Payment, desk: Client, marek: User) -> None:
    amara.stripe.control("warn_of_fraud", charge=payment.stripe_id)
    hear(amara)
    attention = Attention.objects.get()
    assert desk.get("/admin/adoptions/attention/?state=open").status_code == 200
    button = f"/admin/adoptions/attention/{attention.pk}/resolve/"
    assert desk.get(button).status_code == 405
    assert desk.post(button, {"how": "It was her card."}).status_code == 303
    attention.refresh_from_db()
    assert (attention.how, attention.resolved_by) == ("It was her card.", marek)
    assert "Somebody was first: it was dealt with already." in desk.post(button, {"how": "Again."}, follow=True).text
    attention.refresh_from_db()
    assert attention.how == "It was her card."


def test_adoption_that_is_held_calls_staff_once(amara: Amara) -> None:
    adoption = amara.reach_stripe()
    Adoption.objects.filter(pk=adoption.pk).update(amount_pence=9900)
    amara.stripe.pay(adoption.stripe_session_id or "")
    for _ in range(3):
        fulfilment.sync_session(adoption.stripe_session_id or "")
    attention = Attention.objects.get()
    assert (attention.kind, attention.key) == ("held", adoption.reference)
    assert "3600p" in attention.reason
    assert len(mails("attention")) == 1


def test_amount_that_cannot_be_right_calls_staff_and_changes_nothing(amara: Amara) -> None:
    payment = pay(amara, frequency="monthly")
    adoption = subscriptions.fresh(payment.adoption)
    found = stripe_gateway.read_subscription(adoption.stripe_subscription_id or "")
    stripe_acts.change_amount(found, 5, key=str(uuid.uuid4()))
    for _ in range(2):
        fulfilment.sync_subscription(found.id)
    adoption.refresh_from_db()
    assert adoption.amount_pence == 500
    assert Attention.objects.get().kind == "odd_amount"
