"""Two hours of a campaign in a few minutes: readers, adopters, commenters, moderators and staff at once.

    make campaign                      # or: .venv/bin/python -m tests.bench.campaign [minutes [mails]]

What two hours bring: of the mails, 1.2 % are followed (an assumption, on the high side of what charities report), most
of them at once and ever fewer later; who comes reads three pages, 3 % adopt and 1 % comment. Two moderators clear the
queue and three of the staff look through lists all the time. Ten minutes of it are a rush twelve times as hard.

The site runs with the settings and the command of production, beside a Stripe stand-in; only https is missing.
People come when they come, whether the site is quick or not: a request is timed from the moment it was due, so that
waiting for a slow site counts. Everything runs here, the people included, who take their share of the machine.
Of the answers, none may be a 5xx; of adoptions, payments, comments and landings none may be missing or double.
"""

import heapq
import io
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.chaos.whole_site import Database, Kept, Person, count, eventually, hidden, is_all_worked, set_up

MINUTES, MAILS = 10.0, 500_000
FOLLOWED, ADOPT, COMMENT = 0.012, 0.03, 0.01
FADES_AFTER = 1 / 3  # of the time: after that, e times fewer come
TICKS = os.sysconf("SC_CLK_TCK")
HANDS = 48  # requests at the same time, at most
CODE = "december26"
PAGES = (
    "/species/amur-leopard/",
    "/species/amur-leopard/",
    "/",
    "/threats/",
    "/species/snow-leopard/",
    "/sources/",
    "/about/",
)
LISTS = (
    "/admin/",
    "/admin/adoptions/adoption/",
    "/admin/adoptions/payment/",
    "/admin/adoptions/supporter/",
    "/admin/species/comment/",
    "/admin/adoptions/adoption/?q=amara",
    "/admin/adoptions/payment/reports/",
)
WORDS = ("seen", "winter", "forest", "spots", "cubs", "thank", "deer", "snow", "hope", "river", "quiet", "tracks")

# What production asks for; nothing here can take money or send mail.
AS_IN_PRODUCTION = {
    "DEBUG": "False",
    "SECRET_KEY": "measured-and-thrown-away-" * 3,
    "ALLOWED_HOSTS": "127.0.0.1",
    "STRIPE_SECRET_KEY": "sk_test_standin",
    "STRIPE_WEBHOOK_SECRETS": "whsec_standin",
    "EMAIL_URL": "dummymail://",
    "DEFAULT_FROM_EMAIL": "hello@example.org",
    "CHARITY_NAME": "Leopard Trust",
    "CHARITY_NUMBER": "1234567",
    "STAFF_TWO_FACTOR": "False",
    "LOG_LEVEL": "INFO",
}
# Of those who come: their names, addresses and words, and where they come from (tests/chaos/whole_site.py).
PERSONAL = re.compile(rb"(?i)amara|sam\d*@|@example\.org|\b10\.\d+\.\d+\.\d+|beautiful")

type Life = Iterator[float]  # what somebody does; each yield is a pause in seconds


