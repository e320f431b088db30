"""What is asked of somebody who pauses an adoption or gives another amount."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from config.fields import PenceField
from config.money import pounds

from .models import Adoption

MONTHS = {"1": "One month", "2": "Two months", "3": "Three months", "6": "Six months"}
LAST_DAY_OF_EVERY_MONTH = 28


def months_from(day: date, months: int) -> date:
    """The same day some months on; the 28th where a month may be too short for it."""
    year, month = divmod(day.month - 1 + months, 12)
    return date(day.year + year, month + 1, min(day.day, LAST_DAY_OF_EVERY_MONTH))


class PauseForm(forms.Form):
    months = forms.ChoiceField(
        label="For how long?",
        choices=list(MONTHS.items()),
        initial="3",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose for how long.", "invalid_choice": "Choose one of these."},
    )

    def until(self) -> date:
        """The first day on which money may be taken again; call only on a valid form."""
        return months_from(timezone.localdate(), int(self.cleaned_data["months"]))


class AmountForm(forms.Form):
    amount = PenceField(
        label="New amount in pounds",
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": "Enter an amount."},
    )

    def __init__(self, data: Any = None, *, adoption: Adoption) -> None:
        super().__init__(data)
        self.price = adoption.plan.price_for(adoption.frequency)
        if self.price:
            bounds = f"{pounds(self.price.minimum_pence)} to {pounds(self.price.maximum_pence)}"
            self.fields["amount"].help_text = f"From {bounds}, from the next payment on."

    def clean_amount(self) -> int:
        pence: int = self.cleaned_data["amount"]
        if self.price and not self.price.allows(pence):
            bounds = f"{pounds(self.price.minimum_pence)} to {pounds(self.price.maximum_pence)}"
            raise forms.ValidationError(f"Enter an amount from {bounds}.")
        return pence
