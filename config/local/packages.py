"""The list of packages that goes with a release, and a look for known holes in them: `make audit`.

Where the register of holes does not answer, that is said and is no failure: a build machine without a way out builds
all the same. A package with a known hole is one, unless it is argued below. Holes are mended by new releases, so
packages that are behind the newest one are named besides: that only takes the registry they were installed from.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parents[2]
LOCKED = BASE_DIR / "requirements-optional.txt"  # all that production may run
LIST = BASE_DIR / ".local" / "sbom.json"
PATIENCE = 15  # seconds
# A hole that does not concern us: its id, and why.
ARGUED: dict[str, str] = {}


def write_list(to: Path = LIST) -> int:
    """CycloneDX, from the lock file with its hashes; returns how many packages are in it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    made = ["requirements", str(LOCKED), "--output-reproducible", "--of", "JSON", "-o", str(to)]
    subprocess.run([sys.executable, "-m", "cyclonedx_py", *made], check=True, timeout=60)
    return len(json.loads(to.read_text())["components"])


def ask() -> dict[str, Any] | None:
    """What pip-audit found; None where it got no answer."""
    options = ["--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json", "--timeout=5"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", *options, "-r", str(LOCKED)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return found


def locked(file: Path = LOCKED) -> dict[str, str]:
    """Version by name, of all that a lock file names."""
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([^ ;]+)", file.read_text(), re.MULTILINE))


def newest() -> dict[str, str] | None:
    """Newest release by name, of the packages here that have a newer one; None where the registry did not answer."""
    command = [sys.executable, "-m", "pip", "list", "--outdated", "--format=json", "--retries=0", "--timeout=5"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=4 * PATIENCE)
    except (subprocess.SubprocessError, OSError):
        return None
    return {each["name"].lower().replace("_", "-"): each["latest_version"] for each in json.loads(done.stdout)}


def behind(newer: dict[str, str] | None) -> str:
    """In a sentence. No failure: a new release is no hole, and what a package asks for may hold another one back."""
    if newer is None:
        return "Newer releases were not looked for: the registry did not answer."
    ours = [f"{name} {version} ({newer[name]})" for name, version in locked().items() if name in newer]
    return f"{len(ours)} of {len(locked())} packages have a newer release{': ' if ours else '.'}{', '.join(ours)}"


def judge(found: dict[str, Any] | None) -> tuple[list[str], bool]:
    """In sentences, and whether the build may go on."""
    every = (found or {}).get("dependencies", [])
    asked = [each for each in every if "skip_reason" not in each]
    if not asked:
        return ["Known holes were not looked for: the registry did not answer."], True
    holes = [
        f"{each['name']} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'nothing yet'}."
        for each in asked
        for hole in each["vulns"]
        if hole["id"] not in ARGUED
    ]
    unasked = [f"{each['name']} could not be looked at." for each in every if "skip_reason" in each]
    return [f"{len(asked)} packages were looked at, {len(holes)} known holes.", *holes, *unasked], not holes


def main() -> None:
    print(f"{write_list()} packages are listed in {LIST.relative_to(BASE_DIR)}.")
    sentences, may_go_on = judge(ask())
    print("\n".join([*sentences, behind(newest())]))
    sys.exit(not may_go_on)


if __name__ == "__main__":
    main()
