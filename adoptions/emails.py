"""The mails about adoptions. Each is queued in the transaction that makes it true."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from config.mail import queue_mail
from config.models import Mail

from . import gift_aid
from .models import Adoption, Frequency, GiftAidDeclaration, Payment

is_rebuilding: ContextVar[bool] = ContextVar("is_rebuilding", default=False)


@contextmanager
def nobody_thanked() -> Iterator[None]:
    """While old payments are written down again: their receipts went out when they were new."""
    token = is_rebuilding.set(True)
    try:
        yield
    finally:
        is_rebuilding.reset(token)


def queue_receipt(adoption: Adoption, payment: Payment) -> bool:
    """Thank for one payment; the first carries the certificate. Keyed by the payment: never twice."""
    if is_rebuilding.get():
        return False
    return queue_mail(
        "receipt",
        to=adoption.supporter.email,
        key=payment.known_as,
        context={
            "adoption": adoption,
            "payment": payment,
            "is_first": adoption.payments.filter(kind="charge").count() == 1,
            "certificate_url": certificate_url(adoption),
            "gift_url": gift_url(adoption),
            "manage_url": manage_url(),
            "species_url": settings.SITE_URL + adoption.species.get_absolute_url(),
            "renews": adoption.frequency != Frequency.ONCE,
            "gift_aid": gift_aid.sentence_about(payment),
        },
    )


def queue_gift_aid_confirmed(adoption: Adoption) -> None:
    """E2: what was declared, once the money shows that the address is theirs. Keyed by the declaration."""
    if is_rebuilding.get():
        return
    for declaration in GiftAidDeclaration.objects.filter(adoption=adoption).standing():
        if not Mail.objects.filter(key=gift_aid_key(declaration)).exists():  # with an earlier payment
            confirm_gift_aid(declaration, adoption)


def gift_aid_key(declaration: GiftAidDeclaration) -> str:
    return f"gift_aid_confirmed:{declaration.pk}"


def confirm_gift_aid(declaration: GiftAidDeclaration, adoption: Adoption) -> bool:
    """The written record of a declaration, which the law asks for where it was given by word of mouth."""
    return queue_mail(
        "gift_aid_confirmed",
        to=adoption.supporter.email,
        key=str(declaration.pk),
        context={
            "adoption": adoption,
            "declaration": declaration,
            "is_oral": declaration.channel == GiftAidDeclaration.Channel.ORAL,
            "sent_on": timezone.localdate(),
            "manage_url": manage_url(),
        },
    )


def manage_url() -> str:
    return settings.SITE_URL + reverse("adoptions:my_adoption")


def gift_url(adoption: Adoption) -> str:
    """The recipient's page, for a giver who passes it on; empty where we send it ourselves."""
    gift = getattr(adoption, "gift", None) if adoption.is_gift else None
    return "" if gift is None or gift.is_by_email else settings.SITE_URL + gift.get_absolute_url()


def certificate_url(adoption: Adoption) -> str:
    return settings.SITE_URL + reverse("adoptions:certificate", args=[adoption.token])
