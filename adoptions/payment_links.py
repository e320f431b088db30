"""Card by phone: what somebody says is typed in, and a link to pay for exactly that goes to them by mail.

Nobody of ours hears or types the number of a card. The link leads to a page of ours with a button, so that a program
that reads mail opens no page at Stripe; who presses it pays as if they had filled in the form themselves.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from config.mail import queue_mail

from . import by_hand, checkout, stripe_gateway
from .by_hand import Entry
from .checkout import Answers
from .models import OPEN, Adoption, PaymentLink
from .models.payment_links import SIGNER

GOOD_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Found:
    """A link of ours, whether it still can be paid with or not."""

    link: PaymentLink
    is_usable: bool


def make(answers: Answers, entry: Entry) -> Adoption:
    """The adoption of these answers, which waits to be paid, and the mail with the link. The same visit: the same.

    Raises SameAgain as by_hand.enter does.
    """
    with transaction.atomic():
        adoption, link = keep(answers, entry)
        if link:
            send(link)
    return adoption


def keep(answers: Answers, entry: Entry) -> tuple[Adoption, PaymentLink | None]:
    """The adoption that waits, and its link, which nobody has been mailed yet; None if this visit made it before."""
    adoption, is_new = by_hand.keep(answers, entry, at=timezone.now())
    if not is_new:
        return adoption, None
    return adoption, PaymentLink.objects.create(adoption=adoption, expires_at=timezone.now() + GOOD_FOR)


def send(link: PaymentLink) -> bool:
    context = {
        "adoption": link.adoption,
        "pay_url": settings.SITE_URL + link.get_absolute_url(),
        "until": link.expires_at,
    }
    key = f"{link.pk}:{link.sendings}"
    return queue_mail("payment_link", to=link.adoption.supporter.email, key=key, context=context)


def find(token: str) -> Found | None:
    """The link behind an address; None for one that is not ours."""
    try:
        number = SIGNER.unsign(token)
    except signing.BadSignature:
        return None
    rows = PaymentLink.objects.select_related("adoption__supporter", "adoption__species", "adoption__plan")
    link = rows.filter(pk=number).first()
    return Found(link, may_be_paid(link)) if link else None


def may_be_paid(link: PaymentLink) -> bool:
    payable = PaymentLink.objects.filter(pk=link.pk, adoption__state__in=OPEN, adoption__supporter__erased_at=None)
    return payable.usable(at=timezone.now()).exists()


def page_to_pay(link: PaymentLink) -> str | None:
    """The one page at Stripe for this adoption; None if it needs no paying, or may not be paid any more.

    A colleague may withdraw the link while Stripe opens the page: then the page is closed again.
    """
    page = checkout.page_to_pay(link.adoption)
    if page and not may_be_paid(link):
        close_page(link.adoption)
        return None
    return page


def send_again(link: PaymentLink) -> bool:
    """With seven days from now. False if it was withdrawn, paid, or sent often enough."""
    with transaction.atomic():
        payable = PaymentLink.objects.filter(pk=link.pk, adoption__state__in=OPEN)
        if not PaymentLink.objects.filter(pk__in=payable).send_again(until=timezone.now() + GOOD_FOR):
            return False
        return send(PaymentLink.objects.select_related("adoption__supporter", "adoption__species").get(pk=link.pk))


def withdraw(link: PaymentLink, *, by: Model) -> bool:
    """It leads nowhere from now on. False if it did so before, or was paid.

    Raises StripeUnavailable or StripeRefused if the page at Stripe, opened before, could not be closed: it may still
    be paid until it runs out by itself.
    """
    payable = PaymentLink.objects.filter(pk=link.pk, adoption__state__in=OPEN)
    if not PaymentLink.objects.filter(pk__in=payable).withdraw(by=by):
        return False
    close_page(link.adoption)
    Adoption.objects.filter(pk=link.adoption_id).abandon()
    return True


def close_page(adoption: Adoption) -> None:
    session_id = Adoption.objects.values_list("stripe_session_id", flat=True).get(pk=adoption.pk)
    if session_id and stripe_gateway.read_session(session_id).status == "open":
        stripe_gateway.expire_session(session_id)
