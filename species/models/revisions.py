"""What a row said before, who changed it and when; and drafts that say what it should say next."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Revision(models.Model):
    """The whole content of one row at one time. A draft is content that has not been put in its place yet."""

    kind = models.CharField(max_length=30, help_text="The model's name: “text”, “fact” …")
    row = models.BigIntegerField()
    content = models.JSONField()
    is_draft = models.BooleanField(default=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty where the content files did it.",
    )
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["kind", "row", "-id"], name="revision_of_row")]

    def __str__(self) -> str:
        return f"{self.kind} {self.row} at {self.at:%d %b %Y %H:%M}"
