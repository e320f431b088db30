"""Webhooks: signed anew each time, tried until answered, and troubled on demand."""

import time

import pytest
import stripe

from adoptions.stripe_standin import deliveries
from tests.adoptions.standin.conftest import Receiver, checkout
from tests.standin import Standin


def pay_once(standin: Standin) -> list[str]:
    """A card payment; returns its five event ids, oldest first."""
    standin.pay(checkout(standin).id)
    return [event["id"] for event in standin.events()][-5:]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "PAUSES", (0.05, 0.1))
    monkeypatch.setattr(deliveries, "LAST_PAUSE", 0.1)


def test_signature_is_the_one_the_library_makes() -> None:
    ours = deliveries.signature(b'{"id": "evt_1"}', "whsec_x", 1_800_000_000)
    assert ours == stripe.WebhookSignature.generate_signature_header(
        '{"id": "evt_1"}', "whsec_x", timestamp=1_800_000_000
    )


def test_every_event_is_delivered_once(standin: Standin, receiver: Receiver) -> None:
    ids = pay_once(standin)
    standin.wait()
    assert sorted(event["id"] for event in receiver.events) == sorted(ids)
    assert {event["pending_webhooks"] for event in receiver.events} == {1}
    assert {event["pending_webhooks"] for event in standin.events()} == {0}


def test_delivery_is_tried_until_it_is_answered(standin: Standin, receiver: Receiver, quick: None) -> None:
    receiver.answers = [500, 302, 404]
    standin.client.v1.customers.create({"name": "Sam"})
    standin.wait()
    assert [event["type"] for event in receiver.events] == ["customer.created"] * 4
    assert len({event["id"] for event in receiver.events}) == 1


def test_retry_is_signed_with_its_own_time(standin: Standin, receiver: Receiver) -> None:
    receiver.answers = [500]
    standin.client.v1.customers.create({"name": "Sam"})
    standin.wait()
    first, second = (int(header.split(",")[0].removeprefix("t=")) for header in receiver.signatures)
    assert 1 <= second - first <= 4


def test_receiver_that_is_down_is_tried_again(standin: Standin, receiver: Receiver, quick: None) -> None:
    receiver.server_close()
    standin.client.v1.customers.create({"name": "Sam"})
    assert standin.control("wait_for_webhooks", seconds=0) == {"quiet": False}
    time.sleep(0.2)
    assert "no answer (ConnectionRefusedError)" in standin.open("/").text


def test_undelivered_events_can_be_listed(standin: Standin, receiver: Receiver) -> None:
    standin.control("webhooks", paused=1)
    ids = pay_once(standin)
    missed = standin.client.v1.events.list({"delivery_success": False}).data
    assert [event.id for event in reversed(missed)] == ids
    assert receiver.bodies == []
    standin.control("webhooks", paused=0)
    standin.wait()
    assert standin.client.v1.events.list({"delivery_success": False}).data == []
    assert len(standin.client.v1.events.list({"delivery_success": True}).data) == 5


def test_dropped_events_never_come(standin: Standin, receiver: Receiver) -> None:
    standin.control("webhooks", drop_percent=100)
    pay_once(standin)
    standin.wait()
    assert receiver.bodies == []
    assert len(standin.client.v1.events.list({"delivery_success": False}).data) == 5
    assert "dropped on purpose" in standin.open("/").text


def test_doubled_events_come_twice(standin: Standin, receiver: Receiver) -> None:
    standin.control("webhooks", double_percent=100)
    ids = pay_once(standin)
    standin.wait()
    assert sorted(event["id"] for event in receiver.events) == sorted(ids * 2)


def test_stirred_events_all_come(standin: Standin, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "STIR_WITHIN", 0.3)
    standin.control("webhooks", shuffle=1)
    ids = [one for _ in range(3) for one in pay_once(standin)]
    standin.wait()
    arrived = [event["id"] for event in receiver.events]
    assert sorted(arrived) == sorted(ids)
    assert arrived != ids


def test_delayed_events_come_late(standin: Standin, receiver: Receiver) -> None:
    standin.control("webhooks", delay_seconds=1)
    began = time.monotonic()
    pay_once(standin)
    standin.wait()
    assert time.monotonic() - began >= 1
    assert len(receiver.bodies) == 5


def test_event_can_be_sent_again(standin: Standin, receiver: Receiver) -> None:
    event = pay_once(standin)[2]
    standin.wait()
    standin.control("resend", event=event)
    standin.wait()
    assert [one["id"] for one in receiver.events].count(event) == 2


def test_control_that_is_not_there_or_not_understood_says_so(standin: Standin) -> None:
    assert standin.press("/_control/rain").status == 404
    assert standin.press("/_control/refund", charge="ch_none").status == 404
    assert standin.press("/_control/advance", months="many").status == 400
    assert standin.press("/_control/advance", years="101").status == 400
    assert standin.press("/_control/dispute", charge="").status == 404
