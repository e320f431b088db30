"""Deciding about comments: once, by somebody, with what follows; in the admin and from the mail."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from urllib.parse import urlsplit

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.models import Mail
from species import comment_links, moderation, receiving, reminders
from species.models import Comment
from species.queue import Press, Waiting
from tests.species.makers import make_approved_comment, make_comment, make_moderator, make_species

pytestmark = pytest.mark.django_db

QUEUE = "/admin/species/comment/queue/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_moderator())
    return client


@pytest.fixture
def link() -> str:
    return urlsplit(comment_links.moderate(make_moderator())).path


def press(client: Client, address: str, comment: Comment, act: str, **more: str) -> str:
    data = {"comment": str(comment.pk), "seen_at": timezone.now().isoformat(), "act": act, **more}
    response = client.post(address, data)
    assert response.status_code == 303
    return client.get(response["Location"]).text


def mails(kind: str) -> list[str]:
    return list(Mail.objects.filter(kind=kind).order_by("pk").values_list("to", flat=True))


@pytest.mark.parametrize(
    ("act", "status", "reason", "kind"),
    [
        ("approve", "approved", "", "comment_published"),
        ("reject-unkind", "rejected", "Unkind to somebody", "comment_refused"),
        ("reject-personal", "rejected", "Gives somebody's personal details", "comment_refused"),
        ("reject-off-topic", "rejected", "Not about this species", "comment_refused"),
        ("spam", "spam", "", ""),
    ],
)
def test_one_press_decides_and_tells_the_writer_once(
    staff: Client, act: str, status: str, reason: str, kind: str
) -> None:
    comment = make_comment()
    page = press(staff, QUEUE, comment, act)
    comment.refresh_from_db()
    assert (comment.status, comment.reason) == (status, reason)
    assert "Nothing waits" in page
    assert [mail.kind for mail in Mail.objects.all()] == ([kind] if kind else [])
    press(staff, QUEUE, comment, "undo")
    press(staff, QUEUE, comment, act)
    assert Mail.objects.count() == (1 if kind else 0)


def test_signed_page_decides_without_signing_in_and_sets_no_cookie(client: Client, link: str) -> None:
    first, second = make_comment("First"), make_comment("Second")
    page = client.get(link)
    assert "First" in page.text
    assert "Second" not in page.text
    assert (page["Cache-Control"], page["Referrer-Policy"]) == ("private, no-store", "same-origin")
    assert "noindex" in page["X-Robots-Tag"]
    assert "Second" in press(client, link, first, "approve")
    second.refresh_from_db()
    assert second.status == "pending"
    assert Comment.objects.get(pk=first.pk).moderated_by == make_moderator()
    assert not client.cookies


def test_looking_at_the_queue_changes_nothing(client: Client, link: str) -> None:
    comment = make_comment()
    for _ in range(3):
        client.get(link)
        client.head(link)
        client.get(f"{link}?act=approve&comment={comment.pk}")
    comment.refresh_from_db()
    assert (comment.status, Mail.objects.count()) == ("pending", 0)


def test_link_ends_with_the_week_the_password_and_the_right(client: Client) -> None:
    marek = make_moderator()
    path = urlsplit(comment_links.moderate(marek)).path
    assert client.get(path).status_code == 200
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=7, minutes=1)):
        assert client.get(path).status_code == 404
    assert client.get(path.replace("/moderate/", "/moderate/x")).status_code == 404
    marek.set_password("a new and long pass phrase")
    marek.save()
    assert client.get(path).status_code == 404
    path = urlsplit(comment_links.moderate(marek)).path
    marek.is_superuser = False
    marek.save()
    assert client.get(path).status_code == 404
    comment = make_comment()
    assert client.post(path, {"comment": comment.pk, "act": "approve"}).status_code == 404


@pytest.mark.threat("L9")
def test_other_sites_cannot_press_the_buttons(client: Client, link: str) -> None:
    comment = make_comment()
    data = {"comment": comment.pk, "seen_at": timezone.now().isoformat(), "act": "approve"}
    assert client.post(link, data, headers={"Origin": "https://evil.example"}).status_code == 403
    comment.refresh_from_db()
    assert comment.status == "pending"


def test_queue_in_the_admin_is_for_those_who_may_change_comments(client: Client) -> None:
    assert client.get(QUEUE).status_code == 302
    sam = make_moderator("sam")
    sam.is_superuser = False
    sam.save()
    client.force_login(sam)
    assert client.get(QUEUE).status_code == 403


def test_second_moderator_is_told_that_it_is_done(client: Client, staff: Client, link: str) -> None:
    comment = make_comment()
    sam = make_moderator("sam")
    press(client, urlsplit(comment_links.moderate(sam)).path, comment, "reject-unkind")
    page = press(staff, QUEUE, comment, "approve")
    assert "Somebody was quicker: rejected by sam." in page
    comment.refresh_from_db()
    assert (comment.status, comment.moderated_by) == ("rejected", sam)


def test_private_part_is_marked_and_taken_out_on_one_press(staff: Client, client: Client) -> None:
    comment = make_comment("I am Ellie, 8, from St Mary's.\nRing 07700 900123", name="Ellie Smith")
    page = staff.get(QUEUE).text
    assert '<mark title="a telephone number">07700 900123</mark>' in page
    assert "Publish without the private part" in page
    assert "without the private part" in press(staff, QUEUE, comment, "mask")
    comment.refresh_from_db()
    assert comment.masked_body == "I am Ellie, 8, from [school removed].\nRing [number removed]"
    assert comment.body.endswith("07700 900123")
    shown = client.get("/species/amur-leopard/").text
    assert "[number removed]" in shown
    assert "900123" not in shown + client.get("/feeds/comments/amur-leopard.xml").text
    assert "Smith" not in shown + client.get(comment.get_absolute_url()).text


def test_name_that_is_an_address_is_not_published_with_the_masked_words(staff: Client) -> None:
    comment = make_comment("Hello", name="ellie@example.com")
    press(staff, QUEUE, comment, "mask")
    comment.refresh_from_db()
    assert comment.shown_name == "A reader"


@pytest.mark.threat("C2")
def test_words_changed_after_they_were_read_are_not_decided_on(staff: Client) -> None:
    comment = make_comment("They are beautiful.")
    seen = timezone.now()
    assert receiving.change(comment, body="They are ugly.", raw="They are ugly.")
    data = {"comment": str(comment.pk), "seen_at": seen.isoformat(), "act": "approve"}
    page = staff.get(staff.post(QUEUE, data)["Location"]).text
    assert "The writer has just changed it. Please read it again." in page
    comment.refresh_from_db()
    assert (comment.status, comment.body) == ("pending", "They are ugly.")
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        press(staff, QUEUE, comment, "approve")
    comment.refresh_from_db()
    assert comment.status == "approved"


def test_list_leaves_what_was_changed_since_it_was_read(staff: Client) -> None:
    comment, other = make_comment("One"), make_comment("Two")
    seen = timezone.localtime()
    receiving.change(comment, body="Changed", raw="Changed")
    staff.post(
        reverse("admin:species_comment_changelist"),
        {"action": "approve", "_selected_action": [comment.pk, other.pk], "seen_at": f"{seen:%Y-%m-%d %H:%M:%S}"},
    )
    assert list(Comment.objects.order_by("pk").values_list("status", flat=True)) == ["pending", "approved"]


def test_answer_as_the_charity_is_shown_with_its_badge(staff: Client, client: Client) -> None:
    comment = make_comment("Do they purr?", wants_replies=True)
    press(staff, QUEUE, comment, "answer", answer="They do not.\0\n<b>Nor roar</b>")
    reply = Comment.objects.get(is_from_charity=True)
    assert (reply.parent, reply.status, reply.body) == (comment, "approved", "They do not.\n<b>Nor roar</b>")
    page = client.get("/species/amur-leopard/").text
    assert "From the charity" in page
    assert "&lt;b&gt;Nor roar&lt;/b&gt;" in page
    assert mails("comment_reply") == ["sam@example.org"]


@pytest.mark.parametrize("wants_replies", [True, False])
def test_writer_hears_of_answers_only_if_they_asked_and_only_once_published(wants_replies: bool) -> None:
    comment = make_approved_comment("Hello", wants_replies=wants_replies)
    reply = make_comment("Hello yourself", parent=comment, email="amara@example.org", name="Amara")
    assert mails("comment_reply") == []
    for _ in range(2):
        moderation.approve([reply.pk], by=make_moderator())
        moderation.reopen([reply.pk], by=make_moderator())
    assert mails("comment_reply") == (["sam@example.org"] if wants_replies else [])


def test_nobody_is_told_that_they_answered_themselves() -> None:
    comment = make_approved_comment("Hello", wants_replies=True)
    reply = make_comment("One more thing", parent=comment, email="Sam@example.org")
    moderation.approve([reply.pk], by=make_moderator())
    assert mails("comment_reply") == []


def test_card_shows_the_writers_past_and_the_neighbours() -> None:
    make_approved_comment("One", email="SAM@example.org")
    make_comment("Two", network="192.0.2.0/24", email="a@example.org")
    Comment.objects.filter(body="Two").mark_spam(by=None)
    make_comment("Three", network="192.0.2.0/24")
    waiting = Waiting.next()
    assert waiting is not None
    assert (waiting.comment.body, dict(waiting.past), waiting.nearby) == ("Three", {"approved": 1}, 1)


def test_later_passes_over_and_comes_back_at_the_end(staff: Client) -> None:
    first, second = make_comment("First"), make_comment("Second")
    assert "Second" in staff.get(f"{QUEUE}?after={first.pk}").text
    assert "First" in staff.get(f"{QUEUE}?after={second.pk}").text


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"act": "approve"},
        {"act": "delete", "comment": "1", "seen_at": "2026-11-01T00:00Z"},
        {"act": "approve", "comment": "x", "seen_at": "2026-11-01T00:00Z"},
        {"act": "approve", "comment": "9" * 30, "seen_at": "2026-11-01T00:00Z"},
        {"act": "approve", "comment": "1", "seen_at": "yesterday"},
        {"act": "approve", "comment": "1", "seen_at": "2026-11-01T00:00"},
    ],
)
def test_what_no_button_sends_does_nothing(staff: Client, data: dict[str, str]) -> None:
    make_comment()
    assert Press.read(data) is None
    assert staff.get(staff.post(QUEUE, data)["Location"]).status_code == 200
    assert Comment.objects.pending().count() == 1


def test_moderators_hear_of_arrivals_once_and_of_long_waits_each_morning() -> None:
    marek = make_moderator()
    marek.email = "marek@example.org"
    marek.save()
    make_moderator("sam")  # has no address
    reminders.tell_of_arrivals.func()
    assert mails("comments_arrived") == []
    with time_machine.travel("2026-11-20T09:30Z"):
        comment = make_comment()
        Comment.objects.filter(pk=comment.pk).update(created_at=timezone.now())
        for _ in range(2):
            reminders.tell_of_arrivals.func()
            reminders.remind_of_waiting.func()
        assert (mails("comments_arrived"), mails("comments_waiting")) == (["marek@example.org"], [])
    for moment in ("2026-11-21T07:30Z", "2026-11-21T10:30Z", "2026-11-21T11:30Z", "2026-11-22T09:00Z"):
        with time_machine.travel(moment):
            reminders.remind_of_waiting.func()
    assert mails("comments_waiting") == ["marek@example.org"] * 2
    text = Mail.objects.filter(kind="comments_waiting")[0].text
    assert "They are beautiful" not in text
    found = re.search(r"(/moderate/\S+)", text)
    assert found is not None
    with time_machine.travel("2026-11-23T09:00Z"):
        assert "They are beautiful" in Client().get(found.group(1)).text


def at_once(*acts: Callable[[], int]) -> list[int]:
    start = Barrier(len(acts))

    def run(act: Callable[[], int]) -> int:
        try:
            start.wait(timeout=10)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_approve_reject_and_edit_at_once_have_one_outcome_and_one_mail() -> None:
    make_species()
    marek, sam = make_moderator("marek"), make_moderator("sam")
    for number in range(6):
        comment = make_comment(f"Comment {number}", email=f"{number}@example.org")
        seen = timezone.now()
        moved = at_once(
            lambda pk=comment.pk, seen=seen: moderation.approve([pk], by=marek, seen_at=seen),  # type: ignore[misc]  # defaults bind the loop's values
            lambda pk=comment.pk, seen=seen: moderation.reject([pk], by=sam, seen_at=seen),  # type: ignore[misc]
            lambda c=comment: int(receiving.change(c, body=f"Changed {c.pk}", raw="")),  # type: ignore[misc]
        )
        comment.refresh_from_db()
        assert sum(moved[:2]) == (comment.status != "pending")
        if comment.status != "pending":
            # What was decided on is what was read: an edit came too late, or not at all.
            assert (comment.body, moved[2]) == (f"Comment {number}", 0)
        assert Mail.objects.filter(to=f"{number}@example.org").count() == sum(moved[:2])


@pytest.mark.django_db(transaction=True)
def test_bulk_decisions_at_once_learn_without_waiting_for_each_other() -> None:
    marek, sam = make_moderator("marek"), make_moderator("sam")
    pks = [make_comment(f"The same words each time, {number}").pk for number in range(12)]
    moved = at_once(
        lambda: moderation.approve(pks, by=marek),
        lambda: moderation.mark_spam(list(reversed(pks)), by=sam),
    )
    assert sum(moved) == 12
