from datetime import date, datetime

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now, Upper
from django.urls import reverse

from .adoptions import Adoption, new_token

MESSAGE_LENGTH = 500
MOST_SENDINGS = 4  # the first, and three more for an address put right or a mail that got lost


class Delivery(models.TextChoices):
    EMAIL = "email", "Email it to them on a day I choose"
    SELF = "self", "I will print it, or send the link myself"


class GiftState(models.TextChoices):
    """Where the mail to the recipient is. A gift that its giver hands over stays at the first."""

    WAITING = "waiting", "Not for us to send yet"
    SCHEDULED = "scheduled", "Goes out on its day"
    SENDING = "sending", "With the mail server"
    SENT = "sent", "Sent"
    FAILED = "failed", "Could not be delivered"
    HELD = "held", "Held for staff to read"
    CANCELLED = "cancelled", "Not to be sent"


EDITABLE = frozenset({GiftState.WAITING, GiftState.SCHEDULED, GiftState.HELD, GiftState.FAILED})
GONE = frozenset({GiftState.SENT, GiftState.FAILED})


class EightInLondon(Func):
    """Eight in the morning of a date, where the charity is: 07:00 UTC in summer. Never in the hour that is skipped."""

    template = "((%(expressions)s + time '08:00') AT TIME ZONE 'Europe/London')"
    arity = 1


class GiftQuerySet(models.QuerySet["Gift"]):
    """Verbs that move a gift. Each is one UPDATE on conditions of the gift's own row, and says how many rows moved."""

    def editable(self) -> "GiftQuerySet":
        """What was opened and is to go once more goes as it is."""
        here = self.filter(state__in=EDITABLE, erased_at=None, sendings__lt=MOST_SENDINGS)
        return here.exclude(state=GiftState.SCHEDULED, sendings__gt=0, opened_at__isnull=False)

    def gone_astray(self, *, not_to: str) -> "GiftQuerySet":
        """Somebody has its letter and has not opened it, and it is meant for another address than that one.

        Also where it was to go there once more before that was seen. What came back the first time nobody has, and of
        what has no address any more the link was renewed when that was taken away.
        """
        out = Q(state=GiftState.SENT) | Q(state__in=EDITABLE, sendings__gt=0)
        gone = self.filter(out, opened_at=None, thanked_at=None, erased_at=None, sendings__lt=MOST_SENDINGS)
        with_somebody = gone.exclude(state=GiftState.FAILED, sendings=1).exclude(recipient_email="")
        return with_somebody.exclude(recipient_email__iexact=not_to)

    def due(self, *, at: datetime) -> "GiftQuerySet":
        return self.filter(state=GiftState.SCHEDULED, deliver_at__lte=at)

    def going_out(self, *, by: date) -> "GiftQuerySet":
        return self.filter(state=GiftState.SCHEDULED, deliver_on__lte=by)

    def schedule(self) -> int:
        """The money has arrived: the mail goes out on its day."""
        waiting = self.filter(state=GiftState.WAITING, delivery=Delivery.EMAIL, erased_at=None)
        return waiting.update(state=GiftState.SCHEDULED)

    def begin_sending(self, *, at: datetime) -> int:
        due = self.due(at=at).filter(sendings__lt=MOST_SENDINGS)
        return due.update(state=GiftState.SENDING, sendings=F("sendings") + 1)

    def mark_sent(self, *, at: datetime) -> int:
        return self.filter(state=GiftState.SENDING).update(state=GiftState.SENT, sent_at=at)

    def mark_failed(self) -> int:
        """The mail server gave the mail back, at once or, as a bounce, after having taken it."""
        gone = self.filter(state__in=[GiftState.SENDING, GiftState.SENT])
        return gone.update(state=GiftState.FAILED, sent_at=None)

    def send_again(self) -> int:
        """It never came, or came back. Goes out with the next round."""
        again = self.filter(state__in=GONE, sendings__lt=MOST_SENDINGS, erased_at=None)
        return again.update(state=GiftState.SCHEDULED, sent_at=None)

    def release(self) -> int:
        """Staff have read the words and see no harm in them."""
        return self.filter(state=GiftState.HELD).update(state=GiftState.WAITING, held_because="")

    def cancel(self) -> int:
        """Staff, or the giver's erasure: nothing is sent, and the recipient's page is closed."""
        stopped = self.filter(state__in=EDITABLE | {GiftState.SENDING})
        return stopped.update(state=GiftState.CANCELLED, held_because="")

    def open(self) -> int:
        return self.filter(opened_at=None, erased_at=None).update(opened_at=Now())

    def thank(self) -> int:
        return self.filter(thanked_at=None, erased_at=None).update(thanked_at=Now())

    def erase(self) -> int:
        """Forget the recipient. What was not sent yet never is, and the address of their page leads nowhere."""
        self.cancel()
        return self.filter(erased_at=None).update(
            recipient_name="", recipient_email="", message="", token=new_token(), erased_at=Now()
        )


