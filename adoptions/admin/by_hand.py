"""Type an adoption in for who rings, writes or comes by; write down what went back; find money at the bank."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from config.asking_first import asked_first
from config.desk_page import Step, desk_page, see, see_back
from config.fresh_sign_in import fresh_sign_in_required
from config.money import pounds
from species.models import Species

from .. import by_hand, campaign_field, campaigns, checkout, payment_links, receipts, refunds
from ..by_hand import CannotTakeBack, Entry
from ..campaign_report import decimal
from ..entry_forms import LINK, EntryForm, GiveBackForm, TakeBackForm
from ..models import (
    BY_HAND,
    OPEN,
    Adoption,
    Because,
    Frequency,
    HandEntry,
    Method,
    Payment,
    PaymentKind,
    PaymentLink,
    Plan,
    Source,
    Supporter,
)
from ..models.payment_links import MOST_SENDINGS
from ..stripe_gateway import StripeRefused, StripeUnavailable
from .attention import staff


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    return [
        path("enter/", wrap(enter_adoption), name="enter_adoption"),
        path("<int:adoption_id>/link/", wrap(payment_link), name="payment_link"),
        path("payments/<int:payment_id>/by-hand/", wrap(give_back), name="refund_by_hand"),
        path("payments/<int:payment_id>/take-back/", wrap(take_back), name="take_back_payment"),
        path("payments/<int:payment_id>/receipt.pdf", wrap(receipt), name="receipt_for_post"),
    ]


def on_offer() -> list[tuple[Species, Plan]]:
    """What can be adopted now, every way of it."""
    species = Species.objects.public().order_by("common_name")
    return [(each, plan) for each in species for plan in Plan.objects.on_offer_for(each)]


@require_http_methods(["GET", "HEAD", "POST"])
def enter_adoption(request: HttpRequest) -> HttpResponse:
    """One screen. `supporter`, `species` and `plan` in the address choose whose and what; see also filled_in."""
    if not request.user.has_perm("adoptions.add_adoption"):
        raise PermissionDenied
    offers = on_offer()
    if not offers:
        messages.error(request, "There is nothing to adopt: no plan is on offer for a published species.")
        return see(reverse("admin:adoptions_adoption_changelist"))
    chosen = [each for each in offers if each[0].slug == request.GET.get("species", "")] or offers
    species, plan = next((each for each in chosen if each[1].slug == request.GET.get("plan", "")), chosen[0])
    supporter = known(request.GET.get("supporter", ""))
    if request.method != "POST":
        form = EntryForm(plan=plan, supporter=supporter, initial=filled_in(request.GET))
        return entry_page(request, form, species, plan, offers)
    form = EntryForm(request.POST, plan=plan, supporter=supporter)
    if form.is_valid():
        try:
            return entered(request, write_down(request, form, species))
        except checkout.SameAgain:
            form.ask_for_another()
    return entry_page(request, form, species, plan, offers)


def filled_in(asked: QueryDict) -> dict[str, Any]:
    """`c`, `frequency`, `amount` in pence and `method` in the address are filled in; what is none of these is not."""
    found: dict[str, Any] = {"attempt": uuid.uuid4(), "frequency": "once", "c": campaigns.code_in(asked)}
    if asked.get("frequency") in Frequency:
        found["frequency"] = asked["frequency"]
    pence = asked.get("amount", "")
    if pence.isascii() and pence.isdigit() and len(pence) < 9:
        found["other_amount"] = decimal(int(pence))
    if asked.get("method") in {LINK, *BY_HAND}:
        found["method"] = asked["method"]
    return found


def known(number: str) -> Supporter | None:
    """Whom staff looked up before."""
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return None
    return Supporter.objects.filter(pk=int(number), erased_at=None).first()


def write_down(request: HttpRequest, form: EntryForm, species: Species) -> Adoption:
    entry = Entry(Source(form.cleaned_data["source"]), staff(request), form.supporter)
    if form.is_link:
        return payment_links.make(form.answers(species), entry)
    return by_hand.enter(form.answers(species), entry, form.money())


def entered(request: HttpRequest, adoption: Adoption) -> HttpResponse:
    who = adoption.supporter
    is_link = PaymentLink.objects.filter(adoption=adoption).exists()
    mail = f"{who.email} is sent {'the link to pay' if is_link else 'the receipt'}."
    mail = mail if who.has_email else "Print the receipt and the certificate for them."
    brought = f" It counts for the appeal {adoption.campaign_code}." if adoption.campaign_code else ""
    messages.success(request, f"{adoption} is entered for {who.name}, {adoption.price}.{brought} {mail}")
    return see(reverse("admin:adoptions_adoption_change", args=[adoption.pk]))


def entry_page(
    request: HttpRequest, form: EntryForm, species: Species, plan: Plan, offers: list[tuple[Species, Plan]]
) -> HttpResponse:
    kept = {"supporter": form.supporter.pk if form.supporter else "", "c": campaigns.code_in(request.GET)}
    kept = {name: value for name, value in kept.items() if value}
    others = [
        (f"{one.common_name}, {way.name}", f"?{urlencode({'species': one.slug, 'plan': way.slug, **kept})}")
        for one, way in offers
        if (one, way) != (species, plan)
    ]
    return desk_page(
        request,
        "admin/adoptions/enter.html",
        "Enter an adoption",
        trail=[Adoption],
        form=form,
        species=species,
        plan=plan,
        others=others,
        campaigns=campaign_field.offered(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def payment_link(request: HttpRequest, adoption_id: int) -> HttpResponse:
    """The link that somebody was mailed: send it again, or let it lead nowhere."""
    if not request.user.has_perm("adoptions.add_adoption"):
        raise PermissionDenied
    links = PaymentLink.objects.select_related("adoption__supporter", "adoption__species", "withdrawn_by")
    link = get_object_or_404(links, adoption=adoption_id)
    if request.method == "POST":
        if request.POST.get("act") == "again":
            is_sent = payment_links.send_again(link)
            tell(
                request,
                is_sent,
                "Sent again, good for seven days.",
                "Not sent: it is paid, withdrawn, or was sent often enough.",
            )
        elif request.POST.get("act") == "withdraw":
            if page := page_before_withdrawing(request, link):
                return page
            withdraw_link(request, link)
        return see_back(request, reverse("admin:payment_link", args=[adoption_id]))
    return desk_page(
        request,
        "admin/adoptions/payment_link.html",
        "Payment link",
        trail=[Adoption, link.adoption],
        link=link,
        adoption=link.adoption,
        is_usable=payment_links.may_be_paid(link),
        may_be_sent=link.adoption.state in OPEN and not link.withdrawn_at and link.sendings < MOST_SENDINGS,
    )


def page_before_withdrawing(request: HttpRequest, link: PaymentLink) -> HttpResponse | None:
    """None where they have read it, or where there is nothing left to withdraw and they are told so."""
    adoption = link.adoption
    if link.withdrawn_at or adoption.state not in OPEN:
        return None
    times = f"{link.sendings} time{'s' if link.sendings > 1 else ''}"
    which = f"The link to pay {adoption.price} for the {adoption.species.common_name}"
    says = [
        f"{which}, mailed to {adoption.supporter.email} {times}, leads nowhere any more.",
        "A page at Stripe that they opened with it is closed.",
        f"{adoption} counts as abandoned. It cannot be undone: to let them pay after all, enter the adoption anew.",
        "Nobody is mailed.",
    ]
    here = reverse("admin:payment_link", args=[adoption.pk])
    trail: list[Step] = [Adoption, adoption, ("Payment link", here)]
    return asked_first(request, "Withdraw the link to pay?", says, trail=trail, button="Withdraw it")


def withdraw_link(request: HttpRequest, link: PaymentLink) -> None:
    try:
        is_done = payment_links.withdraw(link, by=staff(request))
        no = "Nothing was changed: it is paid, or was withdrawn before."
        tell(request, is_done, "Withdrawn: the link leads nowhere any more.", no)
    except (StripeUnavailable, StripeRefused):
        words = "Withdrawn, but Stripe did not answer: a page that they opened before may still be paid for a day."
        messages.warning(request, words)


def tell(request: HttpRequest, is_done: bool, yes: str, no: str) -> None:
    messages.add_message(request, messages.SUCCESS if is_done else messages.WARNING, yes if is_done else no)


# --- what went back, or never was -------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in_required()
def give_back(request: HttpRequest, payment_id: int) -> HttpResponse:
    """For money that did not come through Stripe, and so does not go back through it. Says what it does first."""
    charge = movement(request, payment_id, [PaymentKind.CHARGE])
    form = GiveBackForm(request.POST if request.method == "POST" else None, charge=charge, by=staff(request))
    if request.method == "POST" and is_repeated(request.POST.get("request", "")):
        return see_back(request, address_of(charge))
    if form.is_valid() and request.POST.get("step") == "refund":
        try:
            made = by_hand.give_back(charge, form.back(), by=staff(request))
            messages.success(request, f"{pounds(-made.amount_pence)} is written down as given back.")
        except CannotTakeBack as error:
            messages.error(request, str(error))
        return see_back(request, address_of(charge))
    about = (
        f"{pounds(form.left)} of it is left. Give the money back first, by cheque, in cash or as a transfer; then "
        "write here how and when."
    )
    if form.is_valid() and request.POST.get("step") != "change":
        effects = refunds.effect_of(charge, pence=form.cleaned_data["amount"], stops=False)
        if agreed_by := form.cleaned_data.get("agreed_by"):
            effects.append(f"It stays in the books that {agreed_by} agreed to it, if it takes two.")
        return money_page(request, charge, form, "Money given back", button="Write it down", effects=effects)
    return money_page(request, charge, form, "Money given back", about=about, button="Show what it does")


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in_required()
def take_back(request: HttpRequest, payment_id: int) -> HttpResponse:
    row = movement(request, payment_id, [PaymentKind.CHARGE, PaymentKind.REFUND])
    form = TakeBackForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        wanted = form.cleaned_data
        try:
            by_hand.take_back(
                row,
                because=Because(wanted["because"]),
                note=wanted["note"],
                request=wanted["request"],
                by=staff(request),
            )
            messages.success(request, "Taken back. Both movements stay in the books; nobody was mailed.")
        except CannotTakeBack as error:
            messages.error(request, str(error))
        return see(address_of(row))
    about = (
        "The opposite movement is written beside it, so that the books say what happened. "
        "An adoption of which no money is left ends, and its certificate can no longer be opened. Nobody is mailed: "
        "a receipt that went out is for you to explain."
    )
    return money_page(request, row, form, "A movement that was none", about=about, button="Take it back")


def movement(request: HttpRequest, payment_id: int, kinds: list[PaymentKind]) -> Payment:
    if not request.user.has_perm("adoptions.add_refundrequest"):
        raise PermissionDenied
    rows = Payment.objects.exclude(method=Method.STRIPE).select_related("adoption__supporter", "adoption__species")
    return get_object_or_404(rows, pk=payment_id, kind__in=kinds)


def is_repeated(name: str) -> bool:
    """The button pressed a second time, after the first one was answered."""
    try:
        return HandEntry.objects.filter(request=uuid.UUID(name)).exists()
    except ValueError:
        return False


def address_of(row: Payment) -> str:
    return reverse("admin:adoptions_adoption_change", args=[row.adoption_id])


def money_page(request: HttpRequest, row: Payment, form: forms.Form, title: str, **shown: Any) -> HttpResponse:
    return desk_page(
        request,
        "admin/adoptions/by_hand.html",
        title,
        trail=[Adoption, row.adoption],
        form=form,
        payment=row,
        adoption=row.adoption,
        **shown,
    )


@require_safe
def receipt(request: HttpRequest, payment_id: int) -> HttpResponse | FileResponse:
    """To print and post, for who has no email."""
    if not request.user.has_perm("adoptions.view_payment"):
        raise PermissionDenied
    charges = Payment.objects.through_us().select_related("adoption__supporter", "adoption__species")
    payment = get_object_or_404(charges, pk=payment_id, kind=PaymentKind.CHARGE)
    response = HttpResponse(receipts.render(payment), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="receipt-{payment.adoption}.pdf"'
    return response
