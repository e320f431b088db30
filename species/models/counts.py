"""How many animals each survey found."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models

from species.numbers import written_range

from .facts import Confidence, Fact, Source, label_of
from .seeded import Seeded
from .species import Species


class PopulationCount(Seeded):
    """One survey's result. Only counts of the same series and place may be joined by a line."""

    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="counts")
    fact = models.ForeignKey(
        Fact,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="counts",
        help_text="The fact that states this count, if one does: the numbers then follow it.",
    )
    start = models.PositiveSmallIntegerField("first year")
    end = models.PositiveSmallIntegerField("last year")
    place = models.CharField(max_length=80)
    series = models.CharField(max_length=40, help_text="Counts made the same way by the same people.")
    low = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    high = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    point = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    unit = models.CharField(max_length=60)
    method = models.CharField(max_length=80)
    confidence = models.CharField("how sure", max_length=6, choices=Confidence)
    note = models.TextField(blank=True)
    sources = models.ManyToManyField(Source, related_name="counts")

    class Meta:
        ordering = ["start", "end", "place", "series"]
        constraints = [
            models.UniqueConstraint(
                fields=["species", "series", "place", "start", "end"], name="count_once_per_series_and_time"
            ),
            models.CheckConstraint(
                name="count_has_number",
                condition=models.Q(point__isnull=False) | models.Q(low__isnull=False, high__isnull=False),
                violation_error_message="Give a number or both ends of a range.",
            ),
            models.CheckConstraint(
                name="count_range_is_whole_and_ordered",
                condition=(
                    models.Q(low__isnull=True, high__isnull=True)
                    | models.Q(low__isnull=False, high__isnull=False, low__lte=models.F("high"))
                ),
                violation_error_message="A range needs both ends, the smaller first.",
            ),
            models.CheckConstraint(
                name="count_years_are_ordered",
                condition=models.Q(start__lte=models.F("end")),
                violation_error_message="The first year comes before the last.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.years_text}, {self.place}: {self.number_text} {self.unit}"

    def get_confidence_display(self) -> str:  # type: ignore[no-redef]  # django-stubs adds one itself
        return label_of(Confidence, self.confidence)

    def clean(self) -> None:
        """Take the numbers of the fact that states this count."""
        super().clean()
        if self.fact is None:
            return
        if self.fact.species_id != self.species_id or not self.fact.is_number:
            raise ValidationError({"fact": "Choose a fact of this species that is a number."})
        self.point, self.low, self.high = self.fact.point, self.fact.low, self.fact.high

    @property
    def years_text(self) -> str:
        return str(self.start) if self.start == self.end else f"{self.start}–{self.end}"

    @property
    def number_text(self) -> str:
        return written_range(low=self.low, high=self.high, point=self.point)

    @property
    def middle(self) -> Decimal:
        """The number itself, or the middle of the range: for ordering and rough drawing, never for print."""
        if self.point is not None:
            return self.point
        return ((self.low or Decimal()) + (self.high or Decimal())) / 2
