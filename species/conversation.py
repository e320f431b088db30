"""The approved comments under a page: newest first, replies under what they answer, a page at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db.models import Count, QuerySet, Subquery, Value

from .models import Comment, Species

COMMENTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A comment as readers see it. It has no address: a page that never held one cannot leak one."""

    pk: int
    name: str
    body: str
    created_at: datetime
    replies: tuple["Shown", ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """`total` counts every approved comment; `older` is the comment to go on from, if there are more."""

    total: int
    comments: tuple[Shown, ...]
    older: int | None

    @classmethod
    def of(cls, species: Species, *, before: int | None = None) -> Self:
        """One query for the comments, their replies and the total, the same at 20 comments and at 20,000."""
        public = Comment.objects.public().filter(species=species)
        beginnings = public.filter(parent=None).order_by("-pk")
        if before is not None:
            beginnings = beginnings.filter(pk__lt=before)
        wanted = beginnings[: COMMENTS_SHOWN + 1]
        replies = public.filter(parent__in=wanted.values("pk"))
        rows = list(_columns(wanted, public).union(_columns(replies, public), all=True))
        first = sorted((row for row in rows if row["parent_id"] is None), key=lambda row: -row["pk"])
        shown = tuple(_shown(row, rows) for row in first[:COMMENTS_SHOWN])
        return cls(
            total=rows[0]["total"] if rows else 0,
            comments=shown,
            older=shown[-1].pk if len(first) > COMMENTS_SHOWN else None,
        )


Row = dict[str, Any]


def _columns(comments: QuerySet[Comment], public: QuerySet[Comment]) -> QuerySet[Any, Any]:
    counted = public.order_by().annotate(one=Value(1)).values("one").annotate(total=Count("pk")).values("total")
    return comments.annotate(total=Subquery(counted)).values("pk", "parent_id", "name", "body", "created_at", "total")


def _shown(row: Row, rows: list[Row]) -> Shown:
    answers = sorted((other for other in rows if other["parent_id"] == row["pk"]), key=lambda other: other["pk"])
    return Shown(
        pk=row["pk"],
        name=row["name"],
        body=row["body"],
        created_at=row["created_at"],
        replies=tuple(_shown(answer, []) for answer in answers),
    )
