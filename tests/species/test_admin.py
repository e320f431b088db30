import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.long_lists import with_words
from species.models import Comment, Conflict, Fact, FieldNote, PopulationCount, Species, Text, Threat
from tests.species.makers import (
    make_approved_comment,
    make_comment,
    make_fact,
    make_field_note,
    make_moderator,
    make_source,
    make_species,
    make_text,
    make_threat_text,
)

pytestmark = pytest.mark.django_db

LISTS = ["species", "threat", "fact", "source", "conflict", "populationcount", "text", "fieldnote", "comment"]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_moderator())
    return client


def fill(number: int) -> None:
    species = make_species(f"species-{number}")
    make_fact(species=species).sources.add(make_source(f"source-{number}"))
    Conflict.objects.create(species=species, key="how-many", topic="How many?", show="Some.")
    PopulationCount.objects.create(
        species=species,
        start=2000,
        end=2000,
        place="Russia",
        series="camera",
        point=3,
        unit="adults",
        method="cameras",
        confidence="high",
    )
    make_text("Words. [^range-now]", species=species)
    make_threat_text("Words.", f"threat-{number}", species=species)
    make_field_note(f"note-{number}", species=species)
    make_comment(species=species)


@pytest.mark.parametrize("name", LISTS)
def test_list_asks_as_often_for_three_rows_as_for_one(staff: Client, name: str) -> None:
    address = reverse(f"admin:species_{name}_changelist")
    counts = []
    for number in range(3):
        fill(number)
        with CaptureQueriesContext(connection) as queries:
            response = staff.get(address, {"q": "e"})
        assert response.status_code == 200
        counts.append(len(queries))
    assert len(set(counts)) == 1


@pytest.mark.parametrize("name", LISTS)
def test_form_of_each_row_opens_and_can_be_saved_unchanged(staff: Client, name: str) -> None:
    fill(1)
    row = apps.get_model("species", name)._default_manager.first()
    assert row is not None
    assert staff.get(reverse(f"admin:species_{name}_change", args=[row.pk])).status_code == 200
    if name != "comment":
        assert staff.get(reverse(f"admin:species_{name}_add")).status_code == 200


def test_queue_opens_on_what_waits(staff: Client) -> None:
    make_comment("Still waiting")
    make_approved_comment("Decided already")
    address = reverse("admin:species_comment_changelist")
    assert ("Still waiting" in staff.get(address).text, "Decided already" in staff.get(address).text) == (True, False)
    approved = staff.get(address, {"status": "approved"}).text
    assert ("Still waiting" in approved, "Decided already" in approved) == (False, True)
    everything = staff.get(address, {"status": "all"}).text
    assert ("Still waiting" in everything, "Decided already" in everything) == (True, True)


@pytest.mark.parametrize(
    ("action", "status", "reason"),
    [
        ("approve", "approved", ""),
        ("reject", "rejected", ""),
        ("reject_unkind", "rejected", "Unkind to somebody"),
        ("reject_personal", "rejected", "Gives somebody's personal details"),
        ("reject_off_topic", "rejected", "Not about this species"),
        ("mark_spam", "spam", ""),
    ],
)
def test_list_decides_on_many_at_once(staff: Client, action: str, status: str, reason: str) -> None:
    comments = [make_comment(f"Comment {number}") for number in range(3)]
    chosen = [comment.pk for comment in comments[:2]]
    response = staff.post(
        reverse("admin:species_comment_changelist"), {"action": action, "_selected_action": chosen}, follow=True
    )
    assert ": 2." in response.text
    assert list(Comment.objects.order_by("pk").values_list("status", "reason", "moderated_by__username")) == [
        (status, reason, "marek"),
        (status, reason, "marek"),
        ("pending", "", None),
    ]


def press(staff: Client, comment: Comment, action: str) -> str:
    """Choose an action on the comment's own page, and the text of the page that follows."""
    address = reverse("admin:species_comment_change", args=[comment.pk])
    chosen = {"CHANGE_FORM-action": action, "_selected_action": comment.pk}
    return staff.post(address, chosen, follow=True).text


def test_form_decides_too_and_shows_who_did_what(staff: Client) -> None:
    comment = make_comment("Hello\n\n<b>there</b>")
    address = reverse("admin:species_comment_change", args=[comment.pk])
    page = staff.get(address).text
    assert "&lt;b&gt;there&lt;/b&gt;" in page
    assert "sam@example.org" in page
    assert not re.search(r'<(?:input|textarea)[^>]*name="(?:name|email|body)"', page)
    press(staff, comment, "approve")
    comment.refresh_from_db()
    assert comment.status == "approved"
    assert re.search(r"Waiting</td>\s*<td[^>]*>Approved</td>", staff.get(address).text)
    press(staff, comment, "reopen")
    comment.refresh_from_db()
    assert comment.status == "pending"


def test_second_moderator_is_told_that_it_is_done(staff: Client) -> None:
    comment = make_approved_comment()
    assert "Nothing changed: somebody has already decided." in press(staff, comment, "mark_spam")
    comment.refresh_from_db()
    assert comment.status == "approved"


