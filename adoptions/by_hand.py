"""Adoptions that staff type in: for who rings, writes or comes by, and pays by cheque, in cash or by transfer.

The answers are those of the public form and go the same ways. The money is in the ledger at once, with who wrote it
down and from what, and the adoption begins; finance finds it at the bank afterwards. Nothing is ever deleted: what was
a mistake is taken back by a movement of its own.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from config.money import NOTHING, Pence, pounds

from . import checkout, consent, emails, fulfilment, gift_aid, gifts, ledger, money_emails, refunds, twice
from .checkout import Answers, SameAgain
from .gift_aid import Channel, Given, Scope
from .models import (
    Adoption,
    Because,
    GivenBy,
    HandEntry,
    Method,
    Payment,
    PaymentKind,
    Source,
    Supporter,
)
from .models.supporters import no_email

CHANNELS = {Source.PHONE: Channel.ORAL, Source.PERSON: Channel.ORAL, Source.PAPER: Channel.PAPER}
WAYS = {Channel.ORAL: GivenBy.ORAL, Channel.PAPER: GivenBy.PAPER}


class CannotTakeBack(Exception):
    """Not possible; the text is a sentence for staff."""


@dataclass(frozen=True)
class Entry:
    """How an adoption reached staff. `supporter`: somebody they looked up; None for whom the answers name."""

    source: Source
    by: Model
    supporter: Supporter | None = None

    @property
    def channel(self) -> Channel:
        return CHANNELS[self.source]


@dataclass(frozen=True)
class Money:
    """What was received: a cheque, notes or a line of the bank's."""

    method: Method
    received_on: date
    reference: str = ""
    note: str = ""


def enter(answers: Answers, entry: Entry, money: Money) -> Adoption:
    """The adoption of these answers, begun and thanked for. The same visit again is the same adoption.

    Raises SameAgain if the same was adopted within half an hour, and nobody said that it is to be one more.
    """
    with transaction.atomic():
        adoption, is_new = keep(answers, entry, at=ledger.noon_of(money.received_on))
        if is_new:
            written = HandEntry(
                request=answers.attempt, reference=money.reference, note=money.note, entered_by_id=entry.by.pk
            )
            payment = ledger.record_by_hand(
                adoption,
                PaymentKind.CHARGE,
                pence=Pence(answers.amount_pence),
                method=money.method,
                on=money.received_on,
                entry=written,
            )
            ledger.settle_state(adoption)
            emails.queue_receipt(adoption, payment)
            emails.queue_gift_aid_confirmed(adoption)
            twice.notice_twin(adoption)
            gifts.money_arrived(adoption)
    return adoption


def keep(answers: Answers, entry: Entry, *, at: datetime) -> tuple[Adoption, bool]:
    """The adoption that waits for its money, and whether this visit made it. Called in a transaction.

    `at`: when they said all this, which is from when on a declaration of Gift Aid counts.
    """
    supporter, answers = who(answers, entry)
    found = Adoption.objects.filter(attempt=answers.attempt).first()
    if found:
        return found, False
    if not answers.is_another and twice.has_just_been_asked_for(answers):
        raise SameAgain
    adoption = Adoption.objects.create(
        attempt=answers.attempt,
        is_another=answers.is_another,
        first_campaign_code=checkout.first_code_of(supporter) or answers.campaign_code,
        source=entry.source,
        entered_by_id=entry.by.pk,
        **checkout.terms_of(answers, supporter),
    )
    gifts.keep(adoption, answers.present)
    given = Given(at, Scope.WITH_A_GIFT, entry.channel, by=entry.by)
    gift_aid.keep(adoption, answers.taxpayer, given)
    write_down_wish(supporter, answers, entry)
    return adoption, True


def who(answers: Answers, entry: Entry) -> tuple[Supporter, Answers]:
    """Whose adoption it will be, locked, and the answers with the address that this person has here.

    Somebody without email is somebody new unless staff looked them up: a name alone is no proof. Two visits at once
    about the same name wait for each other, so that the second can be asked whether it is one more.
    """
    if entry.supporter:
        rows = Supporter.objects.select_for_update(no_key=True).filter(erased_at=None)
        known = rows.get(pk=entry.supporter.pk)
        return known, replace(answers, name=known.name, email=known.email)
    if answers.email:
        supporter, _ = checkout.locked_supporter(answers)
        return supporter, replace(answers, email=supporter.email)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"by hand {answers.name.lower()}"])
    already = Adoption.objects.filter(attempt=answers.attempt).select_related("supporter").first()
    if already:
        return already.supporter, replace(answers, email=already.supporter.email)
    if not answers.is_another and twice.has_namesake_without_email(answers):
        raise SameAgain
    supporter = Supporter.objects.create(name=answers.name, email=no_email())
    return supporter, replace(answers, email=supporter.email)


