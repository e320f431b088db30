"""The way to adopt: choose, check, pay at Stripe, be told the truth."""

import logging
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from config import errors
from config.money import NotPence, pounds
from species.models import Species

from .. import campaigns, checkout, drafts, fulfilment, presets, twice
from ..forms import AdoptForm
from ..gifts import Present
from ..models import OPEN, Adoption, AdoptionState, Delivery, Frequency, Plan
from ..shield import may_open_a_page, note_opening
from ..stripe_gateway import StripeRefused, StripeUnavailable

logger = logging.getLogger(__name__)

STATES_SHOWN = {
    AdoptionState.ACTIVE: "paid",
    AdoptionState.PAST_DUE: "paid",
    AdoptionState.PROCESSING: "processing",
    AdoptionState.PENDING: "unpaid",
    AdoptionState.ABANDONED: "expired",
    AdoptionState.HELD: "processing",
    AdoptionState.ENDED: "ended",
}
PAY_RHYTHM = {Frequency.ONCE: "", Frequency.MONTHLY: " every month", Frequency.YEARLY: " every year"}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def adopt(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Step one asks, step two shows the answers again, step three leaves for Stripe. The form travels whole."""
    species = get_object_or_404(Species.objects.public(), slug=slug)
    plans = list(Plan.objects.on_offer_for(species))
    if not plans:
        return render(request, "adoptions/not_open.html", {"species": species}, status=503)
    if request.method != "POST":
        return render(request, "adoptions/adopt.html", first_answers(request, species, plans))
    drafts.save(request)
    plan = presets.chosen_plan(plans, request.POST)
    form = AdoptForm(request.POST, plan=plan)
    context = {"species": species, "plan": plan, "plans": plans, "appeal": campaigns.words_for(form["c"].value())}
    if not form.is_valid():
        return render(request, "adoptions/adopt.html", {**context, "form": form}, status=422)
    step = request.POST.get("step")
    if step == "change":
        return render(request, "adoptions/adopt.html", {**context, "form": form})
    if step == "pay":
        return pay(request, form, context)
    return render(request, "adoptions/check.html", {**context, **check_context(form, species)})


def first_answers(request: HttpRequest, species: Species, plans: list[Plan]) -> dict[str, Any]:
    """The form as it is first shown: as the address says, or as it was left within the last day."""
    left = drafts.find(request)
    plan = presets.chosen_plan(plans, left or request.GET)
    initial = left or presets.initial_answers(plan, request.GET)
    form = AdoptForm(plan=plan, initial=initial)
    appeal = campaigns.words_for(form["c"].value())
    return {"species": species, "plan": plan, "plans": plans, "form": form, "appeal": appeal}


def check_context(form: AdoptForm, species: Species) -> dict[str, Any]:
    """The answers in words, and what the button will do."""
    answers = form.answers(species)
    draft = Adoption(frequency=answers.frequency, amount_pence=answers.amount_pence)
    rows = [("You adopt", species.heading), ("You give", draft.price), ("Your name", answers.name)]
    rows.append(("Your email address", answers.email))
    if answers.taxpayer:
        home = f"{answers.taxpayer.address}, {answers.taxpayer.postcode}"
        name = f"{answers.taxpayer.first_name} {answers.taxpayer.last_name}"
        rows.append(("Gift Aid", f"{form.declaration()}\n{name}, {home}\n{form.gift_aid_line()['sentence']}"))
    if answers.wants_news is not None:
        rows.append(("News by email", "Yes" if answers.wants_news else "No"))
    rows += gift_rows(answers.present) if answers.present else [("It is for", "you")]
    return {
        "form": form,
        "attempt": answers.attempt,
        "answers": rows,
        "pay_label": f"Pay {pounds(answers.amount_pence)}{PAY_RHYTHM[answers.frequency]}",
        "what_happens_next": checkout.what_happens_next(draft),
        "asks_for_another": answers.is_another or twice.has_just_adopted(answers),
        "is_another": answers.is_another,
    }


def gift_rows(present: Present) -> list[tuple[str, str]]:
    """A present as it will reach its recipient: the preview before paying."""
    rows = [("It is for", present.recipient_name), ("Your message", present.message or "none")]
    if present.delivery == Delivery.EMAIL and present.deliver_on:
        day = date_format(present.deliver_on, "l j F Y")
        return [*rows, ("We send it to", present.recipient_email), ("It goes out on", f"{day}, at 8 in the morning")]
    return [*rows, ("How it gets there", "You print it, or send the link yourself")]


def pay(request: HttpRequest, form: AdoptForm, context: dict[str, Any]) -> HttpResponseBase:
    """Leave for Stripe; stay, with every answer kept, when that is not possible now."""
    species: Species = context["species"]
    answers = form.answers(species)
    if not may_open_a_page(request, answers.email):
        return errors.error_page(429, code=answers.campaign_code)
    try:
        adoption, address = checkout.start(answers)
        note_opening(request, adoption)
    except checkout.SameAgain:
        context |= {**check_context(form, species), "must_answer": True}
        return render(request, "adoptions/check.html", context, status=409)
    except (StripeUnavailable, StripeRefused) as error:
        logger.warning("No page to pay at: %s", error)
        context |= {**check_context(form, species), "problem": True}
        return render(request, "adoptions/check.html", context, status=503)
    response = HttpResponseRedirect(address or adoption.get_absolute_url())
    response.status_code = 303
    return response


@never_cache
@require_safe
def thanks(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where Stripe sends people back. Says "paid" only if Stripe says so, asked again now.

    This GET may write down what Stripe reports. It acts for nobody: the same would be written without the visit.
    """
    adoptions = Adoption.objects.select_related("supporter", "species", "gift")
    adoption = get_object_or_404(adoptions, public_id=public_id)
    is_from_stripe = bool(adoption.stripe_session_id) and request.GET.get("s") == adoption.stripe_session_id
    if adoption.state in OPEN and adoption.stripe_session_id:
        try:
            fulfilment.sync_session(adoption.stripe_session_id)
        except (StripeUnavailable, StripeRefused, NotPence) as error:
            logger.warning("Could not ask about %s: %s", adoption.reference, error)
        adoption = adoptions.get(pk=adoption.pk)
    context = {
        "adoption": adoption,
        "state": STATES_SHOWN[AdoptionState(adoption.state)],
        "is_payer": is_from_stripe,
    }
    return render(request, "adoptions/thanks.html", context)