class Gift(models.Model):
    """Who is given an adoption, the words that go with it, and how it gets there. A child may be given one: a name
    is all we ask.

    A recipient told us nothing: their details came from somebody else. So nobody here can ever be marketed to; only
    a supporter can have a ConsentEvent, and only about details of their own.
    """

    adoption = models.OneToOneField(Adoption, on_delete=models.PROTECT, related_name="gift")
    recipient_name = models.CharField(max_length=120, blank=True, help_text="As it stands on the certificate.")
    message = models.CharField(max_length=MESSAGE_LENGTH, blank=True)
    delivery = models.CharField(max_length=5, choices=Delivery, default=Delivery.SELF)
    recipient_email = models.EmailField(blank=True)
    deliver_on = models.DateField(null=True, blank=True)
    deliver_at = models.GeneratedField(
        expression=EightInLondon(F("deliver_on")), output_field=models.DateTimeField(), db_persist=True, null=True
    )
    state = models.CharField(max_length=9, choices=GiftState, default=GiftState.WAITING)
    held_because = models.CharField(max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=0, editable=False, help_text="How often the giver changed it.")
    sendings = models.PositiveSmallIntegerField(default=0, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    opened_at = models.DateTimeField(null=True, blank=True, help_text="When somebody pressed “Open your present”.")
    thanked_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = GiftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="gift_by_email_has_address_and_day",
                condition=Q(delivery="self")
                | Q(erased_at__isnull=False)
                | (~Q(recipient_email="") & Q(deliver_on__isnull=False)),
            ),
            models.CheckConstraint(
                name="gift_by_hand_is_not_sent",
                condition=Q(delivery="email") | Q(state__in=["waiting", "held", "cancelled"]),
            ),
            models.CheckConstraint(
                name="gift_sent_has_time",
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="gift_held_has_reason",
                condition=(Q(state="held") & ~Q(held_because="")) | (~Q(state="held") & Q(held_because="")),
            ),
            models.CheckConstraint(
                name="gift_has_name_until_erased",
                condition=Q(erased_at__isnull=False, recipient_name="", recipient_email="", message="")
                | (Q(erased_at__isnull=True) & ~Q(recipient_name="")),
            ),
            models.CheckConstraint(name="gift_sendings", condition=Q(sendings__lte=MOST_SENDINGS)),
        ]
        indexes = [
            models.Index(fields=["deliver_at"], name="gift_unsent", condition=Q(state="scheduled")),
            models.Index(fields=["state", "-id"], name="gift_by_state"),
            models.Index(fields=["deliver_on"], name="gift_by_day"),
            GinIndex(SearchVector("recipient_name", config="names"), name="gift_by_name"),
            models.Index(OpClass(Upper("recipient_email"), name="text_pattern_ops"), name="gift_by_email"),
        ]

    def __str__(self) -> str:
        return f"for {self.recipient_name}"

    def get_absolute_url(self) -> str:
        return reverse("adoptions:gift", args=[self.token])

    @property
    def is_by_email(self) -> bool:
        return self.delivery == Delivery.EMAIL

    @property
    def is_editable(self) -> bool:
        goes_as_it_is = self.state == GiftState.SCHEDULED and self.sendings and self.opened_at
        return self.state in EDITABLE and not goes_as_it_is and self.erased_at is None and self.sendings < MOST_SENDINGS

    @property
    def may_be_put_right(self) -> bool:
        """Changed, or sent once more."""
        return self.is_editable or self.may_be_sent_again

    @property
    def may_go_elsewhere(self) -> bool:
        """It went to an address that may have been somebody else's."""
        is_out = self.state == GiftState.SENT and self.may_be_sent_again
        return is_out and self.opened_at is None and self.thanked_at is None

    @property
    def may_be_sent_again(self) -> bool:
        """Of an adoption that has ended it would wait for ever."""
        is_out = self.state in GONE and self.erased_at is None
        return is_out and self.sendings < MOST_SENDINGS and self.adoption.is_adopted
