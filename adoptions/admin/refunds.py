"""Refund a payment: choose, see what it will do, confirm, and be told only what Stripe shows."""

import uuid
from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from config.desk_page import desk_page, see, see_back
from config.fields import PenceField
from config.fields_by_right import FieldsByRight
from config.fresh_sign_in import fresh_sign_in_required
from config.long_lists import LongList, OwnTitle, a_few
from config.money import pounds
from config.read_only import ReadOnly

from .. import finding, refunds, subscriptions
from ..models import Adoption, Payment, PaymentKind, RefundReason, RefundRequest
from ..stripe_gateway import StripeRefused, StripeUnavailable

UNKNOWN = (
    "Stripe did not answer, so nobody knows yet whether the money is on its way back. It is asked again by itself "
    "every minute: please make no second refund, and look here again."
)


class RefundForm(forms.Form):
    amount = PenceField(label="Amount in pounds", max_length=12)
    reason = forms.ChoiceField(choices=RefundReason.choices)
    note = forms.CharField(
        label="Note", max_length=300, required=False, help_text="For colleagues. The supporter does not see it."
    )
    stops = forms.BooleanField(label="Stop the adoption now as well", required=False)
    request = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, payment: Payment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.left = refunds.refundable_pence(payment)
        if not (payment.adoption.is_repeating and payment.adoption.is_adopted):
            del self.fields["stops"]

    def clean_amount(self) -> int:
        pence: int = self.cleaned_data["amount"]
        if not 1 <= pence <= self.left:
            raise forms.ValidationError(f"Enter an amount from £0.01 to {pounds(self.left)}.")
        return pence


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in_required()
def refund_payment(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Step one asks, step two says what will happen, step three does it."""
    if not request.user.has_perm("adoptions.add_refundrequest"):
        raise PermissionDenied
    charges = Payment.objects.select_related("adoption__supporter", "adoption__species", "adoption__plan")
    payment = get_object_or_404(charges.through_stripe(), pk=payment_id, kind=PaymentKind.CHARGE)
    if request.method != "POST":
        left = refunds.refundable_pence(payment)
        initial = {"amount": f"{left // 100}.{left % 100:02}", "request": uuid.uuid4()}
        return page(request, payment, RefundForm(payment=payment, initial=initial))
    form = RefundForm(request.POST, payment=payment)
    if request.POST.get("step") == "refund" and is_repeated(request.POST.get("request", "")):
        return back_to(request, payment)
    if not form.is_valid() or request.POST.get("step") == "change":
        return page(request, payment, form)
    if request.POST.get("step") == "refund":
        return do_it(request, payment, form)
    chosen = form.cleaned_data
    effects = refunds.effect_of(payment, pence=chosen["amount"], stops=chosen.get("stops", False))
    button = f"Refund {pounds(chosen['amount'])} now"
    if refunds.needs_second(payment, chosen["amount"]):
        most = pounds(settings.REFUND_ALONE_PENCE)
        first = f"Nothing happens yet: what is more than {most} of a payment goes back when a second person has agreed."
        effects = [first, *(f"Then: {effect}" for effect in effects)]
        button = f"Ask a second person to refund {pounds(chosen['amount'])}"
    return page(request, payment, form, effects=effects, button=button)


def is_repeated(name: str) -> bool:
    """The button pressed a second time, after the first one was answered."""
    try:
        return RefundRequest.objects.filter(public_id=uuid.UUID(name)).exists()
    except ValueError:
        return False


def page(request: HttpRequest, payment: Payment, form: RefundForm, **more: Any) -> HttpResponse:
    return desk_page(
        request,
        "admin/adoptions/refund.html",
        "Refund a payment",
        trail=[Adoption, payment.adoption],
        here="Refund",
        form=form,
        payment=payment,
        adoption=payment.adoption,
        left=form.left,
        waiting=RefundRequest.objects.waiting().filter(payment=payment),
        **more,
    )


def do_it(request: HttpRequest, payment: Payment, form: RefundForm) -> HttpResponse:
    chosen = form.cleaned_data
    by = cast(User, request.user)  # has_perm let nobody anonymous in
    made = told(
        request,
        lambda: refunds.refund(
            payment,
            pence=chosen["amount"],
            reason=RefundReason(chosen["reason"]),
            note=chosen["note"],
            by=by,
            request=chosen["request"],
            stops=chosen.get("stops", False),
        ),
    )
    if made and made.stops and not made.waits_for_second:
        stop(request, payment)
    return back_to(request, payment)


def told(request: HttpRequest, act: Callable[[], RefundRequest]) -> RefundRequest | None:
    """What came of it, in a sentence; None where nothing went back, as far as anybody knows."""
    try:
        made = act()
        amount = pounds(made.amount_pence)
        if made.waits_for_second:
            messages.success(
                request, f"{amount} goes back when a second person has agreed: it waits on their first page."
            )
        else:
            messages.success(request, f"{amount} is on its way back. Stripe: {made.stripe_refund_id}.")
        return made
    except refunds.CannotRefund as error:
        messages.error(request, str(error))
    except StripeRefused as refusal:
        why = refunds.WHY_NOT.get(refusal.code, f"Stripe's word for it: {refusal.code}.")
        messages.error(request, f"Nothing was refunded. {why}")
    except StripeUnavailable:
        messages.warning(request, UNKNOWN)
    return None


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in_required(to="send")
def second_person(request: HttpRequest, pk: int) -> HttpResponse:
    """What a colleague asks to give back, with what it does; and the two buttons of whoever decides."""
    if not request.user.has_perm("adoptions.add_refundrequest"):
        raise PermissionDenied
    rows = RefundRequest.objects.select_related("payment__adoption__supporter", "payment__adoption__species", "by")
    wanted = get_object_or_404(rows, pk=pk)
    by = cast(User, request.user)  # has_perm let nobody anonymous in
    if request.method == "POST":
        if request.POST.get("step") == "approve":
            made = told(request, lambda: refunds.approve(wanted, by=by))
            if made and made.stops:
                stop(request, wanted.payment)
        elif request.POST.get("step") == "turn_down":
            moved = RefundRequest.objects.filter(pk=pk).turn_down(by=by)
            words = "Nothing goes back." if moved else "A colleague was first: look what became of it."
            messages.add_message(request, messages.SUCCESS if moved else messages.WARNING, words)
        return see(reverse("admin:refund_second", args=[pk]))
    left = refunds.refundable_pence(wanted.payment)
    return desk_page(
        request,
        "admin/adoptions/refund_second.html",
        f"Refund {pounds(wanted.amount_pence)}?",
        trail=[RefundRequest],
        wanted=wanted,
        payment=wanted.payment,
        adoption=wanted.payment.adoption,
        effects=refunds.effect_of(wanted.payment, pence=wanted.amount_pence, stops=wanted.stops, left=left),
        is_own=wanted.by == by,
    )


def stop(request: HttpRequest, payment: Payment) -> None:
    try:
        subscriptions.cancel(payment.adoption, when="now", by=request.user)
        messages.success(request, "The adoption has ended. Nothing more is taken.")
    except (subscriptions.CannotChange, StripeRefused, StripeUnavailable):
        messages.error(request, "The money is on its way back, but the adoption could not be stopped. Try that again.")


def back_to(request: HttpRequest, payment: Payment) -> HttpResponse:
    return see_back(request, reverse("admin:adoptions_adoption_change", args=[payment.adoption_id]))


class WaitsForSecond(admin.SimpleListFilter):
    title = "second person"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("waiting", "Waiting for one"), ("yours", "Waiting for you")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RefundRequest]) -> QuerySet[RefundRequest]:
        if self.value() == "yours":
            return queryset & RefundRequest.objects.to_decide(by=cast(User, request.user))
        return queryset & RefundRequest.objects.waiting() if self.value() == "waiting" else queryset


class WhoAsked(OwnTitle, admin.RelatedOnlyFieldListFilter):
    """Of the staff only those who ever asked."""

    own_title = "who asked"


@admin.register(RefundRequest)
class RefundRequestAdmin(FieldsByRight, ReadOnly, LongList[RefundRequest]):
    """Who gave back what, and why."""

    list_display = ["asked_at", "adoption", "amount", "reason", "by", "second", "decide", "answered_at"]
    list_display += ["refused", "note"]
    list_filter = [WaitsForSecond, "reason", "asked_at", ("by", WhoAsked)]
    list_select_related = ["payment__adoption", "by", "second"]
    sortable_by = []
    search_fields = ["stripe_refund_id"]
    search_help_text = "The reference of the adoption, or the id of the refund or of its charge"
    fields = ["adoption", "payment", "amount", "reason", "note", "stops", "by", "asked_at", "decide", "second"]
    fields += ["second_at", "answered_at", "stripe_refund_id", "refused"]
    readonly_fields = ["adoption", "amount", "decide"]
    needs = {"decide": "adoptions.add_refundrequest"}

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view(second_person)
        return [path("<int:pk>/second/", guarded, name="refund_second"), *super().get_urls()]

    @admin.display(description="To decide")
    def decide(self, wanted: RefundRequest) -> str:
        if not wanted.waits_for_second:
            return "—"
        return format_html('<a href="{}">Waiting: look at it</a>', reverse("admin:refund_second", args=[wanted.pk]))

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        rows = RefundRequest.objects
        return [
            rows.filter(stripe_refund_id=words[0]),
            *(rows.filter(payment__in=a_few(found)) for found in finding.payments(words)),
        ]

    @admin.display(description="Adoption")
    def adoption(self, wanted: RefundRequest) -> str:
        return wanted.payment.adoption.reference

    @admin.display(description="Amount")
    def amount(self, wanted: RefundRequest) -> str:
        return pounds(wanted.amount_pence)
