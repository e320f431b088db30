"""May we send this person news? Service mails (receipts, reminders, presents) never ask here; everything else must.

A yes needs four things: the person ticked it themselves, at words we kept; they did adopt; they have not taken it
back; and their address is not suppressed. A suppression is a digest of the address, so it still holds after an
erasure, and whatever a stranger ticks in their name.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from config.mail import queue_mail

from .models import Adoption, Basis, ConsentEvent, ConsentState, GivenBy, Supporter, Suppression

# A new wording is a new line here. The old ones stay: events of years ago point at them.
WORDINGS = {
    Basis.CONSENT: {
        "2026-11": "Email me news of the animals and of the work, about three times a year. I can stop it at any time.",
    },
    # Charities may, since 5 February 2026 (Data (Use and Access) Act 2025): only to who gave the address themselves
    # while supporting the charity's purposes, about nothing else, and with a chance to refuse then and every time.
    Basis.SOFT_OPT_IN: {
        "2026-11": "Please do not email me news of the animals and of the work. (Otherwise we do, about three times a "
        "year, and you can stop it at any time.)",
    },
}
CURRENT = "2026-11"
# No limit in time: mails are clicked for years, and leaving must always work.
SIGNER = signing.Signer(salt="adoptions.unsubscribe", sep=".")


def basis_of_site() -> Basis:
    """On what ground the adopt form asks: the charity's choice, in NEWS_BASIS."""
    return Basis(settings.NEWS_BASIS)


def wording(basis: Basis = Basis.CONSENT) -> str:
    return WORDINGS[basis][CURRENT]


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
    """Everybody whom news may be sent to. Where the site asks for consent, a silence of earlier days is none."""
    last = ConsentEvent.objects.filter(supporter=OuterRef("pk")).order_by("-at", "-pk")
    adopted = Adoption.objects.filter(supporter=OuterRef("pk")).exclude(activated_at=None)
    grounds = {Basis.CONSENT, basis_of_site()}
    return (
        Supporter.objects.filter(Exists(adopted), erased_at=None)
        .annotate(
            last_word=Subquery(last.values("state")[:1]),
            ground=Subquery(last.values("basis")[:1]),
            digest=Subquery(last.values("address_hash")[:1]),
        )
        .filter(last_word=ConsentState.GRANTED, ground__in=grounds)
        .exclude(digest__in=Suppression.objects.values("address_hash"))
    )


@dataclass(frozen=True)
class Told:
    """Said to staff and not typed by the person: on which way, and who wrote it down."""

    way: GivenBy
    by: Model

    @property
    def columns(self) -> dict[str, Any]:
        return {"given_by": self.way, "by_id": self.by.pk}


def grant(
    supporter: Supporter,
    *,
    page: str,
    campaign_code: str = "",
    basis: Basis = Basis.CONSENT,
    told: Told | None = None,
) -> bool:
    """They ticked the box, or did not tick the one that refuses; False if that was their last word already.

    A silence is no word against one that they gave: it neither takes a refusal back nor weakens a yes.
    """
    digest = address_hash(supporter.email)
    last = ConsentEvent.objects.filter(address_hash=digest).first()
    if basis == Basis.SOFT_OPT_IN and (last or is_suppressed(digest)):
        return False
    if last and last.state == ConsentState.GRANTED and last.basis == basis:
        return False
    ConsentEvent.objects.create(
        supporter=supporter,
        address_hash=digest,
        state=ConsentState.GRANTED,
        basis=basis,
        wording_version=CURRENT,
        wording=wording(basis),
        page=page[:200],
        campaign_code=campaign_code,
        at=timezone.now(),
        **(told.columns if told else {}),
    )
    return True


def answered(supporter: Supporter, *, wants_news: bool | None, page: str, campaign_code: str = "") -> None:
    """Keep what the adopt form was told; None is nothing said."""
    if wants_news:
        grant(supporter, page=page, campaign_code=campaign_code, basis=basis_of_site())
    elif wants_news is False:
        refuse(supporter, page=page)


def refuse(supporter: Supporter, *, page: str, told: Told | None = None) -> bool:
    """They ticked the box that refuses; False if that was the last word about the address already.

    Heeded at once, as a word like any other. But nobody has shown that the address is theirs: so it suppresses nothing,
    a yes that its owner gives later counts, and an owner who had said yes is told.
    """
    digest = address_hash(supporter.email)
    last = ConsentEvent.objects.filter(address_hash=digest).first()
    if last and last.state == ConsentState.WITHDRAWN:
        return False
    had_news = may_send_news(supporter)
    event = ConsentEvent.objects.create(
        supporter=supporter,
        address_hash=digest,
        state=ConsentState.WITHDRAWN,
        page=page[:200],
        at=timezone.now(),
        **(told.columns if told else {}),
    )
    adoption = (
        Adoption.objects.filter(supporter=supporter).exclude(activated_at=None).select_related("supporter").first()
    )
    if had_news and adoption:
        manage_url = settings.SITE_URL + reverse("adoptions:my_adoption")
        context = {"adoption": adoption, "manage_url": manage_url}
        queue_mail("news_refused", to=supporter.email, key=str(event.pk), context=context)
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


def stop_for(supporter: Supporter, *, by: Model, reason: str) -> bool:
    """Staff end all news to somebody, for good. False if that had been done for the same reason."""
    digest = address_hash(supporter.email)
    with transaction.atomic():
        known = Suppression.objects.filter(address_hash=digest, reason=reason)
        if known.exists():
            return False
        suppress(digest, reason=reason)
        Suppression.objects.filter(address_hash=digest).exclude(reason=Suppression.Reason.ERASED).update(reason=reason)
        ConsentEvent.objects.create(
            supporter=supporter,
            address_hash=digest,
            state=ConsentState.WITHDRAWN,
            page="admin",
            given_by=GivenBy.STAFF,
            by_id=by.pk,
            at=timezone.now(),
        )
    return True


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
