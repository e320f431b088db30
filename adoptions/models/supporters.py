from django.db import models
from django.db.models.functions import Lower


class SupporterQuerySet(models.QuerySet["Supporter"]):
    def with_address(self, email: str) -> "SupporterQuerySet":
        return self.filter(email__iexact=email)


class Supporter(models.Model):
    """Somebody who pays for an adoption. Known by an email address; there is no account."""

    name = models.CharField(max_length=120)
    email = models.EmailField()
    stripe_customer_id = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SupporterQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(Lower("email"), name="supporter_email_once")]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"
