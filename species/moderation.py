"""Decide about comments, and see to what follows: the writer is told, whoever was answered too, and the score learns.

Each function says how many comments it moved. None means that somebody else was quicker, or that the writer has
changed the words since they were read.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_noop

from . import akismet, child_safety, emails, spam_score, tasks
from .models import Comment, CommentStatus
from .models.comments import NAME_LENGTH, NAMELESS, CommentQuerySet


class Reason(StrEnum):
    """Why a comment is not published, as its writer is told; kept in English, and shown in the reader's language."""

    UNKIND = gettext_noop("Unkind to somebody")
    PERSONAL = gettext_noop("Gives somebody's personal details")
    OFF_TOPIC = gettext_noop("Not about this species")


Follow = Callable[[Comment], None]
TAUGHT = {CommentStatus.APPROVED: False, CommentStatus.SPAM: True}  # is it spam?


def approve(pks: Iterable[int], *, by: User, seen_at: datetime | None = None) -> int:
    return _each(pks, lambda rows: rows.approve(by=by), _published, seen_at)


def approve_masked(pk: int, *, by: User, seen_at: datetime | None = None) -> int:
    """Publish it without what would lead a stranger to a child."""

    def move(rows: CommentQuerySet) -> int:
        comment = rows.first()
        if comment is None:
            return 0
        shown = child_safety.first_name(comment.name)
        return rows.approve(
            by=by,
            masked_body=child_safety.masked(comment.body),
            name_to_show=NAMELESS if child_safety.find(shown) else shown,
        )

    return _each([pk], move, _published, seen_at)


def reject(pks: Iterable[int], *, by: User, reason: str = "", seen_at: datetime | None = None) -> int:
    return _each(pks, lambda rows: rows.reject(by=by, reason=reason), emails.tell_it_is_refused, seen_at)


def mark_spam(pks: Iterable[int], *, by: User, seen_at: datetime | None = None) -> int:
    """Nobody is told: a spammer learns nothing."""
    return _each(pks, lambda rows: rows.mark_spam(by=by), _taught, seen_at)


def reopen(pks: Iterable[int], *, by: User) -> int:
    """Undo: back to the queue, and out of what the score has learned."""
    with transaction.atomic():
        decided = list(Comment.objects.filter(pk__in=list(pks)).order_by("pk").select_for_update())
        moved = [each for each in decided if Comment.objects.filter(pk=each.pk).reopen(by=by)]
        for comment in moved:
            # What the rules alone marked as spam was never learned.
            if comment.status in TAUGHT and comment.moderated_by_id:
                spam_score.learn(comment.name, comment.body, is_spam=TAUGHT[CommentStatus(comment.status)], times=-1)
    return len(moved)


def reply_as_charity(parent: Comment, body: str, *, by: User) -> Comment | None:
    """An answer in the charity's name, shown at once; None if what it answers is not shown."""
    top = parent.parent or parent
    if top.status != CommentStatus.APPROVED:
        return None
    name = settings.CHARITY["name"][:NAME_LENGTH]
    with transaction.atomic():
        reply = Comment.objects.create(
            species_id=top.species_id, parent=top, name=name, name_to_show=name, body=body, is_from_charity=True
        )
        Comment.objects.filter(pk=reply.pk).approve(by=by)
        emails.tell_of_reply(reply)
    return reply


def _each(pks: Iterable[int], move: Callable[[CommentQuerySet], int], follow: Follow, seen_at: datetime | None) -> int:
    """Move them one by one in the order of their keys, and only then do what follows.

    All rows are locked before the score's: two moderators at once wait for each other in one direction only.
    """
    with transaction.atomic():
        moved: list[int] = []
        for pk in sorted(set(pks)):
            rows = Comment.objects.filter(pk=pk)
            if move(rows.unchanged_since(seen_at) if seen_at else rows):
                moved.append(pk)
        # Joined anew: the rows in hand before a move are stale after it.
        for comment in Comment.objects.filter(pk__in=moved).select_related("species", "parent").order_by("pk"):
            follow(comment)
    return len(moved)


def _taught(comment: Comment) -> None:
    spam_score.learn(comment.name, comment.body, is_spam=TAUGHT[CommentStatus(comment.status)])
    if akismet.is_wrong_about(comment):
        tasks.teach_akismet.enqueue(comment.pk)


def _published(comment: Comment) -> None:
    _taught(comment)
    emails.tell_it_is_published(comment)
    emails.tell_of_reply(comment)
