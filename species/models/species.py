"""Species, and what is known about them: facts, their sources, the conflicts between sources, and counts."""

from datetime import date
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from species import prose
from species.numbers import written_range

from .seeded import Seeded

FACT_KEY_PATTERN = r"[a-z][a-z0-9-]*"
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


class Confidence(models.TextChoices):
    HIGH = "high", _("Sure")
    MEDIUM = "medium", _("Fairly sure")
    LOW = "low", _("Not sure")


class SourceKind(models.TextChoices):
    PAPER = "paper", _("Scientific paper")
    RED_LIST = "red-list", _("Red List assessment")
    REPORT = "report", _("Report")
    OFFICIAL = "official", _("Official statement")
    UNIVERSITY = "university", _("University")
    NGO = "ngo", _("Conservation charity")
    NGO_COPY = "ngo-copy", _("Conservation charity, read in a copy")
    NEWS = "news", _("News report")
    ENCYCLOPAEDIA = "encyclopaedia", _("Encyclopaedia")
    WEB = "web", _("Web page")
    COPY = "copy", _("Copied text, first publisher unknown")
    SEED = "seed", _("Widely repeated statement")


class FactGroup(models.TextChoices):
    IDENTITY = "identity", _("Name and status")
    POPULATION = "population", _("How many")
    RANGE = "range", _("Where")
    PROTECTED = "protected", _("Protected areas")
    HABITAT = "habitat", _("Habitat")
    BODY = "body", _("Body")
    LIFE = "life", _("Life")
    GENETICS = "genetics", _("Genetics")
    THREAT = "threat", _("Threats")
    THREAT_TRADE = "threat-trade", _("Threat: trade")
    THREAT_CLIMATE = "threat-climate", _("Threat: climate")
    THREAT_HABITAT = "threat-habitat", _("Threat: habitat")
    THREAT_DEFORESTATION = "threat-deforestation", _("Threat: deforestation")
    THREAT_FIRE = "threat-fire", _("Threat: fire")
    THREAT_PREY = "threat-prey", _("Threat: prey")
    THREAT_ROADS = "threat-roads", _("Threat: roads")
    THREAT_DISEASE = "threat-disease", _("Threat: disease")
    ACTION = "action", _("What is being done")
    WHY = "why", _("Why they matter")
    GIVING = "giving", _("Giving")


class Qualifier(models.TextChoices):
    """The caution that belongs to a number and must travel with it."""

    NONE = "", ""
    ABOUT = "about", _("about")
    AT_LEAST = "at-least", _("at least")
    OVER = "over", _("over")
    UNDER = "under", _("under")
    FEWER_THAN = "fewer-than", _("fewer than")
    UP_TO = "up-to", _("up to")


def label_of(choices: type[models.TextChoices], value: str) -> str:
    """The name of a choice. Django's own `get_…_display` translates every label of the list to find one."""
    try:
        return str(choices(value).label)
    except ValueError:
        return value


class SpeciesQuerySet(models.QuerySet["Species"]):
    def public(self) -> Self:
        return self.filter(is_published=True)


class Species(Seeded):
    slug = models.SlugField(
        unique=True, help_text="Part of the page's address. Never change it once people have links."
    )
    common_name = models.CharField(max_length=80, help_text="As a reader would say it: “Amur leopard”.")
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

    objects = SpeciesQuerySet.as_manager()

    class Meta:
        ordering = ["position", "common_name"]
        verbose_name_plural = "species"

    def __str__(self) -> str:
        return self.common_name

    def get_absolute_url(self) -> str:
        return reverse("species:detail", args=[self.slug])


class Source(Seeded):
    key = models.SlugField(max_length=60, unique=True, help_text="Short name used by facts: “vitkalova-2018”.")
    title = models.CharField(max_length=300)
    publisher = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    url = models.URLField("address", max_length=500, blank=True)
    kind = models.CharField(max_length=20, choices=SourceKind)
    reading = models.CharField(
        "how much we read",
        max_length=200,
        blank=True,
        help_text="“full text”, “abstract”, “excerpt of an archived copy”.",
    )

    class Meta:
        ordering = ["publisher", "title"]

    def __str__(self) -> str:
        return f"{self.title} ({self.publisher}, {self.year or 'undated'})"

    def get_kind_display(self) -> str:  # type: ignore[no-redef]  # django-stubs adds one itself
        return label_of(SourceKind, self.kind)


class FactQuerySet(models.QuerySet["Fact"]):
    def public(self) -> Self:
        return self.filter(is_published=True)

    def review_due(self, *, on: date) -> Self:
        return self.filter(review_due_on__lte=on)


