"""Adoptions that were paid for elsewhere come in with their payments: once, mailed to nobody, counted rightly."""

import contextlib
import csv
import io
import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from adoptions import (
    by_hand,
    campaign_report,
    care,
    consent,
    gift_aid,
    ledger,
    personal_data,
    reports,
    statements,
    supporter_page,
    timeline,
    updates,
)
from adoptions.exchange import exports, imports
from adoptions.exchange.choosing import Choice
from adoptions.exchange.past_bringing import pay
from adoptions.exchange.past_rows import past_row
from adoptions.exchange.past_undoing import undo_payments
from adoptions.models import (
    Adoption,
    AdoptionState,
    Because,
    Campaign,
    ConsentEvent,
    ExportedFile,
    ExportLayout,
    Frequency,
    HandEntry,
    ImportedFile,
    ImportedRow,
    ImportState,
    ListOf,
    Method,
    OnAlike,
    OnKnown,
    Outcome,
    PastAdoption,
    PastPayment,
    Payment,
    PaymentKind,
    Source,
    Supporter,
    Verdict,
)
from adoptions.tasks import work_imports
from config import retention
from config.models import Mail
from config.money import Pence
from tests.adoptions import lists
from tests.adoptions.lists import bring_in, undone, verdicts
from tests.adoptions.test_imports import HOME, WORDS, as_csv, dies_after, member
from tests.makers import (
    make_active_adoption,
    make_adoption,
    make_campaign,
    make_payment,
    make_plan,
    make_species,
    make_supporter,
)
from tests.species.makers import make_field_note
from tests.test_hostile_input import HOSTILE

pytestmark = pytest.mark.django_db


@pytest.fixture
def fiona() -> User:
    make_species()
    make_plan()
    return member("fiona")


def adoption(number: int = 1, **cells: str) -> dict[str, str]:
    """A row that says what a monthly adoption is, with its first payment."""
    return {
        "reference": f"A-{number}",
        "supporter_email": f"sam{number}@example.org",
        "supporter_name": f"Sam {number}",
        "species": "amur-leopard",
        "frequency": "monthly",
        "amount_pounds": "5.00",
        "began_at": "2024-01-15",
        **payment(number, 1),
        **cells,
    }


def payment(number: int = 1, which: int = 1, **cells: str) -> dict[str, str]:
    paid = {"payment_id": f"P-{number}-{which}", "paid_at": f"2024-{which:02}-15", "paid_pounds": "5", "method": "card"}
    return {"reference": f"A-{number}", **paid, **cells}


def brought(body: bytes, by: User, name: str = "old.csv") -> ImportedFile:
    return lists.brought(body, by, name, what=ListOf.PAST)


def brought_in(body: bytes, by: User, known: str = OnKnown.SKIP, alike: str = OnAlike.SKIP) -> ImportedFile:
    return bring_in(brought(body, by), by, known, alike)


# --- coming in ------------------------------------------------------------------------------------------------------


def test_adoptions_come_in_with_their_payments_on_their_days_and_nobody_hears(fiona: User) -> None:
    amara = make_supporter()
    rows = [
        adoption(1, supporter_email="AMARA@example.org"),
        payment(1, 2),
        adoption(
            2,
            frequency="one-off",
            amount_pounds="£36.00",
            paid_pounds="36",
            is_gift="yes",
            recipient_name="Kit",
            method="Cheque",
            payment_reference="000123",
        ),
        adoption(3, frequency="yearly", ended_at="31/12/2024", ended_because="Moved abroad", **WORDS, news="yes"),
    ]
    file = brought_in(as_csv(*rows), fiona)
    first, second, third = (PastAdoption.objects.get(reference=f"A-{n}").adoption for n in (1, 2, 3))
    assert (first.supporter, first.source, first.entered_by) == (amara, Source.IMPORT, fiona)
    assert (first.state, first.past.paid_until) == (AdoptionState.ENDED, date(2024, 3, 15))
    assert timezone.localdate(first.ended_at) == date(2024, 3, 15)
    assert [p.occurred_at for p in first.payments.order_by("pk")] == [
        datetime(2024, 1, 15, 12, tzinfo=UTC),
        datetime(2024, 2, 15, 12, tzinfo=UTC),
    ]
    assert (second.state, second.ended_at, second.gift.recipient_name) == (AdoptionState.ACTIVE, None, "Kit")
    paid = second.payments.get()
    assert (paid.method, paid.amount_pence, paid.past.reference) == (Method.CHEQUE, 3600, "000123")
    assert timezone.localdate(third.ended_at) == date(2024, 12, 31)
    assert (third.past.ended_because, third.stripe_subscription_id) == ("Moved abroad", None)
    assert ConsentEvent.objects.get().supporter == third.supporter
    assert [mail.to for mail in Mail.objects.all()] == ["fiona@example.org"]
    assert set(ImportedRow.objects.filter(file=file).values_list("outcome", flat=True)) == {Outcome.MADE}
    assert Payment.objects.balance_pence() == 500 + 500 + 3600 + 500


