"""What is asked about a present: when it is bought, when it is changed, and what a recipient may answer."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from config.fields import PlainTextField, SingleLineField, StrictEmailField

from .gift_words import why_held, without_links
from .gifts import Present
from .models import Delivery, Gift
from .models.gifts import MESSAGE_LENGTH

FURTHEST = timedelta(days=400)
GIFT_FIELDS = ["recipient_name", "message", "delivery", "recipient_email", "deliver_on"]
# Nobody's browser may fill in the payer's own details here.
NOT_THE_PAYERS = {"autocomplete": "off"}


class WithoutLinksField(PlainTextField):
    """Several lines with every address taken out."""

    def clean(self, value: Any) -> str:
        return without_links(super().clean(value))


class GiftFields(forms.Form):
    """The recipient, the words, and how they get there. An email address is asked only to send something to it."""

    recipient_name = SingleLineField(
        label="Name of the person you give it to",
        required=False,
        max_length=120,
        help_text="As it should stand on the certificate.",
        widget=forms.TextInput(attrs=NOT_THE_PAYERS),
    )
    message = WithoutLinksField(
        label="Your message (optional)",
        required=False,
        max_length=MESSAGE_LENGTH,
        help_text=f"Up to {MESSAGE_LENGTH} characters. Links are left out.",
        widget=forms.Textarea(attrs={**NOT_THE_PAYERS, "rows": 5}),
    )
    delivery = forms.ChoiceField(
        label="How should it reach them?",
        required=False,
        choices=Delivery.choices,
        initial=Delivery.SELF,
        widget=forms.RadioSelect,
    )
    recipient_email = StrictEmailField(
        label="Their email address",
        required=False,
        help_text="We send them this one present and never write to them again.",
        widget=forms.EmailInput(attrs={**NOT_THE_PAYERS, "spellcheck": "false"}),
    )
    deliver_on = forms.DateField(
        label="On which day?",
        required=False,
        initial=timezone.localdate,
        help_text="It goes out at 8 in the morning, UK time, or at once if that is past.",
        input_formats=["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={**NOT_THE_PAYERS, "type": "date"}),
        error_messages={"invalid": "Enter a day, such as 24/12/2026."},
    )

    def check_present(self) -> None:
        """Say what is missing, once it is known that this is a present."""
        cleaned = self.cleaned_data
        if not cleaned.get("recipient_name") and not self.has_error("recipient_name"):
            self.add_error("recipient_name", "Enter the name of the person you give the adoption to.")
        if cleaned.get("delivery") != Delivery.EMAIL:
            self.forget("recipient_email", "deliver_on")
            return
        if not cleaned.get("recipient_email") and not self.has_error("recipient_email"):
            self.add_error("recipient_email", "Enter the address we should send it to.")
        if not self.has_error("deliver_on"):
            self.check_day(cleaned.get("deliver_on"))

    def check_day(self, day: date | None) -> None:
        today = timezone.localdate()
        if day is None:
            self.add_error("deliver_on", "Choose the day it should go out.")
        elif day < today:
            self.add_error("deliver_on", "That day is past. Choose today or a later day.")
        elif day > today + FURTHEST:
            self.add_error("deliver_on", "That is too far ahead. Choose a day within the next 13 months.")

    def forget(self, *fields: str) -> None:
        """What was typed into fields that do not count is no error."""
        for field in fields:
            self.errors.pop(field, None)

    def present(self) -> Present:
        """The checked wishes; call only on a valid form of a present."""
        cleaned = self.cleaned_data
        return Present(
            recipient_name=cleaned["recipient_name"],
            message=cleaned.get("message") or "",
            delivery=Delivery(cleaned.get("delivery") or Delivery.SELF),
            recipient_email=cleaned.get("recipient_email") or "",
            deliver_on=cleaned.get("deliver_on"),
        )


class GiftChangeForm(GiftFields):
    """A giver changes a present that is not sent yet. A day that has come and gone may stay: it then goes at once."""

    def __init__(self, data: Any = None, *, gift: Gift) -> None:
        self.gift = gift
        super().__init__(data, initial={name: getattr(gift, name) for name in GIFT_FIELDS if getattr(gift, name)})

    def clean(self) -> dict[str, Any]:
        self.check_present()
        if self.gift.may_go_elsewhere and self.cleaned_data.get("delivery") == Delivery.EMAIL:
            self.check_is_elsewhere(self.cleaned_data.get("recipient_email") or "")
        return self.cleaned_data

    def check_is_elsewhere(self, address: str) -> None:
        if address.lower() == self.gift.recipient_email.lower():
            self.add_error("recipient_email", "It went to this address. Enter another one, or send it again as it is.")

    def check_day(self, day: date | None) -> None:
        if day is None or day != self.gift.deliver_on:
            super().check_day(day)


class ThanksForm(forms.Form):
    """A few words back to the giver."""

    words = WithoutLinksField(
        label="Your words",
        max_length=MESSAGE_LENGTH,
        help_text=f"Up to {MESSAGE_LENGTH} characters. They go to the giver by email, once.",
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Write a few words first."},
    )

    def clean_words(self) -> str:
        words: str = self.cleaned_data["words"]
        if not words:
            raise forms.ValidationError("Write a few words first. Links are left out.")
        if why_held(words):
            raise forms.ValidationError("We cannot carry these words. Please say it in others.")
        return words
