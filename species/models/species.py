"""An animal that people can read about and adopt."""

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from .seeded import Seeded

# The one fact whose value is also a property of the species: lists and the status scale need it at hand.
STATUS_FACT_KEY = "iucn-status"


class Status(models.TextChoices):
    """The categories of the IUCN Red List, worst first."""

    EX = "EX", _("Extinct")
    EW = "EW", _("Extinct in the wild")
    CR = "CR", _("Critically Endangered")
    EN = "EN", _("Endangered")
    VU = "VU", _("Vulnerable")
    NT = "NT", _("Near Threatened")
    LC = "LC", _("Least Concern")
    DD = "DD", _("Data Deficient")
    NE = "NE", _("Not Evaluated")


# Facts are written in British English whatever the reader's language, so these names are not translated.
STATUS_BY_NAME = {
    "Extinct": Status.EX,
    "Extinct in the wild": Status.EW,
    "Critically Endangered": Status.CR,
    "Endangered": Status.EN,
    "Vulnerable": Status.VU,
    "Near Threatened": Status.NT,
    "Least Concern": Status.LC,
    "Data Deficient": Status.DD,
    "Not Evaluated": Status.NE,
}
STATUS_SCALE = (Status.EX, Status.EW, Status.CR, Status.EN, Status.VU, Status.NT, Status.LC)


class SpeciesQuerySet(models.QuerySet["Species"]):
    def public(self) -> Self:
        return self.filter(is_published=True)


class Species(Seeded):
    slug = models.SlugField(
        unique=True, help_text="Part of the page's address. Never change it once people have links."
    )
    common_name = models.CharField(max_length=80, help_text="As within a sentence: “Amur leopard”, “snow leopard”.")
    scientific_name = models.CharField(max_length=120)
    status = models.CharField(
        max_length=2,
        choices=Status,
        default=Status.NE,
        help_text="Follows the fact “iucn-status” where the species has one.",
    )
    status_assessed = models.CharField(
        "assessed",
        max_length=40,
        blank=True,
        help_text="When, as the assessment says it: “2022” or “2008-06-30”.",
    )
    as_of = models.CharField(
        "facts as of",
        max_length=7,
        validators=[RegexValidator(r"^\d{4}-\d{2}$")],
        help_text="Year and month: 2026-11.",
    )
    position = models.PositiveSmallIntegerField(default=100, help_text="Lower comes first in lists.")
    is_published = models.BooleanField("published", default=True)
    comments_close_on = models.DateField(
        "no new comments from", null=True, blank=True, help_text="Empty: always open. Today: closed now."
    )

    objects = SpeciesQuerySet.as_manager()

    class Meta:
        ordering = ["position", "common_name"]
        verbose_name_plural = "species"

    def __str__(self) -> str:
        return self.heading

    def get_absolute_url(self) -> str:
        return reverse("species:detail", args=[self.slug])

    @property
    def heading(self) -> str:
        """The name where it begins a line. Within a sentence it is the `common_name`: “the snow leopard”."""
        return capfirst(self.common_name)

    @property
    def takes_comments(self) -> bool:
        return self.comments_close_on is None or timezone.localdate() < self.comments_close_on
