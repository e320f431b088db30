"""Where staff put the words of a mail in their own: tried, looked at and sent to themselves before they are kept."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.csp import CSP
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_http_methods, require_safe

from . import mail_words
from .desk_page import desk_page, see
from .fresh_sign_in import fresh_sign_in_required
from .mail import queue_rendered
from .mail_kinds import name_of
from .models import MailWords
from .screens import ABOUT

CHANGED = (
    "A colleague changed these words while you had them open. Yours are below and not kept yet: look at theirs, then "
    "keep yours once more to put them in their place."
)


class WordsForm(forms.Form):
    subject = forms.CharField(max_length=200, strip=True, widget=forms.TextInput(attrs={"class": "vLargeTextField"}))
    body = forms.CharField(
        label="Words",
        max_length=10_000,
        strip=False,
        widget=forms.Textarea(attrs={"class": "vLargeTextField", "rows": 30}),
    )

    def __init__(self, *args: object, kind: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they come
        self.kind = kind

    def clean(self) -> None:
        if not self.errors:
            body = self.cleaned_data["body"] = self.cleaned_data["body"].replace("\r\n", "\n")
            for problem in mail_words.problems(self.kind, self.cleaned_data["subject"], body):
                self.add_error(None, problem)


def may_edit(request: HttpRequest) -> User:
    if not (isinstance(request.user, User) and request.user.has_perm("config.change_mailwords")):
        raise PermissionDenied
    return request.user


@require_safe
def all_kinds(request: HttpRequest) -> HttpResponse:
    may_edit(request)
    edited, unusable = set(MailWords.objects.values_list("kind", flat=True)), mail_words.unusable()
    rows = [
        (kind, name_of(kind), mail_words.shipped(kind)[0], kind in edited, kind in unusable)
        for kind in sorted(mail_words.kinds(), key=name_of)
    ]
    about = ABOUT["config.mailwords"]
    template = "admin/config/mail_words_list.html"
    return desk_page(request, template, "Words of the mails", rows=rows, about=about, unusable=unusable)


# What a mail looks like, in a frame: it runs nothing, loads nothing and leads nowhere from there.
IN_A_FRAME: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:"],
    "sandbox": [""],
    "frame-ancestors": [CSP.SELF],
}
WITH_A_FRAME: dict[str, list[str]] = {**cast("dict[str, list[str]]", settings.SECURE_CSP), "frame-src": [CSP.SELF]}


@xframe_options_sameorigin
@csp_override(IN_A_FRAME)
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest, kind: str) -> HttpResponse:
    """The HTML part with made-up names: of the words typed so far, or of those in use. Keeps and sends nothing."""
    may_edit(request)
    if kind not in mail_words.kinds():
        raise Http404
    if request.method != "POST":
        subject, body = words_in_use(kind)
        if problems := mail_words.problems(kind, subject, body):
            return refused(problems)
        return HttpResponse(mail_words.draw(kind, subject, body, mail_words.sample(kind)).html)
    form = WordsForm(request.POST, kind=kind)
    if not form.is_valid():
        return refused([problem for field in form.errors.values() for problem in field], status=422)
    words = form.cleaned_data
    return HttpResponse(mail_words.draw(kind, words["subject"], words["body"], mail_words.sample(kind)).html)


def refused(problems: Sequence[object], status: int = 200) -> HttpResponse:
    """In place of a mail, in its frame."""
    why = render_to_string("admin/config/mail_words_problems.html", {"problems": problems})
    return HttpResponse(why, status=status)


def words_in_use(kind: str) -> tuple[str, str]:
    kept = MailWords.objects.filter(kind=kind).first()
    return (kept.subject, kept.body) if kept else mail_words.shipped(kind)


@csp_override(WITH_A_FRAME)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in_required(to="send")  # a link among them could lead all who are mailed, with their keys, to a thief
def edit(request: HttpRequest, kind: str) -> HttpResponse:
    """Look, send a test, keep, or go back to our own words. Only what can be used is drawn, sent or kept."""
    user = may_edit(request)
    if kind not in mail_words.kinds():
        raise Http404
    subject, body = words_in_use(kind)
    act = request.POST.get("act", "")
    form = WordsForm(request.POST or None, kind=kind, initial={"subject": subject, "body": body})
    if request.method != "POST":
        problems = mail_words.problems(kind, subject, body)
        drawn = None if problems else mail_words.draw(kind, subject, body, mail_words.sample(kind))
        return page(request, form, drawn, problems)
    if act == "ours":
        MailWords.objects.filter(kind=kind).delete()
        return done(request, kind, "Our own words are sent again.")
    if not form.is_valid():
        return page(request, form)
    if act == "keep" and request.POST.get("seen", "") not in {"", digest_of(subject, body)}:
        form.add_error(None, f"{CHANGED} The subject says now: {subject}. The words: {body}")
        return page(request, form)
    return carry_out(request, user, act, form)


def digest_of(subject: str, body: str) -> str:
    """Of two who edit the same words, the second is known by it."""
    return hashlib.sha256(f"{subject}\0{body}".encode()).hexdigest()[:16]


def page(
    request: HttpRequest, form: WordsForm, drawn: mail_words.Rendered | None = None, problems: Sequence[str] = ()
) -> HttpResponse:
    """`problems`: why the words that are kept are not sent."""
    return desk_page(
        request,
        "admin/config/mail_words.html",
        f"Words of the mail “{name_of(form.kind)}”",
        trail=[MailWords],
        here=name_of(form.kind),
        form=form,
        drawn=drawn,
        problems=problems,
        seen=digest_of(*words_in_use(form.kind)),
        usable=mail_words.usable(form.kind),
        is_edited=MailWords.objects.filter(kind=form.kind).exists(),
    )


def carry_out(request: HttpRequest, user: User, act: str, form: WordsForm) -> HttpResponse:
    kind, words = form.kind, form.cleaned_data
    drawn = mail_words.draw(kind, words["subject"], words["body"], mail_words.sample(kind))
    if act == "keep":
        kept, _ = MailWords.objects.update_or_create(kind=kind, defaults=words)
        LogEntry.objects.log_actions(user.pk, [kept], CHANGE, "Put into other words.", single_object=True)
        return done(request, kind, "Kept. The next mail of this kind is sent in these words.")
    if act == "test" and user.email:
        test = mail_words.Rendered(f"Test: {drawn.subject}", drawn.text, drawn.html)
        queue_rendered("mail_test", to=user.email, key=uuid.uuid4().hex, words=test)
        messages.success(request, f"A test is on its way to {user.email}. Nothing is kept yet.")
    elif act == "test":
        messages.error(request, "Your account has no email address to send a test to.")
    return page(request, form, drawn)


def done(request: HttpRequest, kind: str, words: str) -> HttpResponse:
    messages.success(request, words)
    return see(reverse("admin:mail_words", args=[kind]))
