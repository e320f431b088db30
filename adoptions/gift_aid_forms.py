"""What is asked of somebody who wants Gift Aid claimed on their gift: nothing of the others."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from config.fields import SingleLineField
from config.money import pounds

from . import benefits
from .gift_aid import Taxpayer, wording
from .models import Plan

YES, NO = "yes", "no"
GIFT_AID_FIELDS = ["gift_aid", "first_name", "last_name", "home_address", "postcode"]
POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})")


class PostcodeField(SingleLineField):
    """A UK postcode however it is typed: any case, with spaces, hyphens, dots or brackets; kept as `SW1A 1AA`."""

    def to_python(self, value: Any) -> str:
        typed = super().to_python(value)
        if not typed:
            return ""
        found = POSTCODE.fullmatch(re.sub(r"[\s().,–-]", "", typed.upper()))
        if found is None:
            raise ValidationError("Enter a UK postcode, such as SW1A 1AA.", code="invalid")
        return f"{found.group(1)} {found.group(2)}"


# One sentence each, here and in static/js/gift-aid.js, which puts other amounts in.
ADDS = "Gift Aid adds {more} to a gift of {gift}."
NEEDS_MORE = "Something comes with this adoption, so Gift Aid needs a gift of {least} or more."


def what_it_adds(pence: int, least_pence: int) -> str:
    if pence < least_pence:
        return NEEDS_MORE.format(least=pounds(least_pence))
    return ADDS.format(more=pounds(benefits.added_pence(pence)), gift=pounds(pence))


class GiftAidFields(forms.Form):
    plan: Plan

    gift_aid = forms.ChoiceField(
        label="Add 25p to every £1, at no cost to you?",
        required=False,
        choices=[
            (YES, "Yes: I pay UK tax and want you to claim Gift Aid"),
            (NO, "No, or it is not my own money (a company’s, or collected from others)"),
        ],
        widget=forms.RadioSelect,
    )
    first_name = SingleLineField(
        label="Your first name",
        required=False,
        max_length=35,
        widget=forms.TextInput(attrs={"autocomplete": "given-name", "spellcheck": "false"}),
    )
    last_name = SingleLineField(
        label="Your last name",
        required=False,
        max_length=35,
        widget=forms.TextInput(attrs={"autocomplete": "family-name", "spellcheck": "false"}),
    )
    home_address = SingleLineField(
        label="Your home address: house, street and town",
        required=False,
        max_length=200,
        help_text="The tax office asks for it. Not the address of your work.",
        widget=forms.TextInput(attrs={"autocomplete": "address-line1"}),
    )
    postcode = PostcodeField(
        label="Postcode",
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )

    def declaration(self) -> str:
        """The words that a yes is given to."""
        return wording()

    def check_benefit(self, pence: int, frequency: str) -> None:
        """A yes is refused where so much comes with the adoption that the law makes it a purchase."""
        least = benefits.needed_pence(self.plan.benefit_pence, frequency)
        if self.cleaned_data.get("gift_aid") == YES and pence < least:
            self.add_error("gift_aid", f"{what_it_adds(pence, least)} Give more, or answer no.")

    def check_gift_aid(self) -> None:
        """All four, or none."""
        if self.cleaned_data.get("gift_aid") != YES:
            for field in GIFT_AID_FIELDS[1:]:
                self.errors.pop(field, None)
            return
        missing = {
            "first_name": "Enter your first name.",
            "last_name": "Enter your last name.",
            "home_address": "Enter your home address.",
            "postcode": "Enter your postcode.",
        }
        for field, sentence in missing.items():
            if not self.cleaned_data.get(field) and not self.has_error(field):
                self.add_error(field, sentence)

    def taxpayer(self) -> Taxpayer | None:
        """Who declares; None for a no. Call only on a valid form."""
        cleaned = self.cleaned_data
        if cleaned.get("gift_aid") != YES:
            return None
        return Taxpayer(cleaned["first_name"], cleaned["last_name"], cleaned["home_address"], cleaned["postcode"])
