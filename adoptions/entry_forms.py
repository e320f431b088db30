"""What staff type in for who rings, writes or comes by: the public form, and how it and the money reached us."""

import uuid
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone

from config.fields import PenceField, PlainTextField, SingleLineField, StrictEmailField
from config.money import Pence, pounds
from species.models import Species

from . import by_hand, complaints, consent, refunds
from .by_hand import Money, Return
from .campaign_field import CampaignField
from .checkout import Answers
from .forms import AS_GIFT, FOR_ME, OTHER, AdoptForm
from .gift_aid_forms import GIFT_AID_FIELDS
from .gift_forms import GIFT_FIELDS, GiftChangeForm
from .models import (
    BY_HAND,
    TOLD_TO_STAFF,
    Because,
    Complaint,
    ComplaintAbout,
    Delivery,
    Frequency,
    Gift,
    Method,
    Payment,
    Plan,
    Source,
    Supporter,
)
from .models.complaints import NAME_LENGTH, WORDS_LENGTH
from .models.notes import NOTE_LENGTH
from .taking_over import NewPayer

LINK = "link"
OLDEST = timedelta(days=366)  # a cheque is good for six months
DAYS = ["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y"]
YES, NO = "yes", "no"
GROUPS = [
    ("Who", ["source", "c", "name", "email", "no_email", "news"]),
    ("What they give", ["frequency", "other_amount", "method", "received_on", "reference", "note", "another"]),
    ("Who it is for", ["is_gift", *GIFT_FIELDS]),
    ("Gift Aid", GIFT_AID_FIELDS),
]
LABELS = {
    "name": "Name",
    "email": "Email address",
    "frequency": "How often",
    "other_amount": "Amount in pounds",
    "is_gift": "Who is the adoption for?",
    "gift_aid": "Gift Aid",
    "first_name": "First name",
    "last_name": "Last name",
    "home_address": "Home address: house, street and town",
    "another": "Yes, this is one more, beside the one that was entered a moment ago",
}


OF_RECIPIENT = {
    "recipient_name": "Name of the person who is given it",
    "message": "The giver’s message (optional)",
    "recipient_email": "The recipient’s email address",
}


def speak_of_recipient(fields: dict[str, forms.Field]) -> None:
    for name, label in OF_RECIPIENT.items():
        fields[name].label = label
    cast(forms.ChoiceField, fields["delivery"]).choices = [
        (Delivery.EMAIL.value, "We email it on a day they choose"),
        (Delivery.SELF.value, "On paper, or they pass the link on"),
    ]


class PutRightForm(GiftChangeForm):
    """What a giver changes by themselves, for whoever does it for them at the telephone."""

    def __init__(self, data: Any = None, *, gift: Gift) -> None:
        super().__init__(data, gift=gift)
        speak_of_recipient(self.fields)


class ReceivedField(forms.DateField):
    """A day that has come, and not so long ago that a cheque of it would be worth nothing."""

    def __init__(self, **options: Any) -> None:
        """Today, unless said otherwise."""
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(initial=timezone.localdate, input_formats=DAYS, widget=widget, **options)

    def clean(self, value: Any) -> date:
        day = cast(date, super().clean(value))
        today = timezone.localdate()
        if day and not today - OLDEST <= day <= today:
            raise ValidationError("Enter a day of the last year, and none to come.")
        return day


def way_field(label: str, *more: tuple[str, str]) -> forms.ChoiceField:
    choices = [*((way.value, str(way.label)) for way in BY_HAND), *more]
    return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect)


def reference_field() -> SingleLineField:
    return SingleLineField(label="Number of the cheque, paying-in slip or transfer", required=False, max_length=60)


def note_field() -> SingleLineField:
    return SingleLineField(
        label="Note", required=False, max_length=300, help_text="For colleagues. The supporter does not see it."
    )


