"""What staff write down about a supporter: kept as it was typed, shown in the timeline, gone with the person."""

import html
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from adoptions import merging, notes, personal_data, timeline
from adoptions.models import Note, Supporter
from tests.adoptions.test_by_hand import staff_of
from tests.makers import make_active_adoption, make_supporter

pytestmark = pytest.mark.django_db

WORDS = "Rang: will pay by cheque in January.\nSpeak slowly, she hears badly."


@pytest.fixture
def amara() -> Supporter:
    return make_active_adoption().supporter


@pytest.fixture
def fiona() -> Client:
    return staff_of("Fundraiser")


def page_of(supporter: Supporter) -> str:
    return f"/admin/adoptions/supporter/{supporter.pk}/timeline/"


def opened(client: Client, supporter: Supporter) -> dict[str, str]:
    """What the form sends by itself."""
    found = re.search(r'name="request" value="([^"]+)"', client.get(page_of(supporter)).text)
    assert found
    return {"request": found[1]}


def kept(supporter: Supporter) -> list[str]:
    return list(Note.objects.filter(supporter=supporter).values_list("words", flat=True))


def noted(supporter: Supporter, words: str = WORDS) -> None:
    by, _ = User.objects.get_or_create(username="marek", defaults={"is_superuser": True})
    assert notes.write(supporter, words, request=uuid.uuid4(), by=by)


def test_note_is_written_once_and_is_the_newest_line_of_the_timeline(fiona: Client, amara: Supporter) -> None:
    typed = {**opened(fiona, amara), "words": WORDS.replace("\n", "\r\n")}
    for _ in range(2):  # the button is pressed twice
        answer = fiona.post(page_of(amara), typed)
        assert (answer.status_code, answer.headers["Location"]) == (303, page_of(amara))
    assert kept(amara) == [WORDS]
    fiona.post(page_of(amara), {**typed, "words": "Rang again."})  # typed after going back
    assert kept(amara) == ["Rang again.", WORDS]
    _, newest, second, *_ = fiona.get(page_of(amara)).text.partition('aria-label="Timeline"')[2].split("<tr>")[1:]
    assert "Rang again." in newest
    parts = ('<th scope="row">Note</th>', "in January.<br>Speak slowly", "<td>fundraiser</td>")
    assert [part for part in parts if part not in second] == []


@pytest.mark.parametrize("words", ["", "\u200b", "x" * 1001])
def test_what_cannot_be_kept_stays_in_the_form(fiona: Client, amara: Supporter, words: str) -> None:
    answer = fiona.post(page_of(amara), {**opened(fiona, amara), "words": words})
    assert answer.status_code == 422
    assert "Nothing was kept" in answer.text
    assert f"{words}</textarea>" in answer.text
    assert kept(amara) == []


def test_hostile_words_are_only_words(fiona: Client, amara: Supporter) -> None:
    hostile = '</td><script>alert(1)</script><img src=x onerror="alert(2)"> {{ 7*7 }} \u202emoc'
    fiona.post(page_of(amara), {**opened(fiona, amara), "words": hostile})
    page = fiona.get(page_of(amara)).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "{{ 7*7 }}" in page
    assert kept(amara) == [hostile.replace("\u202e", "")]


@pytest.mark.threat("L5")
def test_finance_writes_too_an_auditor_reads_and_a_moderator_neither(amara: Supporter) -> None:
    finn, auditor, moderator = staff_of("Finance"), staff_of("Auditor"), staff_of("Moderator")
    typed = {**opened(finn, amara), "words": WORDS}
    assert [each.post(page_of(amara), typed).status_code for each in (auditor, moderator)] == [403, 403]
    assert kept(amara) == []
    assert finn.post(page_of(amara), typed).status_code == 303
    page = auditor.get(page_of(amara)).text
    assert "Speak slowly" in page
    assert "Keep the note" not in page


def test_words_survive_the_end_of_a_session(fiona: Client, amara: Supporter) -> None:
    typed = {**opened(fiona, amara), "words": WORDS}
    fiona.logout()
    page = html.unescape(fiona.post(page_of(amara), typed).text)
    assert "Nothing you typed is lost" in page
    assert kept(amara) == []


def test_nobody_changes_or_deletes_one(amara: Supporter) -> None:
    noted(amara)
    for act in (lambda: Note.objects.update(words="Never rang."), Note.objects.all().delete):
        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            act()
    assert kept(amara) == [WORDS]


def test_person_may_read_them_and_they_go_with_the_person(fiona: Client, amara: Supporter) -> None:
    noted(amara)
    sam = make_supporter("Sam", "sam@example.org")
    noted(sam, "Not about Amara.")
    assert [each["words"] for each in personal_data.export(amara)["notes_of_staff"]] == [WORDS]
    typed = {**opened(fiona, amara), "words": "Rang: forget me."}
    assert personal_data.erase(amara)
    assert (kept(amara), kept(sam)) == ([], ["Not about Amara."])
    late = fiona.post(page_of(amara), typed)  # was typing meanwhile
    assert late.status_code == 422
    assert "Rang: forget me." in late.text
    assert kept(amara) == []
    assert "Keep the note" not in fiona.get(page_of(amara)).text


def test_who_is_joined_with_somebody_takes_no_note_and_old_merges_can_be_undone(fiona: Client) -> None:
    """Merges of before there were notes remember none; that all moves and comes back is in test_merging.py."""
    marek = User.objects.create_superuser("marek")
    first, second = make_supporter("Zoe", "zoe@example.org"), make_supporter("Zoe", "zoe@example.net")
    merge = merging.merge(first.pk, second.pk, merging.Choice("Zoe", first.email), by=marek)
    assert not notes.write(second, WORDS, request=uuid.uuid4(), by=marek)
    noted(first, "Since then.")
    memory: dict[str, Any] = dict(merge.memory or {})
    del memory["notes"]
    type(merge).objects.filter(pk=merge.pk).update(memory=memory)
    merging.undo(merge.pk, by=marek)
    assert (kept(first), kept(second)) == (["Since then."], [])


def test_many_notes_cost_one_question(amara: Supporter, django_assert_num_queries: Any) -> None:
    for number in range(3):
        noted(amara, f"Note {number}")
    with django_assert_num_queries(1):
        found = list(timeline.notes(amara))
    assert [moment.words for moment in found] == ["Note 2", "Note 1", "Note 0"]
    assert {moment.by for moment in found} == {"marek"}
    assert timezone.now() - found[0].at < timedelta(minutes=1)
