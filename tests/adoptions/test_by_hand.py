"""Adoptions that staff type in, and money that Stripe knows nothing of."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from adoptions import (
    by_hand,
    campaign_field,
    campaign_report,
    care,
    checkout,
    consent,
    gift_aid,
    personal_data,
    reconcile,
    refunds,
    reports,
    takings,
    timeline,
)
from adoptions.by_hand import CannotTakeBack
from adoptions.models import (
    Adoption,
    Attention,
    Because,
    ConsentEvent,
    GiftAidDeclaration,
    HandEntry,
    Payment,
    PaymentKind,
    Plan,
    RefundReason,
    Supporter,
)
from adoptions.report_periods import of_late
from adoptions.today import matters
from config import mail
from config.models import AuditEntry, Mail
from config.retention import purge
from tests.adoptions.test_races import at_once
from tests.adoptions.world import World, shown
from tests.makers import make_active_adoption, make_campaign, make_plan, make_species, put_roles

pytestmark = pytest.mark.django_db

ENTER = "/admin/adoptions/adoption/enter/"


def staff_of(role: str) -> Client:
    put_roles()
    user, _ = User.objects.get_or_create(username=role.lower(), defaults={"is_staff": True})
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def fiona(db: None) -> Client:
    """A fundraiser, with something on offer."""
    make_species(common_name="Amur leopard")
    make_plan()
    return staff_of("Fundraiser")


@pytest.fixture
def finn(fiona: Client) -> Client:
    return staff_of("Finance")


def cheque(**changes: Any) -> dict[str, Any]:
    """What is typed in for a cheque of £36 that came with a letter."""
    typed = {
        "source": "paper",
        "method": "cheque",
        "received_on": str(timezone.localdate()),
        "reference": "001234",
        "frequency": "once",
        "other_amount": "36",
        "name": "Amara Supporter",
        "email": "amara@example.org",
        "is_gift": "me",
        "attempt": str(uuid.uuid4()),
    }
    return {**typed, **changes}


def entered(client: Client, **changes: Any) -> Adoption:
    response = client.post(ENTER, cheque(**changes))
    assert response.status_code == 303, response.text[response.text.find("errorlist") :][:500]
    return Adoption.objects.latest("pk")


def test_cheque_begins_an_adoption_with_its_money_receipt_and_trace(fiona: Client) -> None:
    adoption = entered(fiona, note="With a kind letter.")
    assert shown(adoption) == ("active", (("charge", 3600),))
    payment = adoption.payments.get()
    assert (payment.method, payment.stripe_id, payment.is_by_hand) == ("cheque", "", True)
    entry = payment.hand_entry
    assert (entry.reference, entry.note, entry.entered_by.get_username()) == (
        *("001234", "With a kind letter."),
        "fundraiser",
    )
    assert (adoption.source, adoption.supporter.email) == ("paper", "amara@example.org")
    receipt = Mail.objects.get(kind="receipt")
    assert receipt.to == "amara@example.org"
    assert "by cheque" in receipt.text
    assert "by cheque" in receipt.html
    acts = AuditEntry.objects.get(act="changed")
    assert (acts.what, acts.path) == ("adoptions.adoption", ENTER)
    money = next(one for one in timeline.money(adoption.supporter))
    assert (money.words, money.by) == (
        f"Payment £36, cheque 001234, {adoption.reference}. With a kind letter.",
        "fundraiser",
    )
    assert personal_data.export(adoption.supporter)["adoptions"][0]["payments"][0]["cheque_or_slip"] == "001234"


def test_day_received_is_the_day_it_began_and_gift_aid_covers_it(fiona: Client) -> None:
    day = timezone.localdate() - timedelta(days=9)
    taxpayer = {"first_name": "Amara", "last_name": "Obi", "home_address": "7 Forest Lane", "postcode": "EX1 1EX"}
    adoption = entered(fiona, received_on=str(day), gift_aid="yes", **taxpayer)
    assert adoption.activated_at
    assert timezone.localdate(adoption.activated_at) == day
    declaration = GiftAidDeclaration.objects.get()
    assert (declaration.channel, declaration.covers_from, declaration.entered_by_id is None) == ("paper", day, False)
    assert gift_aid.covering(adoption.payments.get()) == declaration
    assert Mail.objects.filter(kind="gift_aid_confirmed").count() == 1


def test_declaration_by_phone_counts_only_once_its_record_went_out(fiona: Client) -> None:
    taxpayer = {"first_name": "Amara", "last_name": "Obi", "home_address": "7 Forest Lane", "postcode": "EX1 1EX"}
    adoption = entered(fiona, source="phone", method="transfer", gift_aid="yes", **taxpayer)
    assert GiftAidDeclaration.objects.get().channel == "oral"
    assert gift_aid.covering(adoption.payments.get()) is None


def test_wish_about_news_says_how_it_was_given_and_who_wrote_it_down(fiona: Client) -> None:
    adoption = entered(fiona, source="phone", news="yes")
    event = ConsentEvent.objects.get()
    assert (event.given_by, event.page, event.wording == consent.wording()) == ("oral", "by phone", True)
    assert event.by
    assert consent.may_send_news(adoption.supporter)
    entered(fiona, email="sam@example.org", source="paper", news="no")
    assert (ConsentEvent.objects.first().state, ConsentEvent.objects.first().given_by) == ("withdrawn", "paper")  # type: ignore[union-attr]
    entered(fiona, email="zoe@example.org")
    assert ConsentEvent.objects.count() == 2


def test_yes_that_staff_gave_themselves_is_still_refused(fiona: Client) -> None:
    supporter = entered(fiona).supporter
    values = {"supporter": supporter, "address_hash": "x", "state": "granted", "basis": "consent", "wording": "Words."}
    with pytest.raises(IntegrityError, match="consent_yes_is_a_supporters_own"), transaction.atomic():
        ConsentEvent.objects.create(**values, given_by="staff", by=User.objects.get(), at=timezone.now())


def test_present_goes_out_as_any_other(fiona: Client) -> None:
    adoption = entered(fiona, is_gift="gift", recipient_name="Ellie", delivery="self", message="Love")
    assert (adoption.gift.recipient_name, adoption.certificate_name) == ("Ellie", "Ellie")


# --- somebody without email -------------------------------------------------------------------------------------------


def test_somebody_without_email_is_kept_and_never_mailed(fiona: Client) -> None:
    adoption = entered(fiona, email="", no_email="on")
    supporter = adoption.supporter
    assert (supporter.has_email, str(supporter)) == (False, "Amara Supporter, no email")
    assert Mail.objects.count() == 0
    page = fiona.get(f"/admin/adoptions/supporter/{supporter.pk}/timeline/").text
    assert "Receipt to print" in page
    receipt = fiona.get(f"/admin/adoptions/adoption/payments/{adoption.payments.get().pk}/receipt.pdf")
    assert (receipt.status_code, receipt.content[:5]) == (200, b"%PDF-")
    other = entered(fiona, email="", no_email="on", name="Sam Stranger").supporter
    assert Supporter.objects.with_address("").count() == 0
    assert personal_data.export(supporter)["emails_we_sent"] == []
    assert other != supporter
    assert personal_data.erase(supporter)
    other.refresh_from_db()
    assert other.name == "Sam Stranger"


def test_somebody_without_email_can_have_what_we_hold_and_be_erased(fiona: Client) -> None:
    supporter = entered(fiona, email="", no_email="on").supporter
    held = fiona.get(f"/admin/adoptions/supporter/{supporter.pk}/all-we-hold.json")
    assert held.headers["Content-Disposition"].startswith("attachment")
    assert held.json()["adoptions"][0]["payments"][0]["cheque_or_slip"] == "001234"
    assert AuditEntry.objects.filter(act="exported", what="adoptions.supporter", rows=[str(supporter.pk)]).exists()
    address = f"/admin/adoptions/supporter/{supporter.pk}/erase/"
    assert "1 payment without a name" in fiona.get(address).text
    assert (fiona.post(address).status_code, Supporter.objects.get().erased_at) == (422, None)
    assert fiona.post(address, {"sure": "yes"}).status_code == 303
    supporter.refresh_from_db()
    assert (supporter.name, supporter.erased_at is None) == ("", False)
    assert Payment.objects.count() == 1
    assert fiona.post(address, {"sure": "yes"}).status_code == 404


def test_who_still_pays_is_not_erased_before_that_is_stopped(fiona: Client) -> None:
    running = make_active_adoption(frequency="monthly", amount_pence=500, stripe_subscription_id="sub_1")
    address = f"/admin/adoptions/supporter/{running.supporter_id}/erase/"
    assert running.reference in fiona.post(address, {"sure": "yes"}).text
    assert Supporter.objects.get().erased_at is None


def test_record_of_a_declaration_by_word_of_mouth_can_go_by_post(fiona: Client) -> None:
    taxpayer = {"first_name": "Amara", "last_name": "Obi", "home_address": "7 Forest Lane", "postcode": "EX1 1EX"}
    adoption = entered(fiona, email="", no_email="on", source="phone", method="cash", gift_aid="yes", **taxpayer)
    declaration = GiftAidDeclaration.objects.get()
    letter = fiona.get(f"/admin/adoptions/giftaiddeclaration/{declaration.pk}/letter/").text
    assert "7 Forest Lane" in letter
    assert "30 days" in letter
    fiona.post(
        "/admin/adoptions/giftaiddeclaration/", {"action": "record_posted", "_selected_action": [declaration.pk]}
    )
    assert gift_aid.covering(adoption.payments.get()) == declaration


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"email": ""}, "Enter their email address, or tick that they have none."),
        ({"no_email": "on"}, "take out the tick or the address"),
        ({"email": "", "no_email": "on", "news": "yes"}, "they have none"),
        ({"frequency": "monthly", "other_amount": "5"}, "pays once"),
        ({"received_on": "2999-01-01"}, "none to come"),
        ({"received_on": "2001-01-01"}, "Enter a day of the last year"),
        ({"received_on": ""}, "Enter the day on which it came."),
        ({"other_amount": "0"}, "Enter an amount from £3"),
        ({"other_amount": ""}, "Choose or enter an amount."),
        ({"method": "barter"}, "Select a valid choice"),
        ({"source": ""}, "This field is required"),
        ({"name": ""}, "Enter their name."),
        ({"is_gift": "gift"}, "Enter the name of the person"),
        ({"gift_aid": "yes"}, "Enter their home address."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(fiona: Client, typed: dict[str, Any], words: str) -> None:
    response = fiona.post(ENTER, cheque(**typed))
    assert (response.status_code, words in response.text) == (422, True)
    assert not Supporter.objects.exists()


# --- which appeal brought it ------------------------------------------------------------------------------------------


def test_letter_counts_for_the_appeal_it_answers_even_one_that_is_over(fiona: Client) -> None:
    over = timezone.now() - timedelta(days=40)
    spring = make_campaign("spring-26", name="Spring letter", starts_at=over - timedelta(days=9), ends_at=over)
    summer = make_campaign("summer-26", name="Summer letter", is_paused=True)
    typed = cheque(c=" Spring\u201326 ", received_on=str(timezone.localdate() - timedelta(days=3)))
    told = fiona.post(ENTER, typed, follow=True)
    assert "It counts for the appeal spring-26." in told.text
    adoption = Adoption.objects.get()
    assert (adoption.campaign, adoption.campaign_code, adoption.first_campaign_code) == (spring, *["spring-26"] * 2)
    [brought] = campaign_report.figures([spring])
    assert (brought.adoptions, brought.late, brought.first, brought.income_pence) == (1, 1, 1, 3600)
    again = entered(fiona, c="summer-26", other_amount="50")
    assert (again.campaign, again.first_campaign_code) == (summer, "spring-26")
    none = entered(fiona, c="", email="sam@example.org", name="Sam")
    assert (none.campaign, none.campaign_code, none.first_campaign_code) == (None, "", "")


def test_code_of_nobody_is_said_and_shown_back_and_the_newest_are_offered(
    fiona: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_field, "OFFERED", 2)
    for number in range(3):
        make_campaign(f"letter-{number}", name=f"Letter {number}")
    page = fiona.post(ENTER, cheque(c="leter-1"))
    field = page.context["form"]["c"]
    assert (page.status_code, field.errors) == (
        *(422, ["No campaign has the code “leter-1”. Look it up, or leave this empty."]),
    )
    assert (field.value(), page.context["campaigns"]) == (
        *("leter-1", [("letter-2", "Letter 2"), ("letter-1", "Letter 1")]),
    )
    assert not Adoption.objects.exists()
    plan = make_plan()
    Plan.objects.filter(pk=plan.pk).update(slug="other", name="Other")
    make_plan()
    page = fiona.get(f"{ENTER}?c=letter-0")
    assert page.context["form"]["c"].value() == "letter-0"
    assert [address.partition("&c=")[2] for _, address in page.context["others"]] == ["letter-0"]


# --- twice ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [{}, {"email": "", "no_email": "on"}])
def test_same_again_is_asked_about_and_the_same_visit_is_the_same(fiona: Client, who: dict[str, Any]) -> None:
    first = cheque(**who)
    assert [fiona.post(ENTER, first).status_code for _ in range(2)] == [303, 303]
    assert Adoption.objects.count() == 1
    second = cheque(**who)
    asked = fiona.post(ENTER, second)
    assert (asked.status_code, "Tick this if it is one more" in asked.text) == (422, True)
    assert Adoption.objects.count() == 1
    assert fiona.post(ENTER, {**second, "another": "on"}).status_code == 303
    assert entered(fiona, **who, other_amount="37").amount_pence == 3700
    assert Adoption.objects.count() == 3


def test_cheque_for_what_was_paid_on_the_site_that_day_is_told(fiona: Client) -> None:
    make_active_adoption(created_at=timezone.now() - timedelta(hours=3))
    adoption = entered(fiona)
    assert Attention.objects.get().adoption == adoption


def test_looked_up_supporter_gets_it_whatever_the_address(fiona: Client) -> None:
    zoe = entered(fiona, email="", no_email="on", name="Zoe").supporter
    typed = {k: v for k, v in cheque(other_amount="50").items() if k not in ("name", "email")}
    assert fiona.post(f"{ENTER}?supporter={zoe.pk}", typed).status_code == 303
    assert Adoption.objects.latest("pk").supporter == zoe
    assert fiona.get(f"{ENTER}?supporter={'9' * 40}").status_code == 200


# --- money that goes back, or never was -------------------------------------------------------------------------------


def hand_page(adoption: Adoption, act: str) -> str:
    return f"/admin/adoptions/adoption/payments/{adoption.payments.order_by('pk')[0].pk}/{act}/"


def back(**changes: Any) -> dict[str, Any]:
    typed = {"amount": "10", "method": "transfer", "on": str(timezone.localdate()), "because": "asked"}
    return {**typed, "reference": "T1", "request": str(uuid.uuid4()), "step": "refund", **changes}


def test_refund_by_hand_is_written_once_told_and_ends_the_adoption_when_nothing_is_left(finn: Client) -> None:
    adoption = entered(finn)
    typed = back()
    asked = finn.post(hand_page(adoption, "by-hand"), {**typed, "step": ""}).text
    effects = ("£10 is written down", "£26 of the payment stays", "stays as it is", "No Gift Aid", "Amara Supporter")
    assert [each for each in effects if each not in asked] == []
    assert adoption.payments.count() == 1
    assert 'value="T1"' in finn.post(hand_page(adoption, "by-hand"), {**typed, "step": "change"}).text
    assert [finn.post(hand_page(adoption, "by-hand"), typed).status_code for _ in range(2)] == [303, 303]
    assert shown(adoption) == ("active", (("charge", 3600), ("refund", -1000)))
    told = Mail.objects.get(kind="refund_made")
    assert "£10 back to you, by bank transfer" in told.text
    assert finn.post(hand_page(adoption, "by-hand"), back(amount="26.01")).status_code == 422
    timeline = f"/admin/adoptions/supporter/{adoption.supporter_id}/timeline/"
    answer = finn.post(f"{hand_page(adoption, 'by-hand')}?back={timeline}", back(amount="26"))
    assert (answer.status_code, answer.headers["Location"]) == (303, timeline)
    assert shown(adoption)[0] == "ended"


def test_large_sum_by_hand_goes_back_with_a_colleague_named(finn: Client, settings: Any) -> None:
    settings.REFUND_ALONE_PENCE = 2000
    adoption, finance = entered(finn), User.objects.get(username="finance")
    priya = User.objects.create_superuser("priya")
    gone = User.objects.create_superuser("gone", is_active=False)
    page = hand_page(adoption, "by-hand")
    assert finn.post(page, back(amount="15")).status_code == 303  # alone, and more in parts is more than one may
    others = [{}, *({"agreed_by": str(user.pk)} for user in (finance, gone, User.objects.create_user("sam")))]
    for named in others:
        assert "agreed" in finn.post(page, back(amount="10", **named)).context["form"].errors["agreed_by"][0] or named
    assert adoption.payments.count() == 2
    typed = back(amount="10", agreed_by=str(priya.pk))
    assert "that priya agreed to it" in finn.post(page, {**typed, "step": ""}).text
    assert finn.post(page, typed).status_code == 303
    entries = HandEntry.objects.filter(payment__kind="refund").order_by("pk").values_list("needs_second", "agreed_by")
    assert list(entries) == [(False, None), (True, priya.pk)]
    settings.REFUND_ALONE_PENCE = 10_000
    assert "agreed_by" not in finn.get(page).context["form"].fields
    written = {"entered_by": finance, "request": uuid.uuid4(), "payment": make_active_adoption().payments.get()}
    for wrong in ({"needs_second": True}, {"needs_second": True, "agreed_by": finance}, {"agreed_by": priya}):
        with pytest.raises(IntegrityError, match="agreed_by_another"), transaction.atomic():
            HandEntry.objects.create(**written, **wrong)


def test_entry_by_mistake_is_reversed_once_and_never_deleted(finn: Client) -> None:
    adoption = entered(finn)
    for _ in range(2):
        finn.post(hand_page(adoption, "take-back"), {"because": "mistake", "request": str(uuid.uuid4())})
    assert shown(adoption) == ("ended", (("charge", 3600), ("void", -3600)))
    assert Mail.objects.count() == 1  # the receipt, before
    assert not HandEntry.objects.unseen().exists()
    assert finn.get("/admin/adoptions/handentry/?bank=unseen").context["cl"].result_count == 0
    row = adoption.payments.get(kind="void")
    for harm in (lambda: Payment.objects.filter(pk=row.pk).update(amount_pence=-1), row.hand_entry.delete):
        with pytest.raises(Exception, match="pgtrigger"), transaction.atomic():
            harm()


def test_refund_by_mistake_is_taken_back_and_the_adoption_lives_again(finn: Client) -> None:
    adoption = entered(finn)
    finn.post(hand_page(adoption, "by-hand"), back(amount="36"))
    assert shown(adoption)[0] == "ended"
    refund = adoption.payments.get(kind="refund")
    address = f"/admin/adoptions/adoption/payments/{refund.pk}/take-back/"
    assert finn.post(address, {"because": "mistake", "request": str(uuid.uuid4())}).status_code == 303
    assert shown(adoption) == ("active", (("charge", 3600), ("refund", -3600), ("refund_failed", 3600)))


def test_payment_of_which_some_went_back_is_no_mistake(finn: Client) -> None:
    adoption = entered(finn)
    finn.post(hand_page(adoption, "by-hand"), back())
    charge = adoption.payments.get(kind="charge")
    with pytest.raises(CannotTakeBack, match="went back already"):
        by_hand.take_back(
            charge, because=Because.MISTAKE, note="", request=uuid.uuid4(), by=User.objects.get(username="finance")
        )


def test_money_by_hand_never_goes_back_through_stripe_nor_the_other_way(finn: Client) -> None:
    charge = entered(finn).payments.get()
    user = User.objects.get(username="finance")
    with pytest.raises(refunds.CannotRefund, match="did not come through Stripe"):
        refunds.refund(charge, pence=100, reason=RefundReason.REQUESTED, by=user)
    assert finn.get(f"/admin/adoptions/adoption/payments/{charge.pk}/refund/").status_code == 404
    through_stripe = make_active_adoption().payments.get()
    assert finn.get(f"/admin/adoptions/adoption/payments/{through_stripe.pk}/by-hand/").status_code == 404
    for one, method, stripe_id in ((charge, "stripe", "re_1"), (through_stripe, "cash", "")):
        with pytest.raises(IntegrityError, match="came through Stripe"), transaction.atomic():
            Payment.objects.create(
                adoption=one.adoption,
                charge=one,
                kind=PaymentKind.REFUND,
                amount_pence=-100,
                method=method,
                stripe_id=stripe_id,
                occurred_at=timezone.now(),
            )


@pytest.mark.parametrize(
    ("method", "kind", "stripe_id"), [("cash", "charge", "ch_1"), ("stripe", "charge", ""), ("cash", "dispute", "")]
)
def test_movement_is_known_to_stripe_or_to_staff(method: str, kind: str, stripe_id: str) -> None:
    adoption = make_active_adoption()
    with pytest.raises(IntegrityError, match="payment_is_known_to_stripe_or_to_staff"):
        Payment.objects.create(
            adoption=adoption,
            charge=None if kind == "charge" else adoption.payments.get(),
            kind=kind,
            amount_pence=100 if kind == "charge" else -100,
            method=method,
            stripe_id=stripe_id,
            occurred_at=timezone.now(),
        )


# --- the books --------------------------------------------------------------------------------------------------------


def test_stripe_is_not_asked_about_what_it_does_not_know(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    fiona = staff_of("Fundraiser")
    entered(fiona)
    world.come_back(world.adopt())
    run = reconcile.reconcile(days=3)
    assert (run.found, reconcile.state().open) == (0, 0)
    call_command("rebuild_ledger")
    assert "only a backup brings them back. The ledger holds 1 of them, £36." in capsys.readouterr().out


def test_takings_are_told_apart_by_the_way_they_came(finn: Client) -> None:
    entered(finn)
    entered(finn, method="cash", other_amount="5", reference="")
    voided = entered(finn, method="cash", other_amount="7")
    finn.post(hand_page(voided, "take-back"), {"because": "returned", "request": str(uuid.uuid4())})
    make_active_adoption(amount_pence=2400)
    reports.gather()
    this_month = takings.by_way(of_late()).rows[0]
    assert this_month.cells == [2400, 3600, 500, 0, 6500]
    assert takings.by_month(of_late()).rows[0].cells[3] == 6500


def test_finance_finds_money_at_the_bank_and_nobody_twice(fiona: Client, finn: Client) -> None:
    entered(fiona)
    entry = HandEntry.objects.get()
    act = {"action": "found_at_the_bank", "_selected_action": [entry.pk]}
    today = {matter.label: matter.count for matter in matters(User.objects.get(username="finance"))}
    assert today["cheques, cash and transfers to find at the bank"] == 1
    finn.post("/admin/adoptions/handentry/", act)
    entry.refresh_from_db()
    first = entry.confirmed_at
    assert first
    finn.post("/admin/adoptions/handentry/", act)
    entry.refresh_from_db()
    assert entry.confirmed_at == first
    with pytest.raises(Exception, match="pgtrigger"), transaction.atomic():
        HandEntry.objects.update(confirmed_at=timezone.now())


def test_note_is_forgotten_in_time_and_the_number_stays(fiona: Client) -> None:
    entered(fiona, note="Lives at the end of the lane.")
    purge(now=timezone.now() + timedelta(days=6 * 366))
    assert (HandEntry.objects.get().note, HandEntry.objects.get().reference) == ("", "001234")


def test_found_by_staff_like_any_other(fiona: Client) -> None:
    adoption = entered(fiona, email="", no_email="on", name="Zoë Lukasiewicz")
    [found] = care.find("zoe lukas", User.objects.get(username="fundraiser"))
    assert found.supporter == adoption.supporter


def test_what_strangers_write_on_paper_is_only_words(fiona: Client) -> None:
    words = "<script>alert(1)</script>\r\nBcc: x@evil.example"
    adoption = entered(fiona, name=words, note=words, reference=words[:30])
    for address in (
        f"/admin/adoptions/adoption/{adoption.pk}/change/",
        f"/admin/adoptions/supporter/{adoption.supporter_id}/timeline/",
        "/admin/adoptions/handentry/",
        f"{ENTER}?supporter={adoption.supporter_id}",
    ):
        page = fiona.get(address)
        assert (page.status_code, "<script>alert" in page.text) == (200, False), address


# --- at once ----------------------------------------------------------------------------------------------------------


def enter_at_once(who: dict[str, Any], attempts: list[str]) -> None:
    client = staff_of("Fundraiser")
    make_species(common_name="Amur leopard")
    make_plan()
    lock, left = threading.Lock(), list(attempts)

    def press() -> None:
        with lock:
            attempt = left.pop()
        own = Client()
        own.cookies = client.cookies
        own.post(ENTER, cheque(attempt=attempt, **who))

    assert at_once(press, len(attempts)) == []


@pytest.mark.threat("M8")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", [{}, {"email": "", "no_email": "on"}])
@pytest.mark.parametrize("is_one_tab", [True, False])
def test_pressed_at_once_makes_one_adoption(who: dict[str, Any], is_one_tab: bool) -> None:
    one = str(uuid.uuid4())
    enter_at_once(who, [one if is_one_tab else str(uuid.uuid4()) for _ in range(4)])
    assert (Adoption.objects.count(), Payment.objects.count(), Supporter.objects.count()) == (1, 1, 1)
    assert Mail.objects.filter(kind="receipt").count() == (0 if who else 1)


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_two_tabs_make_many(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked(answers: Any) -> tuple[Supporter, bool]:
        found, is_new = Supporter.objects.get_or_create(email=answers.email, defaults={"name": answers.name})
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.1)")
        return found, is_new

    Supporter.objects.create(name="Amara Supporter", email="amara@example.org")
    monkeypatch.setattr(checkout, "locked_supporter", unlocked)
    terms_of = checkout.terms_of

    def slow_terms(*args: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")
        return terms_of(*args)

    monkeypatch.setattr(checkout, "terms_of", slow_terms)
    enter_at_once({}, [str(uuid.uuid4()) for _ in range(4)])
    assert Adoption.objects.count() > 1


def test_mail_to_nowhere_is_not_queued() -> None:
    assert mail.queue_mail("manage_link", to="none-1@no-email.invalid", key="1", context={}) is False