def test_comments_are_neither_written_nor_deleted_in_the_admin(staff: Client) -> None:
    comment = make_comment()
    assert staff.get(reverse("admin:species_comment_add")).status_code == 403
    assert staff.post(reverse("admin:species_comment_delete", args=[comment.pk]), {"post": "yes"}).status_code == 403


def test_deciding_needs_the_permission_to_change(client: Client) -> None:
    sam = User.objects.create(username="sam", is_staff=True)
    sam.user_permissions.add(Permission.objects.get(codename="view_comment"))
    client.force_login(sam)
    comment = make_comment()
    client.post(
        reverse("admin:species_comment_changelist"),
        {"action": "approve", "_selected_action": [comment.pk]},
        follow=True,
    )
    comment.refresh_from_db()
    assert comment.status == "pending"


def form_of(text: Text, **values: str) -> dict[str, str]:
    return {
        "title": text.title,
        "summary": text.summary,
        "body": text.body,
        "is_published": "on",
        "position": "0",
    } | values


def test_text_with_a_wrong_marker_cannot_be_saved(staff: Client) -> None:
    make_fact()
    text = make_text("It is {range-now}.")
    address = reverse("admin:species_text_change", args=[text.pk])
    response = staff.post(address, form_of(text, body="It is {range-then}."))
    assert "No published fact of this species is called “range-then”." in response.text.replace("&#x27;", "'")
    text.refresh_from_db()
    assert text.body == "It is {range-now}."
    assert staff.post(address, form_of(text, body="It is about {range-now:2sf}.")).status_code == 302
    assert "It is about 11,000." in staff.get(address).text


def test_corrected_fact_is_saved_with_its_sentences(staff: Client) -> None:
    fact = make_fact()
    make_text("It is {range-now}.")
    values = {
        "group": "range",
        "label": "Range",
        "point": "12000",
        "unit": "km²",
        "period": "2020",
        "confidence": "high",
        "sources": [str(make_source().pk)],
        "is_published": "on",
        "position": "0",
    }
    response = staff.post(reverse("admin:species_fact_change", args=[fact.pk]), values)
    assert response.status_code == 302
    assert "It is 12,000." in Client().get("/species/amur-leopard/").text


def test_fact_both_words_and_number_is_refused_with_a_sentence(staff: Client) -> None:
    fact = make_fact()
    values = {
        "group": "range",
        "label": "Range",
        "point": "3",
        "value": "three",
        "period": "2020",
        "confidence": "high",
    }
    response = staff.post(reverse("admin:species_fact_change", args=[fact.pk]), values)
    assert response.status_code == 200
    assert "Give the fact in words or as a number, not both and not neither." in response.text


def test_review_due_list_and_marking_as_reviewed(staff: Client) -> None:
    today = timezone.localdate()
    due = make_fact("due", label="Is due", review_due_on=today - timedelta(days=1), reviewed_on=today)
    make_fact("soon", label="Is soon due", review_due_on=today + timedelta(days=60), reviewed_on=today)
    make_fact("never", label="Never seen")
    address = reverse("admin:species_fact_changelist")
    seen = {
        choice: [name for name in ("Is due", "Is soon due", "Never seen") if name in staff.get(address, query).text]
        for choice, query in (("all", {}), *((name, {"review": name}) for name in ("due", "soon", "never")))
    }
    assert seen == {
        "all": ["Is due", "Is soon due", "Never seen"],
        "due": ["Is due"],
        "soon": ["Is due", "Is soon due"],
        "never": ["Never seen"],
    }
    staff.post(address, {"action": "mark_reviewed", "_selected_action": [due.pk]}, follow=True)
    due.refresh_from_db()
    assert (due.reviewed_on, due.review_due_on) == (today, today + timedelta(days=365))
    assert due.reviewed_by == make_moderator()


def test_content_from_the_files_is_unpublished_rather_than_deleted(staff: Client, our_content: None) -> None:
    fact = Fact.objects.filter(citations=None, counts=None).first()
    assert fact is not None
    for row in (fact, Species.objects.first(), Text.objects.first(), Threat.objects.first()):
        assert row is not None
        address = reverse(f"admin:species_{row._meta.model_name}_delete", args=[row.pk])
        assert staff.post(address, {"post": "yes"}).status_code == 403


def test_fact_of_staff_can_be_deleted_until_it_is_used(staff: Client) -> None:
    fact = make_fact()
    text = make_text("It is {range-now}.")
    address = reverse("admin:species_fact_delete", args=[fact.pk])
    assert staff.post(address, {"post": "yes"}).status_code == 403
    text.delete()
    assert staff.post(address, {"post": "yes"}).status_code == 302
    assert not Fact.objects.exists()


