"""What a supporter does with an adoption that repeats: stop, go on, pause, skip, give another amount, another card.

Leaving is as easy as joining: two presses, no question why, and it can be taken back until it ends.
"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from .. import subscriptions, supporter_page
from ..access import for_supporter
from ..change_forms import AmountForm, PauseForm, RhythmForm
from ..models import Adoption, Frequency, Supporter
from ..stripe_gateway import StripeRefused, StripeUnavailable
from ..subscriptions import CannotChange
from .personal import personal, see_other

logger = logging.getLogger(__name__)

UNKNOWN = "We could not reach Stripe, which handles our payments. Please look again in a minute before you try again."
REFUSED = "Stripe, which handles our payments, did not take this. Nothing was changed. Please call or write to us."


def repeating(supporter: Supporter, reference: str) -> Adoption:
    """One of theirs that goes on; 404 otherwise, for there is nothing to change about a single gift."""
    adoption = supporter_page.adoption_of(supporter, reference)
    if not (adoption.is_repeating and adoption.is_adopted):
        raise Http404
    return adoption


def carry_out(request: HttpRequest, adoption: Adoption, act: Callable[[], object]) -> HttpResponse:
    """Do it and show the adoption as it is now, or say in a sentence why it was not done."""
    try:
        act()
    except CannotChange as why:
        problem, status = str(why), 409  # written for the person
    except StripeRefused as error:
        logger.warning("Stripe refused a change of %s: %s", adoption.reference, error)
        problem, status = REFUSED, 409
    except StripeUnavailable as error:
        logger.warning("Nobody knows what became of a change of %s: %s", adoption.reference, error)
        problem, status = UNKNOWN, 503
    else:
        return see_other("adoptions:adoption", adoption.reference, fragment="changes")
    fresh = supporter_page.adoption_of(adoption.supporter, adoption.reference)
    context = {**supporter_page.page_of(fresh), "problem": problem}
    return render(request, "adoptions/my/adoption.html", context, status=status)


@personal
@require_http_methods(["GET", "HEAD", "POST"])
@for_supporter
def stop(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    adoption = repeating(supporter, reference)
    if request.method == "POST":
        return carry_out(request, adoption, lambda: subscriptions.cancel(adoption, by=None))
    return render(request, "adoptions/my/stop.html", {"adoption": adoption})


@personal
@require_POST
@for_supporter
def go_on(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    adoption = repeating(supporter, reference)
    return carry_out(request, adoption, lambda: subscriptions.undo_cancel(adoption, by=None))


@personal
@require_http_methods(["GET", "HEAD", "POST"])
@for_supporter
def pause(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    adoption = repeating(supporter, reference)
    form = PauseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return carry_out(request, adoption, lambda: subscriptions.pause(adoption, until=form.until(), by=None))
    context = {"adoption": adoption, "form": form}
    return render(request, "adoptions/my/pause.html", context, status=422 if form.is_bound else 200)


@personal
@require_POST
@for_supporter
def resume(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    adoption = repeating(supporter, reference)
    return carry_out(request, adoption, lambda: subscriptions.resume(adoption, by=None))


@personal
@require_http_methods(["GET", "HEAD", "POST"])
@for_supporter
def skip(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    adoption = repeating(supporter, reference)
    if request.method == "POST":
        return carry_out(request, adoption, lambda: subscriptions.skip_next(adoption, by=None))
    return render(request, "adoptions/my/skip.html", {"adoption": adoption})


@personal
@require_http_methods(["GET", "HEAD", "POST"])
@for_supporter
def amount(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    adoption = repeating(supporter, reference)
    form = AmountForm(request.POST if request.method == "POST" else None, adoption=adoption)
    if form.is_valid():
        pence = form.cleaned_data["amount"]
        return carry_out(request, adoption, lambda: subscriptions.change_amount(adoption, pence=pence, by=None))
    context = {"adoption": adoption, "form": form}
    return render(request, "adoptions/my/amount.html", context, status=422 if form.is_bound else 200)


@personal
@require_http_methods(["GET", "HEAD", "POST"])
@for_supporter
def rhythm(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    adoption = repeating(supporter, reference)
    form = RhythmForm(request.POST if request.method == "POST" else None, adoption=adoption)
    wanted = form.frequency_for(adoption)
    if form.is_valid():
        pence = form.cleaned_data["amount"]
        return carry_out(
            request,
            adoption,
            lambda: subscriptions.change_rhythm(adoption, frequency=wanted, pence=pence, by=None),
        )
    context = {"adoption": adoption, "form": form, "is_to_yearly": wanted == Frequency.YEARLY}
    return render(request, "adoptions/my/rhythm.html", context, status=422 if form.is_bound else 200)


@personal
@require_POST
@for_supporter
def card(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    """To Stripe's own page, made for this moment: we never see a card number."""
    adoption = repeating(supporter, reference)
    back = settings.SITE_URL + reverse("adoptions:adoption", args=[adoption.reference])
    addresses: list[str] = []
    response = carry_out(
        request,
        adoption,
        lambda: addresses.append(subscriptions.portal_address(adoption, return_url=back, flow="payment_method_update")),
    )
    if not addresses:
        return response
    leave = HttpResponseRedirect(addresses[0])
    leave.status_code = 303
    return leave
