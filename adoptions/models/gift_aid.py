import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .adoptions import Adoption
from .supporters import Supporter


class DeclarationQuerySet(models.QuerySet["GiftAidDeclaration"]):
    def standing(self) -> "DeclarationQuerySet":
        return self.filter(cancelled_on=None)

    def cancel(self, *, because: str, by: models.Model | None = None) -> int:
        """It holds for gifts before today and for none from today on. Once: the day is never moved."""
        today = timezone.localdate()
        return self.standing().update(cancelled_on=today, cancelled_because=because[:200], cancelled_by=by)


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
    cancelled_on = models.DateField(null=True, blank=True, help_text="Gifts from this day on are not covered.")
    cancelled_because = models.CharField(max_length=200, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, help_text="Empty: the person."
    )

    objects = DeclarationQuerySet.as_manager()

    class Meta:
        verbose_name = "Gift Aid declaration"
        ordering = ["-id"]
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
                name="gift_aid_cancelled_says_why",
                condition=Q(cancelled_on__isnull=True, cancelled_because="", cancelled_by__isnull=True)
                | (Q(cancelled_on__gte=F("covers_from")) & ~Q(cancelled_because="")),
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="as_declared", exclude=["cancelled_on", "cancelled_because", "cancelled_by"]),
            pgtrigger.Protect(
                name="cancelled_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__cancelled_on__isnull=False),
            ),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}, from {self.covers_from}"
