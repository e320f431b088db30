"""The approved comments under a page: newest or oldest first, answers under what they answer, a page at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db.models import Count, F, QuerySet, Subquery, Value, Window
from django.db.models.functions import RowNumber

from .models import Comment, Species
from .models.comments import SHOWN_BODY, SHOWN_NAME

COMMENTS_SHOWN = 20
ANSWERS_SHOWN = 20
LINES_QUOTED = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """A comment as readers see it. It has no address: a page that never held one cannot leak one."""

    pk: int
    name: str
    body: str
    created_at: datetime
    is_from_charity: bool = False
    is_by_adopter: bool = False
    replies: tuple["Shown", ...] = ()

    @property
    def has_more_replies(self) -> bool:
        """Its own page shows them all."""
        return len(self.replies) >= ANSWERS_SHOWN


@dataclass(frozen=True, slots=True)
class Conversation:
    """`total` counts every approved comment; `last` is the comment to go on from, if there are more."""

    total: int
    comments: tuple[Shown, ...]
    last: int | None
    oldest_first: bool = False

    @classmethod
    def of(
        cls, species: Species, *, before: int | None = None, after: int | None = None, oldest_first: bool = False
    ) -> Self:
        """One query for the comments, their answers and the total, the same at 20 comments and at 20,000."""
        public = Comment.objects.public().filter(species=species)
        beginnings = public.filter(parent=None).order_by("pk" if oldest_first else "-pk")
        if oldest_first and after is not None:
            beginnings = beginnings.filter(pk__gt=after)
        elif not oldest_first and before is not None:
            beginnings = beginnings.filter(pk__lt=before)
        wanted = beginnings[: COMMENTS_SHOWN + 1]
        rows = list(_columns(wanted, public).union(_columns(_answers(public, wanted), public), all=True))
        first = [row for row in rows if row["parent_id"] is None]
        first.sort(key=lambda row: row["pk"], reverse=not oldest_first)
        shown = tuple(_shown(row, rows) for row in first[:COMMENTS_SHOWN])
        return cls(
            total=rows[0]["total"] if rows else 0,
            comments=shown,
            last=shown[-1].pk if len(first) > COMMENTS_SHOWN else None,
            oldest_first=oldest_first,
        )

    @property
    def going_on(self) -> str:
        """The query that continues where this page ends."""
        if self.last is None:
            return ""
        return f"order=oldest&after={self.last}" if self.oldest_first else f"before={self.last}"


Row = dict[str, Any]


def thread(comment: Comment) -> Shown:
    """One comment with every answer to it, for the page that is its own."""
    public = Comment.objects.public()
    answers = public.filter(parent=comment.pk).order_by("pk")
    rows = list(_columns(public.filter(pk=comment.pk), public)) + list(_columns(answers, public))
    return _shown(rows[0], rows)


def answering(species: Species, pk: int | None) -> dict[str, Any]:
    """What the form begins with when a comment is answered. An answer to an answer quotes it, one level down."""
    found = Comment.objects.public().filter(species=species, pk=pk).first() if pk else None
    if found is None or found.parent_id is None:
        return {"parent": found.pk if found else pk}
    lines = found.shown_body.splitlines()[:LINES_QUOTED]
    quoted = "\n".join(f"> {line[:200]}" for line in lines if line.strip())
    return {"parent": found.parent_id, "comment": f"{found.shown_name}:\n{quoted}\n\n"}


def _answers(public: QuerySet[Comment], wanted: QuerySet[Comment]) -> QuerySet[Comment]:
    """The first answers to each: one comment that everybody answers must not make the page endless."""
    place = Window(RowNumber(), partition_by=F("parent"), order_by=F("pk").asc())
    near = public.filter(parent__in=wanted.values("pk")).annotate(place=place).filter(place__lte=ANSWERS_SHOWN)
    return Comment.objects.filter(pk__in=near.values("pk"))


def _columns(comments: QuerySet[Comment], public: QuerySet[Comment]) -> QuerySet[Any, Any]:
    counted = public.order_by().annotate(one=Value(1)).values("one").annotate(total=Count("pk")).values("total")
    return comments.annotate(total=Subquery(counted), public_name=SHOWN_NAME, public_body=SHOWN_BODY).values(
        "pk", "parent_id", "created_at", "is_from_charity", "is_by_adopter", "total", "public_name", "public_body"
    )


def _shown(row: Row, rows: list[Row]) -> Shown:
    answers = sorted((other for other in rows if other["parent_id"] == row["pk"]), key=lambda other: other["pk"])
    return Shown(
        pk=row["pk"],
        name=row["public_name"],
        body=row["public_body"],
        created_at=row["created_at"],
        is_from_charity=row["is_from_charity"],
        is_by_adopter=row["is_by_adopter"],
        replies=tuple(_shown(answer, []) for answer in answers),
    )
