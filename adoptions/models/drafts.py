from django.db import models


class Draft(models.Model):
    """What somebody typed into the adopt form, for a day: nothing of it is lost with a connection."""

    attempt = models.UUIDField(primary_key=True, help_text="The visit to the form.")
    browser_hash = models.CharField(
        max_length=64, default="", db_default="", help_text="Of the cookie that the form was sent with."
    )
    email = models.CharField(max_length=254, blank=True, db_index=True, help_text="As typed, to erase it by.")
    answers = models.TextField(help_text="As the browser sent them, URL-encoded.")
    saved_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.attempt}"
