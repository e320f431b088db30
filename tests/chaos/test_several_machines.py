"""Two web servers and two workers at one database, behind a balancer, through PgBouncer where it is installed.

Each of them dies in its turn, with -9 and for good until the other has done the work; nothing may be lost, done twice,
or shown by one and not by the other. Ports stand for machines: the processes share nothing but PostgreSQL.
"""

import contextlib
import itertools
import os
import random
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection

from adoptions.models import ADOPTED, Adoption
from config import heartbeat
from species import moderation
from species.models import Species
from species.page_state import SHARED_FOR
from tests.adoptions.invariants import violations
from tests.chaos.whole_site import GUNICORN, ROOT, Kept, Person, count, eventually, is_all_worked
from tests.config.local.checkouts import free_port, open_to_postgres
from tests.makers import make_plan
from tests.our_content import put_our_content
from tests.species.makers import make_comment
from tests.standin import Standin, running

pytestmark = pytest.mark.django_db(transaction=True)

PGBOUNCER = shutil.which("pgbouncer")
CLIENTS_TO_POSTGRES = 6  # fewer than the site's processes and threads: they must share


class Balancer(socketserver.ThreadingTCPServer):
    """Hands each connection to the next web server that takes it, and notices nothing else, as a simple one does."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, port: int, behind: list[int]) -> None:
        self.turn = itertools.cycle(behind)
        self.behind = behind
        super().__init__(("127.0.0.1", port), Handed)


class Handed(socketserver.BaseRequestHandler):
    server: Balancer

    def handle(self) -> None:
        for _ in self.server.behind:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", next(self.server.turn))) as there:
                back = threading.Thread(target=pump, args=(there, self.request), daemon=True)
                back.start()
                pump(self.request, there)
                back.join()
                return


def pump(source: socket.socket, drain: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            drain.sendall(piece)
    with contextlib.suppress(OSError):
        drain.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def pooled(folder: Path) -> Iterator[str]:
    """The address of the test's database: PgBouncer's in transaction mode, or PostgreSQL's own where there is none."""
    database = connection.settings_dict
    name, host, port = database["NAME"], database["HOST"], database["PORT"]
    if PGBOUNCER is None:
        yield f"postgres://postgres@{str(host).replace('/', '%2F')}:{port}/{name}"
        return
    entry = free_port() + 3
    (folder / "users.txt").write_text('"postgres" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"""[databases]
{name} = host='{host}' port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {entry}
unix_socket_dir =
auth_type = any
auth_file = {folder}/users.txt
admin_users = postgres
pool_mode = transaction
max_client_conn = 100
default_pool_size = {CLIENTS_TO_POSTGRES}
ignore_startup_parameters = options
"""
    )
    as_nobody = ["--user=nobody"] if os.geteuid() == 0 else []
    with (folder / "pgbouncer.log").open("w") as log:
        process = subprocess.Popen([PGBOUNCER, *as_nobody, str(folder / "pgbouncer.ini")], stdout=log, stderr=log)
    try:
        yield f"postgres://postgres@127.0.0.1:{entry}/{name}?DISABLE_SERVER_SIDE_CURSORS=True"
        with psycopg.connect(f"postgres://postgres@127.0.0.1:{entry}/pgbouncer", autocommit=True) as console:
            pools = console.execute("SHOW POOLS").fetchall()
        assert any(name in row and "transaction" in row for row in pools), pools
    finally:
        process.terminate()
        process.wait()


class Machines:
    def __init__(self, folder: Path, environment: Mapping[str, str], ports: list[int]) -> None:
        self.ports, self.folder = ports, folder
        self.all = [self.web(folder, environment, port) for port in ports]
        self.all += [
            Kept("manage.py", "worker", "--no-reload", log=folder / "workers.log", environment=environment)
            for _ in range(2)
        ]

    def web(self, folder: Path, environment: Mapping[str, str], port: int) -> Kept:
        bind = f"--bind=127.0.0.1:{port}"
        return Kept(*GUNICORN, "--workers=1", bind, log=folder / "webs.log", environment=environment)

    def said(self) -> str:
        return "\n".join(file.read_text()[-3000:] for file in sorted(self.folder.glob("*.log")))

    def kill(self, which: int) -> None:
        """The web server and the worker of one machine, which stay away."""
        for one in (self.all[which], self.all[2 + which]):
            one.stop()

    def bring_back(self, which: int) -> None:
        for one in (self.all[which], self.all[2 + which]):
            one.is_wanted = True
            one.start()

    def has(self, which: int) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.ports[which]}/healthz"):
            return True
        return False

    def page(self, which: int) -> str:
        address = f"http://127.0.0.1:{self.ports[which]}/species/amur-leopard/"
        with urllib.request.urlopen(address, timeout=20) as answer:
            return str(answer.read().decode())


@pytest.fixture
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machines, str, Standin]]:
    folder = open_to_postgres(tmp_path_factory.mktemp("machines") / "two of each")
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    put_our_content()
    make_plan()
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    with pooled(folder) as database, running(f"{site}/stripe/webhook/") as standin:
        environment = {
            "DATABASE_URL": database,
            "SITE_URL": site,
            "STANDIN_PORT": standin.url.rpartition(":")[2],
            "EMAIL_URL": "dummymail://",
            "BEHIND_PROXY": "True",
            "LOG_LEVEL": "WARNING",
        }
        environment |= dict.fromkeys(("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"), "")
        both = Machines(folder, environment, [port + 1, port + 2])
        balancer = Balancer(port, both.ports)
        threading.Thread(target=balancer.serve_forever, daemon=True).start()
        try:
            assert eventually(lambda: both.has(0) and both.has(1), 60), (folder / "webs.log").read_text()[-2000:]
            yield both, site, standin
        finally:
            for one in both.all:
                one.stop()
            balancer.shutdown()
            balancer.server_close()


def adopt_together(site: str, numbers: range) -> list[threading.Thread]:
    people = [Person(number, site, random.Random(number)) for number in numbers]
    threads = [threading.Thread(target=person.adopt) for person in people]
    for thread in threads:
        thread.start()
    return threads


def test_either_machine_may_die_and_nothing_is_lost_or_done_twice(
    machines: tuple[Machines, str, Standin],
) -> None:
    both, site, standin = machines
    for dies, first in ((0, 1), (1, 4)):
        crowd = adopt_together(site, range(first, first + 3))
        time.sleep(0.3)  # some are in the middle of it
        both.kill(dies)
        for thread in crowd:
            thread.join()
        assert standin.control("wait_for_webhooks", seconds=60)["quiet"]
        assert eventually(is_all_worked, 60)
        both.bring_back(dies)
        assert eventually(lambda dies=dies: both.has(dies), 60)  # type: ignore[misc]
    assert standin.books is not None
    counted = count(standin.books)
    assert counted["adoptions"] >= 4, both.said()  # one in ten leaves before paying
    assert (counted["lost"], counted["double"], counted["pence_off"]) == (0, 0, 0)
    assert violations(standin.books) == []
    assert Adoption.objects.filter(state__in=ADOPTED).count() == counted["adoptions"]
    assert heartbeat.last_beat() is not None
    assert compared(both) == "0 differences are open.\n"
    each_shows_what_the_other_published(both)


def compared(both: Machines) -> str:
    """What `manage.py reconcile` says in the end, at the same address of the database."""
    command = [sys.executable, "manage.py", "reconcile"]
    ran = subprocess.run(command, cwd=ROOT, env=both.all[2].environment, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines(keepends=True)[-1]


def each_shows_what_the_other_published(both: Machines) -> None:
    """At its next answer, as soon as a machine that did not write it itself may know: each holds the page in memory."""
    marek = User.objects.create_user("marek", is_staff=True)
    comment = make_comment("I saw one at dawn, near the river.", species=Species.objects.get(slug="amur-leopard"))
    assert all("near the river" not in both.page(which) for which in (0, 1, 0, 1))
    assert moderation.approve([comment.pk], by=marek) == 1
    time.sleep(SHARED_FOR)
    assert all("near the river" in both.page(which) for which in (0, 1))
    assert moderation.reopen([comment.pk], by=marek) == 1
    time.sleep(SHARED_FOR)
    assert all("near the river" not in both.page(which) for which in (1, 0))
