from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from .. import campaigns


@csrf_exempt  # a post is told that there is nothing to post to, not that it is forged
@never_cache
@require_safe
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """A link in a mail: to the page its campaign names, with the code in the address. No cookie, no trace of who."""
    is_person = request.method == "GET" and not is_prefetch(request)
    place = campaigns.follow(campaigns.as_typed(code), is_counted=is_person and not is_staff(request))
    return HttpResponseRedirect(place, headers={"X-Robots-Tag": "noindex"})


def is_prefetch(request: HttpRequest) -> bool:
    """A browser that looks ahead and says so; older ones in a header of their own."""
    return any("prefetch" in request.headers.get(name, "").lower() for name in ("Sec-Purpose", "Purpose", "X-Moz"))


def is_staff(request: HttpRequest) -> bool:
    """A colleague who tries a link. Nobody else brings the cookie, so nobody else is looked up."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES and getattr(request.user, "is_staff", False)
