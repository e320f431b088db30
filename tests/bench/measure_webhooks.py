"""Webhooks a second: keeping an event, keeping and working it, beside an empty POST view and beside dj-stripe.

    .venv/bin/python tests/bench/measure_webhooks.py [rounds]

All in this one run and in turns, in requests that go through the whole of Django but through no network, against a
Stripe that answers at once. Each event of a batch is of another subscription, and dj-stripe gets the very same.
"worked with news" is the same again with something changed at Stripe each time; "an invoice paid" is the event of each
one's first payment; "worked in a burst" are as many events of one subscription, which we ask about once. dj-stripe is
installed into an environment that is thrown away. The last figure is how an event for a subscription that had a
thousand before it compares with the first ten.
"""

import contextlib
import io
import itertools
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import stripe
from django.conf import settings

BATCH, ROUNDS = 25, 12
NAME, PEER = "pugmark_bench_webhooks", "pugmark_bench_djstripe"
HERE = Path(__file__).resolve()

type Signed = tuple[str, str]
type Event = dict[str, Any]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def set_up() -> None:
    """Find the project from wherever the script is started; nothing is logged and no query kept."""
    sys.path.insert(0, str(HERE.parents[2]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DEBUG"] = "True"
    django.setup()
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["testserver"]
    logging.disable()


# --- a Stripe that answers at once ------------------------------------------------------------------------------


class Recording(stripe.RequestsClient):
    """Asks the stand-in once for each address, and remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Any] = {}

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        if method != "get":
            return super().request(method, url, *args, **options)
        if url not in self.answers:
            self.answers[url] = super().request(method, url, *args, **options)
        return self.answers[url]

    def change(self) -> None:
        """Every subscription is paid by a new card from now on."""
        for url, (body, *rest) in self.answers.items():
            found = json.loads(body)
            with_it = (found.get("parent") or {}).get("subscription_details", {}).get("subscription")
            for thing in (found, with_it):
                if isinstance(thing, dict) and thing.get("object") == "subscription":
                    thing["default_payment_method"]["card"]["exp_year"] += 1
            self.answers[url] = (json.dumps(found), *rest)


@contextlib.contextmanager
def subscriptions() -> Iterator[tuple[Recording, list[Event], list[Event], dict[str, Any]]]:
    """What we hear from Stripe, an event of each subscription and of its invoice, and Stripe's answers by path."""
    from adoptions import checkout, fulfilment, stripe_gateway
    from tests.makers import make_adoption, make_plan, make_species
    from tests.standin import running

    make_species()
    make_plan()
    recording = Recording()
    with running() as standin:
        settings.STRIPE_API_BASE = standin.url
        client = stripe_gateway.client()
        client._requestor._client = recording  # the library has no door for it once a client is made
        for _number in range(BATCH):
            adoption = make_adoption(frequency="monthly", amount_pence=500)
            checkout.page_to_pay(adoption)
            adoption.refresh_from_db()
            standin.pay(adoption.stripe_session_id or "")
            fulfilment.sync_session(adoption.stripe_session_id or "")
        recording.answers.clear()
        newest = {event["data"]["object"]["id"]: event for event in standin.events("customer.subscription.updated")}
        events = list(newest.values())
        assert len(events) == BATCH
        invoices = standin.events("invoice.paid")
        answers: dict[str, Any] = {}
        for event in events:
            answers |= whole_answers(standin.client, event)
        yield recording, events, invoices, answers


def whole_answers(client: Any, event: Event) -> dict[str, Any]:
    """Every object that dj-stripe follows from a subscription."""
    subscription = event["data"]["object"]
    item = subscription["items"]["data"][0]
    asked: list[Callable[[], Any]] = [
        lambda: client.v1.subscriptions.retrieve(subscription["id"]),
        lambda: client.v1.customers.retrieve(subscription["customer"]),
        lambda: client.v1.prices.retrieve(item["price"]["id"]),
        lambda: client.v1.products.retrieve(item["price"]["product"]),
        lambda: client.v1.payment_methods.retrieve(subscription["default_payment_method"]),
        lambda: client.v1.invoices.retrieve(subscription["latest_invoice"]),
    ]
    found: dict[str, Any] = {"/v1/account": {"id": "acct_1", "object": "account", "type": "standard", "settings": {}}}
    for ask in asked:
        with contextlib.suppress(stripe.StripeError):
            thing = ask().to_dict(for_json=True)
            found[f"/v1/{thing['object']}s/{thing['id']}"] = thing
    found[f"/v1/plans/{item['plan']['id']}"] = item["plan"]
    found[f"/v1/subscription_items/{item['id']}"] = item
    return found


# --- what is measured -------------------------------------------------------------------------------------------


def fresh(events: list[Event], first: int) -> list[Signed]:
    """The events under new ids, each signed just now."""
    signed = []
    for number, event in enumerate(events, first):
        body = json.dumps({**event, "id": f"evt_bench{number:08}"})
        header = stripe.WebhookSignature.generate_signature_header(body, settings.STANDIN_WEBHOOK_SECRET)
        signed.append((body, str(header)))
    return signed


def post(handle: Any, path: str, signed: list[Signed]) -> float:
    from tests.bench.djstripe_peer import environ

    statuses: set[str] = set()
    requests = [{**environ(body.encode(), signature), "PATH_INFO": path} for body, signature in signed]
    began = time.perf_counter()
    for request in requests:
        handle(request, lambda status, headers: statuses.add(status)).close()
    took = time.perf_counter() - began
    assert statuses == {"200 OK"}, statuses
    return took


def empty_handler() -> Any:
    """A POST view that answers and does nothing else, in a Django without middleware."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpRequest, HttpResponse
    from django.test import override_settings
    from django.urls import path

    def empty(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    globals()["urlpatterns"] = [path("empty/", empty)]
    with override_settings(MIDDLEWARE=[]):
        handler = WSGIHandler()

    def handle(environ: dict[str, Any], start: Any) -> Any:
        with override_settings(ROOT_URLCONF=__name__):
            return handler(environ, start)

    return handle


def work() -> None:
    """As the worker's command does, until the queue is empty."""
    from django.core.management import call_command

    from adoptions.tasks import work_inbox

    work_inbox.enqueue()  # as the worker's clock does
    call_command("worker", "--batch", "--no-startup-delay", "--no-reload", "--interval=0", verbosity=0)


class Peer:
    """dj-stripe in a process and an environment of its own."""

    def __init__(self, folder: Path, database: dict[str, Any], answers: dict[str, Any]) -> None:
        python = str(folder / "bin" / "python")
        venv.create(folder, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--no-input", "dj-stripe==2.11.*", "psycopg[binary]"],
            check=True,
            capture_output=True,
            timeout=600,
        )
        self.process = subprocess.Popen(
            [python, str(HERE.parent / "djstripe_peer.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        wanted = {name: str(database[name]) for name in ("HOST", "PORT", "USER", "PASSWORD") if database.get(name)}
        given = {"database": {**wanted, "NAME": PEER}, "answers": answers}
        self.tell({**given, "secret": settings.STANDIN_WEBHOOK_SECRET, "key": f"sk_test_{0:024}"})
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def tell(self, thing: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(thing) + "\n")
        self.process.stdin.flush()

    def post(self, signed: list[Signed]) -> float:
        self.tell(signed)
        assert self.process.stdout
        answer = json.loads(self.process.stdout.readline())
        assert answer["statuses"] == ["200 OK"], answer
        return float(answer["seconds"])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def measure(
    events: list[Event], invoices: list[Event], recording: Recording, peer: Peer | None, rounds: int
) -> tuple[dict[str, list[float]], float]:
    """Milliseconds an event, one figure a round; and how many statements it takes to work one."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from adoptions.models import StripeEvent

    ours, empty = WSGIHandler(), empty_handler()
    times: dict[str, list[float]] = {}
    numbers = itertools.count(step=BATCH)

    def note(name: str, seconds: float) -> None:
        times.setdefault(name, []).append(seconds / BATCH * 1000)

    def keep_and_work(name: str, signed: list[Signed]) -> float:
        kept = post(ours, "/stripe/webhook/", signed)
        began = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            work()
        note(name, kept + time.perf_counter() - began)
        return kept

    for _round in range(rounds + 1):
        signed = fresh(events, next(numbers))
        note("an empty POST view", post(empty, "/empty/", signed))
        note("kept", keep_and_work("kept and worked", signed))
        if peer:
            note("dj-stripe", peer.post(signed))
        keep_and_work("an invoice paid", fresh(invoices, next(numbers)))
        recording.change()
        keep_and_work("worked with news", fresh(events, next(numbers)))
        keep_and_work("worked in a burst", fresh(events[:1] * BATCH, next(numbers)))
    post(ours, "/stripe/webhook/", fresh(events, next(numbers)))
    with CaptureQueriesContext(connection) as statements, contextlib.redirect_stdout(io.StringIO()):
        work()
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {"done"}
    return {name: found[1:] for name, found in times.items()}, len(statements) / BATCH  # the first round warms up


def growth(event: Event) -> tuple[float, float]:
    """Milliseconds an event for the first ten of a subscription, and once it had a thousand."""
    from adoptions import webhooks
    from adoptions.models import StripeEvent

    def batch(first: int, number: int) -> float:
        ids = [f"evt_grow{n}" for n in range(first, first + number)]
        subject = event["data"]["object"]["id"]
        StripeEvent.objects.bulk_create(
            StripeEvent(id=i, type=event["type"], object_id=subject, body=b"{}") for i in ids
        )
        took = []
        for event_id in ids:
            began = time.perf_counter()
            webhooks.work(event_id)
            took.append((time.perf_counter() - began) * 1000)
        return statistics.median(took)

    StripeEvent.objects.all().delete()
    few = batch(0, 10)
    batch(10, 980)
    return few, batch(990, 10)


def main() -> None:
    from django.core.management import call_command
    from django.db import connection, connections

    from config.management.commands import worker
    from tests.bench.measure_admin_lists import administer

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    for name in (NAME, PEER):
        administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        administer(f"CREATE DATABASE {name}")
    home, there, peer = connections["default"], connection.copy("default"), None
    there.settings_dict["NAME"] = NAME
    connections["default"] = there
    worker.keep_time = lambda is_working, interval=1: None  # the timetable's own tasks are not what is measured
    try:
        call_command("migrate", verbosity=0)
        with subscriptions() as (recording, events, invoices, answers), tempfile.TemporaryDirectory() as folder:
            try:
                peer = Peer(Path(folder), home.settings_dict, answers)
            except (subprocess.SubprocessError, OSError) as error:
                say(f"dj-stripe cannot be installed here ({type(error).__name__}), so it is left out.")
            times, statements = measure(events, invoices, recording, peer, rounds)
            tell(times)
            say(f"Statements to work an event in which nothing is new: {statements:.1f}")
            few, many = growth(events[0])
            say(f"The 1,000th event of a subscription ÷ its first ten: {many / few:.2f}")
    finally:
        if peer:
            peer.stop()
        there.close()
        connections["default"] = home
        for name in (NAME, PEER):
            administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def tell(times: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(found) for name, found in times.items()}
    say(f"{'':20} {'ms each':>8}  {'lowest–highest':>16}")
    for name, found in times.items():
        say(f"{name:20} {medians[name]:>8.2f}  {min(found):>7.2f}–{max(found):<8.2f}")
    empty, peer = medians["an empty POST view"], medians.get("dj-stripe")
    for name in ("kept", "kept and worked", "worked with news", "an invoice paid", "worked in a burst"):
        ratio = f", {peer / medians[name]:.1f} × dj-stripe" if peer else ""
        say(f"{name}: {empty / medians[name]:.2f} × an empty POST view{ratio}")


if __name__ == "__main__":
    set_up()
    main()
