"""What is asked of somebody who wants in: an address, and at times six digits."""

from django import forms

from config.fields import SingleLineField, StrictEmailField


class EmailForm(forms.Form):
    email = StrictEmailField(
        label="Your email address",
        help_text="The one you gave when you adopted.",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )


class NewEmailForm(forms.Form):
    email = StrictEmailField(
        label="Your new email address",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )


class CodeForm(forms.Form):
    code = SingleLineField(
        label="The six digits from the email",
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class NameForm(forms.Form):
    name = SingleLineField(
        label="Your name",
        help_text="As it should stand on your certificates.",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
