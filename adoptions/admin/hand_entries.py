"""Cheques, cash and transfers that staff wrote down, for finance to find at the bank."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ActionLocation
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from config.long_lists import LongList, a_few
from config.money import pounds
from config.read_only import ReadOnly

from .. import finding
from ..models import HandEntry, Payment
from .attention import staff
from .by_hand import address_of


class IsSeen(admin.SimpleListFilter):
    title = "the bank"
    parameter_name = "bank"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("unseen", "Not found on a statement yet"), ("seen", "Found")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[HandEntry]) -> QuerySet[HandEntry]:
        if self.value() == "seen":
            return queryset.exclude(confirmed_at=None)
        unseen = HandEntry.objects.unseen().values("pk")
        return queryset.filter(pk__in=unseen) if self.value() == "unseen" else queryset


@admin.register(HandEntry)
class HandEntryAdmin(ReadOnly, LongList[HandEntry]):
    """Cheques, cash and transfers, as they were written down; finance finds each at the bank.

    What takes back a payment that a list brought in is not here: the bank never saw it.
    """

    list_display = [
        "received",
        "way",
        "amount",
        "what",
        "adoption",
        "reference",
        "because",
        "entered_by",
        "confirmed_at",
    ]
    list_filter = [IsSeen, "payment__method", "because", "entered_at"]
    list_select_related = ["payment__adoption", "entered_by"]
    sortable_by = []
    search_fields = ["reference"]
    search_help_text = "The reference of the adoption, or the whole number of the cheque or slip"
    actions = ["found_at_the_bank"]
    fields = [
        *("adoption_link", "received", "way", "what", "amount", "reference", "note", "because"),
        *("entered_by", "entered_at", "agreed_by", "confirmed_at", "confirmed_by"),
    ]
    readonly_fields = ["adoption_link", "received", "way", "what", "amount"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[HandEntry]:
        return super().get_queryset(request).filter(payment__is_brought_in=False)

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        rows = HandEntry.objects.filter(payment__is_brought_in=False)
        ours = Payment.objects.filter(adoption__in=a_few(finding.by_reference(words[0])))
        return [rows.filter(reference=" ".join(words)), rows.filter(payment__in=a_few(ours))]

    @admin.display(description="Received")
    def received(self, entry: HandEntry) -> Any:
        return entry.payment.occurred_at.date()

    @admin.display(description="Way")
    def way(self, entry: HandEntry) -> str:
        return entry.payment.get_method_display()

    @admin.display(description="What")
    def what(self, entry: HandEntry) -> str:
        return entry.payment.get_kind_display()

    @admin.display(description="Amount")
    def amount(self, entry: HandEntry) -> str:
        return pounds(entry.payment.amount_pence)

    @admin.display(description="Adoption")
    def adoption(self, entry: HandEntry) -> str:
        return entry.payment.adoption.reference

    @admin.display(description="Adoption")
    def adoption_link(self, entry: HandEntry) -> str:
        return format_html('<a href="{}">{}</a>', address_of(entry.payment), entry.payment.adoption)

    @admin.action(
        description="Found on the bank’s statement",
        permissions=["confirm"],
        location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM],
    )
    def found_at_the_bank(self, request: HttpRequest, queryset: QuerySet[HandEntry]) -> None:
        count = HandEntry.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))).confirm(by=staff(request))
        self.message_user(request, f"{count} noted as found at the bank.", messages.SUCCESS)

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("adoptions.change_handentry")
