from datetime import datetime

from django.db import models
from django.db.models.functions import Now


class PageChangeQuerySet(models.QuerySet["PageChange"]):
    def sweep(self, *, before: datetime) -> int:
        """Let go of old rows, but for the newest: without it, the next change would look like an earlier one."""
        newest = self.order_by("-pk").values("pk")[:1]
        return self.filter(at__lt=before).exclude(pk__in=newest).delete()[0]


class PageChange(models.Model):
    """Something that public pages show has changed: a row for every statement that did, written by triggers.

    Rows are only added, so that no two who edit wait for each other, and become visible with the change itself. How
    many there are, and the newest, tell one state of the database from the next; old ones are swept once a day.
    """

    at = models.DateTimeField(db_default=Now())

    objects = PageChangeQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.pk} {self.at:%Y-%m-%d %H:%M}"
