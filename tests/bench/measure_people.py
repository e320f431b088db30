"""What one person waits for beside the pages: the post to adopt, a certificate, a comment that was just approved.

    .venv/bin/python tests/bench/measure_people.py

The site runs as in production, beside a Stripe stand-in. The post to adopt is told as a multiple of the time that an
empty Django view takes for a post, under the same server; Stripe's own time, measured by asking for the same page with
the same library, is taken off. After each approval, eight readers who never pause count the answers that were asked for
later and did not have it. The memory of all processes of the site is what is theirs alone, and their part of the rest.
"""

import http.client
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import CalledProcessError
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.campaign import AS_IN_PRODUCTION  # noqa: E402
from tests.chaos.whole_site import Database, Kept, Person, eventually, hidden, say, set_up  # noqa: E402

ADOPTIONS, CERTIFICATES, APPROVALS, READERS = 40, 40, 60, 8
PAGE = "/species/amur-leopard/"


def milliseconds(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return f"p50 {1000 * cuts[49]:.1f}, p99 {1000 * cuts[98]:.1f} ms"


def timed[Found, **P](act: Callable[P, Found], *args: P.args, **kwargs: P.kwargs) -> tuple[float, Found]:
    began = time.perf_counter()
    found = act(*args, **kwargs)
    return time.perf_counter() - began, found


def adoption_posts(site: str) -> tuple[list[float], list[str]]:
    """How long each post took, and the pages of Stripe's that they led to."""
    took, pages = [], []
    for number in range(ADOPTIONS):
        amara = Person(number, site, random.Random(number))
        form = f"{site}/adopt/amur-leopard/"
        _, _, page = amara.ask(form)
        answers = {
            "frequency": "once",
            "amount_once": "3600",
            "name": f"Amara {number}",
            "email": f"amara{number}@example.org",
            "is_gift": "me",
            "attempt": hidden(page, "attempt"),
            "csrfmiddlewaretoken": hidden(page, "csrfmiddlewaretoken"),
            "step": "pay",
        }
        seconds, (status, address, page) = timed(amara.ask, form, **answers)
        assert status == 303, page
        took.append(seconds)
        pages.append(address)
    return took, pages


def stripe_times() -> list[float]:
    """The same question to the same Stripe, from here."""
    from adoptions import checkout, stripe_gateway
    from adoptions.models import Adoption

    took = []
    for adoption in Adoption.objects.order_by("pk"):
        wanted = replace(checkout.request_for(adoption), attempt="99")
        took.append(timed(stripe_gateway.create_session, wanted)[0])
    return took


def empty_posts(bare: str) -> list[float]:
    sam = Person(90_000, bare, random.Random(0))
    took = []
    for _ in range(5 * ADOPTIONS):
        seconds, (status, _, _) = timed(sam.ask, f"{bare}/empty", nothing="at all")
        assert status == 200
        took.append(seconds)
    return took


def certificate_times(site: str, person: Person) -> dict[str, list[float]]:
    from adoptions.models import Adoption

    token = Adoption.objects.adopted().latest("pk").token
    line = http.client.HTTPConnection(urlsplit(site).netloc, timeout=30)
    took: dict[str, list[float]] = {}
    for form in ("pdf", "png"):

        def fetch(form: str = form) -> int:
            line.request("GET", f"/adoptions/{token}/certificate.{form}")
            response = line.getresponse()
            response.read()
            return response.status

        for _ in range(4):  # both processes
            assert fetch() == 200
        took[form] = [timed(fetch)[0] for _ in range(CERTIFICATES)]
    line.close()
    return took


@dataclass(slots=True)
class Reader:
    """Reads the page over a line of its own, without a pause; remembers when it asked and what it saw last."""

    site: str
    seen: list[tuple[float, float, bytes]] = field(default_factory=list)
    is_over: bool = False

    def read(self) -> None:
        line = http.client.HTTPConnection(urlsplit(self.site).netloc, timeout=30)
        while not self.is_over:
            asked = time.perf_counter()
            line.request("GET", PAGE)
            response = line.getresponse()
            page = response.read()
            self.seen.append((asked, time.perf_counter(), page))
            del self.seen[:-400]
        line.close()


@contextmanager
def readers(site: str) -> Iterator[list[Reader]]:
    all_of_them = [Reader(site) for _ in range(READERS)]
    threads = [threading.Thread(target=one.read) for one in all_of_them]
    for thread in threads:
        thread.start()
    try:
        yield all_of_them
    finally:
        for one in all_of_them:
            one.is_over = True
        for thread in threads:
            thread.join()


def after(moment: float, reading: list[Reader], words: str) -> tuple[int, list[float]]:
    """Of what was asked for later, within half a second or until somebody saw it: how many, and when it was seen."""
    for _ in range(20):
        time.sleep(0.5)
        later = [one for reader in reading for one in list(reader.seen) if one[0] > moment]
        if fresh := [answered - moment for _, answered, page in later if words.encode() in page]:
            return len(later), fresh
    raise TimeoutError("Nobody saw the comment that was approved.")


def approvals(site: str) -> tuple[list[float], int, int]:
    """Seconds from each approval's answer to the first page with it; how many pages asked for later had it not, of
    how many."""
    from django.contrib.auth.models import User

    from species import comment_links
    from species.models import Comment, Species

    leopard = Species.objects.get(slug="amur-leopard")
    marek = Person(90_001, site, random.Random(1))
    link = site + comment_links.moderate(User.objects.create_superuser("marek")).removeprefix(site)
    until_seen, stale, asked_later = [], 0, 0
    with readers(site) as reading:
        for number in range(APPROVALS):
            words = f"Seen in the valley, number {number}."
            Comment.objects.create(species=leopard, name="Sam", email=f"sam{number}@example.org", body=words)
            _, _, page = marek.ask(link)
            pressed = {name: hidden(page, name) for name in ("comment", "seen_at")}
            status, _, _ = marek.ask(link, act="approve", **pressed)
            approved = time.perf_counter()
            assert status in {200, 302, 303}, status
            later, fresh = after(approved, reading, words)
            until_seen.append(min(fresh))
            asked_later += later
            stale += later - len(fresh)
    return until_seen, stale, asked_later


def memory(*pids: int) -> float:
    """Megabytes of these processes and those they started, shared pages divided among them."""
    total = 0.0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
        total += memory(*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    return total


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="pugmark-people-"))
    folder.chmod(0o755)
    set_up(**AS_IN_PRODUCTION)
    from django.core.management import call_command
    from django.db import connections

    from tests.adoptions.running_site import production_command
    from tests.bench.measure_reading import bare
    from tests.standin import Process

    site, port = os.environ["SITE_URL"], os.environ["PORT"]
    database = Database(folder, int(os.environ["PUGMARK_DB_PORT"]))
    stripe = Process(int(os.environ["STANDIN_PORT"]), folder / "stripe.sqlite", f"{site}/stripe/webhook/")
    kept: list[Kept] = []
    try:
        with Path(os.devnull).open("w") as nowhere:
            for command in (["migrate"], ["load_species"], ["load_roles"], ["collectstatic", "--noinput"]):
                call_command(*command, verbosity=0, stdout=nowhere)
        stripe.start()
        web = Kept(*production_command()[1:], f"--bind=127.0.0.1:{port}", log=folder / "web.log")
        worker = Kept("manage.py", "worker", "--no-reload", "--skip-checks", log=folder / "worker.log")
        kept += [web, worker]
        amara = Person(0, site, random.Random(0))
        assert eventually(lambda: amara.ask(f"{site}/healthz")[0] == 200, 120), "No site."
        for _ in range(20):
            amara.ask(site + PAGE)
        with bare(dict(os.environ)) as empty_site:
            adoption_posts(site)
            posts, pages = adoption_posts(site)
            of_stripe = statistics.median(stripe_times())
            empty = statistics.median(empty_posts(empty_site))
        ours = statistics.median(posts) - of_stripe
        say(f"adopt, up to Stripe: {milliseconds(posts)}; {1000 * of_stripe:.1f} of them Stripe's")
        say(f"  without Stripe's, posts a second ÷ an empty view's: {empty / ours:.3f}")
        stripe.standin.pay(urlsplit(pages[-1]).path.rpartition("/")[2])
        stripe.standin.control("wait_for_webhooks", seconds=60)
        from adoptions.models import Adoption

        assert eventually(lambda: Adoption.objects.adopted().exists(), 60), "Not adopted."
        for form, took in certificate_times(site, amara).items():
            say(f"certificate as {form}, warm: {milliseconds(took)}")
        until_seen, stale, asked_later = approvals(site)
        say(f"an approved comment is seen after: {milliseconds(until_seen)}")
        say(f"  pages asked for after an approval that had it not: {stale} of {asked_later}")
        say(f"memory of two web processes and a worker: {memory(web.process.pid, worker.process.pid):.0f} MB")
    finally:
        for process in kept:
            process.stop()
        stripe.kill()
        connections.close_all()
        with suppress(CalledProcessError):
            database.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
