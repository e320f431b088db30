"""Short dated reports from the field: written once, read on the species' page and by everyone who adopted it."""

from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.safestring import SafeString

from species import markdown

from .pictures import Picture
from .species import Species


class FieldNoteQuerySet(models.QuerySet["FieldNote"]):
    def public(self) -> Self:
        """Published, and not set for a day to come."""
        return self.filter(published_at__lte=Now())


class FieldNote(models.Model):
    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="field_notes")
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=120)
    body = models.TextField(
        help_text="An empty line starts a paragraph. **bold**, *italic*, [words](https://…), “- ” for a list."
    )
    picture = models.ForeignKey(
        Picture,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="field_notes",
        help_text="Uploaded under Pictures, with its author and licence. Shown once it is published.",
    )
    place = models.CharField(
        max_length=80,
        blank=True,
        help_text="No finer than the public range: “south-west Primorye”, never a den or a path.",
    )
    seen_on = models.DateField(help_text="The day it happened.")
    published_at = models.DateTimeField(null=True, blank=True, help_text="Empty: a draft.")
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    objects = FieldNoteQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-pk"]
        indexes = [models.Index(fields=["species", "-published_at"], name="field_note_page")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("species:field_note", args=[self.slug])

    @property
    def html(self) -> SafeString:
        return markdown.html_of(self.body)

    @property
    def words(self) -> str:
        return markdown.words_of(self.body)
