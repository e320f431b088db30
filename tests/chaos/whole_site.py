"""A whole site of its own in a folder: database, web, worker and Stripe stand-in, and people who use it over HTTP.

Everything is a process that can be killed. For what needs a site that runs as in production: chaos, a campaign, and
several machines at one database.
"""

import http.client
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.request import HTTPCookieProcessor, HTTPDefaultErrorHandler, HTTPErrorProcessor, HTTPHandler

from tests.branches import in_project

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = ("-m", "gunicorn", "config.wsgi", "--worker-class=gthread", "--threads=4", "--log-level=critical")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Database:
    """A PostgreSQL that keeps what it has committed, unlike a developer's, which may lose its last second."""

    def __init__(self, folder: Path, port: int) -> None:
        from config.local import postgres

        self.folder, self.port, self.tools = folder, port, postgres
        self.stops = 0
        self.programs = postgres.binaries()
        self.run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C", "-D", "data")
        self.start()

    def run(self, program: str, *arguments: str) -> None:
        who: dict[str, Any] = {}
        if self.tools.IS_ROOT:
            nobody = self.tools.nobody()
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        subprocess.run(
            [str(self.programs / program), *arguments],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            umask=0o077,
            **who,
        )

    def start(self) -> None:
        # fsync only matters when the machine itself loses power, and that is not tried here.
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k . -c fsync=off -c max_connections=100"
        self.run("pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", options)

    def pid(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def stop(self) -> None:
        """As when the machine takes it away: nobody is asked to finish."""
        self.stops += 1
        self.run("pg_ctl", "stop", "-m", "immediate", "-D", "data")


class Kept:
    """A process that is started again whenever it has died, as systemd does."""

    def __init__(self, *command: str, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command, self.log, self.deaths = [sys.executable, *command], log, 0
        self.environment = {**in_project(os.environ), **(environment or {})}
        self.is_wanted, self.jump = True, 0  # seconds by which its clock is wrong, from its next start on
        self.start()
        threading.Thread(target=self.keep, daemon=True).start()

    def start(self) -> None:
        python, *program = self.command
        command = [python, "-m", "tests.chaos.jumped", str(self.jump), *program] if self.jump else self.command
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def keep(self) -> None:
        while self.is_wanted:
            if self.process.poll() is not None:
                time.sleep(0.3)
                if self.is_wanted:
                    self.start()
            time.sleep(0.1)

    def kill(self, chance: random.Random) -> None:
        """The whole of it, or one of its children."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = [int(pid) for pid in children.read_text().split()] if children.exists() else []
        self.deaths += 1
        with suppress(ProcessLookupError):
            if pids and chance.random() < 0.6:
                os.kill(chance.choice(pids), signal.SIGKILL)
            else:
                os.killpg(self.process.pid, signal.SIGKILL)

    def kill_whole(self) -> None:
        self.deaths += 1
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self) -> None:
        self.is_wanted = False
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Person:
    """Somebody at a browser, with an address of their own. They press again when something went wrong."""

    def __init__(self, number: int, site: str, chance: random.Random) -> None:
        self.site, self.chance, self.number = site, chance, number
        self.browser = urllib.request.OpenerDirector()  # as `build_opener`, less the certificates that it reads
        for part in (HTTPHandler, HTTPErrorProcessor, HTTPDefaultErrorHandler, Stay):
            self.browser.add_handler(part())
        self.browser.add_handler(HTTPCookieProcessor(CookieJar()))
        network = f"10.{number >> 8 & 255}.{number & 255}.{chance.randrange(1, 255)}"
        self.browser.addheaders = [("X-Forwarded-Proto", "http"), ("X-Forwarded-For", network), ("Referer", site)]

    def ask(self, address: str, **fields: str) -> tuple[int, str, str]:
        """Status, where it leads, and the page. 0: nobody answered."""
        body = urllib.parse.urlencode(fields).encode() if fields else None
        try:
            with self.browser.open(address, body, timeout=20) as answer:
                return answer.status, "", answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get("Location", ""), error.read().decode()
        except (OSError, ValueError, http.client.HTTPException):  # no connection, or one cut in the middle
            return 0, "", ""

    def until(self, expected: set[int], address: str, **fields: str) -> tuple[str, str]:
        """Ask, and after an error ask again, for a minute at most."""
        for _ in range(60):
            status, location, page = self.ask(address, **fields)
            if status in expected:
                return location, page
            time.sleep(self.chance.uniform(0.3, 1.5))
        raise TimeoutError(f"{address} answered {status}: {page[:300]}")

    def adopt(self) -> str:
        """The whole way; returns what became of it."""
        form = f"{self.site}/adopt/amur-leopard/"
        _, page = self.until({200}, form)
        frequency = self.chance.choice(["once", "monthly", "yearly"])
        answers = {
            "frequency": frequency,
            "amount_once": "3600",
            "amount_monthly": "500",
            "amount_yearly": "6000",
            "name": f"Amara {self.number}",
            "email": f"amara{self.number}@example.org",
            "is_gift": "me",
            "recipient_name": "",
            "attempt": hidden(page, "attempt"),
            "csrfmiddlewaretoken": hidden(page, "csrfmiddlewaretoken"),
            "step": "pay",
        }
        address, page = self.until({302, 303}, form, **answers)
        if "/c/pay/" not in address:
            raise AssertionError(f"Led to {address}")
        if self.chance.random() < 0.1:
            return "left"
        thanks, _ = self.until({302, 303}, address, method="ok")
        if self.chance.random() < 0.5:
            self.ask(thanks)  # half of all people close the window before they are back
        return "paid"


class Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are reported, not followed."""

    def redirect_request(self, *args: Any, **options: Any) -> None:
        return None


def hidden(page: str, name: str) -> str:
    tag = next(tag for tag in re.findall(r"<input[^>]*>", page) if f'name="{name}"' in tag)
    found = re.search(r'value="([^"]*)"', tag)
    assert found, tag
    return found.group(1)


# --- what became of it ---------------------------------------------------------------------------------------------


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.3)
    return True


def is_all_worked() -> bool:
    from adoptions.models import EventState, StripeEvent

    return not StripeEvent.objects.filter(state__in=[EventState.RECEIVED, EventState.PARKED]).exists()


def kept_of(books: Any) -> tuple[int, list[str]]:
    """How many events the site said it had, and those of them that it has not."""
    from adoptions.models import StripeEvent

    told = [event["id"] for event in books.all("event") if event.get("_said") == "HTTP 200"]
    known = set(StripeEvent.objects.filter(pk__in=told).values_list("pk", flat=True))
    return len(told), [one for one in told if one not in known]


def count(books: Any) -> dict[str, int]:
    """Lost and double, by adoption and by payment."""
    from django.db.models import Count, Q

    from adoptions.models import ADOPTED, Adoption, Payment

    paid = [one["id"] for one in books.all("checkout.session") if one["payment_status"] == "paid"]
    begun = Adoption.objects.filter(stripe_session_id__in=paid, state__in=ADOPTED).count()
    charges = {one["id"]: one["amount"] for one in books.all("charge") if one["status"] == "succeeded"}
    ours = dict(Payment.objects.filter(kind="charge").values_list("stripe_id", "amount_pence"))
    twice = Adoption.objects.annotate(paid=Count("payments", filter=Q(payments__kind="charge"))).filter(paid__gt=1)
    sessions = Counter(one["client_reference_id"] for one in books.all("checkout.session") if one["id"] in set(paid))
    return {
        "adoptions": len(paid),
        "lost": len(paid) - begun + len(charges.keys() - ours.keys()),
        "double": twice.count()
        + sum(1 for times in sessions.values() if times > 1)
        + len(ours.keys() - charges.keys()),
        "pence_off": sum(charges.values()) - sum(ours.values()),
    }


def set_up(**more: str) -> None:
    """Ports and a database of its own, for this process and for all it starts."""
    sys.path.insert(0, str(ROOT))
    from tests.config.local.checkouts import free_port  # needs nothing of Django

    port = free_port()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "True",
        "PORT": str(port),
        "STANDIN_PORT": str(port + 1),
        "MAILBOX_PORT": str(port + 2),
        "MAILBOX_SMTP_PORT": str(port + 4),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "PUGMARK_DB_PORT": str(port + 3),
        "DATABASE_URL": f"postgres://postgres@127.0.0.1:{port + 3}/postgres",
        "BEHIND_PROXY": "True",  # so that each person has an address of their own
        "LOG_LEVEL": "WARNING",
        **more,
    }
    import django

    django.setup()
