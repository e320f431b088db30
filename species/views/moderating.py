"""The queue: one comment, a few buttons, then the next one. In the admin, and behind a link from a mail."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from config.same_origin import same_origin_only
from species import comment_links
from species.models import Comment
from species.queue import Press, Waiting

from .personal import for_one_person, link_is_over

SEE_OTHER = 303


@same_origin_only
@require_http_methods(["GET", "HEAD", "POST"])
@for_one_person
def moderate(request: HttpRequest, token: str) -> HttpResponse:
    """The link says who it is, for a week; it lets them do this and nothing else."""
    moderator = comment_links.moderator_of(token)
    if moderator is None:
        return link_is_over(request)
    return queue(request, by=moderator, is_signed_in=False)


def queue(request: HttpRequest, *, by: User, is_signed_in: bool) -> HttpResponse:
    """GET shows the next one; POST carries out one press and goes on to the next."""
    if request.method == "POST":
        press = Press.read(request.POST.dict())
        moved = press.carry_out(by=by) if press else 0
        said = {"pressed": press.pk, "done": moved} if press else {}
        return HttpResponseRedirect(f"{request.path}?{urlencode(said)}", status=SEE_OTHER)
    context: dict[str, Any] = {
        "waiting": Waiting.next(after=_number(request.GET.get("after"))),
        "moderator": by,
        "is_signed_in": is_signed_in,
        **_last(_number(request.GET.get("pressed")), done=request.GET.get("done") == "1", by=by),
    }
    return render(request, "species/comments/queue.html", context)


def _last(pk: int | None, *, done: bool, by: User) -> dict[str, Any]:
    """What became of the comment last pressed: read from the database, not from the address."""
    comment = Comment.objects.select_related("moderated_by").filter(pk=pk).first() if pk else None
    if comment is None:
        return {}
    return {
        "last": comment,
        "was_done": done and (comment.moderated_by in {by, None}),
        "now": datetime.now().astimezone(),
    }


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
