"""A present on its way: on its day at eight in London, once, and never before the money is there."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adoptions import gifts
from adoptions.gift_words import why_held, without_links
from adoptions.gifts import Present
from adoptions.models import Adoption, AdoptionState, Attention, Delivery, Gift, GiftState
from adoptions.models.gifts import MOST_SENDINGS, GiftQuerySet
from adoptions.stripe_gateway import read_session
from adoptions.tasks import deliver_gifts
from config.mail import deliver_due
from config.models import Mail
from tests.adoptions.conftest import Amara
from tests.adoptions.test_adopting import at_once
from tests.asked_first import press_twice
from tests.makers import make_active_adoption, make_adoption

pytestmark = pytest.mark.django_db

CHRISTMAS = date(2026, 12, 24)
BY_EMAIL = Present("Ellie", "Many happy returns", Delivery.EMAIL, "ellie@example.org", CHRISTMAS)


def at(text: str) -> time_machine.travel:
    """A moment in UTC that stands still."""
    return time_machine.travel(datetime.fromisoformat(text).replace(tzinfo=UTC), tick=False)


def give(present: Present = BY_EMAIL, **values: Any) -> Gift:
    """A present of a paid adoption, as the form leaves it."""
    adoption = make_active_adoption(is_gift=True, **values)
    gifts.keep(adoption, present)
    gifts.money_arrived(adoption)
    return Gift.objects.get(adoption=adoption)


def mails(kind: str) -> list[str]:
    return list(Mail.objects.filter(kind=kind).order_by("pk").values_list("to", flat=True))


def round_of_worker() -> None:
    """What happens in a minute: send what is due, let the mail server have it, see what became of it."""
    deliver_gifts.func()
    deliver_due.func()
    deliver_gifts.func()


# --- the hour ------------------------------------------------------------------------------------------------------


@pytest.mark.threat("X7")
@pytest.mark.parametrize(
    ("day", "moment"),
    [
        (date(2026, 3, 28), datetime(2026, 3, 28, 8, tzinfo=UTC)),
        (date(2026, 3, 29), datetime(2026, 3, 29, 7, tzinfo=UTC)),  # the night the hour is skipped
        (date(2026, 10, 24), datetime(2026, 10, 24, 7, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 25, 8, tzinfo=UTC)),  # the night it comes twice
        (date(2028, 2, 29), datetime(2028, 2, 29, 8, tzinfo=UTC)),
    ],
)
def test_day_of_a_present_means_eight_in_london(day: date, moment: datetime) -> None:
    gift = give(Present("Ellie", "", Delivery.EMAIL, "ellie@example.org", day))
    assert gift.deliver_at == moment


@pytest.mark.threat("X7")
@pytest.mark.parametrize(
    ("day", "too_early", "due"),
    [
        (date(2026, 3, 29), "2026-03-29T06:59:59", "2026-03-29T07:00:00"),
        (date(2026, 10, 25), "2026-10-25T07:59:59", "2026-10-25T08:00:00"),
    ],
)
def test_present_goes_out_at_eight_across_the_change_of_clocks(day: date, too_early: str, due: str) -> None:
    with at("2026-01-10T12:00"):
        give(Present("Ellie", "", Delivery.EMAIL, "ellie@example.org", day))
    with at(too_early):
        round_of_worker()
        assert mails("gift_message") == []
    with at(due):
        round_of_worker()
        round_of_worker()
        assert mails("gift_message") == ["ellie@example.org"]


@at("2026-12-20T12:00")
def test_giver_is_told_the_day_and_then_that_it_went_out() -> None:
    gift = give()
    assert mails("gift_scheduled") == ["amara@example.org"]
    with at("2026-12-24T08:00"):
        round_of_worker()
    gift.refresh_from_db()
    assert (gift.state, gift.sent_at) == ("sent", Mail.objects.get(kind="gift_message").sent_at)
    assert mails("gift_delivered") == ["amara@example.org"]
    assert "has gone to" in Mail.objects.get(kind="gift_delivered").text


@at("2026-12-24T15:00")
def test_day_that_is_today_after_eight_goes_out_at_once_and_nothing_is_announced() -> None:
    give()
    round_of_worker()
    assert mails("gift_message") == ["ellie@example.org"]
    assert mails("gift_scheduled") == []


# --- money first -------------------------------------------------------------------------------------------------


@at("2026-12-20T12:00")
def test_nothing_goes_out_before_the_money_and_the_giver_hears_why_once() -> None:
    adoption = make_adoption(is_gift=True, state=AdoptionState.PROCESSING)
    gifts.keep(adoption, BY_EMAIL)
    with at("2026-12-24T08:00"):
        round_of_worker()
        round_of_worker()
    assert mails("gift_message") == []
    assert mails("gift_waiting") == ["amara@example.org"]
    with at("2026-12-27T10:00"):
        Adoption.objects.filter(pk=adoption.pk).activate()
        adoption.refresh_from_db()
        gifts.money_arrived(adoption)
        round_of_worker()
    assert mails("gift_message") == ["ellie@example.org"]
    assert mails("gift_delivered") == ["amara@example.org"]


@at("2026-12-20T12:00")
def test_present_of_an_adoption_whose_money_went_back_stays_here() -> None:
    gift = give()
    Adoption.objects.filter(pk=gift.adoption_id).end(at=datetime(2026, 12, 21, tzinfo=UTC))
    with at("2026-12-24T08:00"):
        round_of_worker()
    assert mails("gift_message") == []


def test_present_bought_over_http_is_sent_when_stripe_says_paid(amara: Amara) -> None:
    today = date.today().isoformat()  # noqa: DTZ011  the day as the browser of the payer writes it
    adoption = amara.adopt(
        is_gift="gift",
        recipient_name="Ellie",
        message="See https://evil.example/x and have fun",
        delivery="email",
        recipient_email="ellie@example.org",
        deliver_on=today,
    )
    deliver_gifts.func()
    assert mails("gift_message") == []
    amara.come_back(adoption)
    gift = Gift.objects.get(adoption=adoption)
    assert (gift.state, gift.message) == ("scheduled", "See and have fun")
    with time_machine.travel(gift.deliver_at + timedelta(seconds=1), tick=False):
        round_of_worker()
    assert mails("gift_message") == ["ellie@example.org"]


# --- once ------------------------------------------------------------------------------------------------------------


def sent_by_eight_workers() -> list[bool]:
    gift = give(Present("Ellie", "", Delivery.EMAIL, "ellie@example.org", date(2026, 1, 5)))
    sent: list[bool] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        sent.append(gifts.send(gift.pk))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(sent)


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_send_one() -> None:
    assert sent_by_eight_workers() == [False] * 7 + [True]
    assert mails("gift_message") == ["ellie@example.org"]


@pytest.mark.django_db(transaction=True)
def test_control_workers_that_look_first_and_take_no_lock_send_many(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_then_move(self: Any, *, at: datetime) -> int:
        if not self.due(at=at).exists():
            return 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.1)")
        return int(self.update(state=GiftState.SENDING, sendings=1))

    monkeypatch.setattr(gifts, "lock_adoption_of", lambda gift_id: Adoption.objects.get(gift=gift_id))
    monkeypatch.setattr(type(Gift.objects.all()), "begin_sending", look_then_move)
    assert sent_by_eight_workers().count(True) > 1


@pytest.mark.parametrize("minute", ["07:59:59", "08:00:00"])
@at("2026-12-20T12:00")
def test_change_a_minute_before_counts(minute: str) -> None:
    gift = give()
    with at(f"2026-12-24T{minute}"):
        changed = Present("Ellie", "New words", Delivery.EMAIL, "ellie@new.example", CHRISTMAS)
        assert gifts.change(gift, changed)
    with at("2026-12-24T08:00:30"):
        round_of_worker()
    mail = Mail.objects.get(kind="gift_message")
    assert (mail.to, "New words" in mail.text) == ("ellie@new.example", True)


@pytest.mark.parametrize("to", ["Ellie@example.org", "sam@example.org"])
@at("2026-12-24T08:00")
def test_change_after_it_went_out_or_was_opened_is_refused_and_changes_nothing(to: str) -> None:
    gift = give()
    round_of_worker()
    if to != "Ellie@example.org":
        gifts.open_present(gift)
    assert not gifts.change(gift, Present("Sam", "", Delivery.EMAIL, to, CHRISTMAS))
    gift.refresh_from_db()
    assert (gift.recipient_name, gift.state) == ("Ellie", "sent")


@pytest.mark.django_db(transaction=True)
@at("2026-12-24T08:00")
def test_present_that_went_to_somebody_else_goes_to_one_other_and_its_first_letter_opens_nothing() -> None:
    """However many say so at once, as with the giver at the telephone and at their own page."""
    gift = give()
    round_of_worker()
    first = gift.get_absolute_url()
    others = iter([f"ellie@right{number}.example" for number in range(4)])
    at_once(4, lambda: gifts.change(gift, Present("Ellie", "", Delivery.EMAIL, next(others), CHRISTMAS)))
    round_of_worker()
    gift.refresh_from_db()
    assert mails("gift_message") == ["ellie@example.org", gift.recipient_email]
    assert gift.recipient_email.startswith("ellie@right")
    assert [Client().get(address).status_code for address in (first, gift.get_absolute_url())] == [404, 200]
    assert Mail.objects.filter(kind="gift_message", text__contains=gift.get_absolute_url()).count() == 1


def sent_to_a_stranger() -> tuple[Gift, str]:
    """And the address in the letter that they have."""
    gift = give()
    round_of_worker()
    return gift, gift.get_absolute_url()


@pytest.mark.parametrize("words", ["Many happy returns", "Your bank"])
@at("2026-12-24T09:00")
def test_first_letter_opens_nothing_also_where_it_was_to_go_again_before_its_address_was_put_right(words: str) -> None:
    gift, first = sent_to_a_stranger()
    assert gifts.send_again(gift)
    assert gifts.change(gift, Present("Ellie", words, Delivery.EMAIL, "ellie@example.org", CHRISTMAS))
    assert Client().get(first).status_code == 200, "it is still hers"
    assert gifts.change(gift, Present("Ellie", "", Delivery.EMAIL, "ellie@right.example", CHRISTMAS))
    gift.refresh_from_db()
    assert [Client().get(address).status_code for address in (first, gift.get_absolute_url())] == [404, 200]


@at("2026-12-24T09:00")
def test_present_that_was_opened_goes_again_to_nobody_else() -> None:
    gift, _ = sent_to_a_stranger()
    gifts.open_present(gift)
    assert gifts.send_again(gift)
    gift.refresh_from_db()
    assert not gift.is_editable
    assert not gifts.change(gift, Present("Sam", "", Delivery.EMAIL, "sam@example.org", CHRISTMAS))
    round_of_worker()
    assert mails("gift_message") == ["ellie@example.org"] * 2


@at("2026-12-24T09:00")
def test_giver_who_takes_it_into_their_own_hands_is_heard_whatever_address_is_still_in_the_form() -> None:
    """Without JavaScript and styles it is sent along. What they then pass on stays good when it is mailed as well."""
    gift, first = sent_to_a_stranger()
    assert gifts.change(gift, Present("Ellie", "", Delivery.SELF, "ellie@example.org", CHRISTMAS))
    gift.refresh_from_db()
    assert (gift.state, gift.recipient_email, gift.sent_at) == ("waiting", "", None)
    assert Client().get(first).status_code == 404
    passed_on = gift.get_absolute_url()
    assert gifts.change(gift, Present("Ellie", "", Delivery.EMAIL, "ellie@right.example", CHRISTMAS))
    assert Client().get(passed_on).status_code == 200


@at("2026-12-24T09:00")
def test_link_that_came_back_and_was_passed_on_by_the_giver_stays_good() -> None:
    gift = give()
    deliver_gifts.func()
    gifts.came_back(gift)
    assert gifts.change(gift, Present("Ellie", "", Delivery.SELF))
    assert Client().get(gift.get_absolute_url()).status_code == 200


@at("2026-12-24T09:00")
def test_who_holds_the_first_letter_cannot_act_while_the_address_is_put_right() -> None:
    """They had asked for the page when it was; the present of the right one is neither opened nor thanked for."""
    gift, _ = sent_to_a_stranger()
    assert gifts.change(gift, Present("Ellie", "", Delivery.EMAIL, "ellie@right.example", CHRISTMAS))
    gifts.open_present(gift)
    assert not gifts.say_thanks(gift, "Who are you?")
    gift.refresh_from_db()
    assert (gift.opened_at, gift.thanked_at, mails("gift_thanks")) == (None, None, [])


@at("2026-12-24T09:00")
def test_present_that_somebody_gave_thanks_for_has_not_gone_astray() -> None:
    gift, _ = sent_to_a_stranger()
    assert gifts.say_thanks(gift, "Lovely")
    gift.refresh_from_db()
    assert not gift.may_go_elsewhere
    assert not gifts.change(gift, Present("Ellie", "", Delivery.EMAIL, "ellie@right.example", CHRISTMAS))


@at("2026-12-24T09:00")
def test_present_of_an_adoption_that_ended_is_not_promised_to_go_again() -> None:
    """It would wait for ever, and its page be lost to whom it was given."""
    gift, first = sent_to_a_stranger()
    Adoption.objects.filter(pk=gift.adoption_id).end(at=timezone.now())
    assert not gifts.send_again(gift)
    assert not gifts.change(gift, Present("Ellie", "", Delivery.EMAIL, "ellie@right.example", CHRISTMAS))
    gift = Gift.objects.get(pk=gift.pk)
    assert (gift.state, gift.may_be_put_right, Client().get(first).status_code) == ("sent", False, 200)


@pytest.mark.django_db(transaction=True)
@at("2026-12-24T09:00")
def test_recipient_who_is_forgotten_just_now_is_mailed_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for between the two steps of forgetting, it waits for both; neither is given up as a deadlock."""
    gift, _ = sent_to_a_stranger()
    threads = []

    def ask(rows: GiftQuerySet) -> int:
        threads.append(threading.Thread(target=at_once, args=[1, lambda: gifts.send_again(gift)]))
        threads[0].start()
        threads[0].join(0.2)
        return 0

    monkeypatch.setattr(GiftQuerySet, "cancel", ask)
    gifts.forget_recipient(gift)
    threads[0].join()
    gift.refresh_from_db()
    assert (gift.state, bool(gift.erased_at)) == ("sent", True)


