"""A complaint from its arrival to its answer, with the clock of the law: Data Protection Act 2018, section 164A.

It is acknowledged at once, where 30 days are allowed; somebody looks into it; and the outcome is mailed with the
ways to go on from there. Nothing is thrown away: what a robot seems to have sent waits, unacknowledged, for a person
to say so.
"""

from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils import timezone

from config.mail import queue_mail
from config.retention import unlocked

from .models import Complaint, ComplaintOutcome, Source

EXPORTED = (
    "reference",
    "about",
    "source",
    "name",
    "email",
    "words",
    "received_at",
    "acknowledged_at",
    "outcome",
    "answer",
    "closed_at",
)


def receive(*, about: str, name: str, email: str, words: str, is_suspect: bool = False) -> bool:
    """Keep it and say so by mail; False if the same person has said the same and waits for an answer.

    `is_suspect`: no mail goes out by itself, so that no robot has us write to strangers.
    """
    try:
        with transaction.atomic():
            complaint = Complaint.objects.create(about=about, name=name, email=email, words=words)
            complaint.refresh_from_db()
            if not is_suspect:
                acknowledge(complaint)
                tell_staff(complaint)
    except IntegrityError as error:
        if "complaint_said_once" not in str(error):
            raise
        return False
    return True


def write_down(
    *, about: str, name: str, email: str, words: str, source: Source, received_on: date, by: models.Model
) -> Complaint | None:
    """What came by phone or post, on its day, from which the law counts; None if the same was written down before.

    Acknowledged by mail at once where there is an address; without one somebody posts a letter, and says so.
    """
    noon = timezone.make_aware(datetime.combine(received_on, time(12)))
    values = {"about": about, "name": name, "email": email, "words": words}
    try:
        with transaction.atomic():
            complaint = Complaint.objects.create(
                **values, source=source, received_at=min(noon, timezone.now()), entered_by_id=by.pk
            )
            if email:
                acknowledge(complaint)
    except IntegrityError as error:
        if "complaint_said_once" not in str(error):
            raise
        return None
    return complaint


def tell_staff(complaint: Complaint) -> None:
    """That one waits, and until when; what it says stays where only those may read it who should."""
    admin_url = settings.SITE_URL + reverse("admin:adoptions_complaint_change", args=[complaint.pk])
    context = {"complaint": complaint, "due_on": complaint.due_on, "admin_url": admin_url}
    queue_mail("complaint_arrived", to=settings.CHARITY["reply_to"], key=complaint.reference, context=context)


def acknowledge(complaint: Complaint) -> bool:
    """E24, or by the letter that staff posted to somebody without an address; False if that was done before."""
    with transaction.atomic():
        if not Complaint.objects.filter(pk=complaint.pk).acknowledge():
            return False
        context = {"complaint": complaint, "due_on": complaint.due_on}
        if complaint.email:
            queue_mail("complaint_received", to=complaint.email, key=complaint.reference, context=context)
    return True


def answer(complaint: Complaint, *, outcome: ComplaintOutcome, words: str, by: models.Model) -> bool:
    """Close it and mail what was found; False if somebody was first."""
    with transaction.atomic():
        if not Complaint.objects.filter(pk=complaint.pk).close(outcome=outcome, answer=words, by=by):
            return False
        if complaint.email and outcome != ComplaintOutcome.NO_COMPLAINT:
            context = {"complaint": complaint, "finding": outcome.label, "answer": words}
            queue_mail("complaint_answered", to=complaint.email, key=complaint.reference, context=context)
    return True


# --- of one person -------------------------------------------------------------------------------------------------


def export(email: str) -> list[dict[str, Any]]:
    """Every complaint from an address, with our answers, oldest first."""
    return list(Complaint.objects.by_address(email).order_by("pk").values(*EXPORTED))


def erase(email: str) -> None:
    """Take name, address and words out of those that are answered; who still waits for an answer is owed it."""
    unlocked("adoptions.Complaint:facts_stay", Complaint.objects.by_address(email).empty)
