import secrets
import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.urls import reverse
from django.utils import timezone

from config.money import pounds
from species.models import Species

from .campaigns import Campaign
from .plans import Plan
from .states import ADOPTED, OPEN, REPEATING, AdoptionState, Frequency, Source
from .supporters import Supporter

# Without 0/O, 1/I/L, and vowels: nothing to misread over the phone and no words by accident.
REFERENCE_LETTERS = "23456789BCDFGHJKMNPQRSTVWXZ"
EVERY = {Frequency.MONTHLY: "a month", Frequency.YEARLY: "a year", Frequency.ONCE: ""}


def new_reference() -> str:
    """`PM-7K4T9QXR`: short enough to read out, one in 2 × 10¹¹ to guess, and not a secret."""
    return f"PM-{eight_letters()}"


def eight_letters() -> str:
    return "".join(secrets.choice(REFERENCE_LETTERS) for _ in range(8))


def new_token() -> str:
    """192 bits in the address of somebody's certificate: knowing it is the permission."""
    return secrets.token_urlsafe(24)


class AdoptionQuerySet(models.QuerySet["Adoption"]):
    """Verbs that move adoptions between states. Each is one conditional UPDATE and returns how many rows moved.

    They are called by adoptions/ledger.py and adoptions/fulfilment.py only, with what Stripe says now.
    """

    def adopted(self) -> "AdoptionQuerySet":
        return self.filter(state__in=ADOPTED)

    def activate(self, *, at: datetime | None = None) -> int:
        """The first payment arrived (`at`, by Stripe's clock), or a later one after a failure."""
        states = OPEN | {AdoptionState.PAST_DUE}
        return self.filter(state__in=states).update(
            state=AdoptionState.ACTIVE, activated_at=Coalesce("activated_at", at or Now()), retry_on=None
        )

    def reopen(self) -> int:
        """The money of an ended single adoption is ours after all: its refund failed, or its dispute was won."""
        return self.filter(state=AdoptionState.ENDED, frequency=Frequency.ONCE).update(
            state=AdoptionState.ACTIVE, ended_at=None
        )

    def await_payment(self) -> int:
        """The person did everything; the bank takes days (Bacs)."""
        return self.filter(state__in=[AdoptionState.PENDING, AdoptionState.ABANDONED]).update(
            state=AdoptionState.PROCESSING
        )

    def fall_behind(self) -> int:
        """A renewal failed; Stripe tries again."""
        return self.filter(state=AdoptionState.ACTIVE).update(state=AdoptionState.PAST_DUE)

    def abandon(self) -> int:
        """The page at Stripe expired unpaid, or the bank refused the first debit."""
        return self.filter(state__in=[AdoptionState.PENDING, AdoptionState.PROCESSING]).update(
            state=AdoptionState.ABANDONED
        )

    def end(self, *, at: datetime) -> int:
        return self.filter(state__in=ADOPTED).update(
            state=AdoptionState.ENDED,
            ended_at=at,
            ends_on=None,
            next_payment_on=None,
            retry_on=None,
            is_paused=False,
            resumes_on=None,
        )

    def last_until(self, at: datetime) -> int:
        """More of the past of an adoption that was paid elsewhere came in: it had not ended yet by then."""
        return self.filter(source=Source.IMPORT, state=AdoptionState.ENDED, ended_at__lt=at).update(ended_at=at)

    def keep_plan(self, **plan: object) -> int:
        """How a running adoption goes on by Stripe's plan: see standing_orders.plan_of."""
        return self.filter(state__in=ADOPTED, frequency__in=REPEATING).update(**plan)

    def take_terms(self, *, pence: int, frequency: Frequency) -> int:
        """Another amount or rhythm from the next payment on; 0 if both are the same."""
        running = self.filter(state__in=ADOPTED, frequency__in=REPEATING)
        return running.exclude(amount_pence=pence, frequency=frequency).update(amount_pence=pence, frequency=frequency)

    def hold(self, *, reason: str) -> int:
        """Something does not add up: nothing is given out until staff have looked."""
        return self.filter(state__in=OPEN).update(state=AdoptionState.HELD, held_because=reason[:300])


