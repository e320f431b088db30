"""The mails about adoptions. Each is queued in the transaction that makes it true."""

from django.conf import settings
from django.urls import reverse

from config.mail import queue_mail

from .models import Adoption, Frequency, Payment


def queue_receipt(adoption: Adoption, payment: Payment) -> bool:
    """Thank for one payment; the first carries the certificate. Keyed by the payment: never twice."""
    return queue_mail(
        "receipt",
        to=adoption.supporter.email,
        key=payment.stripe_id,
        context={
            "adoption": adoption,
            "payment": payment,
            "is_first": adoption.payments.filter(kind="charge").count() == 1,
            "certificate_url": certificate_url(adoption),
            "species_url": settings.SITE_URL + adoption.species.get_absolute_url(),
            "renews": adoption.frequency != Frequency.ONCE,
        },
    )


def certificate_url(adoption: Adoption) -> str:
    return settings.SITE_URL + reverse("adoptions:certificate", args=[adoption.token])
