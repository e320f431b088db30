"""Ask Akismet, a company that judges comments, for a second opinion. Off unless the charity sets AKISMET_KEY.

It is told as little as it can judge by: the name and the words as readers would see them, without what the rules take
for private; the page; and the neighbourhood the comment came from. Never the writer's address. It may hold a comment,
or with our own rules mark it as spam, where a moderator finds it; nothing else. Where it is away, nothing waits for it.

https://akismet.com/developers/ describes the three calls.
"""

import logging
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings
from django.db import transaction

from . import child_safety
from .models import Comment, CommentStatus
from .spam_rules import MARKED_FROM

logger = logging.getLogger(__name__)

SECONDS = 5  # it is asked by the worker, which has other work
WEIGHT = 60  # as one strong rule of our own: alone it holds, with another it marks
SENTENCE = "Akismet takes it for spam."
SPAM, REAL = "spam", "real"


class AkismetRefused(Exception):
    """It answered something else than yes or no: a wrong key, most likely. Asking again would not help."""


def is_on() -> bool:
    return bool(settings.AKISMET_KEY)


def ask(comment_id: int) -> None:
    """Have a waiting comment judged, once for each time its words were written. Raises OSError while it is away."""
    waiting = Comment.objects.pending().filter(pk=comment_id, akismet_answer="")
    comment = waiting.select_related("species", "parent").first()
    if comment is None or not is_on():
        return
    try:
        is_spam = call("comment-check", comment) == "true"
    except AkismetRefused as refusal:
        logger.error("Akismet did not judge a comment: %s", refusal)
        return
    with transaction.atomic():
        # Of the words it was asked about: changed ones are asked about anew.
        same = waiting.filter(edited_at=comment.edited_at)
        if not is_spam:
            same.update(akismet_answer=REAL)
            return
        weight = comment.suspicion + WEIGHT
        reasons = f"{comment.held_because}\n{SENTENCE}".strip()[:1000]
        held = same.update(akismet_answer=SPAM, held_because=reasons, suspicion=min(weight, 100))
        if held and weight >= MARKED_FROM:
            Comment.objects.filter(pk=comment_id).mark_spam(by=None)


def is_wrong_about(comment: Comment) -> bool:
    """A moderator decided otherwise than it did."""
    judged = {CommentStatus.SPAM: SPAM, CommentStatus.APPROVED: REAL}.get(CommentStatus(comment.status))
    return is_on() and bool(judged and comment.akismet_answer) and judged != comment.akismet_answer


def teach(comment_id: int) -> None:
    """Tell it what a moderator decided, where it thought otherwise. Raises OSError while it is away."""
    comment = Comment.objects.select_related("species", "parent").filter(pk=comment_id).first()
    if comment is None or not is_wrong_about(comment):
        return
    is_spam = comment.status == CommentStatus.SPAM
    call("submit-spam" if is_spam else "submit-ham", comment)
    Comment.objects.filter(pk=comment_id).update(akismet_answer=SPAM if is_spam else REAL)


def call(act: str, comment: Comment) -> str:
    """One call; what it answered. Raises AkismetRefused for no answer to this, OSError where there was none."""
    headers = {"User-Agent": "Pugmark | Pugmark"}
    request = Request(settings.AKISMET_URL + act, urlencode(told(comment)).encode(), headers)  # noqa: S310  checked: https
    with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  the same address
        words: str = answer.read(1000).decode("utf-8", "replace").strip()
        help_with_it = answer.headers.get("X-akismet-debug-help", "")
    if act == "comment-check" and words not in {"true", "false"}:
        raise AkismetRefused(help_with_it or words[:100])
    return words


def told(comment: Comment) -> dict[str, Any]:
    """All that leaves the house."""
    return {
        "api_key": settings.AKISMET_KEY,
        "blog": settings.SITE_URL,
        "user_ip": comment.network.partition("/")[0] or "0.0.0.0",  # noqa: S104  an address we no longer have
        "comment_type": "reply" if comment.parent_id else "comment",
        "comment_author": comment.shown_name,
        "comment_content": child_safety.masked(comment.body),
        "comment_date_gmt": comment.created_at.isoformat(),
        "permalink": settings.SITE_URL + comment.species.get_absolute_url(),
        "blog_lang": "en",
        "blog_charset": "UTF-8",
        **({"is_test": "1"} if settings.DEBUG else {}),
    }