def test_same_list_twice_and_a_longer_one_bring_only_what_is_new(fiona: User) -> None:
    brought_in(as_csv(adoption(1), payment(1, 2)), fiona)
    again = brought_in(as_csv(payment(1, 2), adoption(1), payment(1, 3)), fiona)
    assert verdicts(again) == {2: (Verdict.HERE, ""), 3: (Verdict.HERE, ""), 4: (Verdict.NEW, "")}
    assert sorted(PastPayment.objects.values_list("number", flat=True)) == ["P-1-1", "P-1-2", "P-1-3"]
    past = PastAdoption.objects.get()
    assert (past.paid_until, timezone.localdate(past.adoption.ended_at)) == (date(2024, 4, 15), date(2024, 4, 15))
    # Another program may use the same numbers: then somebody looks, and nothing is guessed.
    other = brought(as_csv(adoption(1, supporter_email="kit@example.org"), adoption(2, payment_id="P-1-1")), fiona)
    assert {number: why for number, (_, why) in verdicts(other).items()} == {
        2: "The reference “A-1” is in already, for somebody else. Is it of another program? Then name that in a "
        "column reference_system.",
        3: "The payment “P-1-1” is in already, with the adoption A-1.",
    }


def test_two_systems_may_call_theirs_the_same(client: Client, fiona: User) -> None:
    """In one list and in two, once each; each is undone, found and taken out under the name of its own."""
    of_kit = {"supporter_email": "kit@example.org", "reference_system": " Raisers Edge "}
    first = brought_in(
        as_csv(adoption(1), adoption(1, **of_kit), payment(1, 2, reference_system="raisers edge")), fiona
    )
    assert {why for _, why in verdicts(first).values()} == {""}
    of_sam = {"supporter_email": "sam1@example.org", "reference_system": "Beacon", "paid_at": "2024-01-20"}
    second = brought_in(as_csv(adoption(1, **of_sam)), fiona)
    known = PastAdoption.objects.order_by("pk").values_list("system", "reference", "adoption__supporter__email")
    assert list(known) == [
        ("", "A-1", "sam1@example.org"),
        ("raisers edge", "A-1", "kit@example.org"),
        ("beacon", "A-1", "sam1@example.org"),
    ]
    paid = PastPayment.objects.order_by("system", "number").values_list("system", "number", "payment__adoption__past")
    ids = {past.system: past.pk for past in PastAdoption.objects.all()}
    assert list(paid) == [
        ("", "P-1-1", ids[""]),
        ("beacon", "P-1-1", ids["beacon"]),
        ("raisers edge", "P-1-1", ids["raisers edge"]),
        ("raisers edge", "P-1-2", ids["raisers edge"]),
    ]
    same = as_csv(adoption(1), adoption(1, **of_kit), adoption(1, **of_sam))
    for body in (same, taken_out(ExportLayout("payments-csv"), fiona), taken_out(ExportLayout("payments-json"), fiona)):
        assert {verdict for verdict, _ in verdicts(brought(body, fiona)).values()} == {Verdict.HERE.value}
    with pytest.raises(IntegrityError), transaction.atomic():
        PastAdoption.objects.filter(system="beacon").update(system="")
    undone(second)
    assert set(PastAdoption.objects.filter(undone_at=None).values_list("system", flat=True)) == {"", "raisers edge"}


