"""What each campaign has brought, summed up every hour with the other reports: the lines that are kept, and read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from config.long_lists import AnyOf

from . import gift_aid
from .models import ADOPTED, Adoption, Campaign, CampaignDay, Frequency, Payment, PaymentKind, ReportLine
from .models.reports import line

EVER_ADOPTED = Q(activated_at__isnull=False)
REPORT = "campaigns"
# Of what is summed up, in reports.py as well as here: one more when anything is summed up that was not before. Until
# the worker has summed up by it, what a version before kept is not read: of a new figure it has nothing, which is no 0.
VERSION = 1
KEPT_BY = "version"
GAVE = "gave "  # and how many pence: so many adoptions gave that much, of which any mean and any median can be had

type Sums = Iterable[tuple[int, str, int]]  # the key of a campaign, what it is, and how many or how many pence


def summed_up_at() -> datetime | None:
    """None: on the spot, for it has not been done yet, or not by this version.

    A later version's sums are good: while an update goes out, two versions do not undo each other's work in turn.
    """
    return ReportLine.objects.filter(report=KEPT_BY, number__gte=VERSION).gathered_at()


def is_outdated() -> bool:
    """After an update, and on a new site, nobody waits for the next hour."""
    return summed_up_at() is None


def sums(campaigns: list[Campaign]) -> Sums:
    """As they are kept, or made on the spot; landings are those of now."""
    ids = [each.pk for each in campaigns]
    return chain(_kept(ids) if summed_up_at() else _read(everything(campaigns)), _landings(ids))


def _landings(campaigns: list[int]) -> Sums:
    rows = CampaignDay.objects.filter(AnyOf(F("campaign_id"), campaigns)).order_by()
    for pk, came in rows.values_list("campaign_id").annotate(came=Sum("landings")):
        yield pk, "landings", came


def _kept(campaigns: list[int]) -> Sums:
    """A key ends in that of the campaign."""
    last = Func(F("key"), Value(" "), Value(-1), function="split_part", output_field=CharField())
    lines = ReportLine.objects.filter(AnyOf(last, list(map(str, campaigns))), report=REPORT)
    return _read(lines.values("key", "number", "pence"))


def _read(lines: Iterable[Mapping[str, Any]]) -> Sums:
    """A line has either a number or pence."""
    for each in lines:
        what, _, pk = each["key"].rpartition(" ")
        yield int(pk), what, each["number"] or each["pence"]


def everything(campaigns: Iterable[Campaign]) -> Iterator[dict[str, Any]]:
    """The lines to keep of these campaigns."""
    wanted, today = list(campaigns), timezone.localdate()
    for pk, number, pence in chain(_adoptions(wanted), _new(wanted), _first(wanted), _payments(wanted), _tax(wanted)):
        for what, value in number.items():
            yield line(REPORT, today, f"{what} {pk}", value)
        for what, value in pence.items():
            yield line(REPORT, today, f"{what} {pk}", 0, value)


type Parts = Iterator[tuple[int, dict[str, int], dict[str, int]]]  # of a campaign: numbers, and pence


def _adoptions(campaigns: list[Campaign]) -> Parts:
    in_a_year = Case(
        When(frequency=Frequency.MONTHLY, then=F("amount_pence") * 12),
        default=F("amount_pence"),
        output_field=IntegerField(),
    )
    rows = (
        Adoption.objects.filter(campaign__in=campaigns)
        .order_by()
        .values("campaign_id", "amount_pence")
        .annotate(
            started=Count("pk"),
            gave=Count("pk", filter=EVER_ADOPTED),
            late=Count("pk", filter=EVER_ADOPTED & Q(created_at__gt=F("campaign__ends_at"))),
            year_pence=Coalesce(Sum(in_a_year, filter=Q(state__in=ADOPTED)), 0),
        )
    )
    summed: dict[int, tuple[Counter[str], Counter[str]]] = {}
    for row in rows:
        number, pence = summed.setdefault(row["campaign_id"], (Counter(), Counter()))
        number.update(started=row["started"], late=row["late"])
        pence.update(year_pence=row["year_pence"])
        if row["gave"]:
            number[f"{GAVE}{row['amount_pence']}"] = row["gave"]
    for pk, (number, pence) in summed.items():
        yield pk, number, pence


def their_first(adoptions: QuerySet[Adoption]) -> QuerySet[Adoption]:
    """Of the adopted ones, the first of whoever adopted: what came from another system before counts as well."""
    at, pk = OuterRef("activated_at"), OuterRef("pk")
    before = Q(activated_at__lt=at) | Q(activated_at=at, pk__lt=pk)
    theirs = Adoption.objects.filter(before, supporter=OuterRef("supporter"))
    return adoptions.filter(EVER_ADOPTED, ~Exists(theirs))


def _new(campaigns: list[Campaign]) -> Parts:
    rows = their_first(Adoption.objects.filter(campaign__in=campaigns)).order_by()
    for pk, number in rows.values_list("campaign_id").annotate(number=Count("pk")):
        yield pk, {"new": number}, {}


def _first(campaigns: list[Campaign]) -> Parts:
    known = {campaign.code: campaign.pk for campaign in campaigns}
    rows = Adoption.objects.filter(EVER_ADOPTED, first_campaign_code__in=known).order_by()
    for code, number in rows.values_list("first_campaign_code").annotate(number=Count("pk")):
        yield known[code], {"first": number}, {}


def _payments(campaigns: list[Campaign]) -> Parts:
    rows = Payment.objects.filter(adoption__campaign__in=campaigns).order_by().values("adoption__campaign_id")
    summed = rows.annotate(
        income_pence=Coalesce(Sum("amount_pence"), 0),
        returned_pence=Coalesce(-Sum("amount_pence", filter=~Q(kind=PaymentKind.CHARGE)), 0),
    )
    for pk, income, returned in summed.values_list("adoption__campaign_id", "income_pence", "returned_pence"):
        yield pk, {}, {"income_pence": income, "returned_pence": returned}


def _tax(campaigns: list[Campaign]) -> Parts:
    rows = gift_aid.expected(Payment.objects.filter(adoption__campaign__in=campaigns)).order_by()
    summed = rows.values("adoption__campaign_id").annotate(pence=Sum("tax_pence"))
    for pk, pence in summed.values_list("adoption__campaign_id", "pence"):
        yield pk, {}, {"tax_pence": pence}
