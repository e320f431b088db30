"""What is known about a species, fact by fact, and the sources that say so."""

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from species import prose
from species.numbers import written_range

from .seeded import Seeded
from .species import STATUS_BY_NAME, STATUS_FACT_KEY, Species, Status

FACT_KEY_PATTERN = r"[a-z][a-z0-9-]*"


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
