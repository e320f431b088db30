"""A new version goes live while somebody pays: the table grows under the old processes, and new ones take over."""

import http.client
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection, models

from adoptions.models import Adoption, AdoptionState, Payment
from tests.adoptions.conftest import Stripe, carry, work
from tests.adoptions.invariants import violations
from tests.adoptions.running_site import RunningSite, running_site
from tests.chaos.whole_site import Person, hidden

PATIENCE = 60.0  # seconds


@contextmanager
def migrated() -> Iterator[None]:
    """The table grows as DEPLOY.md promises of every version, whatever reads and writes it meanwhile."""
    field = models.CharField(max_length=20, null=True)
    field.set_attributes_from_name("colour")
    index = models.Index(fields=["created_at"], name="adoption_by_colour")
    with connection.schema_editor(atomic=False) as editor:
        editor.add_field(Adoption, field)
        editor.add_index(Adoption, index, concurrently=True)  # type: ignore[call-arg]  # PostgreSQL's can
    try:
        yield
    finally:
        with connection.schema_editor(atomic=False) as editor:
            editor.remove_index(Adoption, index, concurrently=True)  # type: ignore[call-arg]  # PostgreSQL's can
            editor.remove_field(Adoption, field)


def children(site: RunningSite) -> set[int]:
    pid = site.process.pid
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def reload(site: RunningSite) -> None:
    """`systemctl reload`: returns once every old process is gone."""
    old = children(site)
    os.kill(site.process.pid, signal.SIGHUP)
    until = time.monotonic() + PATIENCE
    while old & children(site):
        assert time.monotonic() < until, "An old process does not end."
        time.sleep(0.05)


@contextmanager
def somebody_reads(site: RunningSite) -> Iterator[Counter[int | str]]:
    """People who come to the page all the while, over connections of their own; how they were answered."""
    came: Counter[int | str] = Counter()
    is_over = threading.Event()

    def read() -> None:
        while not is_over.wait(0.1):
            line = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
            try:
                line.request("GET", "/adopt/amur-leopard/")
                came[line.getresponse().status] += 1
            except (OSError, http.client.HTTPException) as error:
                came[type(error).__name__] += 1
            line.close()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield came
    finally:
        is_over.set()
        thread.join()


@pytest.mark.threat("X6")
def test_who_pays_while_a_new_version_goes_live_adopts_once(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STRIPE_API_BASE", stripe.url)
    with running_site(tmp_path / "requests.log") as site, somebody_reads(site) as came:
        address = f"http://127.0.0.1:{site.port}"
        amara = Person(1, address, random.Random(1))
        status, _, form = amara.ask(f"{address}/adopt/amur-leopard/")
        assert status == 200
        with migrated():
            answers = {
                "frequency": "once",
                "amount_once": "3600",
                "name": "Amara Supporter",
                "email": "amara@example.org",
                "is_gift": "me",
                "attempt": hidden(form, "attempt"),
                "csrfmiddlewaretoken": hidden(form, "csrfmiddlewaretoken"),
                "step": "pay",
            }
            status, at_stripe, page = amara.ask(
                f"{address}/adopt/amur-leopard/", **answers
            )  # the old code, the new table
            assert status == 303, page
            reload(site)
            session = urlsplit(at_stripe).path.rpartition("/")[2]
            stripe.pay(session)
            [adoption] = Adoption.objects.all()
            status, _, page = amara.ask(f"{address}/adoptions/{adoption.public_id}/thanks/?s={session}")
            assert status == 200, page
            with site.line() as line:
                events = stripe.events()
                assert set(carry(line, [*events, *events])) == {200}
            work()
        assert (Adoption.objects.count(), Payment.objects.count()) == (1, 1)
        assert Adoption.objects.get().state == AdoptionState.ACTIVE
        assert violations(stripe.server.books) == []
    assert set(came) == {200}
    assert came[200] > 2  # before, while and after; on a machine out of breath not many more
