"""All that somebody has written here, for that person alone: a link to it, a copy of it, and the end of it.

The link of any mail about a comment proves the address. Who has lost theirs asks for another; the answer is the same
for every address, so that nobody can find out who writes here.
"""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from config import errors
from config.limits import Limit, client_address
from config.same_origin import same_origin_only
from species import comment_links, emails, personal_data
from species.forms import OwnWordsForm

from .personal import for_one_person, link_is_over

PER_ADDRESS = Limit("link to own comments, from a network address", times=10, per=timedelta(hours=1))


@same_origin_only
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask_for_link(request: HttpRequest) -> HttpResponse:
    form = OwnWordsForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "species/comments/ask.html", {"form": form}, status=422 if form.is_bound else 200)
    if not PER_ADDRESS.allows(client_address(request)):
        return errors.error_page(429)
    emails.send_link_to_own_words(form.cleaned_data["email"])
    return redirect("species:own_words_sent")


@require_safe
def link_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "species/comments/sent.html")


@require_safe
@for_one_person
def download(request: HttpRequest, token: str) -> HttpResponse:
    comment = comment_links.comment_of_own_view(token)
    if comment is None:
        return link_is_over(request)
    response = JsonResponse(
        {"comments": personal_data.export(comment.email)}, json_dumps_params={"indent": 2, "ensure_ascii": False}
    )
    response.headers["Content-Disposition"] = 'attachment; filename="my-comments.json"'
    return response


@same_origin_only
@require_http_methods(["GET", "HEAD", "POST"])
@for_one_person
def erase(request: HttpRequest, token: str) -> HttpResponse:
    """Both ways to go are explained first. Afterwards nobody's address is left for the link to belong to."""
    comment = comment_links.comment_of_own_view(token)
    if comment is None:
        return link_is_over(request)
    act = {"name": personal_data.anonymise, "words": personal_data.erase}.get(request.POST.get("act", ""))
    if act is None:
        total = len(personal_data.export(comment.email))
        return render(request, "species/comments/erase.html", {"comment": comment, "token": token, "total": total})
    return render(request, "species/comments/erased.html", {"act": request.POST["act"], "total": act(comment.email)})
