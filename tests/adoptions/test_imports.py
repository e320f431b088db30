"""Lists from elsewhere: looked through without a change, brought in once, undone, and nothing made up on the way."""

import csv
import io
import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from adoptions import consent, gift_aid, personal_data
from adoptions.exchange import bringing_in, exports, imports, undoing
from adoptions.exchange.choosing import Choice
from adoptions.exchange.known import judged
from adoptions.models import (
    ConsentEvent,
    ExportedFile,
    ExportLayout,
    FormerAddress,
    ImportedFile,
    ImportedPiece,
    ImportedRow,
    ImportState,
    Likeness,
    OnAlike,
    OnKnown,
    Outcome,
    Supporter,
    Suppression,
    Verdict,
)
from adoptions.tasks import work_imports
from config import retention
from config.fields import SingleLineField
from config.models import AuditEntry, Mail
from config.spreadsheet import as_it_was
from tests.adoptions.lists import bring_in, brought, undone, verdicts
from tests.makers import make_active_adoption, make_supporter, put_roles
from tests.test_hostile_input import HOSTILE

pytestmark = pytest.mark.django_db

WORDS = {"news_at": "2024-03-01", "news_source": "Spring fair, paper form", "news_wording": "Send me news."}
NO_WORD = "“perhaps” is no word on news: write yes, no or never."
NO_EVIDENCE = "A yes to news without its place and its words cannot be shown to anybody."
HOME = gift_aid.Taxpayer("Amara", "Supporter", "1 The Street", "EX1 1EX")


@pytest.fixture
def fiona() -> User:
    return member("fiona")


