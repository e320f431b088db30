"""Lists that leave the site: what stands in them, who may take them, and that a worker's death loses nothing."""

import csv
import io
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from adoptions import consent, gift_aid
from adoptions.exchange import exports
from adoptions.exchange.choosing import Choice
from adoptions.models import (
    AdoptionState,
    Campaign,
    ConsentEvent,
    ExportedFile,
    ExportedPart,
    ExportLayout,
    ExportState,
    Gift,
    HandEntry,
    PaymentKind,
    Supporter,
    Suppression,
)
from adoptions.tasks import write_exports
from config import retention
from config.models import Act, AuditEntry, Mail
from config.spreadsheet import STARTS_A_FORMULA, as_it_was, harmless
from tests.makers import make_active_adoption, make_adoption, make_payment, make_species, make_supporter, put_roles
from tests.test_hostile_input import HOSTILE, all_at_once

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 7, 1, 11, 0, tzinfo=UTC)


@pytest.fixture
def fiona() -> User:
    return member("fiona", "Fundraiser")


def member(name: str, role: str) -> User:
    put_roles()
    user = User.objects.create_user(name, f"{name}@example.org", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def written(layout: ExportLayout, by: User, **choice: Any) -> str:
    """A file as it is saved, written by the worker."""
    file = exports.ask(layout, Choice(**choice), by=by)
    write_exports.func()
    file.refresh_from_db()
    assert file.state == ExportState.READY
    text = b"".join(exports.body(file))
    assert len(text) == file.size
    return text.decode()


def table(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def amara_gives() -> Supporter:
    """Every month since July, the second payment half refunded; she wishes news."""
    utm = {"utm_source": "spring-appeal", "utm_medium": "email", "utm_content": "photo"}
    campaign = Campaign.objects.create(code="spring-26", name="Spring", species=make_species(), **utm)
    with time_machine.travel(NOON, tick=False):
        amara = make_supporter("Amara van der Berg")
        consent.grant(amara, page="/adopt/amur-leopard/")
        adoption = make_adoption(
            supporter=amara,
            frequency="monthly",
            amount_pence=1250,
            state=AdoptionState.ACTIVE,
            activated_at=NOON,
            stripe_subscription_id="sub_1",
            campaign=campaign,
            campaign_code="spring-26",
            reference="PM-7K4T9QXR",
        )
        make_payment(adoption, stripe_id="ch_1", card_last4="4242", occurred_at=NOON)
        second = make_payment(adoption, stripe_id="ch_2", occurred_at=NOON + timedelta(days=31))
        make_payment(
            adoption,
            kind=PaymentKind.REFUND,
            amount_pence=-250,
            charge=second,
            occurred_at=NOON + timedelta(days=32),
        )
    return amara


# --- what stands in them --------------------------------------------------------------------------------------------


def test_supporters_say_who_they_are_what_they_wish_and_what_they_gave(fiona: User) -> None:
    amara_gives()
    with time_machine.travel(NOON, tick=False):
        make_supporter("Sam", "sam@example.org")
        make_supporter("", "gone@example.org")
    Supporter.objects.filter(email="gone@example.org").erase()
    amara, sam = table(written(ExportLayout.SUPPORTERS_CSV, fiona))
    assert amara == {
        "name": "Amara van der Berg",
        "email": "amara@example.org",
        "known_since": "2026-07-01T11:00:00Z",
        "may_be_mailed": "yes",
        "news": "yes",
        "news_at": "2026-07-01T11:00:00Z",
        "news_source": "/adopt/amur-leopard/",
        "news_wording": consent.wording(),
        "adoptions": "1",
        "first_adopted_at": "2026-07-01T11:00:00Z",
        "given_pounds": "22.50",
        "last_gave_at": "2026-08-01T11:00:00Z",
    }
    assert (sam["may_be_mailed"], sam["news"], sam["adoptions"], sam["given_pounds"]) == ("no", "", "0", "0.00")


def test_json_lines_hold_the_same_in_pence_and_true_and_false(fiona: User) -> None:
    amara_gives()
    (line,) = written(ExportLayout.ADOPTIONS_JSON, fiona).splitlines()
    assert json.loads(line) == {
        "reference": "PM-7K4T9QXR",
        "supporter_name": "Amara van der Berg",
        "supporter_email": "amara@example.org",
        "species": "amur-leopard",
        "plan": "friend",
        "frequency": "monthly",
        "amount_pence": 1250,
        "state": "active",
        "is_gift": False,
        "source": "web",
        "campaign_code": "spring-26",
        "first_campaign_code": "",
        "asked_at": "2026-07-01T11:00:00Z",
        "began_at": "2026-07-01T11:00:00Z",
        "ended_at": None,
        "next_payment_on": None,
        "payments": 2,
        "received_pence": 2250,
        "first_paid_at": "2026-07-01T11:00:00Z",
        "last_paid_at": "2026-08-01T11:00:00Z",
    }


def test_salesforce_gets_a_line_for_each_payment_in_its_own_headings(fiona: User) -> None:
    amara_gives()
    whole = make_active_adoption(supporter=make_supporter("Sam", "sam@example.org"))
    charge = whole.payments.get()
    make_payment(whole, kind=PaymentKind.REFUND, amount_pence=-charge.amount_pence, charge=charge)
    first, second = table(written(ExportLayout.NPSP_DONATIONS, fiona))
    assert first == {
        "Contact1 First Name": "Amara van der",
        "Contact1 Last Name": "Berg",
        "Contact1 Personal Email": "amara@example.org",
        "Contact1 Preferred Email": "Personal",
        "Contact1 Consent Opt-In": "TRUE",
        "Contact1 Consent Message": consent.wording(),
        "Home Street": "",
        "Home Zip/Postal Code": "",
        "Donation Donor": "Contact1",
        "Donation Amount": "12.50",
        "Donation Date": "2026-07-01",
        "Donation Name": "Adoption of Amur leopard PM-7K4T9QXR",
        "Donation Stage": "Closed Won",
        "Campaign Name": "spring-26",
        "UTM Source": "spring-appeal",
        "UTM Medium": "email",
        "UTM Campaign": "spring-26",
        "UTM Content": "photo",
        "Donation Tribute Type": "",
        "Donation Honoree Name": "",
        "Payment Method": "Credit Card",
        "Payment Check/Reference Number": "",
        "Payment Gateway Payment ID": "ch_1",
        "Recurring Donation Name": "PM-7K4T9QXR",
        "Recurring Donation Amount": "12.50",
        "Recurring Donation Installment Period": "Monthly",
        "Recurring Donation Date Established": "2026-07-01",
    }
    assert (second["Donation Amount"], second["Donation Date"]) == ("10.00", "2026-08-01")
    assert (second["Payment Method"], second["Payment Gateway Payment ID"]) == ("Direct Debit", "ch_2")


def test_salesforce_is_told_whom_a_present_is_for_until_they_are_forgotten(fiona: User) -> None:
    adoption = make_active_adoption(is_gift=True)
    Gift.objects.create(adoption=adoption, recipient_name="Lena", message="Not for a list.")
    text = written(ExportLayout.NPSP_DONATIONS, fiona)
    (row,) = table(text)
    assert (row["Donation Tribute Type"], row["Donation Honoree Name"], row["UTM Campaign"]) == ("Honor", "Lena", "")
    assert "Not for a list." not in text
    Gift.objects.erase()
    (row,) = table(written(ExportLayout.NPSP_DONATIONS, fiona))
    assert (row["Donation Tribute Type"], row["Donation Honoree Name"]) == ("", "")


@pytest.mark.threat("L5")
def test_home_of_a_declaration_that_stands_goes_to_who_asks_and_may_see_it(client: Client, fiona: User) -> None:
    amara = amara_gives()
    home = gift_aid.Taxpayer("Amara", "Berg", "1 Sea Road", "EX1 1AA")
    gift_aid.declare(amara, home)
    client.force_login(fiona)
    for layout in ("npsp-donations", "npsp-contacts"):
        file = ask_in_the_admin(client, layout=layout, with_homes="on")
        write_exports.func()
        file.refresh_from_db()
        row = table(b"".join(exports.body(file)).decode())[0]
        assert (row["Home Street"], row["Home Zip/Postal Code"]) == ("1 Sea Road", "EX1 1AA")
        assert Choice(**file.chosen).words == "with home addresses"
    for layout, asked in (("npsp-donations", {}), ("supporters-csv", {"with_homes": "on"})):
        assert ask_in_the_admin(client, layout=layout, **asked).chosen == {}
    gift_aid.take_back(amara)
    assert "Sea Road" not in written(ExportLayout.NPSP_DONATIONS, fiona, with_homes=True)

    only_lists = User.objects.create_user("lee", is_staff=True)
    only_lists.user_permissions.add(Permission.objects.get(codename="add_exportedfile"))
    client.force_login(only_lists)
    assert ask_in_the_admin(client, layout="npsp-donations", with_homes="on").chosen == {}
    save = reverse("admin:adoptions_exportedfile_save", args=[file.pk])
    ExportedFile.objects.filter(pk=file.pk).update(asked_by=only_lists)
    assert client.get(save).status_code == 403


def test_salesforce_is_told_on_which_way_money_came_that_staff_wrote_down(fiona: User) -> None:
    for number, method in enumerate(("cheque", "cash", "transfer")):
        supporter = make_supporter(f"S{number}", f"s{number}@example.org")
        adoption = make_adoption(supporter=supporter, state=AdoptionState.ACTIVE, activated_at=NOON)
        payment = make_payment(adoption, method=method, stripe_id="", occurred_at=NOON)
        HandEntry.objects.create(request=uuid.uuid4(), payment=payment, reference=f"no {number}", entered_by=fiona)
    rows = table(written(ExportLayout.NPSP_DONATIONS, fiona))
    assert [(row["Payment Method"], row["Payment Check/Reference Number"]) for row in rows] == [
        ("Check", "no 0"),
        ("Cash", "no 1"),
        ("Bank Transfer", "no 2"),
    ]


def test_only_those_who_may_be_mailed_are_in_a_list_for_a_mailing(fiona: User) -> None:
    amara_gives()
    for name in ("never", "refused", "silent", "pending"):
        supporter = make_supporter(name, f"{name}@example.org")
        adopt = make_adoption if name == "pending" else make_active_adoption
        adopt(supporter=supporter)
        if name != "silent":
            consent.grant(supporter, page="/")
        if name == "refused":
            consent.refuse(supporter, page="/")
    consent.suppress(consent.address_hash("never@example.org"), reason=Suppression.Reason.PREFERENCE_SERVICE)
    for layout in (ExportLayout.SUPPORTERS_CSV, ExportLayout.NPSP_CONTACTS):
        text = written(layout, fiona, only_mailable=True)
        assert [address for address in text.split(",") if "@" in address] == ["amara@example.org"]
    rows = table(written(ExportLayout.SUPPORTERS_CSV, fiona))
    assert {row["name"]: row["news"] for row in rows if row["name"] in {"never", "refused", "silent"}} == {
        "never": "never",
        "refused": "no",
        "silent": "",
    }


FORMULAS = ["=1+1", "+44", "@SUM(A1)", "\t=1", 'a,b\r\n"c;', "'=1"]
IN_CSV = [ExportLayout.SUPPORTERS_CSV, ExportLayout.ADOPTIONS_CSV, ExportLayout.NPSP_DONATIONS]


@pytest.mark.threat("O1")
@pytest.mark.parametrize("layout", IN_CSV)
def test_hostile_words_are_cells_and_nothing_else(fiona: User, layout: ExportLayout) -> None:
    names = [
        name.replace("\0", "")[:120] for name in [*HOSTILE, "=1+1", "+44", "@SUM(A1)", "\t=1", 'a,b\r\n"c;', "'=1"]
    ]
    for number, name in enumerate(names):
        supporter = make_supporter(name, f"s{number}@example.org")
        ConsentEvent.objects.create(
            supporter=supporter,
            address_hash=consent.address_hash(supporter.email),
            state="granted",
            basis="consent",
            wording=name or "w",
            page=name,
            at=NOON,
        )
        make_active_adoption(supporter=supporter, campaign_code=name[:32])
    rows = table(written(layout, fiona))
    assert len(rows) == len(names)
    assert {cell for row in rows for cell in row.values() if cell.startswith(STARTS_A_FORMULA)} <= {"-1"}
    if layout != ExportLayout.NPSP_DONATIONS:
        column = "name" if layout == ExportLayout.SUPPORTERS_CSV else "supporter_name"
        assert [as_it_was(row[column]) for row in rows] == names


@given(st.text())
def test_what_was_made_harmless_comes_back_as_it_was(text: str) -> None:
    assert as_it_was(str(harmless(text))) == text


# --- written in parts -----------------------------------------------------------------------------------------------


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "TOGETHER", 2)


def test_worker_that_dies_in_the_middle_loses_and_repeats_nothing(
    fiona: User, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        make_supporter(f"S{number}", f"s{number}@example.org")
    whole = written(ExportLayout.SUPPORTERS_CSV, fiona)
    assert ExportedPart.objects.count() == 3

    file = exports.ask(ExportLayout.SUPPORTERS_CSV, Choice(), by=fiona)
    assert exports.write_some()
    file.refresh_from_db()
    assert (file.done, 0 < file.percent < 100) == (2, True)
    with monkeypatch.context() as patch:
        patch.setattr("adoptions.exchange.exports.csv_lines", lambda layout, rows: 1 // 0)
        assert not exports.write_some()
    assert ExportedFile.objects.get(pk=file.pk).done == 2
    write_exports.func()
    file.refresh_from_db()
    assert (file.state, b"".join(exports.body(file)).decode()) == (ExportState.READY, whole)


def test_few_who_are_chosen_among_many_are_found_part_by_part(fiona: User, small_parts: None) -> None:
    for number in range(9):
        make_supporter(f"S{number}", f"s{number}@example.org")
    make_active_adoption(supporter=Supporter.objects.get(email="s4@example.org"))
    file = exports.ask(ExportLayout.SUPPORTERS_CSV, Choice(frequency="once"), by=fiona)
    make_active_adoption(supporter=make_supporter("Later", "later@example.org"))
    asked = []
    while exports.is_needed():
        with CaptureQueriesContext(connection) as queries:
            exports.write_some()
        asked.append(len(queries))
    assert len(asked) == 5
    (row,) = table(b"".join(exports.body(ExportedFile.objects.get(pk=file.pk))).decode())
    assert row["name"] == "S4"


def test_file_that_never_succeeds_is_given_up_and_its_asker_told(fiona: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make_supporter()
    file = exports.ask(ExportLayout.SUPPORTERS_CSV, Choice(), by=fiona)
    monkeypatch.setattr("adoptions.exchange.exports.csv_lines", lambda layout, rows: 1 // 0)
    for _ in range(10):
        write_exports.func()
    file.refresh_from_db()
    assert (file.state, file.failures) == (ExportState.FAILED, 5)
    assert Mail.objects.get(kind="export_ready").subject.startswith("Your file could not be written")
    assert not exports.is_needed()


@pytest.mark.parametrize("layout", list(ExportLayout))
def test_part_asks_the_database_as_often_for_three_rows_as_for_one(fiona: User, layout: ExportLayout) -> None:
    asked = []
    for rows in (1, 2):
        for number in range(rows):
            supporter = make_supporter(f"S{rows}{number}", f"s{rows}{number}@example.org")
            consent.grant(supporter, page="/")
            make_active_adoption(supporter=supporter)
        file = exports.ask(layout, Choice(), by=fiona)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            exports.write_part(file)
        asked.append(len([query for query in queries if "config_mail" not in query["sql"]]))
        assert ExportedFile.objects.get(pk=file.pk).done == (1, 3)[rows - 1]
    assert asked[0] == asked[1] <= 17


# --- who may take them ----------------------------------------------------------------------------------------------


def ask_in_the_admin(client: Client, **answers: str) -> ExportedFile:
    sent = client.post(reverse("admin:adoptions_exportedfile_new"), {"layout": "supporters-csv", **answers})
    assert sent.status_code == 303, sent.content.decode()
    return ExportedFile.objects.latest("pk")


def test_list_is_asked_for_watched_and_saved_and_the_log_says_by_whom(client: Client, fiona: User) -> None:
    amara_gives()
    client.force_login(fiona)
    file = ask_in_the_admin(client)
    progress = reverse("admin:adoptions_exportedfile_progress", args=[file.pk])
    waiting = client.get(progress)
    assert waiting.headers["Refresh"] == "5"
    assert "0 rows, 0 %" in waiting.content.decode()
    assert "Refresh" not in client.get(progress + "?still=1").headers
    write_exports.func()
    ready = client.get(progress)
    assert "Refresh" not in ready.headers
    save = reverse("admin:adoptions_exportedfile_save", args=[file.pk])
    assert save in ready.content.decode()
    saved = client.get(save)
    assert saved.headers["Content-Disposition"] == f'attachment; filename="supporters-{file.pk}.csv"'
    assert {"private", "no-store"} <= set(saved.headers["Cache-Control"].split(", "))
    body = saved.getvalue()
    assert len(body) == int(saved.headers["Content-Length"])
    assert b"amara@example.org" in body
    entry = AuditEntry.objects.get(act=Act.EXPORTED)
    assert (entry.by, entry.what, entry.rows) == (fiona, "adoptions.exportedfile", [str(file.pk)])


def test_mail_says_that_it_is_ready_and_holds_nothing_of_it(client: Client, fiona: User) -> None:
    amara_gives()
    client.force_login(fiona)
    file = ask_in_the_admin(client)
    write_exports.func()
    mail = Mail.objects.get(kind="export_ready")
    assert mail.to == "fiona@example.org"
    address = reverse("admin:adoptions_exportedfile_progress", args=[file.pk])
    for part in (mail.text, mail.html):
        assert address in part
        assert "1 row." in part
        assert "amara" not in part.lower()
    assert Client().get(address).status_code == 302  # to sign in


@pytest.mark.threat("L5")
def test_nobody_saves_what_somebody_else_asked_for(client: Client, fiona: User) -> None:
    make_supporter()
    file = exports.ask(ExportLayout.SUPPORTERS_CSV, Choice(), by=fiona)
    write_exports.func()
    save = reverse("admin:adoptions_exportedfile_save", args=[file.pk])
    answers = {}
    for name, role in (("finn", "Fundraiser"), ("ada", "Auditor"), ("marek", "Moderator"), ("eve", "Editor")):
        client.force_login(member(name, role))
        answers[role] = client.get(save).status_code
    assert answers == {"Fundraiser": 404, "Auditor": 403, "Moderator": 403, "Editor": 403}
    client.force_login(fiona)
    assert client.get(save).status_code == 200
    fiona.groups.clear()
    assert client.get(save).status_code == 403
    assert Client().get(save).status_code == 302


def test_file_goes_after_a_day_and_the_record_of_it_stays(client: Client, fiona: User) -> None:
    make_supporter()
    file = exports.ask(ExportLayout.SUPPORTERS_CSV, Choice(), by=fiona)
    write_exports.func()
    retention.purge(now=file.asked_at + timedelta(hours=23))
    assert ExportedPart.objects.exists()
    retention.purge(now=file.asked_at + timedelta(hours=25))
    assert not ExportedPart.objects.exists()
    client.force_login(fiona)
    page = client.get(reverse("admin:adoptions_exportedfile_progress", args=[file.pk])).content.decode()
    assert "It had 1 row and is deleted again." in page
    assert client.get(reverse("admin:adoptions_exportedfile_save", args=[file.pk])).status_code == 404
    assert "supporters-" in client.get(reverse("admin:adoptions_exportedfile_changelist")).content.decode()


# --- the page that asks ---------------------------------------------------------------------------------------------


def test_list_in_the_admin_hands_its_filters_to_the_form(client: Client, fiona: User) -> None:
    amara_gives()
    make_active_adoption(supporter=make_supporter("Sam", "sam@example.org"))
    client.force_login(fiona)
    species = make_species()
    query = {"species__id__exact": str(species.pk), "frequency__exact": "monthly"}
    page = client.get(reverse("admin:adoptions_adoption_changelist"), query)
    link = (
        reverse("admin:adoptions_exportedfile_new") + f"?species__id__exact={species.pk}&amp;frequency__exact=monthly"
    )
    assert link + "&amp;layout=adoptions-csv" in page.content.decode()
    form = client.get(reverse("admin:adoptions_exportedfile_new"), {**query, "layout": "adoptions-csv"})
    shown = form.content.decode()
    assert f'<option value="{species.pk}" selected>' in shown
    assert '<option value="monthly" selected>' in shown
    assert "more rows than the list did" not in shown
    narrower = {**query, "first": "utm_source:spring", "o": "1", "q": "amara"}
    shown = client.get(reverse("admin:adoptions_exportedfile_new"), narrower).text
    assert "more rows than the list did" in shown
    assert "not the words you searched for" in shown
    file = ask_in_the_admin(client, layout="adoptions-json", frequency="monthly", species=str(species.pk))
    write_exports.func()
    file.refresh_from_db()
    assert (file.done, file.chosen) == (1, {"species": species.pk, "frequency": "monthly"})
    assert (
        "Amur leopard, Every month" in client.get(reverse("admin:adoptions_exportedfile_changelist")).content.decode()
    )


def test_days_are_those_of_people_here(fiona: User) -> None:
    for number, moment in enumerate(
        (datetime(2026, 6, 30, 22, 59, tzinfo=UTC), datetime(2026, 6, 30, 23, 0, tzinfo=UTC))
    ):
        with time_machine.travel(moment, tick=False):
            make_active_adoption(supporter=make_supporter(f"S{number}", f"s{number}@example.org"))
    for layout in (ExportLayout.SUPPORTERS_CSV, ExportLayout.NPSP_DONATIONS):
        assert "s1@example.org" in written(layout, fiona, since="2026-07-01", until="2026-07-01")
        assert "s0@example.org" not in written(layout, fiona, since="2026-07-01")
        assert "s1@example.org" not in written(layout, fiona, until="2026-06-30")


def test_page_explains_each_column_there_is(client: Client, fiona: User) -> None:
    client.force_login(fiona)
    page = client.get(reverse("admin:adoptions_exportedfile_new")).content.decode()
    for layout in exports.LAYOUTS.values():
        for column in layout.columns:
            assert f'<th scope="row">{column.in_csv}</th>' in page
            assert column.what


def test_form_takes_anything_and_begins_nothing(client: Client, fiona: User) -> None:
    client.force_login(fiona)
    address = reverse("admin:adoptions_exportedfile_new")
    fields = ["only_mailable", "species", "campaign", "frequency", "state", "since", "until"]
    for number, value in enumerate(HOSTILE[2:]):
        response = client.post(address, {**all_at_once(number, fields), "layout": "supporters-csv"})
        assert response.status_code == 422, number
        text = value.replace("\0", "")
        query = {"species__id__exact": text, "campaign__id__exact": text, "created_at__gte": text, "layout": text}
        assert client.get(address, query).status_code == 200
    backwards = {"layout": "supporters-csv", "since": "2026-02-01", "until": "2026-01-01"}
    assert "before the first day" in client.post(address, backwards).content.decode()
    assert not ExportedFile.objects.exists()
