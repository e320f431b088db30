"""The Stripe stand-in for tests: started in this process or as one of its own, and a person who uses its pages.

    with running(webhook_url) as standin:
        session = standin.client.v1.checkout.sessions.create(…)
        standin.pay(session.id)                    # returns the address the browser is sent to
        standin.advance(months=1)
        standin.wait()                             # until every webhook has been answered

Everything goes over HTTP, so the same object serves both ways of running it.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe
from django.conf import settings

from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.server import StandIn
from tests.branches import in_project
from tests.stripe_contract import CheckingClient, Contract

KEY = settings.STANDIN_KEY
SECRET = settings.STANDIN_WEBHOOK_SECRET

PATIENCE = 90  # seconds; some controls take a minute themselves


class Answered:
    """What a page answered: redirects are reported, not followed."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.location = response.headers.get("Location", "")
        self.text = response.read().decode()


class Standin:
    """`client` is the real library's; what it sends and gets is held to the contract, in `checked.exchanges`."""

    def __init__(self, url: str, *, is_strict: bool = True, books: Books | None = None) -> None:
        self.url = url
        self.books = books  # what Stripe knows, where it runs in this process
        self.checked = CheckingClient(Contract.from_library(), is_strict=is_strict)
        self.client = stripe.StripeClient(
            KEY, base_addresses={"api": url}, max_network_retries=2, http_client=self.checked
        )

    # --- a person at a browser ------------------------------------------------------------------------

    def open(self, address: str) -> Answered:
        return self._ask("GET", address, None)

    def press(self, address: str, **fields: Any) -> Answered:
        return self._ask("POST", address, urlencode(fields))

    def pay(self, session: str, card: str = "ok", **typed: str) -> str:
        """Press the pay button with a card by its name (adoptions/stripe_standin/cards.py) and say yes to the bank.

        Returns the address the browser ends on: the site's success page, or the checkout again after a refusal.
        """
        payer = {"email": "amara@example.org", "name": "Amara Supporter"} | typed
        answered = self.press(f"/c/pay/{session}", method=card, **payer)
        if answered.location.startswith("/confirm/"):
            return self.confirm(answered.location)
        return answered.location

    def confirm(self, address: str, *, agrees: bool = True) -> str:
        """Answer the bank's question at `/confirm/<payment intent>`."""
        return self.press(address, answer="complete" if agrees else "fail").location

    def _ask(self, method: str, address: str, body: str | None) -> Answered:
        target = urlsplit(address)
        here = urlsplit(self.url)
        connection = http.client.HTTPConnection(here.hostname or "", here.port, timeout=PATIENCE)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        try:
            path = f"{target.path}?{target.query}" if target.query else target.path
            connection.request(method, path, body, headers)
            return Answered(connection.getresponse())
        finally:
            connection.close()

    # --- Stripe, the bank and time --------------------------------------------------------------------

    def control(self, act: str, **fields: Any) -> Any:
        """The controls of the package's docstring."""
        answered = self.press(f"/_control/{act}", **fields)
        assert answered.status == 200, answered.text
        return json.loads(answered.text)

    def advance(self, **span: int) -> int:
        """Move time on by days, months, years, hours or seconds; returns the new time."""
        return int(self.control("advance", **span)["now"])

    def refund(self, charge: str, amount: int | None = None) -> Any:
        return self.control("refund", charge=charge, **({"amount": amount} if amount else {}))

    def wait(self, seconds: int = 20) -> None:
        """Until every webhook has been answered with a 2xx."""
        assert self.control("wait_for_webhooks", seconds=seconds)["quiet"], "Webhooks are still waiting to be sent."

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """All events so far, oldest first."""
        every = [one.to_dict(for_json=True) for one in self.client.v1.events.list({"limit": 100}).auto_paging_iter()]
        return [event for event in reversed(every) if not kinds or event["type"] in kinds]


@contextmanager
def running(webhook_url: str = "", state: Path | None = None, port: int = 0) -> Iterator[Standin]:
    """In threads of this process, on a free port unless one is given."""
    server = StandIn(port=port, key=KEY, webhook_url=webhook_url, webhook_secret=SECRET, state=state)
    server.start()
    try:
        yield Standin(server.url, books=server.books)
    finally:
        server.stop()


class Process:
    """`manage.py stripe_standin` as a process that can be killed and started again on the same port and state."""

    def __init__(self, port: int, state: Path, webhook_url: str) -> None:
        self.standin = Standin(f"http://127.0.0.1:{port}")
        self._command = [
            *(sys.executable, "manage.py", "stripe_standin", "--port", str(port)),
            *("--state", str(state), "--webhook-url", webhook_url),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**in_project(os.environ), "DEBUG": "True"}
        self._process = subprocess.Popen(
            self._command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + 30
        while True:
            try:
                self.standin.open("/_control/")
                return
            except OSError:
                assert self._process.poll() is None, "The stand-in ended at once."
                assert time.monotonic() < until, "The stand-in does not answer."
                time.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def kill(self) -> None:
        """As `kill -9`: it gets no chance to tidy up."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> float:
        """As `kill`; returns the seconds it took."""
        began = time.monotonic()
        if self._process:
            self._process.terminate()
            self._process.wait(10)
        return time.monotonic() - began