class EntryForm(AdoptForm):
    """One amount instead of a group for each frequency, for whoever types knows it; and no ticks in somebody's name."""

    source = forms.ChoiceField(
        label="How did they reach us?",
        choices=[(each.value, each.label) for each in TOLD_TO_STAFF],
        widget=forms.RadioSelect,
    )
    c = CampaignField(
        label="Which appeal brought it? (optional)", help_text="The code of its campaign, as on the letter."
    )
    method = way_field("How do they pay?", (LINK, "Card or Direct Debit: we mail them a link to pay"))
    received_on = ReceivedField(label="Received on (not for a link)", required=False)
    reference = reference_field()
    note = note_field()
    no_email = forms.BooleanField(label="They have no email address: we print and post what they get", required=False)
    news = forms.ChoiceField(
        label="News by email",
        required=False,
        choices=[("", "It was not asked"), (YES, "They said yes to these words"), (NO, "They want none")],
        initial="",
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Any = None, *, plan: Plan, supporter: Supporter | None = None, **kwargs: Any) -> None:
        super().__init__(data, plan=plan, **kwargs)
        self.supporter = supporter
        for name in ["wants_news", "no_news", "news_asked", *(f"amount_{each}" for each in self.prices)]:
            self.fields.pop(name, None)
        if supporter:
            for name in ["name", "email", "no_email", *([] if supporter.has_email else ["news"])]:
                self.fields.pop(name)
        self.speak_of_them()
        for field in self.fields.values():
            field.error_messages["required"] = str(field.error_messages["required"]).replace(" your ", " their ")
            field.widget.attrs.setdefault("autocomplete", "off")  # or the browser fills in whoever sits before it

    def add_error(self, field: str | None, error: Any) -> None:
        """What is missing is missing of them."""
        if isinstance(error, str):
            error = error.replace("Enter your ", "Enter their ")
        super().add_error(field, error)

    def speak_of_them(self) -> None:
        """The public form speaks to the person; this one to whoever writes for them."""
        speak_of_recipient(self.fields)
        for name, label in LABELS.items():
            if name in self.fields:
                self.fields[name].label = label
        if "email" in self.fields:
            self.fields["email"].required = False
            self.fields["email"].help_text = "Their receipt and certificate go there."
        if "news" in self.fields:
            self.fields["news"].help_text = f"Read aloud, or as it stood on paper: “{consent.wording()}”"
        cast(forms.ChoiceField, self.fields["gift_aid"]).choices = [
            (YES, "Yes: they declared it in the words below"),
            (NO, "No, or it is not their own money"),
        ]
        cast(forms.ChoiceField, self.fields["is_gift"]).choices = [
            (FOR_ME, "Themselves"),
            (AS_GIFT, "Somebody else: it is a gift"),
        ]
        self.fields["gift_aid"].help_text = f"Read aloud, or as it stood on paper: “{self.declaration()}”"

    def ask_for_another(self) -> None:
        """The same was entered a moment ago: let them say that it is one more."""
        self.fields["another"].widget = forms.CheckboxInput()
        self.add_error("another", "The same was entered within the last half hour. Tick this if it is one more.")

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [
            (title, [self[name] for name in names if name in self.fields and not self[name].is_hidden])
            for title, names in GROUPS
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "email" in self.fields and not self.has_error("email"):
            self.check_email(cleaned)
        if self.is_link:
            self.check_link(cleaned)
        elif cleaned.get("method"):
            self.check_hand(cleaned)
        return cleaned

    @property
    def is_link(self) -> bool:
        """Once cleaned: do they pay by themselves?"""
        return self.cleaned_data.get("method") == LINK

    def check_link(self, cleaned: dict[str, Any]) -> None:
        self.forget("received_on")
        if cleaned.get("no_email") or (self.supporter and not self.supporter.has_email):
            self.add_error("method", "The link goes by email, and they have none.")

    def check_hand(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("frequency") and cleaned["frequency"] != Frequency.ONCE:
            self.add_error("frequency", "A cheque, cash or a transfer pays once. To give again and again takes a link.")
        if not cleaned.get("received_on") and not self.has_error("received_on"):
            self.add_error("received_on", "Enter the day on which it came.")

    def check_email(self, cleaned: dict[str, Any]) -> None:
        has_none = cleaned.get("no_email")
        if bool(cleaned.get("email")) == bool(has_none):
            sentence = (
                "There is an address, so they have one: take out the tick or the address."
                if has_none
                else "Enter their email address, or tick that they have none."
            )
            self.add_error("email", sentence)
        elif has_none and cleaned.get("news") == YES:
            self.add_error("news", "News goes by email, and they have none.")

    def clean_amount(self, frequency: str) -> int | None:
        self.cleaned_data[f"amount_{frequency}"] = OTHER
        return super().clean_amount(frequency)

    def said_of_news(self) -> bool | None:
        return {YES: True, NO: False}.get(self.cleaned_data.get("news", ""))

    def answers(self, species: Species) -> Answers:
        known = self.supporter
        self.cleaned_data.setdefault("name", known.name if known else "")
        self.cleaned_data.setdefault("email", known.email if known else "")
        return replace(super().answers(species), wants_news=self.said_of_news())

    def money(self) -> Money:
        """Call only on a valid form."""
        cleaned = self.cleaned_data
        return Money(Method(cleaned["method"]), cleaned["received_on"], cleaned["reference"], cleaned["note"])


class GiveBackForm(forms.Form):
    """Money that staff gave back by hand: how much, on which way, when and why."""

    amount = PenceField(label="Amount in pounds", max_length=12)
    method = way_field("How did it go back?")
    on = ReceivedField(label="On which day")
    because = forms.ChoiceField(
        label="Why", choices=[(each.value, each.label) for each in (Because.ASKED, Because.TWICE)]
    )
    reference = reference_field()
    note = note_field()
    agreed_by = forms.ModelChoiceField(
        label="Which colleague agreed to it?", queryset=User.objects.none(), required=False, empty_label="Nobody"
    )
    request = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, charge: Payment, by: Model) -> None:
        self.charge, self.left = charge, by_hand.left_pence(charge)
        amount = f"{self.left // 100}.{self.left % 100:02}"
        super().__init__(data, initial={"amount": amount, "request": uuid.uuid4(), "method": charge.method})
        if refunds.needs_second(charge, self.left):
            colleague = cast(forms.ModelChoiceField[User], self.fields["agreed_by"])
            colleague.queryset = refunds.may_give_back().exclude(pk=by.pk)
            colleague.help_text = f"More than {pounds(settings.REFUND_ALONE_PENCE)} of a payment is for two to decide."
        else:
            del self.fields["agreed_by"]

    def clean_agreed_by(self) -> User | None:
        colleague: User | None = self.cleaned_data["agreed_by"]
        if colleague is None and refunds.needs_second(self.charge, self.cleaned_data.get("amount", 0)):
            raise forms.ValidationError("Choose the colleague who agreed: this is more than one may give back alone.")
        return colleague

    def clean_amount(self) -> int:
        pence: int = self.cleaned_data["amount"]
        if not 1 <= pence <= self.left:
            raise forms.ValidationError(f"Enter an amount from £0.01 to {pounds(self.left)}.")
        return pence

    def clean_on(self) -> date:
        day: date = self.cleaned_data["on"]
        if day < timezone.localdate(self.charge.occurred_at):
            raise forms.ValidationError("That is before the money came.")
        return day

    def back(self) -> Return:
        """Call only on a valid form."""
        cleaned = self.cleaned_data
        return Return(
            cleaned["request"],
            Pence(cleaned["amount"]),
            Method(cleaned["method"]),
            cleaned["on"],
            Because(cleaned["because"]),
            cleaned["reference"],
            cleaned["note"],
            cleaned.get("agreed_by"),
        )


class TakeBackForm(forms.Form):
    """A movement that was none."""

    because = forms.ChoiceField(
        label="Why",
        choices=[(each.value, each.label) for each in (Because.MISTAKE, Because.RETURNED)],
        widget=forms.RadioSelect,
    )
    note = note_field()
    request = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"request": uuid.uuid4()})


