"""A declaration is kept as it was given, covers what it says, and is asked of nobody who did not say yes."""

import uuid
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from adoptions import benefits, declaring, fulfilment, gift_aid, personal_data
from adoptions.forms import AdoptForm
from adoptions.gift_aid import Channel, Given, Scope, Taxpayer
from adoptions.models import Frequency, GiftAidDeclaration, Payment, Plan
from config.models import Mail
from tests.adoptions.conftest import Amara, Stripe
from tests.adoptions.test_adopt_form import answers
from tests.adoptions.visitors import signed_in
from tests.asked_first import press_twice
from tests.makers import (
    make_active_adoption,
    make_adoption,
    make_payment,
    make_plan,
    make_species,
    make_supporter,
)

pytestmark = pytest.mark.django_db

AMARA = Taxpayer("Amara", "Supporter", "7 Forest Lane, Exampleton", "EX1 1EX")
YES = {
    "gift_aid": "yes",
    "first_name": "Amara",
    "last_name": "Supporter",
    "home_address": "7 Forest Lane, Exampleton",
    "postcode": "ex11ex",
}


def form_of(**changes: str) -> AdoptForm:
    return AdoptForm(answers(**{**YES, **changes}), plan=make_plan())


def test_yes_keeps_the_person_the_home_and_the_words(client: Client, stripe: Stripe) -> None:
    adoption = Amara(client, stripe).reach_stripe(**YES)
    declared = GiftAidDeclaration.objects.get()
    assert (declared.supporter, declared.adoption, declared.postcode) == (adoption.supporter, adoption, "EX1 1EX")
    assert declared.wording == gift_aid.wording()
    assert settings.CHARITY["name"] in declared.wording
    for duty in ("from today on", "UK Income Tax or Capital Gains Tax", "all charities", "pay the difference"):
        assert duty in declared.wording
    assert (declared.channel, declared.cancelled_on) == ("web", None)


def test_nothing_is_ticked_for_anybody_and_no_address_is_needed(client: Client, stripe: Stripe) -> None:
    page = client.get("/adopt/amur-leopard/").content.decode()
    for part in page.split('name="gift_aid"')[1:]:
        assert "checked" not in part.split(">")[0]
    Amara(client, stripe).reach_stripe()
    assert GiftAidDeclaration.objects.count() == 0


def test_no_leaves_out_what_was_typed_before(client: Client, stripe: Stripe) -> None:
    Amara(client, stripe).reach_stripe(**{**YES, "gift_aid": "no", "postcode": "junk"})
    assert GiftAidDeclaration.objects.count() == 0


@pytest.mark.parametrize("field", ["first_name", "last_name", "home_address", "postcode"])
def test_yes_needs_all_four(field: str) -> None:
    assert list(form_of(**{field: ""}).errors) == [field]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("sw1a1aa", "SW1A 1AA"),
        (" SW1A-1AA ", "SW1A 1AA"),
        ("(m1) 1ae.", "M1 1AE"),
        ("b33 8th", "B33 8TH"),
        ("DN55 1PT", "DN55 1PT"),
        ("gir 0aa", None),
        ("12345", None),
        ("SW1A 1A", None),
        ("ЅW1A 1AA", None),
        ("SW1A 1AA SW1A 1AA", None),
    ],
)
def test_postcode_is_taken_however_it_is_typed(typed: str, kept: str | None) -> None:
    form = form_of(postcode=typed)
    assert form.is_valid() is (kept is not None)
    assert form.cleaned_data.get("postcode") == kept


def test_answering_differently_before_paying_makes_a_new_declaration(client: Client, stripe: Stripe) -> None:
    amara = Amara(client, stripe)
    amara.reach_stripe(**YES)
    amara.press_pay(**YES)
    assert GiftAidDeclaration.objects.count() == 1
    amara.press_pay(**{**YES, "home_address": "8 Forest Lane"})
    assert list(GiftAidDeclaration.objects.standing().values_list("address", flat=True)) == ["8 Forest Lane"]
    amara.press_pay(**{**YES, "gift_aid": "no"})
    assert (GiftAidDeclaration.objects.count(), GiftAidDeclaration.objects.standing().count()) == (2, 0)


