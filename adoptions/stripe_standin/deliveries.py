"""Webhooks: every event sent to the site, signed anew at each try, until it is answered with a 2xx.

What still has to be sent is in the books, so a restart goes on where it was. Several go out at once and nothing keeps
their order, as at Stripe. The control page can hold them back, drop them, double them and stir them.
"""

import hashlib
import hmac
import http.client
import json
import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from adoptions.stripe_standin.books import Books, public, to_send
from adoptions.stripe_standin.state import Object

log = logging.getLogger(__name__)

# Seconds before the next try; after these, one every minute.
PAUSES = (1, 2, 4, 8, 15, 30)
LAST_PAUSE = 60
AT_ONCE = 4
TIMEOUT = 15
STIR_WITHIN = 3.0
AS_USUAL: Object = {"paused": False, "drop_percent": 0, "double_percent": 0, "shuffle": False, "delay_seconds": 0}


def signature(payload: bytes, secret: str, moment: int) -> str:
    """The `Stripe-Signature` header, made by hand: the stand-in proves the site right without the site's library."""
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"


def settings(books: Books) -> Object:
    return AS_USUAL | (books.get("_webhooks", "settings") or {})


def send_again(books: Books, event: str) -> None:
    """One more delivery of an event, delivered before or not."""
    books.need("event", event)
    books.put("_delivery", f"{event}:again", to_send(event, is_placed=True))
    books.on_event()


class Deliverer:
    def __init__(self, books: Books, url: str, secret: str) -> None:
        self._books, self._url, self._secret = books, url, secret
        self._wake = threading.Event()
        self._stopping = False
        self._sending: set[str] = set()
        self._chance = random.SystemRandom()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook")
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        books.webhook_url = url
        books.on_event = self._wake.set

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._pool.shutdown(cancel_futures=True)

    def is_quiet(self) -> bool:
        """Nothing is waiting to be sent, or all that waits is held back by the control page."""
        waiting = self._books.items("_delivery")
        return not self._sending and (not waiting or bool(settings(self._books)["paused"]))

    def _run(self) -> None:
        while not self._stopping:
            pause = self._send_what_is_due()
            self._wake.wait(pause)
            self._wake.clear()

    def _send_what_is_due(self) -> float:
        """Hand over what is due to the senders; returns the seconds until something else is."""
        with self._books.change():
            if settings(self._books)["paused"]:
                return 1.0
            for key, delivery in self._books.items("_delivery"):
                if not delivery["is_placed"]:
                    self._place(key, delivery)
            now = time.time()
            waiting = [(key, one) for key, one in self._books.items("_delivery") if key not in self._sending]
            due = [key for key, one in waiting if one["next_at"] <= now]
            for key in due:
                self._sending.add(key)
                self._pool.submit(self._send, key)
        later = [float(one["next_at"]) - now for _, one in waiting if one["next_at"] > now]
        return max(0.02, min([*later, 1.0]))

    def _place(self, key: str, delivery: Object) -> None:
        """Decide once, when an event is new, what the control page's settings do to it."""
        now, wishes = time.time(), settings(self._books)
        if self._chance.random() * 100 < wishes["drop_percent"]:
            self._books.remove("_delivery", key)
            self._note(delivery["event"], "dropped on purpose", 0, is_delivered=False)
            return
        at = now + wishes["delay_seconds"] + (self._chance.uniform(0, STIR_WITHIN) if wishes["shuffle"] else 0)
        self._books.put("_delivery", key, delivery | {"is_placed": True, "next_at": at})
        if self._chance.random() * 100 < wishes["double_percent"]:
            twin = to_send(delivery["event"], next_at=at + self._chance.uniform(0, 1), is_placed=True)
            self._books.put("_delivery", f"{key}:double", twin)

    def _send(self, key: str) -> None:
        delivery = self._books.get("_delivery", key)
        if delivery and not self._stopping:
            event = self._books.need("event", delivery["event"])
            said, is_delivered = self._post(json.dumps(public(event), indent=2).encode())
            self._write_down(key, delivery, said, is_delivered=is_delivered)
        self._sending.discard(key)
        self._wake.set()

    def _write_down(self, key: str, delivery: Object, said: str, *, is_delivered: bool) -> None:
        attempts = delivery["attempts"] + 1
        with self._books.change():
            if is_delivered:
                self._books.remove("_delivery", key)
            else:
                pause = PAUSES[attempts - 1] if attempts <= len(PAUSES) else LAST_PAUSE
                later = {"attempts": attempts, "next_at": time.time() + pause, "said": said}
                self._books.put("_delivery", key, delivery | later)
            self._note(delivery["event"], said, attempts, is_delivered=is_delivered)

    def _note(self, key: str, said: str, attempts: int, *, is_delivered: bool) -> None:
        """A repeated delivery that fails does not undo that the first one arrived."""
        event = self._books.need("event", key)
        if is_delivered:
            event["pending_webhooks"] = 0
        self._books.save(event | {"_said": said, "_attempts": event.get("_attempts", 0) + min(1, attempts)})

    def _post(self, payload: bytes) -> tuple[str, bool]:
        """What the site said, and whether that counts as received."""
        address = urlsplit(self._url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=TIMEOUT)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, self._secret, int(time.time())),
            "User-Agent": "Stripe/1.0 (stand-in)",
        }
        try:
            connection.request("POST", address.path or "/", payload, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"no answer ({type(error).__name__})", False
        finally:
            connection.close()
        return f"HTTP {status}", 200 <= status < 300
