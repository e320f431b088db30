"""The recipient's own page: theirs, without an account, and without anything about who paid how much."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from adoptions import consent, gifts
from adoptions.gifts import Present
from adoptions.models import ConsentEvent, Delivery, Gift, Supporter
from config.models import Mail
from species.models import FieldNote
from tests.adoptions.test_gifts import BY_EMAIL, give, round_of_worker
from tests.makers import make_adoption

pytestmark = pytest.mark.django_db

ACTS = ["open", "thanks", "erase"]


@pytest.fixture
def gift() -> Gift:
    return give(Present("Ellie", "Many happy returns", Delivery.EMAIL, "ellie@example.org", timezone.localdate()))


def page(gift: Gift) -> str:
    response = Client().get(gift.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


def test_present_is_wrapped_until_somebody_presses(client: Client, gift: Gift) -> None:
    wrapped = page(gift)
    assert "Open your present" in wrapped
    assert "Many happy returns" not in wrapped
    client.post(f"{gift.get_absolute_url()}open/")
    assert "Many happy returns" in page(gift)
    assert gift.adoption.token in page(gift)


def test_opening_twice_is_told_once(client: Client, gift: Gift) -> None:
    for _ in range(3):
        assert client.post(f"{gift.get_absolute_url()}open/").status_code == 303
    assert Mail.objects.filter(kind="gift_delivered", subject__startswith="Your present was opened").count() == 1


@pytest.mark.threat("L5")
def test_page_tells_nothing_of_the_giver_but_the_name(client: Client, gift: Gift) -> None:
    for _ in range(2):
        shown = page(gift)
        assert "Amara Supporter" in shown
        for secret in ("amara@example.org", "£36", "3600", gift.adoption.reference, "ellie@example.org"):
            assert secret not in shown
        client.post(f"{gift.get_absolute_url()}open/")


@pytest.mark.threat("L2", "P1")
def test_page_sets_no_cookie_and_is_kept_nowhere(client: Client, gift: Gift) -> None:
    for response in (client.get(gift.get_absolute_url()), client.post(f"{gift.get_absolute_url()}open/")):
        assert not response.cookies
        assert response.headers["Cache-Control"] == "private, no-store"
        assert response.headers["Referrer-Policy"] == "strict-origin"
        assert response.headers["X-Robots-Tag"] == "noindex"


def test_only_notes_since_the_day_of_the_present_are_shown(client: Client, gift: Gift) -> None:
    now = timezone.now()
    for number, days in enumerate((-3, 0, 3)):
        FieldNote.objects.create(
            species=gift.adoption.species,
            slug=f"note-{number}",
            title=f"Note {number}",
            body="Tracks in the snow.",
            seen_on=timezone.localdate(),
            published_at=now + timedelta(days=days),
        )
    FieldNote.objects.filter(slug="note-1").update(published_at=timezone.now())
    client.post(f"{gift.get_absolute_url()}open/")
    shown = page(gift)
    assert ["Note 0" in shown, "Note 1" in shown, "Note 2" in shown] == [False, True, False]


def test_thanks_go_to_the_giver_once_and_without_links(client: Client, gift: Gift) -> None:
    path = f"{gift.get_absolute_url()}thanks/"
    assert client.post(path, {"words": "Thank you! https://evil.example"}).status_code == 303
    assert client.post(path, {"words": "And again"}).status_code == 303
    mail = Mail.objects.get(kind="gift_thanks")
    assert mail.to == "amara@example.org"
    assert "> Thank you!\n" in mail.text
    assert "evil" not in mail.text


@pytest.mark.parametrize("words", ["", "   ", "\u200b", "https://evil.example", "x" * 501, "go and die"])
def test_thanks_that_cannot_be_carried_are_given_back(client: Client, gift: Gift, words: str) -> None:
    response = client.post(f"{gift.get_absolute_url()}thanks/", {"words": words})
    assert response.status_code == 422
    assert Mail.objects.filter(kind="gift_thanks").count() == 0


def test_recipient_who_wants_none_of_it_is_forgotten_everywhere(client: Client, gift: Gift) -> None:
    round_of_worker()
    address = gift.get_absolute_url()
    assert client.post(f"{address}erase/").status_code == 200
    gift.refresh_from_db()
    assert (gift.recipient_name, gift.recipient_email, gift.message) == ("", "", "")
    assert client.get(address).status_code == 404
    for mail in Mail.objects.filter(kind__startswith="gift"):
        assert "Ellie" not in mail.text + mail.html + mail.subject
        assert "ellie@example.org" not in mail.to + mail.text + mail.html


def test_recipient_who_is_forgotten_before_the_day_gets_nothing(client: Client) -> None:
    gift = give(Present("Ellie", "", Delivery.EMAIL, "ellie@example.org", timezone.localdate() + timedelta(days=30)))
    client.post(f"{gift.get_absolute_url()}erase/")
    round_of_worker()
    assert Mail.objects.filter(kind="gift_message").count() == 0
    gift.refresh_from_db()
    assert gift.state == "cancelled"


def test_page_of_a_present_that_is_not_paid_is_not_there(client: Client) -> None:
    adoption = make_adoption(is_gift=True)
    gifts.keep(adoption, BY_EMAIL)
    address = Gift.objects.get().get_absolute_url()
    assert client.get(address).status_code == 404
    assert [client.post(f"{address}{act}/").status_code for act in ACTS] == [404, 404, 404]


def test_held_words_are_not_shown_before_staff_have_read_them(client: Client) -> None:
    gift = give(Present("Ellie", "Verify your bank"))
    client.post(f"{gift.get_absolute_url()}open/")
    assert "Verify" not in page(gift)


@pytest.mark.threat("L5")
@pytest.mark.parametrize("token", ["x", "A" * 32, "..", "%F0%9F%90%86", "a" * 4000])
def test_made_up_address_is_a_plain_404(client: Client, gift: Gift, token: str) -> None:
    assert client.get(f"/gift/{token}/").status_code == 404


@pytest.mark.threat("L9")
@pytest.mark.parametrize("act", ACTS)
def test_other_sites_cannot_act_for_a_recipient(client: Client, gift: Gift, act: str) -> None:
    response = client.post(f"{gift.get_absolute_url()}{act}/", {"words": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    gift.refresh_from_db()
    assert (gift.opened_at, gift.thanked_at, gift.erased_at) == (None, None, None)


def test_recipient_can_never_be_marketed_to(client: Client, gift: Gift) -> None:
    """All a recipient can do, and still nobody but the payer is a person whom news could be sent to."""
    for act in ("open", "thanks", "erase"):
        client.post(f"{gift.get_absolute_url()}{act}/", {"words": "Thank you", "wants_news": "on"})
    assert list(Supporter.objects.values_list("email", flat=True)) == ["amara@example.org"]
    assert (ConsentEvent.objects.count(), consent.marketable().count()) == (0, 0)
