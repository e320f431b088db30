from django.contrib import admin
from django.http import HttpRequest

from ..models import Plan, PlanPrice


class PlanPriceInline(admin.TabularInline[PlanPrice, Plan]):
    model = PlanPrice
    extra = 0


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin[Plan]):
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
