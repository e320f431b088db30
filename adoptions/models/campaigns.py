import re

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from species.models import Species

from .states import Frequency

UNUSED_IN_UTM = re.compile(r"[^a-z0-9._-]")
SHORTEST_CODE, LONGEST_CODE = 3, 32
CODE = RegexValidator(
    rf"^[a-z0-9-]{{{SHORTEST_CODE},{LONGEST_CODE}}}\Z", "Use 3 to 32 lower-case letters, digits and hyphens."
)


class Destination(models.TextChoices):
    ADOPT = "adopt", "Adopt page of the species"
    SPECIES = "species", "Species page"
    NOTE = "note", "Newest field note of the species"
    HOME = "home", "Home page"
    THREATS = "threats", "All threats"
    SOURCES = "sources", "How we know: all sources"


WITHOUT_SPECIES = (Destination.HOME, Destination.THREATS, Destination.SOURCES)


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def running(self) -> "CampaignQuerySet":
        now = timezone.now()
        return self.filter(is_paused=False, starts_at__lte=now).exclude(ends_at__lte=now)


class Campaign(models.Model):
    """A link in a mail or on a poster: `/go/<code>` leads to a page of ours, with some answers filled in."""

    code = models.CharField(max_length=32, unique=True, validators=[CODE], help_text="Never re-used, never changed.")
    name = models.CharField(max_length=120, help_text="For staff: which mail, when, to whom.")
    destination = models.CharField(max_length=10, choices=Destination, default=Destination.ADOPT)
    species = models.ForeignKey(
        Species,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        help_text="Empty only for the home page, the threats and the sources.",
    )
    preset_frequency = models.CharField(max_length=10, choices=Frequency, blank=True)
    preset_pence = models.PositiveIntegerField("preset amount in pence", null=True, blank=True)
    preset_gift = models.BooleanField("preset as a gift", default=False)
    preset_plan = models.ForeignKey(
        "adoptions.Plan",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: the first on offer.",
    )
    utm_source = models.CharField(
        "source", max_length=60, blank=True, help_text="Where the link stands: spring-appeal."
    )
    utm_medium = models.CharField("medium", max_length=60, blank=True, help_text="How it gets there: email, poster.")
    utm_content = models.CharField("content", max_length=60, blank=True, help_text="Which of several: button, photo.")
    cost_pence = models.PositiveIntegerField("cost in pence", default=0, db_default=0)
    landing_text = models.TextField(
        "words of welcome",
        max_length=1000,
        blank=True,
        default="",
        db_default="",
        help_text="Stands at the top of each page for who comes by this link, while it runs. No links, no styles.",
    )
    statement = models.TextField(
        "solicitation statement",
        max_length=600,
        blank=True,
        default="",
        db_default="",
        help_text="Of a partner or an agency that is paid for this appeal: who gets how much of each gift. "
        "The law asks for it beside the button, and there it stands, before and after the answers are checked; "
        "and below the words of welcome on the pages to read.",
    )
    is_paused = models.BooleanField(
        "paused", default=False, db_default=False, help_text="The link leads on, without what it fills in."
    )
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="campaign_ends_after_start",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                violation_error_message="It ends before it begins.",
            ),
            models.CheckConstraint(
                name="campaign_has_species",
                condition=Q(destination__in=[each.value for each in WITHOUT_SPECIES]) | Q(species__isnull=False),
                violation_error_message="Say which species the link leads to; only the home page, the threats and "
                "the sources go without.",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("adoptions:campaign_link", args=[self.code])

    def clean(self) -> None:
        """What reports are grouped by is the same however it was typed."""
        for field in ("utm_source", "utm_medium", "utm_content"):
            words = re.sub(r"\s+", "-", getattr(self, field).strip().lower())
            setattr(self, field, UNUSED_IN_UTM.sub("", words))

    @property
    def is_over(self) -> bool:
        return self.ends_at is not None and self.ends_at <= timezone.now()

    @property
    def is_running(self) -> bool:
        now = timezone.now()
        return not self.is_paused and self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


class CampaignDay(models.Model):
    """How often a link was followed on one day. A count and nothing about anybody.

    Without a campaign: links whose code is nobody's, mistyped or made up. The code itself is not kept.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, null=True, blank=True, related_name="days")
    day = models.DateField()
    landings = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "day of landings"
        verbose_name_plural = "days of landings"
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "day"], name="campaign_day_once"),
            models.UniqueConstraint(fields=["day"], name="unknown_code_day_once", condition=Q(campaign__isnull=True)),
        ]
        indexes = [models.Index(fields=["-day", "-id"], name="campaign_day_newest")]

    def __str__(self) -> str:
        return f"{self.day} {self.landings}"
