"""All that we hold about one supporter: to hand over, and to forget.

Payments stay as long as the law of accounts asks, without a name. Everything else that says who somebody was goes.
"""

from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from config.models import Mail
from species import personal_data as comments

from . import complaints, consent, details, drafts, gift_aid, gift_emails, matchback, notes
from .models import (
    ADOPTED,
    REPEATING,
    AccessLink,
    Adoption,
    AdoptionState,
    Complaint,
    ConsentEvent,
    Gift,
    GiftAidDeclaration,
    GiftState,
    ImportedRow,
    Likeness,
    Merge,
    PastAdoption,
    Payment,
    Supporter,
    SupporterSession,
    Suppression,
)

YEARS_KEPT = 6  # Charities Act 2011, section 131: six years from the end of the financial year


def kept_until(last_payment: date) -> date:
    """The end of the sixth financial year after a payment's own, taking the year to end on 31 March."""
    end_of_year = last_payment.year + (last_payment.month > 3)
    return date(end_of_year + YEARS_KEPT, 3, 31)


# --- handing over --------------------------------------------------------------------------------------------------


def export(supporter: Supporter) -> dict[str, Any]:
    """Everything, in words a person can read and a program too."""
    adoptions = Adoption.objects.filter(supporter=supporter).select_related("species", "plan", "gift")
    mails = Mail.objects.filter(details.mails_to(supporter)).order_by("pk")
    addresses = details.addresses_of(supporter)
    return {
        "held_by": settings.CHARITY["name"],
        "made_at": timezone.now(),
        "you": {"name": supporter.name, "email": supporter.email, "known_since": supporter.created_at},
        "former_addresses": list(supporter.former_addresses.values("email", "since", "until")),
        "adoptions": [export_adoption(adoption) for adoption in adoptions.prefetch_related("payments__hand_entry")],
        "wishes_for_contact": list(
            ConsentEvent.objects.filter(supporter=supporter).values(
                "at", "state", "basis", "wording_version", "wording", "page", "campaign_code", "given_by"
            )
        ),
        "gift_aid_declarations": declarations_of(supporter),
        "emails_we_sent": list(mails.values("created_at", "sent_at", "state", "to", "subject", "text")),
        "comments": [comment for email in addresses for comment in comments.export(email)],
        "complaints": [each for email in addresses for each in complaints.export(email)],
        "lists_you_were_in": rows_about(supporter),
        "mailings_you_were_sent": [each for email in addresses for each in matchback.export(email)],
        "notes_of_staff": notes.export(supporter),
        "links_you_asked_for": list(
            AccessLink.objects.filter(supporter=supporter).values("purpose", "email", "asked_at", "used_at")
        ),
    }


def declarations_of(supporter: Supporter) -> list[Any]:
    return list(
        GiftAidDeclaration.objects.filter(supporter=supporter).values(
            "given_at",
            "channel",
            "covers_from",
            "first_name",
            "last_name",
            "address",
            "postcode",
            "wording_version",
            "wording",
            "record_sent_at",
            "cancelled_on",
            "cancelled_because",
        )
    )


def rows_about(supporter: Supporter) -> list[Any]:
    """Of lists from elsewhere, for as long as those can be undone."""
    addresses = [email.lower() for email in details.addresses_of(supporter)]
    return list(ImportedRow.objects.filter(email__in=addresses).values("file__name", "read_at", "cells"))


def export_adoption(adoption: Adoption) -> dict[str, Any]:
    gift: Gift | None = getattr(adoption, "gift", None)
    fields = ("recipient_name", "message", "delivery", "recipient_email", "deliver_on", "state", "sent_at", "opened_at")
    return {
        "reference": adoption.reference,
        "species": adoption.species.common_name,
        "plan": adoption.plan.name,
        "frequency": adoption.frequency,
        "amount_pence": adoption.amount_pence,
        "state": adoption.state,
        "asked_at": adoption.created_at,
        "began_at": adoption.activated_at,
        "ended_at": adoption.ended_at,
        "came": adoption.source,
        "campaign": adoption.campaign_code,
        "stripe_customer": adoption.stripe_customer_id,
        "gift": {name: getattr(gift, name) for name in fields} if gift else None,
        "payments": [
            {
                "kind": payment.kind,
                "amount_pence": payment.amount_pence,
                "occurred_at": payment.occurred_at,
                "way": payment.method,
                "through_another_system": payment.is_brought_in,
                "card_last4": payment.card_last4,
                "stripe_id": payment.stripe_id,
                "cheque_or_slip": entry.reference if (entry := getattr(payment, "hand_entry", None)) else "",
                "note_of_staff": entry.note if entry else "",
            }
            for payment in adoption.payments.all()
        ],
    }


