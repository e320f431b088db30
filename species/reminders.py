"""What happens about comments without anybody pressing: moderators hear of what waits."""

from datetime import timedelta

from django.tasks import task
from django.utils import timezone

from config.tasks import every

from . import comment_links, emails
from .models import Comment

OVERDUE = timedelta(days=1)
MORNING = 8  # o'clock, local time


@every(hours=1)
@task
def tell_of_arrivals() -> None:
    """At most once an hour, and only if something has come since the last mail. What looks like spam calls nobody."""
    fresh = Comment.objects.pending().filter(suspicion=0)
    newest = fresh.order_by("-pk").values_list("pk", flat=True).first()
    if newest is not None:
        tell_moderators("comments_arrived", key=str(newest))


@every(hours=1)
@task
def remind_of_waiting() -> None:
    """Each morning on which something has waited for more than a day."""
    now = timezone.localtime()
    is_overdue = Comment.objects.pending().filter(created_at__lt=now - OVERDUE).exists()
    if now.hour >= MORNING and is_overdue:
        tell_moderators("comments_waiting", key=f"{now:%Y-%m-%d}", waited=OVERDUE)


def tell_moderators(kind: str, *, key: str, waited: timedelta = timedelta()) -> int:
    """How many mails that made; the same key never makes a second."""
    waiting = Comment.objects.pending().filter(created_at__lte=timezone.now() - waited)
    oldest = waiting.select_related("species").order_by("pk").first()
    if oldest is None:
        return 0
    total = waiting.count()
    return sum(
        emails.tell_moderator(moderator, kind=kind, key=key, total=total, oldest=oldest)
        for moderator in comment_links.moderators()
    )
