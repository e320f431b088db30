"""The telephone rings: one box to find who it is, and one page with all that happened and what can be done at once."""

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.desk_page import desk_page, see

from .. import access, care, notes, timeline
from ..entry_forms import NoteForm
from ..models import Likeness, Merge, Supporter
from ..tasks import send_access_link
from .attention import staff


@require_safe
def find_supporter(request: HttpRequest) -> HttpResponse:
    """Straight to the page of the only one that fits; or to two side by side whom nobody had guessed to be one."""
    if not request.user.has_perm("adoptions.view_supporter"):
        raise PermissionDenied
    may_join, ticked = request.user.has_perm("adoptions.add_merge"), two_ticked(request)
    if may_join and len(ticked) == 2:
        return redirect("admin:merge_supporters", *ticked)
    typed = request.GET.get("q", "").strip()
    found = care.find(typed, request.user)
    if len(found) == 1 and not found[0].is_a_guess:
        return redirect("admin:supporter_timeline", found[0].supporter.pk)
    return desk_page(
        request,
        "admin/adoptions/find.html",
        "Find a supporter",
        trail=[Supporter],
        here="Find",
        typed=typed,
        found=found,
        most=care.SHOWN,
        may_join=may_join and sum(each.supporter.erased_at is None for each in found) > 1,
        has_not_ticked_two="same" in request.GET,
        rows_shown=[each.supporter.pk for each in found],
    )


def two_ticked(request: HttpRequest) -> list[int]:
    """The supporters ticked as perhaps one person; empty if they are not two."""
    ticked = {int(pk) for pk in request.GET.getlist("same") if pk.isascii() and pk.isdigit() and len(pk) < 19}
    return sorted(ticked) if len(ticked) == 2 else []


@require_http_methods(["GET", "HEAD", "POST"])
def show_timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """With room for a note, which is all that is sent here."""
    may_write = request.user.has_perm("adoptions.add_note")
    if not request.user.has_perm("adoptions.view_supporter") or (request.method == "POST" and not may_write):
        raise PermissionDenied
    supporter = get_object_or_404(Supporter, pk=pk)
    form = NoteForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and is_written(request, supporter, form):
        messages.success(request, "The note is kept.")
        return see(request.path)
    return timeline_page(request, supporter, form if may_write and (form.is_bound or not supporter.erased_at) else None)


def is_written(request: HttpRequest, supporter: Supporter, form: NoteForm) -> bool:
    """Who was joined with somebody or erased takes no note; what was typed stays on the page."""
    typed = form.cleaned_data
    if notes.write(supporter, typed["words"], request=typed["request"], by=staff(request)):
        return True
    form.add_error(None, "They were erased, or joined with somebody else: nothing can be noted under this number.")
    return False


def timeline_page(request: HttpRequest, supporter: Supporter, form: NoteForm | None) -> HttpResponse:
    merge = Merge.objects.standing().filter(merged=supporter).select_related("survivor").first()
    in_hand = care.in_hand(supporter, request.user)
    is_known = supporter.erased_at is None
    may_let_go = any(request.user.has_perm(f"adoptions.{act}_supporter") for act in ("change", "delete"))
    return desk_page(
        request,
        "admin/adoptions/timeline.html",
        f"All that happened: {supporter}",
        trail=[Supporter, supporter],
        here="Timeline",
        form=form,
        supporter=supporter,
        standing=timeline.standing(supporter),
        in_hand=in_hand,
        has_apart=(is_known and may_let_go) or any(each.apart for each in in_hand),
        mails=care.mails_to_send_again(supporter, request.user),
        may_mail_link=care.may_mail_link(supporter, request.user),
        moments=timeline.of(supporter, request.user),
        most=timeline.MOST_OF_A_KIND,
        merged_into=merge.survivor if merge else None,
        twins=twins(request, supporter),
    )


@require_POST
def mail_link(request: HttpRequest, pk: int) -> HttpResponse:
    """A link to “My adoption” at once, as if they had asked for it there: a new card is theirs alone to type in."""
    if not request.user.has_perm("adoptions.change_supporter"):
        raise PermissionDenied
    supporter = get_object_or_404(Supporter.objects.reachable(), pk=pk)
    with transaction.atomic():
        send_access_link.enqueue(access.ask_for(supporter))
        said = "Mailed a link to “My adoption”."
        LogEntry.objects.log_actions(staff(request).pk, [supporter], CHANGE, said, single_object=True)
    messages.success(
        request,
        f"A link is on its way to {supporter.email}. It opens once, within {access.MINUTES} minutes, "
        "with the six digits that stand in the same email.",
    )
    return see(reverse("admin:supporter_timeline", args=[pk]))


def twins(request: HttpRequest, supporter: Supporter) -> list[tuple[Supporter, str]]:
    """Who else they may be, as far as a task has looked, and why."""
    if not request.user.has_perm("adoptions.add_merge"):
        return []
    pairs = Likeness.objects.open().of_people().about(supporter.pk)
    shown = pairs.select_related("first", "second")[:9]
    return [(pair.second if pair.first_id == supporter.pk else pair.first, pair.because) for pair in shown]
