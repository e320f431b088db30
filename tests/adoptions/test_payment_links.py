"""Card by phone: a link in a mail, a page with a button, and Stripe for exactly what was said."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from adoptions import payment_links, personal_data, stripe_gateway
from adoptions.models import Adoption, ConsentEvent, PaymentLink
from adoptions.stripe_gateway import StripeUnavailable
from config.models import Mail
from config.retention import purge
from tests.adoptions.invariants import violations
from tests.adoptions.test_by_hand import ENTER, cheque, staff_of
from tests.adoptions.world import World, shown
from tests.asked_first import press_twice

pytestmark = pytest.mark.django_db


def rung(fiona: Client, **changes: str) -> Adoption:
    """Somebody rang and wants to give £5 every month."""
    said = {"source": "phone", "method": "link", "received_on": "", "frequency": "monthly", "other_amount": "5"}
    response = fiona.post(ENTER, cheque(**{**said, **changes}))
    assert response.status_code == 303, response.text
    return Adoption.objects.latest("pk")


@pytest.fixture
def fiona(world: World) -> Client:
    return staff_of("Fundraiser")


def link_in_mail() -> str:
    """The path."""
    letter = Mail.objects.filter(kind="payment_link").latest("pk")
    found = re.search(r"https?://[^/]+(/pay/\S+)", letter.text)
    assert found
    assert found[1] in letter.html
    return found[1]


def page_of(adoption: Adoption) -> str:
    return f"/admin/adoptions/adoption/{adoption.pk}/link/"


@pytest.mark.parametrize(("frequency", "pounds", "pence"), [("monthly", "5", 500), ("once", "36", 3600)])
def test_link_opens_the_page_for_exactly_this_and_paid_it_is_as_any_other(
    world: World, fiona: Client, frequency: str, pounds: str, pence: int
) -> None:
    adoption = rung(fiona, frequency=frequency, other_amount=pounds, news="yes")
    assert (adoption.state, adoption.source, ConsentEvent.objects.get().given_by) == ("pending", "phone", "oral")
    visitor, path = Client(), link_in_mail()
    look = visitor.get(path)
    assert (look.status_code, adoption.reference in look.text, look.headers["Cache-Control"].count("no-store")) == (
        *(200, True),
        1,
    )
    assert 'content="noindex"' in look.text
    assert world.books.all("checkout.session") == []
    pressed = visitor.post(path)
    assert pressed.headers["Location"].startswith(f"{world.url}/c/pay/cs_")
    assert visitor.post(path).headers["Location"] == pressed.headers["Location"]
    [session] = world.books.all("checkout.session")
    assert session["cancel_url"].endswith(path)
    world.pay(session["id"])
    world.come_back(adoption)
    assert shown(adoption) == ("active", (("charge", pence),))
    assert violations(world.books) == []
    assert "nothing left to pay" in visitor.get(path).text
    assert visitor.post(path).status_code == 200
    assert Mail.objects.filter(kind="receipt").count() == 1


@pytest.mark.parametrize("token", ["1", "1.x", "x" * 60, "1.%00", "9.AAAA"])
def test_address_that_is_not_ours_is_nobody(fiona: Client, token: str) -> None:
    assert Client().get(f"/pay/{token}/").status_code in (400, 404)


def withdraw(fiona: Client, adoption: Adoption) -> None:
    reads = ("mailed to amara@example.org 1 time,", adoption.price, "It cannot be undone", "Nobody is mailed.")
    press_twice(fiona, page_of(adoption), {"act": "withdraw"}, reads=reads)


def test_link_runs_out_and_is_sent_again(fiona: Client) -> None:
    adoption = rung(fiona)
    path = link_in_mail()
    PaymentLink.objects.update(sent_at=timezone.now() - timedelta(9), expires_at=timezone.now() - timedelta(2))
    over = Client().post(path)
    assert (over.status_code, "This link is over" in over.text) == (200, True)
    assert fiona.post(page_of(adoption), {"act": "again"}).status_code == 303
    assert Mail.objects.filter(kind="payment_link").count() == 2
    assert link_in_mail() == path
    assert Client().post(path).status_code == 303
    for _ in range(9):
        fiona.post(page_of(adoption), {"act": "again"})
    assert Mail.objects.filter(kind="payment_link").count() == 5


def test_withdrawn_link_leads_nowhere_and_its_open_page_is_closed(world: World, fiona: Client) -> None:
    adoption = rung(fiona)
    path = link_in_mail()
    Client().post(path)
    fiona.post(page_of(adoption), {"act": "withdraw"})
    assert not PaymentLink.objects.get().withdrawn_at
    withdraw(fiona, adoption)
    assert [one["status"] for one in world.books.all("checkout.session")] == ["expired"]
    assert Client().post(path).status_code == 200
    assert "This link is over" in Client().get(path).text
    assert shown(adoption)[0] == "abandoned"
    fiona.post(page_of(adoption), {"act": "again"})
    assert Mail.objects.filter(kind="payment_link").count() == 1
    timeline = fiona.get(f"/admin/adoptions/supporter/{adoption.supporter_id}/timeline/").text
    assert "Payment link withdrawn" in timeline


def test_paid_a_moment_before_it_was_withdrawn_stays_paid(world: World, fiona: Client) -> None:
    adoption = rung(fiona, frequency="once", other_amount="36")
    Client().post(link_in_mail())
    [session] = world.books.all("checkout.session")
    world.pay(session["id"])
    withdraw(fiona, adoption)
    world.come_back(adoption)
    assert shown(adoption) == ("active", (("charge", 3600),))


def test_withdrawn_while_stripe_opens_the_page(world: World, fiona: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    adoption = rung(fiona)
    create = stripe_gateway.create_session

    def slow_create(request: object) -> object:
        made = create(request)  # type: ignore[arg-type]
        withdraw(fiona, adoption)
        return made

    monkeypatch.setattr(stripe_gateway, "create_session", slow_create)
    assert Client().post(link_in_mail()).headers["Location"] == adoption.get_absolute_url()
    assert [one["status"] for one in world.books.all("checkout.session")] == ["expired"]


def test_stripe_away_loses_nothing(world: World, fiona: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rung(fiona)

    def away(request: object) -> object:
        raise StripeUnavailable("away", is_answered=False)

    monkeypatch.setattr(stripe_gateway, "create_session", away)
    answer = Client().post(link_in_mail())
    assert (answer.status_code, "Nothing was charged" in answer.text) == (503, True)


def test_same_is_asked_about_while_a_link_waits(fiona: Client) -> None:
    rung(fiona)
    asked = fiona.post(ENTER, cheque(source="phone", method="link", frequency="monthly", other_amount="5"))
    assert (asked.status_code, "Tick this if it is one more" in asked.text) == (422, True)


def test_link_needs_an_address(fiona: Client) -> None:
    refused = fiona.post(ENTER, cheque(method="link", email="", no_email="on"))
    assert (refused.status_code, "The link goes by email" in refused.text) == (422, True)


def test_link_of_somebody_forgotten_is_over_and_goes_in_time(fiona: Client) -> None:
    adoption = rung(fiona)
    link = PaymentLink.objects.get()
    assert personal_data.erase(adoption.supporter)
    assert not payment_links.may_be_paid(link)
    purge(now=timezone.now() + timedelta(days=38))
    assert not PaymentLink.objects.exists()
