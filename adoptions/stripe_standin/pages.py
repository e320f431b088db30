"""What the stand-in's pages are made with: forms read, templates rendered, redirects, and headers that allow little."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.template.loader import render_to_string


@dataclass(frozen=True)
class Response:
    body: bytes = b""
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)


def read_fields(body: bytes) -> dict[str, str]:
    """A page's form. What is not UTF-8 is shown as it can be: this is a person's typing, not a protocol."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def page(template: str, *, status: int = HTTPStatus.OK, leads_to: tuple[str, ...] = (), **context: Any) -> Response:
    """`leads_to` are the addresses a form here may end on: Chromium holds redirects to `form-action` too."""
    parts = [urlsplit(address) for address in leads_to]
    origins = sorted({f"{part.scheme}://{part.netloc}" for part in parts if part.netloc})
    actions = " ".join(["'self'", *origins])
    policy = f"default-src 'none'; style-src 'self'; img-src data:; form-action {actions}; base-uri 'none'"
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(render_to_string(f"stripe_standin/{template}", context).encode(), status, headers)


def see(address: str) -> Response:
    """Answer a POST by sending the browser on, so that going back or reloading sends nothing twice."""
    return Response(b"", HTTPStatus.SEE_OTHER, {"Location": address})


def not_found() -> Response:
    return page(
        "message.html",
        status=HTTPStatus.NOT_FOUND,
        title="There is nothing here",
        message="The stand-in does not know this address. It may have been made before its state was deleted.",
    )
