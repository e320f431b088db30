"""Mail is never lost and never sent twice, whatever the mail server does."""

import os
import signal
import smtplib
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
import time_machine
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from config.mail import LEASE, MOST_ATTEMPTS, deliver, deliver_due, queue_mail, wait_after
from config.models import Mail, MailState
from tests.makers import make_active_adoption

pytestmark = pytest.mark.django_db


def queue(key: str = "1", to: str = "amara@example.org") -> Mail:
    adoption = make_active_adoption()
    payment = adoption.payments.get()
    context = {"adoption": adoption, "payment": payment, "certificate_url": "https://example.org/c", "is_first": True}
    queue_mail("receipt", to=to, key=key, context=context)
    return Mail.objects.get(key=f"receipt:{key}")


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """A mail server that answers with the exceptions in this list, one per attempt, then accepts."""
    answers: list[Exception] = []

    def answer(self: EmailMultiAlternatives, **kwargs: Any) -> int:
        if answers:
            raise answers.pop(0)
        django_mail.outbox.append(self)
        return 1

    monkeypatch.setattr(EmailMultiAlternatives, "send", answer)
    return answers


def test_mail_is_queued_with_its_task_in_the_callers_transaction() -> None:
    with transaction.atomic():
        queue()
        transaction.set_rollback(True)
    assert not Mail.objects.exists()
    assert not DBTaskResult.objects.exists()


def test_mail_with_the_same_key_is_queued_once() -> None:
    mail = queue()
    assert queue_mail("receipt", to=mail.to, key="1", context={"adoption": make_active_adoption()}) is False
    assert Mail.objects.count() == 1
    assert DBTaskResult.objects.filter(task_path="config.mail.deliver").count() == 1


def test_mail_is_sent_as_it_was_kept_and_only_once() -> None:
    mail = queue()
    deliver.call(mail.pk)
    deliver.call(mail.pk)
    deliver_due.call()
    [sent] = django_mail.outbox
    assert (sent.to, sent.subject, sent.body) == ([mail.to], mail.subject, mail.text)
    assert sent.extra_headers["Message-ID"] == mail.message_id
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (MailState.SENT, 1)


@pytest.mark.threat("X3")
def test_server_that_is_down_delays_and_loses_nothing(refusing: list[Exception]) -> None:
    mail = queue()
    refusing += [ConnectionRefusedError(), smtplib.SMTPServerDisconnected(), TimeoutError()]
    for attempt in (1, 2, 3):
        Mail.objects.update(not_before=timezone.now())
        deliver_due.call()
        mail.refresh_from_db()
        assert (mail.state, mail.attempts) == (MailState.QUEUED, attempt)
        assert mail.not_before > timezone.now()
    deliver_due.call()  # not due yet
    assert django_mail.outbox == []
    Mail.objects.update(not_before=timezone.now())
    deliver_due.call()
    mail.refresh_from_db()
    assert (mail.state, len(django_mail.outbox)) == (MailState.SENT, 1)


@pytest.mark.threat("X3")
def test_server_down_for_an_hour_then_five_hundred_mails_each_once(refusing: list[Exception]) -> None:
    mail = queue()
    Mail.objects.bulk_create(
        Mail(key=f"k{n}", kind="receipt", to=f"a{n}@example.org", subject="s", text="t", html="h", message_id=f"<{n}>")
        for n in range(499)
    )
    refusing += [ConnectionRefusedError()] * 500
    with time_machine.travel(timezone.now(), tick=False):  # on a slow machine the first would be due again
        for _ in range(3):
            deliver_due.call()
    assert Mail.objects.filter(state=MailState.QUEUED, attempts=1).count() == 500
    Mail.objects.update(not_before=timezone.now())
    for _ in range(3):
        deliver_due.call()
    assert sorted(m.to[0] for m in django_mail.outbox) == sorted([mail.to, *(f"a{n}@example.org" for n in range(499))])


