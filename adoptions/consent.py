"""May we send this person news? Service mails (receipts, reminders, presents) never ask here; everything else must.

A yes needs four things: the person ticked it themselves, at words we kept; they did adopt; they have not taken it
back; and their address is not suppressed. A suppression is a digest of the address, so it still holds after an
erasure, and whatever a stranger ticks in their name.
"""

from hashlib import sha256

from django.conf import settings
from django.core import signing
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from .models import Adoption, Basis, ConsentEvent, ConsentState, Supporter, Suppression

# A new wording is a new line here. The old ones stay: events of years ago point at them.
WORDINGS = {
    "2026-11": "Email me news of the animals and of the work, about three times a year. I can stop it at any time.",
}
CURRENT = "2026-11"
# No limit in time: mails are clicked for years, and leaving must always work.
SIGNER = signing.Signer(salt="adoptions.unsubscribe", sep=".")


def wording() -> str:
    return WORDINGS[CURRENT]


def address_hash(email: str) -> str:
    return sha256(f"pugmark address {email.strip().lower()}".encode()).hexdigest()


def last_state(digest: str) -> str:
    states = ConsentEvent.objects.filter(address_hash=digest).values_list("state", flat=True)
    return states.first() or ConsentState.WITHDRAWN


def is_suppressed(digest: str) -> bool:
    return Suppression.objects.filter(address_hash=digest).exists()


def may_send_news(supporter: Supporter) -> bool:
    return marketable().filter(pk=supporter.pk).exists()


def marketable() -> QuerySet[Supporter]:
    """Everybody whom news may be sent to."""
    last = ConsentEvent.objects.filter(supporter=OuterRef("pk")).order_by("-at", "-pk")
    adopted = Adoption.objects.filter(supporter=OuterRef("pk")).exclude(activated_at=None)
    return (
        Supporter.objects.filter(Exists(adopted), erased_at=None)
        .annotate(last_word=Subquery(last.values("state")[:1]), digest=Subquery(last.values("address_hash")[:1]))
        .filter(last_word=ConsentState.GRANTED)
        .exclude(digest__in=Suppression.objects.values("address_hash"))
    )


def grant(supporter: Supporter, *, page: str, campaign_code: str = "") -> bool:
    """They ticked the box; False if that was their last word already."""
    digest = address_hash(supporter.email)
    if last_state(digest) == ConsentState.GRANTED:
        return False
    ConsentEvent.objects.create(
        supporter=supporter,
        address_hash=digest,
        state=ConsentState.GRANTED,
        basis=Basis.CONSENT,
        wording_version=CURRENT,
        wording=wording(),
        page=page[:200],
        campaign_code=campaign_code,
        at=timezone.now(),
    )
    return True


def withdraw(digest: str, *, page: str, supporter: Supporter | None = None) -> bool:
    """They took it back, or never want to be asked; False if that was their last word already."""
    if last_state(digest) == ConsentState.WITHDRAWN and is_suppressed(digest):
        return False
    ConsentEvent.objects.create(
        supporter=supporter,
        address_hash=digest,
        state=ConsentState.WITHDRAWN,
        page=page[:200],
        at=timezone.now(),
    )
    suppress(digest, reason=Suppression.Reason.UNSUBSCRIBED)
    return True


def suppress(digest: str, *, reason: str) -> None:
    Suppression.objects.get_or_create(address_hash=digest, defaults={"reason": reason, "at": timezone.now()})


def lift(digest: str) -> None:
    """The person whose address it is takes back their own unsubscribing. What staff or an authority set stays."""
    Suppression.objects.filter(address_hash=digest, reason=Suppression.Reason.UNSUBSCRIBED).delete()


# --- one click in a mail -------------------------------------------------------------------------------------------


def unsubscribe_url(email: str) -> str:
    return settings.SITE_URL + reverse("adoptions:unsubscribe", args=[SIGNER.sign(address_hash(email))])


def digest_of(token: str) -> str | None:
    """The address a link speaks for; None for a link that is not ours."""
    try:
        return SIGNER.unsign(token)
    except signing.BadSignature:
        return None


def supporter_with(digest: str) -> Supporter | None:
    """Whoever last spoke for an address."""
    event = (
        ConsentEvent.objects.filter(address_hash=digest, supporter__isnull=False).select_related("supporter").first()
    )
    return event.supporter if event else None


def unsubscribe(digest: str) -> None:
    withdraw(digest, page=reverse("adoptions:unsubscribe", args=["-"]), supporter=supporter_with(digest))


def resubscribe(digest: str) -> bool:
    """Undo it from the same page; only for somebody who had said yes before."""
    supporter = supporter_with(digest)
    if supporter is None or address_hash(supporter.email) != digest:
        return False
    lift(digest)
    return grant(supporter, page=reverse("adoptions:unsubscribe", args=["-"]))
