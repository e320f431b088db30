"""Somebody else's server, in this process: answers as a test tells it to, and notes what it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Silent:
    """Before BaseHTTPRequestHandler, which tells of every request."""

    def log_message(self, *words: Any) -> None:
        pass


class Elsewhere(ThreadingHTTPServer):
    """`may_end`: whoever plays somebody who never answers waits for it."""

    def __init__(self, answering: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), answering)
        self.may_end = threading.Event()


@contextmanager
def serving[S: Elsewhere](server: S) -> Iterator[S]:
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.may_end.set()
        server.shutdown()
        thread.join()
