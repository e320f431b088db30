"""What staff do with a repeating adoption for somebody who rings: stop, go on, pause, skip. All as Stripe has it."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from config.asking_first import asked_first
from config.desk_page import Step, desk_page, see_back
from config.money import pounds

from .. import subscriptions
from ..models import Adoption, ChangeAct
from ..stripe_gateway import StripeRefused, StripeUnavailable

type Act = Callable[[Adoption, object], Adoption]

ACTS: dict[str, Act] = {
    ChangeAct.STOP_LATER: lambda adoption, by: subscriptions.cancel(adoption, by=by),
    ChangeAct.STOP_NOW: lambda adoption, by: subscriptions.cancel(adoption, when="now", by=by),
    ChangeAct.GO_ON: lambda adoption, by: subscriptions.undo_cancel(adoption, by=by),
    ChangeAct.PAUSE: lambda adoption, by: subscriptions.pause(adoption, by=by),
    ChangeAct.RESUME: lambda adoption, by: subscriptions.resume(adoption, by=by),
    ChangeAct.SKIP: lambda adoption, by: subscriptions.skip_next(adoption, by=by),
}
UNKNOWN = "Stripe did not answer, so nobody knows yet whether it was done. Look again in a minute before you try again."


@require_http_methods(["GET", "HEAD", "POST"])
def change_plan(request: HttpRequest, adoption_id: int) -> HttpResponse:
    """One button for each thing that is possible now. Each says first what it does: most of them mail the supporter."""
    if not request.user.has_perm("adoptions.add_change"):
        raise PermissionDenied
    adoptions = Adoption.objects.select_related("supporter", "species", "plan")
    adoption = get_object_or_404(adoptions, pk=adoption_id)
    act = request.POST.get("act", "")
    if request.method == "POST" and act in ACTS:
        return ask_or_do(request, adoption, ChangeAct(act))
    offers = [(act.value, act.label) for act in possible(adoption)]
    return desk_page(
        request,
        "admin/adoptions/plan.html",
        "Stop, pause or skip",
        trail=[Adoption, adoption],
        adoption=adoption,
        offers=offers,
    )


def ask_or_do(request: HttpRequest, adoption: Adoption, act: ChangeAct) -> HttpResponse:
    here = reverse("admin:change_plan", args=[adoption.pk])
    if act not in possible(adoption):
        messages.warning(request, "Nothing was done: the adoption has changed since this page was opened.")
        return see_back(request, here)
    trail: list[Step] = [Adoption, adoption, ("Stop, pause or skip", here)]
    page = asked_first(request, f"{act.label}?", effects_of(adoption, act), trail=trail, button=act.label)
    if page is None:
        carry_out(request, adoption, act)
    return page or see_back(request, here)


def effects_of(adoption: Adoption, act: ChangeAct) -> list[str]:
    """What a button does, in sentences: whose, how much, from when on, and who is mailed."""
    who, due = adoption.supporter, adoption.next_payment_on
    next_one = f"the {pounds(adoption.amount_pence)} due on {due:%-d %B %Y}" if due else "the next payment"
    words = {
        ChangeAct.STOP_LATER: [
            f"Nothing more is taken, beginning with {next_one}. The adoption lasts as long as it is paid for.",
            "Until then it can go on after all, at a press here or at one of theirs.",
        ],
        ChangeAct.STOP_NOW: [
            "The adoption ends at once, and nothing more is taken. It cannot be undone.",
            "Nothing is given back: to do that, refund a payment.",
        ],
        ChangeAct.GO_ON: [f"It does not end on {adoption.ends_on:%-d %B %Y}." if adoption.ends_on else "It goes on."],
        ChangeAct.PAUSE: [
            f"Nothing is taken until further notice, beginning with {next_one}.",
            "It can be taken up again at any time, at a press here or at one of theirs.",
        ],
        ChangeAct.RESUME: [f"{adoption.price} is taken again, from the next day it is due."],
        ChangeAct.SKIP: ["One payment is left out: " + next_one + ". The one after it is taken as before."],
    }[act]
    gives = f"{who.name} gives {adoption.price} for the {adoption.species.common_name} ({adoption})."
    is_told = who.has_email and act != ChangeAct.GO_ON
    return [gives, *words, f"A mail to {who.email} says so." if is_told else "Nobody is mailed."]


def possible(adoption: Adoption) -> list[ChangeAct]:
    """What makes sense as the adoption stands; whether it works is for Stripe to say."""
    if not (adoption.is_repeating and adoption.is_adopted):
        return []
    if adoption.ends_on:
        return [ChangeAct.GO_ON, ChangeAct.STOP_NOW]
    pauses = [ChangeAct.RESUME] if adoption.is_paused else [ChangeAct.PAUSE, ChangeAct.SKIP]
    return [ChangeAct.STOP_LATER, *([] if adoption.retry_on else pauses), ChangeAct.STOP_NOW]


def carry_out(request: HttpRequest, adoption: Adoption, act: str) -> None:
    try:
        ACTS[act](adoption, request.user)
        messages.success(request, f"Done, as Stripe says: {ChangeAct(act).label.lower()}.")
    except subscriptions.CannotChange as error:
        messages.error(request, str(error))
    except StripeRefused as refusal:
        messages.error(request, f"Nothing was changed. Stripe's word for it: {refusal.code}.")
    except StripeUnavailable:
        messages.warning(request, UNKNOWN)
