"""What the supervisor does with children that behave badly, tried in this process with children of its own."""

import io
import os
import signal
import time
from pathlib import Path

import pytest

from config.local.supervisor import ASKS_TO_STOP, CannotRunError, Child, Console, Supervisor, describe, take_lock

from .checkouts import eventually


def tend_for_ever(supervisor: Supervisor) -> None:
    while supervisor.tend():
        pass


def test_child_that_states_a_reason_is_not_started_again(tmp_path: Path) -> None:
    out = io.StringIO()
    console = Console(out)
    with Supervisor([Child("typo", "no_such_command")], lock=tmp_path / "lock", console=console) as supervisor:
        supervisor.start()
        with pytest.raises(CannotRunError, match=r"^The typo cannot run: it says why above\.$"):
            tend_for_ever(supervisor)
    eventually(lambda: bool(console._held), "what the child said was read")
    console.show_held()
    assert "typo       | Unknown command: 'no_such_command'" in out.getvalue()


def test_child_that_crashes_is_started_again_and_later_each_time(tmp_path: Path) -> None:
    out = io.StringIO()
    child = Child("shell", "shell", "-v", "0", "-c", "raise SystemExit(7)")
    with Supervisor([child], lock=tmp_path / "lock", console=Console(out)) as supervisor:
        supervisor.start()
        end = time.monotonic() + 60
        while supervisor.tend() and out.getvalue().count("\n") < 2:
            assert time.monotonic() < end
    assert out.getvalue() == (
        "The shell stopped (exit code 7); starting it again in 1 s.\n"
        "The shell stopped (exit code 7); starting it again in 2 s.\n"
    )


def test_child_that_ignores_a_polite_request_is_killed_within_five_seconds(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    stubborn = (
        "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(600)"
    )
    child = Child("stubborn", "shell", "-v", "0", "-c", stubborn)
    with Supervisor([child], lock=tmp_path / "lock", console=Console(io.StringIO())) as supervisor:
        supervisor.start()
        eventually(ready.exists, "the child was busy")
        asked_at = time.monotonic()
    assert time.monotonic() - asked_at < 30  # a second, where nobody else needs the machine
    assert child.is_gone


@pytest.mark.parametrize("signum", ASKS_TO_STOP, ids=lambda signum: signum.name)
def test_whoever_asks_to_stop_is_heard_while_it_runs_and_while_it_prepares(
    tmp_path: Path, signum: signal.Signals
) -> None:
    with Supervisor([], lock=tmp_path / "lock", console=Console(io.StringIO())) as supervisor:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signum)
        supervisor.start()
        assert supervisor.tend() is True
        os.kill(os.getpid(), signum)
        assert supervisor.tend() is False


def test_second_request_to_stop_does_not_wait(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with Supervisor([], lock=lock, console=Console(io.StringIO())) as supervisor:
        supervisor.start()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert supervisor.tend() is False
    assert not lock.exists()


def test_handlers_are_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Supervisor([], lock=tmp_path / "lock", console=Console(io.StringIO())):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_lock_is_for_one(tmp_path: Path) -> None:
    file = take_lock(tmp_path / "lock")
    with pytest.raises(CannotRunError, match="already running"):
        take_lock(tmp_path / "lock")
    os.close(file)
    os.close(take_lock(tmp_path / "lock"))


def test_console_goes_on_when_its_reader_has_gone() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", buffering=1) as out:
        console = Console(out)
        console.say("first")
        assert os.read(reader, 100) == b"first\n"
        os.close(reader)
        console.say("second")
        console.relay("site", "third")
        console.show_held()
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # let it be closed in peace


@pytest.mark.parametrize(("code", "words"), [(1, "exit code 1"), (0, "exit code 0"), (-9, "killed by SIGKILL")])
def test_describe_says_how_a_process_ended(code: int, words: str) -> None:
    assert describe(code) == words
