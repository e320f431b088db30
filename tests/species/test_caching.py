"""Public pages come from memory while nothing has changed, and show every change at the next request."""

import re
import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from adoptions.models import Campaign
from species import page_state, tasks
from species.models import Comment, CommentStatus, Fact, FieldNote, PageChange, Source, Species, Text
from species.views import caching
from tests.makers import make_campaign
from tests.species.makers import (
    make_approved_comment,
    make_comment,
    make_fact,
    make_field_note,
    make_moderator,
    make_species,
    make_text,
)

PAGE = "/species/amur-leopard/"
DELETE_COMMENTS = "DELETE FROM species_commentdecision; DELETE FROM species_comment"


@pytest.fixture
def content(db: None) -> None:
    make_fact(point=Decimal(84))
    make_text("There are {range-now:number} of them.[^range-now]", "habitat")
    make_approved_comment("They are beautiful.")
    make_field_note(published_at=timezone.now())


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_page_is_made_once_and_answered_from_memory(client: Client, content: None) -> None:
    first = client.get(PAGE)
    assert queries_of(client, PAGE) == 1
    again = client.get(PAGE)
    assert (again.content, again.headers) == (first.content, first.headers)
    assert first["Cache-Control"] == "public, max-age=0, s-maxage=30, stale-while-revalidate=30"