# --- what comes with it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "frequency", "limit"),
    [
        (300, "monthly", 900),
        (500, "monthly", 1500),
        (2400, "once", 600),
        (3600, "once", 900),
        (6000, "yearly", 1500),
        (10_000, "once", 2500),
        (20_000, "once", 3000),
        (10_000_00, "monthly", 250_000),
    ],
)
def test_limit_of_what_may_come_with_a_gift(amount: int, frequency: str, limit: int) -> None:
    assert benefits.limit_pence(amount, frequency) == limit
    assert benefits.is_within(limit, amount, frequency)
    assert not benefits.is_within(limit + 1, amount, frequency)


@pytest.mark.parametrize("frequency", ["once", "monthly", "yearly"])
def test_smallest_gift_is_the_smallest(frequency: str) -> None:
    for benefit in (1, 699, 700, 1200, 2499, 2500, 2501, 3000, 249_999):
        least = benefits.needed_pence(benefit, frequency)
        assert benefits.is_within(benefit, least, frequency)
        assert not benefits.is_within(benefit, least - 1, frequency)
    assert benefits.needed_pence(0, frequency) == 0


def test_yes_is_refused_where_a_toy_makes_it_a_purchase() -> None:
    plan = make_plan()
    plan.benefit_pence = 700
    form = AdoptForm(answers(**{**YES, "amount_once": "2400"}), plan=plan)
    assert list(form.errors) == ["gift_aid"]
    assert "needs a gift of £28 or more" in str(form.errors["gift_aid"])
    assert AdoptForm(answers(**{**YES, "gift_aid": "no", "amount_once": "2400"}), plan=plan).is_valid()
    assert AdoptForm(answers(**{**YES, "amount_once": "3600"}), plan=plan).is_valid()


def test_worth_is_kept_as_it_was_and_the_receipt_says_what_it_means(client: Client, stripe: Stripe) -> None:
    Plan.objects.update(benefit_pence=700)
    adoption = Amara(client, stripe).reach_stripe(**YES)
    Plan.objects.update(benefit_pence=0)
    assert adoption.benefit_pence == 700
    payment = make_payment(adoption)
    assert gift_aid.sentence_about(payment).startswith("Declared by")
    adoption.benefit_pence = 901
    assert gift_aid.sentence_about(payment).startswith("Not possible for this gift")


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({}, "Gift Aid adds £9 to a gift of £36."),
        ({"frequency": "monthly", "amount_monthly": "500"}, "Gift Aid adds £1.25 to a gift of £5."),
        ({"amount_once": "other", "other_amount": "£1,234.50"}, "Gift Aid adds £308.62 to a gift of £1,234.50."),
        ({"amount_once": "other", "other_amount": "junk"}, "Gift Aid adds £9 to a gift of £36."),
        ({"frequency": "weekly"}, "Gift Aid adds £1.25 to a gift of £5."),
    ],
)
def test_form_says_what_gift_aid_adds(chosen: dict[str, str], sentence: str) -> None:
    assert AdoptForm(answers(**chosen), plan=make_plan()).gift_aid_line()["sentence"] == sentence


def test_what_is_expected_of_many_payments_is_what_is_said_of_each() -> None:
    """Of all rhythms, with what comes along, whole or given back in part; declared, taken back, told, or not."""
    given = Given(timezone.now() - timedelta(days=20), Scope.WITH_A_GIFT)
    spoken = Given(given.at, Scope.WITH_A_GIFT, channel=Channel.ORAL, by=User.objects.create_user("fiona"))
    people = [make_supporter(f"Zoe {number}", f"zoe{number}@example.org") for number in range(5)]
    for person, how in zip(people, (given, given, given, spoken), strict=False):
        gift_aid.declare(person, AMARA, given=how)
    with time_machine.travel(given.at + timedelta(days=10)):
        gift_aid.take_back(people[1])
    ways = [*product(Frequency, (0, 700, 2600), people[:1]), *product([Frequency.ONCE], [0], people[1:])]
    for number, (frequency, worth, person) in enumerate(ways):
        subscription = None if frequency == Frequency.ONCE else f"sub_{number}"
        terms = {"frequency": frequency, "benefit_pence": worth, "stripe_subscription_id": subscription}
        adoption = make_adoption(supporter=person, stripe_session_id=f"cs_{number}", **terms)
        for pence, back, days in product((300, 2800, 300_000), (0, 1, None), (0, 15, 25)):
            at = timezone.now() - timedelta(days=days)
            is_past = number == 1 and pence == 300
            past = {"is_brought_in": True, "method": "card", "stripe_id": ""} if is_past else {}
            charge = make_payment(adoption, amount_pence=pence, occurred_at=at, **past)
            if back != 0 and not is_past:
                make_payment(adoption, kind="refund", amount_pence=-(back or pence), charge=charge)
    added = {}
    for charge in Payment.objects.filter(kind="charge").select_related("adoption"):
        left = charge.amount_pence + sum(each.amount_pence for each in charge.reversals.all())
        is_within = benefits.is_within(charge.adoption.benefit_pence, left, charge.adoption.frequency)
        if left and is_within and gift_aid.covering(charge):
            added[charge.pk] = benefits.added_pence(left)
    expected = gift_aid.expected(Payment.objects.all())
    assert {each.pk: each.tax_pence for each in expected} == added  # type: ignore[attr-defined]  # annotated
    assert len(added) > 60
    assert {each.adoption.supporter for each in expected} == set(people[:3])


