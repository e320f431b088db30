import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from config.long_lists import LongList
from config.read_only import ReadOnly

from .. import webhooks
from ..models import StripeEvent
from ..tasks import work_event


class ByType(admin.SimpleListFilter):
    """The types we do something about: to ask which there are would read every row."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(webhooks.HANDLERS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnly, LongList[StripeEvent]):
    """Stripe's events as they came, and what became of them."""

    list_display = ["received_at", "type", "object_id", "state", "attempts", "error"]
    list_filter = ["state", ByType, "received_at"]
    sortable_by = ["received_at"]
    search_fields = ["id"]
    search_help_text = "The id of the event, or of what it is about"
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

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        return [StripeEvent.objects.filter(id=words[0]), StripeEvent.objects.filter(object_id=words[0])]

    @admin.display(description="As it came")
    def content(self, event: StripeEvent) -> str:
        """Folded: it is a program's, and read by whoever looks for a program's fault."""
        words = json.dumps(json.loads(bytes(event.body)), indent=2, ensure_ascii=True)
        return format_html('<details><summary>Word for word</summary><pre class="as-it-came">{}</pre></details>', words)

    @admin.action(description="Work again", permissions=["work"])
    def work_again(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> None:
        """Safe at any time: an event is only a hint to ask Stripe again."""
        ids = list(queryset.unworked().values_list("pk", flat=True))  # type: ignore[attr-defined]  # StripeEventQuerySet
        for event_id in ids:
            work_event.enqueue(event_id)
        self.message_user(request, f"{len(ids)} events will be worked again in a moment.", messages.SUCCESS)

    def has_work_permission(self, request: HttpRequest) -> bool:
        """Looking is not enough: what an event is about may be written in the ledger."""
        return request.user.has_perm("adoptions.change_stripeevent")
