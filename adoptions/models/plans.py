from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from config.money import pounds
from species.models import Species

from .states import Frequency

STRIPE_MINIMUM_PENCE = 300  # below three pounds a form like ours mostly serves people who test stolen cards
STRIPE_MAXIMUM_PENCE = 1_000_000
MOST_BENEFIT_PENCE = 250_000  # to one person in a tax year: with more, no gift of theirs is a Gift Aid donation


class PlanQuerySet(models.QuerySet["Plan"]):
    def on_offer_for(self, species: Species) -> "PlanQuerySet":
        """What a visitor may choose for a species: its own plans first, then those for every species."""
        plans = self.filter(Q(species=species) | Q(species=None), is_on_offer=True)
        return plans.order_by(F("species").asc(nulls_last=True), "position", "pk").prefetch_related("prices")


class Plan(models.Model):
    """What can be adopted, and for how much."""

    slug = models.SlugField(unique=True, help_text="Used in campaign links: never changes once it was mailed.")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True, help_text="One sentence, shown above the amounts.")
    species = models.ForeignKey(
        Species,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="plans",
        help_text="Empty: every species.",
    )
    is_on_offer = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    benefit_pence = models.PositiveIntegerField(
        "worth of what comes with it",
        default=0,
        db_default=0,
        help_text="In pence: what the public would pay for a toy, say. A certificate, a photograph and news are worth "
        "nothing here. Too much of it, and Gift Aid cannot be claimed: see beside the amounts below.",
    )

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(
                name="plan_benefit",
                condition=Q(benefit_pence__lte=MOST_BENEFIT_PENCE),
                violation_error_message="What comes with it is worth more than Gift Aid allows for any gift.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def price_for(self, frequency: str) -> "PlanPrice | None":
        return next((price for price in self.prices.all() if price.frequency == frequency), None)


class PlanPrice(models.Model):
    """The amounts of a plan at one frequency, in pence."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="prices")
    frequency = models.CharField(max_length=10, choices=Frequency)
    minimum_pence = models.PositiveIntegerField()
    maximum_pence = models.PositiveIntegerField(default=STRIPE_MAXIMUM_PENCE)
    preset_pence = ArrayField(
        models.PositiveIntegerField(), help_text="The amounts offered, in pence, comma separated."
    )
    suggested_pence = models.PositiveIntegerField(help_text="The amount chosen beforehand, in pence.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "frequency"], name="plan_price_once_per_frequency"),
            models.CheckConstraint(
                name="plan_price_bounds",
                condition=Q(minimum_pence__gte=STRIPE_MINIMUM_PENCE)
                & Q(maximum_pence__lte=STRIPE_MAXIMUM_PENCE)
                & Q(minimum_pence__lte=F("suggested_pence"))
                & Q(suggested_pence__lte=F("maximum_pence")),
                violation_error_message=(
                    f"The suggested amount lies between the least and the most, the least is not below "
                    f"{pounds(STRIPE_MINIMUM_PENCE)}, and the most not above {pounds(STRIPE_MAXIMUM_PENCE)}."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.get_frequency_display().lower()} from {pounds(self.minimum_pence)}"

    def clean(self) -> None:
        if any(not self.minimum_pence <= pence <= self.maximum_pence for pence in self.preset_pence or []):
            raise ValidationError({"preset_pence": "Every amount offered must lie between minimum and maximum."})

    def allows(self, pence: int) -> bool:
        return self.minimum_pence <= pence <= self.maximum_pence
