"""What presses on species. A threat is shared; how it presses on one species is told species by species."""

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .seeded import Seeded
from .species import Species


class Direction(models.TextChoices):
    RISING = "rising", _("Getting worse")
    STEADY = "steady", _("Not changing")
    MIXED = "mixed", _("Better and worse")
    FALLING = "falling", _("Getting better")
    UNKNOWN = "unknown", _("Not known")


class Threat(Seeded):
    slug = models.SlugField(
        unique=True, help_text="Part of the page's address. Never change it once people have links."
    )
    name = models.CharField(max_length=80)
    summary = models.TextField(help_text="What this threat is, for any species. No figures: those belong to facts.")
    position = models.PositiveSmallIntegerField(default=100, help_text="Lower comes first.")

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("species:threat", args=[self.slug])


class SpeciesThreat(Seeded):
    """That a threat presses on a species, and which way it is going. Its words are texts, one per language."""

    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="species_threats")
    threat = models.ForeignKey(Threat, on_delete=models.PROTECT, related_name="species_threats")
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.UNKNOWN)
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the species' page.")

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["species", "threat"], name="threat_once_per_species")]

    def __str__(self) -> str:
        return f"{self.threat} ({self.species})"
