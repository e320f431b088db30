from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from species.models import Species, SpeciesThreat, Threat
from species.previewing import link_to
from species.publishing import NEEDED, SOURCED, missing

from .seeded import SeededAdmin


class SpeciesThreatInline(admin.StackedInline[SpeciesThreat, Species]):
    model = SpeciesThreat
    extra = 0
    fields = [("threat", "direction", "position")]
    show_change_link = False

    def has_delete_permission(self, request: HttpRequest, obj: Species | None = None) -> bool:
        return False


class SpeciesForm(forms.ModelForm[Species]):
    """Names alone are no page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk and "is_published" in self.fields:
            self.initial["is_published"] = False
            self.fields["is_published"].help_text = "Once its texts and facts are written."

    def clean_is_published(self) -> bool:
        wanted: bool = self.cleaned_data["is_published"]
        if wanted and "is_published" in self.changed_data and (wanting := self.wanting()):
            raise forms.ValidationError(f"Not yet. What the page still needs: {'; '.join(wanting)}.")
        return wanted

    def wanting(self) -> list[str]:
        return missing(self.instance) if self.instance.pk else [*NEEDED.values(), SOURCED]


@admin.register(Species)
class SpeciesAdmin(SeededAdmin[Species]):
    form = SpeciesForm
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
