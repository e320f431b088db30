"""Comments that appear without a moderator: for whom, when it is switched on, and never when anything holds them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from pytest_django import Settings

from config.models import Mail
from species import comment_links, moderation, proved_writers
from species.models import Comment, CommentDecision
from tests.species.makers import make_approved_comment, make_comment, make_moderator, make_species

pytestmark = pytest.mark.django_db


def own(comment: Comment) -> str:
    return urlsplit(comment_links.own_view(comment)).path


@pytest.fixture
def known(settings: Settings) -> Comment:
    """A new comment by somebody whom a moderator has approved before, on a site that trusts such people."""
    settings.COMMENTS_SHOWN_AT_ONCE = ["known"]
    make_approved_comment("The first time.")
    return make_comment("The second time.")


def test_known_writer_shows_a_comment_with_the_link_of_the_mail(client: Client, known: Comment) -> None:
    assert "Show it now" in client.get(own(known)).text
    known.refresh_from_db()
    assert known.status == "pending"
    client.post(f"{own(known)}publish/")
    known.refresh_from_db()
    assert (known.status, known.moderated_by, known.proved_at is None) == ("approved", None, False)
    assert "The second time." in client.get("/species/amur-leopard/").text
    assert list(Mail.objects.values_list("kind", "to")) == [("comment_published", "sam@example.org")]
    decision = CommentDecision.objects.filter(comment=known).get()
    assert (decision.was, decision.became, decision.by) == ("pending", "approved", None)
    client.post(f"{own(known)}publish/")
    assert (CommentDecision.objects.filter(comment=known).count(), Mail.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    "spoil",
    ["switched off", "never approved", "refused once", "held", "looks like spam", "another address", "decided"],
)
def test_nobody_else_does(client: Client, known: Comment, settings: Settings, spoil: str) -> None:
    others = Comment.objects.exclude(pk=known.pk)
    this = Comment.objects.filter(pk=known.pk)
    if spoil == "switched off":
        settings.COMMENTS_SHOWN_AT_ONCE = ["adopters"]
    elif spoil == "never approved":
        others.reopen(by=make_moderator())
    elif spoil == "refused once":
        bad = make_comment("Something unkind.")
        moderation.reject([bad.pk], by=make_moderator())
    elif spoil == "held":
        this.update(held_because="A telephone number")
    elif spoil == "looks like spam":
        this.update(suspicion=10)
    elif spoil == "another address":
        this.update(email="somebody@example.org")
    else:
        moderation.reject([known.pk], by=make_moderator())
    before = Comment.objects.get(pk=known.pk).status
    assert "Show it now" not in client.get(own(known)).text
    client.post(f"{own(known)}publish/")
    known.refresh_from_db()
    assert (known.status, known.proved_at) == (before, None)


def test_what_became_public_only_by_proof_makes_nobody_known(known: Comment) -> None:
    """Trust begins with a moderator: without one, one proof would lead to the next for ever."""
    Comment.objects.exclude(pk=known.pk).update(email="somebody@example.org")
    Comment.objects.filter(pk=known.pk).publish_proved()
    assert not proved_writers.is_known("sam@example.org")


def test_moderator_takes_back_what_was_shown_and_decides_again(known: Comment) -> None:
    assert proved_writers.publish(known)
    marek = make_moderator()
    assert moderation.reopen([known.pk], by=marek) == 1
    assert moderation.reject([known.pk], by=marek, reason="Not about this species") == 1
    known.refresh_from_db()
    assert (known.status, known.moderated_by) == ("rejected", marek)


def test_database_keeps_approval_without_a_person_or_a_proof_out() -> None:
    comment = make_comment()
    with pytest.raises(IntegrityError, match="comment_decision_has_who_and_when"):
        Comment.objects.filter(pk=comment.pk).update(status="approved", moderated_at=comment.created_at)


@pytest.mark.django_db(transaction=True)
def test_refused_and_shown_at_once_has_one_outcome(settings: Settings) -> None:
    settings.COMMENTS_SHOWN_AT_ONCE = ["known"]
    make_approved_comment("The first time.")
    marek, comment = make_moderator(), make_comment("The second time.")
    Mail.objects.all().delete()
    start = threading.Barrier(2)

    def press(act: str) -> bool:
        try:
            start.wait()
            done = proved_writers.publish(comment) if act == "show" else moderation.reject([comment.pk], by=marek)
            return bool(done)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        done = [future.result() for future in [pool.submit(press, act) for act in ("show", "refuse")]]
    assert sum(done) == 1
    assert (CommentDecision.objects.filter(comment=comment).count(), Mail.objects.count()) == (1, 1)


def test_badge_stands_beside_an_adopters_words_only(client: Client) -> None:
    make_species()
    make_approved_comment("I adopted one.", is_by_adopter=True)
    page = client.get("/species/amur-leopard/").text
    assert page.count('<span class="badge">Adopter</span>') == 1
    make_approved_comment("I did not.", email="lena@example.org")
    assert client.get("/species/amur-leopard/").text.count('<span class="badge">Adopter</span>') == 1
