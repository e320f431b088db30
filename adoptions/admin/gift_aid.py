"""Gift Aid declarations as they were given. Staff take one back for somebody who rings, and can do no more to it."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from ..models import GiftAidDeclaration
from .attention import staff
from .read_only import ReadOnly


@admin.register(GiftAidDeclaration)
class GiftAidDeclarationAdmin(ReadOnly, admin.ModelAdmin[GiftAidDeclaration]):
    list_display = ["given_at", "first_name", "last_name", "postcode", "covers_from", "cancelled_on", "channel"]
    list_filter = ["channel", "covers_from", "cancelled_on"]
    search_fields = ["first_name", "last_name", "postcode", "supporter__email", "adoption__reference"]
    search_help_text = "Name, postcode, email or reference"
    list_per_page = 50
    show_full_result_count = False
    actions = ["take_back"]
    fields = [
        "supporter_link",
        ("first_name", "last_name"),
        ("address", "postcode"),
        ("channel", "given_at", "covers_from"),
        ("charity_name", "wording_version"),
        "wording",
        ("cancelled_on", "cancelled_because", "cancelled_by"),
    ]
    readonly_fields = ["supporter_link"]

    @admin.display(description="Supporter")
    def supporter_link(self, declaration: GiftAidDeclaration) -> str:
        address = reverse("admin:adoptions_supporter_change", args=[declaration.supporter_id])
        return format_html('<a href="{}">{}</a>', address, declaration.supporter)

    @admin.action(description="Take back, as the supporter asked", permissions=["cancel"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[GiftAidDeclaration]) -> None:
        chosen = GiftAidDeclaration.objects.filter(pk__in=queryset.values("pk"))
        count = chosen.cancel(because="The supporter asked staff to.", by=staff(request))
        self.message_user(request, f"{count} taken back: gifts from today on are not covered.", messages.SUCCESS)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("adoptions.change_giftaiddeclaration")
