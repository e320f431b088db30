from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from config import errors

from .. import consent
from .personal import personal


# Exempt: RFC 8058 has the mail program post here, which has no page of ours to take a token from. The address is a
# signature, and a stranger who holds it could do no more than stop news.
@csrf_exempt
@personal
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One click ends all news. Looking changes nothing; a scanner that follows the link unsubscribes nobody."""
    digest = consent.digest_of(token)
    if digest is None:
        return errors.error_page(404)
    state = "asked"
    if request.method == "POST" and request.POST.get("undo"):
        state = "back" if consent.resubscribe(digest) else "out"
    elif request.method == "POST":
        consent.unsubscribe(digest)
        state = "out"
    return render(request, "adoptions/unsubscribe.html", {"state": state})
