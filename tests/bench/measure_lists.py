"""How long a list of 100,000 rows takes to come in and go out, a tenth of it bad, and how much memory that needs.

    .venv/bin/python tests/bench/measure_lists.py [rows] [past]

With `past`, a list of adoptions with their payments, ten of each: in, and undone.
Works in a database of its own beside the configured one, and drops it at the end. The memory is that of this process
at its highest, less what it had before: what a worker needs beside itself.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.measure_admin_lists import administer, database, say, set_up

BAD = ["", "nobody", "a@b", "x@y@z", "sam1@example.org"]
TURN = timedelta(hours=1)
NAME = "pugmark_bench_lists"


def megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def chunks(rows: int) -> Iterator[bytes]:
    yield b"name,email,news,news_at,news_source,news_wording\r\n"
    for number in range(rows):
        email = BAD[number // 10 % len(BAD)] if number % 10 == 9 else f"sam{number}@example.org"
        yield f"Sam {number},{email},yes,2024-03-01,Spring fair,Send me news.\r\n".encode()


def chunks_of_past(rows: int) -> Iterator[bytes]:
    """Payments of monthly adoptions, ten of each; of every tenth the amount is wrong, in turn."""
    yield b"reference,supporter_name,supporter_email,species,frequency,amount_pounds,began_at,payment_id,paid_at,"
    yield b"paid_pounds,method\r\n"
    for number in range(rows):
        one, which = divmod(number, 10)
        paid = ("-5", "5.125", "", "5 EUR")[one % 4] if which == 9 else "5.00"
        adoption = f"A-{one},Sam {one},sam{one}@example.org,amur-leopard,monthly,5.00,2020-01-01"
        yield f"{adoption},P-{number},{2020 + which // 6}-{which % 6 + 1:02}-02,{paid},card\r\n".encode()


def timed(what: str, act: Callable[[], object]) -> None:
    """By the clock, and as the processor's time of this process: PostgreSQL's own is not in it."""
    before, start, worked = megabytes(), time.perf_counter_ns(), time.process_time_ns()
    act()
    seconds, own = (time.perf_counter_ns() - start) / 1e9, (time.process_time_ns() - worked) / 1e9
    say(f"{what:<28} {seconds:6.1f} s, {own:6.1f} s of them here   + {megabytes() - before} MB")


def main(rows: int, is_of_past: bool) -> None:
    set_up()
    from django.db import connections

    there = database(NAME, 1)
    home, connections["default"] = connections["default"], there
    try:
        (measure_past if is_of_past else measure)(rows)
    finally:
        there.close()
        connections["default"] = home
        administer(f"DROP DATABASE {NAME} WITH (FORCE)")


def measure(rows: int) -> None:
    from django.contrib.auth.models import User

    from adoptions.exchange import exports, imports
    from adoptions.exchange.choosing import Choice
    from adoptions.models import ExportLayout, ImportedFile, Supporter
    from config import patience

    def work(module: Any) -> None:
        module.work(until=patience.now() + TURN)

    bench = User.objects.get(username="bench")
    body = b"".join(chunks(rows))
    pieces = [body[start : start + imports.PIECE] for start in range(0, len(body), imports.PIECE)]
    say(f"{rows:,} rows, {len(body) >> 20} MB; this process has {megabytes()} MB")
    timed("taken", lambda: imports.keep(pieces, name="old.csv", by=bench))
    timed("looked through", lambda: work(imports))
    file = ImportedFile.objects.get()
    say(str(imports.counts(file, "verdict")))
    ImportedFile.objects.filter(pk=file.pk).begin(by=bench, known="skip", alike="skip")
    timed("brought in", lambda: work(imports))
    say(f"{Supporter.objects.count():,} supporters")
    for layout in (ExportLayout.SUPPORTERS_CSV, ExportLayout.SUPPORTERS_JSON):
        exports.ask(layout, Choice(), by=bench)
        timed(f"taken out ({layout})", lambda: work(exports))
    ImportedFile.objects.filter(pk=file.pk).begin_undoing(by=bench)
    timed("undone", lambda: work(imports))
    say(f"{Supporter.objects.count():,} supporters")


def measure_past(rows: int) -> None:
    from django.contrib.auth.models import User

    from adoptions.exchange import imports
    from adoptions.models import ImportedFile, Payment
    from config import patience
    from tests.makers import make_plan, make_species

    bench = User.objects.get(username="bench")
    make_species()
    make_plan()
    body = b"".join(chunks_of_past(rows))
    pieces = [body[start : start + imports.PIECE] for start in range(0, len(body), imports.PIECE)]
    say(f"{rows:,} rows, {len(body) >> 20} MB; this process has {megabytes()} MB")
    file = imports.keep(pieces, name="past.csv", by=bench, what="past")
    this = ImportedFile.objects.filter(pk=file.pk)
    timed("looked through", lambda: imports.work(until=patience.now() + TURN))
    say(str(imports.counts(file, "verdict")))
    this.begin(by=bench, known="skip", alike="skip")
    timed("brought in", lambda: imports.work(until=patience.now() + TURN))
    say(f"{Payment.objects.count():,} payments")
    this.begin_undoing(by=bench)
    timed("undone", lambda: imports.work(until=patience.now() + TURN))
    say(f"{Payment.objects.count():,} movements, {Payment.objects.balance_pence()} pence; {this.get().state}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, "past" in sys.argv)
