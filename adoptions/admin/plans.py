from django.contrib import admin
from django.http import HttpRequest

from config.money import pounds
from config.two_editors import ToldOfColleagues

from .. import benefits
from ..models import Plan, PlanPrice


class PlanPriceInline(admin.StackedInline[PlanPrice, Plan]):
    model = PlanPrice
    extra = 0
    fields = [("frequency", "gift_aid"), ("minimum_pence", "maximum_pence"), ("preset_pence", "suggested_pence")]
    readonly_fields = ["gift_aid"]

    @admin.display(description="Gift Aid")
    def gift_aid(self, price: PlanPrice) -> str:
        """What the worth of a toy does to each amount on offer, as it was last saved."""
        if not price.pk:
            return "Shown once it is saved."
        least = benefits.needed_pence(price.plan.benefit_pence, price.frequency)
        lost = [pounds(pence) for pence in price.preset_pence if pence < least]
        if not lost and price.minimum_pence >= least:
            return "On every amount."
        short = f" Lost on {', '.join(lost)}." if lost else ""
        return f"From {pounds(least)} on.{short}"


@admin.register(Plan)
class PlanAdmin(ToldOfColleagues[Plan]):
    list_display = ["name", "slug", "species", "is_on_offer", "position"]
    list_filter = ["is_on_offer", "species"]
    list_select_related = ["species"]
    search_fields = ["name", "slug"]
    inlines = [PlanPriceInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        """A plan that was mailed is taken off offer, never deleted."""
        return False
