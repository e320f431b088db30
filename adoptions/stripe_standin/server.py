"""The stand-in as a server on this machine only: the API under `/v1/`, pages for people, controls for both."""

import json
import logging
import socket
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from adoptions.stripe_standin import checkout_pages, clock, control_page, controls, papers, portal_pages
from adoptions.stripe_standin.answers import ApiError
from adoptions.stripe_standin.api import front_desk
from adoptions.stripe_standin.api.front_desk import Request
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.deliveries import Deliverer
from adoptions.stripe_standin.pages import Response, not_found, read_fields, see
from adoptions.stripe_standin.timetable import ACTS

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
LARGEST_BODY = 1024 * 1024
MOST_READ_AWAY = 4 * 1024 * 1024
SECONDS_BETWEEN_LOOKS = 0.5

PAGES = {
    "/c/pay/": (checkout_pages.show_checkout, checkout_pages.press_pay),
    "/confirm/": (checkout_pages.show_question, checkout_pages.answer_question),
    "/i/": (checkout_pages.show_invoice, checkout_pages.pay_invoice),
    "/p/session/": (portal_pages.show, portal_pages.act),
    "/receipt/": (papers.receipt, None),
    "/mandate/": (papers.mandate, None),
}


class StandIn(ThreadingHTTPServer):
    """Raises OSError when the port is taken. Port 0 takes a free one; `url` says which."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        *,
        port: int,
        key: str,
        webhook_url: str,
        webhook_secret: str,
        site_url: str = "",
        state: Path | None = None,
    ) -> None:
        super().__init__((HOST, port), Handler)
        self.key, self.site_url = key, site_url
        self.url = f"http://{HOST}:{self.server_address[1]}"
        self.books = Books(state)
        self.books.own_url = self.url
        front_desk.forget_old_answers(self.books)
        self.deliverer = Deliverer(self.books, webhook_url, webhook_secret)
        self._stopping = threading.Event()
        self._own_threads = [threading.Thread(target=self._keep_time, name="clock", daemon=True)]

    def start(self) -> None:
        """Serve in threads of this process."""
        self._own_threads.append(threading.Thread(target=self.serve_forever, args=[0.05], name="stand-in", daemon=True))
        self.start_work()
        self._own_threads[-1].start()

    def start_work(self) -> None:
        self._own_threads[0].start()
        self.deliverer.start()

    def stop(self) -> None:
        self._stopping.set()
        self.shutdown()
        self.server_close()
        self.deliverer.stop()
        for thread in self._own_threads:
            thread.join()
        self.books.close()

    def _keep_time(self) -> None:
        while not self._stopping.wait(SECONDS_BETWEEN_LOOKS):
            clock.do_what_is_due(self.books, ACTS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.error("A request to the stand-in failed", exc_info=sys.exception())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn
    # Without it a keep-alive client waits 40 ms for the last packet of an answer.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._handle(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            if length.isdigit():  # a client that is still writing would never read why it is turned away
                self.rfile.read(min(int(length), MOST_READ_AWAY))
            self._send(Response(b"Too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        self._handle(self.rfile.read(int(length)))

    def do_DELETE(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  the name is the base class's
        log.debug(format, *arguments)

    def _handle(self, body: bytes) -> None:
        try:
            if not self._is_from_here():
                self._send(Response(b"Ask from this machine.", HTTPStatus.FORBIDDEN))
            elif self.path.startswith("/v1/"):
                self._answer_api(body)
            elif self.path.startswith("/_control/") and self.command == "POST":
                self._send(self._control(body))
            else:
                self._send(self._page(body))
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _is_from_here(self) -> bool:
        """Another site open in this browser must not reach the buttons, under whatever name it finds us."""
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        is_ours = urlsplit(f"//{host}").hostname in ("127.0.0.1", "localhost")
        return is_ours and (origin is None or urlsplit(origin).netloc == host)

    def _answer_api(self, body: bytes) -> None:
        lose = self._suffer_faults()
        if lose is None:
            error = b'{"error": {"type": "api_error", "message": "An unknown error occurred (asked for)."}}'
            self._send(Response(error, 500, {"Content-Type": "application/json", "Request-Id": "req_fault"}))
            return
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        request = Request(
            self.command, self.path, key if scheme == "Bearer" else "", self.headers.get("Idempotency-Key", ""), body
        )
        answer = front_desk.answer(self.server.books, request, self.server.key)
        log.info("%s %s %s", self.command, urlsplit(self.path).path, answer.status)
        if lose:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(Response(answer.body, answer.status, answer.headers()))

    def _suffer_faults(self) -> bool | None:
        """What the control page asked for: None to answer 500, True to do the work and cut the line."""
        books = self.server.books
        with books.change():
            wishes = books.get("_faults", "faults")
            if not wishes:
                return False
            fault = next((name for name in ("hang", "fail", "lose") if wishes[name]), None)
            if fault is None:
                books.remove("_faults", "faults")
                return False
            books.put("_faults", "faults", wishes | {fault: wishes[fault] - 1})
        if fault == "hang":
            time.sleep(wishes["hang_seconds"])
        return None if fault == "fail" else fault == "lose"

    def _control(self, body: bytes) -> Response:
        is_page = "text/html" in self.headers.get("Accept", "")
        name = urlsplit(self.path).path.removeprefix("/_control/").strip("/")
        try:
            is_json = self.headers.get("Content-Type", "").startswith("application/json")
            sent = json.loads(body or b"{}") if is_json else read_fields(body)
            fields = {key: str(int(one) if isinstance(one, bool) else one) for key, one in dict(sent).items()}
            result = controls.run(self.server, name, fields)
            status, said = HTTPStatus.OK, "Done."
        except ApiError as error:
            result, status, said = error.body, HTTPStatus(error.status), str(error)
        except (ValueError, TypeError):
            result, status, said = {"error": "Not a JSON object"}, HTTPStatus.BAD_REQUEST, "That was not understood."
        if is_page:
            return see(f"/?said={quote(said)}")
        return Response(json.dumps(result).encode(), status, {"Content-Type": "application/json"})

    def _page(self, body: bytes) -> Response:
        path, query = urlsplit(self.path)[2:4]
        if path == "/standin.css":
            sheet = Path(settings.BASE_DIR, "static", "css", "standin.css").read_bytes()
            return Response(sheet, headers={"Content-Type": "text/css; charset=utf-8"})
        if path == "/" and self.command == "GET":
            said = read_fields(query.encode()).get("said", "")
            return control_page.show(self.server.books, said[:200], self.server.site_url)
        for prefix, (show, act) in PAGES.items():
            key = path.removeprefix(prefix)
            if path.startswith(prefix) and "/" not in key:
                if self.command == "GET":
                    return show(self.server.books, key)
                return act(self.server.books, key, read_fields(body)) if act else not_found()
        return not_found()

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)