def test_new_species_is_made_in_the_admin_alone(staff: Client) -> None:
    source = make_source()
    species = {
        "common_name": "Iberian lynx",
        "slug": "iberian-lynx",
        "scientific_name": "Lynx pardinus",
        "as_of": "2026-11",
        "position": "4",
        "species_threats-TOTAL_FORMS": "0",
        "species_threats-INITIAL_FORMS": "0",
    }
    published = {**species, "is_published": "on"}
    assert "What the page still needs: a standfirst" in staff.post(reverse("admin:species_species_add"), published).text
    assert staff.post(reverse("admin:species_species_add"), species).status_code == 302
    lynx = Species.objects.get(slug="iberian-lynx")
    fact = {
        "species": lynx.pk,
        "key": "pop",
        "group": "population",
        "label": "Counted",
        "point": "2401",
        "unit": "animals",
        "period": "2024",
        "confidence": "high",
        "sources": [source.pk],
        "is_published": "on",
        "position": "0",
    }
    assert staff.post(reverse("admin:species_fact_add"), fact).status_code == 302
    text = {
        "species": lynx.pk,
        "language": "en-gb",
        "section": "standfirst",
        "body": "There are {pop} lynx. [^pop]",
        "is_published": "on",
        "position": "0",
    }
    assert staff.post(reverse("admin:species_text_add"), text).status_code == 302
    change = reverse("admin:species_species_change", args=[lynx.pk])
    refused = staff.post(change, published).text
    assert "needs: something under “At a glance”; what an adoption pays for." in refused
    for section, key in (("at_a_glance", "number"), ("what_an_adoption_pays_for", "")):
        more = {**text, "section": section, "key": key, "title": key}
        assert staff.post(reverse("admin:species_text_add"), more).status_code == 302
    assert staff.post(change, published).status_code == 302
    page = Client().get("/species/iberian-lynx/").text
    assert "There are 2,401 lynx." in page
    assert source.title in page


def test_count_takes_its_number_from_its_fact(staff: Client) -> None:
    fact = make_fact("pop", point=Decimal(129))
    values = {
        "species": fact.species.pk,
        "fact": fact.pk,
        "start": "2023",
        "end": "2023",
        "place": "Russia",
        "series": "camera",
        "unit": "adults",
        "method": "cameras",
        "confidence": "high",
        "sources": [make_source().pk],
    }
    assert staff.post(reverse("admin:species_populationcount_add"), values).status_code == 302
    assert PopulationCount.objects.get().point == Decimal(129)


def test_field_note_is_published_and_taken_back(staff: Client) -> None:
    note = make_field_note()
    address = reverse("admin:species_fieldnote_changelist")
    staff.post(address, {"action": "publish", "_selected_action": [note.pk]})
    assert Client().get(note.get_absolute_url()).status_code == 200
    staff.post(address, {"action": "unpublish", "_selected_action": [note.pk]})
    assert Client().get(note.get_absolute_url()).status_code == 404
    assert FieldNote.objects.get().published_at is None


def test_conflict_with_a_wrong_marker_cannot_be_saved(staff: Client) -> None:
    make_fact()
    source = make_source()
    values = {
        "species": make_species().pk,
        "key": "how-big",
        "topic": "How big?",
        "show": "We say {range-now}.",
        "is_published": "on",
        "position": "0",
        "positions-TOTAL_FORMS": "2",
        "positions-INITIAL_FORMS": "0",
        "positions-0-say": "{range-now}",
        "positions-0-covers": "now",
        "positions-0-sources": [source.pk],
        "positions-0-position": "0",
        "positions-1-say": "{range-then}",
        "positions-1-covers": "then",
        "positions-1-sources": [source.pk],
        "positions-1-position": "1",
    }
    address = reverse("admin:species_conflict_add")
    assert "No published fact of this species is called “range-then”." in staff.post(address, values).text
    assert not Conflict.objects.exists()
    assert staff.post(address, values | {"positions-1-say": "more"}).status_code == 302
    assert Conflict.objects.get().positions.count() == 2


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("mar", 1),  # the beginning of a name …
        ("MAREK snow", 1),  # … and of a word
        ("arek", 0),
        ("Marek@Example.org", 1),
        ("marek@example", 0),
        ("' | ! & <->", 0),
        ("zzyzx", 0),
    ],
)
def test_comment_is_found_by_what_has_an_index(staff: Client, typed: str, found: int) -> None:
    make_comment(name="Marek", email="marek@example.org", body="They like the snow")
    make_comment(name="Ewa", email="ewa@example.org", body="Cubs in winter")
    rows = staff.get(reverse("admin:species_comment_changelist"), {"q": typed, "status": "all"})
    assert rows.context["cl"].result_count == found


def test_comments_are_listed_counted_and_searched_by_an_index() -> None:
    """The plans PostgreSQL makes once it may not read the whole table."""
    make_comment()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    rows = Comment.objects.order_by("-pk")
    words = with_words(Comment.objects.order_by(), ("name", "body"), ["snow"], config="simple")
    lately = Comment.objects.order_by().filter(created_at__gt=timezone.now() - timedelta(hours=1))
    for asked in (rows[:20], rows.pending()[:20], words, lately, Comment.objects.by_address("a@example.org")):
        plan = asked.explain()
        assert "Seq Scan" not in plan, plan
