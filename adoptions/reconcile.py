"""Compare with Stripe, keep the differences, repair the safe ones, and say one number: how many are left.

A comparison heals whatever webhooks missed, but healing is not the aim: each thing it had to repair is kept, because
a repaired difference means that something else did not work.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import DatabaseError, IntegrityError, connection
from django.db.models import Max
from django.utils import timezone

from . import fulfilment, ledger
from .comparison import Found, compare
from .models import ADOPTED, REPEATING, Adoption, Comparison, Difference, StripeEvent
from .stripe_gateway import StripeRefused
from .stripes_word import EVENTS_ARE_KEPT, StripesWord, ask, ask_about

logger = logging.getLogger(__name__)

HOURLY_DAYS, NIGHTLY_DAYS = 3, 35
OVERLAP = timedelta(hours=1)
SILENCE = timedelta(hours=1)
KEPT_FOR = timedelta(days=90)
ASKED_AGAIN = "Asked Stripe again and wrote down what it says."
GONE = "Matched when compared again."


class Match(NamedTuple):
    """How well we match Stripe: differences nobody has dealt with, and how old that knowledge is."""

    open: int
    checked_at: datetime | None
    last_event_at: datetime | None


class AlreadyComparing(Exception):
    """Another process is comparing right now."""


def state() -> Match:
    """The one number, and the two times that say whether to believe it."""
    return Match(
        open=Difference.objects.open().count(),
        checked_at=Comparison.objects.exclude(finished_at=None).aggregate(last=Max("started_at"))["last"],
        last_event_at=StripeEvent.objects.aggregate(last=Max("received_at"))["last"],
    )


def is_silent(*, now: datetime | None = None) -> bool:
    """Has Stripe told us nothing for an hour, although subscriptions run?"""
    last = state().last_event_at
    if last and last > (now or timezone.now()) - SILENCE:
        return False
    return Adoption.objects.filter(state__in=ADOPTED, frequency__in=REPEATING).exists()


def reconcile(*, days: int = HOURLY_DAYS) -> Comparison:
    """Compare everything of the last days. Raises StripeUnavailable, StripeRefused or AlreadyComparing.

    What Stripe changed since the last comparison is looked at however old it is; a deep comparison takes all events
    that Stripe keeps.
    """
    with only_once():
        now = timezone.now().replace(microsecond=0)
        last = Comparison.objects.exclude(finished_at=None).aggregate(last=Max("started_at"))["last"]
        run = Comparison.objects.create(started_at=now, days=days)
        is_shallow = last and days <= HOURLY_DAYS
        word = ask(now - timedelta(days=days), events_since=last - OVERLAP if is_shallow else now - EVENTS_ARE_KEPT)
        for warning in word.missed_warnings:  # no money moved, so there is nothing to compare: only somebody to call
            fulfilment.sync_warning(warning)
        found, left = compare_and_repair(word)
        for payout, lines in word.payouts:
            ledger.record_fees(payout.id, lines)
        Comparison.objects.filter(pk=run.pk).update(
            finished_at=timezone.now(),
            compared=len(word),
            missed_events=word.missed_events,
            found=found,
            repaired=found - left,
        )
        Comparison.objects.filter(started_at__lt=now - KEPT_FOR).delete()
    run.refresh_from_db()
    return run


@contextmanager
def only_once() -> Iterator[None]:
    """Two comparisons at once would find the same and repair it twice: harmless, but twice the requests.

    The lock belongs to a transaction, held open on a connection of its own, and so ends with the process. A lock of the
    session would outlive it behind a pooler such as PgBouncer, where the next statement has another session.
    """
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('reconcile'))")
            row = cursor.fetchone()
        if not row or not row[0]:
            raise AlreadyComparing
        yield
    finally:
        with suppress(DatabaseError):  # it may be what failed
            holder.rollback()  # a server notices later that a connection is closed, and holds its lock until then
        holder.close()


def compare_and_repair(word: StripesWord) -> tuple[int, int]:
    """How many differences were found, and how many of them are left."""
    first = [one for one in compare(word) if keep(one)]
    for found in first:
        if found.repair:
            repair(found)
    left = {one.key: one for one in compare(word)} if first else {}
    close_those_gone(word, {one.key for one in first}, left)
    return len(first), len([one for one in first if one.key in left])


def keep(found: Found) -> bool:
    """Write a difference down; False if a person has looked at exactly this one before and left it as it is."""
    what: dict[str, Any] = {"kind": found.kind, "what": found.what, "stripe_id": found.stripe_id}
    amounts = {"ours_pence": found.ours_pence, "theirs_pence": found.theirs_pence}
    if Difference.objects.filter(**what, **amounts).exclude(settled_by=None).exists():
        return False
    values = {**amounts, "adoption_id": found.adoption_id, "note": found.note[:300]}
    Difference.objects.open().update_or_create(defaults=values, **what)
    return True


def repair(found: Found) -> None:
    """Ask Stripe again. Whether it helped is told by comparing again, not by this."""
    try:
        if found.repair:
            found.repair()
    except (StripeRefused, IntegrityError) as error:
        logger.error("Could not repair %s: %s", found.stripe_id, type(error).__name__)


def close_those_gone(
    word: StripesWord, repaired: set[tuple[str, str, str]], left: dict[tuple[str, str, str], Found]
) -> None:
    """Close what matches now: what was just repaired, and older ones that mended in the meantime."""
    looked_at = word.ids()
    for difference in Difference.objects.open():
        key = (difference.kind, difference.what, difference.stripe_id)
        if key in left:
            continue
        if key in repaired or difference.stripe_id in looked_at:
            Difference.objects.filter(pk=difference.pk).repair(how=ASKED_AGAIN if key in repaired else GONE)
            if key in repaired:
                logger.warning("Repaired a difference with Stripe: %s %s", difference.kind, difference.stripe_id)


def ask_again(difference: Difference) -> bool:
    """The button beside one difference: bring this object in line now; whether it matches afterwards."""
    word = ask_about(difference.stripe_id)
    for found in compare(word):
        if found.repair:
            repair(found)
    left = {one.key for one in compare(word)}
    if (difference.kind, difference.what, difference.stripe_id) in left or not word.ids():
        return False
    return Difference.objects.filter(pk=difference.pk).repair(how=ASKED_AGAIN) == 1
