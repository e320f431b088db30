"""The one way mail leaves: a row in the caller's transaction, sent later by the worker.

A mail exists exactly if the transaction that wanted it committed. It is never lost: whatever happens to worker or
mail server, the row waits. It is sent once, but for one case no protocol can close: a worker that dies between
the mail server's "accepted" and our commit sends again, with the same Message-ID.
"""

import logging
import smtplib
from datetime import datetime, timedelta
from email.utils import make_msgid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q, QuerySet
from django.tasks import task
from django.urls import reverse
from django.utils import timezone

from . import mail_words, practice
from .models import Mail, MailState
from .tasks import every

logger = logging.getLogger(__name__)

NOWHERE = ".invalid"  # of who was erased, has no email, or is not known at Stripe any more: there is nobody to tell
LEASE = timedelta(minutes=1)
MOST_ATTEMPTS = 40  # with waits doubling from 15 s to an hour: about a day and a half
LONGEST_WAIT = timedelta(hours=1)
DIGEST_HOUR = 8
MOST_IN_DIGEST = 50
IS_LATE_AFTER = timedelta(minutes=15)
COME_BACK_FOR = timedelta(days=7)  # as long as a mail that came back is news


def queue_mail(kind: str, *, to: str, key: str, context: dict[str, Any], unsubscribe_url: str = "") -> bool:
    """Render a kind of mail and queue it under `<kind>:<key>`; False if that was queued before.

    The rendered copy is kept: staff see exactly what was sent, and a later change of the words changes nothing.
    """
    if to.endswith(NOWHERE):
        return False
    words = mail_words.render(kind, {"charity": settings.CHARITY, "site_url": settings.SITE_URL, **context})
    return queue_rendered(kind, to=to, key=key, words=words, unsubscribe_url=unsubscribe_url)


def queue_rendered(kind: str, *, to: str, key: str, words: mail_words.Rendered, unsubscribe_url: str = "") -> bool:
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    with transaction.atomic():
        mail, is_new = Mail.objects.get_or_create(
            key=f"{kind}:{key}",
            defaults={
                "kind": kind,
                "to": to,
                "subject": f"{'[Practice] ' if settings.PRACTICE else ''}{words.subject}"[:250],
                "text": words.text,
                "html": words.html,
                "message_id": make_msgid(domain=host),
                "unsubscribe_url": unsubscribe_url,
            },
        )
        if is_new:
            deliver.enqueue(mail.pk)
    return is_new


@task
def deliver(mail_id: int) -> None:
    """Send one mail, if it is due and nobody else is at it."""
    if Mail.objects.filter(pk=mail_id).claim(for_time=LEASE):
        send_claimed(Mail.objects.get(pk=mail_id))


@every(seconds=15)
@task
def deliver_due() -> None:
    """Send whatever waits: mails the server would not take earlier, and those of a worker that died."""
    for mail_id in Mail.objects.due().order_by("not_before").values_list("pk", flat=True)[:200]:
        deliver.func(mail_id)


def send_claimed(mail: Mail) -> None:
    """Give a claimed mail to the mail server and write down what became of it."""
    this = Mail.objects.filter(pk=mail.pk)
    headers = {"Message-ID": mail.message_id}
    if mail.unsubscribe_url:  # RFC 8058
        headers |= {
            "List-Unsubscribe": f"<{mail.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    if not practice.may_be_written_to(mail.to):
        this.mark_sent()
        this.update(error="Practice: written, and not sent. Only staff receive mail from here.")
        return
    message = EmailMultiAlternatives(
        mail.subject, mail.text, to=[mail.to], reply_to=[settings.CHARITY["reply_to"]], headers=headers
    )
    message.attach_alternative(mail.html, "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        if code >= 500:
            this.give_up(error=f"The mail server refused the address ({code}).")
        else:
            this.put_back(wait=wait_after(mail.attempts), error=f"The mail server asked us to wait ({code}).")
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("Mail %s not sent: %s", mail.pk, type(error).__name__)
        if mail.attempts >= MOST_ATTEMPTS:
            this.give_up(error=f"No success in {mail.attempts} attempts ({type(error).__name__}).")
        else:
            this.put_back(wait=wait_after(mail.attempts), error=type(error).__name__)
    else:
        this.mark_sent()


@every(hours=1)
@task
def tell_of_failures() -> None:
    """E26: once a day from eight in the morning, what did not get through since; nothing on a day without."""
    now = timezone.localtime()
    if now.hour < DIGEST_HOUR or Mail.objects.filter(key=f"mail_digest:{now.date()}").exists():
        return
    failed = Mail.objects.failing().filter(failed_at__gt=now - timedelta(days=1)).exclude(kind="mail_digest")
    waiting = late(now=now)
    if not (failed.exists() or waiting.exists()):
        return
    context = {
        "failed": failed.order_by("failed_at")[:MOST_IN_DIGEST],
        "total": failed.count(),
        "late": waiting.count(),
        "admin_url": settings.SITE_URL + reverse("admin:config_mail_changelist") + "?stuck=yes",
    }
    queue_mail("mail_digest", to=settings.CHARITY["reply_to"], key=str(now.date()), context=context)


def given_up(*, now: datetime) -> QuerySet[Mail]:
    """Never sent, or come back lately."""
    return Mail.objects.failing().filter(Q(state=MailState.FAILED) | Q(failed_at__gt=now - COME_BACK_FOR))


def late(*, now: datetime) -> QuerySet[Mail]:
    """Still waiting, long after it should have gone."""
    return Mail.objects.filter(state=MailState.QUEUED, created_at__lt=now - IS_LATE_AFTER)


def wait_after(attempts: int) -> timedelta:
    """15 s, 30 s, 1 min … up to an hour."""
    return min(timedelta(seconds=15 * 2 ** min(attempts - 1, 12)), LONGEST_WAIT)
