"""What a writer can do about their own words, what readers can do about others', and that looking does nothing."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from config.models import Mail
from species import comment_links, moderation, personal_data
from species.conversation import ANSWERS_SHOWN, COMMENTS_SHOWN
from species.forms import PER_NETWORK
from species.models import Comment, CommentDecision, Species
from species.reminders import tell_moderators
from species.weighing import form_stamp
from tests.species.makers import make_approved_comment, make_comment, make_moderator, make_species

pytestmark = pytest.mark.django_db

ADDRESS = "/species/amur-leopard/comments/"
SAM = "sam@example.org"


@pytest.fixture(autouse=True)
def leopard() -> Species:
    return make_species()


def reply(**values: Any) -> dict[str, Any]:
    with time_machine.travel(timezone.now() - timedelta(hours=24)):
        loaded = form_stamp()
    return {"name": "Sam Stranger", "email": SAM, "comment": "What do the cubs eat?", "loaded": loaded, **values}


def own(comment: Comment) -> str:
    return urlsplit(comment_links.own_view(comment)).path


def test_writer_is_sent_a_link_to_their_own_view(client: Client) -> None:
    client.post(ADDRESS, reply())
    mail = Mail.objects.get()
    assert (mail.kind, mail.to) == ("comment_waiting", SAM)
    path = re.search(r"/my-comment/\S+", mail.text)
    assert path is not None
    page = client.get(path.group())
    assert "What do the cubs eat?" in page.text
    assert "Your comment waits for a moderator" in page.text
    assert (page["Cache-Control"], "noindex" in page["X-Robots-Tag"]) == ("private, no-store", True)
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=31)):
        assert client.get(path.group()).status_code == 404
    assert client.get(path.group()[:-3] + "xx/").status_code == 404


def test_form_loaded_a_day_ago_is_as_good_as_any(client: Client) -> None:
    assert client.post(ADDRESS, reply()).status_code == 303
    comment = Comment.objects.get()
    assert (comment.held_because, comment.suspicion, comment.network) == ("", 0, "127.0.0.0/24")


@pytest.mark.threat("L4")
def test_what_looks_like_spam_is_not_sent_on_to_the_address_typed(client: Client) -> None:
    client.post(ADDRESS, reply(comment="See https://pills.example/buy"))
    client.post(ADDRESS, reply(comment="Buy viagra at casino-bonus.com, free spins, no deposit"))
    assert list(Comment.objects.order_by("pk").values_list("status", flat=True)) == ["pending", "spam"]
    assert not Mail.objects.exists()
    decision = CommentDecision.objects.get()
    assert (decision.became, decision.by) == ("spam", None)


@pytest.mark.threat("L4")
def test_one_address_is_sent_three_mails_a_day_at_most(client: Client) -> None:
    for words in ("Lovely.", "Do they purr?", "What do the cubs eat in winter?", "I saw one in 1996.", "Keep going!"):
        client.post(ADDRESS, reply(comment=words))
    assert (Comment.objects.count(), Mail.objects.count()) == (5, 3)


def test_same_form_twice_is_one_comment_and_one_mail(client: Client) -> None:
    form = reply()
    assert [client.post(ADDRESS, form).status_code for _ in range(3)] == [303] * 3
    assert (Comment.objects.count(), Mail.objects.count()) == (1, 1)


def test_what_was_taken_back_can_be_said_again(client: Client) -> None:
    client.post(ADDRESS, reply())
    client.post(f"{own(Comment.objects.get())}take-back/")
    client.post(ADDRESS, reply())
    assert sorted(Comment.objects.values_list("status", flat=True)) == ["pending", "withdrawn"]


def test_preview_keeps_nothing_and_gives_everything_back(client: Client) -> None:
    page = client.post(ADDRESS, reply(preview="yes", comment="<b>Hi</b>\n\nthere"))
    assert page.status_code == 200
    preview = page.text.partition('id="preview"')[2].partition("</section>")[0]
    assert "<bdi>Sam</bdi>" in preview
    assert "<p>&lt;b&gt;Hi&lt;/b&gt;</p>" in preview
    assert 'value="Sam Stranger"' in page.text
    assert not Comment.objects.exists()


def test_first_name_is_shown_unless_the_writer_wants_more(client: Client) -> None:
    client.post(ADDRESS, reply())
    client.post(ADDRESS, reply(comment="And how do they sleep?", whole_name="on"))
    assert [comment.shown_name for comment in Comment.objects.order_by("pk")] == ["Sam", "Sam Stranger"]


def test_waiting_comment_can_be_changed_for_half_an_hour(client: Client) -> None:
    comment = make_comment("Furst")
    assert client.post(f"{own(comment)}change/", {"comment": "First\0"}).status_code == 302
    comment.refresh_from_db()
    assert comment.body == "First"
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(minutes=31)):
        late = client.post(f"{own(comment)}change/", {"comment": "Second"})
    assert late.status_code == 409
    assert "It was too late to change it" in late.text
    assert ">\nSecond</textarea>" in late.text
    comment.refresh_from_db()
    assert comment.body == "First"


def test_changed_words_are_weighed_again(client: Client) -> None:
    comment = make_comment("Hello")
    client.post(f"{own(comment)}change/", {"comment": "Ring me on 07700 900123"})
    comment.refresh_from_db()
    assert comment.held_because == "It may hold a telephone number."


@pytest.mark.parametrize("status", ["approved", "rejected"])
def test_decided_comment_cannot_be_changed(client: Client, status: str) -> None:
    comment = make_comment("Hello")
    if status == "approved":
        moderation.approve([comment.pk], by=make_moderator())
    else:
        moderation.reject([comment.pk], by=make_moderator(), reason="Unkind to somebody")
    assert client.post(f"{own(comment)}change/", {"comment": "Buy pills"}).status_code == 409
    comment.refresh_from_db()
    assert (comment.body, comment.status) == ("Hello", status)


def test_comment_taken_back_leaves_the_page_but_the_answers_stay(client: Client) -> None:
    alone = make_approved_comment("Alone")
    answered = make_approved_comment("Answered", name="Sam Stranger")
    make_approved_comment("An answer", parent=answered, email="amara@example.org", name="Amara")
    for comment in (alone, answered):
        client.post(f"{own(comment)}take-back/")
    page = client.get("/species/amur-leopard/").text
    assert "Alone" not in page
    assert "Answered" not in page
    assert "An answer" in page
    assert personal_data.TAKEN_BACK in page


@pytest.mark.threat("L9")
def test_other_sites_cannot_take_anything_back(client: Client) -> None:
    comment = make_comment()
    path = f"{own(comment)}take-back/"
    assert client.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get(path).status_code == 405
    comment.refresh_from_db()
    assert comment.status == "pending"


def test_answers_by_mail_are_stopped_by_a_press_and_not_by_a_look(client: Client) -> None:
    comment = make_approved_comment("Hello", wants_replies=True)
    path = urlsplit(comment_links.stop_replies(comment)).path
    client.get(path)
    client.head(path)
    assert Comment.objects.filter(wants_replies=True).exists()
    assert "No more emails" in client.post(path).text
    assert not Comment.objects.filter(wants_replies=True).exists()


def test_fetching_every_link_of_every_comment_mail_changes_nothing(client: Client) -> None:
    marek = make_moderator()
    client.post(ADDRESS, reply(wants_replies="on"))
    client.post(ADDRESS, reply(comment="Refuse me"))
    asked, refused = Comment.objects.order_by("pk")
    moderation.approve([asked.pk], by=marek)
    moderation.reject([refused.pk], by=marek, reason="Unkind to somebody")
    moderation.reply_as_charity(Comment.objects.get(pk=asked.pk), "Deer.", by=marek)
    marek.email = "marek@example.org"
    marek.save()
    make_comment("Waiting still", email="amara@example.org")
    for kind in ("comments_arrived", "comments_waiting"):
        assert tell_moderators(kind, key="x") == 1
    kinds = set(Mail.objects.values_list("kind", flat=True))
    assert kinds == {
        "comment_waiting",
        "comment_published",
        "comment_refused",
        "comment_reply",
        "comments_arrived",
        "comments_waiting",
    }
    links = {
        html.unescape(link)
        for mail in Mail.objects.all()
        for link in re.findall(rf"{re.escape(settings.SITE_URL)}[^\s\"<]*", mail.text + mail.html)
    }
    before = state()
    for link in links:
        for fetch in (client.get, client.head, client.get):
            assert fetch(link.removeprefix(settings.SITE_URL)).status_code == 200, link
    assert len(links) >= 6
    assert state() == before


def state() -> tuple[list[Any], ...]:
    return tuple(list(model.objects.order_by("pk").values()) for model in (Comment, CommentDecision, Mail))


def test_oldest_first_pages_go_on_where_they_ended(client: Client) -> None:
    for number in range(COMMENTS_SHOWN + 3):
        make_approved_comment(f"Comment {number:02}", email=f"{number}@example.org")
    first = client.get("/species/amur-leopard/?order=oldest").text
    assert re.findall(r"Comment \d\d", first) == [f"Comment {number:02}" for number in range(COMMENTS_SHOWN)]
    link = re.search(r'href="([^"]*order=oldest&amp;after=\d+)#comments"', first)
    assert link is not None
    second = client.get(html.unescape(link.group(1))).text
    assert re.findall(r"Comment \d\d", second) == ["Comment 20", "Comment 21", "Comment 22"]


def test_permalink_shows_the_thread_and_hides_what_is_not_shown(client: Client) -> None:
    beginning = make_approved_comment("Hello")
    answers = [
        make_approved_comment(f"Answer {n:02}", parent=beginning, email=f"{n}@example.org")
        for n in range(ANSWERS_SHOWN + 2)
    ]
    assert len(re.findall(r"Answer \d\d", client.get("/species/amur-leopard/").text)) == ANSWERS_SHOWN
    for comment in (beginning, answers[-1]):
        page = client.get(comment.get_absolute_url())
        assert len(re.findall(r"Answer \d\d", page.text)) == ANSWERS_SHOWN + 2
        assert SAM not in page.text
    assert client.get(make_comment("Waiting").get_absolute_url()).status_code == 404
    assert client.get("/comments/99999999/").status_code == 404


def test_answer_to_an_answer_quotes_it_one_level_down(client: Client) -> None:
    beginning = make_approved_comment("Hello")
    answer = make_approved_comment("Hello\n<b>yourself</b>", parent=beginning, email="a@example.org", name="Amara B")
    page = client.get(f"/species/amur-leopard/?reply_to={answer.pk}").text
    assert f'name="parent" value="{beginning.pk}"' in page
    assert "Amara:\n&gt; Hello\n&gt; &lt;b&gt;yourself&lt;/b&gt;" in page


def test_report_is_a_press_counted_once_a_day_for_each_network(client: Client) -> None:
    comment = make_approved_comment()
    path = f"{comment.get_absolute_url()}report/"
    client.get(path)
    for _ in range(3):
        assert "A moderator will look" in client.post(path).text
    client.post(path, REMOTE_ADDR="203.0.113.9")
    comment.refresh_from_db()
    assert (comment.report_count, comment.status) == (2, "approved")
    client.force_login(make_moderator())
    assert "They are beautiful." in client.get("/admin/species/comment/?reported=yes").text


def test_closed_page_takes_no_comments_and_gives_the_words_back(client: Client, leopard: Species) -> None:
    shown = make_approved_comment()
    leopard.comments_close_on = timezone.localdate()
    leopard.save(update_fields=["comments_close_on"])
    page = client.get("/species/amur-leopard/").text
    assert "Comments are closed" in page
    assert "<form" not in page.partition('id="comments"')[2].partition("</section>")[0]
    assert shown.body in page
    answer = client.post(ADDRESS, reply())
    assert (answer.status_code, "What do the cubs eat?" in answer.text) == (422, True)
    assert Comment.objects.count() == 1
    leopard.comments_close_on = timezone.localdate() + timedelta(days=1)
    leopard.save(update_fields=["comments_close_on"])
    assert client.post(ADDRESS, reply()).status_code == 303


@pytest.mark.threat("C4")
def test_flood_from_one_network_is_slowed_whatever_the_address(client: Client) -> None:
    answers = [
        client.post(
            ADDRESS,
            reply(comment=f"Question {number} about cubs", email=f"{number}@example.org"),
            REMOTE_ADDR=f"203.0.113.{number}",
        ).status_code
        for number in range(PER_NETWORK.times + 5)
    ]
    assert answers == [303] * PER_NETWORK.times + [429] * 5


def test_export_holds_everything_and_nobody_else() -> None:
    make_comment("Mine", network="192.0.2.0/24")
    make_comment("Mine too", email="SAM@example.org")
    make_comment("Not mine", email="amara@example.org")
    found = personal_data.export(SAM)
    assert [row["body"] for row in found] == ["Mine", "Mine too"]
    assert found[0]["network"] == "192.0.2.0/24"


def test_anonymous_comment_keeps_its_words_and_its_answers(client: Client) -> None:
    beginning = make_approved_comment("Mine", name="Sam Stranger")
    make_approved_comment("An answer", parent=beginning, email="amara@example.org", name="Amara")
    assert personal_data.anonymise("Sam@Example.org") == 1
    page = client.get("/species/amur-leopard/").text
    assert ("Mine" in page, "An answer" in page, "Sam" in page, "A reader" in page) == (True, True, False, True)
    assert not Comment.objects.by_address(SAM).exists()


def test_erasing_leaves_nothing_of_a_person_but_the_place_of_an_answered_comment() -> None:
    beginning = make_approved_comment("Mine", name="Sam Stranger")
    make_approved_comment("An answer", parent=beginning, email="amara@example.org", name="Amara")
    make_approved_comment("Mine as well", name="Sam Stranger")
    make_comment("Waiting", name="Sam Stranger")
    assert personal_data.erase(SAM) == 3
    rows = Comment.objects.exclude(email="amara@example.org")
    assert set(rows.values_list("name", "name_to_show", "email", "body")) == {
        ("A reader", "A reader", "", personal_data.TAKEN_BACK)
    }
    assert sorted(rows.values_list("status", flat=True)) == ["approved", "withdrawn", "withdrawn"]