@pytest.mark.parametrize(("before", "now"), [("", "Beacon"), ("Beacon", "")])
def test_list_that_comes_again_with_and_without_the_name_of_its_system_is_known(
    fiona: User, before: str, now: str
) -> None:
    brought_in(as_csv(*(row | {"reference_system": before} for row in (adoption(1), payment(1, 2)))), fiona)
    more = (adoption(2), adoption(3, supporter_email="kit@example.org"))
    again = (adoption(1), payment(1, 2), *more)
    file = brought(as_csv(*(row | {"reference_system": now} for row in again)), fiona)
    whose = "of “beacon”" if before else "of a system that nobody named"
    words = f"It is in to the day and the penny, {whose}: this is that list again."
    new = (Verdict.NEW, "")
    assert verdicts(file) == {2: (Verdict.HERE, words), 3: (Verdict.HERE, words), 4: new, 5: new}
    bring_in(file, fiona)
    assert PastPayment.objects.filter(undone_at=None).count() == 4
    other = adoption(1, supporter_email="zoe@example.org", reference_system=now)
    assert verdicts(brought(as_csv(other), fiona)) == {2: new}


def test_adoptions_of_this_site_are_left_alone(fiona: User) -> None:
    ours = make_active_adoption()
    file = brought(as_csv(adoption(1, reference=ours.reference)), fiona)
    assert verdicts(file) == {2: (Verdict.HERE, "It is an adoption of this site.")}


BAD = {
    "paid_pounds": {
        "-5": "-5 is negative. What went back is taken off the payment that it belongs to.",
        "5.125": "“5.125” is no amount in pounds and pence, as 12.50.",
        "$5": "“$5” is no amount in pounds and pence, as 12.50.",
        "": "It does not say how much was paid.",
        "0.00": "Nothing was paid: an amount of 0 is no payment.",
        "5,00": "“5,00” is no amount in pounds and pence, as 12.50.",
    },
    "currency": {"EUR": "It was paid in EUR. These books are in pounds: the same number is other money."},
    "paid_at": {
        "2024-31-01": "“2024-31-01” is no day, as 2026-01-31 or 31/01/2026. Are day and month swapped?",
        "12/31/2024": "“12/31/2024” is no day, as 2026-01-31 or 31/01/2026. Are day and month swapped?",
        "2999-01-01": "It cannot have been paid in the future (2999-01-01).",
        "14/01/2024": "It was paid on 14/01/2024, before the adoption began on 15/01/2024. Are day and month swapped?",
    },
    "ended_at": {"2023-01-01": "It ended before it began: are day and month swapped?"},
    "frequency": {"weekly": "“weekly” is no rhythm: write once, monthly or yearly."},
    "amount_pounds": {"0.50": "An adoption is from £1 to £10,000 a payment."},
    "species": {"unicorn": "“unicorn” is no species of ours."},
    "plan": {"gold": "“gold” is no plan of ours."},
    "method": {"barter": "“barter” is no way to pay: card, debit, transfer, cheque, cash or other."},
    "payment_id": {"": "The payment has no number (payment_id): without one it might come in twice."},
    "reference": {"": "There is no reference: of which adoption is it?"},
    "supporter_email": {"sam": "Enter an email address in the form name@example.org."},
    "payments": {
        "3": "It says 3 payments; those in the list that can be brought in are 1, of £5 in all.",
    },
    "received_pounds": {
        "15.00": "It says some payments of £15 in all; those in the list that can be brought in are 1, of £5 in all.",
    },
}


def test_what_is_wrong_is_said_in_words_and_the_others_come_in(client: Client, fiona: User) -> None:
    cases = [(name, value, words) for name, values in BAD.items() for value, words in values.items()]
    rows = [adoption(n, **{name: value}) for n, (name, value, _) in enumerate(cases, start=10)]
    file = brought_in(as_csv(*rows, adoption(1)), fiona)
    assert [row.why for row in ImportedRow.objects.filter(file=file, verdict=Verdict.BAD).order_by("number")] == [
        words for _, _, words in cases
    ]
    assert list(PastAdoption.objects.values_list("reference", flat=True)) == ["A-1"]
    # Mended in the spreadsheet, the file of what was wrong comes in by itself.
    client.force_login(fiona)
    text = client.get(reverse("admin:adoptions_importedfile_rows", args=[file.pk])).content.decode("utf-8-sig")
    wrong = list(csv.DictReader(io.StringIO(text, newline="")))
    mended = [{**row, "received_pence": "", **adoption(n)} for n, row in enumerate(wrong, start=100)]
    brought_in(
        as_csv(
            *(
                {**row, **dict.fromkeys(("currency", "ended_at", "plan", "payments", "received_pounds"), "")}
                for row in mended
            )
        ),
        fiona,
    )
    assert PastAdoption.objects.count() == 1 + len(cases)


