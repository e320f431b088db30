"""Every movement of money, newest first: what finance looks an amount up in."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern

from config.money import pounds
from config.read_only import ReadOnly

from .. import finding
from ..models import Payment
from . import reports
from .by_campaign import AnsweredAMail, ByCampaign, ByContent, ByMedium, BySource, ListOfBrought


@admin.register(Payment)
class PaymentAdmin(ReadOnly, ListOfBrought[Payment]):
    # What is asked most stands first: on a middling screen the last ones are out of sight.
    list_display = [
        *("occurred_at", "kind", "amount", "adoption", "supporter", "kept", "method", "card_last4", "is_brought_in"),
        *("stripe_id", "invoice_id"),
    ]
    list_filter = [
        *(BySource, ByMedium, ByContent, AnsweredAMail),  # shown where they are used
        *("is_brought_in", "kind", "method", ByCampaign, "occurred_at"),
    ]
    list_select_related = ["adoption__supporter", "fee"]
    sortable_by = ["occurred_at"]
    search_fields = ["stripe_id"]
    search_help_text = "Reference, the id of a charge, refund, dispute or invoice, or the last four digits of a card"

    fields = [
        *("adoption", "supporter", "kind", "amount", "kept", "method", "is_brought_in", "occurred_at", "recorded_at"),
        *("charge", "stripe_id", "invoice_id", "card_last4"),
    ]
    readonly_fields = ["supporter", "amount", "kept"]

    def get_urls(self) -> list[URLPattern]:
        return [*reports.urls(), *super().get_urls()]

    def get_ordering(self, request: HttpRequest) -> Any:
        """What links brought stands by adoption: for the newest payments of an old campaign, all there are are read."""
        is_theirs = any(each.parameter_name in request.GET for each in (ByCampaign, BySource, ByMedium, ByContent))
        return ["-adoption_id", "-id"] if is_theirs else super().get_ordering(request)

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        return finding.payments(words)

    @admin.display(description="Amount")
    def amount(self, payment: Payment) -> str:
        return pounds(payment.amount_pence)

    @admin.display(description="Kept by Stripe", empty_value="not settled")
    def kept(self, payment: Payment) -> str | None:
        if payment.is_by_hand:
            return "—"
        fee = getattr(payment, "fee", None)
        return pounds(fee.amount_pence) if fee else None

    @admin.display(description="Supporter")
    def supporter(self, payment: Payment) -> str:
        return payment.adoption.supporter.name
