"""Ask finance to give money back, for who rings somebody that may not do it themselves. Nothing moves here."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from config.desk_page import desk_page, see_back
from config.fields import PoundsField

from .. import refund_wishes, refunds
from ..models import Adoption, Payment, PaymentKind, RefundReason
from .attention import staff
from .refunds import RefundForm


class AskForm(RefundForm):
    """What a refund asks, less what is for whoever makes it to say."""

    amount = PoundsField(label="Amount in pounds", max_length=12)
    note = forms.CharField(
        label="Note",
        max_length=refund_wishes.LONGEST_NOTE,
        required=False,
        help_text="For finance, who are mailed it: name nobody in it. The supporter does not see it.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("stops", None)
        del self.fields["request"]


@require_http_methods(["GET", "HEAD", "POST"])
def ask_refund(request: HttpRequest, payment_id: int) -> HttpResponse:
    """One page, and no second: what comes of it is a mail to colleagues, who look before they do it."""
    if not request.user.has_perms(refund_wishes.MAY_ASK):
        raise PermissionDenied
    charges = Payment.objects.select_related("adoption__supporter", "adoption__species")
    payment = get_object_or_404(charges.through_us(), pk=payment_id, kind=PaymentKind.CHARGE)
    left = refunds.refundable_pence(payment)
    form = AskForm(request.POST if request.method == "POST" else None, payment=payment, initial={"amount": left})
    if form.is_valid():
        return asked(request, payment, form)
    return desk_page(
        request,
        "admin/adoptions/ask_refund.html",
        "Ask finance to refund",
        trail=[Adoption, payment.adoption],
        form=form,
        payment=payment,
        adoption=payment.adoption,
        left=left,
        waiting=refund_wishes.waiting([payment.adoption]).get(payment.pk),
    )


def asked(request: HttpRequest, payment: Payment, form: AskForm) -> HttpResponse:
    chosen = form.cleaned_data
    is_new = refund_wishes.ask(
        payment,
        pence=chosen["amount"],
        reason=RefundReason(chosen["reason"]),
        note=chosen["note"],
        by=staff(request),
    )
    if is_new:
        messages.success(request, "Finance is asked, and mailed. Nothing has gone back yet.")
    else:
        messages.warning(request, "Finance was asked about this payment before, and has not answered yet.")
    return see_back(request, reverse("admin:adoptions_adoption_change", args=[payment.adoption_id]))
