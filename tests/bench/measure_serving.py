"""How many processes of how many threads answer best, each as a multiple of what production runs.

    .venv/bin/python tests/bench/measure_serving.py

Every choice runs the whole site on the same database, and all take turns. Of each are told: pages a second from memory,
asked for by few and by many at once; pages a second made anew, which is processor and PostgreSQL; and how long a page
from memory waits at worst (99 of 100) while others have pages made anew: whether the slow hold up the quick. Needs
wrk. No figure passes or fails: config/deploy/ says which choice was made, RESULTS.md what was measured.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.measure_lighthouse import environment, ready_database, say, served  # noqa: E402
from tests.bench.measure_reading import CONTENT, PAGE  # noqa: E402

ROUNDS, SECONDS = int(os.environ.get("ROUNDS", "5")), 3
AS_BROWSERS_ASK = "Accept-Encoding: gzip, deflate, br, zstd"
PRODUCTION = (2, 4)
CHOICES = ((1, 4), (1, 8), (2, 1), (2, 2), PRODUCTION, (2, 8), (2, 16), (3, 4), (4, 2), (4, 4))
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def asking(address: str, connections: int) -> list[str]:
    return [
        *("wrk", "--threads=1", "--latency", "--timeout=30s", f"--connections={connections}"),
        *(f"--duration={SECONDS}s", "--header", AS_BROWSERS_ASK, address),
    ]


def read(said: str) -> tuple[float, float]:
    """Answers a second, and the milliseconds that 99 of 100 took at most; RuntimeError if one failed."""
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    slowest = re.search(r"99%\s+([0-9.]+)(us|ms|s)", said)
    if not rate or not slowest or "Non-2xx" in said:
        raise RuntimeError(said)
    return float(rate[1]), float(slowest[1]) * UNITS[slowest[2]]


def asked(address: str, connections: int) -> tuple[float, float]:
    return read(subprocess.run(asking(address, connections), capture_output=True, text=True, check=True).stdout)


def asked_among_slow(page: str, anew: str) -> float:
    """Milliseconds of a page from memory, at the 99th of 100, while eight others have pages made anew."""
    with subprocess.Popen(asking(anew, 8), stdout=subprocess.DEVNULL) as others:
        _, slowest = asked(page, 2)
        others.wait()
    return slowest


def measured(site: str) -> dict[str, float]:
    page, anew = site + PAGE, f"{site}{PAGE}?anew"
    return {
        "from memory, 8 at once": asked(page, 8)[0],
        "from memory, 64 at once": asked(page, 64)[0],
        "made anew, 8 at once": asked(anew, 8)[0],
        "p99 among slow ones": asked_among_slow(page, anew),
    }


def main() -> None:
    if not shutil.which("wrk"):
        say("wrk is not installed (Debian: apt install wrk), so processes and threads were not compared.")
        return
    with ExitStack() as stack:
        folder = stack.enter_context(ready_database())
        shell = [sys.executable, "manage.py", "shell", "--verbosity=0", "--command", CONTENT]
        subprocess.run(shell, cwd=ROOT, env=environment(0, folder), check=True)
        sites = {choice: stack.enter_context(served("config.wsgi", folder, *choice)) for choice in CHOICES}
        found: dict[tuple[int, int], list[dict[str, float]]] = {choice: [] for choice in CHOICES}
        for site in sites.values():
            asked(site + PAGE, 2)
        for _round in range(ROUNDS):
            for choice, site in sites.items():
                found[choice].append(measured(site))
    tell(found)


def tell(found: dict[tuple[int, int], list[dict[str, float]]]) -> None:
    middle = {
        choice: {what: statistics.median(one[what] for one in rounds) for what in rounds[0]}
        for choice, rounds in found.items()
    }
    now = middle[PRODUCTION]
    say(f"{os.cpu_count()} processors; each ÷ {PRODUCTION[0]} processes of {PRODUCTION[1]} threads, of {ROUNDS} rounds")
    say("  processes x threads  " + "  ".join(now))
    for (workers, threads), figures in middle.items():
        told = "  ".join(f"{figures[what] / now[what]:{len(what)}.2f}" for what in now)
        say(f"  {workers:9} x {threads:<7}  {told}")
    say(f"  p99 among slow ones, as it is: {now['p99 among slow ones']:.0f} ms")


if __name__ == "__main__":
    main()
