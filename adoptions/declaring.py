"""Gift Aid declared after the gift: by a supporter on their own page, or written down by staff.

What is declared anew takes the place of what stood: the earlier declaration still covers the gifts of its own days,
with the address of that time.
"""

from dataclasses import astuple

from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone

from config.models import Mail, MailState

from . import emails, gift_aid
from .gift_aid import Channel, Given, Scope, Taxpayer
from .models import Adoption, GiftAidDeclaration, Supporter

MOST_AT_ONCE = 200
TAKEN_BACK_BY = {
    "word": "The supporter asked staff by phone or in person.",
    "writing": "The supporter asked staff in writing.",
}


def declare_later(supporter: Supporter, taxpayer: Taxpayer, scope: Scope) -> GiftAidDeclaration:
    """As the person who is signed in. The same again, from a button pressed twice, is the same declaration."""
    return write_down(supporter, taxpayer, Given(timezone.now(), scope))


def write_down(supporter: Supporter, taxpayer: Taxpayer, given: Given) -> GiftAidDeclaration:
    """Keep a declaration and send its written record. One at a time for each supporter."""
    with transaction.atomic():
        Supporter.objects.select_for_update(no_key=True).get(pk=supporter.pk)
        standing = GiftAidDeclaration.objects.filter(supporter=supporter).standing()
        last = standing.first()
        if last and same(last, taxpayer, given):
            return last
        standing.cancel_for_another(by=given.by)
        declaration = gift_aid.declare(supporter, taxpayer, given=given)
        adoption = first_adoption(supporter)
        if adoption:
            emails.confirm_gift_aid(declaration, adoption)
    return declaration


def same(last: GiftAidDeclaration, taxpayer: Taxpayer, given: Given) -> bool:
    known = (last.first_name, last.last_name, last.address, last.postcode)
    day = timezone.localdate(given.at)
    begins = gift_aid.covered_from(given.scope, day)
    words = given.words or gift_aid.wording(given.scope, day)
    return (*known, last.channel, last.covers_from, last.wording) == (
        *astuple(taxpayer),
        given.channel,
        begins,
        words,
    )


def first_adoption(supporter: Supporter) -> Adoption | None:
    """The first that was paid for, or the first that was asked for: its reference stands in the mail."""
    adoptions = Adoption.objects.filter(supporter=supporter).select_related("supporter")
    return adoptions.order_by(F("activated_at").asc(nulls_last=True), "pk").first()


def note_records_sent() -> int:
    """Let declarations by word of mouth count whose written record the mail server has taken; how many that were."""
    waiting = GiftAidDeclaration.objects.standing().filter(channel=Channel.ORAL, record_sent_at=None)[:MOST_AT_ONCE]
    keys = {emails.gift_aid_key(declaration): declaration.pk for declaration in waiting}
    sent = Mail.objects.filter(key__in=keys, state=MailState.SENT).values_list("key", flat=True)
    return GiftAidDeclaration.objects.filter(pk__in=[keys[key] for key in sent]).record_sent()


def take_back(declarations: list[int], *, how: str, by: Model) -> int:
    """Staff take declarations back for people who asked them to; `how` is a key of TAKEN_BACK_BY."""
    chosen = GiftAidDeclaration.objects.filter(pk__in=declarations)
    return chosen.cancel(because=TAKEN_BACK_BY[how], by=by)
