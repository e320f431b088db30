"""A mail that comes back is seen by the giver and by staff; and nobody else can say that one came back."""

import json
import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from adoptions import gifts, personal_data
from adoptions.models import Gift
from adoptions.today import failing_mails
from config.bounces import signature
from config.checks import mail_webhook_secrets_are_secrets
from config.mail import deliver, queue_mail, tell_of_failures
from config.models import ERASED, Mail, MailState
from tests.adoptions.test_gifts import give
from tests.makers import make_active_adoption

pytestmark = pytest.mark.django_db

SECRET = "a secret of the mail service, long enough"
LONDON = ZoneInfo("Europe/London")


@pytest.fixture(autouse=True)
def secret(settings: Settings) -> None:
    settings.MAIL_WEBHOOK_SECRETS = ["the one that comes next, also long enough", SECRET]


def post(client: Client, body: bytes, *, secret: str = SECRET, at: int | None = None, header: str | None = None) -> Any:
    seconds = str(at if at is not None else int(time.time()))
    signed = header if header is not None else f"t={seconds},v1={signature(secret, seconds, body)}"
    return client.post("/mail/bounces/", body, content_type="application/json", headers={"Pugmark-Signature": signed})


def queue(to: str) -> Mail:
    adoption = make_active_adoption()
    context = {"adoption": adoption, "payment": adoption.payments.get()}
    queue_mail("payment_recovered", to=to, key="1", context=context)
    return Mail.objects.get(kind="payment_recovered")


def news_of(mail: Mail, reason: str = "550 5.1.1 no such user") -> bytes:
    return json.dumps({"message_id": mail.message_id, "reason": reason}).encode()


@pytest.fixture
def present() -> Gift:
    """Sent to Ellie, as far as we know."""
    gift = give()
    yesterday = timezone.localdate() - timedelta(days=1)  # whose morning is over at any hour of the test
    Gift.objects.filter(pk=gift.pk).update(
        delivery="email", recipient_email="ellie@example.org", deliver_on=yesterday, state="scheduled"
    )
    gifts.send_due()
    deliver.call(Mail.objects.get(kind="gift_message").pk)
    gifts.follow_mails()
    gift.refresh_from_db()
    assert gift.state == "sent"
    return gift


def test_present_that_came_back_is_told_to_the_giver_and_shown_to_staff(client: Client, present: Gift) -> None:
    mail = Mail.objects.get(kind="gift_message")
    for _ in range(2):
        response = post(client, news_of(mail))
    assert (response.status_code, response.content) == (200, b"0\n")
    mail.refresh_from_db()
    assert (mail.state, mail.error) == (MailState.BOUNCED, "550 5.1.1 no such user")
    for _ in range(2):
        gifts.follow_mails()
    present.refresh_from_db()
    assert present.state == "failed"
    told = Mail.objects.filter(kind="gift_delivered", key__contains="bounced")
    assert [mail.to for mail in told] == [present.adoption.supporter.email]
    assert failing_mails().count == 1


def test_bounce_that_overtakes_our_own_note_counts(client: Client) -> None:
    mail = queue("a@example.org")
    Mail.objects.all().claim(for_time=timedelta(minutes=1))
    assert post(client, news_of(mail)).content == b"1\n"
    assert Mail.objects.all().mark_sent() == 0
    mail.refresh_from_db()
    assert mail.state == MailState.BOUNCED


def test_what_came_back_can_be_sent_again(client: Client) -> None:
    mail = queue("a@example.org")
    deliver.call(mail.pk)
    post(client, news_of(mail))
    assert Mail.objects.filter(pk=mail.pk).send_again() == 1
    deliver.call(mail.pk)
    mail.refresh_from_db()
    assert (mail.state, mail.failed_at, mail.error) == (MailState.SENT, None, "")


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "t=1,v1=", "v1=abc", "t=x,v1=y", "t=١٢,v1=z", "t=" + "9" * 400 + ",v1=0", "=,=,=", "t=1,v1=é"],
)
def test_news_that_is_not_signed_is_refused(client: Client, present: Gift, header: str) -> None:
    assert post(client, news_of(Mail.objects.get(kind="gift_message")), header=header).status_code == 400
    assert not Mail.objects.filter(state=MailState.BOUNCED).exists()


def test_signature_of_another_secret_another_body_or_another_time_is_refused(client: Client, present: Gift) -> None:
    body = news_of(Mail.objects.get(kind="gift_message"))
    now = int(time.time())
    other = f"t={now},v1={signature(SECRET, str(now), body)}"
    assert post(client, body, secret="somebody else's secret, of any length").status_code == 400
    assert post(client, body + b" ", header=other).status_code == 400
    assert [post(client, body, at=now + seconds).status_code for seconds in (-400, 400)] == [400, 400]
    assert post(client, b" " * 30_000).status_code == 400
    assert not Mail.objects.filter(state=MailState.BOUNCED).exists()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"message_id": 1}', b'{"reason": "x"}', b"\xff"])
def test_signed_nonsense_is_said_to_be_nonsense(client: Client, body: bytes) -> None:
    assert post(client, body).status_code == 422


@pytest.mark.parametrize("message_id", ["", "<unknown@example.org>", "\x00", "\ud800", "x" * 5000])
def test_mail_that_is_not_ours_changes_nothing(client: Client, message_id: str) -> None:
    response = post(client, json.dumps({"message_id": message_id}).encode())
    assert (response.status_code, response.content) == (200, b"0\n")


def test_without_a_secret_there_is_nothing_there(client: Client, settings: Settings) -> None:
    settings.MAIL_WEBHOOK_SECRETS = []
    assert post(client, b"{}").status_code == 404
    assert mail_webhook_secrets_are_secrets() == []
    settings.MAIL_WEBHOOK_SECRETS = ["short"]
    assert [error.id for error in mail_webhook_secrets_are_secrets()] == ["pugmark.E007"]


# --- once a day ------------------------------------------------------------------------------------------------------


def at(hour: int, day: int = 28) -> datetime:
    return datetime(2026, 11, day, hour, 5, tzinfo=LONDON)


def test_staff_hear_once_a_day_of_what_did_not_get_through() -> None:
    with time_machine.travel(at(7), tick=False):
        queue("sam@example.org")
        Mail.objects.all().claim(for_time=timedelta(minutes=1))
        Mail.objects.all().give_up(error="The mail server refused the address (550).")
        Mail.objects.update(failed_at=timezone.now())
        tell_of_failures.call()
    assert not Mail.objects.filter(kind="mail_digest").exists()
    for hour in (8, 9, 20):
        with time_machine.travel(at(hour), tick=False):
            tell_of_failures.call()
    digest = Mail.objects.get(kind="mail_digest")
    assert digest.to == settings.CHARITY["reply_to"]
    assert "given up. The mail server refused the address (550)" in digest.text.replace("\u2060", "")
    with time_machine.travel(at(8, 30), tick=False):
        Mail.objects.filter(kind="mail_digest").delete()
        tell_of_failures.call()
    assert not Mail.objects.filter(kind="mail_digest").exists()


def test_who_was_erased_is_no_failure() -> None:
    queue("amara@example.org")
    personal_data.forget_mails(Q(to__iexact="Amara@example.org"))
    mail = Mail.objects.get()
    assert (mail.state, mail.text, mail.to) == (MailState.FAILED, ERASED, "erased@erased.invalid")
    assert (Mail.objects.failing().count(), Mail.objects.all().send_again(), failing_mails().count) == (0, 0, 0)


def test_list_shows_what_failed_and_what_came_back_together(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:config_mail_changelist"), {"state__in": "failed,bounced"})
    assert page.status_code == 200
