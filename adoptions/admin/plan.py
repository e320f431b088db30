"""What staff do with a repeating adoption for somebody who rings: stop, go on, pause, skip. All as Stripe has it."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from config.desk_page import desk_page, see

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
    """One button for each thing that is possible now. Stopping at once cannot be undone, so it takes a tick as well."""
    if not request.user.has_perm("adoptions.add_change"):
        raise PermissionDenied
    adoptions = Adoption.objects.select_related("supporter", "species", "plan")
    adoption = get_object_or_404(adoptions, pk=adoption_id)
    act = request.POST.get("act", "")
    if request.method == "POST" and act in ACTS:
        if act == ChangeAct.STOP_NOW and not request.POST.get("sure"):
            messages.error(request, "Tick the box: stopping at once cannot be undone.")
        else:
            carry_out(request, adoption, act)
        return see(reverse("admin:change_plan", args=[adoption.pk]))
    offers = [(act.value, act.label) for act in possible(adoption)]
    return desk_page(
        request,
        "admin/adoptions/plan.html",
        "Stop, pause or skip",
        trail=[Adoption, adoption],
        adoption=adoption,
        offers=offers,
    )


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
