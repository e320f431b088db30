"""Lighthouse (mobile, simulated slow 4G) over the pages people come to, on the site as production serves it.

    .venv/bin/python tests/bench/measure_lighthouse.py [address …]

The site runs under gunicorn with hashed files, on a database made for this and removed afterwards; pages are compressed
as the server in front of it would. A page of 479 bytes, measured in between, is the floor: what matters is by how much
later than that a page shows its largest part. Lighthouse comes through npx, in the version npm has; where npx or
Chromium is missing, or npm does not answer, the script says so and ends well.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

PAGES = ("/", "/species/amur-leopard/", "/threats/", "/sources/", "/adopt/amur-leopard/", "/my-adoption/")
FLOOR = "/floor"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
DATABASE = "pugmark_lighthouse"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""
SWITCHES = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
Respond = Callable[[str, list[tuple[str, str]]], Any]


@cache
def site() -> Any:
    from config.wsgi import application

    return application


def application(environ: dict[str, Any], start_response: Respond) -> Iterable[bytes]:
    """The site, with words compressed on their way as a proxy or a CDN does it; and the floor."""
    import brotli  # type: ignore[import-untyped]  # the package ships no types

    if environ["PATH_INFO"] == FLOOR:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "479")])
        return [floor()]
    answer: list[Any] = []
    body = b"".join(site()(environ, lambda status, headers, _info=None: answer.extend((status, headers))))
    status, headers = answer
    names = {name.lower(): value for name, value in headers}
    if names.get("content-type", "").startswith(("text/html", "image/svg")) and "content-encoding" not in names:
        body = brotli.compress(body, quality=5)
        headers = [header for header in headers if header[0].lower() != "content-length"]
        headers += [("Content-Encoding", "br"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]


def floor() -> bytes:
    page = (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>The floor</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="description" content="As little as a page can be."><link rel="icon" href="data:,"></head>'
        "<body><main><h1>The floor</h1><p>{}</p></main></body></html>"
    )
    return page.format("." * (479 - len(page) + 2)).encode()


def environment(port: int, socket_folder: str) -> dict[str, str]:
    """Production as far as a laptop can: nothing here can take money or send mail."""
    return {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}},
        "PGHOST": socket_folder,
        "DATABASE_URL": f"postgres://postgres@/{DATABASE}",
        "SECRET_KEY": "measured-and-thrown-away-" * 3,
        "ALLOWED_HOSTS": "127.0.0.1",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "STRIPE_SECRET_KEY": "sk_live_nothing_is_taken",
        "STRIPE_WEBHOOK_SECRETS": "whsec_nothing",
        "EMAIL_URL": "smtp://127.0.0.1:9",
        "DEFAULT_FROM_EMAIL": "hello@example.org",
        "CHARITY_NAME": "Leopard Trust",
        "CHARITY_NUMBER": "1234567",
    }


@contextmanager
def ready_database() -> Iterator[str]:
    """The folder of PostgreSQL's socket, behind which the site's database and files are ready; removed after."""
    import psycopg

    from config.local.postgres import DATABASE as LOCAL
    from config.local.postgres import ensure_running

    ensure_running()
    there = environment(0, LOCAL["HOST"])
    with psycopg.connect(host=LOCAL["HOST"], user=LOCAL["USER"], dbname="postgres", autocommit=True) as postgres:
        postgres.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        postgres.execute(f"CREATE DATABASE {DATABASE}")
        try:
            for command in (["migrate", "--verbosity=0"], ["load_species"], ["collectstatic", "--noinput"]):
                run = [sys.executable, "manage.py", *command]
                subprocess.run(run, cwd=ROOT, env=there, check=True, stdout=subprocess.DEVNULL)
            yield LOCAL["HOST"]
        finally:
            postgres.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


@contextmanager
def served(application: str, socket_folder: str, workers: int, threads: int = 4) -> Iterator[str]:
    """The address of a gunicorn as production runs it, with so many processes of so many threads."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = [sys.executable, "-m", "gunicorn", application, f"--workers={workers}", f"--threads={threads}"]
    options = [f"--bind=127.0.0.1:{port}", "--worker-class=gthread", "--no-control-socket"]
    options += ["--config=python:config.serving", "--log-level=warning"]
    with subprocess.Popen([*server, *options], cwd=ROOT, env=environment(port, socket_folder)) as running:
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{address}/healthz")
            yield address
        finally:
            running.terminate()


@contextmanager
def running_site(application: str = "tests.bench.measure_lighthouse:application", workers: int = 1) -> Iterator[str]:
    """The site's address. What it needs is made before, and the database removed after."""
    with ready_database() as socket_folder, served(application, socket_folder, workers) as address:
        yield address


def wait_for(address: str) -> None:
    for _try in range(300):
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{address} does not answer.")


def lighthouse(address: str) -> dict[str, Any]:
    """What Lighthouse found; RuntimeError with its words where it could not look."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = ["npx", "--yes", "lighthouse", address, "--quiet", "--output=json", f"--output-path={report.name}"]
        there = os.environ | {"CHROME_PATH": CHROMIUM}
        done = subprocess.run(
            [*command, f"--chrome-flags={SWITCHES}"], env=there, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip()[-600:])
        found: dict[str, Any] = json.loads(Path(report.name).read_text())
        return found


def measured(found: list[dict[str, Any]]) -> tuple[list[int], float]:
    """The worst of each score, in hundredths, and the median of the largest contentful paint, in seconds."""
    scores = [min(round(each["categories"][name]["score"] * 100) for each in found) for name in CATEGORIES]
    paint = statistics.median(each["audits"]["largest-contentful-paint"]["numericValue"] for each in found)
    return scores, paint / 1000


def faults(found: dict[str, Any]) -> Iterator[str]:
    """What costs a score: every audit with a weight that is not whole."""
    for name in CATEGORIES:
        for part in found["categories"][name]["auditRefs"]:
            audit = found["audits"][part["id"]]
            if part["weight"] and audit["score"] is not None and audit["score"] < (0.9 if name == CATEGORIES[0] else 1):
                yield f"    {name}: {audit['title']} ({audit.get('displayValue') or audit['score']})"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def compare(address: str, pages: list[str]) -> None:
    found: dict[str, list[dict[str, Any]]] = {page: [] for page in [FLOOR, *pages]}
    for _round in range(ROUNDS):
        for page, reports in found.items():
            reports.append(lighthouse(address + page))
    _scores, lowest = measured(found[FLOOR])
    say(f"{'page':26}{'perf / a11y / best / SEO':>26}{'LCP':>9}{'over floor':>12}{'bytes':>9}{'requests':>10}")
    for page, reports in found.items():
        scores, paint = measured(reports)
        requests = reports[0]["audits"]["network-requests"]["details"]["items"]
        size = sum(request["transferSize"] for request in requests)
        words = " / ".join(map(str, scores))
        say(f"{page:26}{words:>26}{paint:7.2f} s{paint - lowest:10.2f} s{size:9}{len(requests):10}")
        for fault in faults(reports[0]):
            say(fault)


def main() -> None:
    if not shutil.which("npx") or not CHROMIUM:
        say("Lighthouse needs npx (it comes with Node.js) and Chromium: not measured.")
        return
    with running_site() as address:
        try:
            compare(address, sys.argv[1:] or list(PAGES))
        except RuntimeError as error:
            say(f"Lighthouse could not measure: {error}")


if __name__ == "__main__":
    main()
