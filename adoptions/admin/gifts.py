"""Presents and what became of them; those whose words are held wait here for somebody to read them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from config.asking_first import asks_first
from config.fields_by_right import FieldsByRight
from config.long_lists import LongList
from config.read_only import ReadOnly

from .. import finding, gifts
from ..models import Gift
from ..today import WEEK
from .attention import staff
from .putting_right import put_gift_right

RELEASES = "The words reach whoever they are for: by email on their day, or within a minute where that day has come."
GOES_AGAIN = "Those that were sent, or came back, go to the same address once more: as after a mail server was away."
NEVER_SENDS = (
    "Nothing is sent to whoever it is for, and their page is closed. It cannot be undone.",
    "The adoption and its money stay as they are. The givers are not mailed: please write to them.",
)


class GoingOut(admin.SimpleListFilter):
    title = "going out"
    parameter_name = "going"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("week", "Within a week")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Gift]) -> QuerySet[Gift]:
        soon = Gift.objects.going_out(by=timezone.localdate() + WEEK)
        return queryset & soon if self.value() == "week" else queryset


@admin.register(Gift)
class GiftAdmin(FieldsByRight, ReadOnly, LongList[Gift]):
    view_on_site = False  # its address is the key of whoever it is for
    list_display = ["adoption", "recipient_name", "delivery", "deliver_at", "state", "held_because", "opened_at"]
    list_filter = [GoingOut, "state", "delivery", "deliver_on"]
    list_select_related = ["adoption__supporter"]
    sortable_by = []
    search_fields = ["recipient_name"]
    search_help_text = "Reference, recipient, or the address of either"
    ordering = ["-pk"]
    actions = ["release", "send_again", "cancel"]
    fields = [
        "adoption_link",
        ("recipient_name", "recipient_email"),
        "message",
        ("delivery", "deliver_on", "deliver_at"),
        ("state", "held_because"),
        ("sendings", "sent_at", "opened_at", "thanked_at", "erased_at"),
        "put_right_link",
    ]
    readonly_fields = ["adoption_link", "deliver_at", "sendings", "put_right_link"]
    needs = {"put_right_link": "adoptions.change_gift"}

    def get_urls(self) -> list[URLPattern]:
        put_right = path("<int:pk>/put-right/", self.admin_site.admin_view(put_gift_right), name="put_gift_right")
        return [put_right, *super().get_urls()]

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        return finding.gifts(words)

    @admin.display(description="Adoption")
    def adoption_link(self, gift: Gift) -> str:
        address = reverse("admin:adoptions_adoption_change", args=[gift.adoption_id])
        return format_html('<a href="{}">{}</a>', address, gift.adoption)

    @admin.display(description="For a giver who rings")
    def put_right_link(self, gift: Gift) -> str:
        if not gift.may_be_put_right:
            return "Nothing to change or to send."
        address = reverse("admin:put_gift_right", args=[gift.pk])
        return format_html('<a href="{}">Put it right, or send it again</a>', address)

    def asked_about(self, gift: Gift) -> str:
        mailed = f"to {gift.recipient_email} on {gift.deliver_on:%-d %B %Y}" if gift.deliver_on else ""
        where = mailed or "printed by the giver"
        return f"{gift.adoption} by {gift.adoption.supporter.name} for {gift.recipient_name}, {where}: {gift.message}"

    @admin.action(description="Release: the words may go out", permissions=["decide"])
    @asks_first(RELEASES)
    def release(self, request: HttpRequest, queryset: QuerySet[Gift]) -> None:
        count = sum(gifts.release(pk, by=staff(request)) for pk in queryset.values_list("pk", flat=True))
        self.message_user(request, f"{count} released. A present whose day has come goes out within a minute.")

    @admin.action(description="Send again, as they are", permissions=["decide"])
    @asks_first(GOES_AGAIN)
    def send_again(self, request: HttpRequest, queryset: QuerySet[Gift]) -> None:
        count = sum(gifts.send_again(gift, by=staff(request)) for gift in queryset)
        self.message_user(request, f"{count} of {len(queryset)} go out again within a minute.")

    @admin.action(description="Never send these", permissions=["decide"])
    @asks_first(*NEVER_SENDS)
    def cancel(self, request: HttpRequest, queryset: QuerySet[Gift]) -> None:
        count = Gift.objects.filter(pk__in=queryset.values("pk")).cancel()
        self.message_user(request, f"{count} will not be sent. Please write to the givers.", messages.WARNING)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("adoptions.change_gift")
