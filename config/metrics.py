"""Numbers for whoever watches the site, as Prometheus reads them: about the work, and never about a person.

    @gauge("pugmark_comments_waiting", "Comments that no moderator has looked at.")
    def comments_waiting() -> int: ...

What the database knows is asked at each reading, so it is the same on every host. What one process counts, its
requests, is added up over the processes of a host (config/serving.py). Labels are names of ours, so many and no more.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from os import environ
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Case, Count, F, Min, When
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from . import backups, heartbeat
from .models import Heartbeat, Mail, MailQuerySet, MailState

METHODS = frozenset({"GET", "HEAD", "POST"})
NO_VIEW = "none"  # a file, an address that leads nowhere, a request that was refused on its way in
BUCKETS = (0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
DAY = timedelta(days=1)

requests = Counter("pugmark_requests", "Answers given.", ["view", "method", "status"])
durations = Histogram("pugmark_request_seconds", "How long answers took.", ["view"], buckets=BUCKETS)

type Value = float | timedelta | Mapping[str, float | timedelta] | None


@dataclass(frozen=True, slots=True)
class Gauge:
    name: str
    says: str
    label: str
    ask: Callable[[], Value]


gauges: list[Gauge] = []


def gauge[V: Callable[[], Value]](name: str, says: str, *, label: str = "") -> Callable[[V], V]:
    """Ask this at each reading. A mapping has one number for each value of `label`; None leaves the number out."""

    def register(ask: V) -> V:
        gauges.append(Gauge(name, says, label, ask))
        return ask

    return register


def since(moment: datetime | None) -> timedelta | None:
    """An age, for a gauge."""
    return timezone.now() - moment if moment else None


def read(name: str) -> float | None:
    """The number of one gauge without labels, in its unit, as it is now. Raises LookupError for a name nobody has."""
    for each in gauges:
        if each.name == name:
            value = each.ask()
            if isinstance(value, Mapping):
                raise LookupError(f"{name} is several numbers, by {each.label}")
            return None if value is None else _plain(value)
    raise LookupError(name)


class FromDatabase(Collector):
    """All gauges, and whether they could be asked."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        is_up = 1
        for each in gauges:
            try:
                value = each.ask()
            except DatabaseError:
                is_up = 0
                continue
            family = GaugeMetricFamily(each.name, each.says, labels=[each.label] if each.label else None)
            for label, number in (value if isinstance(value, Mapping) else {"": value}).items():
                if number is not None:
                    family.add_metric([label] if each.label else [], _plain(number))
            yield family
        yield GaugeMetricFamily("pugmark_database_up", "Whether the database answered.", value=is_up)


def _plain(number: float | timedelta) -> float:
    return number.total_seconds() if isinstance(number, timedelta) else number


def count_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Count each answer under the name of its view: addresses hold secrets, and there is no end to them."""

    def middleware(request: HttpRequest) -> Any:
        began = time.perf_counter()
        response = get_response(request)
        count(view_of(request), str(request.method), response.status_code, seconds=time.perf_counter() - began)
        return response

    return middleware


def view_of(request: HttpRequest) -> str:
    return (request.resolver_match and request.resolver_match.view_name) or NO_VIEW


def count(view: str, method: str, status: int, *, seconds: float) -> None:
    """One answer, and how long it took."""
    requests.labels(view, method if method in METHODS else "other", status).inc()
    durations.labels(view).observe(seconds)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """404, as if it were not there, for whoever has not the token."""
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    if not settings.METRICS_TOKEN or not constant_time_compare(request.headers.get("Authorization", ""), wanted):
        raise Http404
    return HttpResponse(reading(), content_type=CONTENT_TYPE_LATEST)


def reading() -> bytes:
    counted: CollectorRegistry = REGISTRY
    if environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]  # the library's
    asked = CollectorRegistry()
    asked.register(FromDatabase())
    return generate_latest(counted) + generate_latest(asked)


# --- what is watched of the platform ----------------------------------------------------------------------


@gauge("pugmark_tasks_waiting", "Tasks that no worker has taken yet, though it is time.", label="queue")
def tasks_waiting() -> dict[str, float]:
    return {queue: waiting for queue, waiting, _ in _tasks()}


@gauge("pugmark_tasks_oldest_seconds", "For how long the first task of a queue has been due.", label="queue")
def tasks_oldest() -> dict[str, float | timedelta]:
    return {queue: since(oldest) or 0 for queue, _, oldest in _tasks()}


def _tasks() -> list[tuple[str, int, datetime | None]]:
    from django_tasks_db.models import DBTaskResult, get_date_max

    due = Case(When(run_after=get_date_max(), then=F("enqueued_at")), default=F("run_after"))
    rows = DBTaskResult.objects.ready().order_by().values("queue_name").annotate(waiting=Count("pk"), oldest=Min(due))
    found = {row["queue_name"]: (row["waiting"], row["oldest"]) for row in rows}
    return [(queue, *found.get(queue, (0, None))) for queue in settings.TASKS["default"]["QUEUES"]]


@gauge("pugmark_tasks_failed_day", "Tasks that were given up in the last 24 hours.")
def tasks_failed() -> int:
    from django_tasks_db.models import DBTaskResult

    return int(DBTaskResult.objects.failed().filter(finished_at__gt=timezone.now() - DAY).count())


@gauge("pugmark_mails_waiting", "Mails that the mail server has not taken yet.")
def mails_waiting() -> int:
    return _unsent().count()


@gauge("pugmark_mails_oldest_seconds", "How old the first of them is. Every mail is meant to go at once.")
def mails_oldest() -> Value:
    return since(_unsent().aggregate(oldest=Min("created_at"))["oldest"]) or 0


def _unsent() -> MailQuerySet:
    return Mail.objects.filter(state__in=[MailState.QUEUED, MailState.SENDING])


@gauge("pugmark_mails_failed_day", "Mails that were given up or came back in the last 24 hours.")
def mails_failed() -> int:
    return Mail.objects.failing().filter(failed_at__gt=timezone.now() - DAY).count()


@gauge("pugmark_worker_silent_seconds", "For how long no worker has shown a sign of life.")
def worker_silent() -> Value:
    return since(heartbeat.last_beat())


@gauge("pugmark_backup_age_seconds", "How old the last complete backup is. Missing: there is none.")
def backup_age() -> Value:
    return since(Heartbeat.objects.filter(process=backups.PROCESS).values_list("at", flat=True).first())


@gauge("pugmark_disk_free_ratio", "How much of the disk is free on which uploaded files lie.")
def disk_free() -> Value:
    if settings.MEDIA_STORE or not settings.MEDIA_ROOT.is_dir():
        return None
    usage = shutil.disk_usage(settings.MEDIA_ROOT)
    return usage.free / usage.total
