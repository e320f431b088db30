"""The writer's own view of a comment, through the link in the confirmation mail. Looking changes nothing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.same_origin import same_origin_only
from species import comment_links, personal_data, proved_writers, receiving
from species.forms import ChangeForm
from species.models import Comment

from .personal import for_one_person, link_is_over


@require_safe
@for_one_person
def own_comment(request: HttpRequest, token: str) -> HttpResponse:
    """What became of it, and, while it waits, a way to change it or take it back."""
    comment = comment_links.comment_of_own_view(token)
    if comment is None:
        return link_is_over(request)
    return _page(request, token, comment, ChangeForm(initial={"comment": comment.body}))


@same_origin_only
@require_POST
@for_one_person
def change_own_comment(request: HttpRequest, token: str) -> HttpResponse:
    """New words in place of the old. If a moderator was quicker the page says so, and gives the new words back."""
    comment = comment_links.comment_of_own_view(token)
    if comment is None:
        return link_is_over(request)
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _page(request, token, comment, form, status=422)
    if not receiving.change(comment, body=form.cleaned_data["comment"], raw=request.POST.get("comment", "")):
        too_late = _("It was too late to change it: somebody has read it already, or half an hour has passed.")
        form.add_error(None, too_late)
        comment.refresh_from_db()
        return _page(request, token, comment, form, status=409)
    return redirect("species:own_comment", token=token)


@same_origin_only
@require_POST
@for_one_person
def take_back_own_comment(request: HttpRequest, token: str) -> HttpResponse:
    comment = comment_links.comment_of_own_view(token)
    if comment is None:
        return link_is_over(request)
    personal_data.take_back(comment)
    return redirect("species:own_comment", token=token)


@same_origin_only
@require_POST
@for_one_person
def publish_own_comment(request: HttpRequest, token: str) -> HttpResponse:
    """Shown at once: the link was sent to the address that a moderator has approved before. Otherwise it waits on."""
    comment = comment_links.comment_of_own_view(token)
    if comment is None:
        return link_is_over(request)
    proved_writers.publish(comment)
    return redirect("species:own_comment", token=token)


@same_origin_only
@require_http_methods(["GET", "HEAD", "POST"])
@for_one_person
def stop_replies(request: HttpRequest, token: str) -> HttpResponse:
    """Ask first: mail scanners follow every link, and only a press may stop a mail."""
    comment = comment_links.comment_of_stop(token)
    if comment is None:
        return link_is_over(request)
    if request.method == "POST":
        Comment.objects.filter(pk=comment.pk).update(wants_replies=False)
        comment.wants_replies = False
    return render(request, "species/comments/stop_replies.html", {"comment": comment})


def _page(request: HttpRequest, token: str, comment: Comment, form: ChangeForm, *, status: int = 200) -> HttpResponse:
    context = {
        "comment": comment,
        "form": form,
        "token": token,
        "may_publish": proved_writers.may_publish(comment),
        "is_editable": Comment.objects.filter(pk=comment.pk).editable().exists(),
    }
    return render(request, "species/comments/own.html", context, status=status)
