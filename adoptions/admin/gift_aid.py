"""Gift Aid declarations as they were given. Staff write down one that came on paper or by word of mouth, and take one
back for somebody who asks; nobody edits any.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_safe

from config.asking_first import asks_first
from config.desk_page import desk_page, see
from config.long_lists import LongList
from config.read_only import ReadOnly

from .. import declaring, finding
from ..gift_aid_forms import StaffDeclarationForm
from ..models import GiftAidDeclaration, Supporter
from .attention import staff

TAKES_BACK = (
    "No Gift Aid is claimed on gifts from today on; one given by word of mouth within the last thirty days is undone "
    "from its first day. It stays taken back: only a new declaration counts again."
)


@admin.register(GiftAidDeclaration)
class GiftAidDeclarationAdmin(ReadOnly, LongList[GiftAidDeclaration]):
    list_display = ["given_at", "first_name", "last_name", "postcode", "covers_from", "cancelled_on", "channel"]
    list_filter = ["channel", "covers_from", "cancelled_on"]
    sortable_by = []
    search_fields = ["last_name"]
    search_help_text = "Name, whole postcode, email or reference"
    actions = ["take_back_by_word", "take_back_in_writing", "record_posted"]
    fields = [
        "supporter_link",
        ("first_name", "last_name"),
        ("address", "postcode"),
        ("channel", "given_at", "covers_from"),
        ("entered_by", "record_sent_at"),
        ("charity_name", "wording_version"),
        "wording",
        ("cancelled_on", "cancelled_because", "cancelled_by"),
        "letter_link",
    ]
    readonly_fields = ["supporter_link", "letter_link"]

    def get_urls(self) -> list[URLPattern]:
        own = path("<int:pk>/letter/", self.admin_site.admin_view(show_letter), name="gift_aid_letter")
        return [own, *super().get_urls()]

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        return finding.declarations(words)

    @admin.display(description="On paper")
    def letter_link(self, declaration: GiftAidDeclaration) -> str:
        address = reverse("admin:gift_aid_letter", args=[declaration.pk])
        return format_html('<a href="{}">Letter to print</a>', address)

    @admin.display(description="Supporter")
    def supporter_link(self, declaration: GiftAidDeclaration) -> str:
        address = reverse("admin:adoptions_supporter_change", args=[declaration.supporter_id])
        return format_html('<a href="{}">{}</a>', address, declaration.supporter)

    @admin.action(description="Take back: they asked by phone or in person", permissions=["cancel"])
    @asks_first(TAKES_BACK)
    def take_back_by_word(self, request: HttpRequest, queryset: QuerySet[GiftAidDeclaration]) -> None:
        self.take_back(request, queryset, "word")

    @admin.action(description="Take back: they asked in writing", permissions=["cancel"])
    @asks_first(TAKES_BACK)
    def take_back_in_writing(self, request: HttpRequest, queryset: QuerySet[GiftAidDeclaration]) -> None:
        self.take_back(request, queryset, "writing")

    def take_back(self, request: HttpRequest, queryset: QuerySet[GiftAidDeclaration], how: str) -> None:
        count = declaring.take_back(list(queryset.values_list("pk", flat=True)), how=how, by=staff(request))
        self.message_user(request, f"{count} taken back: gifts from today on are not covered.", messages.SUCCESS)

    @admin.action(description="The written record went out by post", permissions=["cancel"])
    def record_posted(self, request: HttpRequest, queryset: QuerySet[GiftAidDeclaration]) -> None:
        count = GiftAidDeclaration.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))).record_sent()
        words = f"{count} by word of mouth count from now on. The others counted before, or were taken back."
        self.message_user(request, words, messages.SUCCESS)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("adoptions.change_giftaiddeclaration")


@require_safe
def show_letter(request: HttpRequest, pk: int) -> HttpResponse:
    """What we hold, to print and post: the written record of a declaration for somebody without email."""
    if not request.user.has_perm("adoptions.view_giftaiddeclaration"):
        raise PermissionDenied
    declaration = get_object_or_404(GiftAidDeclaration, pk=pk)
    return desk_page(
        request,
        "admin/adoptions/gift_aid_letter.html",
        "Letter about a Gift Aid declaration",
        trail=[GiftAidDeclaration, declaration],
        here="Letter",
        declaration=declaration,
        is_oral=declaration.channel == GiftAidDeclaration.Channel.ORAL,
        charity=settings.CHARITY,
        today=timezone.localdate(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def declare_gift_aid(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what came on paper or by word of mouth; the person gets it in writing."""
    if not request.user.has_perm("adoptions.add_giftaiddeclaration"):
        raise PermissionDenied
    supporter = get_object_or_404(Supporter, pk=pk, erased_at=None)
    form = StaffDeclarationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        declaration = declaring.write_down(supporter, form.named(), form.given(staff(request)))
        sent = f"{supporter.email} is sent what we hold." if supporter.has_email else "Print its letter and post it."
        messages.success(request, f"Written down. {sent}")
        return see(reverse("admin:adoptions_giftaiddeclaration_change", args=[declaration.pk]))
    return desk_page(
        request,
        "admin/adoptions/declare_gift_aid.html",
        "A Gift Aid declaration on paper or by word of mouth",
        trail=[Supporter, supporter],
        here="Gift Aid",
        form=form,
    )
