"""What both apps stand on and staff look after: the mail we send, and the counters that stop floods."""

from datetime import timedelta
from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now, Upper
from django.utils import timezone

from .mail_kinds import name_of

ERASED = "Erased, as the person asked."


class MailState(models.TextChoices):
    QUEUED = "queued", "Waiting to be sent"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Given up"
    BOUNCED = "bounced", "Came back"


# Kinds of which what they are about may have changed since: another one is made from there, and never this one again.
SENT_ANEW_ELSEWHERE: set[str] = set()


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
        return self.filter(state=MailState.SENDING).update(
            state=MailState.FAILED, lease_until=None, error=error, failed_at=Now()
        )

    def bounce(self, *, reason: str) -> int:
        """Another mail server took it and gave it back. News of it may overtake our own note that it was sent."""
        return self.filter(state__in=[MailState.SENDING, MailState.SENT]).update(
            state=MailState.BOUNCED,
            sent_at=Coalesce("sent_at", Now()),
            failed_at=Now(),
            lease_until=None,
            error=reason[:500],
        )

    def sendable_again(self) -> "MailQuerySet":
        """What failed or came back, or what the person says never came; nothing of which the words are erased."""
        over = self.filter(state__in=[MailState.FAILED, MailState.SENT, MailState.BOUNCED])
        return over.exclude(text=ERASED).exclude(kind__in=SENT_ANEW_ELSEWHERE)

    def send_again(self) -> int:
        return self.sendable_again().update(
            state=MailState.QUEUED, not_before=timezone.now(), attempts=0, sent_at=None, failed_at=None, error=""
        )

    def failing(self) -> "MailQuerySet":
        """Given up or come back, and not because somebody was erased."""
        return self.filter(state__in=[MailState.FAILED, MailState.BOUNCED]).exclude(text=ERASED)

    def blank(self) -> int:
        """Erase the words of our copies; what waits is not sent."""
        self.filter(state__in=[MailState.QUEUED, MailState.SENDING]).update(
            state=MailState.FAILED, lease_until=None, error=ERASED, failed_at=Now()
        )
        return self.update(subject=ERASED, text=ERASED, html=ERASED, unsubscribe_url="")


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
    failed_at = models.DateTimeField(null=True, blank=True, help_text="When it was given up, or came back.")
    error = models.CharField(max_length=500, blank=True)
    unsubscribe_url = models.CharField(
        max_length=300, blank=True, default="", db_default="", editable=False, help_text="Of news: one click ends it."
    )

    objects = MailQuerySet.as_manager()

    class Meta:
        verbose_name = "mail"
        verbose_name_plural = "mails"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "-id"], name="mail_by_state"),
            models.Index(fields=["created_at"], name="mail_by_day"),
            models.Index(OpClass(Upper("to"), name="text_pattern_ops"), name="mail_by_address"),
            models.Index(fields=["not_before"], name="mail_unsent", condition=Q(state__in=["queued", "sending"])),
        ]
        constraints = [
            models.CheckConstraint(
                name="mail_sent_has_time",
                condition=Q(state__in=["sent", "bounced"], sent_at__isnull=False)
                | (~Q(state__in=["sent", "bounced"]) & Q(sent_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="mail_sending_has_lease",
                condition=Q(state="sending", lease_until__isnull=False)
                | (~Q(state="sending") & Q(lease_until__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.to}"


class MailWords(models.Model):
    """The words that staff gave one kind of mail instead of ours. Checked in config/mail_words.py before it is kept."""

    kind = models.CharField(max_length=60, unique=True)
    subject = models.CharField(max_length=250)
    body = models.TextField()
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "words of a mail"
        verbose_name_plural = "words of the mails"

    def __str__(self) -> str:
        return name_of(self.kind)


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


class SiteKind(models.Model):
    """Whose database this is: a live, a practice or a development site's (config/practice.py). One row."""

    ONLY = 1

    kind = models.CharField(max_length=12)

    class Meta:
        constraints = [models.CheckConstraint(name="site_kind_is_one", condition=models.Q(pk=1))]

    def __str__(self) -> str:
        return self.kind


class Act(models.TextChoices):
    LOOKED = "looked", "Looked at"
    LISTED = "listed", "Saw in a list"
    EXPORTED = "exported", "Took out a file"
    CHANGED = "changed", "Changed"
    REFUSED = "refused", "Was refused"
    SIGNED_IN = "signed_in", "Signed in"
    NOT_SIGNED_IN = "not_signed_in", "Failed to sign in"
    SIGNED_OUT = "signed_out", "Signed out"


class AuditEntry(models.Model):
    """One act of a member of staff. It names rows and never people, so that it may outlive any erasure."""

    at = models.DateTimeField(db_default=Now(), editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        help_text="Empty: somebody who gave no name of a member of staff.",
    )
    act = models.CharField(max_length=13, choices=Act)
    what = models.CharField(max_length=60, blank=True, help_text="The kind of row, as adoptions.supporter.")
    rows = ArrayField(models.CharField(max_length=60), default=list, help_text="Which of them: their numbers.")
    how = models.CharField(max_length=200, blank=True, help_text="The button, or the fields that were changed.")
    path = models.CharField(max_length=200, help_text="The page, without what was searched for.")
    network = models.CharField(max_length=60, blank=True, help_text="Where the request came from, as far as a /24.")

    class Meta:
        verbose_name = "act of staff"
        verbose_name_plural = "acts of staff"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["by", "-id"], name="audit_by_whom"),
            models.Index(fields=["act", "-id"], name="audit_by_act"),
            models.Index(fields=["what", "-id"], name="audit_by_what"),
            models.Index(fields=["at"], name="audit_by_day"),
            GinIndex(fields=["rows"], name="audit_by_row"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="never_emptied",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'The audit log is never emptied.';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.what} {self.at:%Y-%m-%d %H:%M}"


class BlockedLoadQuerySet(models.QuerySet["BlockedLoad"]):
    MOST_A_DAY = 200

    def note(self, *, rule: str, source: str, page: str) -> bool:
        """Count one more of today; True if it is the first. What comes after many others is counted with them."""
        row: dict[str, Any] = {"day": timezone.localdate(), "rule": rule, "source": source, "page": page}
        if self.filter(**row).one_more():
            return False
        if self.filter(day=row["day"]).count() >= self.MOST_A_DAY:
            row |= {"source": "others", "page": ""}
        _, is_first = self.get_or_create(**row, defaults={"times": 1})
        if not is_first:
            self.filter(**row).one_more()
        return is_first

    def one_more(self) -> int:
        return self.update(times=F("times") + 1, last_at=Now())


class BlockedLoad(models.Model):
    """What browsers refused to load on a page of ours: see config/policy_reports.py."""

    day = models.DateField()
    rule = models.CharField(max_length=40, help_text="The line of our policy that forbids it.")
    source = models.CharField("what", max_length=100, help_text="The site it would have come from; inline: the page.")
    page = models.CharField("page", max_length=80, blank=True, help_text="By its name: an address may be a secret.")
    times = models.PositiveIntegerField(default=1)
    last_at = models.DateTimeField("last", db_default=Now())

    objects = BlockedLoadQuerySet.as_manager()

    class Meta:
        verbose_name = "blocked load"
        verbose_name_plural = "what browsers blocked"
        ordering = ["-day", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["day", "rule", "source", "page"], name="blocked_load_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.source} on {self.page or 'several pages'}"
