from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ActionLocation
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from config.asking_first import asks_first
from config.long_lists import LongList, a_few
from config.money import pounds
from config.read_only import ReadOnly

from .. import finding, reconcile
from ..models import Comparison, Difference
from ..stripe_gateway import StripeRefused, StripeUnavailable

LIST_AND_FORM = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]
EVERYTHING = "all"
LEAVES = (
    "Each leaves the list of open differences, under your name, and is not found again unless its amounts change.",
    "No money is moved, and nothing is changed here or at Stripe. Nobody is mailed.",
)


class OpenFilter(admin.SimpleListFilter):
    """Opens on what nobody has dealt with."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("repaired", "Repaired"), (EVERYTHING, "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Difference]) -> QuerySet[Difference]:
        match self.value():
            case "repaired":
                return queryset.exclude(repaired_at=None)
            case "all":
                return queryset
        return queryset.filter(repaired_at=None)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            is_default = choice["query_string"] == changelist.get_query_string(remove=[self.parameter_name])
            yield choice | {"display": "Open"} if is_default else choice


@admin.register(Difference)
class DifferenceAdmin(ReadOnly, LongList[Difference]):
    """What Stripe and we say differently. Two buttons: ask Stripe again, or leave it after looking."""

    list_display = ["found_at", "kind", "what", "stripe_id", "adoption", "ours", "theirs", "note", "how"]
    list_filter = [OpenFilter, "kind", "found_at"]
    list_select_related = ["adoption__supporter"]
    sortable_by = ["found_at"]
    search_fields = ["stripe_id"]
    search_help_text = "Stripe id, or the reference of the adoption"
    actions = ["ask_again", "leave"]
    fields = [
        ("kind", "what", "stripe_id"),
        "adoption",
        ("ours", "theirs"),
        "note",
        ("found_at", "repaired_at", "settled_by"),
        "how",
    ]
    readonly_fields = ["ours", "theirs"]

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        ours = a_few(finding.by_reference(words[0]))
        return [Difference.objects.filter(stripe_id=words[0]), Difference.objects.filter(adoption__in=ours)]

    @admin.display(description="Here")
    def ours(self, difference: Difference) -> str:
        return "–" if difference.ours_pence is None else pounds(difference.ours_pence)

    @admin.display(description="At Stripe")
    def theirs(self, difference: Difference) -> str:
        return "–" if difference.theirs_pence is None else pounds(difference.theirs_pence)

    def asked_about(self, difference: Difference) -> str:
        of = f", {difference.adoption} of {difference.adoption.supporter}" if difference.adoption else ""
        settled = f". {difference.how}" if difference.repaired_at else ""
        return f"{difference}{of}: {self.ours(difference)} here, {self.theirs(difference)} at Stripe{settled}"

    @admin.action(description="Ask Stripe again", permissions=["settle"], location=LIST_AND_FORM)
    def ask_again(self, request: HttpRequest, queryset: QuerySet[Difference]) -> None:
        """Safe at any time: it writes down what Stripe says now, and nothing else."""
        asked = list(queryset.filter(repaired_at=None)[: self.list_per_page])
        try:
            mended = sum(reconcile.ask_again(difference) for difference in asked)
        except (StripeUnavailable, StripeRefused):
            self.message_user(request, "Stripe did not answer. Nothing was changed; try again.", messages.ERROR)
            return
        level = messages.SUCCESS if mended == len(asked) else messages.WARNING
        self.message_user(request, f"{mended} of {len(asked)} match now.", level)

    @admin.action(description="Leave it: looked at, and right as it is", permissions=["settle"], location=LIST_AND_FORM)
    @asks_first(*LEAVES)
    def leave(self, request: HttpRequest, queryset: QuerySet[Difference]) -> None:
        if not isinstance(request.user, User):
            raise PermissionDenied
        settled = Difference.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))).settle(by=request.user)
        self.message_user(request, f"{settled} left as they are, under your name.", messages.SUCCESS)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Looking is not enough for these: they write in the ledger, or make a difference disappear."""
        return request.user.has_perm("adoptions.change_difference")


@admin.register(Comparison)
class ComparisonAdmin(ReadOnly, admin.ModelAdmin[Comparison]):
    """When we compared with Stripe, and what came of it."""

    list_display = ["started_at", "days", "result", "compared", "missed_events", "found", "repaired"]
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description="Result")
    def result(self, run: Comparison) -> str:
        if run.finished_at is None:
            return "Broken off: nothing proved"
        left = run.found - run.repaired
        return format_html("<strong>{} left</strong>", left) if left else "Matches"
