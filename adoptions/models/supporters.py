import secrets
from datetime import datetime

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast, Concat, Lower, Now, Upper

# Many who send a cheque have no email. Theirs is an address that never can exist (RFC 2606), one for each of them: so
# whatever asks by an address finds nobody else, and config/mail.py sends nothing there.
NO_EMAIL = "@no-email.invalid"


def no_email() -> str:
    """An address for somebody who has none."""
    return f"none-{secrets.token_hex(12)}{NO_EMAIL}"


class WithoutAccents(Func):
    """As an index can hold it: a function of ours, made by a migration."""

    function = "without_accents"
    arity = 1
    output_field = models.CharField()


class SupporterQuerySet(models.QuerySet["Supporter"]):
    def with_address(self, email: str) -> "SupporterQuerySet":
        return self.filter(email__iexact=email, erased_at=None)

    def reachable(self) -> "SupporterQuerySet":
        """Who can be written to by email."""
        return self.filter(erased_at=None).exclude(email__endswith=NO_EMAIL)

    def erase(self) -> int:
        """Forget who they are. The row stays, for the payments that the law makes us keep hang on it."""
        return self.filter(erased_at=None).update(
            name="",
            email=Concat(Value("erased-"), Cast("pk", models.CharField()), Value("@erased.invalid")),
            told_until=None,
            erased_at=Now(),
        )

    def tell(self, *, until: datetime) -> int:
        """News of the field notes up to a moment goes out: 0 if another worker was first, or it was done lately."""
        return self.filter(Q(told_until=None) | Q(told_until__lt=until)).update(told_until=until)


class Supporter(models.Model):
    """Somebody who pays for an adoption. Known by an email address; there is no account."""

    name = models.CharField(max_length=120)
    email = models.EmailField()
    stripe_customer_id = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    told_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Field notes up to here have been mailed."
    )

    listed_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When a list from elsewhere brought them. Empty: by themselves.",
    )
    compared_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it was last looked whether they are here twice."
    )

    objects = SupporterQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="supporter_email_once",
                violation_error_message="Somebody else has this address. If they are one person, join the two.",
            ),
            models.CheckConstraint(
                name="supporter_erased_has_no_name",
                condition=Q(erased_at__isnull=True) | Q(name="", email__endswith="@erased.invalid"),
                violation_error_message="This person was erased: nothing about them can be typed in any more.",
            ),
        ]

        indexes = [
            GinIndex(SearchVector("name", config="names"), name="supporter_by_name"),
            GinIndex(OpClass(WithoutAccents("name"), name="gin_trgm_ops"), name="supporter_like_plain"),
            models.Index(
                fields=["stripe_customer_id"], name="supporter_by_customer", condition=~Q(stripe_customer_id="")
            ),
            models.Index(OpClass(Upper("email"), name="text_pattern_ops"), name="supporter_by_email"),
            models.Index(fields=["-created_at", "-id"], name="supporter_newest"),
            models.Index(
                F("compared_at").asc(nulls_first=True), "id", name="supporter_to_compare", condition=Q(erased_at=None)
            ),
        ]

    def __str__(self) -> str:
        if self.erased_at is not None:
            return f"erased {self.pk}"
        return f"{self.name} <{self.email}>" if self.has_email else f"{self.name}, no email"

    @property
    def has_email(self) -> bool:
        return not self.email.endswith(NO_EMAIL)

    @property
    def email_if_any(self) -> str:
        """For lists that leave the site."""
        return self.email if self.has_email else ""


class FormerAddress(models.Model):
    """An address that a supporter had before: what was sent there, and written from there, is theirs as well.

    With its times, for an address may be somebody else's before and after.
    """

    supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE, related_name="former_addresses")
    email = models.EmailField()
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(name="former_address_in_order", condition=Q(until__gte=F("since")))]
        indexes = [models.Index(OpClass(Upper("email"), name="text_pattern_ops"), name="former_address_by_email")]

    def __str__(self) -> str:
        return f"{self.email} until {self.until:%Y-%m-%d}"
