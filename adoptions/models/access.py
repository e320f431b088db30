from datetime import datetime

from django.db import models
from django.db.models import F, Q

from .supporters import Supporter

MOST_WRONG_CODES = 5


class Purpose(models.TextChoices):
    """What a link is good for. A link for one thing never does another."""

    SIGN_IN = "sign_in", "Open “My adoption”"
    CHANGE_EMAIL = "change_email", "Confirm a new email address"


class AccessLinkQuerySet(models.QuerySet["AccessLink"]):
    def usable(self, *, at: datetime) -> "AccessLinkQuerySet":
        return self.filter(used_at=None, expires_at__gt=at, wrong_codes__lt=MOST_WRONG_CODES)

    def use(self, *, at: datetime) -> int:
        """Spend a link: 1 for whoever is first, 0 for everybody else."""
        return self.usable(at=at).update(used_at=at)

    def count_wrong_code(self) -> int:
        return self.update(wrong_codes=F("wrong_codes") + 1)


class AccessLink(models.Model):
    """One answer to “send me my link”, for ten minutes. Holds no secret: only digests of the three that there are.

    A row is written for every address that is asked for, known or not, so that both take the same time; the worker
    finds out which it is, and drops the row of a stranger.
    """

    purpose = models.CharField(max_length=12, choices=Purpose)
    email = models.EmailField(help_text="The address that was typed, and that the mail goes to.")
    supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True, null=True, blank=True)
    code_hash = models.CharField(max_length=64, blank=True)
    browser_hash = models.CharField(max_length=64, help_text="Of the cookie given to the browser that asked.")
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField(db_index=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = AccessLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="access_link_is_whole",
                condition=Q(token_hash__isnull=True, used_at__isnull=True)
                | (Q(supporter__isnull=False) & ~Q(code_hash="")),
            ),
            models.CheckConstraint(name="access_link_expires", condition=Q(expires_at__gt=F("asked_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.asked_at:%Y-%m-%d %H:%M}"


class SupporterSession(models.Model):
    """A browser that proved whose it is, for an hour. Ending it deletes the row."""

    supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE, related_name="+")
    secret_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="supporter_session_expires", condition=Q(expires_at__gt=F("created_at")))
        ]

    def __str__(self) -> str:
        return f"{self.supporter_id} until {self.expires_at:%H:%M}"
