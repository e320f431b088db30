"""A quiet shield against people who test stolen cards on donation forms.

They open pages at Stripe by the thousand and are refused there by the hundred; a supporter opens one or two. No
captcha: an outage of somebody else's captcha has closed donation pages before. Instead, whoever is refused too often
(one email address, one card, one network) can open no page for an hour, and nobody else notices anything.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone

from config.limits import Limit, client_address, digest_of, network_of

from . import attention, fulfilment, stripe_gateway, stripe_invoices, stripe_troubles
from .models import OPEN, Adoption, Attention, AttentionKind, Closure, Decline, PageOpening, Whom
from .stripe_objects import FailedTry

PER_ADDRESS = Limit("checkout-address", times=6, per=timedelta(minutes=10))
PER_NETWORK = Limit("checkout-network", times=30, per=timedelta(hours=1))
PER_EMAIL = Limit("checkout-email", times=10, per=timedelta(days=1))

# How many refusals are one too many, and in which time. A person with three typing errors is not near any of them.
REFUSALS = {
    Whom.EMAIL: (5, timedelta(minutes=10)),
    Whom.CARD: (5, timedelta(hours=1)),
    Whom.NETWORK: (15, timedelta(minutes=10)),
}
REFUSALS_OF_ALL = (50, timedelta(minutes=10))
CLOSED_FOR = timedelta(hours=1)


def may_open_a_page(request: HttpRequest, email: str) -> bool:
    """May this visitor be sent to Stripe once more?"""
    if settings.IS_STRIPE_STANDIN:
        return True  # nothing to protect, and a demonstration is tried many times in a minute
    address = client_address(request)
    known = [digest_of(network_of(address)), digest_of(email.lower())]
    if Closure.objects.in_force().filter(whom__in=[Whom.NETWORK, Whom.EMAIL], digest__in=known).exists():
        return False
    return PER_ADDRESS.allows(address) and PER_NETWORK.allows(network_of(address)) and PER_EMAIL.allows(email.lower())


def note_opening(request: HttpRequest, adoption: Adoption) -> None:
    """Remember for a day from which network the page was opened: Stripe tells of refusals, not of networks."""
    if not settings.IS_STRIPE_STANDIN:
        network = digest_of(network_of(client_address(request)))
        PageOpening.objects.update_or_create(adoption=adoption, defaults={"network": network})


def count_decline(charge_id: str) -> bool:
    """A bank refused to pay for an adoption that has not begun. Counted once, however often it is told."""
    if settings.IS_STRIPE_STANDIN:
        return False
    refused = stripe_troubles.read_failed_try(charge_id)
    adoption = adoption_of(refused)
    if adoption is None or adoption.state not in OPEN:
        return False  # a renewal is nobody testing cards
    with transaction.atomic():
        one_at_a_time()
        closures = [close(who, digest) for who, digest in who_was_refused(adoption, refused.card, charge_id)]
        alarm(adoption, [closure for closure in closures if closure])
        alarm_for_all()
    if any(closures) and adoption.stripe_session_id:
        stripe_gateway.expire_session(adoption.stripe_session_id)
    return True


def adoption_of(refused: FailedTry) -> Adoption | None:
    public_id = refused.adoption_public_id
    if not public_id and refused.payment_intent:
        invoice = stripe_invoices.read_invoice_paid_by(refused.payment_intent)
        public_id = invoice.adoption_public_id if invoice else ""
    if not fulfilment.is_uuid(public_id):
        return None
    return Adoption.objects.select_related("supporter").filter(public_id=public_id).first()


def one_at_a_time() -> None:
    """Two refusals at once must see each other, or both would be the last one allowed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('declines'))")


def who_was_refused(adoption: Adoption, card: str, charge_id: str) -> Iterable[tuple[Whom, str]]:
    """Write the refusal down for all that is known of who tried; yields those with one too many."""
    opening = PageOpening.objects.filter(adoption=adoption).first()
    known = {
        Whom.EMAIL: digest_of(adoption.supporter.email.lower()),
        Whom.CARD: digest_of(card) if card else "",
        Whom.NETWORK: opening.network if opening else "",
    }
    for who, digest in known.items():
        if digest:
            Decline.objects.get_or_create(key=charge_id, whom=who, defaults={"digest": digest})
            times, per = REFUSALS[who]
            if Decline.objects.filter(whom=who, digest=digest, at__gt=Now() - per).count() >= times:
                yield who, digest
                if who == Whom.CARD:  # cards are typed at Stripe: what can be closed here is the address behind it
                    yield Whom.EMAIL, known[Whom.EMAIL]


def close(who: Whom, digest: str) -> Closure | None:
    """No page for an hour from now. None if that holds already, then only its end moves."""
    until = timezone.now() + CLOSED_FOR
    this = Closure.objects.filter(whom=who, digest=digest)
    is_closed = this.in_force().exists()
    if this.extend(until=until) and is_closed:
        return None
    times, per = REFUSALS[who]
    because = f"{times} refusals within {per // timedelta(minutes=1)} minutes"
    return this.get_or_create(
        released_at=None, defaults={"whom": who, "digest": digest, "until": until, "because": because}
    )[0]


def alarm(adoption: Adoption, closures: list[Closure]) -> None:
    if closures:
        key = ",".join(str(closure.pk) for closure in closures)
        what = "; ".join(str(closure) for closure in closures)
        reason = f"{what}. No page opens for them until {timezone.localtime(closures[0].until):%H:%M}."
        stamp = f"closures:{key}:{closures[0].until:%Y-%m-%dT%H:%M:%S.%f}"
        attention.call(AttentionKind.CARD_TESTING, key=stamp, adoption=adoption, reason=reason)


def alarm_for_all() -> None:
    """Many refusals, from many places: nobody is closed out, but staff should know. At most once an hour."""
    times, per = REFUSALS_OF_ALL
    count = Decline.objects.filter(whom=Whom.EMAIL, at__gt=Now() - per).count()
    if count >= times:
        reason = f"{count} refused payments within ten minutes, from many places. Look at Radar in Stripe's dashboard."
        attention.call(AttentionKind.CARD_TESTING, key=f"all:{timezone.now():%Y-%m-%dT%H}", reason=reason)


def release(found: Attention, *, by: Model) -> None:
    """It was a person with bad luck: they may pay again at once, and are counted from nothing."""
    keys = found.key.split(":")[1] if found.key.startswith("closures:") else ""
    for closure in Closure.objects.filter(pk__in=[int(key) for key in keys.split(",") if key]):
        release_closure(closure, by=by)
    Attention.objects.filter(pk=found.pk).resolve(by=by, how="Released.")


def release_closure(closure: Closure, *, by: Model) -> int:
    with transaction.atomic():
        Decline.objects.filter(whom=closure.whom, digest=closure.digest).delete()
        return Closure.objects.filter(pk=closure.pk).release(by=by)
