"""What needs a person today: the numbers on the first page of the admin, each a link to its rows.

Each asks one indexed question, and nobody is shown a number about rows they may not see.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.models import PermissionsMixin as HasPermissions
from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from config.mail import IS_LATE_AFTER
from config.models import Mail, MailState
from species.models import Comment, CommentStatus, Fact

from . import reconcile
from .models import (
    Adoption,
    AdoptionState,
    Attention,
    Campaign,
    Complaint,
    EventState,
    Gift,
    HandEntry,
    Likeness,
    StripeEvent,
)
from .models.complaints import GROWS_LATE_AFTER
from .models.gifts import GiftState

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Matter:
    """One number: how many rows wait, of what, and where they are. `is_urgent`: more than none is bad news."""

    label: str
    count: int
    address: str
    is_urgent: bool
    note: str = ""

    @property
    def is_quiet(self) -> bool:
        return self.count == 0


def matters(user: AbstractBaseUser | AnonymousUser) -> list[Matter]:
    """All that this member of staff may see, bad news first."""
    found = [make() for permission, make in MATTERS if isinstance(user, HasPermissions) and user.has_perm(permission)]
    return sorted(found, key=lambda matter: not (matter.is_urgent and matter.count))


def rows_of(name: str, query: str = "") -> str:
    return reverse(f"admin:{name}_changelist") + query


def differences() -> Matter:
    """The one number finance signs: where Stripe and our ledger disagree."""
    match = reconcile.state()
    checked = f"checked {timesince(match.checked_at)} ago" if match.checked_at else "not checked yet"
    heard = f"Stripe last wrote {timesince(match.last_event_at)} ago" if match.last_event_at else "Stripe never wrote"
    address = rows_of("adoptions_difference")
    return Matter("differences with Stripe", match.open, address, is_urgent=True, note=f"{checked}; {heard}")


def attentions() -> Matter:
    count = Attention.objects.open().count()
    return Matter("things to look at", count, rows_of("adoptions_attention"), is_urgent=True)


def complaints() -> Matter:
    """Bad news as soon as one waits for so long that the month for its answer runs out."""
    waiting = Complaint.objects.open().aggregate(count=Count("*"), oldest=Min("received_at"))  # out of the index alone
    count, oldest = waiting["count"], waiting["oldest"]
    note, is_late = "", False
    if oldest:
        left = Complaint(received_at=oldest).days_left
        note = f"the first is due in {left} days" if left >= 0 else f"the first is {-left} days overdue"
        is_late = oldest < timezone.now() - GROWS_LATE_AFTER
    address = rows_of("adoptions_complaint", "?state=open")
    return Matter("complaints to answer", count, address, is_urgent=is_late, note=note)


def failed_payments() -> Matter:
    count = Adoption.objects.filter(state=AdoptionState.PAST_DUE).count()
    address = rows_of("adoptions_adoption", f"?state__exact={AdoptionState.PAST_DUE}")
    return Matter("adoptions whose payment failed", count, address, is_urgent=False)


def unseen_money() -> Matter:
    """Cheques, cash and transfers that were written down; bad news if one is not at the bank after a week."""
    waiting = HandEntry.objects.unseen().aggregate(count=Count("pk"), oldest=Min("entered_at"))
    oldest = waiting["oldest"]
    note = f"the oldest for {timesince(oldest)}" if oldest else ""
    is_late = bool(oldest) and oldest < timezone.now() - WEEK
    address = rows_of("adoptions_handentry", "?bank=unseen")
    return Matter("cheques, cash and transfers to find at the bank", waiting["count"], address, is_late, note)


def parked_events() -> Matter:
    count = StripeEvent.objects.filter(state=EventState.PARKED).count()
    address = rows_of("adoptions_stripeevent", f"?state__exact={EventState.PARKED}")
    return Matter("events of Stripe's that could not be worked", count, address, is_urgent=True)


def failing_mails() -> Matter:
    """Given up, come back this week, or still waiting long after it should have gone."""
    late = timezone.now() - IS_LATE_AFTER
    this_week = Q(failed_at__gt=timezone.now() - WEEK)
    failed = Mail.objects.failing().filter(Q(state=MailState.FAILED) | this_week).count()
    waiting = Mail.objects.filter(state=MailState.QUEUED, created_at__lt=late).count()
    states = f"?state__in={MailState.FAILED},{MailState.BOUNCED}" if failed else f"?state__exact={MailState.QUEUED}"
    note = f"{failed} given up or come back, {waiting} late" if failed or waiting else ""
    address = rows_of("config_mail", states)
    return Matter("mails that do not get through", failed + waiting, address, is_urgent=True, note=note)


def waiting_comments() -> Matter:
    waiting = Comment.objects.filter(status=CommentStatus.PENDING)
    oldest = waiting.order_by("pk").values_list("created_at", flat=True).first()
    note = f"the oldest for {timesince(oldest)}" if oldest else ""
    return Matter("comments waiting", waiting.count(), rows_of("species_comment"), is_urgent=False, note=note)


def gifts_this_week() -> Matter:
    soon = timezone.localdate() + WEEK
    count = Gift.objects.filter(state=GiftState.SCHEDULED, deliver_on__lte=soon).count()
    address = rows_of("adoptions_gift", f"?state__exact={GiftState.SCHEDULED}")
    return Matter("presents going out this week", count, address, is_urgent=False)


def facts_to_review() -> Matter:
    count = Fact.objects.review_due(on=timezone.localdate()).count()
    return Matter("facts due for review", count, rows_of("species_fact"), is_urgent=False)


def people_twice() -> Matter:
    count = Likeness.objects.open().filter(first__erased_at=None, second__erased_at=None).count()
    address = rows_of("adoptions_likeness", "?state=open")
    return Matter("pairs that may be one person", count, address, is_urgent=False)


def live_campaigns() -> Matter:
    count = Campaign.objects.running().count()
    return Matter("campaigns running", count, rows_of("adoptions_campaign"), is_urgent=False)


MATTERS: list[tuple[str, Callable[[], Matter]]] = [
    ("adoptions.view_difference", differences),
    ("adoptions.view_attention", attentions),
    ("adoptions.view_complaint", complaints),
    ("adoptions.view_stripeevent", parked_events),
    ("adoptions.change_handentry", unseen_money),
    ("config.view_mail", failing_mails),
    ("adoptions.view_adoption", failed_payments),
    ("species.view_comment", waiting_comments),
    ("adoptions.view_gift", gifts_this_week),
    ("adoptions.add_merge", people_twice),
    ("species.view_fact", facts_to_review),
    ("adoptions.view_campaign", live_campaigns),
]