def test_who_has_the_page_already_is_told_so(client: Client, content: None) -> None:
    etag = client.get(PAGE)["ETag"]
    known = client.get(PAGE, headers={"If-None-Match": etag})
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", etag)
    assert known["Cache-Control"].startswith("public")
    Species.objects.update(common_name="Far Eastern leopard")
    changed = client.get(PAGE, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed["ETag"] != etag


def approve() -> None:
    comment = make_comment("It has just been approved.")
    Comment.objects.filter(pk=comment.pk).approve(by=make_moderator())


def reopen() -> None:
    """An approved comment goes back to the queue."""
    Comment.objects.public().reopen(by=make_moderator())


def put_a_field_note_off() -> None:
    FieldNote.objects.update(published_at=timezone.now() + timedelta(days=1))


def with_sql(sql: str) -> Callable[[], object]:
    def act() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    return act


@pytest.mark.parametrize(
    ("change", "shown", "gone"),
    [
        (approve, "It has just been approved.", ""),
        (reopen, "Nobody has written yet.", "They are beautiful."),
        (lambda: Comment.objects.all().delete(), "Nobody has written yet.", "They are beautiful."),
        (
            with_sql("DELETE FROM species_commentdecision; DELETE FROM species_comment"),
            "Nobody has written yet.",
            "They are beautiful.",
        ),
        (lambda: Fact.objects.update(point=Decimal(130)), "There are 130 of them.", "There are 84"),
        (lambda: Text.objects.update(body="Nobody counted."), "Nobody counted.", "There are 84"),
        (lambda: Source.objects.update(publisher="Somebody else"), "Somebody else", ""),
        (lambda: Species.objects.update(common_name="Korean leopard"), "Korean leopard", "Amur leopard"),
        (lambda: Species.objects.update(comments_close_on=date(2020, 1, 1)), "Comments are closed", "Leave a reply"),
        (lambda: make_species("amur-tiger", common_name="Amur tiger"), "Amur tiger", ""),
        (put_a_field_note_off, "", "From the field"),
        (lambda: FieldNote.objects.all().delete(), "", "From the field"),
        (with_sql("UPDATE species_text SET title = 'By hand', body = 'By hand.'"), "By hand.", "There are 84"),
    ],
)
def test_every_change_is_seen_at_the_next_request(
    client: Client, content: None, change: Callable[[], object], shown: str, gone: str
) -> None:
    before = client.get(PAGE).text
    change()
    after = client.get(PAGE).text
    assert shown in after
    assert not gone or gone not in after
    assert not gone or gone in before
    assert not shown or shown not in before


def test_what_is_not_shown_disturbs_no_page(client: Client, content: None) -> None:
    client.get(PAGE)
    waiting = make_comment("Still to be read.")
    Comment.objects.filter(pk=waiting.pk).update(status=CommentStatus.SPAM, moderated_at=timezone.now())
    assert queries_of(client, PAGE) == 1


def test_every_table_that_a_public_page_reads_is_watched(client: Client, our_content: None) -> None:
    """A page that began to read another table would keep what that says after it has changed."""
    make_approved_comment("They are beautiful.")
    note = make_field_note(published_at=timezone.now())
    make_campaign("autumn-26")
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname ~ '^page_change'")
        watched = {table for (table,) in cursor.fetchall()}
    with CaptureQueriesContext(connection) as queries:
        for address in (
            "/",
            "/?c=autumn-26",
            "/species/",
            PAGE,
            "/ru/species/amur-leopard/",
            f"{PAGE}share.png",
            "/threats/",
            "/threats/deforestation/",
            "/sources/",
            "/api/species/amur-leopard.json",
            f"/comments/{Comment.objects.get().pk}/",
            note.get_absolute_url(),
        ):
            assert client.get(address).status_code == 200, address
    read = {table for query in queries for table in re.findall(r'(?:FROM|JOIN) "?(\w+_\w+)"?', query["sql"])}
    assert read - watched <= {"species_pagechange"}


@pytest.mark.threat("P1")
def test_only_whole_pages_that_all_ask_for_are_kept(client: Client, content: None) -> None:
    make_campaign("autumn-26")
    assert client.get(f"{PAGE}?c=autumn-26").text.count("?c=autumn-26") > 1
    assert "?c=autumn-26" not in client.get(PAGE).text
    assert client.get("/species/nobody/").status_code == 404
    assert client.get(f"{PAGE}?c=autumn-26&over=1").text.count("campaign-over") == 1
    assert client.get(f"{PAGE}?utm_source=anything").status_code == 200
    assert list(caching.memory._pages) == [f"en-gb {PAGE}"]
    assert list(caching.memory._of_campaigns) == [f"en-gb {PAGE}?c=autumn-26", f"en-gb {PAGE}?c=autumn-26&over=1"]
    state = page_state.ask()
    for number in range(caching.MOST_PAGES + 5):
        caching.memory.keep(f"/{number}/", caching.Page(b"", (), state, 0))
        caching.memory.keep(f"/?c=made-up-{number}", caching.Page(b"", (), state, 0))
    assert len(caching.memory._pages) == len(caching.memory._of_campaigns) == caching.MOST_PAGES
    assert caching.memory.find(f"/{number}/", state) is None, "its time is over"


def test_page_of_a_campaign_comes_from_memory_and_changes_at_once(client: Client, content: None) -> None:
    make_campaign("autumn-26")
    address = f"{PAGE}?c=autumn-26"
    assert client.get(address).status_code == 200
    # Which codes there are and which page lies here are as of one state; here each asks, in production they share it.
    assert queries_of(client, address) == 2
    assert client.get(address).text.count("?c=autumn-26") > 1
    Text.objects.update(body="Nobody counted.")
    assert "Nobody counted." in client.get(address).text


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda: Campaign.objects.update(landing_text="Welcome, skaters."), "<p>Welcome, skaters.</p>"),
        (lambda: Campaign.objects.update(landing_text="", statement="£1 of each gift is theirs."), "£1 of each gift"),
        (lambda: Campaign.objects.update(landing_text="<b>&", statement=""), "<p>&lt;b&gt;&amp;</p>"),
        (lambda: Campaign.objects.update(is_paused=True), ""),
        (lambda: Campaign.objects.update(starts_at=timezone.now() + timedelta(days=1)), ""),
        (lambda: Campaign.objects.update(ends_at=timezone.now()), ""),
        (with_sql("UPDATE adoptions_campaign SET landing_text = ''"), ""),
    ],
    ids=["words", "statement", "hostile words", "paused", "not yet", "over", "by hand"],
)
def test_words_of_a_campaign_are_those_of_now_at_the_next_request(
    client: Client, our_content: None, change: Callable[[], object], shown: str
) -> None:
    make_campaign("autumn-26", landing_text="Welcome, readers.", starts_at=timezone.now() - timedelta(days=1))
    addresses = ("/", PAGE, "/species/", "/threats/", "/ru/species/amur-leopard/")
    before = [client.get(f"{address}?c=autumn-26").text.count("<p>Welcome, readers.</p>") for address in addresses]
    assert before == [1] * len(addresses)
    change()
    for address in addresses:
        after = client.get(f"{address}?c=autumn-26").text
        assert shown in after
        assert ("Welcome, readers." in after, 'class="appeal"' in after) == (False, bool(shown)), address
        assert "c=autumn-26" in after, "it has its credit all the same"
        assert 'class="appeal"' not in client.get(address).text
    assert not client.cookies


