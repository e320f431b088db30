import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from .supporters import Supporter


class ConsentState(models.TextChoices):
    GRANTED = "granted", "May be written to"
    WITHDRAWN = "withdrawn", "May not be written to"


class Basis(models.TextChoices):
    """On what ground of the law. The second is for charities, and never for details that somebody else gave."""

    CONSENT = "consent", "Consent"
    SOFT_OPT_IN = "soft_opt_in", "Charity soft opt-in"


class GivenBy(models.TextChoices):
    SELF = "self", "The person"
    ORAL = "oral", "The person, by word of mouth to staff"
    PAPER = "paper", "The person, on paper"
    STAFF = "staff", "Staff, as the person asked"


class ConsentEvent(models.Model):
    """Who said, when, where and to exactly which words, that we may or may not send news. Rows are only ever added.

    The last row about an address is what holds. It can only be a yes for a supporter, and only if they gave the
    address and the yes themselves: a recipient of a gift is neither.
    """

    supporter = models.ForeignKey(
        Supporter, on_delete=models.PROTECT, null=True, blank=True, related_name="consent_events"
    )
    address_hash = models.CharField(max_length=64, db_index=True, help_text="All that is left after an erasure.")
    state = models.CharField(max_length=9, choices=ConsentState)
    basis = models.CharField(max_length=11, choices=Basis, blank=True)
    wording_version = models.CharField(max_length=20, blank=True)
    wording = models.TextField(blank=True, help_text="What they read, whole.")
    page = models.CharField(max_length=200, help_text="Where they said so.")
    campaign_code = models.CharField(max_length=32, blank=True)
    given_by = models.CharField(max_length=5, choices=GivenBy, default=GivenBy.SELF)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="Who of staff wrote it down. Empty: the person.",
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="consent_newest"),
            models.Index(fields=["state", "-at", "-id"], name="consent_by_state"),
            models.Index(fields=["basis", "-at", "-id"], name="consent_by_basis"),
        ]
        constraints = [
            models.CheckConstraint(
                name="consent_yes_is_a_supporters_own",
                condition=Q(state="withdrawn")
                | (Q(supporter__isnull=False, given_by__in=["self", "oral", "paper"]) & ~Q(basis="") & ~Q(wording="")),
            ),
            models.CheckConstraint(
                name="consent_by_staff_names_them",
                condition=Q(given_by="self", by__isnull=True)
                | Q(given_by__in=["oral", "paper", "staff"], by__isnull=False),
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.at:%Y-%m-%d}"


class Suppression(models.Model):
    """An address that no news may go to, whatever anybody ticks. Kept as a digest, so that it outlives an erasure."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        ERASED = "erased", "Asked to be erased"
        PREFERENCE_SERVICE = "fps", "Fundraising Preference Service"
        STAFF = "staff", "Staff: deceased, vulnerable or a complaint"

    address_hash = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=12, choices=Reason)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.at:%Y-%m-%d}"
