"""An adopter leaves a comment under the species they adopted, with a badge that nobody else can have."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from species.models import CommentStatus

from .. import supporter_page
from ..access import for_supporter
from ..comment_forms import AdopterCommentForm
from ..models import Supporter
from .personal import personal, see_other


@personal
@require_http_methods(["GET", "HEAD", "POST"])
@for_supporter
def comment(request: HttpRequest, supporter: Supporter, reference: str) -> HttpResponse:
    """It waits for a moderator like any other, unless the charity lets adopters' comments appear at once."""
    adoption = supporter_page.adoption_of(supporter, reference)
    if not adoption.is_adopted:
        raise Http404
    data = request.POST if request.method == "POST" else None
    form = AdopterCommentForm(data, species=adoption.species, supporter=supporter)
    context = {"adoption": adoption, "form": form}
    if not form.is_valid():
        return render(request, "adoptions/my/comment.html", context, status=422 if form.is_bound else 200)
    if not form.take_turn(request):
        return render(request, "adoptions/my/comment.html", context, status=429)
    written = form.save(request)
    if written.status == CommentStatus.APPROVED:
        return redirect(written, permanent=False)
    return see_other("species:reply_waiting", adoption.species.slug)
