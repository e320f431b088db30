"""What is too old goes, and nothing else; and no column is without a rule."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_tasks_db.models import DBTaskResult

from adoptions import consent, gift_aid, personal_data
from adoptions import retention as of_adoptions
from adoptions.models import (
    AccessLink,
    Adoption,
    AdoptionState,
    Attention,
    Closure,
    Decline,
    Difference,
    Draft,
    EventState,
    FormerAddress,
    Gift,
    GiftAidDeclaration,
    PageOpening,
    Payment,
    RefundRequest,
    SendList,
    SentTo,
    StripeEvent,
    Supporter,
    SupporterSession,
    Suppression,
)
from config import mail, mail_words, retention
from config.checks import every_column_has_a_time_to_go
from config.models import Act, AuditEntry, BlockedLoad, Mail, RateWindow
from species.models import Comment, CommentStatus
from tests.makers import make_active_adoption, make_adoption, make_campaign, make_supporter
from tests.species.makers import make_approved_comment, make_comment
from tests.species.test_species_page import words

TEXT = retention.FILE.read_text(encoding="utf-8")
HOUR = timedelta(hours=1)
HOME = gift_aid.Taxpayer("Amara", "Supporter", "1 The Street", "EX1 1EX")


# --- the file ------------------------------------------------------------------------------------------------------


def test_every_column_has_a_rule() -> None:
    assert list(retention.faults()) == []


@pytest.mark.parametrize(
    ("written", "instead", "fault"),
    [
        ('columns = ["network"]', "columns = []", "species.Comment.network has no rule"),
        ('"config.Heartbeat" = ["process", "at"]', "", "config.Heartbeat.at has no rule"),
        ('"config.Heartbeat" = ["process", "at"]', '"config.Heartbeat" = ["*"]', "Name every column."),
        (
            '"config.Heartbeat" = ["process", "at"]',
            '"config.Heartbeat" = ["process", "at", "mood"]',
            "mood has a rule but",
        ),
        ('"config.Heartbeat" =', '"config.Pulse" = ["at"]\n"config.Heartbeat" =', "config.Pulse has a rule but"),
        ('keep = "24 hours"', 'keep = "a while"', "“a while” is no period"),
        ('since = "saved_at"', "", "say either since or rows"),
        ('since = "saved_at"', 'since = "kept_at"', "there is no column kept_at"),
        ('since = "saved_at"\nthen = "delete"', 'since = "saved_at"', "say what happens then"),
        ("adoptions.retention.forget_recipients", "adoptions.retention.forget_nobody", "cannot be imported"),
        ('keep = "3 years"', 'keep = "always"', "what is always kept is never purged"),
    ],
)
def test_fault_in_the_policy_is_named(written: str, instead: str, fault: str) -> None:
    assert written in TEXT
    assert [found for found in retention.faults(TEXT.replace(written, instead, 1)) if fault in found]


def test_new_column_without_a_rule_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    lacking = tmp_path / "retention.toml"
    lacking.write_text(TEXT.replace('columns = ["network"]', "columns = []"), encoding="utf-8")
    monkeypatch.setattr(retention, "FILE", lacking)
    (error,) = every_column_has_a_time_to_go()
    assert (error.id, error.msg.split()[0]) == ("pugmark.E010", "species.Comment.network")


def test_page_says_every_rule_in_its_words(client: Client) -> None:
    said = words(client.get("/privacy/").text)
    for topic in retention.policy():
        assert f"{topic.about} {topic.why}" in said
        for rule in topic.said:
            assert f"{rule.what} {rule.said}" in said


def test_supporters_are_told_the_period_that_the_file_has() -> None:
    paid = next(rule for topic in retention.policy() for rule in topic.rules if rule.rows.endswith("of_long_ago"))
    assert paid.keep == f"{personal_data.YEARS_KEPT} years"


# --- the purge -----------------------------------------------------------------------------------------------------


def fill_every_table() -> datetime:
    """One row, made now, in each table that the purge looks at. Returns now."""
    now = timezone.now()
    amara, leaver = make_supporter(), make_supporter("Never Paid", "never@example.org")
    paid = make_active_adoption(supporter=amara, is_gift=True)
    payment = Payment.objects.get()
    unpaid = make_adoption(supporter=leaver, is_gift=True)
    for adoption, to in ((paid, "Ellie"), (unpaid, "Nobody")):
        Gift.objects.create(adoption=adoption, recipient_name=to, message="For you")
        gift_aid.declare(adoption.supporter, HOME, adoption=adoption)
    staff = User.objects.create_user("marek", "marek@example.org", first_name="Marek", is_active=False)
    receipt = mail_words.Rendered(subject="Receipt", text="Dear Amara", html="")
    mail.queue_rendered("receipt", to=amara.email, key="1", words=receipt)
    Draft.objects.create(attempt=uuid.uuid4(), email="a@example.org", answers="name=A", saved_at=now)
    RateWindow.objects.create(key="x", level=1, at=now)
    PageOpening.objects.create(adoption=unpaid, network="x")
    Decline.objects.create(key="ch_1", whom="email", digest="x", at=now)
    Closure.objects.create(whom="email", digest="x", because="6 refusals", until=now)
    AccessLink.objects.create(purpose="sign_in", email=amara.email, asked_at=now - HOUR, expires_at=now)
    SupporterSession.objects.create(supporter=amara, secret_hash="x", created_at=now - HOUR, expires_at=now)
    for state in (EventState.DONE, EventState.PARKED):
        over = {"worked_at": now} if state == EventState.DONE else {}
        StripeEvent.objects.create(id=f"evt_{state}", type="x", body=b"{}", state=state, received_at=now, **over)
    RefundRequest.objects.create(
        public_id=uuid.uuid4(), payment=payment, amount_pence=1, reason="other", note="Ill.", by=staff
    )
    Attention.objects.create(kind="x", key="1", reason="Twice", resolved_at=now, how="Seen")
    Attention.objects.create(kind="x", key="2", reason="Open")
    Difference.objects.create(kind="x", what="charge", stripe_id="ch_1", repaired_at=now, how="Seen")
    make_approved_comment("Shown.", network="192.0.2.0/24")
    refused, answered = (make_comment(f"Refused {n}.", network="192.0.2.0/24") for n in range(2))
    make_approved_comment("An answer.", parent=answered, network="")
    Comment.objects.filter(pk__in=[refused.pk, answered.pk]).withdraw()
    Comment.objects.update(created_at=now)
    FormerAddress.objects.create(supporter=amara, email="old@example.org", since=now, until=now)
    TOTPDevice.objects.create(user=staff, name="phone")
    AuditEntry.objects.create(at=now, by=staff, act=Act.LOOKED, path="/admin/")
    LogEntry.objects.create(
        user=staff, content_type=ContentType.objects.get_for_model(User), object_id="1", action_flag=CHANGE
    )
    BlockedLoad.objects.note(rule="img-src", source="inline", page="home")
    BlockedLoad.objects.update(last_at=now)
    mailing = SendList.objects.create(campaign=make_campaign(), sent_on=timezone.localdate(), entered_by=staff)
    SentTo.objects.create(send_list=mailing, address_hash="x")
    Session.objects.create(session_key="x", session_data="x", expire_date=now)
    DBTaskResult.objects.create(args_kwargs={}, task_path="x", queue_name="x", backend_name="x", finished_at=now)
    return now


def purged(now: datetime) -> list[str]:
    """The tables something went from, by their names. What is said beforehand is what happens, and once is enough."""
    foretold = retention.purge(dry_run=True, now=now)
    done = retention.purge(now=now)
    assert {str(rule): count for rule, count in done} == {str(rule): count for rule, count in foretold}
    assert not any(count for _rule, count in retention.purge(dry_run=True, now=now))
    return sorted(f"{rule.model.__name__} {count}" for rule, count in done if count)


@pytest.mark.django_db
@time_machine.travel(datetime(2026, 6, 15, 12, tzinfo=UTC), tick=False)
def test_everything_goes_in_its_time_and_nothing_before() -> None:
    now = fill_every_table()
    assert purged(now) == []
    assert purged(now + timedelta(hours=1, seconds=1)) == ["SupporterSession 1"]
    day = now + timedelta(days=1)
    assert purged(day) == []
    soon = ["AccessLink 1", "Decline 1", "Draft 1", "PageOpening 1", "RateWindow 1", "Session 1"]
    assert purged(day + timedelta(minutes=1)) == soon
    assert purged(now + timedelta(days=30)) == []
    # The declaration of somebody who never paid goes with their name.
    month = ["Comment 3", "DBTaskResult 1", "GiftAidDeclaration 1", "Supporter 1"]
    assert purged(now + timedelta(days=30, minutes=1)) == month
    assert purged(now + timedelta(days=90, minutes=1)) == ["BlockedLoad 1", "Closure 1", "StripeEvent 1"]
    assert purged(now + timedelta(days=121)) == ["SentTo 1"]
    assert purged(now + timedelta(days=365, minutes=1)) == ["Comment 2"]
    assert purged(datetime(2028, 6, 15, 12, 1, tzinfo=UTC)) == ["FormerAddress 1", "Mail 1"]
    assert purged(datetime(2029, 6, 15, 12, 1, tzinfo=UTC)) == ["Gift 1"]
    six = ["Attention 1", "AuditEntry 1", "Difference 1", "LogEntry 1", "RefundRequest 1", "User 1"]
    assert purged(datetime(2032, 6, 15, 12, 1, tzinfo=UTC)) == six
    # Paid in the year to 31 March 2027, which has been over for six years at the end of 31 March 2033.
    assert purged(datetime(2033, 3, 31, 22, 59, tzinfo=UTC)) == []
    assert purged(datetime(2033, 3, 31, 23, 1, tzinfo=UTC)) == ["GiftAidDeclaration 1", "Supporter 1"]

    assert not Supporter.objects.filter(erased_at=None).exists()
    assert not GiftAidDeclaration.objects.exists()
    assert not Gift.objects.exclude(recipient_name="", message="").exists()
    assert (Adoption.objects.count(), Payment.objects.count()) == (2, 1)
    assert bytes(StripeEvent.objects.get(state=EventState.PARKED).body) == b"{}"
    assert Attention.objects.get().key == "2"
    assert {(one.body, one.name) for one in Comment.objects.filter(status=CommentStatus.WITHDRAWN)} == {
        ("The writer has taken this comment back.", "A reader")
    }
    copy, worker = Mail.objects.get(key="receipt:1"), User.objects.get()
    assert "Amara" not in f"{copy.to} {copy.subject} {copy.text}"
    assert not TOTPDevice.objects.exists()
    assert re.fullmatch(r"former-\d+", worker.username)
    assert (worker.first_name, worker.email, worker.has_usable_password()) == ("", "", False)


@pytest.mark.django_db
def test_proof_of_a_wish_goes_six_years_after_the_name() -> None:
    make_adoption()
    amara = Supporter.objects.get()
    consent.grant(amara, page="/adopt/")
    personal_data.erase(amara)
    amara.refresh_from_db()
    assert amara.erased_at
    assert purged(amara.erased_at.replace(year=amara.erased_at.year + 6)) == []
    later = amara.erased_at.replace(year=amara.erased_at.year + 6) + HOUR
    assert purged(later) == ["ConsentEvent 2"]
    assert Suppression.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "adopted",
    [
        {"state": AdoptionState.PROCESSING},
        {"state": AdoptionState.ACTIVE, "frequency": "monthly", "stripe_subscription_id": "sub_1"},
        {"state": AdoptionState.ACTIVE, "frequency": "once"},
    ],
)
def test_who_still_adopts_is_never_forgotten(adopted: dict[str, Any]) -> None:
    began = timezone.now() if adopted["state"] == AdoptionState.ACTIVE else None
    make_adoption(activated_at=began, **adopted)
    retention.purge(now=timezone.now() + timedelta(days=366 * 20))
    assert Supporter.objects.get().erased_at is None


@pytest.mark.django_db
def test_who_adopts_while_the_purge_looks_is_not_forgotten() -> None:
    """The rows were found before; what holds is what is there once the supporter's own row is locked."""
    leaver = make_supporter()
    later = timezone.now() + timedelta(days=31)
    rows = of_adoptions.supporters_who_never_paid(later)
    assert list(rows) == [leaver]
    make_adoption(supporter=leaver, state=AdoptionState.PROCESSING)
    of_adoptions.forget_supporters(rows)
    leaver.refresh_from_db()
    assert leaver.erased_at is None