@at("2026-12-20T12:00")
def test_change_to_by_hand_sends_nothing() -> None:
    gift = give()
    assert gifts.change(gift, Present("Ellie", "New words"))
    with at("2026-12-25T08:00"):
        round_of_worker()
    gift.refresh_from_db()
    assert (mails("gift_message"), gift.state, gift.recipient_email, gift.deliver_at) == ([], "waiting", "", None)


@at("2026-12-24T08:00")
def test_address_that_does_not_exist_is_told_put_right_and_sent_again_at_once() -> None:
    gift = give()
    deliver_gifts.func()
    Mail.objects.filter(kind="gift_message").update(state="failed", error="550")
    deliver_gifts.func()
    gift.refresh_from_db()
    assert (gift.state, mails("gift_delivered")) == ("failed", ["amara@example.org"])
    assert "could not be delivered" in Mail.objects.get(kind="gift_delivered").text
    assert gifts.change(gift, Present("Ellie", "", Delivery.EMAIL, "ellie@right.example", CHRISTMAS))
    round_of_worker()
    assert mails("gift_message") == ["ellie@example.org", "ellie@right.example"]


@at("2026-12-24T08:00")
def test_giver_may_send_it_again_a_few_times_and_no_more() -> None:
    gift = give()
    for _ in range(MOST_SENDINGS + 2):
        round_of_worker()
        Gift.objects.filter(pk=gift.pk).send_again()
    assert len(mails("gift_message")) == MOST_SENDINGS


# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Happy birthday!\n\nDr. Who", "Happy birthday!\n\nDr. Who"),
        ("go to https://evil.example/pay?x=1 now", "go to now"),
        ("www.evil.example", ""),
        ("evil.com/pay", ""),
        ("write to me@evil.example.", "write to"),
        ("javascript:alert(1)", ""),
        ("J.R.R. Tolkien, p. 3.5", "J.R.R. Tolkien, p. 3.5"),
        ("生日快乐。再见", "生日快乐。再见"),
    ],
)
def test_links_are_left_out_of_a_message(typed: str, kept: str) -> None:
    assert without_links(typed) == kept


@pytest.mark.parametrize(
    ("words", "is_held"),
    [
        ("Happy birthday from Essex, you skilled diet expert", False),
        ("call 0900 123 456 789", True),
        ("Your BANK needs you", True),
        ("go and die", True),
        ("born 12 12 2012, 24 rosettes", False),
        ("", False),
    ],
)
def test_words_that_staff_should_read_are_held(words: str, is_held: bool) -> None:
    assert bool(why_held(words)) is is_held


@at("2026-12-20T12:00")
def test_held_words_wait_for_staff_and_then_go_out_on_their_day() -> None:
    gift = give(Present("Ellie", "Verify your bank", Delivery.EMAIL, "ellie@example.org", CHRISTMAS))
    assert (gift.state, gift.held_because) == ("held", "“bank” speaks of money or passwords")
    with at("2026-12-24T08:00"):
        round_of_worker()
        assert mails("gift_message") == []
        marek = User.objects.create_superuser("marek")
        assert Attention.objects.open().get().kind == "gift_words"
        assert gifts.release(gift.pk, by=marek)
        assert not gifts.release(gift.pk, by=marek)
        assert Attention.objects.open().count() == 0
        round_of_worker()
    assert mails("gift_message") == ["ellie@example.org"]


