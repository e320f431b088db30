"""What browsers refused to load or to run on our pages, because our Content-Security-Policy says so, and tell us.

A script that somebody planted shows up here, and so does a page of ours that breaks its own rules. What is kept says
how often on a day, by which rule, from which site and on which of our pages. The page goes by its name and not by its
address, which may be somebody's own link; who it was, and with which browser, is not kept at all.

Browsers send one of two shapes: Content Security Policy Level 3, section 5.5 (`application/csp-report`), and the
Reporting API (`application/reports+json`, a list). What an extension of theirs did is none of our business.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .limits import Limit, client_address, network_of
from .models import BlockedLoad

logger = logging.getLogger(__name__)

MOST_BYTES = 20_000
LONGEST_PATH = 500
MOST_AT_ONCE = 20  # one page that breaks a rule breaks it at every picture
PER_NETWORK = Limit("policy reports from a network", times=60, per=timedelta(hours=1))
OVERALL = Limit("policy reports overall", times=5_000, per=timedelta(hours=1))
# Browsers say which line would have applied, though ours may leave it to `default-src`.
RULES = frozenset(settings.SECURE_CSP) - {"report-uri"} | {"frame-src", "media-src", "object-src", "worker-src"}
WITHOUT_A_SITE = frozenset({"inline", "eval", "wasm-eval", "data", "blob"})
NO_PAGE = "no page of ours"


@dataclass(frozen=True)
class Blocked:
    rule: str
    source: str
    page: str


@csrf_exempt  # browsers send no token along; it is only counted, and limited
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """204, whatever was sent: a browser could do nothing better with another answer."""
    if len(request.body) > MOST_BYTES:
        return HttpResponse(status=413)
    if not (PER_NETWORK.allows(network_of(client_address(request))) and OVERALL.allows("all")):
        return HttpResponse(status=429)
    for blocked in list(read(request.body, host=request.get_host()))[:MOST_AT_ONCE]:
        if BlockedLoad.objects.note(rule=blocked.rule, source=blocked.source, page=blocked.page):
            logger.warning("Browsers block %s by %s on %s", blocked.source, blocked.rule, blocked.page)
    return HttpResponse(status=204)


def read(body: bytes, *, host: str) -> Iterator[Blocked]:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(sent, dict):
        reports = [sent.get("csp-report")]
    elif isinstance(sent, list):
        reports = [each.get("body") for each in sent if isinstance(each, dict) and each.get("type") == "csp-violation"]
    else:
        return
    for report in reports:
        if isinstance(report, dict) and (blocked := blocked_by(report, host)):
            yield blocked


def blocked_by(report: dict[str, Any], host: str) -> Blocked | None:
    """None for what is no page or no rule of ours, and for what an extension of the browser's did."""
    rule = rule_of(text(report, "effective-directive", "effectiveDirective", "violated-directive"))
    source = source_of(text(report, "blocked-uri", "blockedURL"))
    page = page_of(text(report, "document-uri", "documentURL"), host)
    by = text(report, "source-file", "sourceFile")
    if not (rule and source and page) or (by and not is_of_the_web(by)):
        return None
    return Blocked(rule, source, page)


def text(report: dict[str, Any], *names: str) -> str:
    """The first of these that it has; the two shapes name the same things differently."""
    return next((value for name in names if isinstance(value := report.get(name), str)), "")


def rule_of(directive: str) -> str:
    rule = directive.partition(" ")[0].removesuffix("-elem").removesuffix("-attr")
    return rule if rule in RULES else ""


def source_of(address: str) -> str:
    """The site it would have come from, without a path; or that it stood in the page itself."""
    if address in WITHOUT_A_SITE:
        return address
    if address.startswith(("data:", "blob:")):
        return address[:4]
    try:
        parts = urlsplit(address)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not is_of_the_web(address) or not name.isascii() or not name.isprintable():
        return ""
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}"[:100]


def page_of(address: str, host: str) -> str:
    """Its name among our addresses; empty if it is of another site."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.netloc not in {host, urlsplit(settings.SITE_URL).netloc}:
        return ""
    try:
        return resolve(parts.path[:LONGEST_PATH] or "/").view_name[:80] or NO_PAGE
    except Resolver404:
        return NO_PAGE


def is_of_the_web(address: str) -> bool:
    return address.startswith(("https://", "http://", "wss://", "ws://"))
