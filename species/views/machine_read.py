"""What machines read: the facts as JSON, the map of the site, and what robots and researchers should know."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from species.api import facts_as_data
from species.knowledge import Knowledge
from species.models import Species

from .caching import public_page

SECURITY_TXT_LASTS = timedelta(days=180)


@require_safe
@public_page
def api_species(request: HttpRequest, slug: str) -> JsonResponse:
    """The page's facts with their sources, for teachers, journalists and their programs."""
    species = Species.objects.public().filter(slug=slug).first()
    if species is None:
        return JsonResponse({"error": "There is no species at this address."}, status=404)
    response = JsonResponse(facts_as_data(Knowledge.of(species)), json_dumps_params={"ensure_ascii": False})
    # Anyone's page may read it: it is public, and made for no visitor in particular.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@require_safe
@public_page
def robots_txt(request: HttpRequest) -> HttpResponse:
    lines = [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /go/",
        "Disallow: /search/",
        "Disallow: /preview/",
        "Allow: /my-adoption/$",
        "Disallow: /my-adoption/",
        "Disallow: /adoptions/",
        "Disallow: /gift/",
        f"Sitemap: {settings.SITE_URL}/sitemap.xml",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
@public_page
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116. It renews itself: whoever can fetch it today can trust it for half a year."""
    expires = (timezone.now() + SECURITY_TXT_LASTS).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: mailto:{settings.CHARITY['reply_to']}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
