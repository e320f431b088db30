"""The present never came: whoever answers the telephone puts it right, by what givers use themselves."""

import html
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adoptions import gifts, personal_data
from adoptions.gifts import Present
from adoptions.models import Adoption, Change, ChangeAct, Delivery, Gift, GiftState, Supporter
from adoptions.tasks import deliver_gifts
from config import roles
from config.models import Mail
from tests.adoptions.test_gifts import CHRISTMAS, at, give, mails, round_of_worker
from tests.asked_first import press_twice, sure_of
from tests.makers import make_supporter

pytestmark = pytest.mark.django_db


def member(role: str) -> User:
    roles.load()
    user = User.objects.create_user(role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def ring(client: Client) -> User:
    """Somebody of staff at the telephone, signed in at the hour of the test."""
    user = member("Fundraiser")
    client.force_login(user)
    return user


def address_of(gift: Gift) -> str:
    return reverse("admin:put_gift_right", args=[gift.pk])


def typed(**values: str) -> dict[str, str]:
    told = {"recipient_name": "Ellie", "message": "Many happy returns", "delivery": "email"}
    return {"step": "change", **told, "recipient_email": "ellie@right.example", "deliver_on": str(CHRISTMAS), **values}


def press(client: Client, gift: Gift, *, reads: tuple[str, ...], **values: Any) -> str:
    """Fill it in, read what becomes of it, and press."""
    done = press_twice(client, address_of(gift), typed(**values), reads=reads)
    assert done.status_code == 200
    return html.unescape(done.text)


@at("2026-12-24T09:00")
def test_wrong_address_is_put_right_on_the_telephone_and_goes_out_within_a_minute(client: Client) -> None:
    fiona, gift = ring(client), give()
    round_of_worker()
    timeline = client.get(reverse("admin:supporter_timeline", args=[gift.adoption.supporter_id]))
    assert address_of(gift) in timeline.text
    page = client.get(address_of(gift))
    assert "not opened" in page.text
    assert 'value="ellie@example.org"' in page.text
    reads = ("“ellie@right.example” instead of “ellie@example.org”", "opens nothing from then on", "within a minute")
    done = press(client, gift, reads=reads)
    assert "Done. It goes to ellie@right.example" in done
    round_of_worker()
    assert mails("gift_message") == ["ellie@example.org", "ellie@right.example"]
    assert Change.objects.filter(act=ChangeAct.GIFT).values_list("by", flat=True).get() == fiona.pk
    told = Mail.objects.filter(kind="gift_delivered").latest("pk").text.replace("\u2060", "")
    assert "ellie@right.example" in told


@at("2026-12-24T09:00")
def test_mail_that_got_lost_goes_out_once_more_as_it_is(client: Client) -> None:
    fiona, gift = ring(client), give()
    round_of_worker()
    gifts.open_present(gift)
    page = client.get(address_of(gift))
    assert ("cannot be changed" in page.text, "recipient_email" in page.text) == (True, False)
    assert "Done. It goes to ellie@example.org once more" in press(client, gift, reads=("once more",), step="again")
    round_of_worker()
    assert mails("gift_message") == ["ellie@example.org"] * 2
    assert Change.objects.filter(act=ChangeAct.GIFT_AGAIN).values_list("by", flat=True).get() == fiona.pk


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"delivery": "self"}, "Nothing is mailed: the giver prints it"),
        ({"message": "Verify your bank"}, "Nothing is sent before somebody of staff has read it: “bank”"),
        ({"deliver_on": "2026-12-31"}, "The day becomes 31 December 2026 instead of 24 December 2026"),
        ({"recipient_name": "Eleanor <b>"}, "The name becomes “Eleanor <b>” instead of “Ellie”"),
        ({"message": "email"}, "The message becomes “email” instead of “Many happy returns”"),
        ({"message": ""}, "The message becomes empty instead of “Many happy returns”"),
    ],
)
@at("2026-12-20T12:00")
def test_what_becomes_of_it_is_said_before(client: Client, values: dict[str, str], says: str) -> None:
    ring(client)
    gift = give()
    press(client, gift, reads=(says,), **values)
    gift.refresh_from_db()
    assert gift.revision == 1


@at("2026-12-20T12:00")
def test_wrong_answers_come_back_and_nothing_is_kept(client: Client) -> None:
    ring(client)
    gift = give()
    page = client.post(address_of(gift), typed(recipient_email="ellie at home", deliver_on="2026-01-01"))
    assert (page.status_code, "ellie at home" in page.text, "That day is past" in page.text) == (422, True, True)
    gift.refresh_from_db()
    assert gift.revision == 0


@pytest.mark.parametrize("step", ["change", "again"])
@at("2026-12-24T09:00")
def test_what_would_come_to_nothing_is_not_offered(client: Client, step: str) -> None:
    """A change of what was opened; a sending once more of what goes out for the first time."""
    ring(client)
    gift = give()
    if step == "change":
        round_of_worker()
        gifts.open_present(gift)
    page = client.post(address_of(gift), typed(step=step))
    assert (page.status_code, 'name="sure"' in page.text, "Ellie" in page.text) == (200, False, True)


