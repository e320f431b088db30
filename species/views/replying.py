"""Leave a reply. The form stands on a page everyone shares, so it carries no token: see config/same_origin.py."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from config.same_origin import same_origin_only
from species.forms import CommentForm
from species.models import Species

from .caching import public_page
from .reading import species_page

SEE_OTHER = 303


@same_origin_only
@require_POST
def leave_reply(request: HttpRequest, slug: str) -> HttpResponse:
    """Hold the reply for a moderator, or show it first, or give the page back with what is missing."""
    species = get_object_or_404(Species.objects.public(), slug=slug)
    form = CommentForm(request.POST, species=species)
    if not form.is_valid():
        return species_page(request, slug, form=form, status=422)
    if "preview" in request.POST:
        return species_page(request, slug, form=form, preview=form.as_comment())
    if not form.take_turn(request):
        return species_page(request, slug, form=form, status=429)
    form.save(request)
    return HttpResponse(status=SEE_OTHER, headers={"Location": reverse("species:reply_waiting", args=[slug])})


@require_safe
@public_page
def reply_waiting(request: HttpRequest, slug: str) -> HttpResponse:
    """Thanks, and what happens next. It knows nothing of the reply, so anyone may see it."""
    species = get_object_or_404(Species.objects.public(), slug=slug)
    return render(request, "species/reply_waiting.html", {"species": species})
