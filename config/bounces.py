"""What a mail service tells us afterwards: a mail that it had taken came back.

`POST /mail/bounces/` with `{"message_id": "<…>", "reason": "550 5.1.1 no such user"}` and the header
`Pugmark-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>", in hex>`, as DEPLOY.md describes.
"""

import hmac
import json
import time
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from . import errors
from .fields import plain
from .models import Mail

TOLERANCE = 300  # seconds, either way
MOST_BYTES = 20_000


def signature(secret: str, at: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()


def is_signed(header: str, body: bytes) -> bool:
    """By somebody who knows one of our secrets, within the last five minutes."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    at, given = parts.get("t", ""), parts.get("v1", "")
    if not (at.isascii() and at.isdigit() and len(at) <= 12 and given.isascii()):
        return False
    if abs(time.time() - int(at)) > TOLERANCE:
        return False
    return any(hmac.compare_digest(signature(secret, at, body), given) for secret in settings.MAIL_WEBHOOK_SECRETS)


def read(body: bytes) -> tuple[str, str] | None:
    """The Message-ID and the reason; None if that is not what was sent."""
    try:
        news = json.loads(body)
    except ValueError:
        return None
    if not isinstance(news, dict) or not isinstance(news.get("message_id"), str):
        return None
    return plain(news["message_id"], keep_newlines=False)[:200], plain(str(news.get("reason", "")), keep_newlines=False)


@csrf_exempt  # a mail service has no cookie; its signature over the raw body is the proof
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """200 for whatever is signed, of a mail we know or not, so that nobody repeats it. Without a secret: 404."""
    if not settings.MAIL_WEBHOOK_SECRETS:
        return errors.error_page(404)
    body = request.body
    if len(body) > MOST_BYTES or not is_signed(request.headers.get("Pugmark-Signature", ""), body):
        return HttpResponse("Not signed.\n", status=400, content_type="text/plain")
    news = read(body)
    if news is None:
        return HttpResponse("Not a bounce.\n", status=422, content_type="text/plain")
    message_id, reason = news
    count = Mail.objects.filter(message_id=message_id).bounce(reason=reason or "It came back.")
    return HttpResponse(f"{count}\n", content_type="text/plain")
