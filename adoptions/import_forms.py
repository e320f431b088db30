"""What staff say about a list from elsewhere: which file, and what to do about those who are here already."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat

from .exchange.imports import MOST_BYTES
from .models import ListOf, OnAlike, OnKnown


class UploadForm(forms.Form):
    what = forms.ChoiceField(
        label="What is in it", choices=ListOf, initial=ListOf.PEOPLE, required=False, widget=forms.RadioSelect
    )
    file = forms.FileField(
        label="The list",
        allow_empty_file=True,
        help_text=f"CSV, JSON Lines, or the CSV of an NPSP Data Import; up to {MOST_BYTES >> 20} MB.",
        widget=forms.ClearableFileInput({"accept": ".csv,.txt,.tsv,.json,.jsonl,.ndjson"}),
        error_messages={"required": "Choose a file."},
    )

    def clean_what(self) -> str:
        return str(self.cleaned_data["what"] or ListOf.PEOPLE)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise ValidationError(f"It has {filesizeformat(file.size)}. Cut it in two, and bring one after the other.")
        return file


class BringInForm(forms.Form):
    known = forms.ChoiceField(
        label="People whose address is known here", choices=OnKnown, initial=OnKnown.SKIP, widget=forms.RadioSelect
    )
    alike = forms.ChoiceField(
        label="People with the name and postcode of somebody who has another address here",
        choices=OnAlike,
        initial=OnAlike.SKIP,
        widget=forms.RadioSelect,
    )
