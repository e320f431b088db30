"""What is done for the species' pages behind the scenes. Tasks take ids, and may run twice."""

from datetime import timedelta

from django.tasks import task
from django.utils import timezone

from config.tasks import every, retried

from . import akismet, pictures
from .models import PageChange, Picture


@retried(max_attempts=4)
def make_sizes(picture_id: int) -> None:
    picture = Picture.objects.filter(pk=picture_id, made_at=None).first()
    if picture is not None:
        pictures.make_sizes(picture)


@retried(max_attempts=5)
def ask_akismet(comment_id: int) -> None:
    akismet.ask(comment_id)


@retried(max_attempts=5)
def teach_akismet(comment_id: int) -> None:
    akismet.teach(comment_id)


@every(days=1)
@task
def sweep_pictures() -> None:
    pictures.sweep()


@every(days=1)
@task
def sweep_page_changes() -> None:
    """A day is longer than any transaction, so that no change still to come can be taken for one that was swept."""
    PageChange.objects.sweep(before=timezone.now() - timedelta(days=1))
