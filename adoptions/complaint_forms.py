"""What somebody types who is not content with us, and what staff answer."""

from datetime import timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from config.fields import PlainTextField, SingleLineField, StrictEmailField
from config.limits import Limit, client_address, network_of

from . import complaints
from .models import ComplaintAbout, ComplaintOutcome
from .models.complaints import ANSWER_LENGTH, NAME_LENGTH, WORDS_LENGTH

PER_ADDRESS = Limit("complaint from a network address", times=5, per=timedelta(hours=1))
PER_NETWORK = Limit("complaint from a network", times=30, per=timedelta(hours=1))
# Anybody may type anybody's address, and each complaint sends a mail there.
PER_WRITER = Limit("complaint by a writer", times=3, per=timedelta(days=1))


class ComplaintForm(forms.Form):
    """`homepage` is a trap that people never see."""

    about = forms.ChoiceField(
        label="What is it about?",
        choices=[
            (ComplaintAbout.DATA, "How you used somebody’s personal details"),
            (ComplaintAbout.OTHER, "Something else: fundraising, service, a member of staff …"),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose what it is about.",
            "invalid_choice": "Choose what it is about.",
        },
    )
    name = SingleLineField(
        label="Your name",
        max_length=NAME_LENGTH,
        error_messages={"required": "Enter your name."},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = StrictEmailField(
        label="Your email address",
        help_text="We answer there.",
        error_messages={"required": "Enter your email address."},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )
    words = PlainTextField(
        label="What happened, and what would put it right?",
        max_length=WORDS_LENGTH,
        help_text="Please leave out card and bank numbers. The reference of an adoption (PM-…) helps us to find it.",
        error_messages={"required": "Say what happened."},
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    homepage = forms.CharField(
        label="Leave this empty",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    def take_turn(self, request: HttpRequest) -> bool:
        """Count this complaint; False, with a sentence on the form, when there have been too many."""
        address = client_address(request)
        is_allowed = (
            PER_ADDRESS.allows(address)
            and PER_NETWORK.allows(network_of(address))
            and PER_WRITER.allows(self.cleaned_data["email"].lower())
        )
        if not is_allowed:
            words = "Many complaints have just come from where you are. Send it again later, or email or ring us."
            self.add_error(None, ValidationError(words))
        return is_allowed

    def save(self) -> None:
        """Once, however often it is sent."""
        typed = dict(self.cleaned_data)
        complaints.receive(is_suspect=bool(typed.pop("homepage")), **typed)


class AnswerForm(forms.Form):
    outcome = forms.ChoiceField(label="What we found", choices=ComplaintOutcome.choices, widget=forms.RadioSelect)
    answer = PlainTextField(
        label="Our answer",
        required=False,
        max_length=ANSWER_LENGTH,
        help_text="What we looked at, what we found, what we have done about it. It stands in the mail as it is.",
        widget=forms.Textarea(attrs={"rows": 12, "class": "vLargeTextField"}),
    )

    def clean(self) -> None:
        chosen = self.cleaned_data.get("outcome")
        if chosen and chosen != ComplaintOutcome.NO_COMPLAINT and not self.cleaned_data.get("answer"):
            self.add_error("answer", "Write the answer: they are owed what you found.")

    @property
    def finding(self) -> ComplaintOutcome:
        return ComplaintOutcome(self.cleaned_data["outcome"])