class TakeOverForm(forms.Form):
    """Who goes on paying, and how they or the payer before reached us. What else is to be said is theirs to say."""

    source = forms.ChoiceField(
        label="How did they reach us?",
        choices=[(each.value, each.label) for each in TOLD_TO_STAFF],
        widget=forms.RadioSelect,
    )
    name = SingleLineField(label="Name of who pays from now on", max_length=NAME_LENGTH)
    email = StrictEmailField(label="Their email address", help_text="The link to pay goes there, and their receipts.")
    attempt = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"attempt": uuid.uuid4()})
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def payer(self) -> NewPayer:
        typed = self.cleaned_data
        return NewPayer(typed["attempt"], typed["name"], typed["email"])


class NoteForm(forms.Form):
    """What staff want the next who answers to know."""

    words = PlainTextField(
        label="What should the next who answers know?",
        max_length=NOTE_LENGTH,
        help_text="It cannot be changed afterwards, and they can ask to read it. Never the number of a card.",
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )
    request = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"request": uuid.uuid4()})


class ComplaintEntryForm(forms.Form):
    """A complaint that came by phone, by post or in person, as it was said."""

    source = forms.ChoiceField(
        label="How did it come?",
        choices=[(each.value, each.label) for each in TOLD_TO_STAFF],
        widget=forms.RadioSelect,
    )
    received_on = ReceivedField(label="On which day")
    about = forms.ChoiceField(label="What is it about?", choices=ComplaintAbout.choices, widget=forms.RadioSelect)
    name = SingleLineField(label="Name", max_length=NAME_LENGTH)
    email = StrictEmailField(
        label="Email address",
        required=False,
        help_text="It is acknowledged and answered there. None: you post both.",
    )
    words = PlainTextField(
        label="What they said or wrote", max_length=WORDS_LENGTH, widget=forms.Textarea(attrs={"rows": 10})
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def write_down(self, *, by: Model) -> Complaint | None:
        """Call only on a valid form."""
        typed = dict(self.cleaned_data)
        return complaints.write_down(source=Source(typed.pop("source")), by=by, **typed)
