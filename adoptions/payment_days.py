"""When the next payment of a subscription falls due, counted as Stripe counts: from the day it began."""

import calendar
from datetime import date, datetime, timedelta

from django.utils import timezone

from .stripe_objects import Subscription

MONTHS = {"month": 1, "year": 12}
A_DAY = timedelta(days=1)
RUNNING = {"active", "trialing", "past_due", "unpaid"}


def next_payment(subscription: Subscription) -> date | None:
    """The day for people here; None if nothing more is taken as things stand."""
    end = subscription.current_period_end
    if subscription.status not in RUNNING or end is None or (subscription.cancel_at and subscription.cancel_at <= end):
        return None
    if not subscription.is_paused:
        return timezone.localdate(end)
    return timezone.localdate(first_after(subscription, end)) if subscription.resumes_at else None


def after_skipping(end: datetime) -> date:
    """Until when a subscription is paused to leave out the one payment that falls due then."""
    return timezone.localdate(end) + A_DAY


def skipped(subscription: Subscription) -> date | None:
    """The day of the one payment that a pause leaves out; None for a pause of another length, or none."""
    end, resumes_at = subscription.current_period_end, subscription.resumes_at
    if not (subscription.is_paused and end and resumes_at and timezone.localdate(resumes_at) == after_skipping(end)):
        return None
    return timezone.localdate(end)


def first_after(subscription: Subscription, end: datetime) -> datetime:
    """The first end of a period at which a paused subscription is charged again."""
    begun, step, resumes_at = subscription.begun_at or end, MONTHS[subscription.interval], subscription.resumes_at
    months = 0
    while resumes_at and end < resumes_at:
        end, months = max(end, months_after(begun, months)), months + step
    return end


def months_after(moment: datetime, months: int) -> datetime:
    """31 January is followed by 28 February and then by 31 March."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def last_day(expires: tuple[int, int] | None) -> date | None:
    """A card works until the end of the month printed on it."""
    return date(*expires, calendar.monthrange(*expires)[1]) if expires else None
