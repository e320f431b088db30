"""A Stripe on a free port of this machine, and a person who uses it."""

import http.client
import json
import re
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import stripe as stripe_library
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from adoptions import stripe_gateway
from adoptions.models import Adoption
from adoptions.stripe_standin.api import front_desk
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.server import StandIn
from adoptions.tasks import work_inbox
from tests.makers import make_plan, make_species

if TYPE_CHECKING:
    from tests.adoptions.world import World

NOWHERE = "http://127.0.0.1:9/"  # the discard port: events stay at the stand-in until a test carries them over


class Stripe:
    """The stand-in, with the acts of a payer and of Stripe itself."""

    def __init__(self, server: StandIn) -> None:
        self.server = server
        self.url = server.url

    def post(self, path: str, **fields: Any) -> str:
        body = urllib.parse.urlencode(fields).encode()
        with urllib.request.urlopen(self.url + path, body, timeout=10) as answer:
            return str(answer.read().decode())

    def control(self, act: str, **fields: Any) -> Any:
        return json.loads(self.post(f"/_control/{act}", **fields))

    def press(self, path: str, **fields: str) -> None:
        """A button on a hosted page; where that leads is not followed."""
        line = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        line.request("POST", path, urllib.parse.urlencode(fields), headers)
        assert line.getresponse().status in {302, 303}
        line.close()

    def pay(self, session_id: str, method: str = "ok") -> None:
        self.press(f"/c/pay/{session_id}", method=method)

    def events(self, *types: str) -> list[dict[str, Any]]:
        """All events so far, oldest first."""
        found = stripe_gateway.client().v1.events.list({"limit": 100})
        every = [event.to_dict(for_json=True) for event in found.auto_paging_iter()]
        return [e for e in reversed(every) if not types or e["type"] in types]


def signed(event: dict[str, Any], *, secret: str = "whsec_standin", at: int | None = None) -> dict[str, Any]:
    """What Django's client needs to post an event as Stripe does."""
    body = json.dumps(event)
    header = stripe_library.WebhookSignature.generate_signature_header(body, secret, timestamp=at)
    return {"data": body, "content_type": "application/json", "headers": {"Stripe-Signature": header}}


class QuickToStop(StandIn):
    """Looks more often whether it is to stop: a test would wait a fortieth of a second for each that it has started."""

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        super().serve_forever(0.005)


@pytest.fixture
def standin_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    server = QuickToStop(
        port=0,
        key="sk_test_standin",
        webhook_url=NOWHERE,
        webhook_secret="whsec_standin",
        state=tmp_path_factory.mktemp("standin") / "state.json",
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stripe(standin_server: StandIn, settings: Settings, transactional_db: None) -> Stripe:
    settings.STRIPE_API_BASE = standin_server.url
    found = Stripe(standin_server)
    found.control("webhooks", paused=1)
    make_species(common_name="Amur leopard")
    make_plan()
    return found


@pytest.fixture(scope="session")
def world_server() -> Iterator[StandIn]:
    server = StandIn(port=0, key="sk_test_standin", webhook_url="", webhook_secret="whsec_standin")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def world(world_server: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch, db: None) -> "World":
    """A Stripe in which nothing has happened yet. `asked` keeps each request to its API."""
    from tests.adoptions.world import World

    settings.STRIPE_API_BASE = world_server.url
    found = World(world_server)
    found.forget_everything()
    answer = front_desk.answer

    def answer_and_note(books: Books, request: front_desk.Request, key: str) -> front_desk.Answer:
        found.asked.append(f"{request.method} {request.target}")
        if found.is_away():
            return front_desk.Answer(500, b'{"error": {"type": "api_error"}}', "req_away")
        return answer(books, request, key)

    monkeypatch.setattr(front_desk, "answer", answer_and_note)
    make_species(common_name="Amur leopard")
    make_plan()
    return found


class Amara:
    """A supporter at a browser without JavaScript."""

    def __init__(self, client: Client, stripe: Stripe) -> None:
        self.client, self.stripe = client, stripe
        self.attempt = str(uuid.uuid4())

    def answers(self, **changes: str) -> dict[str, str]:
        given = {
            "frequency": "once",
            "amount_once": "3600",
            "amount_monthly": "500",
            "amount_yearly": "6000",
            "name": "Amara Supporter",
            "email": "amara@example.org",
            "is_gift": "me",
            "recipient_name": "",
            "attempt": self.attempt,
        }
        return {**given, **changes}

    def press_pay(self, slug: str = "amur-leopard", **changes: str) -> Any:
        return self.client.post(f"/adopt/{slug}/", {**self.answers(**changes), "step": "pay"})

    def reach_stripe(self, **changes: str) -> Adoption:
        """Answer, check, press pay; the adoption that waits at Stripe."""
        response = self.press_pay(**changes)
        assert response.status_code == 303, response.content.decode()[:2000]
        assert response.headers["Location"].startswith(f"{self.stripe.url}/c/pay/cs_")
        return Adoption.objects.get(attempt=changes.get("attempt", self.attempt))

    def adopt(self, method: str = "ok", **changes: str) -> Adoption:
        """All of it, with the money on its way; nothing has been heard from Stripe yet."""
        adoption = self.reach_stripe(**changes)
        assert adoption.stripe_session_id
        self.stripe.pay(adoption.stripe_session_id, method)
        return adoption

    def come_back(self, adoption: Adoption) -> str:
        """Where Stripe sends her after paying."""
        page = self.client.get(f"/adoptions/{adoption.public_id}/thanks/?s={adoption.stripe_session_id}")
        assert page.status_code == 200
        return re.sub(r"\s+", " ", page.content.decode())


@pytest.fixture
def amara(client: Client, stripe: Stripe) -> Amara:
    return Amara(client, stripe)


class Poster(Protocol):
    """Django's test client, or a line to a running site."""

    def post(self, path: str, /, *, data: str, content_type: str, headers: dict[str, str]) -> Any: ...


def carry(client: Poster, events: list[dict[str, Any]]) -> list[int]:
    """Deliver events over HTTP, as Stripe would, and say how each was answered."""
    return [client.post("/stripe/webhook/", **signed(event)).status_code for event in events]


def work() -> None:
    """Let a worker empty the inbox and the queue."""
    work_inbox.enqueue()
    call_command("worker", "--batch", "--no-startup-delay", "--no-reload", "--interval=0", verbosity=0)


@pytest.fixture(autouse=True)
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's clock would go on in a thread after the test."""
    monkeypatch.setattr("config.management.commands.worker.keep_time", lambda is_working: None)
