from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from config.fields_by_right import FieldsByRight
from config.money import pounds
from config.read_only import ReadOnly

from .. import care, finding, refund_wishes, taking_over
from ..models import (
    OPEN,
    Adoption,
    Change,
    ExportLayout,
    Gift,
    PastAdoption,
    Payment,
    PaymentKind,
    PaymentLink,
)
from . import by_hand
from .asking_refunds import ask_refund
from .by_campaign import (
    AnsweredAMail,
    AsAReportLinks,
    BroughtFirst,
    BroughtNew,
    ByCampaign,
    ByContent,
    ByMedium,
    BySource,
    CameLate,
    ListOfBrought,
)
from .plan import change_plan, possible
from .refunds import refund_payment
from .taking_over import take_over


class PaymentInline(FieldsByRight, ReadOnly, admin.TabularInline[Payment, Adoption]):
    model = Payment
    template = "admin/rows.html"
    fields = ["occurred_at", "kind", "amount", "method", "stripe_id", "card_last4", "refund", "ask", "receipt"]
    readonly_fields = ["occurred_at", "kind", "amount", "method", "stripe_id", "card_last4", "refund", "ask", "receipt"]
    extra = 0
    needs = {"refund": "adoptions.add_refundrequest"}

    @admin.display(description="Amount")
    def amount(self, payment: Payment) -> str:
        return pounds(payment.amount_pence)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nobody asks finance for what they can do themselves."""
        fields = super().get_fields(request, obj)
        return fields if refund_wishes.has_to_ask(request.user) else [name for name in fields if name != "ask"]

    @admin.display(description="Give back")
    def ask(self, payment: Payment) -> str:
        if payment.kind != PaymentKind.CHARGE or payment.is_brought_in:
            return ""
        return format_html('<a href="{}">Ask finance</a>', reverse("admin:ask_refund", args=[payment.pk]))

    @admin.display(description="Give back")
    def refund(self, payment: Payment) -> str:
        """Money by hand goes back by hand; what was a mistake is taken back.

        What another system collected goes back there.
        """
        pages = [("take_back_payment", "It was none")] if payment.is_by_hand else []
        if payment.is_brought_in:
            pages = pages if payment.kind == PaymentKind.CHARGE else []
        elif payment.kind == PaymentKind.CHARGE:
            refund = ("refund_by_hand", "Given back") if payment.is_by_hand else ("refund", "Refund")
            pages = [refund, *pages]
        elif payment.kind != PaymentKind.REFUND:
            pages = []
        links = ((reverse(f"admin:{name}", args=[payment.pk]), words) for name, words in pages)
        return format_html_join(" · ", '<a href="{}">{}</a>', links)

    @admin.display(description="Receipt")
    def receipt(self, payment: Payment) -> str:
        if payment.kind != PaymentKind.CHARGE or payment.is_brought_in:
            return ""
        return format_html('<a href="{}">PDF</a>', reverse("admin:receipt_for_post", args=[payment.pk]))


class ChangeInline(ReadOnly, admin.TabularInline[Change, Adoption]):
    """Who wished what, and whether it came true."""

    model = Change
    template = "admin/rows.html"
    fields = ["asked_at", "act", "detail", "by", "done_at", "refused"]
    readonly_fields = ["asked_at", "act", "detail", "by", "done_at", "refused"]
    extra = 0


class GiftInline(ReadOnly, admin.StackedInline[Gift, Adoption]):
    model = Gift
    extra = 0


class StoodOn(AsAReportLinks):
    """Those that had begun by the end of a day, and not ended, as a report counts them: it links here with the day."""

    title = "active at the end of"
    parameter_name = "stood_on"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Adoption]) -> QuerySet[Adoption]:
        if self.value() is None:
            return queryset
        try:
            day = date.fromisoformat(self.value() or "")
            end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error
        begun = queryset.filter(activated_at__lt=end)
        return begun.filter(Q(ended_at=None) | Q(ended_at__gte=end))


@admin.register(Adoption)
class AdoptionAdmin(FieldsByRight, ReadOnly, ListOfBrought[Adoption]):
    """Every adoption with its money. Derived from Stripe, or entered once: there is nothing to edit by hand."""

    view_on_site = False  # its address is the key of whoever paid
    change_list_template = "admin/adoptions/adoption/list.html"
    layout = ExportLayout.ADOPTIONS_CSV

    list_display = [
        "reference",
        "created_at",
        "supporter_name",
        "species",
        "price",
        "state",
        "received",
        "is_gift",
        "campaign",
    ]
    list_filter = [
        *(
            BySource,
            ByMedium,
            ByContent,
            BroughtNew,
            BroughtFirst,
            CameLate,
            StoodOn,
            AnsweredAMail,
        ),  # shown where they are used
        "state",
        "frequency",
        "species",
        "is_gift",
        "source",
        ByCampaign,
        "created_at",
    ]
    list_select_related = ["supporter", "species", "campaign"]
    sortable_by = ["reference", "created_at"]
    search_fields = ["reference"]
    search_help_text = "Reference, names, email, Stripe id (in full) or the last four digits of a card"
    inlines = [GiftInline, PaymentInline, ChangeInline]
    fields = [
        ("reference", "state", "held_because"),
        ("supporter_link", "species", "plan"),
        ("price", "received", "source", "entered_by"),
        "brought_in",
        ("created_at", "activated_at", "ends_on", "ended_at"),
        ("next_payment_on", "retry_on", "is_paused", "resumes_on", "card_expires_on"),
        ("plan_link", "pay_link"),
        ("campaign", "campaign_code", "first_campaign_code"),
        ("stripe_session_id", "stripe_subscription_id", "stripe_customer_id"),
        "certificate_link",
    ]
    readonly_fields = [
        "price",
        "received",
        "supporter_link",
        "brought_in",
        "plan_link",
        "pay_link",
        "certificate_link",
        "first_campaign_code",
        "entered_by",
    ]

    needs = {"plan_link": "adoptions.add_change", "pay_link": "adoptions.add_adoption"}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("payments/<int:payment_id>/refund/", wrap(refund_payment), name="refund"),
            path("payments/<int:payment_id>/ask-refund/", wrap(ask_refund), name="ask_refund"),
            path("<int:adoption_id>/plan/", wrap(change_plan), name="change_plan"),
            path("<int:adoption_id>/take-over/", wrap(take_over), name="take_over"),
            *by_hand.urls(),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Adoption]:
        """The sum is asked for each row that is shown: joined, it would be that of every adoption first."""
        sums = Payment.objects.filter(adoption=OuterRef("pk")).order_by().values("adoption")
        received = Subquery(sums.values(total=Sum("amount_pence")))
        return super().get_queryset(request).annotate(received_pence=Coalesce(received, 0))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "plan__name__exact" or super().lookup_allowed(lookup, value, request)

    def get_ordering(self, request: HttpRequest) -> Any:
        """Those who began or ended in a span of time, as reports link to them, by the index that knows that time."""
        for moment in ("activated_at", "ended_at"):
            if f"{moment}__gte" in request.GET:
                return [f"-{moment}", "-id"]
        return super().get_ordering(request)

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        return finding.adoptions(words)

    @admin.display(description="Supporter")
    def supporter_name(self, adoption: Adoption) -> str:
        return adoption.supporter.name

    @admin.display(description="Gives")
    def price(self, adoption: Adoption) -> str:
        return adoption.price

    @admin.display(description="Received")
    def received(self, adoption: Adoption) -> str:
        return pounds(adoption.received_pence)  # type: ignore[attr-defined]  # annotated above

    @admin.display(description="Supporter")
    def supporter_link(self, adoption: Adoption) -> str:
        address = reverse("admin:adoptions_supporter_change", args=[adoption.supporter_id])
        return format_html('<a href="{}">{}</a>', address, adoption.supporter)

    @admin.display(description="Brought in", empty_value="No: it began here.")
    def brought_in(self, adoption: Adoption) -> str | None:
        """From which list, how it is known there, and until when it was paid there."""
        past: PastAdoption | None = getattr(adoption, "past", None)
        if past is None:
            return None
        words = [f"By list {past.list_number}, where it is {past}."]
        if past.paid_until:
            words.append(f"Paid elsewhere until {past.paid_until:%d/%m/%Y}.")
        words += [f"It ended there: {past.ended_because}."] if past.ended_because else []
        words += [f"Taken back with its list on {past.undone_at:%d/%m/%Y}."] if past.undone_at else []
        return " ".join(words)

    @admin.display(description="For somebody who rings")
    def plan_link(self, adoption: Adoption) -> str:
        if not possible(adoption):
            return "Nothing to stop or change."
        address = reverse("admin:change_plan", args=[adoption.pk])
        stop = format_html('<a href="{}">{}</a>', address, care.CHANGE_PLAN)
        if not taking_over.is_possible(adoption):
            return stop
        address = reverse("admin:take_over", args=[adoption.pk])
        return format_html('{} · <a href="{}">Let somebody else take over</a>', stop, address)

    @admin.display(description="Link to pay")
    def pay_link(self, adoption: Adoption) -> str:
        if address := care.way_to_go_on(adoption):
            return format_html('<a href="{}">Ask them to go on here: mail them a link to pay</a>', address)
        if adoption.state in OPEN and PaymentLink.objects.filter(adoption=adoption).exists():
            address = reverse("admin:payment_link", args=[adoption.pk])
            return format_html('<a href="{}">The payment link: send it again, or withdraw it</a>', address)
        return "None."

    @admin.display(description="Certificate")
    def certificate_link(self, adoption: Adoption) -> str:
        if not adoption.is_adopted:
            return "None until the first payment has arrived."
        return format_html('<a href="{}">Open the PDF</a>', reverse("adoptions:certificate", args=[adoption.token]))