@dataclass(slots=True)
class Watch:
    """How long each kind of request took from when it was due, and what it answered."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    became: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, seconds: float, status: int) -> None:
        with self.lock:
            self.took[kind].append(seconds)
            self.answered[kind, status] += 1

    def count(self, what: str) -> None:
        with self.lock:
            self.became[what] += 1


class Visitor(Person):
    """Who asks once and takes what comes: here nobody presses again."""

    def __init__(self, number: int, site: str, chance: random.Random, watch: Watch) -> None:
        super().__init__(number, site, chance)
        self.browser.addheaders.append(("Accept-Encoding", "identity"))
        self.watch = watch
        self.due = time.monotonic()

    def timed(self, kind: str, path: str, **fields: str) -> tuple[int, str, str]:
        address = path if path.startswith("http") else f"{self.site}{path}"
        status, location, page = self.ask(address, **fields)
        self.watch.note(kind, time.monotonic() - self.due, status)
        self.due = time.monotonic()
        return status, location.removeprefix(self.site), page


def reader(visitor: Visitor) -> Life:
    """From the link in the mail to the end of the visit."""
    chance = visitor.chance
    status, leads_to, _ = visitor.timed("link of the campaign", f"/go/{CODE}")
    if status != 302:
        return
    visitor.watch.count("landings")
    _, _, page = visitor.timed("page", leads_to)
    for asset in re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page)[:3]:
        visitor.timed("static file", asset)
    for _ in range(chance.choice((1, 2, 3))):
        yield chance.uniform(2, 6)
        visitor.timed("page", chance.choice(PAGES))
    fate = chance.random()
    if fate < ADOPT:
        yield from adopting(visitor, leads_to)
    elif fate < ADOPT + COMMENT:
        yield from commenting(visitor)


def adopting(visitor: Visitor, form: str) -> Life:
    chance = visitor.chance
    frequency = chance.choice(("once", "monthly", "yearly"))
    _, _, page = visitor.timed("form to adopt", form)
    yield chance.uniform(3, 8)
    status, location, _ = visitor.timed(
        "adopt, up to Stripe",
        form,
        frequency=frequency,
        amount_once="3600",
        amount_monthly="500",
        amount_yearly="6000",
        name=f"Amara {visitor.number}",
        email=f"amara{visitor.number}@example.org",
        is_gift="me",
        recipient_name="",
        attempt=hidden(page, "attempt"),
        csrfmiddlewaretoken=hidden(page, "csrfmiddlewaretoken"),
        step="pay",
    )
    if status not in {302, 303}:
        visitor.watch.count("turned away at the form")
        return
    yield chance.uniform(3, 8)
    status, thanks, _ = visitor.ask(location, method="ok")  # Stripe's page
    assert status in {302, 303}, status
    visitor.watch.count("paid")
    visitor.due = time.monotonic()
    visitor.timed("back from Stripe", thanks)


def commenting(visitor: Visitor) -> Life:
    path = "/species/amur-leopard/"
    _, _, page = visitor.timed("page", path)
    yield visitor.chance.uniform(4, 9)  # less than three seconds would be a program
    words = " ".join(visitor.chance.choices(WORDS, k=12))
    status, _, _ = visitor.timed(
        "comment",
        f"{path}comments/",
        name=f"Sam {visitor.number}",
        email=f"sam{visitor.number}@example.org",
        comment=f"{words} {visitor.number}",
        loaded=hidden(page, "loaded"),
    )
    visitor.watch.count("comments" if status == 303 else f"comment: {status}")


def moderator(visitor: Visitor, link: str, is_over: Callable[[], bool]) -> Life:
    while not is_over():
        _, _, page = visitor.timed("queue of comments", link)
        if 'name="seen_at"' in page:
            yield visitor.chance.uniform(1, 3)
            pressed = {name: hidden(page, name) for name in ("comment", "seen_at")}
            visitor.timed("one decided", link, act="approve", **pressed)
        else:
            yield 5


def colleague(visitor: Visitor, password: str, is_over: Callable[[], bool]) -> Life:
    _, _, page = visitor.timed("staff signs in", "/admin/login/")
    token = hidden(page, "csrfmiddlewaretoken")
    name = f"staff{visitor.number}"
    status, _, _ = visitor.timed(
        "staff signs in", "/admin/login/", username=name, password=password, csrfmiddlewaretoken=token
    )
    assert status == 302, status
    while not is_over():
        yield visitor.chance.uniform(1, 3)
        status, _, _ = visitor.timed("list of staff", visitor.chance.choice(LISTS))
        assert status == 200, status


def probe(visitor: Visitor, is_over: Callable[[], bool]) -> Life:
    """An empty view, by which all others are measured."""
    while not is_over():
        visitor.timed("empty view", "/healthz")
        yield 0.5


class Crowd:
    """Many lives with few hands: whoever is due is served next."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.waiting: list[tuple[float, int, Visitor, Life]] = []
        self.alive = self.number = 0
        self.changed = threading.Condition()
        self.due: SimpleQueue[tuple[float, Visitor, Life] | None] = SimpleQueue()

    def comes(self, at: float, visitor: Visitor, life: Life) -> None:
        with self.changed:
            self.alive += 1
            self._put(at, visitor, life)

    def _put(self, at: float, visitor: Visitor, life: Life) -> None:
        self.number += 1
        heapq.heappush(self.waiting, (at, self.number, visitor, life))
        if self.waiting[0][1] == self.number:
            self.changed.notify()

    def call(self) -> None:
        """Hand over whoever is due. One looks at the clock: if all hands did, they would be busy with that."""
        with self.changed:
            while self.alive:
                pause = self.waiting[0][0] - time.monotonic() if self.waiting else 1
                if pause > 0:
                    self.changed.wait(pause)
                else:
                    at, _, visitor, life = heapq.heappop(self.waiting)
                    self.due.put((at, visitor, life))

    def serve(self) -> None:
        while one := self.due.get():
            at, visitor, life = one
            visitor.due = at
            try:
                pause = next(life, None)
            except Exception as error:  # noqa: BLE001  counted: it is a person left without an answer
                self.watch.count(f"gave up: {type(error).__name__} {error}"[:200])
                pause = None
            with self.changed:
                if pause is None:
                    self.alive -= 1
                    self.changed.notify()
                else:
                    self._put(time.monotonic() + pause, visitor, life)

    def run(self) -> None:
        hands = [threading.Thread(target=self.serve) for _ in range(HANDS)]
        for hand in hands:
            hand.start()
        self.call()
        for _ in hands:
            self.due.put(None)
        for hand in hands:
            hand.join()