def test_staff_see_beside_each_amount_what_a_toy_does_to_it(client: Client) -> None:
    plan = make_plan()
    Plan.objects.filter(pk=plan.pk).update(benefit_pence=1200)
    client.force_login(User.objects.create_superuser("marek", "marek@example.org", uuid.uuid4().hex))
    page = client.get(reverse("admin:adoptions_plan_change", args=[plan.pk])).content.decode()
    assert "From £48 on. Lost on £24, £36." in page
    assert "From £4 on. Lost on £3." in page


# --- what follows --------------------------------------------------------------------------------------------------


def test_declaration_is_confirmed_once_the_money_is_there(client: Client, stripe: Stripe) -> None:
    adoption = Amara(client, stripe).adopt(**YES)
    assert not Mail.objects.filter(kind="gift_aid_confirmed").exists()
    for _ in range(2):
        fulfilment.sync_session(str(adoption.stripe_session_id))
    mail = Mail.objects.get(kind="gift_aid_confirmed")
    for words in (
        "7 Forest Lane, Exampleton, EX1 1EX",
        gift_aid.wording(),
        "/my-adoption/",
        "take the declaration back",
    ):
        assert words in " ".join(mail.text.split())
    assert "Declared by Amara Supporter" in Mail.objects.get(kind="receipt").text


def test_staff_take_it_back_for_somebody_who_rings(client: Client) -> None:
    declaration = declare()
    marek = User.objects.create_superuser("marek", "marek@example.org", uuid.uuid4().hex)
    client.force_login(marek)
    rows = reverse("admin:adoptions_giftaiddeclaration_changelist")
    assert "Supporter" in client.get(rows, {"q": "ex1"}).content.decode()
    press_twice(client, rows, {"action": "take_back_in_writing", "_selected_action": [declaration.pk]})
    declaration.refresh_from_db()
    assert (declaration.cancelled_by, declaration.cancelled_on) == (marek, timezone.localdate())


def declare(**values: Any) -> GiftAidDeclaration:
    adoption = make_active_adoption()
    return gift_aid.declare(adoption.supporter, AMARA, adoption=adoption)


def test_supporter_reads_it_and_takes_it_back() -> None:
    declaration = declare()
    client = signed_in(declaration.supporter)
    assert "7 Forest Lane" in client.get("/my-adoption/details/").content.decode()
    assert client.post("/my-adoption/gift-aid/").status_code == 303
    declaration.refresh_from_db()
    assert declaration.cancelled_on is not None
    assert "7 Forest Lane" not in client.get("/my-adoption/details/").content.decode()
    [held] = personal_data.export(declaration.supporter)["gift_aid_declarations"]
    assert (held["postcode"], held["channel"], held["wording"]) == ("EX1 1EX", "web", declaration.wording)
    assert held["cancelled_because"] == "The supporter took it back."


def test_erasure_ends_it_and_keeps_it_for_the_tax_office() -> None:
    declaration = declare()
    assert personal_data.erase(declaration.supporter)
    declaration.refresh_from_db()
    assert (declaration.last_name, declaration.cancelled_on is None) == ("Supporter", False)


