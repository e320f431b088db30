"""Signs of life, for `/readyz` and whoever watches it."""

from datetime import datetime

from django.utils import timezone

from .models import Heartbeat

WORKER = "worker"


def beat(process: str = WORKER) -> None:
    Heartbeat.objects.update_or_create(process=process, defaults={"at": timezone.now()})


def last_beat(process: str = WORKER) -> datetime | None:
    return Heartbeat.objects.filter(process=process).values_list("at", flat=True).first()
