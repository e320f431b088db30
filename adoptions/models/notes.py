import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5, Now

from .supporters import Supporter

NOTE_LENGTH = 1000


class Note(models.Model):
    """What staff wrote down about a supporter, for the next who answers.

    Never changed: what was wrong is put right by another. All go when the supporter is forgotten.
    """

    request = models.UUIDField(editable=False, help_text="Which visit to the form: it keeps the same words once.")
    supporter = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="notes")
    words = models.CharField(max_length=NOTE_LENGTH)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "note of staff"
        verbose_name_plural = "notes of staff"
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint("request", MD5("words"), name="note_written_once"),
            models.CheckConstraint(name="note_says_something", condition=~Q(words="")),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d}"
