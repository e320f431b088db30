"""Who rings wants money back, and whoever answers may not give it: finance is asked, once, and mailed.

No money moves here. What is asked for is a thing to look at, with a link to the page that refunds. It is closed by the
refund itself (see adoptions/ledger.py), or by whoever says what became of it; after that it can be asked for again.
"""

from django.contrib.auth.models import AnonymousUser, PermissionsMixin
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from config.money import pounds

from . import attention
from .models import Adoption, Attention, AttentionKind, Payment, RefundReason

MAY_ASK = ("adoptions.view_payment", "adoptions.add_change")
LONGEST_NOTE = 120  # with who asks, how much and why it is one `reason` of a thing to look at


def has_to_ask(user: PermissionsMixin | AnonymousUser) -> bool:
    """They help who rings, and are not of those who refund."""
    return user.has_perms(MAY_ASK) and not user.has_perm("adoptions.add_refundrequest")


def ask(payment: Payment, *, pence: int, reason: RefundReason, note: str, by: Model) -> Attention | None:
    """Call finance; None if they were called about this payment before, and have not dealt with it.

    Its key counts what was dealt with: of two who ask at once the second finds that of the first.
    """
    before = Attention.objects.wishing_back(payment).exclude(resolved_at=None).count()
    day = date_format(timezone.localtime(payment.occurred_at), "j F Y")
    words = f"{by} asks to give back {pounds(pence)} of the {pounds(payment.amount_pence)} paid on {day}: "
    words += f"{reason.label[:1].lower()}{reason.label[1:]}. {note}"
    key = f"{payment.pk}:{before}"
    return attention.call(AttentionKind.REFUND_ASKED, key=key, adoption=payment.adoption, reason=words.strip())


def waiting(adoptions: list[Adoption]) -> dict[int, Attention]:
    """What finance has not dealt with yet, by the number of the payment."""
    rows = Attention.objects.open().filter(kind=AttentionKind.REFUND_ASKED, adoption__in=adoptions)
    return {payment_id_of(row): row for row in rows}


def payment_id_of(wish: Attention) -> int:
    return int(wish.key.partition(":")[0])


def page_that_refunds(payment: Payment) -> str:
    """Where finance gives it back."""
    return reverse("admin:refund_by_hand" if payment.is_by_hand else "admin:refund", args=[payment.pk])
