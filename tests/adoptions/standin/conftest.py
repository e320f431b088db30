"""A stand-in that sends its webhooks to a receiver which keeps them, and checkouts to be paid at it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe
from stripe.checkout import Session

from tests.standin import SECRET, Standin, running
from tests.stripe_contract import Contract


class Receiver(ThreadingHTTPServer):
    """Keeps each webhook in `bodies`, signatures checked; answers 200, or the next of `answers` first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Inbox)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/stripe/webhook/"
        self.bodies: list[str] = []
        self.signatures: list[str] = []
        self.answers: list[int] = []
        self.lock = threading.Lock()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def types(self) -> list[str]:
        return [str(event["type"]) for event in self.events]


class Inbox(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        header = self.headers["Stripe-Signature"]
        stripe.WebhookSignature.verify_header(body, header, SECRET, 300)
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.signatures.append(header)
            status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract.from_library()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def standin(receiver: Receiver, contract: Contract) -> Iterator[Standin]:
    """Whatever a test did with it, every event it told keeps to the contract."""
    with running(receiver.url) as found:
        yield found
        wrong = [f"{event['type']}: {one}" for event in found.events() for one in contract.check_event(event)]
        assert wrong == []


def wanted(mode: str = "payment", amount: int = 1200, **changes: Any) -> dict[str, Any]:
    """Parameters of a checkout as the site sends them."""
    price: dict[str, Any] = {
        "currency": "gbp",
        "unit_amount": amount,
        "product_data": {"name": "Amur leopard adoption"},
    }
    about = {"adoption": "7f6c"}
    params: dict[str, Any] = {
        "mode": mode,
        "line_items": [{"quantity": 1, "price_data": price}],
        "client_reference_id": "PM-7F6C",
        "customer_email": "amara@example.org",
        "metadata": about,
        "success_url": "http://site.example/thanks/?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://site.example/adopt/",
        "locale": "en-GB",
        "submit_type": "donate",
        "adaptive_pricing": {"enabled": False},
        "custom_text": {"submit": {"message": "You can stop whenever you like."}},
    }
    if mode == "payment":
        more = {"metadata": about, "description": "Amur leopard adoption"}
        params |= {"customer_creation": "always", "payment_intent_data": more}
    else:
        price["recurring"] = {"interval": "month"}
        params["subscription_data"] = {"metadata": about}
    return params | changes


def checkout(standin: Standin, mode: str = "payment", amount: int = 1200, **changes: Any) -> Session:
    return standin.client.v1.checkout.sessions.create(wanted(mode, amount, **changes))  # type: ignore[arg-type]  # a plain dict


def subscribe(standin: Standin, card: str = "ok", **changes: Any) -> str:
    """A paid monthly checkout; returns the subscription's id."""
    session = checkout(standin, "subscription", **changes)
    standin.pay(session.id, card)
    return str(standin.client.v1.checkout.sessions.retrieve(session.id).subscription)


def latest_charge(standin: Standin) -> Any:
    return standin.client.v1.charges.list({"limit": 1}).data[0]
