"""What needs a person today: the numbers on the first page of the admin, each a link to its rows.

Each asks one indexed question, and nobody is shown a number about rows they may not see.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.models import PermissionsMixin as HasPermissions
from django.db.models import Count, Min
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from config import mail, mail_words
from config.models import BlockedLoad
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
    RefundRequest,
    StripeEvent,
)
from .models.complaints import GROWS_LATE_AFTER

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Matter:
    """One number: how many rows wait, of what, and the list of exactly those. `is_urgent`: more than none is bad news.

    `single`: what one of them is called.
    """

    label: str
    single: str
    count: int
    address: str
    is_urgent: bool
    note: str = ""

    @property
    def words(self) -> str:
        return self.single if self.count == 1 else self.label

    @property
    def is_quiet(self) -> bool:
        return self.count == 0


def matters(user: AbstractBaseUser | AnonymousUser) -> list[Matter]:
    """All that this member of staff may see, bad news first."""
    if not (isinstance(user, AbstractBaseUser) and isinstance(user, HasPermissions)):
        return []
    found = [make() for permission, make in matters_for(user) if user.has_perm(permission)]
    return sorted(found, key=lambda matter: not (matter.is_urgent and matter.count))


def rows_of(name: str, query: str = "") -> str:
    return reverse(f"admin:{name}_changelist") + query


def differences() -> Matter:
    """The one number finance signs: where Stripe and our ledger disagree."""
    match = reconcile.state()
    checked = f"checked {timesince(match.checked_at)} ago" if match.checked_at else "not checked yet"
    heard = f"Stripe last wrote {timesince(match.last_event_at)} ago" if match.last_event_at else "Stripe never wrote"
    address = rows_of("adoptions_difference")
    return Matter(
        "differences with Stripe",
        "difference with Stripe",
        match.open,
        address,
        is_urgent=True,
        note=f"{checked}; {heard}",
    )


def attentions() -> Matter:
    count = Attention.objects.open().count()
    return Matter(
        "things to look at", "thing to look at", count, rows_of("adoptions_attention", "?state=open"), is_urgent=True
    )


def complaints() -> Matter:
    """Bad news as soon as one waits for so long that the month for its answer runs out."""
    waiting = Complaint.objects.open().aggregate(count=Count("*"), oldest=Min("received_at"))  # out of the index alone
    count, oldest = waiting["count"], waiting["oldest"]
    note, is_late = "", False
    if oldest:
        left = Complaint(received_at=oldest).days_left
        days = f"{abs(left)} day{'' if abs(left) == 1 else 's'}"
        note = f"the first is due in {days}" if left >= 0 else f"the first is {days} overdue"
        is_late = oldest < timezone.now() - GROWS_LATE_AFTER
    address = rows_of("adoptions_complaint", "?state=open")
    return Matter("complaints to answer", "complaint to answer", count, address, is_urgent=is_late, note=note)


def failed_payments() -> Matter:
    count = Adoption.objects.filter(state=AdoptionState.PAST_DUE).count()
    address = rows_of("adoptions_adoption", f"?state__exact={AdoptionState.PAST_DUE}")
    return Matter("adoptions whose payment failed", "adoption whose payment failed", count, address, is_urgent=False)


def unseen_money() -> Matter:
    """Cheques, cash and transfers that were written down; bad news if one is not at the bank after a week."""
    waiting = HandEntry.objects.unseen().aggregate(count=Count("pk"), oldest=Min("entered_at"))
    oldest = waiting["oldest"]
    note = f"the oldest for {timesince(oldest)}" if oldest else ""
    is_late = bool(oldest) and oldest < timezone.now() - WEEK
    address = rows_of("adoptions_handentry", "?bank=unseen")
    words = ("cheques, cash and transfers to find at the bank", "cheque, cash or transfer to find at the bank")
    return Matter(*words, waiting["count"], address, is_late, note)


def refunds_for_a_second(user: AbstractBaseUser) -> Matter:
    """Above what one person may give back alone; not those that they asked for, which somebody else decides."""
    words = ("refunds waiting for a second person", "refund waiting for a second person")
    address = rows_of("adoptions_refundrequest", "?state=yours")
    return Matter(*words, RefundRequest.objects.to_decide(by=user).count(), address, is_urgent=False)


def parked_events() -> Matter:
    count = StripeEvent.objects.filter(state=EventState.PARKED).count()
    address = rows_of("adoptions_stripeevent", f"?state__exact={EventState.PARKED}")
    return Matter(
        "events of Stripe's that could not be worked",
        "event of Stripe's that could not be worked",
        count,
        address,
        is_urgent=True,
    )


def failing_mails() -> Matter:
    """Given up, come back this week, or still waiting long after it should have gone."""
    now = timezone.now()
    failed, waiting = mail.given_up(now=now).count(), mail.late(now=now).count()
    note = f"{failed} given up or come back, {waiting} late" if failed or waiting else ""
    words = ("mails that do not get through", "mail that does not get through")
    return Matter(*words, failed + waiting, rows_of("config_mail", "?stuck=yes"), is_urgent=True, note=note)


def waiting_comments() -> Matter:
    waiting = Comment.objects.filter(status=CommentStatus.PENDING)
    oldest = waiting.order_by("pk").values_list("created_at", flat=True).first()
    note = f"the oldest for {timesince(oldest)}" if oldest else ""
    return Matter(
        "comments waiting", "comment waiting", waiting.count(), rows_of("species_comment"), is_urgent=False, note=note
    )


def gifts_this_week() -> Matter:
    count = Gift.objects.going_out(by=timezone.localdate() + WEEK).count()
    address = rows_of("adoptions_gift", "?going=week")
    return Matter("presents going out this week", "present going out this week", count, address, is_urgent=False)


def facts_to_review() -> Matter:
    count = Fact.objects.review_due(on=timezone.localdate()).count()
    return Matter(
        "facts due for review", "fact due for review", count, rows_of("species_fact", "?review=due"), is_urgent=False
    )


def people_twice() -> Matter:
    count = Likeness.objects.open().of_people().count()
    address = rows_of("adoptions_likeness", "?state=open")
    return Matter("pairs that may be one person", "pair that may be one person", count, address, is_urgent=False)


def blocked_loads() -> Matter:
    since = timezone.localdate() - WEEK
    count = BlockedLoad.objects.filter(day__gte=since).count()
    address = rows_of("config_blockedload", f"?day__gte={since}")
    return Matter(
        "kinds of things that browsers blocked on our pages this week",
        "kind of thing that browsers blocked on our pages this week",
        count,
        address,
        is_urgent=False,
    )


def unusable_words() -> Matter:
    """Of staff's own words that fit their mail no more: it goes out in ours."""
    words = ("mails whose words of yours can no longer be used", "mail whose words of yours can no longer be used")
    return Matter(*words, len(mail_words.unusable()), rows_of("config_mailwords"), is_urgent=True)


def live_campaigns() -> Matter:
    count = Campaign.objects.running().count()
    return Matter(
        "campaigns running", "campaign running", count, rows_of("adoptions_campaign", "?state=running"), is_urgent=False
    )


def matters_for(user: AbstractBaseUser) -> list[tuple[str, Callable[[], Matter]]]:
    """Each with the right that it needs."""
    return [
        ("adoptions.view_difference", differences),
        ("adoptions.view_attention", attentions),
        ("adoptions.view_complaint", complaints),
        ("adoptions.add_refundrequest", partial(refunds_for_a_second, user)),
        ("adoptions.view_stripeevent", parked_events),
        ("adoptions.change_handentry", unseen_money),
        ("config.view_mail", failing_mails),
        ("config.change_mailwords", unusable_words),
        ("adoptions.view_adoption", failed_payments),
        ("species.view_comment", waiting_comments),
        ("adoptions.view_gift", gifts_this_week),
        ("adoptions.add_merge", people_twice),
        ("species.view_fact", facts_to_review),
        ("adoptions.view_campaign", live_campaigns),
        ("config.view_blockedload", blocked_loads),
    ]
