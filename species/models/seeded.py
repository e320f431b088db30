"""Rows that first came from the files in species/content/ and that staff may edit afterwards."""

from django.db import models


class Seeded(models.Model):
    """Remembers what the files said, so that loading them again never undoes an edit made by staff."""

    loaded_hash = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="Fingerprint of this row as the content files had it; empty for rows made by staff.",
    )
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_from_files(self) -> bool:
        return bool(self.loaded_hash)
