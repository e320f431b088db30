from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from species.models import Species, SpeciesThreat, Threat
from species.previewing import link_to

from .seeded import SeededAdmin


class SpeciesThreatInline(admin.TabularInline[SpeciesThreat, Species]):
    model = SpeciesThreat
    extra = 0
    fields = ["threat", "direction", "position"]
    show_change_link = False

    def has_delete_permission(self, request: HttpRequest, obj: Species | None = None) -> bool:
        return False


@admin.register(Species)
class SpeciesAdmin(SeededAdmin[Species]):
    identity = ("slug",)
    list_display = ["common_name", "scientific_name", "status", "as_of", "is_published", "position"]
    list_filter = ["is_published", "status"]
    search_fields = ["common_name", "scientific_name", "slug"]
    readonly_fields = ["status", "preview"]
    fields = [
        ("common_name", "slug"),
        "scientific_name",
        ("status", "status_assessed"),
        "as_of",
        ("is_published", "position"),
        "comments_close_on",
        "preview",
    ]
    inlines = [SpeciesThreatInline]

    @admin.display(description="Preview")
    def preview(self, species: Species) -> str:
        if not species.pk:
            return "Shown once saved"
        return format_html('<a href="{}">See the page as it stands</a>, published or not', link_to(species))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Species | None = None) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ("common_name",)}


@admin.register(Threat)
class ThreatAdmin(SeededAdmin[Threat]):
    identity = ("slug",)
    list_display = ["name", "species_total", "position"]
    search_fields = ["name", "summary"]
    fields = [("name", "slug"), "summary", "position"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Threat]:
        return super().get_queryset(request).annotate(total=Count("species_threats"))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Threat | None = None) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ("name",)}

    @admin.display(description="Species", ordering="total")
    def species_total(self, threat: Threat) -> int:
        return int(getattr(threat, "total", 0))
