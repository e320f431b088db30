"""What can go wrong while people adopt, each as it goes wrong in life and over within a few seconds.

Dealt like cards: every kind comes up in each run, the usual ones more often, in an order that the seed decides.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from tests.chaos.whole_site import Database, Kept
from tests.standin import Process

HOW_OFTEN = {"web": 5, "worker": 3, "database": 2}  # of the others, one each
JUMPS = (-3600, -600, -90, 90, 600, 3600)  # seconds that a clock is wrong by
# What a full disk refuses: the same SQLSTATE as PostgreSQL's own, for every row that money or mail needs.
FULL = ("adoptions_adoption", "adoptions_payment", "adoptions_stripeevent", "config_mail")
NO_ROOM = """CREATE OR REPLACE FUNCTION chaos_no_room() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$"""


class GaveWay(Exception):
    """It could not have its lock and left the people alone: it did not happen, and its turn comes again."""


@dataclass
class Troubles:
    database: Database
    web: Kept
    worker: Kept
    mail_server: Kept
    stripe: Process
    chance: random.Random
    seen: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)  # what could not be made to go wrong, and so proved nothing
    never: set[str] = field(default_factory=set)  # what has not come up yet

    def until(self, end: float) -> None:
        kinds: dict[str, Callable[[], None]] = {
            "web": lambda: self.web.kill(self.chance),
            "worker": lambda: self.worker.kill(self.chance),
            "database": self.stop_database,
            "mail server": lambda: self.mail_server.kill(self.chance),
            "Stripe fails": lambda: self.trouble_stripe(fail=6),
            "Stripe hangs": lambda: self.trouble_stripe(hang=2, hang_seconds=4),
            "Stripe hangs up": lambda: self.trouble_stripe(lose=4),
            "Stripe is away": self.miss_stripe,
            "disk full": self.fill_disk,
            "clock jumps": self.jump,
            "new version": self.deploy,
        }
        self.never = set(kinds)
        cards: list[str] = []
        while time.monotonic() < end:
            time.sleep(self.chance.uniform(0.5, 1.6))
            if not cards:
                cards = [name for name in kinds for _ in range(HOW_OFTEN.get(name, 1))]
                self.chance.shuffle(cards)
            name = cards.pop()
            try:
                kinds[name]()
                self.seen[name] += 1
                self.never.discard(name)
            except GaveWay:
                cards.insert(0, name)
            except Exception as error:  # noqa: BLE001  told in the result
                self.failed.append(f"{name}: {error!r}")

    def pause(self, most: float = 1.5) -> None:
        time.sleep(self.chance.uniform(0.2, most))

    def stop_database(self) -> None:
        self.database.stop()
        self.pause()
        self.database.start()

    def trouble_stripe(self, **faults: int) -> None:
        self.stripe.standin.control("faults", **faults)

    def miss_stripe(self) -> None:
        self.stripe.kill()
        self.pause(3)
        self.stripe.start()

    def fill_disk(self) -> None:
        trigger = "CREATE TRIGGER no_room BEFORE INSERT ON {} EXECUTE FUNCTION chaos_no_room()"
        try:
            self.ask(NO_ROOM, *(trigger.format(table) for table in FULL))
            self.pause(3)
        finally:
            self.ask(*(f"DROP TRIGGER IF EXISTS no_room ON {table}" for table in FULL), must=True)

    def jump(self) -> None:
        """A process comes back and thinks it is earlier or later; the next one that dies may be right again."""
        one = self.chance.choice([self.web, self.worker])
        one.jump = self.chance.choice(JUMPS) if not one.jump else 0
        one.kill_whole()

    def deploy(self) -> None:
        """A migration while people pay, and the new version takes over; it is taken back by the next one."""
        self.ask("ALTER TABLE adoptions_adoption ADD COLUMN IF NOT EXISTS colour varchar(20)")
        self.ask("DROP INDEX CONCURRENTLY IF EXISTS chaos_colour")
        self.ask("CREATE INDEX CONCURRENTLY chaos_colour ON adoptions_adoption (created_at, colour)")
        with suppress(ProcessLookupError):
            os.kill(self.web.process.pid, signal.SIGHUP)
        self.pause()
        self.ask("ALTER TABLE adoptions_adoption DROP COLUMN IF EXISTS colour", must=True)

    def ask(self, *statements: str, must: bool = False) -> None:
        """Raises GaveWay if it cannot have its lock, or is interrupted; unless it must be."""
        for _try in range(20 if must else 1):
            with (
                suppress(psycopg.OperationalError),
                psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as line,
            ):
                line.execute("SET lock_timeout = '2s'")
                for statement in statements:
                    line.execute(statement)
                return
            time.sleep(0.2)
        if must:
            raise TimeoutError(statements[0])
        raise GaveWay

    def set_right(self) -> None:
        """Clocks are right again, and nothing stands in the way."""
        self.ask(*(f"DROP TRIGGER IF EXISTS no_room ON {table}" for table in FULL), must=True)
        self.ask("ALTER TABLE adoptions_adoption DROP COLUMN IF EXISTS colour", must=True)
        for one in (self.web, self.worker):
            if one.jump:
                one.jump = 0
                one.kill_whole()
