"""E10: what somebody gave in a tax year, told once after it has ended on 5 April.

To whom it is of use: those who gave more than once, and those who let us claim Gift Aid, some of whom claim the rest
of their tax back themselves. Only what came through this site is in it: money that another system collected before, and
a list brought in here, had receipts and statements of its own.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.formats import date_format

from config.mail import queue_mail
from config.models import Mail

from . import benefits, emails, gift_aid
from .models import Adoption, GiftAidDeclaration, Payment, PaymentKind, Supporter

SENT_FOR = timedelta(days=56)  # as long as a worker may have been away; after that it is no news
MOST_AT_ONCE = 300


@dataclass(frozen=True)
class Year:
    """From 6 April to 5 April, in London."""

    ends_in: int

    @property
    def start(self) -> datetime:
        return timezone.make_aware(datetime(self.ends_in - 1, 4, 6))  # noqa: DTZ001  made aware here

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return timezone.make_aware(datetime(self.ends_in, 4, 6))  # noqa: DTZ001  made aware here

    def __str__(self) -> str:
        return f"{self.ends_in - 1}–{self.ends_in % 100:02}"


@dataclass(frozen=True)
class Line:
    day: str
    what: str
    amount_pence: int
    is_gift_aided: bool


def ended_lately(today: date) -> Year | None:
    """The tax year to tell of now; None once that is long ago."""
    ended = date(today.year, 4, 6)
    return Year(today.year) if ended <= today < ended + SENT_FOR else None


def send_due() -> int:
    """Send what is due; how many that were."""
    year = ended_lately(timezone.localdate())
    return sum(send(supporter, year) for supporter in due(year)[:MOST_AT_ONCE]) if year else 0


def due(year: Year) -> QuerySet[Supporter]:
    within = Q(
        adoptions__payments__occurred_at__gte=year.start,
        adoptions__payments__occurred_at__lt=year.end,
        adoptions__payments__is_brought_in=False,
    )
    key = Concat(Value("annual_statement:"), Cast(OuterRef("pk"), CharField()), Value(f":{year.ends_in}"))
    declared = GiftAidDeclaration.objects.filter(supporter=OuterRef("pk"))
    given = (
        Supporter.objects.reachable()
        .filter(within)
        .annotate(
            times=Count("adoptions__payments", filter=Q(adoptions__payments__kind=PaymentKind.CHARGE)),
            total=Sum("adoptions__payments__amount_pence"),
        )
    )
    return given.filter(Q(times__gt=1) | Exists(declared), ~Exists(Mail.objects.filter(key=key)), total__gt=0).order_by(
        "pk"
    )


def send(supporter: Supporter, year: Year) -> bool:
    payments = Payment.objects.through_us().filter(
        adoption__supporter=supporter, occurred_at__gte=year.start, occurred_at__lt=year.end
    )
    lines = [line_of(payment) for payment in payments.select_related("adoption__species").order_by("occurred_at", "pk")]
    adoption = Adoption.objects.filter(supporter=supporter).select_related("species", "supporter").first()
    context = {
        "adoption": adoption,
        "year": str(year),
        "lines": lines,
        "total_pence": sum(line.amount_pence for line in lines),
        "gift_aid_pence": sum(line.amount_pence for line in lines if line.is_gift_aided),
        "manage_url": emails.manage_url(),
    }
    return queue_mail("annual_statement", to=supporter.email, key=f"{supporter.pk}:{year.ends_in}", context=context)


def line_of(payment: Payment) -> Line:
    """A refund counts as the payment that it takes back."""
    paid = payment.charge or payment
    adoption = payment.adoption
    is_within = benefits.is_within(adoption.benefit_pence, paid.amount_pence, adoption.frequency)
    return Line(
        day=date_format(timezone.localtime(payment.occurred_at), "j F Y"),
        what=f"{payment.get_kind_display()}, {adoption.species.common_name}, {adoption.reference}",
        amount_pence=payment.amount_pence,
        is_gift_aided=is_within and gift_aid.covering(paid) is not None,
    )
