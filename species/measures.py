"""What an alarm may watch of the conversation: how many comments wait for a moderator, and for how long."""

from django.db.models import Min

from config.metrics import Value, gauge, since

from .models import Comment, CommentStatus


@gauge("pugmark_comments_waiting", "Comments that no moderator has looked at.")
def comments_waiting() -> int:
    return Comment.objects.filter(status=CommentStatus.PENDING).count()


@gauge("pugmark_comments_oldest_seconds", "For how long the first of them has waited.")
def comments_oldest() -> Value:
    waiting = Comment.objects.filter(status=CommentStatus.PENDING).aggregate(oldest=Min("created_at"))
    return since(waiting["oldest"]) or 0
