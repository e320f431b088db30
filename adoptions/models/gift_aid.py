from datetime import timedelta

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from .adoptions import Adoption
from .supporters import Supporter

MAY_UNDO = timedelta(days=30)  # of one given by word of mouth, from the day its written record was sent


class DeclarationQuerySet(models.QuerySet["GiftAidDeclaration"]):
    def standing(self) -> "DeclarationQuerySet":
        return self.filter(cancelled_on=None)

    def counting(self) -> "DeclarationQuerySet":
        """Without those given by word of mouth of which no written record has been sent yet: the law needs that."""
        return self.exclude(channel=GiftAidDeclaration.Channel.ORAL, record_sent_at=None)

    def cancel(self, *, because: str, by: models.Model | None = None) -> int:
        """It holds for gifts before today and for none from today on. Once: the day is never moved.

        One given by word of mouth can be undone as if it had never been, for thirty days after its record was sent.
        """
        is_fresh = Q(record_sent_at=None) | Q(record_sent_at__gt=timezone.now() - MAY_UNDO)
        undone = When(is_fresh, channel=GiftAidDeclaration.Channel.ORAL, then=F("covers_from"))
        return self.standing().update(
            cancelled_on=Case(undone, default=Value(timezone.localdate())),
            cancelled_because=because[:200],
            cancelled_by=by,
        )

    def cancel_for_another(self, *, by: models.Model | None = None) -> int:
        """Another declaration takes over from today on; that is no undoing of what was declared."""
        return self.standing().update(
            cancelled_on=Greatest(Value(timezone.localdate()), F("covers_from")),
            cancelled_because="Declared anew.",
            cancelled_by=by,
        )

    def record_sent(self) -> int:
        """The written record of one given by word of mouth has gone out."""
        oral = self.standing().filter(channel=GiftAidDeclaration.Channel.ORAL, record_sent_at=None)
        return oral.update(record_sent_at=Now())


class GiftAidDeclaration(models.Model):
    """What a taxpayer declared, whole, as they read it: the charity claims tax back on the strength of this row.

    A row is never edited. Another address is another declaration; taking it back only adds a day of ending, from
    which on gifts are not covered. It outlives an erasure, as tax law asks.
    """

    class Channel(models.TextChoices):
        WEB = "web", "On the site"
        PAPER = "paper", "On paper"
        ORAL = "oral", "By phone or in person"

    supporter = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="gift_aid_declarations")
    adoption = models.ForeignKey(
        Adoption,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="gift_aid_declarations",
        help_text="With which it was given.",
    )
    first_name = models.CharField(max_length=35, help_text="As long as HMRC's schedule takes.")
    last_name = models.CharField(max_length=35)
    address = models.CharField("home address", max_length=200, help_text="House and street; never at work.")
    postcode = models.CharField(max_length=10)
    charity_name = models.CharField(max_length=200, help_text="As it was shown.")
    wording_version = models.CharField(max_length=20)
    wording = models.TextField(help_text="What they read, whole.")
    channel = models.CharField(max_length=5, choices=Channel, default=Channel.WEB)
    covers_from = models.DateField(help_text="Gifts from this day on.")
    given_at = models.DateTimeField(default=timezone.now)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who wrote it down. Empty: the person.",
    )
    record_sent_at = models.DateTimeField(
        null=True, blank=True, help_text="Of one given by word of mouth, which covers nothing before."
    )
    cancelled_on = models.DateField(null=True, blank=True, help_text="Gifts from this day on are not covered.")
    cancelled_because = models.CharField(max_length=200, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, help_text="Empty: the person."
    )

    objects = DeclarationQuerySet.as_manager()

    class Meta:
        verbose_name = "Gift Aid declaration"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["postcode"], name="gift_aid_by_postcode"),
            GinIndex(SearchVector("first_name", "last_name", config="names"), name="gift_aid_by_name"),
            models.Index(fields=["channel", "-id"], name="gift_aid_by_channel"),
            models.Index(fields=["covers_from"], name="gift_aid_by_first_day"),
            models.Index(fields=["cancelled_on"], name="gift_aid_cancelled", condition=Q(cancelled_on__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="gift_aid_names_a_person_at_home",
                condition=~Q(first_name="") & ~Q(last_name="") & ~Q(address="") & ~Q(postcode=""),
            ),
            models.CheckConstraint(
                name="gift_aid_says_what_was_read",
                condition=~Q(wording="") & ~Q(wording_version="") & ~Q(charity_name=""),
            ),
            models.CheckConstraint(
                name="gift_aid_off_the_site_names_who_wrote",
                condition=Q(channel="web", entered_by__isnull=True) | (~Q(channel="web") & Q(entered_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="gift_aid_record_is_of_an_oral_one", condition=Q(record_sent_at__isnull=True) | Q(channel="oral")
            ),
            models.CheckConstraint(
                name="gift_aid_cancelled_says_why",
                condition=Q(cancelled_on__isnull=True, cancelled_because="", cancelled_by__isnull=True)
                | (Q(cancelled_on__gte=F("covers_from")) & ~Q(cancelled_because="")),
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="as_declared", exclude=["cancelled_on", "cancelled_because", "cancelled_by", "record_sent_at"]
            ),
            pgtrigger.Protect(
                name="record_sent_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(
                    old__record_sent_at__isnull=False, old__record_sent_at__df=pgtrigger.F("new__record_sent_at")
                ),
            ),
            pgtrigger.Protect(
                name="cancelled_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__cancelled_on__isnull=False),
            ),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}, from {self.covers_from}"
