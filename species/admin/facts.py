from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ActionLocation
from django.contrib.auth.models import User
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from species.models import Conflict, ConflictPosition, Fact, PopulationCount, Source

from .seeded import SeededAdmin

REVIEWED_FOR = timedelta(days=365)


class ReviewDueFilter(admin.SimpleListFilter):
    title = "review"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("due", "Due now"), ("soon", "Due within three months"), ("never", "Never reviewed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Fact]) -> QuerySet[Fact]:
        today = timezone.localdate()
        if self.value() == "due":
            return queryset.filter(review_due_on__lte=today)
        if self.value() == "soon":
            return queryset.filter(review_due_on__lte=today + timedelta(days=92))
        if self.value() == "never":
            return queryset.filter(reviewed_on=None)
        return queryset


@admin.register(Fact)
class FactAdmin(SeededAdmin[Fact]):
    """Correct a fact here and every sentence, figure and count that prints it follows."""

    identity = ("species", "key")
    list_display = ["key", "species", "label", "printed", "period", "review_due_on", "is_published"]
    list_filter = ["species", ReviewDueFilter, "confidence", "is_published", "group"]
    list_select_related = ["species"]
    ordering = ["species__position", "position", "pk"]
    search_fields = ["key", "label", "value", "note", "place", "sources__title"]
    search_help_text = "Key, label, words, note, place or the title of a source"
    date_hierarchy = "review_due_on"
    autocomplete_fields = ["sources"]
    readonly_fields = ["used_in", "reviewed_on", "reviewed_by"]
    actions = ["mark_reviewed"]
    fieldsets = [
        (None, {"fields": [("species", "key"), ("group", "position"), "label"]}),
        ("Its value", {"fields": ["value", "qualifier", ("point", "low", "high"), "unit"]}),
        ("How we know", {"fields": ["period", "place", "confidence", "sources", "note"]}),
        ("Care", {"fields": ["is_published", ("reviewed_on", "reviewed_by", "review_due_on"), "used_in"]}),
    ]

    @admin.display(description="Value")
    def printed(self, fact: Fact) -> str:
        return f"{fact.value_text} {fact.unit}".strip()

    @admin.display(description="Sentences that rest on it")
    def used_in(self, fact: Fact) -> str:
        texts = [str(citation.text) for citation in fact.citations.select_related("text")] if fact.pk else []
        return "; ".join(texts) or "None"

    def has_delete_permission(self, request: HttpRequest, obj: Fact | None = None) -> bool:
        is_used = obj is not None and (obj.citations.exists() or obj.counts.exists())
        return not is_used and super().has_delete_permission(request, obj)

    @admin.action(
        description="Mark as reviewed today",
        permissions=["change"],
        location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM],
    )
    def mark_reviewed(self, request: HttpRequest, queryset: QuerySet[Fact]) -> None:
        today = timezone.localdate()
        reviewer = request.user if isinstance(request.user, User) else None
        moved = Fact.objects.filter(pk__in=queryset.order_by().values("pk")).update(
            reviewed_on=today, reviewed_by=reviewer, review_due_on=today + REVIEWED_FOR
        )
        self.message_user(request, f"Reviewed: {moved}. Next review in a year.", messages.SUCCESS)


@admin.register(Source)
class SourceAdmin(SeededAdmin[Source]):
    identity = ("key",)
    list_display = ["title", "publisher", "year", "kind", "fact_total"]
    list_filter = ["kind", "year"]
    search_fields = ["key", "title", "publisher", "url"]
    fields = ["key", "title", ("publisher", "year"), "url", "kind", "reading"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return super().get_queryset(request).annotate(total=Count("facts"))

    @admin.display(description="Facts", ordering="total")
    def fact_total(self, source: Source) -> int:
        return int(getattr(source, "total", 0))


class PositionInline(admin.StackedInline[ConflictPosition, Conflict]):
    model = ConflictPosition
    extra = 0
    min_num = 2
    autocomplete_fields = ["sources"]
    fields = [("say", "covers"), "sources", "position"]


@admin.register(Conflict)
class ConflictAdmin(SeededAdmin[Conflict]):
    identity = ("species", "key")
    list_display = ["topic", "species", "is_published", "position"]
    list_filter = ["species", "is_published"]
    list_select_related = ["species"]
    search_fields = ["topic", "show", "positions__say"]
    fields = [("species", "key"), "topic", "show", ("is_published", "position")]
    inlines = [PositionInline]


@admin.register(PopulationCount)
class PopulationCountAdmin(SeededAdmin[PopulationCount]):
    list_display = ["years_text", "species", "place", "series", "number_text", "unit", "method", "confidence"]
    list_display_links = ["years_text"]
    list_filter = ["species", "place", "series", "confidence"]
    list_select_related = ["species"]
    search_fields = ["place", "series", "method", "note"]
    autocomplete_fields = ["species", "fact", "sources"]
    fieldsets = [
        (None, {"fields": ["species", ("start", "end"), "place", "series"]}),
        (
            "The number",
            {
                "fields": ["fact", ("point", "low", "high"), "unit", "method"],
                "description": "Choose the fact that states this count, and its numbers are taken from there.",
            },
        ),
        ("How we know", {"fields": ["confidence", "sources", "note"]}),
    ]