def test_what_only_the_whole_list_can_tell(fiona: User) -> None:
    unpaid = {**adoption(1), **dict.fromkeys(payment(1), ""), "reference": "A-1"}
    twice = adoption(2, frequency="once")
    rows = [unpaid, twice, payment(2, 2), adoption(3), payment(3, 1), payment(9), adoption(3, frequency="yearly")]
    file = brought(as_csv(*rows), fiona)
    assert verdicts(file) == {
        2: (Verdict.BAD, "No payment of it that can be brought in is in the list: nothing says that it ever began."),
        3: (Verdict.BAD, "It was given once, and the list has 2 payments of it."),
        4: (Verdict.BAD, "Its adoption cannot be brought in: see row 3."),
        5: (Verdict.NEW, ""),
        6: (Verdict.TWICE, "The same payment is in row 5."),
        7: (Verdict.BAD, "No row above that can be brought in says what the adoption “A-9” is."),
        8: (Verdict.BAD, "Its frequency is yearly, and in row 5 it is monthly."),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_letters_of_any_program_are_read(fiona: User, encoding: str) -> None:
    text = as_csv(adoption(1, supporter_name="Zoë Müller", ended_because="=1+1")).decode()
    brought_in(text.replace("pounds", "pounds").encode(encoding), fiona)
    past = PastAdoption.objects.get()
    assert (past.adoption.supporter.name, past.ended_because) == ("Zoë Müller", "=1+1")


def test_list_without_what_it_needs_is_refused(fiona: User) -> None:
    file = brought(as_csv({"email": "sam@example.org", "name": "Sam"}), fiona)
    assert (file.state, file.because[:38]) == (ImportState.REFUSED, "There is no heading “reference” in the")


def test_payments_of_salesforce_come_in(fiona: User) -> None:
    with a_site():
        once = make_active_adoption()
        monthly = make_active_adoption(
            frequency="monthly",
            amount_pence=500,
            stripe_subscription_id="sub_1",
            supporter=make_supporter("Kit Two", "kit@example.org"),
        )
        make_payment(monthly, stripe_id="", method=Method.CHEQUE)
        body = taken_out(ExportLayout.NPSP_DONATIONS, fiona)
        before = numbers(once, monthly)
    file = brought_in(body, fiona)
    assert [row.why for row in ImportedRow.objects.filter(file=file, verdict=Verdict.BAD)] == []
    assert numbers(*Adoption.objects.all()) == before


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def numbers(*adoptions: Adoption) -> list[tuple[str, str, int, int]]:
    return sorted(
        (
            getattr(each, "past", each).reference,
            each.frequency,
            each.amount_pence,
            each.payments.balance_pence(),
        )
        for each in adoptions
    )


# --- what must not see them -----------------------------------------------------------------------------------------


def test_past_is_in_what_they_gave_and_in_nothing_that_speaks_of_the_bank(client: Client, fiona: User) -> None:
    today = timezone.localdate()
    Campaign.objects.create(code="spring", name="Spring", species=make_species())
    lately = {"began_at": str(today - timedelta(days=1)), "paid_at": str(today)}
    known = make_supporter()
    gift_aid.declare(known, HOME, given=gift_aid.Given(days_ago(400), gift_aid.Scope.EARLIER_TOO))
    consent.grant(known, page="/")
    brought_in(
        as_csv(
            adoption(1, supporter_email=known.email, campaign_code="SPRING", **lately),
            adoption(2, supporter_email=known.email, campaign_code="theirs", **lately),
            adoption(3, frequency="once", supporter_email=known.email, **lately),
        ),
        fiona,
    )
    reports.gather()
    taken = {report.slug: report for report in reports.all_reports()}
    for slug in ("takings-by-day", "takings-by-month", "takings-by-way", "coming-and-going", "retention"):
        assert not any(any(row.cells) for row in taken[slug].rows), slug
    (figures,) = campaign_report.figures(Campaign.objects.all())
    assert (figures.adoptions, figures.income_pence) == (1, 500)
    assert dict(timeline.standing(known))["Received"] == "£15"
    money = [moment.words for moment in timeline.of(known, fiona) if moment.kind == "Money"]
    assert len(money) == 3
    assert "brought in: card, elsewhere, there known as P-1-1" in " ".join(money)
    assert all(gift_aid.covering(paid) is None for paid in Payment.objects.all())
    make_active_adoption(supporter=known)
    assert [gift_aid.covering(p) is not None for p in Payment.objects.through_us()] == [True]
    year = statements.Year(today.year + ((today.month, today.day) >= (4, 6)))
    assert [(each, getattr(each, "times", 0)) for each in statements.due(year)] == [(known, 1)]
    statements.send(known, year)
    assert Mail.objects.get(kind="annual_statement").text.count("Payment,") == 1


def test_no_mail_of_ours_follows_from_an_adoption_of_the_past(fiona: User) -> None:

    brought_in(as_csv(adoption(1, frequency="once", **WORDS, news="yes")), fiona)
    make_field_note(published_at=days_ago(1))
    late = timezone.now() + timedelta(days=200)
    assert not updates.due(late).exists()
    # The control: as an adoption of this site it would.
    Adoption.objects.update(source=Source.WEB, entered_by=None)
    assert updates.due(late).exists()


def test_receipts_refunds_and_the_bank_have_nothing_to_do_with_them(client: Client, fiona: User) -> None:
    brought_in(as_csv(adoption(1)), fiona)
    paid = Payment.objects.get()
    own = supporter_page.adoptions_of(paid.adoption.supporter)
    assert supporter_page.what_comes_next(own[0]) == "Paid elsewhere until 15 February 2024. Nothing is taken here."
    assert [line.has_receipt for line in supporter_page.lines_of(own[0])] == [False]
    finn = member("finn", "Finance")
    client.force_login(finn)
    assert client.get(reverse("admin:receipt_for_post", args=[paid.pk])).status_code == 404
    back = by_hand.Return(paid.adoption.attempt, Pence(100), Method.CASH, timezone.localdate(), Because.ASKED)
    with pytest.raises(by_hand.CannotTakeBack):
        by_hand.give_back(paid, back, by=finn)
    by_hand.take_back(paid, because=Because.MISTAKE, note="", request=paid.adoption.attempt, by=finn)
    assert Payment.objects.through_us().count() == 0
    assert Payment.objects.balance_pence() == 0
    page = client.get(reverse("admin:adoptions_handentry_changelist")).content.decode()
    assert "0 money by hand" in page
    listed = reverse("admin:adoptions_payment_changelist")
    assert paid.adoption.reference in client.get(listed).content.decode()
    assert paid.adoption.reference not in client.get(listed + "?is_brought_in__exact=0").content.decode()


def test_database_keeps_what_was_brought_in_apart() -> None:
    adopted = make_active_adoption()
    for values in (
        {"method": Method.CARD, "stripe_id": ""},
        {"is_brought_in": True},
        {"is_brought_in": True, "method": Method.CASH, "stripe_id": "", "kind": PaymentKind.REFUND_FAILED},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_payment(adopted, **values)
    past = make_payment(adopted, is_brought_in=True, method=Method.CASH, stripe_id="")
    void = {"kind": PaymentKind.VOID, "charge": past, "amount_pence": -3600, "method": Method.CASH, "stripe_id": ""}
    with pytest.raises(IntegrityError, match="counted where that is"), transaction.atomic():
        make_payment(adopted, **void)
    told = ledger.Brought(adopted.pk, Pence(500), Method.CARD, timezone.now(), "P-1")
    ledger.record_brought_in([told], list_number=1)
    with pytest.raises(IntegrityError, match="past_payment_of_system_once"):
        ledger.record_brought_in([told], list_number=2)


# --- undoing --------------------------------------------------------------------------------------------------------


def test_undoing_voids_the_money_ends_the_adoptions_and_lets_go_of_the_people(client: Client, fiona: User) -> None:
    amara = make_supporter()
    make_campaign("spring", species=make_species())
    body = as_csv(
        adoption(1, supporter_email=amara.email, campaign_code="SPRING"),
        payment(1, 2),
        adoption(2, frequency="once", recipient_name="Kit", **WORDS, news="yes"),
        adoption(3),
    )
    file = brought_in(body, fiona)
    touched = PastAdoption.objects.get(reference="A-3").adoption.supporter
    make_active_adoption(supporter=touched)
    reports.gather()
    undone(file, by=member("finn"))
    assert Payment.objects.filter(is_brought_in=True).balance_pence() == 0
    reports.gather()
    (figures,) = campaign_report.figures(Campaign.objects.all())
    assert (figures.income_pence, figures.returned_pence) == (0, 1000)
    assert Payment.objects.filter(kind=PaymentKind.VOID, is_brought_in=True).count() == 4
    assert set(HandEntry.objects.values_list("because", "entered_by__username")) == {("undone", "finn")}
    file.refresh_from_db()
    assert (file.confirmed_by, str(file.undone_by)) == (fiona, "finn")
    client.force_login(fiona)
    look = client.get(reverse("admin:adoptions_importedfile_look", args=[file.pk])).text
    assert "at the word of finn" in look
    ours = Adoption.objects.filter(source=Source.IMPORT)
    assert set(ours.values_list("state", flat=True)) == {AdoptionState.ENDED}
    assert not supporter_page.adoptions_of(amara).exists()
    assert Supporter.objects.filter(erased_at=None).count() == 2  # Amara, and who came back by themselves
    assert not ConsentEvent.objects.exists()
    why = dict(ImportedRow.objects.filter(file=file).exclude(why="").values_list("number", "why"))
    assert why[5] == "Since then: adoption."
    row = ImportedRow.objects.get(file=file, number=4)
    assert (row.email, row.cells.get("name"), row.cells["reference"]) == ("", None, "A-2")
    client.force_login(fiona)
    assert (
        "stay in the books" in client.get(reverse("admin:adoptions_importedfile_look", args=[file.pk])).content.decode()
    )
    # It may come again, and is then in once.
    again = brought_in(body, fiona)
    assert again.pk != file.pk
    assert Payment.objects.filter(is_brought_in=True).balance_pence() == 500 + 500 + 500 + 500
    assert PastAdoption.objects.filter(undone_at=None).count() == 3
    undone(again)
    assert Payment.objects.filter(is_brought_in=True).balance_pence() == 0


def test_who_rings_is_found_by_the_numbers_of_the_other_system(fiona: User) -> None:
    file = brought_in(as_csv(adoption(1), adoption(2)), fiona)
    for typed, because in (
        ("A-2", "reference elsewhere"),
        ("a-2", "reference elsewhere"),
        ("p-2-1", "payment elsewhere"),
    ):
        [found] = care.find(typed, fiona)
        assert (found.supporter.email, found.because) == ("sam2@example.org", [because])
    undone(file)
    assert care.find("A-2", fiona) == []


def test_what_staff_took_back_before_is_not_taken_back_twice(fiona: User) -> None:
    file = brought_in(as_csv(adoption(1), payment(1, 2)), fiona)
    paid = Payment.objects.order_by("pk")[0]
    by_hand.take_back(paid, because=Because.MISTAKE, note="", request=paid.adoption.attempt, by=fiona)
    undone(file)
    assert Payment.objects.balance_pence() == 0
    assert Payment.objects.filter(kind=PaymentKind.VOID).count() == 2


def test_worker_that_dies_in_the_middle_goes_on_where_it_was(fiona: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "TOGETHER", 2)
    rows = [row for n in range(4) for row in (adoption(n), payment(n, 2))]
    file = brought(as_csv(*rows), fiona)
    ImportedFile.objects.filter(pk=file.pk).begin(by=fiona, known="skip", alike="skip")
    dies_after(2, "adoptions.exchange.past_bringing.pay", pay, monkeypatch)
    assert (PastAdoption.objects.count(), PastPayment.objects.count()) == (4, 8)
    ImportedFile.objects.filter(pk=file.pk).begin_undoing(by=fiona)
    dies_after(2, "adoptions.exchange.past_undoing.undo_payments", undo_payments, monkeypatch)
    assert Payment.objects.balance_pence() == 0
    assert Payment.objects.filter(kind=PaymentKind.VOID).count() == 8


@pytest.mark.django_db(transaction=True)
def test_two_at_once_bring_it_in_once_and_undo_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    make_species()
    make_plan()
    fiona = member("fiona")
    file = brought(as_csv(*(row for n in range(12) for row in (adoption(n), payment(n, 2)))), fiona)
    monkeypatch.setattr(imports, "TOGETHER", 5)
    ImportedFile.objects.filter(pk=file.pk).begin(by=fiona, known="skip", alike="skip")
    at_once(lambda: work_imports.func(), 3)
    work_imports.func()
    assert (PastAdoption.objects.count(), PastPayment.objects.count(), Supporter.objects.count()) == (12, 24, 12)
    moved: list[int] = []
    at_once(lambda: moved.append(ImportedFile.objects.filter(pk=file.pk).begin_undoing(by=fiona)), 4)
    assert sorted(moved) == [0, 0, 0, 1]
    at_once(lambda: work_imports.func(), 3)
    work_imports.func()
    assert Payment.objects.filter(kind=PaymentKind.VOID).count() == 24
    assert Payment.objects.balance_pence() == 0

    # The control: without the lock on the list, two workers write the same payments, and only the constraint stops it.
    work_imports.func()
    again = brought(as_csv(*(adoption(n) for n in range(12))), fiona)
    ImportedFile.objects.filter(pk=again.pk).begin(by=fiona, known="skip", alike="skip")
    monkeypatch.setattr(imports, "locked", lambda pk, state: ImportedFile.objects.filter(pk=pk, state=state).first())
    stumbled: list[int] = []
    monkeypatch.setattr(imports.logger, "exception", lambda *args: stumbled.append(1))
    together = threading.Barrier(2)
    real = ledger.record_brought_in

    def meeting(told: Any, *, list_number: int) -> None:
        if not stumbled and together.n_waiting < 2:
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(1)
        real(told, list_number=list_number)

    monkeypatch.setattr(ledger, "record_brought_in", meeting)
    at_once(lambda: work_imports.func(), 2)
    work_imports.func()
    assert stumbled
    assert PastPayment.objects.filter(undone_at=None).count() == 12


def at_once(act: Any, times: int) -> None:
    together = threading.Barrier(times)

    def run() -> None:
        together.wait(10)
        act()
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- there and back -------------------------------------------------------------------------------------------------

PAID = st.lists(st.integers(1, 100_000), min_size=1, max_size=4)
ADOPTED_THEN = st.tuples(st.sampled_from(Frequency.values), st.integers(100, 1_000_000), PAID, st.booleans())
TRAVEL = (
    "reference",
    "reference_system",
    "supporter_name",
    "supporter_email",
    "species",
    "plan",
    "frequency",
    "is_gift",
    "payment_id",
)


@hypothesis_settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    adopted=st.lists(ADOPTED_THEN, min_size=1, max_size=3), layout=st.sampled_from(["payments-csv", "payments-json"])
)
def test_what_is_taken_out_comes_in_again_the_same(adopted: list[Any], layout: str) -> None:
    fiona = User.objects.filter(username="fiona").first() or member("fiona")
    make_plan()
    make_species()
    with a_site():
        for number, one in enumerate(adopted):
            make_past(number, *one)
        body = taken_out(ExportLayout(layout), fiona)
    with a_site():
        brought_in(body, fiona)
        after = rows_of(taken_out(ExportLayout(layout), fiona))
    assert [travels(row) for row in after] == [travels(row) for row in rows_of(body)]


def make_past(number: int, frequency: str, pence: int, paid: list[int], has_ended: bool) -> None:
    began, is_single = days_ago(300), frequency == Frequency.ONCE
    adopted = make_adoption(
        supporter=make_supporter(f"Sam {number % 2}", f"sam{number % 2}@example.org"),
        frequency=frequency,
        amount_pence=pence,
        state=AdoptionState.ENDED if has_ended else AdoptionState.ACTIVE,
        activated_at=began,
        ended_at=timezone.now() if has_ended else None,
        stripe_subscription_id=None if is_single else f"sub_{number}",
    )
    for which, amount in enumerate(paid[:1] if is_single else paid):
        make_payment(adopted, amount_pence=amount, occurred_at=began + timedelta(days=30 * which))


def travels(row: dict[str, Any]) -> dict[str, Any]:
    """What still runs comes in as ended: nobody takes the next payment there."""
    money = ("amount_pounds", "paid_pounds", "amount_pence", "paid_pence", "began_at", "paid_at")
    return {name: row[name] for name in (*TRAVEL, *money) if name in row}


def taken_out(layout: ExportLayout, by: User) -> bytes:
    file = exports.ask(layout, Choice(), by=by)
    while exports.write_some():
        pass
    return b"".join(exports.body(ExportedFile.objects.get(pk=file.pk)))


def rows_of(body: bytes) -> list[dict[str, Any]]:
    text = body.decode("utf-8-sig")
    if text.startswith("{"):
        found = [json.loads(line) for line in text.split("\n") if line]
    else:
        found = list(csv.DictReader(io.StringIO(text, newline="")))
    return sorted(found, key=lambda row: row["payment_id"])


@contextlib.contextmanager
def a_site() -> Iterator[None]:
    """One that is empty again afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# --- the pages ------------------------------------------------------------------------------------------------------


def test_list_is_brought_at_the_desk_and_somebody_is_asked_to_go_on(client: Client, fiona: User) -> None:
    client.force_login(fiona)
    upload = SimpleUploadedFile("old.csv", as_csv(adoption(1), payment(1, 2), payment(9)))
    new = reverse("admin:adoptions_importedfile_new")
    assert "payment_id" in client.get(new).content.decode()
    look = client.post(new, {"file": upload, "what": "past"}).headers["Location"]
    work_imports.func()
    page = client.get(look).content.decode()
    for words in ("New: 2 rows", "Cannot be brought in: 1 row", "£5, 15/02/2024", "A-1", "Nothing is brought in yet"):
        assert words in page
    client.post(look, {"step": "begin", "known": "skip", "alike": "skip"})
    work_imports.func()
    assert "takes it back" in client.get(look).content.decode()
    adopted = Adoption.objects.get()
    page = client.get(reverse("admin:adoptions_adoption_change", args=[adopted.pk])).content.decode()
    assert "where it is A-1. Paid elsewhere until 15/03/2024." in page
    ask = page.split("Ask them to go on here")[0].split('<a href="')[-1].split('"')[0].replace("&amp;", "&")
    form = client.get(ask).content.decode()
    assert 'value="5.00"' in form
    assert 'value="link" required id="id_method_3" checked' in form or 'value="link"' in form
    assert not Mail.objects.filter(to="sam1@example.org").exists()


def test_who_is_erased_leaves_no_word_of_why_it_ended(fiona: User) -> None:
    brought_in(as_csv(adoption(1, ended_at="2024-06-01", ended_because="She died")), fiona)
    assert personal_data.erase(Supporter.objects.get())
    assert PastAdoption.objects.get().ended_because == ""
    refused = brought(as_csv(adoption(1, reference="A-2")), fiona)
    assert verdicts(refused)[2] == (Verdict.BAD, "They asked us to erase them. Nothing of theirs comes in again.")


def test_any_words_in_any_cell_are_kept_as_words_or_refused(client: Client, fiona: User) -> None:
    names = list(adoption(1))
    rows = [adoption(n * 20 + i, **{name: value}) for n, value in enumerate(HOSTILE) for i, name in enumerate(names)]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode("utf-8", "surrogatepass")
    file = brought(lines, fiona)
    assert file.state == ImportState.CHECKED
    client.force_login(fiona)
    page = client.get(reverse("admin:adoptions_importedfile_look", args=[file.pk])).content.decode()
    assert "<script>alert" not in page
    assert ImportedFile.objects.filter(pk=file.pk).begin(by=fiona, known="fill", alike="new")
    work_imports.func()
    assert ImportedFile.objects.get(pk=file.pk).state == ImportState.DONE
    assert Payment.objects.count() == PastPayment.objects.count()


@given(st.dictionaries(st.sampled_from(sorted(adoption(1))), st.text(max_size=30)))
@hypothesis_settings(max_examples=60, deadline=None)
def test_a_row_never_stops_the_reading(cells: dict[str, str]) -> None:
    found = past_row({**adoption(1), **cells})
    assert found.faults or found.values["paid_pence"].isdigit()


def test_history_is_kept_as_accounts_are(fiona: User) -> None:
    brought_in(as_csv(adoption(1), adoption(2, began_at="2010-01-01", paid_at="2010-01-01")), fiona)
    retention.purge(now=timezone.now())
    assert [each.name for each in Supporter.objects.order_by("pk")] == ["Sam 1", ""]
    assert Payment.objects.count() == 2