class Fact(Seeded):
    """One statement about a species.

    It is either a number (`point`, or `low` and `high`, or all three) or a few words (`value`), never both: a
    number that stood in two places would one day be corrected in one.
    """

    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="facts")
    key = models.CharField(
        max_length=60,
        validators=[RegexValidator(f"^{FACT_KEY_PATTERN}$", "Small letters, digits and hyphens, such as “range-now”.")],
        help_text="What sentences call this fact: {range-now} prints its value, [^range-now] cites it.",
    )
    group = models.CharField(max_length=30, choices=FactGroup)
    label = models.CharField(max_length=120)
    value = models.TextField("in words", blank=True, help_text="Leave empty when the fact is a number.")
    qualifier = models.CharField(max_length=12, choices=Qualifier, blank=True, default=Qualifier.NONE)
    point = models.DecimalField("number", max_digits=16, decimal_places=4, null=True, blank=True)
    low = models.DecimalField("from", max_digits=16, decimal_places=4, null=True, blank=True)
    high = models.DecimalField("to", max_digits=16, decimal_places=4, null=True, blank=True)
    unit = models.CharField(max_length=60, blank=True, help_text="What is counted or measured: “adults”, “km²”, “%”.")
    period = models.CharField(
        "when",
        max_length=80,
        blank=True,
        help_text="What time the fact speaks of. A number needs one, or “any time”.",
    )
    place = models.CharField(max_length=120, blank=True)
    confidence = models.CharField("how sure", max_length=6, choices=Confidence)
    note = models.TextField(blank=True, help_text="Shown with the fact: what a careful reader should know.")
    is_published = models.BooleanField("published", default=True)
    reviewed_on = models.DateField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    review_due_on = models.DateField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    sources = models.ManyToManyField(Source, related_name="facts")

    objects = FactQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["species", "key"], name="fact_key_unique_in_species"),
            models.CheckConstraint(
                name="fact_is_words_or_number",
                condition=(
                    models.Q(point__isnull=True, low__isnull=True) & ~models.Q(value="")
                    | models.Q(value="") & (models.Q(point__isnull=False) | models.Q(low__isnull=False))
                ),
                violation_error_message="Give the fact in words or as a number, not both and not neither.",
            ),
            models.CheckConstraint(
                name="fact_range_is_whole_and_ordered",
                condition=(
                    models.Q(low__isnull=True, high__isnull=True)
                    | models.Q(low__isnull=False, high__isnull=False, low__lte=models.F("high"))
                ),
                violation_error_message="A range needs both ends, the smaller first.",
            ),
            models.CheckConstraint(
                name="fact_number_has_period",
                condition=models.Q(point__isnull=True, low__isnull=True) | ~models.Q(period=""),
                violation_error_message="A number needs the time it speaks of.",
            ),
        ]
        indexes = [models.Index(fields=["review_due_on"], name="fact_review_due")]

    def __str__(self) -> str:
        return f"{self.label}: {self.value_text}"

    def get_confidence_display(self) -> str:  # type: ignore[no-redef]  # django-stubs adds one itself
        return label_of(Confidence, self.confidence)

    def get_qualifier_display(self) -> str:  # type: ignore[no-redef]  # django-stubs adds one itself
        return label_of(Qualifier, self.qualifier)

    @property
    def is_number(self) -> bool:
        return self.point is not None or self.low is not None

    @property
    def number_text(self) -> str:
        """The number without its caution and unit; empty for a fact in words."""
        return written_range(low=self.low, high=self.high, point=self.point)

    @property
    def value_text(self) -> str:
        """What a sentence prints for `{key}`: the words, or the number with its caution, without the unit."""
        if not self.is_number:
            return self.value
        return f"{self.get_qualifier_display()} {self.number_text}".strip()

    def clean(self) -> None:
        super().clean()
        if self.key == STATUS_FACT_KEY and self.value not in STATUS_BY_NAME:
            raise ValidationError({"value": f"The status must be one of: {', '.join(STATUS_BY_NAME)}."})
        if self.pk and not self.is_published and self.citations.exists():
            raise ValidationError({"is_published": "Sentences rest on this fact: change them first."})
        if self.pk and not self.is_number and self.counts.exists():
            raise ValidationError({"point": "A population count takes its number from this fact."})
        if self.pk:
            self._check_sentences()

    def _check_sentences(self) -> None:
        """Every sentence that prints this fact must still be able to: `{key:3sf}` needs a number."""
        texts = [citation.text.body for citation in self.citations.select_related("text")]
        for conflict in self.species.conflicts.prefetch_related("positions"):
            texts += [conflict.show, *(position.say for position in conflict.positions.all())]
        for part in (part for text in texts for part in prose.value_markers(text) if part.key == self.key):
            try:
                prose.printed(part, self)
            except prose.MarkerError as error:
                raise ValidationError(f"A sentence could no longer be printed. {error}") from error
            if not self.is_published:
                raise ValidationError({"is_published": "A text prints this fact: change it first."})

    def save(self, **kwargs: Any) -> None:
        """Carry the value to the two places that hold it for speed: the species' status and the counts."""
        with transaction.atomic():
            super().save(**kwargs)
            if self.key == STATUS_FACT_KEY:
                status = STATUS_BY_NAME.get(self.value, Status.NE)
                Species.objects.filter(pk=self.species_id).update(status=status)
            self.counts.exclude(point=self.point, low=self.low, high=self.high).update(
                point=self.point, low=self.low, high=self.high
            )


def facts_by_key(species_id: int) -> dict[str, Fact]:
    """The published facts of a species, as its sentences name them."""
    return {fact.key: fact for fact in Fact.objects.public().filter(species_id=species_id)}


def check_markers(text: str, *, species_id: int, field: str) -> None:
    """Refuse a text that prints a fact its species does not have, or not in that way."""
    try:
        prose.check(text, facts_by_key(species_id))
    except prose.MarkerError as error:
        raise ValidationError({field: str(error)}) from error


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

    # Set by the page that shows the count: where its sources stand in that page's list.
    source_numbers: tuple[int, ...] = ()

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
