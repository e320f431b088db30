from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from species.conversation import COMMENTS_SHOWN, Conversation
from species.models import Comment, CommentDecision
from species.models.comments import CommentQuerySet
from tests.species.makers import make_approved_comment, make_comment, make_moderator, make_species

pytestmark = pytest.mark.django_db

Verb = Callable[[CommentQuerySet], int]


def approve(comments: CommentQuerySet) -> int:
    return comments.approve(by=make_moderator())


def reject(comments: CommentQuerySet) -> int:
    return comments.reject(by=make_moderator(), reason="Unkind")


def mark_spam(comments: CommentQuerySet) -> int:
    return comments.mark_spam(by=make_moderator())


def reopen(comments: CommentQuerySet) -> int:
    return comments.reopen(by=make_moderator())


def withdraw(comments: CommentQuerySet) -> int:
    return comments.withdraw()


VERBS = {"approved": approve, "rejected": reject, "spam": mark_spam, "pending": reopen, "withdrawn": withdraw}
ALLOWED = {
    "pending": {"approved", "rejected", "spam", "withdrawn"},
    "approved": {"pending", "withdrawn"},
    "rejected": {"pending"},
    "spam": {"pending"},
    "withdrawn": set[str](),
}


def in_status(status: str) -> CommentQuerySet:
    comment = make_comment()
    rows = Comment.objects.filter(pk=comment.pk)
    if status != "pending":
        VERBS[status](rows)
    assert rows.get().status == status
    return rows


@pytest.mark.parametrize("was", ALLOWED)
@pytest.mark.parametrize("verb", VERBS)
def test_only_sensible_moves_move(was: str, verb: str) -> None:
    rows = in_status(was)
    decisions = CommentDecision.objects.count()
    moved = VERBS[verb](rows)
    is_allowed = verb in ALLOWED[was]
    assert (moved, rows.get().status) == ((1, verb) if is_allowed else (0, was))
    assert CommentDecision.objects.count() == decisions + is_allowed


def test_decision_says_who_when_and_why() -> None:
    rows = in_status("rejected")
    comment = rows.get()
    assert (comment.moderated_by, comment.reason) == (make_moderator(), "Unkind")
    assert comment.moderated_at is not None
    decision = comment.decisions.get()
    assert (decision.was, decision.became, decision.by, decision.reason) == (
        "pending",
        "rejected",
        make_moderator(),
        "Unkind",
    )
    rows.reopen(by=make_moderator("sam"))
    comment = rows.get()
    assert (comment.moderated_by, comment.moderated_at, comment.reason) == (None, None, "")
    assert [decision.became for decision in comment.decisions.all()] == ["pending", "rejected"]


def test_bulk_decision_moves_only_those_that_wait() -> None:
    waiting = [make_comment(f"Comment {number}") for number in range(3)]
    decided = make_approved_comment("Decided already")
    moved = Comment.objects.filter(pk__in=[decided.pk, *(comment.pk for comment in waiting)]).reject(
        by=make_moderator()
    )
    assert moved == 3
    decided.refresh_from_db()
    assert decided.status == "approved"


@pytest.mark.threat("C2")
@pytest.mark.parametrize(
    "values",
    [
        {"status": "approved"},
        {"status": "approved", "moderated_at": "2026-11-01T00:00Z"},
        {"status": "pending", "moderated_at": "2026-11-01T00:00Z"},
        {"status": "withdrawn"},
    ],
)
def test_database_refuses_a_decision_without_who_and_when(values: dict[str, Any]) -> None:
    comment = make_comment()
    with pytest.raises(IntegrityError, match="comment_decision_has_who_and_when"):
        Comment.objects.filter(pk=comment.pk).update(**values)


@pytest.mark.threat("C2")
def test_approved_words_cannot_be_changed() -> None:
    comment = make_approved_comment()
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Comment.objects.filter(pk=comment.pk).update(body="Buy pills")
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Comment.objects.filter(pk=comment.pk).update(name="The Trust")
    Comment.objects.filter(pk=comment.pk).update(email="")


def test_same_words_by_the_same_person_are_said_once() -> None:
    make_comment("Hello", email="sam@example.org")
    make_comment("Hello", email="amara@example.org")
    make_comment("Hello", email="sam@example.org", species=make_species("amur-tiger"))
    with pytest.raises(IntegrityError, match="comment_said_once"):
        make_comment("Hello", email="Sam@example.org")


@pytest.mark.django_db(transaction=True)
def test_approve_and_reject_at_once_give_one_outcome() -> None:
    marek, sam = make_moderator("marek"), make_moderator("sam")
    for _ in range(8):
        comment = make_comment(f"Comment {_}")
        start = Barrier(2)

        def act(verb: str, pk: int = comment.pk, start: Barrier = start) -> int:
            try:
                start.wait(timeout=10)
                rows = Comment.objects.filter(pk=pk)
                return rows.approve(by=marek) if verb == "approve" else rows.reject(by=sam)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            moved = list(pool.map(act, ["approve", "reject"]))
        comment.refresh_from_db()
        assert sum(moved) == 1
        assert comment.status == ("approved" if moved[0] else "rejected")
        assert comment.decisions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_bulk_decisions_at_once_do_not_wait_for_each_other() -> None:
    marek, sam = make_moderator("marek"), make_moderator("sam")
    pks = [make_comment(f"Comment {number}").pk for number in range(20)]
    start = Barrier(2)

    def act(verb: str) -> int:
        try:
            start.wait(timeout=10)
            rows = Comment.objects.filter(pk__in=pks).order_by("pk" if verb == "approve" else "-pk")
            return rows.approve(by=marek) if verb == "approve" else rows.reject(by=sam)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        moved = list(pool.map(act, ["approve", "reject"]))
    assert sum(moved) == 20
    assert CommentDecision.objects.count() == 20


def test_conversation_shows_newest_first_with_replies_beneath() -> None:
    first = make_approved_comment("First")
    second = make_approved_comment("Second", name="Amara")
    make_approved_comment("An answer", parent=first)
    make_approved_comment("Another answer", parent=first)
    make_comment("Still waiting", parent=second)
    make_approved_comment("Elsewhere", species=make_species("amur-tiger"))
    conversation = Conversation.of(make_species())
    assert [(shown.body, [reply.body for reply in shown.replies]) for shown in conversation.comments] == [
        ("Second", []),
        ("First", ["An answer", "Another answer"]),
    ]
    assert (conversation.total, conversation.last) == (4, None)


def test_reply_to_what_is_no_longer_shown_is_not_shown() -> None:
    first = make_approved_comment("First")
    make_approved_comment("An answer", parent=first)
    Comment.objects.filter(pk=first.pk).reopen(by=make_moderator())
    assert Conversation.of(make_species()).comments == ()


def test_older_comments_go_on_where_the_page_ended() -> None:
    for number in range(COMMENTS_SHOWN + 5):
        make_approved_comment(f"Comment {number}")
    newest = Conversation.of(make_species())
    assert (len(newest.comments), newest.total) == (COMMENTS_SHOWN, COMMENTS_SHOWN + 5)
    assert newest.last is not None
    older = Conversation.of(make_species(), before=newest.last)
    assert [shown.body for shown in older.comments] == [f"Comment {number}" for number in (4, 3, 2, 1, 0)]
    assert (older.last, older.total) == (None, COMMENTS_SHOWN + 5)
