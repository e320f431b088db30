"""What waits, one comment at a time, oldest first, with all a moderator wants to know beside it.

The same for the admin and for the signed page from the mail: both lay out what stands here and send back one press.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from django.contrib.auth.models import User
from django.db.models import Count
from django.utils import timezone

from config.fields import plain

from . import child_safety, moderation
from .child_safety import Segment
from .models import Comment, CommentStatus
from .models.comments import BODY_LENGTH

COUNTED = 1000  # so that a flood cannot make every press count it


class Act(StrEnum):
    APPROVE = "approve"
    MASK = "mask"
    UNKIND = "reject-unkind"
    PERSONAL = "reject-personal"
    OFF_TOPIC = "reject-off-topic"
    SPAM = "spam"
    ANSWER = "answer"
    UNDO = "undo"


REASONS = {
    Act.UNKIND: moderation.Reason.UNKIND,
    Act.PERSONAL: moderation.Reason.PERSONAL,
    Act.OFF_TOPIC: moderation.Reason.OFF_TOPIC,
}


@dataclass(frozen=True, slots=True)
class Waiting:
    comment: Comment
    total: int
    shown_name: str
    paragraphs: tuple[tuple[Segment, ...], ...]
    masked: str  # empty where there is nothing private to take out
    reasons: tuple[str, ...]
    past: Mapping[str, int]  # how many of the writer's comments are approved, rejected …
    nearby: int  # how many came from the same network
    seen_at: datetime

    @classmethod
    def next(cls, *, after: int | None = None) -> Self | None:
        """The oldest that waits, or the next one after a comment that was passed over."""
        waiting = Comment.objects.pending().select_related("species", "parent").order_by("pk")
        comment = (waiting.filter(pk__gt=after).first() if after else None) or waiting.first()
        if comment is None:
            return None
        has_private = bool(child_safety.reasons(name=comment.shown_name, body=comment.body))
        return cls(
            comment=comment,
            total=Comment.objects.pending().order_by()[:COUNTED].count(),
            shown_name=comment.shown_name,
            paragraphs=tuple(
                child_safety.segments(paragraph) for paragraph in comment.body.split("\n") if paragraph.strip()
            ),
            masked=child_safety.masked(comment.body) if has_private else "",
            reasons=tuple(comment.held_because.splitlines()),
            past=_past(comment),
            nearby=_nearby(comment),
            seen_at=timezone.now(),
        )

    @property
    def is_first(self) -> bool:
        return not self.past


@dataclass(frozen=True, slots=True)
class Press:
    """One button, as it was sent back: on which comment, and as it read at what time."""

    act: Act
    pk: int
    seen_at: datetime
    answer: str = ""

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Self | None:
        """None for anything that no button of ours sends."""
        try:
            act = Act(data.get("act", ""))
            pk = int(data.get("comment", ""))
            seen_at = datetime.fromisoformat(data.get("seen_at", ""))
        except ValueError:
            return None
        if seen_at.tzinfo is None or not 0 < pk < 2**63:
            return None
        return cls(act, pk, seen_at, plain(data.get("answer", ""), keep_newlines=True)[:BODY_LENGTH])

    def carry_out(self, *, by: User) -> int:
        """1 if it was done, 0 if somebody was quicker or the words have changed."""
        if self.act == Act.UNDO:
            return moderation.reopen([self.pk], by=by)
        if self.act == Act.MASK:
            return moderation.approve_masked(self.pk, by=by, seen_at=self.seen_at)
        if self.act == Act.SPAM:
            return moderation.mark_spam([self.pk], by=by, seen_at=self.seen_at)
        if self.act in REASONS:
            return moderation.reject([self.pk], by=by, reason=REASONS[self.act], seen_at=self.seen_at)
        moved = moderation.approve([self.pk], by=by, seen_at=self.seen_at)
        if moved and self.act == Act.ANSWER and self.answer:
            moderation.reply_as_charity(Comment.objects.select_related("parent").get(pk=self.pk), self.answer, by=by)
        return moved


def _past(comment: Comment) -> dict[str, int]:
    others = Comment.objects.by_address(comment.email).exclude(pk=comment.pk).order_by()
    counted = others.values_list("status").annotate(Count("pk"))
    return {str(CommentStatus(status).label).lower(): count for status, count in counted}


def _nearby(comment: Comment) -> int:
    if not comment.network:
        return 0
    return Comment.objects.filter(network=comment.network).exclude(pk=comment.pk).order_by()[:COUNTED].count()
