"""What we hold about a person who commented: hand it over, take their name off it, or erase it.

Answers by others stay readable: where somebody has answered, the place of the words is kept and says why it is empty.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from .models import Comment, CommentStatus
from .models.comments import NAMELESS

TAKEN_BACK = "The writer has taken this comment back."
EXPORTED = (
    "created_at",
    "species__common_name",
    "name",
    "email",
    "body",
    "masked_body",
    "status",
    "moderated_at",
    "reason",
    "wants_replies",
    "is_by_adopter",
    "proved_at",
    "network",
    "akismet_answer",
)


def export(email: str) -> list[dict[str, Any]]:
    """Every comment written with an address, with all we keep about it, oldest first."""
    return list(Comment.objects.by_address(email).order_by("pk").values(*EXPORTED))


def anonymise(email: str) -> int:
    """Take name and address off; the words stay. How many comments that were."""
    return Comment.objects.by_address(email).update(**_nameless())


def erase(email: str) -> int:
    """Take the words as well. How many comments that were."""
    with transaction.atomic():
        comments = list(Comment.objects.by_address(email).order_by("pk").select_for_update())
        for comment in comments:
            take_back(comment)
        empty(comment.pk for comment in comments)
    return len(comments)


def take_back(comment: Comment) -> None:
    """By its writer. Off the page; but where somebody has answered, the place is kept for the answers."""
    with transaction.atomic():
        this = Comment.objects.filter(pk=comment.pk)
        now = this.select_for_update().get()
        if now.status == CommentStatus.APPROVED and now.replies.public().exists():
            empty([comment.pk])
        elif now.status in (CommentStatus.PENDING, CommentStatus.APPROVED):
            this.withdraw()


def empty(pks: Iterable[int]) -> None:
    Comment.objects.filter(pk__in=list(pks)).update(body=TAKEN_BACK, masked_body="", **_nameless())


def _nameless() -> dict[str, Any]:
    return {
        "name": NAMELESS,
        "name_to_show": NAMELESS,
        "email": "",
        "network": "",
        "wants_replies": False,
        "erased_at": timezone.now(),
    }
