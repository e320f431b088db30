import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .. import webhooks
from ..stripe_gateway import NotStripe

logger = logging.getLogger(__name__)


@csrf_exempt  # Stripe has no cookie; its signature over the raw body is the proof
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Stripe's events. 200: kept, also if it was kept before. 400: not signed by Stripe, nothing written."""
    try:
        webhooks.receive(request.body, request.headers.get("Stripe-Signature", ""))
    except NotStripe:
        logger.warning("Refused a webhook request that Stripe did not sign.")
        return HttpResponse("Not signed by Stripe.\n", status=400, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