# --- forgetting ----------------------------------------------------------------------------------------------------


def before_erasure(supporter: Supporter) -> dict[str, Any]:
    """What stands in the way, and what stays until when."""
    own = Adoption.objects.filter(supporter=supporter)
    paid = Payment.objects.filter(adoption__supporter=supporter)
    last = paid.order_by("occurred_at").values_list("occurred_at", flat=True).last()
    return {
        "running": list(own.filter(running()).select_related("species")),
        "payments": paid.count(),
        "open_complaints": sum(
            Complaint.objects.by_address(email).open().count() for email in details.addresses_of(supporter)
        ),
        "declarations": GiftAidDeclaration.objects.filter(supporter=supporter).count(),
        "kept_until": kept_until(timezone.localdate(last)) if last else None,
    }


def running() -> Q:
    """Money still moves for these, and with nobody to tell of it: they are stopped first."""
    return Q(state__in=ADOPTED, frequency__in=REPEATING) | Q(state=AdoptionState.PROCESSING)


def erase(supporter: Supporter) -> bool:
    """Forget somebody; False if an adoption of theirs still runs. Nobody can sign them up again: that outlives them."""
    with transaction.atomic():
        own = Adoption.objects.select_for_update().filter(supporter=supporter)
        if any(own.filter(running()).values_list("pk", flat=True)):
            return False
        digest = consent.address_hash(supporter.email)
        consent.withdraw(digest, page="erasure", supporter=supporter)
        Suppression.objects.filter(address_hash=digest).update(reason=Suppression.Reason.ERASED)
        for email in details.addresses_of(supporter):
            comments.erase(email)
            complaints.erase(email)
        return forget(supporter)


def forget(supporter: Supporter) -> bool:
    """Let go of who somebody was, whose time is over. They may come back; False if another process was first."""
    with transaction.atomic():
        own = Adoption.objects.filter(supporter=supporter)
        gift_aid.take_back(supporter)
        forget_gifts(own.values_list("pk", flat=True))
        PastAdoption.objects.filter(adoption__in=own).update(ended_because="")
        forget_mails(details.mails_to(supporter))
        for email in details.addresses_of(supporter):
            drafts.forget(email)
            ImportedRow.objects.filter(email=email.lower()).delete()
            matchback.forget(email)
        supporter.former_addresses.all().delete()
        Likeness.objects.about(supporter.pk).delete()
        Merge.objects.filter(survivor=supporter).forget()
        AccessLink.objects.filter(Q(supporter=supporter) | Q(email__iexact=supporter.email)).delete()
        SupporterSession.objects.filter(supporter=supporter).delete()
        is_first = Supporter.objects.filter(pk=supporter.pk).erase() == 1
        notes.forget(supporter)  # last: whoever of staff was writing one held the row until now
        return is_first


def forget_gifts(adoptions: Any) -> None:
    """Whom they gave something to, unless that is already with the recipient: their page is theirs."""
    for gift in Gift.objects.filter(adoption__in=list(adoptions)):
        goes_again = gift.state == GiftState.SCHEDULED and gift.sendings
        if not (gift.opened_at or gift.sent_at or goes_again):
            Gift.objects.filter(pk=gift.pk).erase()
        gift_emails.erase_copies(gift)


def forget_mails(theirs: Q) -> None:
    """Blank our copies of what was sent to somebody; what waits is not sent."""
    copies = Mail.objects.filter(pk__in=list(Mail.objects.filter(theirs).values_list("pk", flat=True)))
    copies.update(to="erased@erased.invalid")
    copies.blank()
