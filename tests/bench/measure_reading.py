"""How many pages a second, as a multiple of an empty Django view under the same server.

    .venv/bin/python tests/bench/measure_reading.py [name=address …]

The site runs as in production, on a database of its own, with 30 comments on the page. Needs wrk; nginx, where it is
installed, hands out the same page as a file. Whatever else answers over HTTP (a WordPress, a Wagtail, with a page like
ours) takes part by its address. All take turns, so that a busy machine slows each alike; no figure passes or fails.
"""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.measure_lighthouse import environment, running_site, say, wait_for  # noqa: E402

ROUNDS, SECONDS, CONNECTIONS = int(os.environ.get("ROUNDS", "7")), 3, 8
PAGE = "/species/amur-leopard/"
EMPTY = "empty Django view"
SERVER = ("-m", "gunicorn", "--worker-class=gthread", "--workers=2", "--threads=4", "--log-level=warning")
CONTENT = """
from adoptions.models import Campaign
from django.contrib.auth.models import User
from species.models import Comment, Species
leopard = Species.objects.get(slug="amur-leopard")
for number in range(30):
    Comment.objects.create(
        species=leopard, name="Sam", email=f"sam{number}@example.org", body="They are beautiful, and so few. " * 6
    )
Comment.objects.all().approve(by=User.objects.create(username="marek"))
Campaign.objects.create(code="winter-26", name="Winter", species=leopard, landing_text="Welcome, readers.")
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def bare(there: dict[str, str]) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, *SERVER, f"--bind=127.0.0.1:{port}", "tests.bench.bare:application"]
    with subprocess.Popen(command, cwd=ROOT, env=there) as running:
        try:
            wait_for(f"http://127.0.0.1:{port}/empty")
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()


@contextmanager
def as_a_file(page: bytes) -> Iterator[str]:
    """The page as nginx hands out a file: as quick as it gets."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "page.html").write_bytes(page)
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log stderr crit; worker_processes 2; events {{}}\n"
            f"http {{ access_log off; client_body_temp_path {folder}; types {{ text/html html; }}\n"
            f"server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
        )
        with subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL) as running:
            try:
                wait_for(f"http://127.0.0.1:{port}/page.html")
                yield f"http://127.0.0.1:{port}/page.html"
            finally:
                running.terminate()


def rate(address: str, *headers: str) -> float:
    """Requests a second; RuntimeError if any was not answered as it should be."""
    command = ["wrk", "--threads=1", f"--connections={CONNECTIONS}", f"--duration={SECONDS}s"]
    for header in headers:
        command += ["--header", header]
    said = subprocess.run([*command, address], capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    is_cut = "Socket errors" in said and "connect 0, read 0, write 0" not in said  # slow is no error
    if not found or "Non-2xx" in said or is_cut:
        raise RuntimeError(f"{address}: {said}")
    return float(found.group(1))


def main() -> None:
    if not shutil.which("wrk"):
        say("wrk is not installed (Debian: apt install wrk), so pages a second were not measured.")
        return
    others = dict(argument.split("=", 1) for argument in sys.argv[1:])
    with ExitStack() as stack:
        site = stack.enter_context(running_site("config.wsgi", workers=2))
        from config.local.postgres import DATABASE as LOCAL

        there = environment(0, LOCAL["HOST"])
        shell = [sys.executable, "manage.py", "shell", "--verbosity=0", "--command", CONTENT]
        subprocess.run(shell, cwd=ROOT, env=there, check=True)
        plain = stack.enter_context(bare(there))
        with urllib.request.urlopen(site + PAGE) as answer:
            page, etag = answer.read(), answer.headers["ETag"]
        targets: dict[str, tuple[str, ...]] = {
            EMPTY: (f"{plain}/empty",),
            "plain page, six queries": (f"{plain}/plain",),
            "our empty view (/healthz)": (f"{site}/healthz",),
            "species page, from memory": (site + PAGE,),
            "the same, as browsers ask (Brotli)": (site + PAGE, "Accept-Encoding: gzip, deflate, br, zstd"),
            "the same, by a campaign's link": (f"{site}{PAGE}?c=winter-26",),
            "the same, by a code that is nobody's": (f"{site}{PAGE}?c=made-up",),
            "species page, not changed (304)": (site + PAGE, f"If-None-Match: {etag}"),
            "species page, made anew": (f"{site}{PAGE}?anew",),
            "home page, from memory": (f"{site}/",),
            **{name: (address,) for name, address in others.items()},
        }
        if shutil.which("nginx"):
            targets["the page as a file, nginx"] = (stack.enter_context(as_a_file(page)),)
        rates: dict[str, list[float]] = {name: [] for name in targets}
        for target in targets.values():
            rate(*target)
        for _round in range(ROUNDS):
            for name, target in targets.items():
                rates[name].append(rate(*target))
    floor = statistics.median(rates[EMPTY])
    say(f"{len(page)} bytes, {os.cpu_count()} processors; pages a second ÷ {EMPTY} (lowest and highest of {ROUNDS})")
    for name, found in rates.items():
        low, middle, high = min(found) / floor, statistics.median(found) / floor, max(found) / floor
        say(f"  {name:34} {middle:7.3f}   {low:.3f} to {high:.3f}")


if __name__ == "__main__":
    main()