def arrivals(number: int, seconds: float, chance: random.Random) -> list[float]:
    """When each comes: most at the beginning."""
    mean = seconds * FADES_AFTER
    found: list[float] = []
    while len(found) < number:
        at = chance.expovariate(1 / mean)
        if at < seconds:
            found.append(at)
    return sorted(found)


def processor_times(web: int, worker: int, postgres: int, stripe: int) -> dict[str, float]:
    """Seconds that each has used so far. Those who come are this process."""
    used = {"web": web, "worker": worker, "PostgreSQL": postgres, "Stripe": stripe}
    return {name: processor_time(pid) for name, pid in used.items()} | {"visitors": time.process_time()}


def processor_time(pid: int) -> float:
    """Seconds that a process and those it started have used, those that have ended among them."""
    process = Path(f"/proc/{pid}")
    user, system, of_dead, in_system = (process / "stat").read_text().rpartition(")")[2].split()[11:15]
    children = (process / "task" / str(pid) / "children").read_text().split()
    used = sum(map(int, (user, system, of_dead, in_system)))
    return used / TICKS + sum(processor_time(int(child)) for child in children)


# --- one run ------------------------------------------------------------------------------------------------------


def play(folder: Path, minutes: float, mails: int) -> tuple[Watch, dict[str, Any]]:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connections
    from django.utils.crypto import get_random_string

    from adoptions import reconcile
    from adoptions.models import Campaign, CampaignDay
    from adoptions.stripe_standin.books import Books
    from config.models import Mail
    from species import comment_links
    from species.models import Comment, Species
    from tests.adoptions.invariants import violations
    from tests.adoptions.running_site import production_command
    from tests.standin import Process

    chance = random.Random(26)
    site, port = os.environ["SITE_URL"], os.environ["PORT"]
    database = Database(folder, int(os.environ["PUGMARK_DB_PORT"]))
    stripe = Process(int(os.environ["STANDIN_PORT"]), folder / "stripe.sqlite", f"{site}/stripe/webhook/")
    kept: list[Kept] = []
    try:
        for command in (["migrate"], ["load_species"], ["load_roles"], ["collectstatic", "--noinput"]):
            call_command(*command, verbosity=0, stdout=io.StringIO())
        leopard = Species.objects.get(slug="amur-leopard")
        Campaign.objects.create(code=CODE, name="December mail", species=leopard, preset_frequency="monthly")
        password = get_random_string(30)
        staff = [User.objects.create_superuser(f"staff{number}", password=password) for number in range(5)]
        links = [comment_links.moderate(one) for one in staff[:2]]
        stripe.start()
        web = Kept(*production_command()[1:], f"--bind=127.0.0.1:{port}", log=folder / "web.log")
        # Unchecked: a live site does not start with a stand-in for Stripe.
        worker = Kept("manage.py", "worker", "--no-reload", "--skip-checks", log=folder / "worker.log")
        kept += [web, worker]
        assert eventually(lambda: Person(0, site, chance).ask(f"{site}/healthz")[0] == 200, 60), "No site."
        watch = Watch()
        crowd = Crowd(watch)
        begin = time.monotonic() + 1
        seconds = minutes * 60

        def is_over() -> bool:
            return time.monotonic() > begin + seconds + 10

        def somebody(number: int) -> Visitor:
            return Visitor(number, site, random.Random(number), watch)

        crowd.comes(begin, (one := somebody(90_001)), probe(one, is_over))
        for number, link in enumerate(links):
            crowd.comes(begin, (one := somebody(90_010 + number)), moderator(one, link, is_over))
        for number in range(2, 5):
            one = somebody(number)
            crowd.comes(begin + number, one, colleague(one, password, is_over))
        visits = round(mails * FOLLOWED)
        for number, at in enumerate(arrivals(visits, seconds, chance), start=10):
            one = somebody(number)
            crowd.comes(begin + at, one, reader(one))
        before = processor_times(web.process.pid, worker.process.pid, database.pid(), stripe.pid)
        crowd.run()
        after = processor_times(web.process.pid, worker.process.pid, database.pid(), stripe.pid)
        stripe.standin.control("wait_for_webhooks", seconds=60)
        is_worked = eventually(is_all_worked, 60)
        is_mailed = eventually(lambda: not Mail.objects.filter(state="queued").exists(), 120)
        compared = reconcile.reconcile(days=3)
        stripe.stop()
        books = Books(folder / "stripe.sqlite")
        landed = sum(CampaignDay.objects.filter(campaign__code=CODE).values_list("landings", flat=True))
        return watch, {
            **count(books),
            "processor_seconds": {name: round(seconds - before[name]) for name, seconds in after.items()},
            "visits": visits,
            "events": len(books.all("event")),
            "mails": Mail.objects.count(),
            "differences": compared.found,
            "unworked": int(not is_worked),
            "unsent": int(not is_mailed),
            "violations": len(violations(books)),
            "landings_off": watch.became["landings"] - landed,
            "comments_off": watch.became["comments"] - Comment.objects.count(),
            "paid_off": watch.became["paid"] - count(books)["adoptions"],
            "server_errors": sum(n for (_, status), n in watch.answered.items() if status >= 500),
            "no_answer": sum(n for (_, status), n in watch.answered.items() if status == 0),
            "log_lines": len(lines := logged(folder)),
            "log_lines_naming_somebody": sum(1 for line in lines if PERSONAL.search(line)),
            "gave_up": sum(n for what, n in watch.became.items() if what.startswith(("gave up", "turned", "comment:"))),
        }
    finally:
        for process in kept:
            process.stop()
        stripe.kill()
        connections.close_all()
        with suppress(subprocess.CalledProcessError):
            database.stop()


