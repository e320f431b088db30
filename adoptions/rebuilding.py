"""Adoptions out of Stripe alone: for an empty database, and for one that came back from an older backup.

Everything but people travels in the metadata of the Checkout session; names and addresses are asked of Stripe's
customer. What only we ever knew is made anew (the address of the certificate, the attempt) or lost (the name of a
gift's recipient). Nobody is mailed: what is restored here was thanked for when it happened.
"""

import logging
import uuid
from collections import Counter
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from species.models import Species

from . import emails, fulfilment, ledger, stripe_invoices, stripe_listing
from .models import Adoption, Campaign, Frequency, Plan, Supporter
from .stripe_objects import Customer, Session

logger = logging.getLogger(__name__)

UNKNOWN_NAME = "Name not known at Stripe"


@dataclass
class Rebuilt:
    """How much there is at Stripe, and how much of it was not here."""

    adoptions: int = 0
    restored: int = 0
    disputes: int = 0


def rebuild() -> Rebuilt:
    """Restore every adoption that was completed at Stripe, with all its money. Twice changes nothing."""
    rebuilt = Rebuilt()
    pages = Counter[str]()
    chosen: dict[str, Session] = {}
    # Oldest first, so that supporters and adoptions are counted up in the order they came.
    for session in reversed([one for one in stripe_listing.sessions() if is_ours(one)]):
        public_id = session.metadata["adoption"]
        pages[public_id] += 1
        if session.status == "complete" and (public_id not in chosen or chosen[public_id].payment_status != "paid"):
            chosen[public_id] = session
    for public_id, session in chosen.items():
        rebuilt.adoptions += 1
        rebuilt.restored += restore(session, pages=pages[public_id])
    with emails.nobody_thanked():
        for dispute in list(stripe_listing.disputes()):
            rebuilt.disputes += fulfilment.sync_dispute(dispute.id)
    for payout in list(stripe_listing.payouts()):
        ledger.record_fees(payout.id, stripe_listing.lines_of(payout.id))
    return rebuilt


def is_ours(session: Session) -> bool:
    return fulfilment.is_uuid(session.metadata.get("adoption", ""))


def restore(session: Session, *, pages: int = 1) -> bool:
    """The adoption of one completed session with its payments and refunds; whether it was not here before.

    `pages` counts its pages at Stripe: the next one must not be asked for under the key of an old one.
    """
    with emails.nobody_thanked():
        is_new = restore_adoption(session, pages)
        fulfilment.sync_session(session.id)
        if session.subscription:
            for invoice in stripe_invoices.read_invoices_of(session.subscription):
                fulfilment.sync_invoice(invoice.id)
    return is_new


def restore_adoption(session: Session, pages: int) -> bool:
    """A pending adoption with what was agreed; what became of it is then asked of Stripe like any other news."""
    known = session.metadata
    if Adoption.objects.filter(public_id=known["adoption"]).exists():
        return False
    customer = stripe_listing.read_customer(session.customer) if session.customer else Customer("", "")
    try:
        with transaction.atomic():
            plan = plan_of(known["plan"])
            Adoption.objects.create(
                public_id=known["adoption"],
                reference=known["reference"],
                attempt=uuid.uuid4(),
                supporter=supporter_of(customer, known["reference"]),
                species=species_of(known["species"]),
                plan=plan,
                benefit_pence=plan.benefit_pence,
                frequency=Frequency(known["frequency"]),
                amount_pence=session.amount_pence,
                is_gift=known.get("gift") == "yes",
                campaign=Campaign.objects.filter(code=known.get("campaign", "")).first(),
                campaign_code=known.get("campaign", ""),
                first_campaign_code=known.get("campaign_first", ""),
                created_at=session.created,
                stripe_session_id=session.id,
                session_number=pages,
            )
    except (IntegrityError, KeyError, ValueError) as error:
        logger.warning("Could not restore the adoption of session %s: %s", session.id, type(error).__name__)
        return False
    return True


def supporter_of(customer: Customer, reference: str) -> Supporter:
    """By the address at Stripe. Where Stripe was asked to forget it, an address that can never be written to."""
    email = customer.email or f"{reference.lower()}@forgotten.invalid"
    name = customer.name or UNKNOWN_NAME
    supporter, _ = Supporter.objects.get_or_create(email__iexact=email, defaults={"email": email, "name": name})
    return supporter


def species_of(slug: str) -> Species:
    """Load the species first; one that is no longer in the content is kept unpublished, for the record."""
    unpublished = {
        "common_name": slug.replace("-", " ").capitalize(),
        "scientific_name": "",
        "as_of": f"{timezone.now():%Y-%m}",
        "is_published": False,
    }
    return Species.objects.get_or_create(slug=slug, defaults=unpublished)[0]


def plan_of(slug: str) -> Plan:
    return Plan.objects.get_or_create(slug=slug, defaults={"name": slug.capitalize(), "is_on_offer": False})[0]