@pytest.mark.django_db
def test_log_stays_closed_to_everybody_else() -> None:
    AuditEntry.objects.create(act=Act.LOOKED, path="/admin/")
    with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
        AuditEntry.objects.all().delete()


@pytest.mark.django_db
def test_rule_that_fails_keeps_no_other_from_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    RateWindow.objects.create(key="x", level=1, at=now)
    make_adoption()
    monkeypatch.setattr("adoptions.retention.unlocked", lambda trigger, act: act())
    gift_aid.declare(Supporter.objects.get(), HOME, adoption=Adoption.objects.get())
    retention.purge_old.func()  # nothing is due yet
    with pytest.raises(ExceptionGroup) as failed:
        retention.purge(now=now + timedelta(days=31))
    (error,) = failed.value.exceptions
    assert "adoptions.GiftAidDeclaration" in error.__notes__[0]
    assert not RateWindow.objects.exists()


@pytest.mark.django_db
def test_operator_sees_what_would_go(capsys: pytest.CaptureFixture[str]) -> None:
    RateWindow.objects.create(key="x", level=1, at=timezone.now() - timedelta(days=2))
    call_command("purge", dry_run=True)
    said = capsys.readouterr().out
    assert "        1  config.RateWindow: delete, 24 hours after the last time" in said
    assert "Nothing was changed." in said
    assert RateWindow.objects.exists()
    call_command("purge")
    assert not RateWindow.objects.exists()


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        ("2026-03-31T22:59", "2025-03-31T23:00"),
        ("2026-03-31T23:00", "2026-03-31T23:00"),
        ("2026-12-31T12:00", "2026-03-31T23:00"),
        ("2027-02-01T12:00", "2026-03-31T23:00"),
    ],
)
def test_financial_year_begins_on_the_first_of_april_in_london(moment: str, start: str) -> None:
    begins = of_adoptions.start_of_year(datetime.fromisoformat(f"{moment}+00:00"))
    assert begins == datetime.fromisoformat(f"{start}+00:00")


@pytest.mark.threat("X7")
def test_years_are_counted_by_the_calendar() -> None:
    assert retention.years_before(datetime(2028, 2, 29, 12, tzinfo=UTC), 6) == datetime(2022, 2, 28, 12, tzinfo=UTC)
