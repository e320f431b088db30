"""What is asked of somebody who pauses an adoption or gives another amount."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from config.fields import PenceField
from config.money import pounds

from .models import Adoption, Frequency

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

    def __init__(self, data: Any = None, *, adoption: Adoption, initial: dict[str, str] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.price = adoption.plan.price_for(self.frequency_for(adoption))
        if self.price:
            bounds = f"{pounds(self.price.minimum_pence)} to {pounds(self.price.maximum_pence)}"
            self.fields["amount"].help_text = f"From {bounds}, from the next payment on."

    def frequency_for(self, adoption: Adoption) -> Frequency:
        return Frequency(adoption.frequency)

    def clean_amount(self) -> int:
        pence: int = self.cleaned_data["amount"]
        if self.price and not self.price.allows(pence):
            bounds = f"{pounds(self.price.minimum_pence)} to {pounds(self.price.maximum_pence)}"
            raise forms.ValidationError(f"Enter an amount from {bounds}.")
        return pence


class RhythmForm(AmountForm):
    """Every year instead of every month, or the other way, with what that comes to filled in."""

    def __init__(self, data: Any = None, *, adoption: Adoption) -> None:
        super().__init__(data, adoption=adoption, initial={"amount": as_typed(self.as_much(adoption))})

    def frequency_for(self, adoption: Adoption) -> Frequency:
        return Frequency.MONTHLY if adoption.frequency == Frequency.YEARLY else Frequency.YEARLY

    def as_much(self, adoption: Adoption) -> int:
        """What a year of it comes to, in pence; a twelfth, to the next penny, the other way. Within the plan."""
        is_yearly = adoption.frequency == Frequency.YEARLY
        pence = -(-adoption.amount_pence // 12) if is_yearly else adoption.amount_pence * 12
        price = adoption.plan.price_for(self.frequency_for(adoption))
        return min(max(pence, price.minimum_pence), price.maximum_pence) if price else pence


def as_typed(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02}" if pence % 100 else f"{pence // 100}"
