"""Complain. The form acts for nobody and carries no token, so it sets no cookie: see config/same_origin.py."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from config.same_origin import same_origin_only

from ..complaint_forms import ComplaintForm
from .personal import see_other


@same_origin_only
@require_http_methods(["GET", "HEAD", "POST"])
def complain(request: HttpRequest) -> HttpResponse:
    """How to complain, and the form for it, given back with all that was typed if something is missing."""
    if request.method != "POST":
        return render(request, "pages/complaints.html", {"form": ComplaintForm()})
    form = ComplaintForm(request.POST)
    if not form.is_valid():
        return render(request, "pages/complaints.html", {"form": form}, status=422)
    if not form.take_turn(request):
        return render(request, "pages/complaints.html", {"form": form}, status=429)
    form.save()
    return see_other("complaint_received")


@require_safe
def received(request: HttpRequest) -> HttpResponse:
    """What happens next. It knows nothing of the complaint, so anyone may see it."""
    return render(request, "pages/complaint_received.html")
