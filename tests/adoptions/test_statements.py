"""What was given in a tax year: whole, to the day, with what Gift Aid covers, and told once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from adoptions import gift_aid, statements
from adoptions.gift_aid import Taxpayer
from adoptions.models import Adoption, AdoptionState, Supporter
from adoptions.statements import Year
from config.models import Mail
from tests.makers import make_adoption, make_payment, make_supporter

pytestmark = pytest.mark.django_db

AFTER = datetime(2026, 4, 20, 12, tzinfo=UTC)


def giver(*days: datetime, name: str = "amara", **values: Any) -> Supporter:
    supporter = make_supporter(name, f"{name}@example.org")
    active = {"state": AdoptionState.ACTIVE, "activated_at": days[0]}
    adoption = make_adoption(supporter=supporter, frequency="monthly", stripe_subscription_id=f"sub_{name}", **active)
    for day in days:
        make_payment(adoption, occurred_at=day, amount_pence=500, **values)
    return supporter


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def send(at: datetime = AFTER) -> list[str]:
    with time_machine.travel(at, tick=False):
        statements.send_due()
        statements.send_due()
    return list(Mail.objects.filter(kind="annual_statement").order_by("pk").values_list("text", flat=True))


def test_year_runs_from_6_april_to_5_april_in_london() -> None:
    giver(
        day("2025-04-05T22:59"),  # 23:59 in London: the year before
        day("2025-04-05T23:00"),  # midnight in London: the first of this one
        day("2026-04-05T22:59"),
        day("2026-04-05T23:00"),
    )
    [text] = send()
    assert "tax year 2025–26" in text
    assert (text.count("Payment, Amur leopard"), "In all: £10" in text) == (2, True)
    assert str(Year(2026)) == "2025–26"


def test_refund_is_taken_off_and_gift_aid_is_told_apart() -> None:
    supporter = giver(day("2025-06-01T12:00"), day("2025-07-01T12:00"), day("2025-08-01T12:00"))
    adoption = Adoption.objects.get()
    with time_machine.travel(day("2025-06-15T12:00"), tick=False):
        gift_aid.declare(supporter, Taxpayer("Amara", "Obi", "7 Forest Lane", "EX1 1EX"), adoption=adoption)
    charge = adoption.payments.get(occurred_at=day("2025-08-01T12:00"))
    make_payment(adoption, kind="refund", amount_pence=-500, charge=charge, occurred_at=day("2025-08-03T12:00"))
    [text] = send()
    assert "In all: £10\nOf that with Gift Aid: £5" in text
    assert "1 June 2025: £5, Payment, Amur leopard" in text
    assert text.count("with Gift Aid\n") == 3  # July, August and what went back of it
    assert "−£5" in text


@pytest.mark.parametrize(
    "make",
    [
        lambda: giver(day("2025-06-01T12:00")),
        lambda: giver(day("2024-06-01T12:00"), day("2024-07-01T12:00")),
        lambda: Supporter.objects.filter(pk=giver(day("2025-06-01T12:00"), day("2025-07-01T12:00")).pk).erase(),
    ],
    ids=["once, and no Gift Aid", "another year", "erased"],
)
def test_nobody_is_told_what_is_of_no_use(make: Any) -> None:
    make()
    assert send() == []


@pytest.mark.parametrize(("at", "count"), [("2026-04-05T12:00", 0), ("2026-04-06T00:30", 1), ("2026-06-01T12:00", 0)])
def test_it_is_told_after_the_year_and_not_much_later(at: str, count: int) -> None:
    giver(day("2025-06-01T12:00"), day("2025-07-01T12:00"))
    assert len(send(day(at))) == count


def test_next_year_is_told_next_year_and_each_to_their_own() -> None:
    giver(day("2025-06-01T12:00"), day("2025-07-01T12:00"), day("2026-06-01T12:00"), day("2026-07-01T12:00"))
    giver(day("2025-06-01T12:00"), day("2025-07-01T12:00"), name="sam")
    assert len(send()) == 2
    assert len(send(AFTER + timedelta(days=365))) == 3
