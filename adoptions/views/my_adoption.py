"""“My adoption”: what a supporter sees and puts right, signed in by a link for an hour."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config import errors

from .. import access, consent, declaring, gift_aid, gifts, personal_data, receipts, supporter_page
from .. import details as own_details
from ..access import for_supporter
from ..access_forms import NameForm, NewEmailForm
from ..gift_aid import Scope
from ..gift_aid_forms import DeclareForm
from ..gift_forms import GiftChangeForm
from ..models import Purpose, Supporter
from .personal import personal, see_other
from .signing_in import send_link


@personal
@require_safe
@for_supporter
def adoption(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    found = supporter_page.adoption_of(supporter, reference)
    return render(request, "adoptions/my/adoption.html", supporter_page.page_of(found))


@personal
@require_safe
@for_supporter
def receipt(request: HttpRequest, supporter: Supporter, reference: str, payment_id: int) -> HttpResponse:
    payment = supporter_page.payment_of(supporter, reference, payment_id)
    context = {"adoption": payment.adoption, "payment": payment, "gift_aid": gift_aid.sentence_about(payment)}
    return render(request, "adoptions/my/receipt.html", context)


@personal
@require_safe
@for_supporter
def receipt_pdf(request: HttpRequest, supporter: Supporter, reference: str, payment_id: int) -> HttpResponse:
    payment = supporter_page.payment_of(supporter, reference, payment_id)
    response = HttpResponse(receipts.render(payment), content_type="application/pdf")
    name = f"receipt-{reference}-{timezone.localdate(payment.occurred_at)}.pdf"
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=False, filename=name) or ""
    return response


@personal
@require_http_methods(["GET", "HEAD", "POST"])
@for_supporter
def change_gift(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    """The words, the address and the day, until it has gone out; the form is given back with what was typed."""
    found = supporter_page.adoption_of(supporter, reference)
    gift = supporter_page.gift_of(found)
    if gift is None or gift.erased_at:
        raise Http404
    context = {"adoption": found, "gift": gift}
    if request.method != "POST":
        return render(request, "adoptions/my/gift.html", {**context, "form": GiftChangeForm(gift=gift)})
    form = GiftChangeForm(request.POST, gift=gift)
    if not form.is_valid():
        return render(request, "adoptions/my/gift.html", {**context, "form": form}, status=422)
    if not gifts.change(gift, form.present()):
        gift.refresh_from_db()
        return render(request, "adoptions/my/gift.html", {**context, "form": form, "too_late": True}, status=409)
    return see_other("adoptions:adoption", found.reference, fragment="gift")


@personal
@require_POST
@for_supporter
def send_gift_again(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    found = supporter_page.adoption_of(supporter, reference)
    gift = supporter_page.gift_of(found)
    if gift is None:
        raise Http404
    gifts.send_again(gift)
    return see_other("adoptions:adoption", found.reference, fragment="gift")


@personal
@require_http_methods(["GET", "HEAD", "POST"])
@for_supporter
def details(request: HttpRequest, supporter: Supporter) -> HttpResponse:
    """Name at once; a new address only once its own mailbox has said so."""
    act = request.POST.get("act") if request.method == "POST" else ""
    name = NameForm(request.POST if act == "name" else None, initial={"name": supporter.name})
    email = NewEmailForm(request.POST if act == "email" else None)
    if act == "name" and name.is_valid():
        own_details.change_name(supporter, name.cleaned_data["name"])
        return see_other("adoptions:my_adoption")
    if act == "email" and email.is_valid():
        if not access.may_ask(request):
            return errors.error_page(429)
        response = see_other("adoptions:link_sent")
        send_link(response, email.cleaned_data["email"], purpose=Purpose.CHANGE_EMAIL, supporter=supporter)
        return response
    context = {"supporter": supporter, "name": name, "email": email, "wants_news": consent.may_send_news(supporter)}
    context |= {"declarations": gift_aid.standing_of(supporter), "has_given": supporter_page.has_given(supporter)}
    context |= {"wording": consent.wording(), "wrong": name if name.errors else email}
    return render(request, "adoptions/my/details.html", context, status=422 if act else 200)


@personal
@require_POST
@for_supporter
def news(request: HttpRequest, supporter: Supporter) -> HttpResponse:
    """Wishes for contact, either way, as the person who owns the address."""
    digest = consent.address_hash(supporter.email)
    if request.POST.get("wants_news") == "yes":
        consent.lift(digest)
        consent.grant(supporter, page=request.path)
    else:
        consent.withdraw(digest, page=request.path, supporter=supporter)
    return see_other("adoptions:details", fragment="news")


@personal
@require_POST
@for_supporter
def take_back_gift_aid(request: HttpRequest, supporter: Supporter) -> HttpResponse:
    gift_aid.take_back(supporter)
    return see_other("adoptions:details", fragment="gift-aid")


@personal
@require_http_methods(["GET", "HEAD", "POST"])
@for_supporter
def declare_gift_aid(request: HttpRequest, supporter: Supporter) -> HttpResponse:
    """For gifts from now on, or those of the last four years as well; only for somebody who has given."""
    if not supporter_page.has_given(supporter):
        raise Http404
    form = DeclareForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        declaring.declare_later(supporter, form.named(), Scope(form.cleaned_data["scope"]))
        return see_other("adoptions:details", fragment="gift-aid")
    context = {"form": form, "standing": gift_aid.standing_of(supporter)}
    return render(request, "adoptions/my/gift_aid.html", context, status=422 if form.is_bound else 200)


@personal
@require_safe
@for_supporter
def download(request: HttpRequest, supporter: Supporter) -> HttpResponse:
    """Everything we hold about somebody, as a file."""
    response = JsonResponse(personal_data.export(supporter), json_dumps_params={"indent": 2, "ensure_ascii": False})
    disposition = content_disposition_header(as_attachment=True, filename="what-we-hold-about-me.json")
    response.headers["Content-Disposition"] = disposition or ""
    return response


@personal
@require_http_methods(["GET", "HEAD", "POST"])
@for_supporter
def erase(request: HttpRequest, supporter: Supporter) -> HttpResponse:
    """Forget me. What the law makes us keep is shown before and after, with the day it goes."""
    context = {"supporter": supporter, **personal_data.before_erasure(supporter)}
    if request.method != "POST" or context["running"]:
        return render(request, "adoptions/my/erase.html", context, status=409 if request.method == "POST" else 200)
    personal_data.erase(supporter)
    response = render(request, "adoptions/my/erased.html", context)
    access.sign_out(request, response)
    return response
