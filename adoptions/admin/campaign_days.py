"""How often links were followed, day by day: the rows behind the landings of a report. Nobody stands in them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from config.long_lists import LongList
from config.read_only import ReadOnly

from ..models import CampaignDay
from .by_campaign import ByCampaign, ByContent, ByMedium, BySource


@admin.register(CampaignDay)
class CampaignDayAdmin(ReadOnly, LongList[CampaignDay]):
    list_display = ["day", "campaign", "landings"]
    list_display_links = None
    list_filter = [ByCampaign, BySource, ByMedium, ByContent, "day"]
    list_select_related = ["campaign"]
    sortable_by = []
    ordering = ["-day", "-id"]
    fields = ["day", "campaign", "landings"]
    readonly_fields = ["day", "campaign", "landings"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is nothing to select."""
        return super().changelist_view(request, {"title": "Landings by day", **(extra_context or {})})
