"""A present on its way: kept with the adoption, sent on its day once the money is there, changed until it is sent.

Two rules carry the rest. The mail is queued in the transaction that moves the gift on, by a conditional UPDATE, under
a key of its own: whoever comes second moves no row and queues nothing. And a gift is looked at only under the lock of
its adoption, which every news about money takes as well: nothing goes out for an adoption that is not paid.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import F, Model, Q
from django.utils import timezone

from config.models import Mail, MailState

from . import attention, gift_emails
from .gift_words import why_held
from .models import (
    ADOPTED,
    Adoption,
    AdoptionState,
    Attention,
    AttentionKind,
    Change,
    ChangeAct,
    Delivery,
    Gift,
    GiftState,
)
from .models.adoptions import new_token
from .models.changes import Actor

MOST_AT_ONCE = 500
BOUNCES_FOR = timedelta(days=1)  # as long as the worker may have been away


@dataclass(frozen=True)
class Present:
    """What a giver wishes: checked, and with its links taken out. Address and day are empty for one given by hand."""

    recipient_name: str
    message: str = ""
    delivery: Delivery = Delivery.SELF
    recipient_email: str = ""
    deliver_on: date | None = None

    def values(self, *, giver: str) -> dict[str, object]:
        """The columns of a gift with these wishes, waiting or held."""
        held_because = why_held(self.message, self.recipient_name, giver)
        is_by_email = self.delivery == Delivery.EMAIL
        return {
            "recipient_name": self.recipient_name,
            "message": self.message,
            "delivery": self.delivery,
            "recipient_email": self.recipient_email if is_by_email else "",
            "deliver_on": self.deliver_on if is_by_email else None,
            "state": GiftState.HELD if held_because else GiftState.WAITING,
            "held_because": held_because,
        }


def keep(adoption: Adoption, present: Present | None) -> None:
    """Write a present down beside an adoption that is not paid yet, or take it away. Called with its row locked."""
    if present is None:
        Gift.objects.filter(adoption=adoption).delete()
    else:
        values = present.values(giver=adoption.supporter.name)
        Gift.objects.update_or_create(adoption=adoption, defaults=values)


def money_arrived(adoption: Adoption) -> None:
    """The first payment is there: let the mail go out on its day, and tell the giver if that is still to come.

    Called with the adoption's row locked; a second call moves nothing.
    """
    if not (adoption.is_gift and adoption.is_adopted):
        return
    is_scheduled = Gift.objects.filter(adoption=adoption).schedule()
    gift = Gift.objects.select_related("adoption__supporter", "adoption__species").filter(adoption=adoption).first()
    if gift is None:
        return  # a ledger rebuilt from Stripe knows that it was a present, and not whose
    if is_scheduled:
        tell_of_the_day(gift)
    elif gift.state == GiftState.HELD:
        call_staff(gift)


def tell_of_the_day(gift: Gift) -> None:
    if gift.deliver_at > timezone.now():
        gift_emails.queue_scheduled(gift)


def call_staff(gift: Gift) -> None:
    """Somebody reads the words, once for each time they were written."""
    key = f"gift:{gift.pk}:{gift.revision}"
    attention.call(AttentionKind.GIFT_WORDS, key=key, reason=gift.held_because, adoption=gift.adoption)


def change(gift: Gift, present: Present, *, by: Actor = None) -> bool:
    """Take over what the giver changed, or staff for them; False if it has been sent in the meantime.

    The words are read for what must be held again. One that had come back goes out again at once. So does one that went
    to somebody else, whose letter opens nothing from then on; but of an adoption that has ended it would go nowhere.
    """
    with transaction.atomic():
        adoption = lock_adoption_of(gift.pk)
        values = present.values(giver=adoption.supporter.name) | {"revision": F("revision") + 1}
        this = Gift.objects.filter(pk=gift.pk)
        if not adoption.is_adopted:
            this = this.editable()
        astray = this.gone_astray(not_to=str(values["recipient_email"]))
        if not (astray.update(**values, sent_at=None, token=new_token()) or this.editable().update(**values)):
            return False
        Change.objects.create(adoption=adoption, act=ChangeAct.GIFT, done_at=timezone.now(), by=by)
        money_arrived(adoption)
    return True


def send_again(gift: Gift, *, by: Actor = None) -> bool:
    """The giver says that it never came. False if it may not be sent once more.

    The lock comes first, as where a recipient is forgotten: each would wait for the other's row.
    """
    with transaction.atomic():
        adoption = lock_adoption_of(gift.pk)
        if not (adoption.is_adopted and Gift.objects.filter(pk=gift.pk).send_again()):
            return False
        Change.objects.create(adoption=adoption, act=ChangeAct.GIFT_AGAIN, done_at=timezone.now(), by=by)
    return True


def release(gift_id: int, *, by: Model) -> bool:
    """Staff found nothing wrong with held words."""
    with transaction.atomic():
        adoption = lock_adoption_of(gift_id)
        if not Gift.objects.filter(pk=gift_id).release():
            return False
        waiting = Attention.objects.filter(kind=AttentionKind.GIFT_WORDS, key__startswith=f"gift:{gift_id}:")
        waiting.resolve(how="Read, and released.", by=by)
        money_arrived(adoption)
    return True


def lock_adoption_of(gift_id: int) -> Adoption:
    rows = Adoption.objects.select_for_update(of=("self",)).select_related("supporter", "species")
    return rows.get(gift=gift_id)


# --- what the worker does each minute ----------------------------------------------------------------------------


def send_due() -> int:
    """Send what is due; how many that were."""
    due = Gift.objects.due(at=timezone.now()).filter(adoption__state__in=ADOPTED).order_by("deliver_at")
    return sum(send(gift_id) for gift_id in due.values_list("pk", flat=True)[:MOST_AT_ONCE])


def send(gift_id: int) -> bool:
    """Hand one gift to the mail server, if it is due and paid for and nobody was faster."""
    with transaction.atomic():
        adoption = lock_adoption_of(gift_id)
        this = Gift.objects.filter(pk=gift_id)
        if not adoption.is_adopted or not this.begin_sending(at=timezone.now()):
            return False
        gift_emails.queue_message(this.select_related("adoption__supporter", "adoption__species").get())
    return True


def follow_mails() -> None:
    """See what became of the mails the mail server has been given, and tell the givers."""
    gifts = Gift.objects.filter(state=GiftState.SENDING).select_related("adoption__supporter", "adoption__species")
    for gift in gifts[:MOST_AT_ONCE]:
        mail = Mail.objects.filter(key=gift_emails.message_key(gift)).first()
        if mail and mail.state == MailState.SENT and mail.sent_at:
            arrived(gift, at=mail.sent_at)
        elif mail and mail.state in {MailState.FAILED, MailState.BOUNCED}:
            came_back(gift)
    for gift in gone_and_come_back():
        came_back(gift)


def gone_and_come_back() -> list[Gift]:
    """Presents that counted as sent until another mail server gave the mail back, some time afterwards."""
    lately = timezone.now() - BOUNCES_FOR
    news = Mail.objects.filter(kind="gift_message", state=MailState.BOUNCED, failed_at__gt=lately)
    which = [key.split(":")[1:3] for key in news.values_list("key", flat=True)[:MOST_AT_ONCE]]
    those = reduce(or_, (Q(pk=pk, sendings=sendings) for pk, sendings in which), Q(pk=None))
    return list(
        Gift.objects.filter(those, state=GiftState.SENT).select_related("adoption__supporter", "adoption__species")
    )


def arrived(gift: Gift, *, at: datetime) -> None:
    with transaction.atomic():
        if Gift.objects.filter(pk=gift.pk).mark_sent(at=at):
            gift_emails.queue_delivered(gift, "sent")


def came_back(gift: Gift) -> None:
    """The address does not exist, or takes no mail: the giver hears it, and can put it right or print."""
    with transaction.atomic():
        if Gift.objects.filter(pk=gift.pk).mark_failed():
            gift_emails.queue_delivered(gift, "bounced")


def tell_of_waiting() -> None:
    """The day has come and a bank is still at it: the giver hears what happens instead, once."""
    late = Gift.objects.filter(
        state=GiftState.WAITING,
        delivery=Delivery.EMAIL,
        deliver_at__lte=timezone.now(),
        adoption__state=AdoptionState.PROCESSING,
    ).select_related("adoption__supporter", "adoption__species")
    for gift in late[:MOST_AT_ONCE]:
        gift_emails.queue_waiting(gift)


# --- what the recipient does ---------------------------------------------------------------------------------------


def open_present(gift: Gift) -> None:
    """Somebody pressed “Open your present”; the giver hears of it, once. Not by a link that was just renewed."""
    with transaction.atomic():
        if Gift.objects.filter(pk=gift.pk, token=gift.token).open():
            gift_emails.queue_delivered(gift, "opened")


def say_thanks(gift: Gift, words: str) -> bool:
    """Carry a thank-you to the giver; False if that was done before, or by a link that was just renewed."""
    with transaction.atomic():
        if not Gift.objects.filter(pk=gift.pk, token=gift.token).thank():
            return False
        gift_emails.queue_thanks(gift, words)
    return True


def forget_recipient(gift: Gift) -> None:
    """Erase who was given it: from the gift, and from every mail about it that we kept a copy of."""
    with transaction.atomic():
        lock_adoption_of(gift.pk)
        Gift.objects.filter(pk=gift.pk).erase()
        gift_emails.erase_copies(gift)
