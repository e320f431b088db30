"""A certificate as a PDF, a page and a picture to share, for whoever holds its address; and whether it is genuine."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import certificates
from ..models import Adoption
from .personal import personal


def find(token: str) -> Adoption:
    """Of a present, also by the address it had before somebody else took it over: whoever was given it keeps that."""
    adoptions = Adoption.objects.adopted().select_related("supporter", "species", "gift")
    found = adoptions.filter(token=token).first()
    return found or get_object_or_404(adoptions, is_gift=True, takeover__former__token=token)


@never_cache
@require_safe
def certificate(request: HttpRequest, token: str) -> HttpResponse:
    adoption = find(token)
    response = HttpResponse(certificates.render(certificates.of(adoption)), content_type="application/pdf")
    response.headers["Content-Disposition"] = (
        content_disposition_header(as_attachment=False, filename=f"certificate-{adoption.reference}.pdf") or ""
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@personal
@require_safe
def page(request: HttpRequest, token: str) -> HttpResponse:
    adoption = find(token)
    context = {"adoption": adoption, "certificate": certificates.of(adoption)}
    return render(request, "adoptions/certificate.html", context)


@personal
@require_safe
def picture(request: HttpRequest, token: str) -> HttpResponse:
    return HttpResponse(certificates.render_png(certificates.of(find(token))), content_type="image/png")


@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """Whether there is a certificate with a reference: for what, since when, and nothing about a person."""
    typed = request.GET.get("reference", "")
    found = certificates.with_reference(typed)
    context = {"typed": typed[:40], "found": found}
    return render(request, "adoptions/certificate_check.html", context, status=404 if typed and not found else 200)
