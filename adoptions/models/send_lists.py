from django.conf import settings
from django.db import models
from django.utils import timezone

from .adoptions import Adoption
from .campaigns import Campaign


class SendList(models.Model):
    """To whom a campaign's mail went, on one day: so that answers which came without its link can be found."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="send_lists")
    sent_on = models.DateField("sent on")
    addresses = models.PositiveIntegerField(default=0)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-sent_on", "-pk"]

    def __str__(self) -> str:
        return f"{self.addresses:,} addresses, {self.sent_on:%-d %B %Y}"


class SentTo(models.Model):
    """One of them, as a digest: nobody can read the list here. Let go of when nothing can be found by it any more."""

    send_list = models.ForeignKey(SendList, on_delete=models.CASCADE, related_name="sent_to", db_index=False)
    address_hash = models.CharField(max_length=64, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["send_list", "address_hash"], name="sent_to_once")]

    def __str__(self) -> str:
        return f"{self.address_hash[:8]}… on {self.send_list_id}"


class Answer(models.Model):
    """An adoption without a code by somebody on a list, so many days after the mail. It proves nothing."""

    send_list = models.ForeignKey(SendList, on_delete=models.CASCADE, related_name="answers", db_index=False)
    adoption = models.ForeignKey(Adoption, on_delete=models.CASCADE, related_name="answers_to")
    days = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["send_list", "adoption"], name="answer_once")]

    def __str__(self) -> str:
        return f"{self.adoption_id} after {self.days} days"
