from django.contrib import admin
from django.http import HttpRequest

from ..models import Adoption, Supporter
from .read_only import ReadOnly


class AdoptionInline(ReadOnly, admin.TabularInline[Adoption, Supporter]):
    model = Adoption
    fields = ["reference", "created_at", "species", "price", "state"]
    readonly_fields = ["reference", "created_at", "species", "price", "state"]
    extra = 0
    show_change_link = True

    @admin.display(description="Gives")
    def price(self, adoption: Adoption) -> str:
        return adoption.price


@admin.register(Supporter)
class SupporterAdmin(admin.ModelAdmin[Supporter]):
    list_display = ["name", "email", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["name", "email", "adoptions__reference"]
    search_help_text = "Name, email or reference"
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ["created_at"]
    inlines = [AdoptionInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Supporter | None = None) -> bool:
        return False
