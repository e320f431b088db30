"""What both apps stand on and staff look after: the mail we send, and the counters that stop floods."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone


class MailState(models.TextChoices):
    QUEUED = "queued", "Waiting to be sent"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Given up"


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self) -> "MailQuerySet":
        """Waiting and due, or claimed by a worker that died before it could say what became of it."""
        now = timezone.now()
        return self.filter(
            Q(state=MailState.QUEUED, not_before__lte=now) | Q(state=MailState.SENDING, lease_until__lt=now)
        )

    def claim(self, *, for_time: timedelta) -> int:
        """Take a due mail for one attempt: 1 if it is ours now, 0 if another worker was first."""
        return self.due().update(
            state=MailState.SENDING, lease_until=timezone.now() + for_time, attempts=F("attempts") + 1
        )

    def mark_sent(self) -> int:
        return self.filter(state=MailState.SENDING).update(
            state=MailState.SENT, sent_at=Now(), lease_until=None, error=""
        )

    def put_back(self, *, wait: timedelta, error: str) -> int:
        return self.filter(state=MailState.SENDING).update(
            state=MailState.QUEUED, not_before=timezone.now() + wait, lease_until=None, error=error
        )

    def give_up(self, *, error: str) -> int:
        return self.filter(state=MailState.SENDING).update(state=MailState.FAILED, lease_until=None, error=error)

    def send_again(self) -> int:
        """Staff ask for another try, of a mail that failed or that the person says never came."""
        return self.filter(state__in=[MailState.FAILED, MailState.SENT]).update(
            state=MailState.QUEUED, not_before=timezone.now(), attempts=0, sent_at=None, error=""
        )


class Mail(models.Model):
    """One mail, exactly as it is or was sent. Written in the transaction that makes it necessary."""

    key = models.CharField(
        max_length=200,
        unique=True,
        help_text="What this mail is about, as kind:object:period. The same key is never sent twice.",
    )
    kind = models.CharField(max_length=60, db_index=True)
    to = models.EmailField()
    subject = models.CharField(max_length=250)
    text = models.TextField()
    html = models.TextField()
    message_id = models.CharField(max_length=120, unique=True, default="", editable=False)
    state = models.CharField(max_length=10, choices=MailState, default=MailState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        verbose_name = "mail"
        verbose_name_plural = "mails"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["not_before"], name="mail_unsent", condition=Q(state__in=["queued", "sending"]))
        ]
        constraints = [
            models.CheckConstraint(
                name="mail_sent_has_time",
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="mail_sending_has_lease",
                condition=Q(state="sending", lease_until__isnull=False)
                | (~Q(state="sending") & Q(lease_until__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.to}"


class RateWindow(models.Model):
    """A leaky bucket per key, filled by one atomic statement in config/limits.py."""

    key = models.CharField(max_length=120, primary_key=True)
    level = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = "rate limit"

    def __str__(self) -> str:
        return self.key


class Heartbeat(models.Model):
    """When each long-running process last said that it is alive."""

    process = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.process} {self.at:%H:%M:%S}"
