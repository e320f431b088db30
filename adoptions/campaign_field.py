"""The field in which staff say which appeal brought somebody: a code, as it stands on the letter."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from config.fields import SingleLineField

from . import campaigns
from .models import Campaign

OFFERED = 40  # of the newest: there may be thousands


def offered() -> list[tuple[str, str]]:
    """Code and name of the newest, to choose from while typing; any older code can be typed as well."""
    return list(Campaign.objects.order_by("-pk").values_list("code", "name")[:OFFERED])


class CampaignField(SingleLineField):
    """The code of any campaign there ever was: letters are answered long after an appeal is over."""

    list_id = "newest-campaigns"

    def __init__(self, **options: Any) -> None:
        # With autocomplete off, some browsers do not show the list.
        attrs = {"list": self.list_id, "autocomplete": "on", "autocapitalize": "none", "spellcheck": "false"}
        super().__init__(required=False, widget=forms.TextInput(attrs=attrs), **options)

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        code = campaigns.as_typed(typed)
        if typed and not Campaign.objects.filter(code=code).exists():
            raise ValidationError(f"No campaign has the code “{typed[:60]}”. Look it up, or leave this empty.")
        return code
