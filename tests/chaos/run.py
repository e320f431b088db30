"""Kill, stop and lose whatever can be lost while people adopt; then reconcile, and count what is missing.

    make chaos                                   # or: .venv/bin/python -m tests.chaos.run [seconds of load]

Web and worker are killed with -9, PostgreSQL is stopped in the middle and started again, and of Stripe's webhooks 30 %
never arrive, 10 % come twice and none in order. The people are real HTTP requests; whoever sees an error presses the
button again, as people do, with the same form. Everything runs in a folder and on ports of its own. The last line is
the result: nothing lost, nothing double, no penny off, or exit code 1.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.chaos.whole_site import (
    GUNICORN,
    Database,
    Kept,
    Person,
    count,
    eventually,
    is_all_worked,
    kept_of,
    say,
    set_up,
)

LOAD_SECONDS = 40
SUPPORTERS = 4  # at the same time
DROPPED, DOUBLED = 30, 10  # per cent
HEAL_WITHIN = 150  # seconds for what was delivered to be worked, the waits after failures included


def load(site: str, until: float, chance: random.Random) -> Counter[str]:
    """People, one after another in a few threads, until the time is up."""
    came: Counter[str] = Counter()
    numbers = iter(range(1, 1_000_000))

    def people() -> None:
        while time.monotonic() < until:
            with lock:
                person = Person(next(numbers), site, random.Random(chance.random()))
            try:
                became = person.adopt()
            except Exception as error:  # noqa: BLE001  counted: nobody may be left without an answer
                became = "gave up"
                say(f"  {type(error).__name__}: {error}"[:300])
            with lock:
                came[became] += 1

    lock = threading.Lock()
    threads = [threading.Thread(target=people) for _ in range(SUPPORTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


def trouble(until: float, database: Database, web: Kept, worker: Kept, chance: random.Random) -> None:
    """Something dies every second or two, and every now and then it is PostgreSQL."""
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.7, 2))
        what = chance.choices(["web", "worker", "database"], [5, 3, 2])[0]
        if what == "database":
            database.stop()
            time.sleep(chance.uniform(0.2, 1.5))
            database.start()
        else:
            (web if what == "web" else worker).kill(chance)


def play(folder: Path, seconds: int, seed: int) -> dict[str, Any]:
    """Returns what is to be zero under the names that end up in the result, and what was done to get there."""
    from django.core.management import call_command
    from django.db import connections

    from adoptions import reconcile
    from tests.adoptions.invariants import violations
    from tests.standin import running

    chance = random.Random(seed)
    site, port = os.environ["SITE_URL"], os.environ["PORT"]
    database = Database(folder, int(os.environ["PUGMARK_DB_PORT"]))
    kept: list[Kept] = []
    try:
        call_command("migrate", verbosity=0)
        call_command("load_species", verbosity=0)
        with running(f"{site}/stripe/webhook/", port=int(os.environ["STANDIN_PORT"])) as standin:
            web = Kept(*GUNICORN, "--workers=2", f"--bind=127.0.0.1:{port}", log=folder / "web.log")
            worker = Kept("manage.py", "worker", log=folder / "worker.log")
            kept += [web, worker]
            standin.control("webhooks", drop_percent=DROPPED, double_percent=DOUBLED, shuffle=1)
            assert eventually(lambda: Person(0, site, chance).ask(f"{site}/healthz")[0] == 200, 60), "No site."
            connections.close_all()
            until = time.monotonic() + seconds
            troubles = threading.Thread(target=trouble, args=(until, database, web, worker, chance))
            troubles.start()
            came = load(site, until, random.Random(seed))
            troubles.join()
            standin.control("wait_for_webhooks", seconds=60)
            connections.close_all()
            is_worked = eventually(is_all_worked, HEAL_WITHIN)
            first, second = reconcile.reconcile(days=3), reconcile.reconcile(days=3)
            books = standin.books
            assert books is not None
            said, gone = kept_of(books)
            found = violations(books)
            return {
                **count(books),
                "differences": second.found,
                "events_lost": len(gone),
                "unworked": 0 if is_worked else 1,
                "violations": found,
                "gave_up": came["gave up"],
                "people": sum(came.values()),
                "killed": web.deaths + worker.deaths,
                "database_stops": database.stops,
                "events_kept": said,
                "events_never_came": first.missed_events,
                "healed_by_reconcile": first.repaired,
            }
    finally:
        for one in kept:
            one.stop()
        connections.close_all()
        with suppress(subprocess.CalledProcessError):
            database.stop()


def main() -> None:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else LOAD_SECONDS
    seed = random.SystemRandom().randrange(10_000)
    folder = Path(tempfile.mkdtemp(prefix="pugmark-chaos-"))
    folder.chmod(0o755)
    set_up()
    say(f"Chaos for {seconds} seconds, seed {seed} …")
    result = play(folder, seconds, seed)
    must_be_nothing = (
        "differences",
        "lost",
        "double",
        "pence_off",
        "events_lost",
        "unworked",
        "violations",
        "gave_up",
    )
    is_well = result["adoptions"] > 0 and not any(result[name] for name in must_be_nothing)
    say(json.dumps(result))
    say(
        f"{result['differences']} differences, {result['lost']} lost, {result['double']} double, of "
        f"{result['adoptions']} paid adoptions, after {result['killed']} kills and {result['database_stops']} "
        f"stops of PostgreSQL; {result['events_never_came']} events never came."
    )
    if not is_well:
        say(f"NOT WELL. Logs: {folder}")
        sys.exit(1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