# --- what the database refuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"delivery": "email", "recipient_email": "", "deliver_on": CHRISTMAS},
        {"delivery": "email", "recipient_email": "e@example.org", "deliver_on": None},
        {"state": "scheduled"},
        {"state": "held"},
        {"held_because": "no reason to"},
        {"recipient_name": ""},
        {"erased_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"sent_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"sendings": MOST_SENDINGS + 1},
    ],
)
def test_impossible_present_cannot_be_written(values: dict[str, Any]) -> None:
    gift = give(Present("Ellie"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Gift.objects.filter(pk=gift.pk).update(**values)


def test_present_given_by_hand_is_never_sent() -> None:
    gift = give(Present("Ellie"))
    round_of_worker()
    gift.refresh_from_db()
    assert (gift.state, Mail.objects.filter(kind__startswith="gift").count()) == (GiftState.WAITING, 0)


def test_staff_read_held_words_and_release_them_in_the_admin(client: Client) -> None:
    gift = give(Present("Ellie", "Verify your bank"))
    client.force_login(User.objects.create_superuser("marek"))
    address = reverse("admin:adoptions_gift_changelist")
    assert "Verify your bank" in client.get(reverse("admin:adoptions_gift_change", args=[gift.pk])).content.decode()
    press_twice(client, address, {"action": "release", "_selected_action": [gift.pk]}, reads=("for Ellie",))
    gift.refresh_from_db()
    assert gift.state == "waiting"
    never = {"action": "cancel", "_selected_action": [gift.pk]}
    client.post(address, never)
    assert Client().get(gift.get_absolute_url()).status_code == 200
    press_twice(client, address, never, reads=("printed by the giver: Verify your bank", "please write to them"))
    assert Client().get(gift.get_absolute_url()).status_code == 404


def test_direct_debit_that_is_late_sends_the_present_once_it_is_paid(amara: Amara) -> None:
    """From the form on: the day comes before the bank has said anything."""
    day = date.today()  # noqa: DTZ011  the day as the browser of the payer writes it
    adoption = amara.adopt(
        "bacs",
        is_gift="gift",
        recipient_name="Ellie",
        delivery="email",
        recipient_email="ellie@example.org",
        deliver_on=day.isoformat(),
    )
    amara.come_back(adoption)
    gift = Gift.objects.get(adoption=adoption)
    assert gift.deliver_at
    with time_machine.travel(max(gift.deliver_at, datetime.now(UTC)) + timedelta(seconds=1)):
        round_of_worker()
        adoption.refresh_from_db()
        assert (adoption.state, mails("gift_message")) == ("processing", [])
        assert mails("gift_waiting") == ["amara@example.org"]
        intent = read_session(adoption.stripe_session_id or "").payment_intent
        amara.stripe.control("settle_debit", payment_intent=intent)
        amara.come_back(adoption)
        round_of_worker()
    assert mails("gift_message") == ["ellie@example.org"]
    assert mails("gift_scheduled") == []
