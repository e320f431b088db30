"""Who rings for their mother: let somebody else go on paying, by a link of their own."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from config.asking_first import asked_first
from config.desk_page import Step, desk_page, see_back

from .. import payment_links, taking_over
from ..by_hand import Entry
from ..entry_forms import TakeOverForm
from ..models import Adoption, Source
from .attention import staff


@require_http_methods(["GET", "HEAD", "POST"])
def take_over(request: HttpRequest, adoption_id: int) -> HttpResponse:
    """Says first what happens: a mail goes to somebody, and later payments stop."""
    if not request.user.has_perms(taking_over.MAY_OFFER):
        raise PermissionDenied
    adoption = get_object_or_404(Adoption.objects.select_related("supporter", "species", "gift"), pk=adoption_id)
    form = TakeOverForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (answer := ask_or_offer(request, adoption, form)):
        return answer
    return desk_page(
        request,
        "admin/adoptions/take_over.html",
        "Let somebody else take over",
        trail=[Adoption, adoption],
        adoption=adoption,
        is_possible=taking_over.is_possible(adoption),
        form=form,
    )


def ask_or_offer(request: HttpRequest, adoption: Adoption, form: TakeOverForm) -> HttpResponse | None:
    """None where it cannot be, and the form says why."""
    payer = form.payer()
    try:
        taking_over.require_possible(adoption, payer)
        here = reverse("admin:take_over", args=[adoption.pk])
        trail: list[Step] = [Adoption, adoption, ("Let somebody else take over", here)]
        says = effects_of(adoption, payer)
        if page := asked_first(request, "Let them take over?", says, trail=trail, button="Mail them the link"):
            return page
        entry = Entry(Source(form.cleaned_data["source"]), staff(request))
        successor = taking_over.offer(adoption, payer, entry)
    except taking_over.CannotTakeOver as error:
        form.add_error(None, str(error))
        return None
    messages.success(request, f"A link to go on with {adoption}, as {successor}, goes to {successor.supporter.email}.")
    return see_back(request, reverse("admin:adoptions_adoption_change", args=[adoption.pk]))


def effects_of(adoption: Adoption, payer: taking_over.NewPayer) -> list[str]:
    """Whose money stops when, and who is told what."""
    who, price = adoption.supporter, adoption.price
    if taking_over.stops_at_once(adoption):
        stops = f"{who.name}’s payments stop at once then, and what could not be taken is not tried again."
    else:
        stops = f"{who.name}’s payments stop then. What is paid lasts to its end, and nothing is given back."
    is_told = f"{who.email} hears of it then, and not who it is." if who.has_email else f"{who.name} is not mailed."
    gift = getattr(adoption, "gift", None) if adoption.is_gift else None
    whose = gift.recipient_name if gift else ""
    stays = f"It stays a present for {whose}, whose certificate goes on." if whose else ""
    days = payment_links.GOOD_FOR.days
    return [
        f"{payer.email} is mailed a link to pay {price} for the {adoption.species.common_name}, good for {days} days.",
        "Until the first of these payments has arrived, nothing changes. If the link is never used, nothing does.",
        stops,
        *([stays] if stays else []),
        is_told,
        "What was paid stays with who paid it, and so does its Gift Aid. The new payer declares their own.",
    ]
