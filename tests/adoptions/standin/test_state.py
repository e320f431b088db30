"""Nothing that was answered is lost, nothing half-done is kept."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.state import State
from tests.adoptions.standin.conftest import Receiver, checkout, subscribe
from tests.standin import Process, running


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], State]]:
    """Opens the state in the same file as often as it is called, as one process after another would."""
    states: list[State] = []

    def again() -> State:
        for state in states:
            state.close()
        states.append(State(tmp_path / "deep" / "state.jsonl"))
        return states[-1]

    yield again
    states[-1].close()


def test_change_that_fails_leaves_nothing(opened: Callable[[], State]) -> None:
    state = opened()
    state.put("kind", "kept", {"n": 1})

    def spoil() -> None:
        with state.change():
            state.put("kind", "kept", {"n": 2})
            state.put("kind", "new", {"n": 3})
            state.remove("kind", "kept")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        spoil()
    assert state.items("kind") == [("kept", {"n": 1})]
    assert opened().items("kind") == [("kept", {"n": 1})]


def test_state_outlives_its_process_in_order(opened: Callable[[], State]) -> None:
    state = opened()
    for n in range(5):
        state.put("kind", f"k{n}", {"n": n})
    state.put("kind", "k1", {"n": "changed"})
    state.remove("kind", "k3")
    again = opened()
    assert again.items("kind") == state.items("kind")
    assert [one["n"] for one in again.all("kind")] == [4, 2, "changed", 0]


def test_line_cut_in_half_is_forgotten(opened: Callable[[], State], tmp_path: Path) -> None:
    opened().put("kind", "kept", {"n": 1})
    with (tmp_path / "deep" / "state.jsonl").open("ab") as file:
        file.write(b'[["kind", "half", "{\\"n\\": 2')
    opened().put("kind", "after", {"n": 3})
    assert opened().items("kind") == [("kept", {"n": 1}), ("after", {"n": 3})]


def test_object_read_is_a_copy() -> None:
    state = State()
    state.put("kind", "key", {"n": [1]})
    found = state.get("kind", "key")
    assert found is not None
    found["n"].append(2)
    assert state.get("kind", "key") == {"n": [1]}


def test_object_that_must_be_there_is_missed_by_name() -> None:
    with pytest.raises(LookupError, match="No charge ch_none"):
        Books().need("charge", "ch_none")


def test_restart_goes_on_where_it_was(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "state.jsonl"
    with running(receiver.url, path) as standin:
        standin.control("webhooks", paused=1)
        key = subscribe(standin)
        ahead = standin.advance(days=10)
        before = standin.client.v1.subscriptions.retrieve(key).to_dict(for_json=True)
    with running(receiver.url, path) as standin:
        assert standin.client.v1.subscriptions.retrieve(key).to_dict(for_json=True) == before
        assert 0 <= standin.control("now")["now"] - ahead < 60
        standin.control("webhooks", paused=0)
        standin.wait()
        assert len(receiver.bodies) == len(standin.events())
        standin.client.v1.customers.create({"name": "Sam"}, {"idempotency_key": "sam"})
        standin.advance(months=1)
        assert len(standin.client.v1.invoices.list({"subscription": key}).data) == 2
    with running(receiver.url, path) as standin:
        standin.client.v1.customers.create({"name": "Sam"}, {"idempotency_key": "sam"})
        assert "Idempotent-Replayed" not in standin.checked.exchanges[-1].headers


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@pytest.fixture
def process(tmp_path: Path, receiver: Receiver) -> Iterator[Process]:
    found = Process(free_port(), tmp_path / "state.jsonl", receiver.url)
    found.start()
    yield found
    found.kill()


def test_kill_loses_no_answered_request(process: Process, receiver: Receiver) -> None:
    sessions = [checkout(process.standin).id for _ in range(20)]
    for session in sessions[:10]:
        process.standin.pay(session)
    process.kill()
    process.start()
    found = process.standin.client.v1.checkout.sessions.list({"limit": 100}).data
    assert [one.id for one in reversed(found)] == sessions
    assert [one.payment_status for one in reversed(found)] == ["paid"] * 10 + ["unpaid"] * 10
    process.standin.wait()
    told = {event["id"] for event in process.standin.events()}
    assert {json.loads(body)["id"] for body in receiver.bodies} == told


def test_asked_to_stop_it_stops_at_once(process: Process) -> None:
    assert process.stop() < 2
