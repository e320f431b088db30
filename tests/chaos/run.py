"""Kill, stop and lose whatever can be lost while people adopt; then reconcile, and count what is missing.

    make chaos                                   # or: .venv/bin/python -m tests.chaos.run [seconds of load]

Web and worker are killed with -9, PostgreSQL is stopped in the middle and started again, Stripe fails, hangs, hangs up
and is away, the mail server dies, the disk is full, clocks jump, and a new version with a migration goes live
(tests/chaos/troubles.py); of Stripe's webhooks 30 % never arrive, 10 % come twice and none in order. The people are
real HTTP requests; whoever sees an error presses the button again, as people do, with the same form. Everything runs
in a folder and on ports of its own. The last line is the result: nothing lost, nothing double, no penny off, or exit
code 1.
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
from contextlib import ExitStack, suppress
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

LOAD_SECONDS = 60
SUPPORTERS = 4  # at the same time
DROPPED, DOUBLED = 30, 10  # per cent
HEAL_WITHIN = 150  # seconds for what was delivered to be worked, once the waits after failures are over


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


def mails_of(letters: Path) -> dict[str, int]:
    """Every charge has one receipt, and every mail was taken by the mail server; the waits after failures are over."""
    from django.utils import timezone

    from adoptions.models import Payment
    from config.models import Mail, MailState

    Mail.objects.filter(state=MailState.QUEUED).update(not_before=timezone.now())
    Mail.objects.filter(state=MailState.SENDING).update(lease_until=timezone.now())
    unsent = Mail.objects.exclude(state=MailState.SENT)
    eventually(lambda: not unsent.exists(), HEAL_WITHIN)
    taken = Counter(letters.read_text().split() if letters.exists() else [])
    receipts = list(Mail.objects.filter(kind="receipt").values_list("message_id", flat=True))
    charges = Payment.objects.filter(kind="charge").count()
    return {
        "receipts": len(receipts),
        "receipts_lost": max(charges - len(receipts), 0) + sum(1 for one in receipts if not taken[one]),
        "receipts_double": max(len(receipts) - charges, 0),
        "mails_unsent": unsent.count(),
        # Who dies between the server's yes and our note of it sends the same letter once more, by the same Message-ID.
        "mails_taken_again": sum(taken.values()) - len(taken),
    }


def after_the_waits() -> bool:
    """Is all worked that was delivered? What failed four times waits for minutes; what a clock put off, for an hour."""
    from django.tasks import TaskResultStatus
    from django.utils import timezone
    from django_tasks_db.models import DBTaskResult, get_date_max

    put_off = DBTaskResult.objects.filter(status=TaskResultStatus.READY, run_after__gt=timezone.now())
    put_off.exclude(run_after=get_date_max()).update(run_after=timezone.now())
    return is_all_worked()


def play(folder: Path, seconds: int, seed: int) -> dict[str, Any]:
    """Returns what is to be zero under the names that end up in the result, and what was done to get there."""
    from django.core.management import call_command
    from django.db import connections

    from adoptions import reconcile
    from adoptions.stripe_standin.books import Books
    from tests.adoptions.invariants import violations
    from tests.chaos.troubles import Troubles
    from tests.standin import Process

    chance = random.Random(seed)
    site, port = os.environ["SITE_URL"], os.environ["PORT"]
    database = Database(folder, int(os.environ["PUGMARK_DB_PORT"]))
    kept: list[Kept] = []
    stack = ExitStack()
    try:
        call_command("migrate", verbosity=0)
        call_command("load_species", verbosity=0)
        known = folder / "stripe"
        stripe = Process(int(os.environ["STANDIN_PORT"]), known, f"{site}/stripe/webhook/")
        stack.callback(stripe.kill)
        stripe.start()
        web = Kept(*GUNICORN, "--workers=2", f"--bind=127.0.0.1:{port}", log=folder / "web.log")
        worker = Kept("manage.py", "worker", log=folder / "worker.log")
        letters = folder / "letters"
        taking = ("-m", "tests.chaos.mail_server", os.environ["MAILBOX_SMTP_PORT"], str(letters))
        mail_server = Kept(*taking, log=folder / "mail.log")
        kept += [web, worker, mail_server]
        stripe.standin.control("webhooks", drop_percent=DROPPED, double_percent=DOUBLED, shuffle=1)
        assert eventually(lambda: Person(0, site, chance).ask(f"{site}/healthz")[0] == 200, 60), "No site."
        connections.close_all()
        until = time.monotonic() + seconds
        troubles = Troubles(database, web, worker, mail_server, stripe, chance)
        thread = threading.Thread(target=troubles.until, args=(until,))
        thread.start()
        came = load(site, until, random.Random(seed))
        thread.join()
        troubles.set_right()
        stripe.standin.control("wait_for_webhooks", seconds=60)
        connections.close_all()
        is_worked = eventually(after_the_waits, HEAL_WITHIN)
        first, second = reconcile.reconcile(days=3), reconcile.reconcile(days=3)
        mails = mails_of(letters)
        stripe.kill()
        books = Books(known)
        said, gone = kept_of(books)
        found = violations(books)
        return {
            **count(books),
            **mails,
            "differences": second.found,
            "events_lost": len(gone),
            "unworked": 0 if is_worked else 1,
            "violations": found,
            "gave_up": came["gave up"],
            "people": sum(came.values()),
            "killed": web.deaths + worker.deaths,
            "database_stops": database.stops,
            "troubles": dict(troubles.seen),
            "troubles_failed": troubles.failed,
            "never_came_up": sorted(troubles.never) if seconds >= LOAD_SECONDS else [],
            "events_kept": said,
            "events_never_came": first.missed_events,
            "healed_by_reconcile": first.repaired,
        }
    finally:
        for one in kept:
            one.stop()
        stack.close()
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
        "mails_unsent",
        "receipts_lost",
        "receipts_double",
        "troubles_failed",
        "never_came_up",
    )
    is_well = result["adoptions"] > 0 and not any(result[name] for name in must_be_nothing)
    say(json.dumps(result))
    say(
        f"{result['differences']} differences, {result['lost']} lost, {result['double']} double, of "
        f"{result['adoptions']} paid adoptions and {result['receipts']} receipts, after {result['killed']} kills, "
        f"{result['database_stops']} stops of PostgreSQL and {sum(result['troubles'].values())} troubles in all; "
        f"{result['events_never_came']} events never came."
    )
    if not is_well:
        say(f"NOT WELL. Logs: {folder}")
        sys.exit(1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
