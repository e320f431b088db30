"""What a person who adopts is asked, in the order they are asked it."""

import uuid
from typing import Any

from django import forms

from config.fields import PenceField, SingleLineField, StrictEmailField, pence_from_pounds
from config.money import pounds
from species.models import Species

from . import benefits, consent
from .checkout import Answers
from .gift_aid_forms import ADDS, GIFT_AID_FIELDS, NEEDS_MORE, GiftAidFields, what_it_adds
from .gift_forms import GIFT_FIELDS, GiftFields
from .models import Basis, Frequency, Plan, PlanPrice

OTHER = "other"
FOR_ME, AS_GIFT = "me", "gift"


class AdoptForm(GiftFields, GiftAidFields):
    """Frequency, amount, who pays, and who it is for.

    One group of amounts per frequency stands in the page, so that it works without JavaScript; the group of the
    chosen frequency counts and the others are not looked at.
    """

    frequency = forms.ChoiceField(label="How often would you like to give?", widget=forms.RadioSelect)
    other_amount = PenceField(
        label="Other amount in pounds",
        required=False,
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    is_gift = forms.ChoiceField(
        label="Who is this adoption for?",
        choices=[(FOR_ME, "It is for me"), (AS_GIFT, "It is a gift for somebody else")],
        initial=FOR_ME,
        widget=forms.RadioSelect,
    )
    name = SingleLineField(
        label="Your name",
        max_length=120,
        error_messages={"required": "Enter your name."},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = StrictEmailField(
        label="Your email address",
        help_text="For your receipt and certificate, nothing else.",
        error_messages={"required": "Enter your email address."},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )
    wants_news = forms.BooleanField(label=consent.wording(), required=False)
    no_news = forms.BooleanField(label=consent.wording(Basis.SOFT_OPT_IN), required=False)
    news_asked = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20)
    attempt = forms.UUIDField(widget=forms.HiddenInput, required=False)
    c: forms.CharField = forms.RegexField(r"^[a-z0-9-]{3,32}\Z", widget=forms.HiddenInput, required=False)
    another = forms.BooleanField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, plan: Plan, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.plan = plan
        basis = consent.basis_of_site()
        self.fields["news_asked"].initial = basis.value
        self.fields.pop("no_news" if basis == Basis.CONSENT else "wants_news")
        if basis == Basis.SOFT_OPT_IN:
            self.fields["email"].help_text = "For your receipt and certificate."
        self.prices: dict[str, PlanPrice] = {price.frequency: price for price in plan.prices.all()}
        self.fields["frequency"].choices = [(f, Frequency(f).label) for f in self.prices]  # type: ignore[attr-defined]
        for frequency, price in self.prices.items():
            self.fields[f"amount_{frequency}"] = amount_field(price)
        amounts = [f"amount_{f}" for f in self.prices]
        gift = ["is_gift", *GIFT_FIELDS]
        self.order_fields(
            ["frequency", *amounts, "other_amount", *gift, "name", "email", *GIFT_AID_FIELDS, "wants_news", "no_news"]
        )

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        cleaned["attempt"] = cleaned.get("attempt") or uuid.uuid4()
        if "frequency" in cleaned:
            cleaned["amount_pence"] = self.clean_amount(cleaned["frequency"])
        if cleaned.get("is_gift") == AS_GIFT:
            self.check_present()
        else:
            self.forget(*GIFT_FIELDS)
        self.check_gift_aid()
        if cleaned.get("amount_pence"):
            self.check_benefit(cleaned["amount_pence"], cleaned["frequency"])
        if self["c"].is_hidden:  # a campaign code that nobody typed stops nobody: what is not one is dropped
            self.errors.pop("c", None)
        cleaned.setdefault("c", "")
        return cleaned

    def clean_amount(self, frequency: str) -> int | None:
        """The pence that count, within the plan's bounds; anything else is an error beside the field."""
        price = self.prices[frequency]
        choice = self.cleaned_data.get(f"amount_{frequency}")
        self.forget_other_frequencies(frequency)
        if choice and choice != OTHER:
            return int(choice)
        if self.has_error("other_amount"):
            return None
        pence: int | None = self.cleaned_data.get("other_amount")
        if pence is None:
            self.add_error("other_amount" if choice == OTHER else f"amount_{frequency}", "Choose or enter an amount.")
        elif not price.allows(pence):
            bounds = f"{pounds(price.minimum_pence)} to {pounds(price.maximum_pence)}"
            self.add_error("other_amount", f"Enter an amount from {bounds}.")
        return pence

    def forget_other_frequencies(self, chosen: str) -> None:
        for frequency in self.prices:
            if frequency != chosen:
                self.errors.pop(f"amount_{frequency}", None)
        if self.cleaned_data.get(f"amount_{chosen}") not in {OTHER, None, ""}:
            self.errors.pop("other_amount", None)

    def said_of_news(self) -> bool | None:
        """Yes or no as they answered; None where they were silent, or were asked in words that hold no longer."""
        if "wants_news" in self.fields:
            return self.cleaned_data["wants_news"] or None
        is_refused: bool = self.cleaned_data["no_news"]
        is_asked = self.cleaned_data["news_asked"] == Basis.SOFT_OPT_IN
        return False if is_refused else (True if is_asked else None)

    def gift_aid_line(self) -> dict[str, Any]:
        """What Gift Aid adds to the amount chosen so far, and what a script needs to say it of any other."""
        least = {f: benefits.needed_pence(self.plan.benefit_pence, f) for f in self.prices}
        frequency = self["frequency"].value()
        if frequency not in self.prices:
            frequency = next(iter(self.prices))
        chosen = self[f"amount_{frequency}"].value()
        pence = (
            int(chosen) if chosen in self.offered(frequency) else pence_from_pounds(self["other_amount"].value() or "")
        )
        pence = pence or self.prices[frequency].suggested_pence
        return {"sentence": what_it_adds(pence, least[frequency]), "adds": ADDS, "needs": NEEDS_MORE, "least": least}

    def offered(self, frequency: str) -> set[str]:
        return {str(pence) for pence in self.prices[frequency].preset_pence}

    def answers(self, species: Species) -> Answers:
        """The checked answers; call only on a valid form."""
        cleaned = self.cleaned_data
        return Answers(
            attempt=cleaned["attempt"],
            species=species,
            plan=self.plan,
            frequency=Frequency(cleaned["frequency"]),
            amount_pence=cleaned["amount_pence"],
            name=cleaned["name"],
            email=cleaned["email"],
            present=self.present() if cleaned["is_gift"] == AS_GIFT else None,
            campaign_code=cleaned["c"] or "",
            wants_news=self.said_of_news(),
            taxpayer=self.taxpayer(),
            is_another=cleaned["another"],
        )


def amount_field(price: PlanPrice) -> forms.ChoiceField:
    choices = [(str(pence), pounds(pence)) for pence in price.preset_pence] + [(OTHER, "Another amount")]
    return forms.ChoiceField(
        label=f"Amount, {price.get_frequency_display().lower()}",
        choices=choices,
        required=False,
        initial=str(price.suggested_pence),
        widget=forms.RadioSelect,
    )
