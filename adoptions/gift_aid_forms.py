"""What is asked of somebody who wants Gift Aid claimed on their gift: nothing of the others."""

import re
from datetime import date, datetime, time
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone

from config.fields import PlainTextField, SingleLineField
from config.money import pounds

from . import benefits
from .gift_aid import TAX, Channel, Given, Scope, Taxpayer, covered_from, wants, wording
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
        if kept := whole_postcode(typed):
            return kept
        raise ValidationError("Enter a UK postcode, such as SW1A 1AA.", code="invalid")


def whole_postcode(typed: str) -> str:
    """As it is kept; empty for what is none."""
    found = POSTCODE.fullmatch(re.sub(r"[\s().,–-]", "", typed.upper()))
    return f"{found.group(1)} {found.group(2)}" if found else ""


# One sentence each, here and in static/js/gift-aid.js, which puts other amounts in.
ADDS = "Gift Aid adds {more} to a gift of {gift}."
NEEDS_MORE = "Something comes with this adoption, so Gift Aid needs a gift of {least} or more."


def what_it_adds(pence: int, least_pence: int) -> str:
    if pence < least_pence:
        return NEEDS_MORE.format(least=pounds(least_pence))
    return ADDS.format(more=pounds(benefits.added_pence(pence)), gift=pounds(pence))


MISSING = {
    "first_name": "Enter your first name.",
    "last_name": "Enter your last name.",
    "home_address": "Enter your home address.",
    "postcode": "Enter your postcode.",
}


class TaxpayerFields(forms.Form):
    """A person and their home. Whether all four are needed, the rest of the form decides."""

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

    def check_taxpayer(self) -> None:
        """All four."""
        for field, sentence in MISSING.items():
            if not self.cleaned_data.get(field) and not self.has_error(field):
                self.add_error(field, sentence)

    def named(self) -> Taxpayer:
        """Who declares. Call only on a valid form."""
        return Taxpayer(*(self.cleaned_data[field] for field in MISSING))


class GiftAidFields(TaxpayerFields):
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
        if self.cleaned_data.get("gift_aid") == YES:
            self.check_taxpayer()
            return
        for field in MISSING:
            self.errors.pop(field, None)

    def taxpayer(self) -> Taxpayer | None:
        """Who declares; None for a no. Call only on a valid form."""
        return self.named() if self.cleaned_data.get("gift_aid") == YES else None


class DeclareForm(TaxpayerFields):
    """A supporter declares for what they give from now on, or what they gave as well. Nothing is chosen for them."""

    scope = forms.ChoiceField(
        label="Which gifts?", widget=forms.RadioSelect, error_messages={"required": "Choose which gifts it is for."}
    )
    is_taxpayer = forms.BooleanField(
        label=TAX, required=True, error_messages={"required": "Tick this if it is so. Otherwise we cannot claim."}
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        today = timezone.localdate()
        scopes = (Scope.EARLIER_TOO, Scope.FROM_NOW_ON)
        cast(forms.ChoiceField, self.fields["scope"]).choices = [(each.value, wants(each, today)) for each in scopes]
        self.order_fields(["scope", "is_taxpayer", *MISSING])

    def clean(self) -> dict[str, Any]:
        self.check_taxpayer()
        return self.cleaned_data


class StaffDeclarationForm(TaxpayerFields):
    """What staff write down of a declaration that came on paper or by word of mouth."""

    channel = forms.ChoiceField(
        label="How it was given",
        choices=[(way.value, way.label) for way in (Channel.PAPER, Channel.ORAL)],
        widget=forms.RadioSelect,
    )
    given_on = forms.DateField(label="On which day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    scope = forms.ChoiceField(
        label="Which gifts",
        choices=[
            (Scope.FROM_NOW_ON.value, "Those from that day on"),
            (Scope.EARLIER_TOO.value, "Those of the four years before as well"),
        ],
        widget=forms.RadioSelect,
    )
    words = PlainTextField(
        label="The words on the paper, if not ours",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for name, label in (("first_name", "First name"), ("last_name", "Last name"), ("home_address", "Home address")):
            self.fields[name].label = label
        later, earlier = wants(Scope.FROM_NOW_ON, timezone.localdate()), wants(Scope.EARLIER_TOO, timezone.localdate())
        self.fields["words"].help_text = f"Ours are read aloud as they stand: “{later}” Or: “{earlier}” Then: “{TAX}”"
        for name in MISSING:
            self.fields[name].widget.attrs["autocomplete"] = "off"  # or the browser fills in whoever sits before it
        self.order_fields(["channel", "given_on", "scope", *MISSING, "words"])

    def clean_given_on(self) -> date:
        day: date = self.cleaned_data["given_on"]
        today = timezone.localdate()
        if not covered_from(Scope.EARLIER_TOO, today) <= day <= today:
            raise ValidationError("Enter a day of the last four years, and none to come.")
        return day

    def clean_words(self) -> str:
        words: str = self.cleaned_data["words"]
        if words and settings.CHARITY["name"].lower() not in words.lower():
            raise ValidationError("A declaration names the charity. Copy the words whole.")
        return words

    def clean(self) -> dict[str, Any]:
        self.check_taxpayer()
        if self.cleaned_data.get("words") and self.cleaned_data.get("channel") == Channel.ORAL:
            self.add_error("words", "By word of mouth it is given to our words: leave this empty.")
        return self.cleaned_data

    def given(self, by: Model) -> Given:
        cleaned = self.cleaned_data
        at = timezone.make_aware(datetime.combine(cleaned["given_on"], time(12)))
        return Given(
            min(at, timezone.now()), Scope(cleaned["scope"]), Channel(cleaned["channel"]), cleaned["words"], by
        )
