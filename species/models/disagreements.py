"""Questions on which sources disagree, what each of them says, and what we show."""

from django.db import models

from .facts import Source, check_markers
from .seeded import Seeded
from .species import Species


class Conflict(Seeded):
    """A question on which sources disagree; the page says so instead of choosing in silence."""

    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="conflicts")
    key = models.SlugField(max_length=60)
    topic = models.CharField("question", max_length=200)
    show = models.TextField("what we show", help_text="May print facts: {range-now}.")
    position = models.PositiveSmallIntegerField(default=0)
    is_published = models.BooleanField("published", default=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["species", "key"], name="conflict_key_unique_in_species"),
        ]

    def __str__(self) -> str:
        return self.topic

    def clean(self) -> None:
        super().clean()
        if self.species_id:
            check_markers(self.show, species_id=self.species_id, field="show")


class ConflictPosition(models.Model):
    conflict = models.ForeignKey(Conflict, on_delete=models.CASCADE, related_name="positions")
    say = models.CharField("says", max_length=200, help_text="May print facts: {range-now}.")
    covers = models.CharField(
        "what it covers", max_length=200, help_text="Place, time or who: “Russia, survey of 2000”."
    )
    sources = models.ManyToManyField(Source, related_name="conflict_positions")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.say

    def clean(self) -> None:
        super().clean()
        if self.conflict.species_id:
            check_markers(self.say, species_id=self.conflict.species_id, field="say")
