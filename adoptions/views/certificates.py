from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import certificates
from ..models import Adoption


@never_cache
@require_safe
def certificate(request: HttpRequest, token: str) -> HttpResponse:
    """The certificate as a PDF, for whoever holds its address."""
    adoptions = Adoption.objects.adopted().select_related("supporter", "species", "gift")
    adoption = get_object_or_404(adoptions, token=token)
    response = HttpResponse(certificates.render(certificates.of(adoption)), content_type="application/pdf")
    response.headers["Content-Disposition"] = (
        content_disposition_header(as_attachment=False, filename=f"certificate-{adoption.reference}.pdf") or ""
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
