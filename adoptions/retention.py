"""Whose time with us is over, for `config/retention.toml`: the rows to let go of, and how.

Every function that finds rows takes the moment before which all is too old. The financial year ends on 31 March.
"""

from datetime import UTC, datetime, time

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from config.retention import unlocked

from . import gift_emails, personal_data
from .models import (
    Adoption,
    Complaint,
    ConsentEvent,
    EventState,
    Frequency,
    Gift,
    GiftAidDeclaration,
    Merge,
    Payment,
    SentTo,
    StripeEvent,
    Supporter,
)

YEAR_BEGINS = (4, 1)


def start_of_year(moment: datetime) -> datetime:
    """When the financial year of a moment began: payments before it are of years that were over by then."""
    day = timezone.localdate(moment)
    year = day.year if (day.month, day.day) >= YEAR_BEGINS else day.year - 1
    return timezone.make_aware(datetime.combine(day.replace(year, *YEAR_BEGINS), time.min)).astimezone(UTC)


def of_supporter(rows: QuerySet[Adoption] | QuerySet[Payment], path: str) -> Exists:
    return Exists(rows.filter(**{path: OuterRef("pk")}))


def sent_long_ago(before: datetime) -> QuerySet[SentTo]:
    return SentTo.objects.filter(send_list__sent_on__lt=timezone.localdate(before))


# --- supporters ---------------------------------------------------------------------------------------------------


def supporters_of_long_ago(before: datetime) -> QuerySet[Supporter]:
    """Who paid, has nothing that still runs, and paid for the last time in a year that is over for long enough."""
    paid = Payment.objects.all()
    lately = paid.filter(occurred_at__gte=start_of_year(before))
    return Supporter.objects.filter(
        ~of_supporter(Adoption.objects.filter(personal_data.running()), "supporter"),
        of_supporter(paid, "adoption__supporter"),
        ~of_supporter(lately, "adoption__supporter"),
        erased_at=None,
    )


def supporters_who_never_paid(before: datetime) -> QuerySet[Supporter]:
    """Nor adopted in any other way, nor still tries to. Whom a list from elsewhere brought never began: see below."""
    return who_adopted_nothing(before).filter(listed_at=None)


def supporters_of_lists(before: datetime) -> QuerySet[Supporter]:
    """Whom a list from elsewhere brought, and who has not adopted in all the time since."""
    return who_adopted_nothing(before).filter(listed_at__lt=before)


def who_adopted_nothing(before: datetime) -> QuerySet[Supporter]:
    not_over = personal_data.running() | Q(created_at__gte=before) | Q(activated_at__isnull=False)
    return Supporter.objects.filter(
        ~of_supporter(Adoption.objects.filter(not_over), "supporter"),
        ~of_supporter(Payment.objects.all(), "adoption__supporter"),
        erased_at=None,
        created_at__lt=before,
    )


def forget_supporters(rows: QuerySet[Supporter]) -> None:
    """Each is looked at once more with the row locked: they may be adopting at this moment."""
    for supporter in Supporter.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).select_for_update(
        no_key=True
    ):
        if rows.filter(pk=supporter.pk).exists():
            personal_data.forget(supporter)


def merges_of_long_ago(before: datetime) -> QuerySet[Merge]:
    return Merge.objects.filter(at__lt=before, memory__isnull=False)


def forget_merges(rows: QuerySet[Merge]) -> None:
    Merge.objects.filter(pk__in=rows.values("pk")).forget()


# --- what hangs on them -------------------------------------------------------------------------------------------


def declarations_of_long_ago(before: datetime) -> QuerySet[GiftAidDeclaration]:
    """Of supporters we have forgotten, with no payment that the tax office may still ask about."""
    lately = Payment.objects.filter(adoption__supporter=OuterRef("supporter"), occurred_at__gte=start_of_year(before))
    return GiftAidDeclaration.objects.filter(~Exists(lately), supporter__erased_at__isnull=False)


def delete_declarations(rows: QuerySet[GiftAidDeclaration]) -> None:
    unlocked("adoptions.GiftAidDeclaration:kept", rows.delete)


def consents_of_long_ago(before: datetime) -> QuerySet[ConsentEvent]:
    return ConsentEvent.objects.filter(Q(supporter=None) | Q(supporter__erased_at__lt=before), at__lt=before)


def delete_consents(rows: QuerySet[ConsentEvent]) -> None:
    unlocked("adoptions.ConsentEvent:append_only", rows.delete)


def delete_complaints(rows: QuerySet[Complaint]) -> None:
    unlocked("adoptions.Complaint:kept", rows.delete)


def gifts_of_long_ago(before: datetime) -> QuerySet[Gift]:
    """An adoption that is paid for once has no end: it counts from the payment."""
    once = Q(adoption__frequency=Frequency.ONCE, adoption__activated_at__lt=before)
    over = Q(adoption__ended_at__lt=before) | once
    return Gift.objects.filter(over, erased_at=None)


def forget_recipients(rows: QuerySet[Gift]) -> None:
    for gift in rows:
        gift_emails.erase_copies(gift)
        Gift.objects.filter(pk=gift.pk).erase()


def events_of_long_ago(before: datetime) -> QuerySet[StripeEvent]:
    """Events that are parked are not over yet: what they say is still to be worked."""
    return StripeEvent.objects.filter(state__in=[EventState.DONE, EventState.IGNORED], received_at__lt=before)
