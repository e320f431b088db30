"""The mails about a present: one to the recipient, the others to the giver.

Each is queued in the transaction that makes it true.
Every key begins with the gift, so that all copies can be found when a recipient asks to be forgotten.
"""

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from config.mail import queue_mail
from config.models import Mail

from .emails import certificate_url
from .models import Gift

MESSAGE = "gift_message"
KINDS = (MESSAGE, "gift_scheduled", "gift_waiting", "gift_delivered", "gift_thanks")


def manage_url() -> str:
    return settings.SITE_URL + reverse("adoptions:my_adoption")


def gift_url(gift: Gift) -> str:
    return settings.SITE_URL + gift.get_absolute_url()


def message_key(gift: Gift) -> str:
    return f"{MESSAGE}:{gift.pk}:{gift.sendings}"


def queue_message(gift: Gift) -> bool:
    """The present itself. Keyed by the sending: a second one needs the giver to ask for it."""
    return queue_mail(
        MESSAGE,
        to=gift.recipient_email,
        key=f"{gift.pk}:{gift.sendings}",
        context={
            "adoption": gift.adoption,
            "giver_name": gift.adoption.supporter.name,
            "message": gift.message,
            "gift_url": gift_url(gift),
        },
    )


def queue_to_giver(kind: str, gift: Gift, period: str, **context: Any) -> bool:
    return queue_mail(
        kind,
        to=gift.adoption.supporter.email,
        key=f"{gift.pk}:{period}",
        context={
            "adoption": gift.adoption,
            "recipient_email": gift.recipient_email,
            "message": gift.message,
            "manage_url": manage_url(),
            **context,
        },
    )


def queue_scheduled(gift: Gift) -> bool:
    return queue_to_giver("gift_scheduled", gift, str(gift.revision), send_on=gift.deliver_on)


def queue_waiting(gift: Gift) -> bool:
    return queue_to_giver("gift_waiting", gift, str(gift.deliver_on), send_on=gift.deliver_on)


def queue_delivered(gift: Gift, state: str) -> bool:
    """`sent` and `bounced` once for each sending, `opened` once."""
    period = state if state == "opened" else f"{state}:{gift.sendings}"
    return queue_to_giver("gift_delivered", gift, period, state=state, certificate_url=certificate_url(gift.adoption))


def queue_thanks(gift: Gift, words: str) -> bool:
    return queue_to_giver("gift_thanks", gift, "once", words=words)


def erase_copies(gift: Gift) -> int:
    """Blank the copies of all mails about a gift, and give up those that are not sent yet."""
    about = Q()
    for kind in KINDS:
        about |= Q(key__startswith=f"{kind}:{gift.pk}:")
    copies = Mail.objects.filter(about)
    copies.filter(kind=MESSAGE).update(to="erased@erased.invalid")
    return copies.blank()
