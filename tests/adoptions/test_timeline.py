"""One page for each supporter with all that happened, each line leading to where it stands."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adoptions import attention, consent, details, gift_aid, gifts
from adoptions.gift_aid import Taxpayer
from adoptions.gifts import Present
from adoptions.models import (
    Attention,
    AttentionKind,
    Change,
    ChangeAct,
    Delivery,
    Gift,
    RefundReason,
    RefundRequest,
    Supporter,
)
from config.models import Mail
from species.models import Comment
from tests.adoptions.test_gifts import give
from tests.makers import make_active_adoption, make_payment, make_supporter

pytestmark = pytest.mark.django_db

KINDS = {
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
    gift = give(Present("Ellie", "Hello", Delivery.EMAIL, "ellie@example.org", today))
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


def test_staff_see_only_what_they_may(client: Client, marek: User) -> None:
    supporter = live_a_little(marek)
    clerk = User.objects.create_user("clerk", "clerk@example.org", "x" * 20, is_staff=True)
    client.force_login(clerk)
    assert client.get(reverse("admin:supporter_timeline", args=[supporter.pk])).status_code == 403
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_supporter", "view_mail"]))
    assert kinds_in(page_of(client, supporter)) == {"Mail"}


def test_nothing_of_others_is_in_it(staff: Client, marek: User) -> None:
    live_a_little(marek)
    sam = make_active_adoption(supporter=make_supporter("Sam Stranger", "sam@example.org")).supporter
    page = page_of(staff, sam)
    assert kinds_in(page) == {"Adoption", "Certificate", "Money"}
    assert "Amara" not in page.replace("All that happened", "")


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
        with django_assert_max_num_queries(30):
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
