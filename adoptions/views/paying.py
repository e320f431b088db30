"""The page behind a payment link: what was said on the phone, and the button that leaves for Stripe."""

import logging

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from config import errors

from .. import checkout, payment_links
from ..models import Adoption, AdoptionState
from ..shield import may_open_a_page, note_opening
from ..stripe_gateway import StripeRefused, StripeUnavailable

logger = logging.getLogger(__name__)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """A look opens no page at Stripe: whatever reads mail may look."""
    found = payment_links.find(token)
    if found is None:
        raise Http404
    adoption = found.link.adoption
    if request.method != "POST" or not found.is_usable:
        return page(request, adoption, is_usable=found.is_usable)
    if not may_open_a_page(request, adoption.supporter.email):
        return errors.error_page(429)
    try:
        address = payment_links.page_to_pay(found.link)
        note_opening(request, adoption)
    except (StripeUnavailable, StripeRefused) as error:
        logger.warning("No page to pay at for %s: %s", adoption.reference, error)
        return page(request, adoption, is_usable=True, problem=True)
    response = HttpResponseRedirect(address or adoption.get_absolute_url())
    response.status_code = 303
    return response


def page(request: HttpRequest, adoption: Adoption, *, is_usable: bool, problem: bool = False) -> HttpResponse:
    context = {
        "adoption": adoption,
        "gift": getattr(adoption, "gift", None) if adoption.is_gift else None,
        "is_usable": is_usable,
        "is_paid": adoption.is_adopted or adoption.state in {AdoptionState.PROCESSING, AdoptionState.ENDED},
        "problem": problem,
        "what_happens_next": checkout.what_happens_next(adoption),
    }
    status = 503 if problem else 200
    return render(request, "adoptions/pay.html", context, status=status)
