import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from species import history
from species.content_loading import load
from species.models import Fact, Revision, Text
from species.previewing import link_to
from tests.species.makers import make_fact, make_moderator, make_source, make_species, make_text
from tests.species.test_admin import form_of
from tests.species.test_content_loading import Files

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_moderator())
    return client


def change_address(text: Text) -> str:
    return reverse("admin:species_text_change", args=[text.pk])


def put_in_place(client: Client, text: Text, revision: Revision) -> str:
    address = reverse("admin:species_text_put_in_place", args=[text.pk, revision.pk])
    return client.post(address, follow=True).text


def test_each_edit_is_remembered_with_what_it_found(staff: Client) -> None:
    text = make_text("One.\nTwo.")
    staff.post(change_address(text), form_of(text, body="One.\nThree."))
    staff.post(change_address(text), form_of(text, body="One.\nThree."))
    newest, found = history.versions(text)
    assert (newest.revision.by, found.revision.by) == (make_moderator(), None)
    assert [(change.name, change.lines) for change in newest.changes] == [
        ("body", ((" ", "One."), ("-", "Two."), ("+", "Three.")))
    ]


def test_history_reads_as_a_difference_and_escapes_it(staff: Client) -> None:
    text = make_text("One.")
    staff.post(change_address(text), form_of(text, body="<script>alert(1)</script>"))
    page = staff.get(reverse("admin:species_text_history", args=[text.pk])).text
    assert "<del>One.</del>" in page
    assert "<ins>&lt;script&gt;alert(1)&lt;/script&gt;</ins>" in page


def test_earlier_version_is_restored(staff: Client) -> None:
    text = make_text("One.")
    staff.post(change_address(text), form_of(text, body="Two."))
    first = history.revisions_of(text).last()
    assert first is not None
    assert "That version is now the one readers see." in put_in_place(staff, text, first)
    text.refresh_from_db()
    assert text.body == "One."
    assert [version.revision.content["body"] for version in history.versions(text)] == ["One.", "Two.", "One."]


def test_fact_comes_back_with_its_sources() -> None:
    fact = make_fact()
    history.record(fact, by=None)
    fact.point = 3
    fact.save(update_fields=["point"])
    fact.sources.set([make_source("another")])
    history.record(fact, by=make_moderator())
    oldest = history.revisions_of(fact).last()
    assert oldest is not None
    history.put_in_place(fact, oldest, by=make_moderator())
    fact = Fact.objects.get()
    assert (fact.value_text, [source.key for source in fact.sources.all()]) == ("10,709", ["jiang-2015"])


def test_version_that_no_longer_fits_is_not_restored(staff: Client) -> None:
    fact = make_fact()
    text = make_text("It is {range-now}.")
    history.record(text, by=None)
    text.body = "It is large."
    text.save(update_fields=["body"])
    fact.delete()
    first = history.revisions_of(text).get()
    with pytest.raises(ValidationError):
        history.put_in_place(Text.objects.get(), first, by=make_moderator())
    assert "Not changed. No published fact of this species is called “range-now”." in put_in_place(staff, text, first)
    assert Text.objects.get().body == "It is large."


def test_reviewing_a_fact_is_no_version() -> None:
    fact = make_fact()
    history.record(fact, by=None)
    fact.reviewed_on = timezone.localdate()
    history.record(fact, by=make_moderator())
    assert history.revisions_of(fact).count() == 1


def test_restoring_needs_the_permission_to_change(client: Client) -> None:
    sam = User.objects.create(username="sam", is_staff=True)
    sam.user_permissions.add(Permission.objects.get(codename="view_text"))
    client.force_login(sam)
    text = make_text("One.")
    history.record(text, by=None)
    revision = history.revisions_of(text).get()
    address = reverse("admin:species_text_put_in_place", args=[text.pk, revision.pk])
    assert client.post(address).status_code == 403
    assert client.get(reverse("admin:species_text_history", args=[text.pk])).status_code == 200
    client.force_login(make_moderator())
    assert client.get(address).status_code == 405


def test_draft_is_previewed_by_its_link_and_published_later(staff: Client) -> None:
    text = make_text("One.")
    answer = staff.post(change_address(text), form_of(text, body="Two.") | {"_draft": "1"}, follow=True).text
    found = re.search(r'href="[^"]*(/preview/[^"]+)"', answer)
    assert found
    stranger = Client()
    preview = stranger.get(found.group(1))
    assert preview.status_code == 200
    assert "Two." in preview.text
    assert '<meta name="robots" content="noindex">' in preview.text
    assert "no-store" in preview["Cache-Control"]
    assert "Two." not in stranger.get("/species/amur-leopard/").text
    draft = Revision.objects.get(is_draft=True)
    put_in_place(staff, text, draft)
    assert "Two." in stranger.get("/species/amur-leopard/").text
    assert not Revision.objects.filter(is_draft=True).exists()
    assert stranger.get(found.group(1)).status_code == 404


def test_draft_with_a_wrong_marker_is_refused_like_any_text(staff: Client) -> None:
    text = make_text("One.")
    answer = staff.post(change_address(text), form_of(text, body="{nowhere}") | {"_draft": "1"})
    assert "No published fact of this species is called “nowhere”." in answer.text
    assert not Revision.objects.exists()


def test_species_can_be_shown_before_it_is_published(client: Client) -> None:
    species = make_species(is_published=False)
    assert client.get("/species/amur-leopard/").status_code == 404
    assert client.get(link_to(species)).status_code == 200


def test_preview_link_is_good_for_a_week_and_only_as_it_was_made(client: Client) -> None:
    link = link_to(make_species())
    assert client.get(link.replace("/preview/", "/preview/x")).status_code == 404
    assert client.get("/preview/nothing/").status_code == 404
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert client.get(link).status_code == 404


def test_what_a_file_corrected_is_in_the_history_too(tmp_path: Path) -> None:
    files = Files(tmp_path)
    load(files.write())
    fact = Fact.objects.get(key="pop")
    assert not history.revisions_of(fact).exists()
    files.facts["facts"][1]["period"] = "2016"
    load(files.write())
    newest, found = history.versions(fact)
    assert [(change.name, change.lines) for change in newest.changes] == [("period", (("-", "2015"), ("+", "2016")))]
    assert (newest.revision.by, found.revision.by) == (None, None)
