"""How much of the processor's time a page takes, as a multiple of an empty Django view measured in between.

    .venv/bin/python tests/bench/measure_species_page.py [address …]

Rounds of all pages are interleaved, so that a busy machine slows each alike; no figure passes or fails. The content is
loaded into a transaction that is undone at the end.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

ROUNDS = 60
PAGES = ("/species/amur-leopard/", "/", "/species/", "/threats/", "/sources/")
EMPTY = "/healthz"


def spent(act: Callable[[], object]) -> float:
    """Milliseconds of processor time in this process; waiting for the database is not among them."""
    before = time.process_time()
    act()
    return (time.process_time() - before) * 1000


def measure(client: Client, addresses: list[str], forget: Callable[[], object]) -> dict[str, list[float]]:
    for address in addresses:
        client.get(address)
    times: dict[str, list[float]] = {address: [] for address in addresses}
    for _round in range(ROUNDS):
        for address in addresses:
            forget()
            times[address].append(spent(partial(client.get, address)))
    return times


def set_up() -> None:
    """Find the project from wherever the script is started."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("DEBUG", "True")
    django.setup()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    set_up()
    from species.content_loading import load
    from species.views.caching import memory

    settings.DEBUG = False  # with it on, Django keeps and times every query
    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    client, pages = Client(), sys.argv[1:] or list(PAGES)
    with transaction.atomic():
        load()
        for how, forget in (("made anew", memory.clear), ("from memory", lambda: None)):
            times = measure(client, [EMPTY, *pages], forget)
            empty = statistics.median(times[EMPTY])
            say(f"{how:34}{'median':>10}{'fastest':>10}{'÷ empty view':>14}{'queries':>9}")
            for page in [EMPTY, *pages]:
                forget()
                with CaptureQueriesContext(connection) as queries:
                    client.get(page)
                median, fastest = statistics.median(times[page]), min(times[page])
                say(f"{page:34}{median:7.2f} ms{fastest:7.2f} ms{median / empty:14.1f}{len(queries):9}")
        transaction.set_rollback(True)


if __name__ == "__main__":
    main()