def write_down_wish(supporter: Supporter, answers: Answers, entry: Entry) -> None:
    """What they said about news, as said to staff: a yes only to the words that ask for it, never a silence."""
    if not supporter.has_email:
        return
    told = consent.Told(WAYS[entry.channel], entry.by)
    page = entry.source.label.lower()
    if answers.wants_news:
        consent.grant(supporter, page=page, told=told)
    elif answers.wants_news is False:
        consent.refuse(supporter, page=page, told=told)


# --- money that goes back, or never was -------------------------------------------------------------------------------


def left_pence(charge: Payment) -> Pence:
    """What is left of it."""
    return Pence(max(NOTHING, charge.amount_pence + charge.reversals.balance_pence()))


@dataclass(frozen=True)
class Return:
    """Money that staff gave back, on whatever way, and when. `request` names one visit to the form."""

    request: uuid.UUID
    pence: Pence
    method: Method
    on: date
    because: Because
    reference: str = ""
    note: str = ""
    agreed_by: Model | None = None


def give_back(charge: Payment, back: Return, *, by: Model) -> Payment:
    """Write down that money of a charge by hand went back; whoever paid it is told. Raises CannotTakeBack."""
    with transaction.atomic():
        adoption = fulfilment.locked(charge.adoption_id)
        made = Payment.objects.filter(hand_entry__request=back.request).first()
        if made:
            return made
        left = left_pence(charge)
        if not charge.is_by_hand or charge.is_brought_in or charge.kind != PaymentKind.CHARGE:
            raise CannotTakeBack("Only a payment that staff wrote down can be given back here.")
        if not 1 <= back.pence <= left:
            raise CannotTakeBack(f"Enter an amount from 1p to {pounds(left)}." if left else "Nothing of it is left.")
        is_large = refunds.needs_second(charge, back.pence)
        if is_large and (back.agreed_by is None or back.agreed_by == by):
            raise CannotTakeBack("It is more than one may give back alone: name the colleague who agreed to it.")
        entry = HandEntry(
            needs_second=is_large,
            agreed_by_id=back.agreed_by.pk if is_large and back.agreed_by else None,
            request=back.request,
            reference=back.reference,
            note=back.note,
            because=back.because,
            entered_by_id=by.pk,
        )
        made = ledger.record_by_hand(
            adoption,
            PaymentKind.REFUND,
            pence=Pence(-back.pence),
            method=back.method,
            on=back.on,
            entry=entry,
            charge=charge,
        )
        ledger.settle_state(adoption)
        money_emails.queue_refund_by_hand(adoption, made)
    return made


def take_back(row: Payment, *, because: Because, note: str, request: uuid.UUID, by: Model) -> Payment:
    """A movement that staff wrote down was none: the opposite movement stands beside it from now on.

    Nobody is mailed. Raises CannotTakeBack, also for one that was taken back before.
    """
    kinds = {PaymentKind.CHARGE: PaymentKind.VOID, PaymentKind.REFUND: PaymentKind.REFUND_FAILED}
    try:
        with transaction.atomic():
            adoption = fulfilment.locked(row.adoption_id)
            if not row.is_by_hand or row.kind not in kinds:
                raise CannotTakeBack("Only what staff wrote down can be taken back here.")
            kind = kinds[PaymentKind(row.kind)]
            if kind == PaymentKind.VOID and left_pence(row) != row.amount_pence:
                raise CannotTakeBack("Some of it went back already. Take that back first, if it was a mistake as well.")
            entry = HandEntry(request=request, reverses=row, note=note, because=because, entered_by_id=by.pk)
            made = ledger.record_by_hand(
                adoption,
                kind,
                pence=Pence(-row.amount_pence),
                method=Method(row.method),
                on=timezone.localdate(),
                entry=entry,
                charge=row.charge or row,
            )
            ledger.settle_state(adoption)
    except IntegrityError as error:
        raise CannotTakeBack("That was taken back before.") from error
    return made
