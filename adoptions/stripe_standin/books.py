"""The stand-in's books: its objects, its time, what is due when, and the events it has to tell.

Time here is the machine's clock plus whatever was added on the control page, so that a renewal a month away can be
seen now. Nothing else in the package asks the machine for the time.
"""

import secrets
import string
import time
from collections.abc import Callable
from typing import Any

from adoptions.stripe_standin.state import Object, State

# The version whose objects are written here; a test holds it equal to the one the installed library asks for.
API_VERSION = "2026-10-28.endive"

_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))


def nulls(names: str) -> Object:
    """Fields that Stripe's object has and the stand-in never fills, named with spaces between."""
    return dict.fromkeys(names.split())


def public(thing: Object) -> Object:
    """Without the stand-in's own notes, whose names begin with an underscore."""
    return {key: value for key, value in thing.items() if not key.startswith("_")}


def to_send(event: str, *, next_at: float = 0.0, is_placed: bool = False) -> Object:
    """A webhook that waits to be sent. Placed means that the control page's settings have had their say."""
    return {"event": event, "attempts": 0, "next_at": next_at, "said": "", "is_placed": is_placed}


class Books(State):
    """Also the desk where a request's name is kept while it is worked on, for the events it causes."""

    request: Object | None = None
    on_event: Callable[[], None] = staticmethod(lambda: None)
    webhook_url: str = ""
    # Where its pages are found; set when the server knows its port.
    own_url: str = ""

    # --- time -----------------------------------------------------------------------------------------

    def now(self) -> int:
        return int(time.time() + self.ahead())

    def ahead(self) -> float:
        """Seconds by which this clock is ahead of the machine's."""
        kept = self.get("_clock", "clock")
        return float(kept["ahead"]) if kept else 0.0

    def set_time(self, moment: float) -> None:
        self.put("_clock", "clock", {"ahead": max(self.ahead(), moment - time.time())})

    def schedule(self, at: int, act: str, subject: str) -> None:
        """At that time do `act` to `subject`. Said again with another time, it moves."""
        self.put("_due", f"{act}:{subject}", {"at": at, "act": act, "subject": subject})

    def unschedule(self, act: str, subject: str) -> None:
        if self.get("_due", f"{act}:{subject}"):
            self.remove("_due", f"{act}:{subject}")

    # --- objects --------------------------------------------------------------------------------------

    def need(self, kind: str, key: str) -> Object:
        """An object that other objects say exists."""
        found = self.get(kind, key)
        if found is None:
            raise LookupError(f"No {kind} {key} in the stand-in's books")
        return found

    def save(self, thing: Object, *told: str) -> None:
        """Keep it, and tell these events about it, in this order."""
        with self.change():
            before = self.get(thing["object"], thing["id"])
            self.put(thing["object"], thing["id"], thing)
            for kind in told:
                self._tell(kind, thing, before)

    def _tell(self, kind: str, thing: Object, before: Object | None) -> None:
        data: Object = {"object": public(thing)}
        if before is not None and kind.endswith((".updated", ".refunded")):
            data["previous_attributes"] = _difference(public(before), public(thing))
        event: Object = {
            "id": new_id("evt_"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 1 if self.webhook_url else 0,
            "request": self.request or {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self.put("event", event["id"], event)
        if self.webhook_url:
            self.put("_delivery", event["id"], to_send(event["id"]))
            self.on_event()


def _difference(before: Object, after: Object) -> Object:
    """What the changed fields held before; within a hash only the keys that changed."""
    changed: dict[str, Any] = {}
    for key, old in before.items():
        new = after.get(key)
        if old == new:
            continue
        changed[key] = _difference(old, new) if isinstance(old, dict) and isinstance(new, dict) else old
    return changed
