"""Matchback: adoptions that came without a campaign's link, by people to whom its mail had gone.

Many read a mail on one device and adopt on another, or go by the address they know. Whom the mail went to is brought
as a list, kept as digests for as long as something can be found by it, and compared every night. What is found stands
apart and is added to nothing: somebody who was mailed may have come for any other reason.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import batched
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Min, QuerySet, Sum
from django.utils import timezone

from .consent import address_hash
from .models import Adoption, Answer, Campaign, Payment, SendList, SentTo, Source

WINDOWS = (30, 90)  # days after the mail, as charities count
LONGEST = timedelta(days=WINDOWS[-1])
MOST_BYTES = 30 << 20
BETWEEN = re.compile(rb"[\s,;:\"'<>()]+")  # split by it: a search for addresses takes for ever in a line of megabytes
LONGEST_ADDRESS = 254
TOGETHER, AT_A_TIME = 1_000, 50_000


def take(lines: Iterable[bytes], *, campaign: Campaign, sent_on: date, by: User) -> SendList | None:
    """Keep whom a mail went to, whatever else stands in the file; None if there is no address in it."""
    digests = {address_hash(found) for line in lines for found in addresses_in(line)}
    if not digests:
        return None
    with transaction.atomic():
        made = SendList.objects.create(campaign=campaign, sent_on=sent_on, addresses=len(digests), entered_by=by)
        into = f"COPY {SentTo._meta.db_table} (send_list_id, address_hash) FROM STDIN"
        with connection.cursor() as cursor:
            for some in batched(sorted(digests), AT_A_TIME):  # in the order of the index, and each in time
                with cursor.copy(into) as copy:
                    for digest in some:
                        copy.write_row((made.pk, digest))
    return made


def addresses_in(line: bytes) -> Iterator[str]:
    for word in BETWEEN.split(line):
        name, _, domain = word.rpartition(b"@")
        if name and b"." in domain.strip(b".") and len(word) <= LONGEST_ADDRESS:
            yield word.decode(errors="replace")


def look_back() -> int:
    """Find what came since, for every list that still may be answered; how many were found now."""
    since = timezone.localdate() - LONGEST
    return sum(match(each) for each in SendList.objects.filter(sent_on__gte=since))


def match(send_list: SendList) -> int:
    """A second look finds the same once."""
    known = Answer.objects.filter(send_list=send_list)
    before = known.count()
    for few in batched(_without_a_code(send_list.sent_on).iterator(TOGETHER), TOGETHER):
        by_digest: dict[str, list[Adoption]] = {}
        for adoption in few:
            by_digest.setdefault(address_hash(adoption.supporter.email), []).append(adoption)
        mailed = SentTo.objects.filter(send_list=send_list, address_hash__in=by_digest)
        found = [adoption for each in mailed for adoption in by_digest[each.address_hash]]
        Answer.objects.bulk_create(
            [Answer(send_list=send_list, adoption=each, days=(_day(each) - send_list.sent_on).days) for each in found],
            ignore_conflicts=True,
        )
    return known.count() - before


def _without_a_code(since: date) -> QuerySet[Adoption]:
    """Paid for, on whatever way they came; not what another system had collected before."""
    begun = Adoption.objects.filter(
        created_at__gte=_morning(since),
        created_at__lt=_morning(since + LONGEST + timedelta(days=1)),
        activated_at__isnull=False,
    )
    mine = begun.filter(campaign=None, campaign_code="", supporter__erased_at=None).exclude(source=Source.IMPORT)
    return mine.select_related("supporter").order_by("pk")


def _morning(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _day(adoption: Adoption) -> date:
    return timezone.localdate(adoption.created_at)


@dataclass(frozen=True, slots=True)
class Found:
    """Of one campaign: how many adoptions within so many days, and what the ledger has received for them, in pence."""

    campaign: Campaign
    within: int
    adoptions: int
    income_pence: int


def figures(campaigns: Iterable[Campaign]) -> Iterator[Found]:
    """Two lines for each campaign that has a list; an adoption that answers two mails of one campaign counts once."""
    wanted = {each.pk: each for each in campaigns}
    rows = Answer.objects.filter(send_list__campaign__in=wanted).order_by()
    soonest = list(rows.values_list("send_list__campaign", "adoption").annotate(Min("days")))
    paid = Payment.objects.filter(adoption__in=rows.values("adoption")).order_by().values_list("adoption")
    pence = dict(paid.annotate(Sum("amount_pence")))
    with_a_list = set(SendList.objects.filter(campaign__in=wanted).values_list("campaign", flat=True))
    for pk, campaign in wanted.items():
        for within in WINDOWS if pk in with_a_list else ():
            mine = [adoption for of, adoption, days in soonest if of == pk and days <= within]
            yield Found(campaign, within, len(mine), sum(pence.get(adoption, 0) for adoption in mine))


def forget(email: str) -> None:
    SentTo.objects.filter(address_hash=address_hash(email)).delete()


def export(email: str) -> list[dict[str, Any]]:
    """Which mails of campaigns an address is on a list of."""
    lists = SendList.objects.filter(sent_to__address_hash=address_hash(email))
    return [{"mailing": name, "sent_on": day} for name, day in lists.values_list("campaign__name", "sent_on")]
