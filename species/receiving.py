"""Take in what a reader wrote: weigh it, keep it once, and tell the writer that it waits."""

from django.db import IntegrityError, transaction

from . import akismet, emails, proved_writers, tasks
from .models import Comment
from .weighing import Verdict, weigh


def receive(comment: Comment, *, raw: str, trap: bool, stamp: str) -> bool:
    """Into the queue, or among the spam; False if the same person has said the same here before.

    The second of two presses is no error: it finds the words there and is thanked like the first.
    """
    verdict = weigh(
        name=comment.name,
        body=comment.body,
        shown_name=comment.shown_name,
        raw=raw,
        trap=trap,
        stamp=stamp,
    )
    for column, value in verdict.columns().items():
        setattr(comment, column, value)
    try:
        with transaction.atomic():
            _keep(comment, verdict)
    except IntegrityError as error:
        if "comment_said_once" not in str(error):
            raise
        return False
    return True


def _keep(comment: Comment, verdict: Verdict) -> None:
    comment.save(force_insert=True)
    if verdict.is_spam:
        Comment.objects.filter(pk=comment.pk).mark_spam(by=None)
        return
    if comment.is_by_adopter and proved_writers.publish(comment):
        comment.refresh_from_db()
        return
    if not verdict.is_suspicious:
        emails.tell_it_waits(comment)
    if akismet.is_on():
        tasks.ask_akismet.enqueue(comment.pk)


def change(comment: Comment, *, body: str, raw: str) -> bool:
    """The writer's second thoughts, weighed like the first; False if it is too late or was said before."""
    verdict = weigh(name=comment.name, body=body, raw=raw, shown_name=comment.shown_name, apart_from=comment.pk)
    try:
        with transaction.atomic():
            changed = Comment.objects.filter(pk=comment.pk).change(body=body, akismet_answer="", **verdict.columns())
            if changed and akismet.is_on():
                tasks.ask_akismet.enqueue(comment.pk)
            return changed == 1
    except IntegrityError as error:
        if "comment_said_once" not in str(error):
            raise
        return False
