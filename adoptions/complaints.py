"""A complaint from its arrival to its answer, with the clock of the law: Data Protection Act 2018, section 164A.

It is acknowledged at once, where 30 days are allowed; somebody looks into it; and the outcome is mailed with the
ways to go on from there. Nothing is thrown away: what a robot seems to have sent waits, unacknowledged, for a person
to say so.
"""

from typing import Any

from django.db import IntegrityError, models, transaction

from config.mail import queue_mail
from config.retention import unlocked

from .models import Complaint, ComplaintOutcome

EXPORTED = (
    "reference",
    "about",
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
    except IntegrityError as error:
        if "complaint_said_once" not in str(error):
            raise
        return False
    return True


def acknowledge(complaint: Complaint) -> bool:
    """E24; False if that was done before."""
    with transaction.atomic():
        if not Complaint.objects.filter(pk=complaint.pk).acknowledge():
            return False
        context = {"complaint": complaint, "due_on": complaint.due_on}
        queue_mail("complaint_received", to=complaint.email, key=complaint.reference, context=context)
    return True


def answer(complaint: Complaint, *, outcome: ComplaintOutcome, words: str, by: models.Model) -> bool:
    """Close it and mail what was found; False if somebody was first."""
    with transaction.atomic():
        if not Complaint.objects.filter(pk=complaint.pk).close(outcome=outcome, answer=words, by=by):
            return False
        if outcome != ComplaintOutcome.NO_COMPLAINT:
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