@at("2026-12-24T09:00")
def test_other_words_for_the_address_it_went_to_are_refused_with_a_next_step(client: Client) -> None:
    ring(client)
    gift = give()
    round_of_worker()
    page = client.post(address_of(gift), typed(message="New words", recipient_email="Ellie@EXAMPLE.org"))
    assert (page.status_code, "It went to this address" in page.text) == (422, True)
    done = press(client, gift, reads=("Nothing is mailed", "opens nothing"), delivery="self", recipient_email="")
    assert "Done. Nothing is mailed" in done


@at("2026-12-24T09:00")
def test_present_of_an_adoption_that_ended_is_said_to_go_nowhere(client: Client) -> None:
    ring(client)
    sent = give()
    round_of_worker()
    Adoption.objects.filter(pk=sent.adoption_id).end(at=timezone.now())
    page = client.get(address_of(sent))
    assert ("The adoption is ended" in page.text, "Send it again" in page.text) == (True, False)
    Gift.objects.filter(pk=sent.pk).update(state="failed", sent_at=None)
    press(client, sent, reads=("Nothing is mailed: the adoption is ended.",))


@at("2026-12-24T09:00")
def test_present_of_somebody_who_was_erased_is_left_to_whom_it_was_given(client: Client) -> None:
    ring(client)
    gift = give()
    round_of_worker()
    Supporter.objects.filter(pk=gift.adoption.supporter_id).erase()
    assert client.get(address_of(gift)).status_code == 404


@at("2026-12-20T12:00")
def test_who_comes_after_the_giver_reads_what_stands_there_now_and_is_asked_again(client: Client) -> None:
    ring(client)
    gift = give()
    sure = sure_of(client.post(address_of(gift), typed()).text)
    gifts.change(gift, Present("Ellie", "From the giver", Delivery.EMAIL, "giver@right.example", CHRISTMAS))
    again = client.post(address_of(gift), typed() | sure)
    assert "“ellie@right.example” instead of “giver@right.example”" in again.text
    gift.refresh_from_db()
    assert gift.recipient_email == "giver@right.example"


@at("2026-12-24T09:00")
def test_present_that_moved_on_between_reading_and_pressing_is_left_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring(client)
    gift = give()
    monkeypatch.setattr(gifts, "change", lambda *args, **kwargs: False)
    assert "Nothing was done: the present has moved on" in press(client, gift, reads=())


@pytest.mark.parametrize(
    ("state", "says"), [("sending", "with the mail server"), ("cancelled", "not to be sent"), ("sent", "as often as")]
)
@at("2026-12-24T09:00")
def test_present_that_nothing_can_be_done_for_says_why(client: Client, state: GiftState, says: str) -> None:
    ring(client)
    gift = give()
    now = {"sent_at": gift.deliver_at, "sendings": 4} if state == "sent" else {}
    Gift.objects.filter(pk=gift.pk).update(state=state, **now)
    page = client.post(address_of(gift), typed())
    assert (says in page.text, "<form" in page.text.partition('id="content"')[2]) == (True, False)
    gift.refresh_from_db()
    assert gift.state == state


@at("2026-12-24T09:00")
def test_erased_one_is_no_page_and_the_link_is_for_who_may_use_it(client: Client) -> None:
    ring(client)
    gift = give()
    screen = reverse("admin:adoptions_gift_change", args=[gift.pk])
    assert address_of(gift) in client.get(screen).text
    gifts.forget_recipient(gift)
    assert client.get(address_of(gift)).status_code == 404
    assert "Nothing to change or to send." in client.get(screen).text
    client.force_login(member("Auditor"))
    assert "For a giver who rings" not in client.get(screen).text


@at("2026-12-24T09:00")
def test_letters_that_came_back_go_out_again_from_the_list_and_never_as_they_stood_in_the_log(client: Client) -> None:
    """A mail server was away. In the meantime one was put right: the letter to the old address stays where it is."""
    ring(client)
    kept, changed = give(), give(supporter=make_supporter("Kit", "kit@example.org"), stripe_session_id="cs_2")
    deliver_gifts.func()
    Mail.objects.filter(kind="gift_message").update(state="failed", error="451", failed_at=timezone.now())
    deliver_gifts.func()
    changed.refresh_from_db()
    assert gifts.change(changed, Present("Ellie", "", Delivery.EMAIL, "ellie@right.example", CHRISTMAS))
    mail_log = reverse("admin:config_mail_changelist")
    letters = list(Mail.objects.filter(kind="gift_message").values_list("pk", flat=True))
    said = press_twice(client, mail_log, {"action": "send_again", "_selected_action": letters}).text
    assert ("0 queued to be sent again." in said, "2 left out" in said) == (True, True)
    chosen = {"action": "send_again", "_selected_action": [kept.pk, changed.pk]}
    said = press_twice(
        client, reverse("admin:adoptions_gift_changelist"), chosen, reads=("a mail server was away",)
    ).text
    assert "1 of 2 go out again within a minute." in said
    round_of_worker()
    sent = Mail.objects.filter(kind="gift_message", state="sent").values_list("to", flat=True)
    assert sorted(sent) == ["ellie@example.org", "ellie@right.example"]
    assert list(Gift.objects.values_list("state", flat=True)) == ["sent", "sent"]


@at("2026-12-24T09:00")
def test_who_has_a_present_keeps_it_when_its_giver_is_erased_while_it_goes_again() -> None:
    gift = give()
    round_of_worker()
    assert gifts.send_again(gift)
    personal_data.forget_gifts([gift.adoption_id])
    gift.refresh_from_db()
    assert gift.erased_at is None
