"""One comment by itself, and a reader's word that something is wrong with it."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from config.limits import Limit, client_address, network_of
from config.same_origin import same_origin_only
from species.conversation import thread
from species.models import Comment

from .caching import public_page

REPORTS = Limit("reports of comments from a network", times=10, per=timedelta(hours=1))
SAME_REPORT = Limit("report of one comment from a network", times=1, per=timedelta(days=1))


@require_safe
@public_page
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Where links to a comment lead, however far down the page it has moved since."""
    found = _shown_or_404(pk)
    beginning = found.parent if found.parent and found.parent.status == "approved" else found
    context = {"shown": thread(beginning), "species": found.species, "wanted": found.pk}
    return render(request, "species/comments/comment.html", context)


@same_origin_only
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """A press tells the moderators. It takes nothing from the page, and a second press by the same is not counted."""
    found = _shown_or_404(pk)
    is_sent = request.method == "POST"
    if is_sent:
        network = network_of(client_address(request))
        if SAME_REPORT.allows(f"{network} {pk}") and REPORTS.allows(network):
            Comment.objects.filter(pk=pk).report()
    context = {"comment": found, "is_sent": is_sent}
    return render(request, "species/comments/report.html", context)


def _shown_or_404(pk: int) -> Comment:
    shown = Comment.objects.public().filter(species__is_published=True)
    return get_object_or_404(shown.select_related("species", "parent").defer("email", "network"), pk=pk)
