"""The present never came: staff put its address, words or day right for the giver who rings, or send it once more."""

from collections.abc import Iterator
from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config.asking_first import asked_first
from config.desk_page import Step, desk_page, see_back
from config.fresh_sign_in import fresh_sign_in_required

from .. import gifts
from ..entry_forms import PutRightForm
from ..gifts import Present
from ..models import OPEN, Delivery, Gift
from .attention import staff

EIGHT = 8  # in the morning, as EightInLondon
TITLE = "Put the present right"
AGAIN, CHANGE = "again", "change"  # which button was pressed
TOO_LATE = "Nothing was done: the present has moved on since this page was opened, or stands as you typed it."
LABELS = {
    "recipient_name": "The name",
    "message": "The message",
    "delivery": "How it gets there",
    "recipient_email": "The address",
    "deliver_on": "The day",
}


@fresh_sign_in_required(to="send")
@require_http_methods(["GET", "HEAD", "POST"])
def put_gift_right(request: HttpRequest, pk: int) -> HttpResponse:
    """By what givers use themselves. Says first what becomes of it: somebody is mailed."""
    if not request.user.has_perm("adoptions.change_gift"):
        raise PermissionDenied
    of_people = Gift.objects.filter(erased_at=None, adoption__supporter__erased_at=None)
    gift = get_object_or_404(of_people.select_related("adoption__supporter", "adoption__species"), pk=pk)
    is_changeable, step = gift.is_editable or gift.may_go_elsewhere, request.POST.get("step")
    form = PutRightForm(request.POST if step == CHANGE and is_changeable else None, gift=gift)
    if step == AGAIN and gift.may_be_sent_again:
        return ask_or_do(request, gift, None)
    if form.is_valid():
        return ask_or_do(request, gift, form.present())
    return desk_page(
        request,
        "admin/adoptions/put_gift_right.html",
        TITLE,
        trail=[Gift, gift],
        gift=gift,
        form=form,
        is_changeable=is_changeable,
        steps={"change": CHANGE, "again": AGAIN if gift.may_be_sent_again else ""},
    )


def ask_or_do(request: HttpRequest, gift: Gift, present: Present | None) -> HttpResponse:
    """Change it to what was typed, or send it again as it is."""
    here = reverse("admin:put_gift_right", args=[gift.pk])
    says = [as_it_is(gift), *(effects_of(gift, present) if present else effects_of_sending(gift))]
    trail: list[Step] = [Gift, gift, (TITLE, here)]
    title, button = ("Change the present?", "Change it") if present else ("Send it again?", "Send it again")
    if page := asked_first(request, title, says, trail=trail, button=button):
        return page
    by = staff(request)
    if gifts.change(gift, present, by=by) if present else gifts.send_again(gift, by=by):
        messages.success(request, "Done. " + says[-1])
    else:
        messages.warning(request, TOO_LATE)
    return see_back(request, reverse("admin:adoptions_gift_change", args=[gift.pk]))


def as_it_is(gift: Gift) -> str:
    mailed = f"by email to {gift.recipient_email}" if gift.is_by_email else "handed over by the giver"
    giver, state = gift.adoption.supporter.name, gift.get_state_display().lower()
    return f"{giver} gives it to {gift.recipient_name}, {mailed}: {state}."


def effects_of(gift: Gift, present: Present) -> Iterator[str]:
    """What becomes of the present; the last says what is mailed, and when."""
    values = present.values(giver=gift.adoption.supporter.name)
    for name, label in LABELS.items():
        old, new = getattr(gift, name), values[name]
        if old != new:
            yield f"{label} becomes {in_words(name, new)} instead of {in_words(name, old)}."
    if Gift.objects.filter(pk=gift.pk).gone_astray(not_to=str(values["recipient_email"])).exists():
        yield (
            "The link in the mail that went out opens nothing from then on. If the giver passed it on, they need the "
            "new one, from their own page."
        )
    yield when_it_goes(gift, present, str(values["held_because"]))


def when_it_goes(gift: Gift, present: Present, held: str) -> str:
    if held:
        return f"Nothing is sent before somebody of staff has read it: {held}."
    if present.delivery == Delivery.SELF or present.deliver_on is None:
        return "Nothing is mailed: the giver prints it, or passes on the address of its page."
    to, day, adoption = present.recipient_email, f"{present.deliver_on:%-d %B %Y}", gift.adoption
    if not adoption.is_adopted and adoption.state not in OPEN:
        return f"Nothing is mailed: the adoption is {adoption.get_state_display().lower()}."
    if not adoption.is_adopted:
        return f"It goes to {to} once the money has arrived, and not before {day}."
    now = timezone.localtime()
    if present.deliver_on < now.date() or (present.deliver_on == now.date() and now.hour >= EIGHT):
        return f"It goes to {to} within a minute."
    return f"It goes to {to} on {day}, at 8 in the morning."


def effects_of_sending(gift: Gift) -> list[str]:
    return [f"It goes to {gift.recipient_email} once more, within a minute, as it is."]


def in_words(name: str, value: object) -> str:
    if name == "delivery":
        return "by email" if value == Delivery.EMAIL else "by the giver’s own hand"
    if isinstance(value, date):
        return f"{value:%-d %B %Y}"
    return f"“{value}”" if value else "empty"