def member(name: str, role: str = "Fundraiser") -> User:
    put_roles()
    user = User.objects.create_user(name, f"{name}@example.org", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def as_csv(*rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def brought_in(body: bytes, by: User, known: str = OnKnown.SKIP, alike: str = OnAlike.SKIP) -> ImportedFile:
    return bring_in(brought(body, by), by, known, alike)


def outcomes(file: ImportedFile) -> dict[int, str]:
    return dict(ImportedRow.objects.filter(file=file).values_list("number", "outcome"))


def people() -> set[tuple[str, str]]:
    return set(Supporter.objects.values_list("name", "email"))


def somebody(number: int = 1, **cells: str) -> dict[str, str]:
    return {"name": f"Sam {number}", "email": f"sam{number}@example.org", **cells}


# --- looking through ------------------------------------------------------------------------------------------------


def test_looking_through_changes_nothing_and_says_of_each_row_what_it_is(fiona: User) -> None:
    amara = make_supporter()
    gift_aid.declare(amara, HOME)
    FormerAddress.objects.create(
        supporter=amara, email="Old@example.org", since=datetime(2024, 1, 1, tzinfo=UTC), until=timezone.now()
    )
    gone = make_supporter("Gone", "gone@example.org")
    personal_data.erase(gone)
    before = (people(), ConsentEvent.objects.count(), Suppression.objects.count())
    file = brought(
        as_csv(
            somebody(),
            {"name": "Amara", "email": "AMARA@example.org"},
            {"name": "Amara", "email": "old@example.org"},
            {"name": "Supporter, Amára", "email": "a@work.example", "postcode": "ex11ex"},
            {"name": "Sam again", "email": "SAM1@example.org"},
            {"name": "Gone", "email": "Gone@example.org"},
            {"name": "", "email": "nonsense", "news": "perhaps"},
            somebody(2, news="yes", news_at="31/12/2031", news_source="", news_wording=""),
            somebody(3, **WORDS, news="yes"),
        ),
        fiona,
    )
    assert (people(), ConsentEvent.objects.count(), Suppression.objects.count()) == before
    assert (file.state, file.total, file.form) == (ImportState.CHECKED, 9, "CSV with commas, UTF-8")
    assert verdicts(file) == {
        2: (Verdict.NEW, ""),
        3: (Verdict.KNOWN, ""),
        4: (Verdict.KNOWN, ""),
        5: (Verdict.ALIKE, ""),
        6: (Verdict.TWICE, "The same address is in row 2."),
        7: (Verdict.BAD, "They asked us to erase them. Nothing of theirs comes in again."),
        8: (
            Verdict.BAD,
            "Enter an email address in the form name@example.org. There is no name. " + NO_WORD,
        ),
        9: (
            Verdict.BAD,
            "They cannot have said so in the future. " + NO_EVIDENCE,
        ),
        10: (Verdict.NEW, ""),
    }
    assert not ImportedPiece.objects.exists()


def test_file_that_cannot_be_read_is_refused_in_a_sentence_and_nothing_of_it_is_kept(fiona: User) -> None:
    body = as_csv(somebody(), somebody(2)) + b'"never closed' + b"\nx" * 80_000
    file = brought(body, fiona)
    assert (file.state, ImportedRow.objects.count(), ImportedPiece.objects.count()) == (ImportState.REFUSED, 0, 0)
    assert file.because.startswith("Row 4 cannot be read, nor what follows")
    assert "Row 4" in Mail.objects.get(kind="import_done").text
    assert brought(body, fiona).pk != file.pk  # it may come again


# --- bringing in ----------------------------------------------------------------------------------------------------


def test_who_is_new_comes_in_with_their_word_on_news_and_hears_nothing(fiona: User) -> None:
    file = brought_in(
        as_csv(somebody(1, **WORDS, news="yes"), somebody(2, news="no"), somebody(3, news="never"), somebody(4)), fiona
    )
    assert people() == {(f"Sam {number}", f"sam{number}@example.org") for number in (1, 2, 3, 4)}
    yes, no, never = ConsentEvent.objects.order_by("supporter_id")
    assert (yes.state, yes.basis, yes.wording, yes.given_by) == ("granted", "consent", "Send me news.", "self")
    assert (yes.page, yes.at) == (f"import {file.pk}: Spring fair, paper form", datetime(2024, 3, 1, tzinfo=UTC))
    assert (no.state, never.state) == ("withdrawn", "withdrawn")
    assert Suppression.objects.get().address_hash == consent.address_hash("sam3@example.org")
    assert [mail.to for mail in Mail.objects.all()] == ["fiona@example.org"]
    make_active_adoption(supporter=yes.supporter)
    assert list(consent.marketable()) == [yes.supporter]


def test_what_people_told_us_themselves_stands(fiona: User) -> None:
    names = ("refused", "never", "silent")
    refused, suppressed, silent = (make_supporter(name, f"{name}@example.org") for name in names)
    consent.refuse(refused, page="/")
    consent.suppress(consent.address_hash("never@example.org"), reason=Suppression.Reason.STAFF)
    rows = [{"name": "X", "email": each.email, **WORDS, "news": "yes"} for each in (refused, suppressed, silent)]
    file = brought_in(as_csv(*rows), fiona, known=OnKnown.FILL)
    assert outcomes(file) == {2: Outcome.LEFT, 3: Outcome.LEFT, 4: Outcome.FILLED}
    assert ImportedRow.objects.get(file=file, number=2).why == bringing_in.TOLD_US
    for each in (refused, suppressed, silent):
        make_active_adoption(supporter=each)
    assert list(consent.marketable()) == [silent]


def test_no_list_makes_anybody_reachable_without_a_yes_of_their_own(fiona: User, settings: Any) -> None:
    settings.NEWS_BASIS = "soft_opt_in"
    brought_in(as_csv(somebody()), fiona)
    make_active_adoption(supporter=Supporter.objects.get())
    assert not consent.marketable().exists()


@pytest.mark.parametrize(
    ("known", "alike", "result"),
    [
        (OnKnown.SKIP, OnAlike.SKIP, {("Amara Supporter", "amara@example.org"), ("", "blank@example.org")}),
        (OnKnown.FILL, OnAlike.SKIP, {("Amara Supporter", "amara@example.org"), ("Blank", "blank@example.org")}),
        (
            OnKnown.SKIP,
            OnAlike.NEW,
            {
                ("Amara Supporter", "amara@example.org"),
                ("", "blank@example.org"),
                ("Amara Supporter", "a@work.example"),
            },
        ),
    ],
)
def test_who_is_here_already_is_left_filled_in_or_made_anew_as_staff_say(
    fiona: User, known: str, alike: str, result: set[tuple[str, str]]
) -> None:
    gift_aid.declare(make_supporter(), HOME)
    make_supporter("", "blank@example.org")
    body = as_csv(
        {"name": "Somebody else", "email": "amara@example.org", "postcode": ""},
        {"name": "Blank", "email": "blank@example.org"},
        {"name": "Amara Supporter", "email": "a@work.example", "postcode": "EX1 1EX"},
    )
    file = brought_in(body, fiona, known=known, alike=alike)
    assert people() == result
    undone(file)
    assert people() == {("Amara Supporter", "amara@example.org"), ("", "blank@example.org")}


def test_who_came_by_themselves_since_it_was_looked_through_is_known(fiona: User) -> None:
    file = brought(as_csv(somebody(1), somebody(2)), fiona)
    make_supporter("Sam himself", "SAM1@example.org")
    ImportedFile.objects.filter(pk=file.pk).begin(by=fiona, known=OnKnown.SKIP, alike=OnAlike.SKIP)
    work_imports.func()
    assert outcomes(file) == {2: Outcome.LEFT, 3: Outcome.MADE}
    assert ("Sam himself", "SAM1@example.org") in people()


def test_who_comes_at_the_very_moment_does_not_stop_the_others(fiona: User, monkeypatch: pytest.MonkeyPatch) -> None:
    file = brought(as_csv(*(somebody(number) for number in range(1, 4))), fiona)
    make_supporter("Sam himself", "sam2@example.org")
    monkeypatch.setattr(bringing_in, "supporters_at", lambda keys: {})  # asked just before they came
    ImportedFile.objects.filter(pk=file.pk).begin(by=fiona, known=OnKnown.SKIP, alike=OnAlike.SKIP)
    work_imports.func()
    assert outcomes(file) == {2: Outcome.MADE, 3: Outcome.LEFT, 4: Outcome.MADE}
    assert Supporter.objects.count() == 3


# --- whole and once -------------------------------------------------------------------------------------------------


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "TOGETHER", 2)


def test_worker_that_dies_in_the_middle_goes_on_where_it_was(
    fiona: User, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = imports.keep([as_csv(*(somebody(number) for number in range(7)))], name="x", by=fiona)
    dies_after(3, "adoptions.exchange.imports.judged", judged, monkeypatch)
    assert ImportedFile.objects.get(pk=file.pk).state == ImportState.CHECKED
    assert ImportedRow.objects.count() == 7
    ImportedFile.objects.filter(pk=file.pk).begin(by=fiona, known=OnKnown.SKIP, alike=OnAlike.SKIP)
    dies_after(2, "adoptions.exchange.bringing_in.take_words", bringing_in.take_words, monkeypatch)
    assert (Supporter.objects.count(), set(outcomes(file).values())) == (7, {Outcome.MADE})
    ImportedFile.objects.filter(pk=file.pk).begin_undoing(by=fiona)
    dies_after(2, "adoptions.exchange.undoing.forget_words", undoing.forget_words, monkeypatch)
    assert (Supporter.objects.count(), set(outcomes(file).values())) == (0, {Outcome.REMOVED})


def dies_after(calls: int, name: str, real: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Work with a fault that comes once, after some calls, and then work on without it."""
    left = [calls]

    def faulty(*args: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise RuntimeError("the power went")
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(name, faulty)
        work_imports.func()
        assert left[0] == 0
    work_imports.func()


def test_fault_that_stays_is_given_up_told_and_what_is_in_can_be_undone(
    fiona: User, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = brought(as_csv(*(somebody(number) for number in range(4))), fiona)
    ImportedFile.objects.filter(pk=file.pk).begin(by=fiona, known=OnKnown.SKIP, alike=OnAlike.SKIP)
    assert imports.work_on(file.pk, until=timedelta())
    with monkeypatch.context() as patch:
        patch.setattr("adoptions.exchange.bringing_in.make", lambda rows: 1 // 0)
        for _ in range(9):
            work_imports.func()
    file.refresh_from_db()
    assert (file.state, Supporter.objects.count()) == (ImportState.FAILED, 2)
    assert "Something went wrong" in Mail.objects.get(kind="import_done").text
    undone(file)
    assert Supporter.objects.count() == 0


def test_same_file_is_known_again_until_it_is_undone(client: Client, fiona: User) -> None:
    client.force_login(fiona)
    body = as_csv(somebody())
    first = brought_in(body, fiona)
    again = client.post(reverse("admin:adoptions_importedfile_new"), {"file": SimpleUploadedFile("other.csv", body)})
    assert again.status_code == 422
    assert reverse("admin:adoptions_importedfile_look", args=[first.pk]) in again.content.decode()
    assert (ImportedFile.objects.count(), ImportedPiece.objects.count()) == (1, 0)
    undone(first)
    assert brought_in(body, fiona).pk != first.pk
    assert Supporter.objects.count() == 1


def presses_at_once(file: ImportedFile, users: list[User]) -> list[int]:
    """All at the same moment, each over a connection of its own; how many rows each moved."""
    together, moved = threading.Barrier(len(users)), []

    def press(user: User) -> None:
        together.wait(10)
        moved.append(ImportedFile.objects.filter(pk=file.pk).begin(by=user, known="skip", alike="skip"))
        connection.close()

    threads = [threading.Thread(target=press, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(moved)


@pytest.mark.django_db(transaction=True)
def test_two_who_press_at_once_bring_it_in_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fiona, finn = member("fiona"), member("finn")
    file = brought(as_csv(*(somebody(number) for number in range(20))), fiona)
    assert presses_at_once(file, [fiona, finn, fiona, finn]) == [0, 0, 0, 1]
    monkeypatch.setattr(imports, "TOGETHER", 3)

    def work() -> None:
        work_imports.func()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    work_imports.func()
    assert Supporter.objects.count() == 20
    assert Mail.objects.filter(kind="import_done").count() == 1

    # The control: without the condition on its state, everybody who presses is told that they were the one.
    def careless(self: Any, *, by: User, known: str, alike: str) -> int:
        return int(self.update(state=ImportState.IMPORTING, confirmed_by=by, finished_at=None))

    monkeypatch.setattr("adoptions.models.imports.ImportedFileQuerySet.begin", careless)
    assert presses_at_once(file, [fiona, finn, fiona, finn]) == [1, 1, 1, 1]


# --- undoing --------------------------------------------------------------------------------------------------------


def test_undoing_takes_out_whom_the_list_made_where_nothing_hangs_on_them(fiona: User) -> None:
    rows = [somebody(number, **WORDS, news="yes") for number in range(5)]
    file = brought_in(as_csv(*rows, somebody(9, news="never")), fiona)
    adopted, renamed, spoke, consented = (Supporter.objects.get(email=f"sam{n}@example.org") for n in range(1, 5))
    make_active_adoption(supporter=adopted)
    Supporter.objects.filter(pk=renamed.pk).update(name="Samuel")
    FormerAddress.objects.create(supporter=spoke, email="x@example.org", since=timezone.now(), until=timezone.now())
    consent.withdraw(consent.address_hash(consented.email), page="/", supporter=consented)
    first, second = sorted((Supporter.objects.get(email="sam0@example.org"), adopted), key=lambda each: each.pk)
    Likeness.objects.create(first=first, second=second, because="a guess")
    undone(file)
    assert {name for name, _ in people()} == {"Sam 1", "Samuel", "Sam 3", "Sam 4"}
    why = dict(ImportedRow.objects.filter(outcome=Outcome.STAYS).values_list("number", "why"))
    assert why == {
        3: "Since then: adoption.",
        4: "Their name or address was changed since.",
        5: "Since then: former address.",
        6: "Since then: consent event.",
    }
    # No yes of the list is left, of those who stay neither; who asked never to be written to is still not.
    assert not ConsentEvent.objects.filter(page__startswith="import ").exists()
    assert consent.is_suppressed(consent.address_hash("sam9@example.org"))
    assert not consent.marketable().exists()


def test_undoing_is_possible_for_thirty_days_and_rows_are_kept_no_longer(fiona: User) -> None:
    file = brought_in(as_csv(somebody()), fiona)
    ImportedFile.objects.filter(pk=file.pk).update(asked_at=timezone.now() - timedelta(days=30))
    assert not ImportedFile.objects.filter(pk=file.pk).begin_undoing(by=fiona)
    retention.purge(now=timezone.now() + timedelta(days=29))
    assert ImportedRow.objects.exists()
    make_active_adoption(supporter=Supporter.objects.get())
    retention.purge(now=timezone.now() + timedelta(days=31))
    assert not ImportedRow.objects.exists()
    assert ImportedFile.objects.filter(pk=file.pk).exists()


def test_whom_a_list_brought_is_kept_for_two_years_and_longer_only_as_an_adopter(fiona: User) -> None:
    brought_in(as_csv(somebody(1), somebody(2)), fiona)
    retention.purge(now=timezone.now() + timedelta(days=700))
    assert Supporter.objects.filter(erased_at=None).count() == 2
    make_active_adoption(supporter=Supporter.objects.get(email="sam2@example.org"))
    retention.purge(now=timezone.now() + timedelta(days=740))
    assert list(Supporter.objects.filter(erased_at=None).values_list("name", flat=True)) == ["Sam 2"]


def test_who_is_erased_is_in_no_row_and_who_asks_gets_theirs(fiona: User) -> None:
    brought_in(as_csv(somebody(1), somebody(2)), fiona)
    sam = Supporter.objects.get(email="sam1@example.org")
    assert [row["file__name"] for row in personal_data.export(sam)["lists_you_were_in"]] == ["old-system.csv"]
    assert personal_data.erase(sam)
    assert list(ImportedRow.objects.values_list("email", flat=True)) == ["sam2@example.org"]


# --- there and back -------------------------------------------------------------------------------------------------


def as_a_name(text: str) -> str:
    """As the house keeps it; empty for what draws nothing."""
    try:
        return str(SingleLineField(required=False).clean(text))
    except ValidationError:
        return ""


NAMES = st.text(min_size=1, max_size=60).map(as_a_name).filter(bool)


@example(names=["=", "'=", "-1", "''+"], layout="supporters-csv")
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=6), layout=st.sampled_from(["supporters-csv", "supporters-json"]))
def test_what_is_taken_out_comes_in_again_the_same(names: list[str], layout: str) -> None:
    fiona = User.objects.filter(username="fiona").first() or member("fiona")
    for model in (ImportedFile, ExportedFile):
        model.objects.all().delete()
    for number, name in enumerate(names):
        supporter = make_supporter(name, f"p{number}@example.org")
        if number % 3 == 0:
            consent.grant(supporter, page=as_a_name(name[:40]))
        if number % 3 == 1:
            consent.withdraw(consent.address_hash(supporter.email), page="/", supporter=supporter)
    before = taken_out(layout, fiona)
    clear_supporters()
    brought_in(b"".join(exports.body(ExportedFile.objects.latest("pk"))), fiona)
    after = taken_out(layout, fiona)
    clear_supporters()
    assert after == before


def taken_out(layout: str, by: User) -> list[dict[str, str]]:
    """Of each row what a list brings in; where it was said has the mark of the list before it."""
    file = exports.ask(ExportLayout(layout), Choice(), by=by)
    while exports.write_some():
        pass
    text = b"".join(exports.body(ExportedFile.objects.get(pk=file.pk))).decode("utf-8-sig")
    rows = (
        [json.loads(line) for line in text.split("\n") if line]
        if layout.endswith("json")
        else list(csv.DictReader(io.StringIO(text, newline="")))
    )
    kept = ("name", "email", "news", "news_at", "news_source", "news_wording")
    found = [{name: as_it_was(row[name]) if layout.endswith("csv") else row[name] for name in kept} for row in rows]
    for row in found:
        row["news_source"] = re.sub(r"^import \d+: ", "", row["news_source"])
    return found


def clear_supporters() -> None:
    retention.unlocked("adoptions.ConsentEvent:append_only", ConsentEvent.objects.all().delete)
    Suppression.objects.all().delete()
    Supporter.objects.all().delete()


# --- many, and hostile ----------------------------------------------------------------------------------------------


def test_batch_asks_the_database_as_often_for_many_rows_as_for_one(fiona: User) -> None:
    asked = []
    for rows in (1, 30):
        body = as_csv(*(somebody(rows * 100 + n, **WORDS, news="yes") for n in range(rows)))
        file = imports.keep([body], name="x", by=fiona)
        counts = []
        for step in (None, "begin", "begin_undoing"):
            if step:
                choices = {"known": "fill", "alike": "new"} if step == "begin" else {}
                getattr(ImportedFile.objects.filter(pk=file.pk), step)(by=fiona, **choices)
            with CaptureQueriesContext(connection) as queries:
                assert imports.work_on(file.pk, until=timedelta(days=9**6)) is (step is not None)
            counts.append(len(queries))
            work_imports.func()
        asked.append(counts)
    assert asked[0] == asked[1]


def test_ten_in_a_hundred_are_bad_and_the_others_come_in(client: Client, fiona: User) -> None:
    values = ("", "sam", "=cmd|' /C calc'!A0", "a@b", "x@y@z")
    bad = [{"name": "Sam", "email": value, "news": value} for value in values]
    rows = [bad[n // 10 % 5] if n % 10 == 0 else somebody(n) for n in range(1000)]
    file = brought_in(as_csv(*rows), fiona)
    assert Supporter.objects.count() == 900
    client.force_login(fiona)
    text = client.get(reverse("admin:adoptions_importedfile_rows", args=[file.pk])).content.decode("utf-8-sig")
    faults = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(faults) == 100
    assert (faults[0]["row"], faults[0]["what"]) == ("2", "There is no email address.")
    assert faults[2]["email"] == "'=cmd|' /C calc'!A0"
    # Mended in the spreadsheet, the file of what was wrong comes in by itself.
    mended = [{**row, "email": f"mended{row['row']}@example.org", "news": ""} for row in faults]
    brought_in(as_csv(*mended), fiona)
    assert Supporter.objects.count() == 1000


def test_any_words_in_any_cell_are_kept_as_words_or_refused(client: Client, fiona: User) -> None:
    rows = [
        {**somebody(n), "name": value, **WORDS, "news": "yes", "news_source": value, "news_wording": value}
        for n, value in enumerate(HOSTILE)
    ]
    columns = ("email", "news", "postcode", "news_at")
    rows += [{**somebody(n), column: value} for n, value in enumerate(HOSTILE) for column in columns]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode("utf-8", "surrogatepass")
    file = brought(lines, fiona, name="<script>alert(1)</script>\0\r\n=1.jsonl")
    client.force_login(fiona)
    page = client.get(reverse("admin:adoptions_importedfile_look", args=[file.pk]))
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()
    assert ImportedFile.objects.filter(pk=file.pk).begin(by=fiona, known="fill", alike="new")
    work_imports.func()
    for verdict in [*Verdict, "nonsense"]:
        rows_address = reverse("admin:adoptions_importedfile_rows", args=[file.pk]) + f"?verdict={verdict}"
        assert client.get(rows_address).status_code == 200
    assert ImportedFile.objects.get(pk=file.pk).state == ImportState.DONE


# --- the pages ------------------------------------------------------------------------------------------------------


def test_list_is_brought_looked_at_brought_in_and_undone_at_the_desk(client: Client, fiona: User) -> None:
    client.force_login(fiona)
    body = as_csv(somebody(1), somebody(2), {"name": "Nobody", "email": "nothing"})
    sent = client.post(reverse("admin:adoptions_importedfile_new"), {"file": SimpleUploadedFile("fair.csv", body)})
    assert sent.status_code == 303
    look = sent.headers["Location"]
    assert client.get(look).headers["Refresh"] == "5"
    assert "Refresh" not in client.get(look + "?still=1").headers
    work_imports.func()
    page = client.get(look).content.decode()
    for words in ("Nothing is brought in yet.", "New: 2 rows", "Cannot be brought in: 1 row", "Bring it in"):
        assert words in page
    assert client.post(look, {"step": "begin"}).status_code == 422  # without a choice it asks again
    answers = {"step": "begin", "known": "skip", "alike": "skip"}
    assert "A colleague was first" not in client.post(look, answers, follow=True).content.decode()
    assert "A colleague was first" in client.post(look, answers, follow=True).content.decode()
    work_imports.func()
    assert "Undo the whole list" in client.get(look).content.decode()
    assert "By what it lists" in client.get(reverse("admin:adoptions_importedfile_changelist")).text
    assert Mail.objects.filter(kind="import_done").count() == 1
    unread = client.post(look, {"step": "undo"}, follow=True)
    assert b"Nothing was undone." in unread.content
    client.post(look, {"step": "undo", "sure": "yes"})
    work_imports.func()
    assert "Taken out again" in client.get(look).content.decode()
    assert (
        list(AuditEntry.objects.filter(how="undo").values_list("what", "rows"))
        == [("adoptions.importedfile", [look.split("/")[-3]])] * 2
    )  # each press
    assert not Supporter.objects.exists()


@pytest.mark.threat("L5")
def test_who_may_only_look_changes_nothing(client: Client, fiona: User) -> None:
    file = brought(as_csv(somebody()), fiona)
    look = reverse("admin:adoptions_importedfile_look", args=[file.pk])
    answers = {}
    for name, role in (("ada", "Auditor"), ("finn", "Finance"), ("marek", "Moderator")):
        client.force_login(member(name, role))
        choices = {"known": "skip", "alike": "skip"}
        posts = [client.post(look, {"step": step, "sure": "yes", **choices}) for step in ("begin", "drop", "undo")]
        answers[role] = [response.status_code for response in (client.get(look), *posts)]
    assert answers == {"Auditor": [200, 403, 403, 403], "Finance": [403] * 4, "Moderator": [403] * 4}
    assert ImportedFile.objects.get().state == ImportState.CHECKED


def test_list_that_is_thrown_away_leaves_nothing(client: Client, fiona: User) -> None:
    file = brought(as_csv(somebody()), fiona)
    client.force_login(fiona)
    client.post(reverse("admin:adoptions_importedfile_look", args=[file.pk]), {"step": "drop"})
    assert (ImportedRow.objects.count(), Supporter.objects.count()) == (0, 0)
    assert ImportedFile.objects.get().state == ImportState.DROPPED


def test_file_that_is_too_large_is_not_taken(client: Client, fiona: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adoptions.import_forms.MOST_BYTES", 100)
    client.force_login(fiona)
    address = reverse("admin:adoptions_importedfile_new")
    sent = client.post(address, {"file": SimpleUploadedFile("x.csv", b"x" * 101)})
    assert (sent.status_code, ImportedFile.objects.count()) == (422, 0)
    assert "Cut it in two" in sent.content.decode()
    assert "Choose a file." in client.post(address, {"file": "no file"}).content.decode()