@pytest.mark.threat("X3")
def test_address_the_server_refuses_for_good_is_given_up_with_a_reason(refusing: list[Exception]) -> None:
    mail = queue()
    refusing.append(smtplib.SMTPRecipientsRefused({mail.to: (550, b"no such user")}))
    deliver.call(mail.pk)
    mail.refresh_from_db()
    assert (mail.state, mail.error) == (MailState.FAILED, "The mail server refused the address (550).")


@pytest.mark.threat("X3")
def test_address_the_server_refuses_for_now_is_tried_again(refusing: list[Exception]) -> None:
    mail = queue()
    refusing.append(smtplib.SMTPRecipientsRefused({mail.to: (451, b"greylisted")}))
    deliver.call(mail.pk)
    mail.refresh_from_db()
    assert mail.state == MailState.QUEUED


def test_mail_is_given_up_after_the_last_attempt(refusing: list[Exception]) -> None:
    mail = queue()
    Mail.objects.update(attempts=MOST_ATTEMPTS - 1)
    refusing.append(ConnectionRefusedError())
    deliver.call(mail.pk)
    mail.refresh_from_db()
    assert mail.state == MailState.FAILED


@pytest.mark.threat("X5")
def test_worker_that_died_while_sending_is_followed_by_another() -> None:
    mail = queue()
    assert Mail.objects.filter(pk=mail.pk).claim(for_time=LEASE) == 1  # and then: kill -9
    deliver_due.call()
    assert django_mail.outbox == []
    Mail.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    deliver_due.call()
    assert len(django_mail.outbox) == 1


def test_waits_double_up_to_an_hour() -> None:
    assert [wait_after(n).total_seconds() for n in (1, 2, 3, 30)] == [15, 30, 60, 3600]


def test_staff_send_again_what_was_sent_or_given_up() -> None:
    mail = queue()
    assert Mail.objects.all().send_again() == 0
    deliver.call(mail.pk)
    assert Mail.objects.all().send_again() == 1
    deliver.call(mail.pk)
    assert len(django_mail.outbox) == 2


@pytest.mark.django_db(transaction=True)
def test_mail_claimed_by_eight_workers_at_once_is_sent_once() -> None:
    mail = queue()
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        deliver.call(mail.pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(django_mail.outbox) == 1


@pytest.mark.threat("X5")
@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_worker_killed_in_the_middle_of_a_batch_sends_each_once_and_one_twice_at_most(tmp_path: Path) -> None:
    """Killed at the worst moment: the mail server has accepted a mail, and we have not written that down yet."""
    Mail.objects.bulk_create(
        Mail(key=f"k{n}", kind="receipt", to=f"a{n}@example.org", subject="s", text="t", html="h", message_id=f"<{n}>")
        for n in range(40)
    )
    accepted = tmp_path / "accepted"
    connection.close()
    worker = os.fork()
    if worker == 0:
        deliver_until_killed(accepted, after=15)
    assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == -signal.SIGKILL
    before = accepted.read_text().split()
    assert len(before) == 15
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1), tick=False):
        deliver_due.call()
    sent = Counter([*before, *(mail.extra_headers["Message-ID"] for mail in django_mail.outbox)])
    assert set(sent) == {f"<{n}>" for n in range(40)}
    assert [message_id for message_id, times in sent.items() if times > 1] == [before[-1]]
    assert sent[before[-1]] == 2
    assert not Mail.objects.exclude(state=MailState.SENT).exists()


def deliver_until_killed(accepted: Path, *, after: int) -> NoReturn:
    """In a process of its own; never comes back."""

    def accept(self: EmailMultiAlternatives, **kwargs: Any) -> int:
        with accepted.open("a") as log:
            log.write(f"{self.extra_headers['Message-ID']}\n")
        if len(accepted.read_text().split()) == after:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1

    try:
        EmailMultiAlternatives.send = accept  # type: ignore[method-assign,assignment]  # in this process alone
        deliver_due.call()
    finally:
        os._exit(1)
