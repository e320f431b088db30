"""What staff choose before a list leaves the site."""

from typing import Any

from django import forms
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime

from species.models import Species

from .exchange.choosing import Choice
from .models import AdoptionState, Campaign, ExportLayout, Frequency

ANY = [("", "Any")]
DAYS = ["%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y"]
FOR_SALESFORCE = {ExportLayout.NPSP_CONTACTS, ExportLayout.NPSP_DONATIONS}
# How the lists in the admin name what they are filtered by.
OF_THE_LIST = {
    "species": "species__id__exact",
    "campaign": "campaign__id__exact",
    "frequency": "frequency__exact",
    "state": "state__exact",
    "since": "created_at__gte",
    "until": "created_at__lt",
}
# What of a list's address says where somebody stood in it, and not which rows it shows.
HOW_IT_STOOD = {ALL_VAR, ORDER_VAR, PAGE_VAR, "_facets", ERROR_FLAG, SEARCH_VAR}


class CampaignCodeField(forms.CharField):
    """There may be thousands of campaigns: their code is typed, as it stands in the link."""

    def clean(self, value: Any) -> Campaign | None:
        code = str(super().clean(value)).strip().lower()
        if not code:
            return None
        found = Campaign.objects.filter(code=code).first() if "\0" not in code else None
        if found is None:
            raise forms.ValidationError("No campaign has this code.", code="invalid")
        return found


class ExportForm(forms.Form):
    layout = forms.ChoiceField(label="What", choices=ExportLayout, widget=forms.RadioSelect)
    only_mailable = forms.ChoiceField(
        label="Who",
        choices=[("", "Everybody"), ("1", "Only people who may be mailed news today")],
        required=False,
        widget=forms.RadioSelect,
        help_text="For a mailing, take a new file each time: who stops the news today is not in tomorrow’s.",
    )
    species = forms.ModelChoiceField(Species.objects.order_by("common_name"), required=False, empty_label="Any")
    campaign = CampaignCodeField(max_length=32, required=False, help_text="The code of its link, as spring-27.")
    frequency = forms.ChoiceField(choices=[*ANY, *Frequency.choices], required=False)
    state = forms.ChoiceField(label="State of the adoption", choices=[*ANY, *AdoptionState.choices], required=False)
    since = forms.DateField(
        label="From", input_formats=DAYS, required=False, help_text="The first day, as 2026-01-31 or 31/01/2026."
    )
    until = forms.DateField(label="To", input_formats=DAYS, required=False, help_text="The last day.")
    with_homes = forms.BooleanField(
        label="With home addresses",
        required=False,
        help_text="In a file for Salesforce only: of Gift Aid declarations that stand. They were given for Gift Aid; "
        "take them only where your privacy notice says so.",
    )

    def __init__(self, *args: Any, may_see_homes: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_see_homes:
            del self.fields["with_homes"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and since > until:
            self.add_error("until", "This is before the first day.")
        return values

    @property
    def choice(self) -> Choice:
        values = self.cleaned_data
        return Choice(
            only_mailable=bool(values["only_mailable"]),
            species=values["species"].pk if values["species"] else None,
            campaign=values["campaign"].pk if values["campaign"] else None,
            frequency=values["frequency"],
            state=values["state"],
            since=values["since"].isoformat() if values["since"] else "",
            until=values["until"].isoformat() if values["until"] else "",
            with_homes=values.get("with_homes", False) and values["layout"] in FOR_SALESFORCE,
        )


def as_the_list_was(query: QueryDict) -> dict[str, Any]:
    """What to begin the form with, for somebody who comes from a list; what makes no sense is left out."""
    found: dict[str, Any] = {field: query.get(name, "")[:40] for field, name in OF_THE_LIST.items()}
    found["layout"] = query.get("layout", ExportLayout.SUPPORTERS_CSV)
    for name in ("since", "until"):
        found[name] = day_in(found[name])
    code = Campaign.objects.filter(pk=found["campaign"]) if found["campaign"].isdecimal() else Campaign.objects.none()
    found["campaign"] = code.values_list("code", flat=True).first() or ""
    return found


def is_narrower(query: QueryDict) -> bool:
    """Whether a list was filtered in a way that no file is, so that the file would hold more than the list showed."""
    kept = {*OF_THE_LIST.values(), "layout"}
    return any(value for name, value in query.items() if name not in kept | HOW_IT_STOOD)


def day_in(text: str) -> str:
    """Django's lists say a day, or a moment with its offset."""
    try:
        day = parse_date(text) or parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return ""
    return day.isoformat()[:10] if day else ""
