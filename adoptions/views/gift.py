"""The recipient's own page. Whoever has its address may act; nobody else can find it. No cookie is set or read."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from config.same_origin import same_origin_only
from species.models import FieldNote

from .. import gifts
from ..gift_forms import ThanksForm
from ..models import Gift, GiftState
from .personal import personal, see_other

NOTES_SHOWN = 12


def find(token: str) -> Gift:
    """A gift that was paid for, by its secret; anything else is the same 404."""
    rows = Gift.objects.select_related("adoption__supporter", "adoption__species")
    paid = rows.filter(adoption__is_gift=True, adoption__activated_at__isnull=False, erased_at=None)
    return get_object_or_404(paid.exclude(state=GiftState.CANCELLED), token=token)


def context_of(gift: Gift, form: ThanksForm) -> dict[str, Any]:
    start = gift.adoption.activated_at
    notes = FieldNote.objects.public().filter(species=gift.adoption.species, published_at__gte=start)
    # Words that staff have not read yet are not shown here either.
    message = "" if gift.state == GiftState.HELD else gift.message
    return {"gift": gift, "message": message, "since": start, "notes": notes[:NOTES_SHOWN], "form": form}


@personal
@require_safe
def show(request: HttpRequest, token: str) -> HttpResponse:
    return render(request, "adoptions/gift.html", context_of(find(token), ThanksForm()))


@personal
@same_origin_only
@require_POST
def unwrap(request: HttpRequest, token: str) -> HttpResponse:
    gift = find(token)
    gifts.open_present(gift)
    return see_other("adoptions:gift", gift.token)


@personal
@same_origin_only
@require_POST
def thank(request: HttpRequest, token: str) -> HttpResponse:
    gift = find(token)
    form = ThanksForm(request.POST)
    if not form.is_valid():
        return render(request, "adoptions/gift.html", context_of(gift, form), status=422)
    gifts.say_thanks(gift, form.cleaned_data["words"])
    return see_other("adoptions:gift", gift.token)


@personal
@same_origin_only
@require_POST
def erase(request: HttpRequest, token: str) -> HttpResponse:
    gifts.forget_recipient(find(token))
    return render(request, "adoptions/gift_erased.html")
