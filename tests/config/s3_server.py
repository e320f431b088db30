"""As much of S3 as storing files takes, in the memory of a thread. It keeps what it was told, for tests to look at."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "/pictures-of-ours/"


class Bucket(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.is_full = False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Door(BaseHTTPRequestHandler):
    server: Bucket
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix(BUCKET).removeprefix(BUCKET.rstrip("/"))

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        told = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.is_full:
            return self.answer(507, b"<Error><Code>InsufficientStorage</Code><Message>Full</Message></Error>")
        self.server.files[self.key] = body
        self.server.headers[self.key] = dict(self.headers)
        return self.answer(200, ETag=f'"{md5(body).hexdigest()}"')

    def do_DELETE(self) -> None:
        self.server.files.pop(self.key, None)
        self.answer(204)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "prefix" in asked:
            return self.answer(200, self.listing(asked["prefix"][0]), Content_Type="application/xml")
        body = self.server.files.get(self.key)
        if body is None:
            return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        return self.answer(200, body, ETag=f'"{md5(body).hexdigest()}"', Last_Modified=formatdate(usegmt=True))

    def listing(self, prefix: str) -> bytes:
        inside = [key for key in sorted(self.server.files) if key.startswith(prefix)]
        files = [key for key in inside if "/" not in key.removeprefix(prefix)]
        folders = sorted({prefix + key.removeprefix(prefix).split("/")[0] + "/" for key in inside} - set(files))
        folders = [folder for folder in folders if folder.removesuffix("/") not in files]
        rows = "".join(f"<Contents><Key>{escape(key)}</Key><Size>1</Size></Contents>" for key in files)
        rows += "".join(f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in folders)
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()


@contextmanager
def bucket() -> Iterator[Bucket]:
    server = Bucket()
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
