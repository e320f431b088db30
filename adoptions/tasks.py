"""What the worker does for adoptions. Tasks take ids, fetch, delegate, and may run twice."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.tasks import task
from django.utils import timezone

from config import patience
from config.tasks import FIRST_WAIT, every, retried, whenever

from . import (
    access,
    campaign_sums,
    campaigns,
    declaring,
    fulfilment,
    gifts,
    likeness,
    link_walk,
    matchback,
    reconcile,
    refunds,
    reports,
    standing_orders,
    statements,
    taking_over,
    updates,
    webhooks,
)
from .exchange import exports, imports
from .models import EventState, StripeEvent

logger = logging.getLogger(__name__)

TOGETHER = 50
TURN = timedelta(seconds=20)
UNWORKED_AFTER = timedelta(minutes=1)


@whenever(lambda: StripeEvent.objects.waiting().exists())
@task
def work_inbox() -> None:
    """Work the events that wait. Those that fail are kept for staff, and each is tried again by itself."""
    until = patience.now() + TURN
    while patience.now() < until and (taken := StripeEvent.objects.take(TOGETHER)):
        for event_id, error in webhooks.work_together(taken, until=until).items():
            with transaction.atomic():
                park(event_id, error)
                work_event.using(run_after=timezone.now() + FIRST_WAIT).enqueue(event_id)


def park(event_id: str, error: Exception) -> None:
    StripeEvent.objects.filter(pk=event_id).park(reason=f"{type(error).__name__}: {error}")


@retried(max_attempts=10)
def work_event(event_id: str) -> None:
    """Work one event of Stripe's; what makes it fail is kept on its row for staff, and it is tried again."""
    try:
        webhooks.work(event_id)
    except Exception as error:
        park(event_id, error)
        raise


@every(minutes=1)
@task
def work_forgotten_events() -> None:
    """Events that a worker took and then died: each by itself, in case it was one of them that killed it."""
    long_ago = Now() - UNWORKED_AFTER
    forgotten = StripeEvent.objects.filter(received_at__lt=long_ago, state=EventState.RECEIVED, attempts__gt=0)
    for event_id in forgotten.values_list("pk", flat=True)[:100]:
        work_event.enqueue(event_id)


@retried(max_attempts=5)
def send_access_link(link_id: int) -> None:
    access.send(link_id)


@every(minutes=1)
@task
def deliver_gifts() -> None:
    """Send the presents whose time has come, and tell givers what became of theirs."""
    gifts.send_due()
    gifts.follow_mails()
    gifts.tell_of_waiting()


@every(minutes=1)
@task
def settle_takeovers() -> None:
    """Where somebody else has begun to pay, the payments before are stopped."""
    taking_over.settle_due()


@every(hours=1)
@task
def tell_of_unused_links() -> None:
    """Who mailed somebody a link to take over an adoption hears that it ran out."""
    taking_over.tell_of_unused()


@every(minutes=1)
@task
def note_gift_aid_records() -> None:
    """A declaration by word of mouth counts from when its written record has gone out."""
    declaring.note_records_sent()


@every(hours=1)
@task
def send_updates() -> None:
    updates.send_due()


@every(hours=1)
@task
def send_statements() -> None:
    statements.send_due()


@every(minutes=1)
@task
def ask_for_unanswered_refunds() -> None:
    refunds.ask_for_unanswered()


@every(hours=24)
@task
def write_before_it_happens() -> None:
    """Cards that run out, years that renew and adoptions that end: told while there is time to act."""
    standing_orders.tell_of_endings()
    for subscription_id in {*standing_orders.with_expiring_cards(), *standing_orders.with_yearly_renewals()}:
        look_ahead.enqueue(subscription_id)


@retried(max_attempts=6)
def look_ahead(subscription_id: str) -> None:
    fulfilment.look_ahead(subscription_id)


@every(hours=1)
@task
def compare_with_stripe() -> None:
    """Money match of the last days, and the alarm when Stripe has gone quiet."""
    compare(reconcile.HOURLY_DAYS)
    if reconcile.is_silent():
        logger.error("No webhook from Stripe for an hour, while subscriptions run. Is the endpoint switched on?")


@every(days=1)
@task
def compare_deeply_with_stripe() -> None:
    compare(reconcile.NIGHTLY_DAYS)


def compare(days: int) -> None:
    try:
        run = reconcile.reconcile(days=days)
    except reconcile.AlreadyComparing:
        return
    if run.found:
        logger.error("Money match: %s differences with Stripe, %s of them repaired.", run.found, run.repaired)


@every(days=1)
@task
def check_campaign_links() -> None:
    """Staff hear of a link that leads elsewhere before their readers do."""
    campaigns.check_links()
    walk_campaign_links.enqueue(0)


@every(days=1)
@task
def look_back_at_mails() -> None:
    """Adoptions that came without a campaign's link, by people to whom its mail had gone."""
    matchback.look_back()


@task
def walk_campaign_links(after: int) -> None:
    if last := link_walk.walk(after=after):
        walk_campaign_links.enqueue(last)


@every(minutes=10)
@task
def look_for_people_twice() -> None:
    likeness.look_round()


@every(hours=1)
@task
def gather_reports() -> None:
    """The sums that the reports of the admin show."""
    reports.gather()


@whenever(campaign_sums.is_outdated)
@task
def gather_reports_after_update() -> None:
    """An update may sum up what the one before did not."""
    reports.gather_if_outdated()


@whenever(exports.is_needed)
@task
def write_exports() -> None:
    """Lists that staff asked for, a part at a time."""
    exports.work(until=patience.now() + TURN)


@whenever(imports.is_needed)
@task
def work_imports() -> None:
    """Lists from elsewhere: looked through, brought in or undone, a batch at a time."""
    imports.work(until=patience.now() + TURN)
