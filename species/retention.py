"""Comments whose time is over, for `config/retention.toml`."""

from datetime import datetime

from django.db.models import QuerySet

from . import personal_data
from .models import Comment, CommentStatus

NOT_SHOWN = (CommentStatus.REJECTED, CommentStatus.SPAM, CommentStatus.WITHDRAWN)


def comments_not_shown(before: datetime) -> QuerySet[Comment]:
    return Comment.objects.filter(status__in=NOT_SHOWN, created_at__lt=before, erased_at=None)


def forget_comments(rows: QuerySet[Comment]) -> None:
    """Rows and all, but for those that somebody has answered: of them the place stays."""
    rows.filter(replies=None).delete()
    personal_data.empty(rows.values_list("pk", flat=True))