class Adoption(models.Model):
    """One supporter's adoption of one species."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    attempt = models.UUIDField(unique=True, editable=False, help_text="One visit to the form makes one adoption.")

    supporter = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="adoptions")
    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="adoptions")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="adoptions")
    frequency = models.CharField(max_length=10, choices=Frequency)
    amount_pence = models.PositiveIntegerField()
    is_gift = models.BooleanField(default=False)
    benefit_pence = models.PositiveIntegerField(
        default=0, db_default=0, help_text="What came with it was worth so much, when it was adopted."
    )

    source = models.CharField("came", max_length=6, choices=Source, default=Source.WEB, db_default=Source.WEB)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        editable=False,
        help_text="Who of staff typed it in. Empty: the supporter.",
    )

    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="adoptions",
        help_text="The link that brought them.",
    )
    campaign_code = models.CharField(max_length=32, blank=True, help_text="The code as it arrived, known to us or not.")
    first_campaign_code = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The code with which they first came to us, perhaps with an earlier adoption. Never changed.",
    )

    state = models.CharField(max_length=12, choices=AdoptionState, default=AdoptionState.PENDING)
    held_because = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True, help_text="The last day, where the end is already decided.")
    ended_at = models.DateTimeField(null=True, blank=True)
    next_payment_on = models.DateField(null=True, blank=True, help_text="Empty: nothing more is taken as it stands.")
    retry_on = models.DateField(null=True, blank=True, help_text="When Stripe tries a failed payment again.")
    is_paused = models.BooleanField(default=False, db_default=False)
    resumes_on = models.DateField(null=True, blank=True, help_text="Empty: paused until further notice.")
    card_expires_on = models.DateField(null=True, blank=True, help_text="The last day of the card that pays.")
    is_another = models.BooleanField(
        default=False, db_default=False, help_text="The same was adopted just before, and they said: one more."
    )

    stripe_session_id = models.CharField(max_length=100, unique=True, null=True, blank=True, editable=False)
    session_number = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Counts pages at Stripe.")
    stripe_subscription_id = models.CharField(max_length=64, unique=True, null=True, blank=True, editable=False)
    stripe_customer_id = models.CharField(max_length=64, blank=True, editable=False)
    revision = models.PositiveIntegerField(
        default=0, editable=False, help_text="How often Stripe's word was written here: see fulfilment.apply_latest."
    )

    objects = AdoptionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="adoption_adopted_has_start",
                condition=Q(state__in=["pending", "processing", "abandoned", "held"]) | Q(activated_at__isnull=False),
            ),
            models.CheckConstraint(
                name="adoption_ended_has_end",
                condition=Q(state="ended", ended_at__isnull=False) | (~Q(state="ended") & Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="adoption_repeating_has_subscription",
                condition=Q(frequency="once")
                | Q(state__in=["pending", "abandoned", "held"])
                | Q(source="import", state="ended")
                | Q(stripe_subscription_id__isnull=False),
            ),
            models.CheckConstraint(
                name="adoption_once_has_no_subscription",
                condition=~Q(frequency="once") | Q(stripe_subscription_id__isnull=True),
            ),
            models.CheckConstraint(
                name="adoption_amount", condition=Q(amount_pence__gte=100, amount_pence__lte=1_000_000)
            ),
            models.CheckConstraint(
                name="adoption_plan_only_while_running",
                condition=Q(state__in=["active", "past_due"])
                & (~Q(frequency="once") | Q(next_payment_on__isnull=True, is_paused=False))
                | Q(next_payment_on__isnull=True, is_paused=False),
            ),
            models.CheckConstraint(
                name="adoption_resumes_only_if_paused", condition=Q(is_paused=True) | Q(resumes_on__isnull=True)
            ),
            models.CheckConstraint(
                name="adoption_retry_only_if_behind", condition=Q(state="past_due") | Q(retry_on__isnull=True)
            ),
            models.CheckConstraint(
                name="adoption_off_the_site_names_who_typed",
                condition=Q(source="web", entered_by__isnull=True) | (~Q(source="web") & Q(entered_by__isnull=False)),
            ),
            models.CheckConstraint(name="adoption_held_has_reason", condition=~Q(state="held") | ~Q(held_because="")),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="adoption_by_state"),
            models.Index(fields=["campaign", "-id"], name="adoption_by_campaign", condition=Q(campaign__isnull=False)),
            models.Index(fields=["source", "-id"], name="adoption_off_the_site", condition=~Q(source="web")),
            models.Index(fields=["frequency", "-id"], name="adoption_by_frequency"),
            models.Index(
                fields=["first_campaign_code", "-id"],
                name="adoption_by_first_link",
                condition=~Q(first_campaign_code=""),
            ),
            models.Index(
                fields=["stripe_customer_id"], name="adoption_by_customer", condition=~Q(stripe_customer_id="")
            ),
            models.Index(
                fields=["-activated_at", "-id"], name="adoption_by_start", condition=Q(activated_at__isnull=False)
            ),
            models.Index(fields=["-ended_at", "-id"], name="adoption_by_end", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("adoptions:thanks", args=[self.public_id])

    @property
    def is_repeating(self) -> bool:
        return self.frequency in REPEATING

    @property
    def is_adopted(self) -> bool:
        return self.state in ADOPTED

    @property
    def price(self) -> str:
        """`£5 a month`, `£36`."""
        return f"{pounds(self.amount_pence)} {EVERY[Frequency(self.frequency)]}".strip()

    @property
    def standing(self) -> str:
        """`active, paused until 30 January 2027`: its state, and what is decided already of one that runs."""
        parts = [self.get_state_display().lower()]
        if self.is_paused:
            parts.append(
                f"paused until {self.resumes_on:%-d %B %Y}" if self.resumes_on else "paused until further notice"
            )
        if self.is_adopted and self.ends_on:
            parts.append(f"ends on {self.ends_on:%-d %B %Y}")
        return ", ".join(parts)

    @property
    def certificate_name(self) -> str:
        """Whose name stands on the certificate."""
        gift = getattr(self, "gift", None) if self.is_gift else None
        return gift.recipient_name if gift else self.supporter.name