@pytest.mark.parametrize("values", [{"address": "elsewhere"}, {"wording": "x"}, {"covers_from": date(2020, 1, 1)}])
def test_declaration_is_never_edited(values: dict[str, Any]) -> None:
    declaration = declare()
    with pytest.raises(DatabaseError), transaction.atomic():
        GiftAidDeclaration.objects.filter(pk=declaration.pk).update(**values)


def test_day_of_taking_back_is_never_moved_and_no_row_deleted() -> None:
    declaration = declare()
    this = GiftAidDeclaration.objects.filter(pk=declaration.pk)
    assert (this.cancel(because="Asked."), this.cancel(because="Asked again.")) == (1, 0)
    for act in (lambda: this.update(cancelled_on=None, cancelled_because=""), lambda: this.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_it_cannot_end_before_it_begins() -> None:
    declaration = declare()
    with pytest.raises(IntegrityError), transaction.atomic():
        GiftAidDeclaration.objects.filter(pk=declaration.pk).update(
            cancelled_on=declaration.covers_from - timedelta(days=1), cancelled_because="x"
        )


def test_answers_carry_no_taxpayer_without_a_yes() -> None:
    form = AdoptForm(answers(attempt=str(uuid.uuid4())), plan=make_plan())
    assert form.is_valid()
    assert form.answers(make_species()).taxpayer is None


# --- declared later, on paper, or by word of mouth -----------------------------------------------------------------

HOME = {key: YES[key] for key in ("first_name", "last_name", "home_address", "postcode")}
LATER = {**HOME, "scope": "2026-11-past", "is_taxpayer": "on"}
DECLARE = "/my-adoption/gift-aid/declare/"


def old_payment(adoption: Any, days: int) -> Any:
    return make_payment(adoption, occurred_at=timezone.now() - timedelta(days=days))


def test_supporter_declares_later_for_what_they_gave_in_four_years() -> None:
    adoption = make_active_adoption()
    payments = [old_payment(adoption, days) for days in (5 * 365, 3 * 365, 0)]
    client = signed_in(adoption.supporter)
    page = client.get(DECLARE).content.decode()
    assert "checked" not in page
    for _ in range(2):
        assert client.post(DECLARE, LATER).status_code == 303
    declared = GiftAidDeclaration.objects.get()
    assert (declared.channel, declared.entered_by, declared.wording_version) == ("web", None, "2026-11-past")
    assert declared.covers_from == gift_aid.covered_from(Scope.EARLIER_TOO, timezone.localdate())
    for words in (settings.CHARITY["name"], "my own money", "I have made to it since", "all charities claim"):
        assert words in declared.wording
    assert declared.wording.startswith(gift_aid.wants(Scope.EARLIER_TOO, timezone.localdate()))
    assert [gift_aid.covering(payment) for payment in payments] == [None, declared, declared]
    assert "7 Forest Lane" in Mail.objects.get(kind="gift_aid_confirmed").text
    assert client.post(DECLARE, {**LATER, "scope": "2026-11-later", "home_address": "8 Hill"}).status_code == 303
    assert [found.address if (found := gift_aid.covering(payment)) else "" for payment in payments] == [
        "",
        "7 Forest Lane, Exampleton",
        "8 Hill",
    ]


@pytest.mark.parametrize("left_out", [*HOME, "scope", "is_taxpayer"])
def test_nothing_is_declared_where_something_is_not_said(left_out: str) -> None:
    client = signed_in(make_active_adoption().supporter)
    response = client.post(DECLARE, {**LATER, left_out: ""})
    assert (response.status_code, GiftAidDeclaration.objects.count()) == (422, 0)
    assert list(response.context["form"].errors) == [left_out]


def test_who_has_given_nothing_has_nothing_to_declare() -> None:
    client = signed_in(make_adoption().supporter)
    assert client.get(DECLARE).status_code == 404
    assert client.post(DECLARE, LATER).status_code == 404


@pytest.mark.parametrize(
    ("day", "since"), [(date(2028, 2, 29), date(2024, 2, 28)), (date(2026, 11, 28), date(2022, 11, 28))]
)
def test_four_years_back_is_a_day(day: date, since: date) -> None:
    assert gift_aid.covered_from(Scope.EARLIER_TOO, day) == since
    assert gift_aid.covered_from(Scope.FROM_NOW_ON, day) == day


def by_staff(client: Client, **changes: str) -> Any:
    """A declaration of Amara's, written down in the admin."""
    supporter = make_active_adoption().supporter
    marek = User.objects.create_superuser("marek", "marek@example.org", uuid.uuid4().hex)
    client.force_login(marek)
    today = timezone.localdate().isoformat()
    answers = {**HOME, "channel": "oral", "given_on": today, "scope": "2026-11-later", **changes}
    return client.post(reverse("admin:declare_gift_aid", args=[supporter.pk]), answers)


def test_declaration_by_phone_counts_once_its_written_record_has_gone_out(client: Client) -> None:
    assert by_staff(client).status_code == 303
    declared = GiftAidDeclaration.objects.get()
    assert (declared.channel, declared.entered_by, declared.wording_version) == (
        "oral",
        User.objects.get(),
        "2026-11-later",
    )
    payment = old_payment(declared.supporter.adoptions.get(), 0)
    mail = Mail.objects.get(kind="gift_aid_confirmed")
    text = " ".join(mail.text.split())
    today = gift_aid.day_of(timezone.now())
    for words in (
        declared.wording,
        f"sent to you on: {today}",
        f"Given on: {today}",
        "Within 30 days",
        "7 Forest Lane",
    ):
        assert words in text
    assert (declaring.note_records_sent(), gift_aid.covering(payment)) == (0, None)
    Mail.objects.all().claim(for_time=timedelta(minutes=1))
    Mail.objects.all().mark_sent()
    assert (declaring.note_records_sent(), declaring.note_records_sent()) == (1, 0)
    assert gift_aid.covering(payment) == declared
    with pytest.raises(DatabaseError), transaction.atomic():
        GiftAidDeclaration.objects.update(record_sent_at=None)


@pytest.mark.parametrize(("days", "is_undone"), [(29, True), (31, False)])
def test_declaration_by_phone_is_undone_within_thirty_days(client: Client, days: int, is_undone: bool) -> None:
    by_staff(client)
    declared = GiftAidDeclaration.objects.get()
    payment = old_payment(declared.supporter.adoptions.get(), 0)
    GiftAidDeclaration.objects.all().record_sent()
    with time_machine.travel(timezone.now() + timedelta(days=days), tick=False):
        rows = reverse("admin:adoptions_giftaiddeclaration_changelist")
        client.force_login(User.objects.get())
        press_twice(client, rows, {"action": "take_back_by_word", "_selected_action": [declared.pk]})
        assert (gift_aid.covering(payment) is None) is is_undone


def test_paper_keeps_its_own_words_and_day(client: Client) -> None:
    words = f"Gift Aid it! I pay tax. {settings.CHARITY['name']} may claim on my gifts."
    day = timezone.localdate() - timedelta(days=100)
    assert by_staff(client, channel="paper", words=words, given_on=day.isoformat()).status_code == 303
    declared = GiftAidDeclaration.objects.get()
    assert (declared.wording, declared.wording_version, declared.covers_from) == (words, "their own", day)
    assert timezone.localdate(declared.given_at) == day
    assert gift_aid.covering(old_payment(declared.supporter.adoptions.get(), 99)) == declared


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"given_on": "2999-01-01"}, "given_on"),
        ({"given_on": "2001-01-01"}, "given_on"),
        ({"channel": "web"}, "channel"),
        ({"channel": "paper", "words": "I pay tax."}, "words"),
        ({"words": "Said to " + settings.CHARITY["name"]}, "words"),
        ({"postcode": "12345"}, "postcode"),
    ],
)
def test_what_staff_cannot_have_been_told_is_refused(client: Client, changes: dict[str, str], wrong: str) -> None:
    response = by_staff(client, **changes)
    assert (response.status_code, list(response.context["form"].errors)) == (422, [wrong])
    assert GiftAidDeclaration.objects.count() == 0


@pytest.mark.parametrize("values", [{"channel": "oral"}, {"record_sent_at": timezone.now()}])
def test_declaration_that_nobody_wrote_down_cannot_be_kept(values: dict[str, Any]) -> None:
    kept = {**declare().__dict__, "id": None, **values}
    kept.pop("_state")
    with pytest.raises(IntegrityError), transaction.atomic():
        GiftAidDeclaration.objects.create(**kept)
