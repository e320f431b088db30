"""To whom a campaign's mail went, and the answers that came without its link."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config.asking_first import asked_first
from config.desk_page import desk_page, see

from .. import matchback
from ..models import Campaign, SendList
from ..tasks import look_back_at_mails
from . import campaign_figures

NEEDS = "adoptions.change_campaign"


class SentForm(forms.Form):
    sent_on = forms.DateField(
        label="Sent on",
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text="The day on which most of it went out.",
    )
    file = forms.FileField(
        label="Whom it was sent to",
        allow_empty_file=True,
        help_text="Any file of text or CSV with their email addresses in it, as your mailing tool gives it.",
        widget=forms.ClearableFileInput({"accept": ".csv,.txt,.tsv"}),
        error_messages={"required": "Choose a file."},
    )

    def clean_sent_on(self) -> Any:
        day, today = self.cleaned_data["sent_on"], timezone.localdate()
        if not today - matchback.LONGEST <= day <= today:
            raise ValidationError(f"Between {matchback.LONGEST.days} days ago and today: nothing else is looked for.")
        return day

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > matchback.MOST_BYTES:
            raise ValidationError(f"It has {filesizeformat(file.size)}. Cut it in two, and bring one after the other.")
        return file


@require_http_methods(["GET", "HEAD", "POST"])
def sent_to(request: HttpRequest, pk: int) -> HttpResponse:
    """What is known of it, and a form for one list more."""
    if not request.user.has_perm("adoptions.view_campaign"):
        raise PermissionDenied
    campaign = get_object_or_404(Campaign, pk=pk)
    may = request.user.has_perm(NEEDS)
    form = None
    if may:
        typed = request.POST if request.method == "POST" else None
        form = SentForm(typed, request.FILES or None, initial={"sent_on": timezone.localdate()})
    if request.method == "POST":
        if form is None:
            raise PermissionDenied
        if form.is_valid() and take(request, campaign, form):
            return see(request.path)
    return desk_page(
        request,
        "admin/adoptions/campaign/sent.html",
        f"Whom {campaign} was sent to",
        trail=[Campaign, campaign],
        here="Whom it was sent to",
        form=form,
        campaign=campaign,
        lists=SendList.objects.filter(campaign=campaign).select_related("entered_by"),
        found=campaign_figures.answers(request, matchback.figures([campaign])),
    )


def take(request: HttpRequest, campaign: Campaign, form: SentForm) -> bool:
    by = cast(User, request.user)
    file, day = form.cleaned_data["file"], form.cleaned_data["sent_on"]
    made = matchback.take(file, campaign=campaign, sent_on=day, by=by)
    if made is None:
        form.add_error("file", "There is no email address in it.")
        return False
    look_back_at_mails.enqueue()
    words = (
        f"{made.addresses:,} addresses are kept, as digests that nobody can read. What came since is being looked for."
    )
    messages.success(request, words)
    return True


@require_http_methods(["GET", "HEAD", "POST"])
def forget_list(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    if not request.user.has_perm(NEEDS):
        raise PermissionDenied
    one = get_object_or_404(SendList.objects.select_related("campaign"), pk=number, campaign=pk)
    back = reverse("admin:adoptions_campaign_sent", args=[pk])
    count = one.answers.count()
    says = [f"The list of {one} is let go of, and with it the {count:,} answers that were found by it."]
    page = asked_first(request, "Let go of this list?", says, trail=[Campaign, one.campaign], back=back)
    if page:
        return page
    one.delete()
    messages.success(request, "The list is gone.")
    return see(back)
