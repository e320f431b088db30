"""One page for each supporter with all that happened, each line leading to where it stands."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adoptions import attention, consent, details, gift_aid, gifts, personal_data, timeline
from adoptions.gift_aid import Taxpayer
from adoptions.gifts import Present
from adoptions.models import (
    Adoption,
    Attention,
    AttentionKind,
    Change,
    ChangeAct,
    Delivery,
    FormerAddress,
    Gift,
    RefundReason,
    RefundRequest,
    Supporter,
)
from config.models import Mail
from species.models import Comment
from tests.adoptions.test_gifts import give
from tests.adoptions.visitors import signed_in
from tests.makers import make_active_adoption, make_payment, make_supporter

pytestmark = pytest.mark.django_db

KINDS = {
    "Access",
    "Adoption",
    "Money",
    "Certificate",
    "Change",
    "Refund",
    "Staff",
    "Gift",
    "Consent",
    "Gift Aid",
    "Mail",
    "Comment",
}


@pytest.fixture
def marek() -> User:
    return User.objects.create_superuser("marek", "marek@example.org", "x" * 20)


@pytest.fixture
def staff(client: Client, marek: User) -> Client:
    client.force_login(marek)
    return client


def live_a_little(marek: User) -> Supporter:
    """Everything that a supporter can do, and that is done for one."""
    today = timezone.localdate()
    gift = give(Present("Ellie", "Hello", Delivery.EMAIL, "ellie@example.org", today - timedelta(days=1)))
    gifts.send_due()
    gifts.open_present(gift)
    adoption = gift.adoption
    supporter = adoption.supporter
    payment = adoption.payments.get()
    make_payment(adoption, kind="refund", amount_pence=-600, charge=payment)
    RefundRequest.objects.create(
        public_id="7" * 32, payment=payment, amount_pence=600, reason=RefundReason.REQUESTED, by=marek
    )
    Change.objects.create(adoption=adoption, act=ChangeAct.PAUSE, by=marek)
    attention.call(AttentionKind.GIFT_WORDS, key="x", reason="Rude?", adoption=adoption)
    Attention.objects.all().resolve(how="Read, and released.", by=marek)
    consent.grant(supporter, page="/adopt/amur-leopard/")
    gift_aid.declare(supporter, Taxpayer("Amara", "Supporter", "7 Forest Lane", "EX1 1EX"), adoption=adoption)
    gift_aid.take_back(supporter)
    details.change_name(supporter, "Amara Obi")
    details.change_email(supporter, "amara.obi@example.org")
    Comment.objects.create(species=adoption.species, name="Amara", email="AMARA@example.org", body="What a cat")
    return supporter


def page_of(client: Client, supporter: Supporter) -> str:
    response = client.get(reverse("admin:supporter_timeline", args=[supporter.pk]))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def kinds_in(page: str) -> set[str]:
    return set(re.findall(r'<th scope="row">([^<]+)</th>', page))


def test_timeline_holds_everything_and_each_line_leads_somewhere(staff: Client, marek: User) -> None:
    supporter = live_a_little(marek)
    page = page_of(staff, supporter)
    assert kinds_in(page) == KINDS
    for words in ("£36", "Pause", "Rude?", "opened", "ellie@example.org", "EX1 1EX", "What a cat", "marek"):
        assert words in page
    addresses = re.findall(r'<td><a href="([^"]+)">', page)
    assert len(addresses) == page.count('<th scope="row">')
    for address in set(addresses):
        assert staff.get(address).status_code == 200, address


# --- whatever a person can do -----------------------------------------------------------------------------------

HOME = {"first_name": "Amara", "last_name": "Obi", "home_address": "7 Forest Lane", "postcode": "EX1 1EX"}
DECLARED = {**HOME, "scope": "2026-11-later", "is_taxpayer": "on"}
PRESENT = {"recipient_name": "Elly", "delivery": "email", "recipient_email": "elly@example.org"}
PRESENT |= {"deliver_on": (timezone.localdate() + timedelta(days=1)).isoformat()}


def path(gift: Gift, end: str = "") -> str:
    return f"/my-adoption/{gift.adoption.reference}/{end}"


def send(gift: Gift) -> None:
    """On the day after its own, so that it is past eight in the morning at any hour of the test."""
    Gift.objects.filter(pk=gift.pk).update(deliver_on=timezone.localdate() - timedelta(days=1))
    gifts.send_due()
    Mail.objects.filter(kind="gift_message").claim(for_time=timedelta(minutes=1))
    Mail.objects.filter(kind="gift_message").mark_sent()
    gifts.follow_mails()


def confirm_a_new_address(own: Client, gift: Gift) -> None:
    assert details.change_email(gift.adoption.supporter, "new@example.org")


def hear_of_it(own: Client, gift: Gift) -> None:
    """What was sent to the address of before is theirs still, what is sent there afterwards is not."""
    details.change_name(gift.adoption.supporter, "Amara Obi")
    confirm_a_new_address(own, gift)


def declare_and_take_back(own: Client, gift: Gift) -> None:
    own.post("/my-adoption/gift-aid/declare/", DECLARED)
    own.post("/my-adoption/gift-aid/")


def comment_and_move(own: Client, gift: Gift) -> None:
    Comment.objects.create(species=gift.adoption.species, name="A", email="AMARA@example.org", body="What a cat")
    confirm_a_new_address(own, gift)


def send_again(own: Client, gift: Gift) -> None:
    send(gift)
    own.post(path(gift, "gift/again/"))


def unsubscribe(own: Client, gift: Gift) -> None:
    consent.grant(gift.adoption.supporter, page="/adopt/")
    own.post(consent.unsubscribe_url("amara@example.org").removeprefix("http://127.0.0.1:8000"))


# Each act of a supporter, or of whom they gave a present, and words that stand in the timeline afterwards. Downloading
# is not among them: it is a GET, and a GET leaves no trace.
ACTS: dict[str, tuple[Callable[[Client, Gift], Any], str]] = {
    "adopts": (lambda own, gift: None, "Asked for: Amur leopard"),
    "pays": (lambda own, gift: None, "Payment £36"),
    "asks for a link": (lambda own, gift: None, "by a link to amara@example.org"),
    "changes the name": (
        lambda own, gift: own.post("/my-adoption/details/", {"act": "name", "name": "Amara Obi"}),
        "details",
    ),
    "asks to change the address": (
        lambda own, gift: own.post("/my-adoption/details/", {"act": "email", "email": "other@example.org"}),
        "by a link to other@example.org",
    ),
    "changes the address": (confirm_a_new_address, "It was amara@example.org until then"),
    "was written to before": (hear_of_it, "to amara@example.org"),
    "wrote before": (comment_and_move, "What a cat"),
    "wishes for news": (
        lambda own, gift: own.post("/my-adoption/news/", {"wants_news": "yes"}),
        "may be written to (consent",
    ),
    "wishes for none": (lambda own, gift: own.post("/my-adoption/news/", {"wants_news": "no"}), "may not be written"),
    "unsubscribes": (unsubscribe, "at /unsubscribe/-/"),
    "declares Gift Aid": (
        lambda own, gift: own.post("/my-adoption/gift-aid/declare/", DECLARED),
        "Declared by Amara Obi",
    ),
    "takes Gift Aid back": (declare_and_take_back, "The supporter took it back"),
    "changes the present": (
        lambda own, gift: own.post(path(gift, "gift/"), PRESENT),
        "Change the present",
    ),
    "sends the present again": (send_again, "Send the present again"),
    "gives": (lambda own, gift: send(gift), "Present for Ellie: sent"),
    "says something": (
        lambda own, gift: own.post(path(gift, "comment/"), {"name": "Amara", "comment": "What a big cat"}),
        "What a big cat",
    ),
    "opens": (lambda own, gift: own.post(f"/gift/{gift.token}/open/"), "Present for Ellie: opened"),
    "thanks": (lambda own, gift: own.post(f"/gift/{gift.token}/thanks/", {"words": "Thank you"}), "thanked for"),
    "is forgotten": (lambda own, gift: own.post(f"/gift/{gift.token}/erase/", {"sure": "1"}), "recipient erased"),
    "erases": (lambda own, gift: own.post("/my-adoption/erase/"), "may not be written to, at erasure"),
}


def words_of(supporter: Supporter, marek: User) -> str:
    return " ".join(moment.words for moment in timeline.of(supporter, marek))


@pytest.mark.parametrize("act", ACTS)
def test_whatever_a_person_does_is_in_the_timeline(marek: User, act: str) -> None:
    gift = give(Present("Ellie", "Hello", Delivery.EMAIL, "ellie@example.org", timezone.localdate()))
    do, words = ACTS[act]
    supporter = gift.adoption.supporter
    if act not in {"adopts", "pays"}:
        assert words not in words_of(supporter, marek)
    do(signed_in(supporter), gift)
    supporter.refresh_from_db()
    assert words in words_of(supporter, marek)


def test_every_wish_about_an_adoption_is_in_the_timeline(marek: User) -> None:
    adoption = make_active_adoption()
    Change.objects.bulk_create(Change(adoption=adoption, act=act) for act in ChangeAct)
    found = words_of(adoption.supporter, marek)
    assert [act for act in ChangeAct if f"{act.label} (" not in found] == []


def test_who_has_an_address_afterwards_shares_nothing_of_it(staff: Client) -> None:
    adoption = make_active_adoption()
    first = adoption.supporter
    details.change_name(first, "Amara Obi")
    Comment.objects.create(species=adoption.species, name="Amara", email="amara@example.org", body="What a cat")
    details.change_email(first, "new@example.org")
    second = make_active_adoption(supporter=make_supporter("Sam", "amara@example.org")).supporter
    details.change_name(second, "Sam Stranger")
    assert "Sam" not in str(personal_data.export(first))
    assert "What a cat" not in page_of(staff, first)
    assert personal_data.export(first)["former_addresses"][0]["email"] == "amara@example.org"


def test_erasure_reaches_the_former_address(staff: Client) -> None:
    adoption = make_active_adoption()
    Comment.objects.create(species=adoption.species, name="Amara", email="amara@example.org", body="What a cat")
    details.change_name(adoption.supporter, "Amara Obi")
    details.change_email(adoption.supporter, "new@example.org")
    assert personal_data.erase(adoption.supporter)
    assert not FormerAddress.objects.exists()
    assert not Mail.objects.exclude(to="erased@erased.invalid").exists()
    assert Comment.objects.get().email == ""


def test_staff_see_only_what_they_may(client: Client, marek: User) -> None:
    supporter = live_a_little(marek)
    clerk = User.objects.create_user("clerk", "clerk@example.org", "x" * 20, is_staff=True)
    client.force_login(clerk)
    assert client.get(reverse("admin:supporter_timeline", args=[supporter.pk])).status_code == 403
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_supporter", "view_mail"]))
    assert kinds_in(page_of(client, supporter)) == {"Access", "Mail"}


def test_nothing_of_others_is_in_it(staff: Client, marek: User) -> None:
    live_a_little(marek)
    sam = make_active_adoption(supporter=make_supporter("Sam Stranger", "sam@example.org")).supporter
    page = page_of(staff, sam)
    assert kinds_in(page) == {"Adoption", "Certificate", "Money"}
    assert "Amara" not in page.replace("All that happened", "")


def test_word_on_news_said_on_the_phone_was_said_on_no_page(staff: Client) -> None:
    supporter = make_active_adoption().supporter
    consent.grant(supporter, page="/adopt/amur-leopard/")
    consent.refuse(supporter, page="by phone")
    page = page_of(staff, supporter)
    assert ", at /adopt/amur-leopard/" in page
    assert "may not be written to, by phone" in page


def test_pause_and_an_end_to_come_stand_beside_the_state(staff: Client) -> None:
    """“Is it paused?” is asked on the telephone, and “active” alone would be the wrong answer."""
    adoption = make_active_adoption(frequency="monthly", stripe_subscription_id="sub_1")
    Adoption.objects.update(is_paused=True, resumes_on=date(2027, 1, 30))
    assert "a month, active, paused until 30 January 2027<" in page_of(staff, adoption.supporter)
    Adoption.objects.update(is_paused=False, resumes_on=None, ends_on=date(2027, 2, 28))
    assert "a month, active, ends on 28 February 2027<" in page_of(staff, adoption.supporter)


def test_fate_of_a_mail_is_said(staff: Client) -> None:
    supporter = make_active_adoption().supporter
    details.change_name(supporter, "Amara Obi")
    Mail.objects.all().claim(for_time=timedelta(minutes=1))
    Mail.objects.all().bounce(reason="550 no such user")
    assert "Came back. 550 no such user" in page_of(staff, supporter)


def test_number_of_queries_does_not_grow(staff: Client, marek: User, django_assert_max_num_queries: Any) -> None:
    supporter = live_a_little(marek)
    page_of(staff, supporter)
    for _ in range(2):
        with django_assert_max_num_queries(49):
            page_of(staff, supporter)
        make_active_adoption(supporter=supporter)
        Gift.objects.create(adoption=make_active_adoption(supporter=supporter, is_gift=True), recipient_name="Elly")


def test_change_by_staff_is_told_like_one_of_their_own(staff: Client) -> None:
    supporter = make_active_adoption().supporter
    address = reverse("admin:adoptions_supporter_change", args=[supporter.pk])
    inline = {"adoptions-TOTAL_FORMS": "0", "adoptions-INITIAL_FORMS": "0"}
    staff.post(address, {"name": "Amara Obi", "email": "new@example.org", **inline})
    supporter.refresh_from_db()
    assert (supporter.name, supporter.email) == ("Amara Obi", "new@example.org")
    told = Mail.objects.filter(kind="details_changed").values_list("to", flat=True)
    assert set(told) == {"amara@example.org", "new@example.org"}
    assert kinds_in(page_of(staff, supporter)) >= {"Staff"}
