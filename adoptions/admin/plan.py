"""What staff do with a repeating adoption for somebody who rings: stop, go on, pause, skip, give more or less.

All as Stripe has it, and an amount by the rules of supporters' own form.
"""

from collections.abc import Callable
from typing import Any

from django import forms
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
from ..care import CHANGE_PLAN
from ..change_forms import AmountForm, RhythmForm
from ..models import Adoption, AdoptionState, ChangeAct, Frequency
from ..stripe_gateway import StripeRefused, StripeUnavailable

type Act = Callable[[Adoption, object], Adoption]
type OnTerms = Callable[[Adoption, object, Adoption], Adoption]


class OtherAmountForm(AmountForm):
    """As supporters have it. What is given already is caught here, in words for staff."""

    def __init__(self, data: Any = None, *, adoption: Adoption) -> None:
        super().__init__(data, adoption=adoption)
        self.adoption = adoption

    def clean_amount(self) -> int:
        pence = super().clean_amount()
        if pence == self.adoption.amount_pence:
            raise forms.ValidationError(f"They give {self.adoption.price} already.")
        return pence


ACTS: dict[str, Act] = {
    ChangeAct.STOP_LATER: lambda adoption, by: subscriptions.cancel(adoption, by=by),
    ChangeAct.STOP_NOW: lambda adoption, by: subscriptions.cancel(adoption, when="now", by=by),
    ChangeAct.GO_ON: lambda adoption, by: subscriptions.undo_cancel(adoption, by=by),
    ChangeAct.PAUSE: lambda adoption, by: subscriptions.pause(adoption, by=by),
    ChangeAct.RESUME: lambda adoption, by: subscriptions.resume(adoption, by=by),
    ChangeAct.SKIP: lambda adoption, by: subscriptions.skip_next(adoption, by=by),
}
# Those for which an amount is typed; the third of what they take is the adoption as it is wanted.
ON_TERMS: dict[str, OnTerms] = {
    ChangeAct.AMOUNT: lambda adoption, by, wanted: subscriptions.change_amount(
        adoption, pence=wanted.amount_pence, by=by
    ),
    ChangeAct.RHYTHM: lambda adoption, by, wanted: subscriptions.change_rhythm(
        adoption, frequency=Frequency(wanted.frequency), pence=wanted.amount_pence, by=by
    ),
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
    if request.method == "POST" and act in {*ACTS, *ON_TERMS}:
        return ask_or_do(request, adoption, ChangeAct(act))
    return plan_page(request, adoption)


def plan_page(request: HttpRequest, adoption: Adoption, *, sent: AmountForm | None = None) -> HttpResponse:
    """`sent`: the form that cannot be taken; it stands where it was filled in."""
    offers = []
    for act in possible(adoption):
        form = form_of(adoption, act)
        form = sent if sent and type(form) is type(sent) else form
        offers.append((act.value, label_of(adoption, act), form))
    return desk_page(
        request,
        "admin/adoptions/plan.html",
        CHANGE_PLAN,
        trail=[Adoption, adoption],
        form=sent,
        adoption=adoption,
        offers=offers,
    )


def label_of(adoption: Adoption, act: ChangeAct) -> str:
    if act != ChangeAct.RHYTHM:
        return act.label
    return f"Give every {'month' if adoption.frequency == Frequency.YEARLY else 'year'} instead"


def form_of(adoption: Adoption, act: ChangeAct, data: Any = None) -> AmountForm | None:
    """Supporters' own, for what has to be typed; None where a button is enough."""
    if act not in ON_TERMS:
        return None
    form = (RhythmForm if act == ChangeAct.RHYTHM else OtherAmountForm)(data, adoption=adoption)
    form.auto_id = f"id_{act}_%s"  # both stand on one page
    return form


def ask_or_do(request: HttpRequest, adoption: Adoption, act: ChangeAct) -> HttpResponse:
    here = reverse("admin:change_plan", args=[adoption.pk])
    if act not in possible(adoption):
        messages.warning(request, "Nothing was done: the adoption has changed since this page was opened.")
        return see_back(request, here)
    form, wanted = form_of(adoption, act, request.POST), None
    if form and not form.is_valid():
        return plan_page(request, adoption, sent=form)
    if form:
        wanted = Adoption(frequency=form.frequency_for(adoption), amount_pence=form.cleaned_data["amount"])
    words = f"Give {wanted.price}" if wanted else act.label
    trail: list[Step] = [Adoption, adoption, (CHANGE_PLAN, here)]
    page = asked_first(request, f"{words}?", effects_of(adoption, act, wanted), trail=trail, button=words)
    if page is None:
        carry_out(request, words, lambda: do(adoption, act, wanted, by=request.user))
    return page or see_back(request, here)


def do(adoption: Adoption, act: ChangeAct, wanted: Adoption | None, *, by: object) -> Adoption:
    return ON_TERMS[act](adoption, by, wanted) if wanted else ACTS[act](adoption, by)


def effects_of(adoption: Adoption, act: ChangeAct, wanted: Adoption | None = None) -> list[str]:
    """What a button does, in sentences: whose, how much, from when on, and who is mailed."""
    who, due = adoption.supporter, adoption.next_payment_on
    next_one = f"the {pounds(adoption.amount_pence)} due on {due:%-d %B %Y}" if due else "the next payment"
    since = f"Beginning with the payment due on {due:%-d %B %Y}" if due else "Beginning with the next payment"
    new_terms = [f"{since}, it is {wanted.price} in place of {adoption.price}."] if wanted else []
    new_terms += ["What is paid stays as it is, and lasts as long as it was to."]
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
        ChangeAct.AMOUNT: new_terms,
        ChangeAct.RHYTHM: new_terms,
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
    terms = [ChangeAct.AMOUNT] if adoption.is_paused else [ChangeAct.AMOUNT, ChangeAct.RHYTHM]
    if adoption.state == AdoptionState.PAST_DUE:
        terms = []
    return [ChangeAct.STOP_LATER, *([] if adoption.retry_on else pauses), *terms, ChangeAct.STOP_NOW]


def carry_out(request: HttpRequest, words: str, act: Callable[[], object]) -> None:
    try:
        act()
        messages.success(request, f"Done, as Stripe says: {words.lower()}.")
    except subscriptions.CannotChange as error:
        messages.error(request, str(error))
    except StripeRefused as refusal:
        messages.error(request, f"Nothing was changed. Stripe's word for it: {refusal.code}.")
    except StripeUnavailable:
        messages.warning(request, UNKNOWN)
