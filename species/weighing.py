"""Weigh a comment as it arrives or is changed: what a moderator should look at, and whether it is spam.

Everything waits for a moderator in any case. What is said here decides where it waits and what stands beside it.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import TrigramSimilarity
from django.core import signing
from django.db.models.functions import Left
from django.utils import timezone

from . import child_safety, spam_score
from .models import Comment, CommentStatus
from .spam_rules import MARKED_FROM, Arrival, suspicions

COMPARED = 200  # of the newest comments, however many there are
LETTERS_COMPARED = 400
SHORT = 20  # “Thank you!” is said by many
STAMP_SALT = "species.form_loaded"


@dataclass(frozen=True, slots=True)
class Verdict:
    reasons: tuple[str, ...]
    weight: int

    @property
    def is_spam(self) -> bool:
        return self.weight >= MARKED_FROM

    @property
    def is_suspicious(self) -> bool:
        """Spam may be made to look like a letter to somebody else: such words are not sent on by us."""
        return self.weight > 0

    def columns(self) -> dict[str, Any]:
        return {"held_because": "\n".join(self.reasons)[:1000], "suspicion": min(self.weight, 100)}


def weigh(
    *,
    name: str,
    body: str,
    raw: str = "",
    shown_name: str,
    trap: bool = False,
    stamp: str | None = None,
    apart_from: int = 0,
) -> Verdict:
    """Ask every rule. `stamp` is None where no form was loaded for this: a change to a comment that waits."""
    likeness, like_spam = most_alike(body, apart_from=apart_from)
    arrival = Arrival(
        name=name,
        body=body,
        raw=raw,
        fell_into_trap=trap,
        likeness=likeness,
        like_spam=like_spam,
        learned=spam_score.score(name, body),
        **({} if stamp is None else {"seconds": seconds_since(stamp)}),
    )
    found = list(suspicions(arrival))
    private = child_safety.reasons(name=shown_name, body=body)
    return Verdict((*private, *(each.sentence for each in found)), sum(each.weight for each in found))


def form_stamp() -> str:
    """When a form was loaded, in a form that cannot be made up."""
    return signing.dumps(int(timezone.now().timestamp()), salt=STAMP_SALT)


def seconds_since(stamp: str) -> float | None:
    """How long ago; None for a stamp that is missing or not ours. A day or a month ago is no fault."""
    try:
        loaded = float(signing.loads(stamp, salt=STAMP_SALT))
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return max(0.0, timezone.now().timestamp() - loaded)


def most_alike(body: str, *, apart_from: int = 0) -> tuple[float, bool]:
    """How alike the most similar of the newest comments is, and whether that one was spam."""
    if len(body) < SHORT:
        return 0.0, False
    # What somebody took back they may say again.
    others = Comment.objects.exclude(pk=apart_from).exclude(status=CommentStatus.WITHDRAWN)
    newest = others.order_by("-pk").values("pk")[:COMPARED]
    alike = (
        Comment.objects.filter(pk__in=newest)
        .annotate(likeness=TrigramSimilarity(Left("body", LETTERS_COMPARED), body[:LETTERS_COMPARED]))
        .order_by("-likeness")
        .values_list("likeness", "status")
        .first()
    )
    return (float(alike[0]), alike[1] == CommentStatus.SPAM) if alike else (0.0, False)
