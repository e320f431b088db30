"""What operators' probes ask."""

from datetime import timedelta

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import heartbeat, metrics

WORKER_SILENT_AFTER = timedelta(minutes=1)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up. Asks nothing of anybody else, so a database outage does not restart the web."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """503 with the reason while the database or the worker is away.

    How many seconds ago Stripe last sent an event stands beside it, null if never. A quiet night is no reason to take
    the site out of service, so it decides nothing.
    """
    try:
        connection.ensure_connection()
        beat = heartbeat.last_beat()
        webhook_age = metrics.read("pugmark_webhook_age_seconds")
    except DatabaseError:
        return JsonResponse({"ready": False, "database": "unreachable"}, status=503)
    is_alive = beat is not None and timezone.now() - beat < WORKER_SILENT_AFTER
    body = {
        "ready": is_alive,
        "database": "ok",
        "worker_last_seen": beat and beat.isoformat(),
        "last_webhook_seconds_ago": None if webhook_age is None else int(webhook_age),
    }
    return JsonResponse(body, status=200 if is_alive else 503)
