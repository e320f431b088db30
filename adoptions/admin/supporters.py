from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Upper
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html

from config.asking_first import asks_first
from config.fields_by_right import FieldsByRight
from config.fresh_sign_in import fresh_sign_in_required
from config.long_lists import LongList
from config.read_only import ReadOnly
from config.two_editors import ToldOfColleagues

from .. import consent, details, finding
from ..models import Adoption, ConsentEvent, ExportLayout, Supporter, Suppression
from . import merging, personal
from .attention import staff
from .care import find_supporter, mail_link, show_timeline
from .gift_aid import declare_gift_aid

ENDS_NEWS = (
    "They get no news from this moment on, whatever they tick later: only whoever runs the site can take them off that "
    "list. Receipts and what else belongs to their adoptions still come."
)


class AdoptionInline(ReadOnly, admin.TabularInline[Adoption, Supporter]):
    model = Adoption
    template = "admin/rows.html"
    fields = ["reference", "created_at", "species", "price", "state"]
    readonly_fields = ["reference", "created_at", "species", "price", "state"]
    extra = 0
    show_change_link = True

    @admin.display(description="Gives")
    def price(self, adoption: Adoption) -> str:
        return adoption.price


@admin.register(Supporter)
# A new address is a key: what opens “My adoption” is mailed there.
@method_decorator(fresh_sign_in_required(to="send"), name="change_view")
class SupporterAdmin(FieldsByRight, ToldOfColleagues[Supporter], LongList[Supporter]):
    change_list_template = "admin/adoptions/list_to_take_out.html"
    layout = ExportLayout.SUPPORTERS_CSV
    list_display = ["name", "address", "created_at", "timeline_link"]
    list_filter = ["created_at"]
    sortable_by = ["address", "created_at"]
    search_fields = ["name"]
    search_help_text = "Name, email or reference"
    fields = [("timeline_link", "gift_aid_link"), "name", "email", "created_at"]
    readonly_fields = ["created_at", "timeline_link", "gift_aid_link"]
    needs = {"gift_aid_link": "adoptions.add_giftaiddeclaration"}
    inlines = [AdoptionInline]
    actions = ["stop_news", "stop_news_for_the_service"]

    @admin.action(description="Never send news: deceased, vulnerable, or a complaint", permissions=["change"])
    @asks_first(ENDS_NEWS)
    def stop_news(self, request: HttpRequest, queryset: QuerySet[Supporter]) -> None:
        self.stop(request, queryset, Suppression.Reason.STAFF)

    @admin.action(description="Never send news: Fundraising Preference Service", permissions=["change"])
    @asks_first(ENDS_NEWS)
    def stop_news_for_the_service(self, request: HttpRequest, queryset: QuerySet[Supporter]) -> None:
        self.stop(request, queryset, Suppression.Reason.PREFERENCE_SERVICE)

    def stop(self, request: HttpRequest, queryset: QuerySet[Supporter], reason: str) -> None:
        people = queryset.filter(erased_at=None)
        count = sum(consent.stop_for(supporter, by=staff(request), reason=reason) for supporter in people)
        self.message_user(request, f"{count} get no news from this moment on. Receipts still come.", messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("find/", wrap(find_supporter), name="find_supporter"),
            path("<int:pk>/timeline/", wrap(show_timeline), name="supporter_timeline"),
            path("<int:pk>/link/", wrap(mail_link), name="mail_link"),
            path("<int:pk>/gift-aid/", wrap(declare_gift_aid), name="declare_gift_aid"),
            *merging.urls(),
            *personal.urls(),
            *super().get_urls(),
        ]

    @admin.display(description="All that happened")
    def timeline_link(self, supporter: Supporter) -> str:
        return format_html('<a href="{}">Timeline</a>', reverse("admin:supporter_timeline", args=[supporter.pk]))

    @admin.display(description="Gift Aid")
    def gift_aid_link(self, supporter: Supporter) -> str:
        address = reverse("admin:declare_gift_aid", args=[supporter.pk])
        return format_html('<a href="{}">A declaration on paper or by word of mouth</a>', address)

    def save_model(self, request: HttpRequest, supporter: Supporter, form: Any, change: bool) -> None:
        """As if they had done it themselves: whoever is concerned is told, at the old and at the new address."""
        known = Supporter.objects.get(pk=supporter.pk)
        if "name" in form.changed_data:
            details.change_name(known, supporter.name)
        if "email" in form.changed_data:
            details.change_email(known, supporter.email)

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        return finding.supporters(words)

    @admin.display(description="Email", ordering=Upper("email"))
    def address(self, supporter: Supporter) -> str:
        return supporter.email

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Supporter | None = None) -> bool:
        return False


@admin.register(ConsentEvent)
class ConsentEventAdmin(ReadOnly, LongList[ConsentEvent]):
    """Who said yes or no to news, to which words. Rows are only ever added, by people themselves."""

    list_display = ["at", "supporter", "state", "basis", "page", "given_by"]
    list_filter = ["state", "basis", "at"]
    list_select_related = ["supporter"]
    sortable_by = []
    search_fields = ["supporter"]
    search_help_text = "Name, email or reference"

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        return finding.consent_events(words)
