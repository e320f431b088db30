"""Renewals that failed, the newest first: the rows behind the report of failed payments."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from config.long_lists import LongList, a_few
from config.money import pounds
from config.read_only import ReadOnly

from .. import finding
from ..models import Became, FailedRenewal

SHOWN = ["adoption", "invoice_id", "amount", "failed_at", "why", "became", "payment", "recovered_at"]


class WhatBecame(admin.SimpleListFilter):
    title = "what became of it"
    parameter_name = "became"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [*Became.choices, ("recovered", "Recovered")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[FailedRenewal]) -> QuerySet[FailedRenewal]:
        match self.value():
            case "recovered":
                return queryset & FailedRenewal.objects.recovered()
            case str(value) if value in Became:
                return queryset & FailedRenewal.objects.that_became(Became(value))
        return queryset


@admin.register(FailedRenewal)
class FailedRenewalAdmin(ReadOnly, LongList[FailedRenewal]):
    list_display = ["failed_at", "adoption", "supporter", "amount", "why", "became", "recovered_at", "invoice_id"]
    list_filter = [WhatBecame, "failed_at"]
    list_select_related = ["adoption__supporter", "payment"]
    sortable_by = []
    search_fields = ["invoice_id"]
    search_help_text = "The invoice, or the reference of the adoption"
    fields = [*SHOWN]
    readonly_fields = [*SHOWN]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "reason__exact" or super().lookup_allowed(lookup, value, request)

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        ours = FailedRenewal.objects.filter(adoption__in=a_few(finding.by_reference(words[0])))
        return [FailedRenewal.objects.filter(invoice_id=words[0]), ours]

    @admin.display(description="Amount")
    def amount(self, failed: FailedRenewal) -> str:
        return pounds(failed.amount_pence)

    @admin.display(description="Why")
    def why(self, failed: FailedRenewal) -> str:
        return failed.reason.replace("_", " ").capitalize()

    @admin.display(description="What became of it")
    def became(self, failed: FailedRenewal) -> str:
        return failed.became.label

    @admin.display(description="Recovered")
    def recovered_at(self, failed: FailedRenewal) -> Any:
        return failed.payment and failed.payment.occurred_at

    @admin.display(description="Supporter")
    def supporter(self, failed: FailedRenewal) -> str:
        return failed.adoption.supporter.name
