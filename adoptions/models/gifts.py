from django.db import models

from .adoptions import Adoption


class Gift(models.Model):
    """Who is given an adoption. A child may be: a name is all we ask."""

    adoption = models.OneToOneField(Adoption, on_delete=models.PROTECT, related_name="gift")
    recipient_name = models.CharField(max_length=120, help_text="As it stands on the certificate.")

    def __str__(self) -> str:
        return f"for {self.recipient_name}"
