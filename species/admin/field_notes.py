from collections.abc import Sequence

from django.contrib import admin, messages
from django.contrib.admin import ActionLocation
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from species.models import FieldNote

from .history import WithHistory

LIST_AND_FORM = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]


@admin.register(FieldNote)
class FieldNoteAdmin(WithHistory[FieldNote]):
    list_display = ["title", "species", "place", "seen_on", "published_at"]
    list_filter = ["species", ("published_at", admin.EmptyFieldListFilter), "seen_on"]
    list_select_related = ["species"]
    autocomplete_fields = ["picture"]
    search_fields = ["title", "body", "place"]
    date_hierarchy = "seen_on"
    show_full_result_count = False
    actions = ["publish", "unpublish"]
    fields = [("species", "seen_on"), ("title", "slug"), "body", "picture", "place", "published_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: FieldNote | None = None) -> list[str]:
        """An address people may have been sent stays."""
        return ["slug"] if obj and obj.published_at else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: FieldNote | None = None) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ("title",)}

    @admin.action(description="Publish now", permissions=["change"], location=LIST_AND_FORM)
    def publish(self, request: HttpRequest, queryset: QuerySet[FieldNote]) -> None:
        moved = queryset.filter(published_at=None).update(published_at=Now(), updated_at=Now())
        self.message_user(request, f"Published: {moved}.", messages.SUCCESS)

    @admin.action(description="Unpublish", permissions=["change"], location=LIST_AND_FORM)
    def unpublish(self, request: HttpRequest, queryset: QuerySet[FieldNote]) -> None:
        moved = queryset.exclude(published_at=None).update(published_at=None, updated_at=Now())
        self.message_user(request, f"Unpublished: {moved}.", messages.SUCCESS)
