"""What moderators' decisions taught about words. The words themselves are not kept: only digests, and counts."""

from django.db import models


class SpamWord(models.Model):
    """How many spam and how many real comments held a word; the row with an empty digest counts the comments."""

    digest = models.CharField(max_length=16, primary_key=True)
    spam = models.PositiveIntegerField(default=0)
    real = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.digest or 'comments'}: {self.spam} spam, {self.real} real"
