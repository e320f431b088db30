"""Prose about a species, one row per language, section and item; the notation is told in species/prose.py."""

from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from species import prose

from .facts import Fact, check_markers, facts_by_key
from .seeded import Seeded
from .species import Species
from .threats import SpeciesThreat


class Section(models.TextChoices):
    STANDFIRST = "standfirst", _("Standfirst")
    AT_A_GLANCE = "at_a_glance", _("At a glance")
    AT_A_GLANCE_NOTE = "at_a_glance_note", _("Note under “At a glance”")
    HABITAT = "habitat", _("Habitat")
    RANGE = "range", _("Range")
    LIFE_AND_BEHAVIOUR = "life_and_behaviour", _("Life and behaviour")
    WHY_THEY_MATTER = "why_they_matter", _("Why they matter")
    THREAT = "threat", _("Threat")
    WHAT_IS_BEING_DONE = "what_is_being_done", _("What is being done")
    WHAT_AN_ADOPTION_PAYS_FOR = "what_an_adoption_pays_for", _("What an adoption pays for")
    DID_YOU_KNOW = "did_you_know", _("Did you know?")
    FAQ = "faq", _("Questions people ask")


# Sections of which a species has several items, told apart by their key.
SECTIONS_OF_ITEMS = (Section.AT_A_GLANCE, Section.DID_YOU_KNOW, Section.FAQ)


class TextQuerySet(models.QuerySet["Text"]):
    def public(self) -> Self:
        return self.filter(is_published=True)

    def in_language(self, language: str) -> Self:
        return self.filter(language=language)


class Text(Seeded):
    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="texts")
    language = models.CharField(max_length=10, default=settings.LANGUAGE_CODE)
    section = models.CharField(max_length=30, choices=Section)
    key = models.SlugField(
        max_length=60,
        blank=True,
        help_text="Tells the items of a list apart: one glance row, one question. Else empty.",
    )
    species_threat = models.ForeignKey(
        SpeciesThreat,
        verbose_name="threat",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="texts",
        help_text="Only for the section “Threat”.",
    )
    title = models.CharField(
        max_length=200, blank=True, help_text="The heading, the label of a glance row, or the question."
    )
    summary = models.CharField(
        max_length=200, blank=True, help_text="For a threat: which way it is going, in a few words."
    )
    body = models.TextField(
        help_text="One sentence a line, ending with the facts it rests on: [^range-now]. "
        "{range-now} prints a fact's value, {range-now:3sf} to three figures. An empty line starts a paragraph."
    )
    position = models.PositiveSmallIntegerField(default=0)
    is_published = models.BooleanField("published", default=True)
    facts = models.ManyToManyField(Fact, through="Citation", related_name="texts", editable=False)

    objects = TextQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["species", "language", "section", "key", "species_threat"],
                nulls_distinct=False,
                name="text_once_per_language_and_place",
            ),
            models.CheckConstraint(
                name="text_names_threat_if_about_one",
                condition=Q(section=Section.THREAT, species_threat__isnull=False)
                | (~Q(section=Section.THREAT) & Q(species_threat__isnull=True)),
                violation_error_message="A text of the section “Threat” names its threat; no other does.",
            ),
            models.CheckConstraint(
                name="text_has_key_if_item",
                condition=(Q(section__in=SECTIONS_OF_ITEMS) & ~Q(key=""))
                | (~Q(section__in=SECTIONS_OF_ITEMS) & Q(key="")),
                violation_error_message="Items of a list need a key; other sections have none.",
            ),
        ]

    def __str__(self) -> str:
        parts = (
            self.get_section_display(),
            self.title,
            self.language if self.language != settings.LANGUAGE_CODE else "",
        )
        return " · ".join(part for part in parts if part)

    def clean(self) -> None:
        super().clean()
        if self.language not in dict(settings.LANGUAGES):
            raise ValidationError({"language": f"“{self.language}” is not a language of this site."})
        if self.species_threat and self.species_threat.species_id != self.species_id:
            raise ValidationError({"species_threat": "This threat is that of another species."})
        if self.species_id:
            check_markers(self.body, species_id=self.species_id, field="body")

    def save(self, **kwargs: Any) -> None:
        """Keep the record of which facts the text rests on, so that none of them can be deleted under it."""
        with transaction.atomic():
            super().save(**kwargs)
            facts = facts_by_key(self.species_id)
            wanted = {facts[key].pk for key in prose.check(self.body, facts)}
            self.citations.exclude(fact__in=wanted).delete()
            Citation.objects.bulk_create(
                [Citation(text=self, fact_id=pk) for pk in sorted(wanted)], ignore_conflicts=True
            )


class Citation(models.Model):
    """That a text rests on a fact: the fact cannot be deleted while it does."""

    text = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="citations")
    fact = models.ForeignKey(Fact, on_delete=models.PROTECT, related_name="citations")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text", "fact"], name="citation_once_per_text")]

    def __str__(self) -> str:
        return f"{self.text} rests on {self.fact.key}"