@pytest.mark.threat("P1")
def test_code_that_is_nobodys_gets_the_page_that_lies_here(client: Client, content: None) -> None:
    """However many a machine makes up: none is kept, none pushes another page out, and none has a page made for it."""
    make_campaign("autumn-26", landing_text="Welcome, readers.")
    of_campaign, page = client.get(f"{PAGE}?c=autumn-26").content, client.get(PAGE).content
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(caching, "for_everybody", None)  # nothing can be made
        for number in range(300):
            assert client.get(f"{PAGE}?c=made-up-{number}").content == page
        assert client.get(f"{PAGE}?c=made-up&over=1").content == page
        assert client.get(f"{PAGE}?c=autumn-26").content == of_campaign
    assert (len(caching.memory._pages), len(caching.memory._of_campaigns)) == (1, 1)
    make_campaign("made-up-7", landing_text="Now it is one.")
    assert "Now it is one." in client.get(f"{PAGE}?c=made-up-7").text


@pytest.mark.threat("X1")
def test_pages_that_were_asked_for_stay_while_the_database_is_away(
    client: Client, content: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_campaign("autumn-26")
    client.get("/sources/")
    Text.objects.update(body="Nobody counted.")  # whoever had words taken back does not see them again
    page, of_campaign = client.get(PAGE).text, client.get(f"{PAGE}?c=autumn-26").text

    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(page_state, "ask", away)
    monkeypatch.setattr(caching, "KEPT_FOR", 0)
    assert client.get(PAGE).text == client.get(f"{PAGE}?c=made-up").text == page
    assert client.get(f"{PAGE}?c=autumn-26").text == of_campaign
    for changed_or_never_asked_for in ("/sources/", "/threats/"):
        with pytest.raises(OperationalError):
            client.get(changed_or_never_asked_for)


def test_sweeping_keeps_the_newest_so_that_no_state_comes_twice(content: None) -> None:
    newest = page_state.ask()[1]
    PageChange.objects.update(at=timezone.now() - timedelta(days=2))
    tasks.sweep_page_changes.func()
    assert page_state.ask() == (1, newest)


@pytest.mark.django_db(transaction=True)
def test_change_that_began_earlier_and_ends_later_is_seen(client: Client) -> None:
    """With the newest row alone as the mark, the change that took its number first and committed last is lost."""
    make_species()
    make_species("amur-tiger", common_name="Amur tiger")
    has_changed, may_commit = threading.Event(), threading.Event()

    def slow_editor() -> None:
        with transaction.atomic():
            Species.objects.filter(slug="amur-tiger").update(common_name="Siberian tiger")
            has_changed.set()
            assert may_commit.wait(10)
        connection.close()

    thread = threading.Thread(target=slow_editor)
    thread.start()
    assert has_changed.wait(10)
    Species.objects.filter(slug="amur-leopard").update(common_name="Korean leopard")
    before = client.get("/species/").text
    may_commit.set()
    thread.join()
    after = client.get("/species/").text
    assert ("Korean leopard" in before, "Siberian tiger" in before) == (True, False)
    assert ("Korean leopard" in after, "Siberian tiger" in after) == (True, True)