MUST_BE_NOTHING = (
    "lost",
    "double",
    "pence_off",
    "differences",
    "unworked",
    "unsent",
    "violations",
    "landings_off",
    "comments_off",
    "paid_off",
    "server_errors",
    "no_answer",
    "gave_up",
    "log_lines_naming_somebody",
)


def logged(folder: Path) -> list[bytes]:
    return [line for name in ("web.log", "worker.log") for line in (folder / name).read_bytes().splitlines()]


def table(watch: Watch) -> list[str]:
    """In milliseconds; the last column is p50 as a multiple of the empty view's."""
    floor = statistics.median(watch.took["empty view"])
    lines = [f"{'':24} {'number':>7} {'p50':>8} {'p95':>8} {'p99':>8} {'most':>8}   x empty view"]
    for kind, took in sorted(watch.took.items(), key=lambda item: statistics.median(item[1])):
        cuts = statistics.quantiles(took, n=100, method="inclusive") if len(took) > 1 else took * 99
        p50, p95, p99 = (1000 * cuts[n - 1] for n in (50, 95, 99))
        most, times = 1000 * max(took), p50 / 1000 / floor
        lines.append(f"{kind:24} {len(took):7} {p50:8.1f} {p95:8.1f} {p99:8.1f} {most:8.1f} {times:8.1f}")
    return lines


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    mails = int(sys.argv[2]) if len(sys.argv) > 2 else round(MAILS * minutes / MINUTES)
    folder = Path(tempfile.mkdtemp(prefix="pugmark-campaign-"))
    folder.chmod(0o755)
    set_up(**AS_IN_PRODUCTION)
    watch, result = play(folder, minutes, mails)
    sys.stdout.write("\n".join([*table(watch), "", json.dumps(result), json.dumps(watch.became), ""]))
    wrong = {name: result[name] for name in MUST_BE_NOTHING if result[name]}
    if wrong or not result["adoptions"]:
        sys.stdout.write(f"NOT WELL: {wrong}. Logs: {folder}\n")
        sys.exit(1)
    sys.stdout.write("No 5xx; nothing lost, nothing double.\n")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
