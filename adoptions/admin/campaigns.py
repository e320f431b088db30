from django.conf import settings
from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from ..models import ADOPTED, Campaign, CampaignDay
from .read_only import ReadOnly


class CampaignDayInline(ReadOnly, admin.TabularInline[CampaignDay, Campaign]):
    model = CampaignDay
    extra = 0


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin[Campaign]):
    list_display = ["code", "name", "address", "destination", "species", "landings", "adoptions_count", "is_running"]
    list_filter = ["destination", "species", "starts_at", "ends_at"]
    list_select_related = ["species"]
    search_fields = ["code", "name"]
    inlines = [CampaignDayInline]
    fieldsets = [
        (None, {"fields": ["code", "name", "address"]}),
        ("Where it leads", {"fields": ["destination", "species"]}),
        ("Filled in beforehand", {"fields": ["preset_frequency", "preset_pence", "preset_gift"]}),
        ("When", {"fields": ["starts_at", "ends_at"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        return ["address", "code"] if obj else ["address"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        landed = CampaignDay.objects.values("campaign").annotate(total=Sum("landings")).values("total")
        return (
            super()
            .get_queryset(request)
            .annotate(
                landed=Coalesce(Subquery(landed.filter(campaign=OuterRef("pk"))), 0),
                adopted=Count("adoptions", filter=Q(adoptions__state__in=ADOPTED)),
            )
        )

    @admin.display(description="Link")
    def address(self, campaign: Campaign) -> str:
        return settings.SITE_URL + campaign.get_absolute_url() if campaign.pk else "Shown once saved."

    @admin.display(description="Landings (about)", ordering="landed")
    def landings(self, campaign: Campaign) -> int:
        return campaign.landed  # type: ignore[attr-defined,no-any-return]  # annotated above

    @admin.display(description="Adoptions", ordering="adopted")
    def adoptions_count(self, campaign: Campaign) -> int:
        return campaign.adopted  # type: ignore[attr-defined,no-any-return]  # annotated above

    @admin.display(description="Running", boolean=True)
    def is_running(self, campaign: Campaign) -> bool:
        return campaign.is_running

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Old mails are clicked for years: a campaign ends, it is not deleted."""
        return False
