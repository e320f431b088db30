import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from ..models import StripeEvent
from ..tasks import work_event
from .read_only import ReadOnly


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnly, admin.ModelAdmin[StripeEvent]):
    """Stripe's events as they came, and what became of them."""

    list_display = ["received_at", "type", "object_id", "state", "attempts", "error"]
    list_filter = ["state", "type", "received_at"]
    search_fields = ["id", "object_id"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["work_again"]
    fields = [
        "id",
        "type",
        "object_id",
        "api_version",
        "received_at",
        "state",
        "worked_at",
        "attempts",
        "error",
        "content",
    ]
    readonly_fields = [
        "id",
        "type",
        "object_id",
        "api_version",
        "received_at",
        "state",
        "worked_at",
        "attempts",
        "error",
        "content",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeEvent]:
        return super().get_queryset(request).defer("body")

    @admin.display(description="As it came")
    def content(self, event: StripeEvent) -> str:
        return json.dumps(json.loads(bytes(event.body)), indent=2, ensure_ascii=True)

    @admin.action(description="Work again", permissions=["view"])
    def work_again(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> None:
        """Safe at any time: an event is only a hint to ask Stripe again."""
        ids = list(queryset.unworked().values_list("pk", flat=True))  # type: ignore[attr-defined]  # StripeEventQuerySet
        for event_id in ids:
            work_event.enqueue(event_id)
        self.message_user(request, f"{len(ids)} events will be worked again in a moment.", messages.SUCCESS)
