"""`make run` is what a newcomer sees first: it must tell the truth, and leave nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from .checkouts import (
    PATIENCE,
    Demo,
    copy_of_project,
    environment_in,
    eventually,
    free_port,
    open_to_postgres,
    pids_of,
    processes_in,
    running_demo,
)


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """For tests that leave it running; at the end it is interrupted at the terminal, and leaves nothing."""
    folder = copy_of_project(open_to_postgres(tmp_path_factory.mktemp("demo") / "a site"))
    with running_demo(folder, free_port()) as demo:
        yield demo
        stops_and_leaves_nothing(demo, signal.SIGINT)


def test_demo_serves_all_that_its_banner_says(started: Demo) -> None:
    banner, port = started.banner, started.port
    assert banner["Site"] == f"http://127.0.0.1:{port}/"
    assert banner["Admin"] == f"http://127.0.0.1:{port}/admin/"
    assert banner["Mailbox"] == f"http://127.0.0.1:{port + 2}/"
    assert banner["Stripe stand-in"] == f"http://127.0.0.1:{port + 1}/"
    assert banner["Staff user"] == "staff"
    assert len(banner["Password"]) == 19
    assert "Amur leopard" in fetch(banner["Site"])
    assert "csrfmiddlewaretoken" in fetch(banner["Admin"])
    assert json.loads(fetch(banner["Mailbox"] + "messages.json")) == {"count": 0, "messages": []}
    with socket.create_connection(("127.0.0.1", port + 1), timeout=5):
        pass
    eventually(lambda: is_ready(banner["Site"]), "the worker showed a sign of life")


def is_ready(site: str) -> bool:
    try:
        return bool(json.loads(fetch(f"{site}readyz"))["ready"])
    except OSError:
        return False


def stops_and_leaves_nothing(demo: Demo, signum: signal.Signals) -> None:
    assert len(pids_of(demo.checkout, "config.local.child", "worker")) >= 1
    asked_at = time.monotonic()
    demo.process.send_signal(signum)
    assert demo.process.wait(timeout=PATIENCE) == 0
    assert time.monotonic() - asked_at < 30  # a second, where nobody else needs the machine
    assert demo.output.endswith("Stopped.\n")
    assert processes_in(demo.checkout) == []
    assert not (demo.checkout / ".local" / f"demo-{demo.port}.lock").exists()


def test_demo_killed_takes_its_children_and_a_second_run_works_at_once(checkout: Path) -> None:
    port = free_port()
    with running_demo(checkout, port) as killed:
        password = killed.banner["Password"]
        killed.process.kill()
        with running_demo(checkout, port) as second:
            assert second.banner["Password"] == password  # the data, and the account, are still there
            assert "Amur leopard" in fetch(second.banner["Site"])
            stops_and_leaves_nothing(second, signal.SIGTERM)


def test_demo_starts_again_what_crashes(started: Demo) -> None:
    assert started.banner["Mailbox"]
    [mailbox] = pids_of(started.checkout, "config.local.child", "mailbox")
    os.kill(mailbox, signal.SIGKILL)
    started.wait_for("The mailbox stopped (killed by SIGKILL); starting it again in 1 s.")
    eventually(lambda: pids_of(started.checkout, "config.local.child", "mailbox") not in ([], [mailbox]), "it was back")


@pytest.mark.parametrize(("offset", "whose"), [(0, "site"), (1, "stand-in"), (2, "mailbox"), (25, "mailbox")])
def test_demo_says_which_port_is_taken(checkout: Path, offset: int, whose: str) -> None:
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + offset))
        taken.listen()
        with running_demo(checkout, port) as demo:
            assert demo.process.wait(timeout=PATIENCE) == 1
            assert demo.output == (
                f"Port {port + offset} for the {whose} is taken. Stop what uses it, or choose another: "
                f"PORT={port + 10} make run\n"
            )
            assert processes_in(checkout) == []


def test_demo_twice_on_one_port_is_refused(started: Demo) -> None:
    assert started.banner["Site"]
    second = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        cwd=started.checkout,
        env=environment_in(started.checkout, PORT=str(started.port)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr.startswith("It is already running from this folder on this port.")
    assert "Amur leopard" in fetch(started.banner["Site"])


def test_demo_stopped_while_it_prepares_leaves_nothing(checkout: Path) -> None:
    with running_demo(checkout, free_port()) as demo:
        demo.wait_for("Preparing the database")
        demo.process.terminate()
        # On a machine out of breath the interrupt was once seen to end the process itself (-2) before its last word.
        assert demo.process.wait(timeout=PATIENCE) in {0, -signal.SIGINT}
        assert demo.output.removesuffix("Stopped.\n") == "Preparing the database …\n"
        assert processes_in(checkout) == []


def test_demo_refuses_to_be_production(checkout: Path) -> None:
    production = {
        "DEBUG": "False",
        "SECRET_KEY": "x" * 60,
        "ALLOWED_HOSTS": "pugmark.example.org",
        "SITE_URL": "https://pugmark.example.org",
        "DATABASE_URL": "postgres://nowhere.invalid/pugmark",
        "STRIPE_SECRET_KEY": "sk_live_not_a_key",
        "STRIPE_WEBHOOK_SECRETS": "whsec_not_a_secret",
        "EMAIL_URL": "smtp://nowhere.invalid",
        "DEFAULT_FROM_EMAIL": "hello@example.org",
        "CHARITY_NAME": "Example Trust",
        "CHARITY_NUMBER": "1",
    }
    for command, sentence in {
        "demo": "The demonstration is a development site. Unset DEBUG, or set it to True.\n",
        "mailbox": "CommandError: The development mailbox delivers nothing: set EMAIL_URL to a mail server.\n",
    }.items():
        run = subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=checkout,
            env=environment_in(checkout, **production),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode, run.stderr) == (1, sentence)
