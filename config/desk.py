"""The staff desk: Django's admin behind a second step, where the end of a session loses nothing that was typed."""

import copy
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, cast
from urllib.parse import unquote

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.core import signing
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from . import account_notices, fresh_sign_in, known_browsers, second_step, typed_again
from .staff_sign_in import OwnPasswordForm, PasswordForm, StaffSignInForm

WRONG = "That is not the code. It changes every half minute: type the one your app shows now."
TOO_MANY = "Too many tries. Wait ten minutes, or ask whoever runs the site to let you set up the second step anew."
TOO_OLD = "The picture was shown too long ago. Here is a new one: please take it instead."
FEW = 3


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=20,
        widget=forms.TextInput({"autocomplete": "one-time-code", "autofocus": True, "autocapitalize": "none"}),
    )


class Desk(AdminSite):
    site_header = "Pugmark"
    site_title = "Pugmark"
    index_title = "Today"
    login_form = StaffSignInForm
    password_change_form = OwnPasswordForm

    def has_permission(self, request: HttpRequest) -> bool:
        return self.has_password(request) and not second_step.is_missing(request)

    def has_password(self, request: HttpRequest) -> bool:
        return super().has_permission(request)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        guarded = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if self.has_permission(request) or request.path == reverse("admin:logout"):
                return guarded(request, *args, **kwargs)
            if request.method == "POST":
                return self.ask_with(request, typed_again.pack(request))
            if self.has_password(request):
                return redirect_to_login(request.get_full_path(), reverse("admin:second_step"))
            return guarded(request, *args, **kwargs)

        return update_wrapper(inner, guarded)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path("second-step/", self.second_step, name="second_step"),
            path("second-step/set-up/", self.set_up, name="second_step_set_up"),
            path("still-you/", self.still_you, name="still_you"),
            path(  # in front of Django's of the same address
                "r/<path:content_type_id>/<path:object_id>/", self.admin_view(self.view_on_site), name="view_on_site"
            ),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def view_on_site(self, request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
        """To the public page of a row that they may see. Django's leads any member of staff to that of any row.

        Some addresses are keys, by which their owner is known: a screen with `view_on_site = False` has such.
        """
        is_number = content_type_id.isdecimal() and len(content_type_id) < 19
        kind = ContentType.objects.filter(pk=content_type_id).first() if is_number else None
        model = kind.model_class() if kind else None
        screen = self._registry.get(model) if model else None
        if screen is None or not screen.view_on_site or not screen.has_view_permission(request):
            raise Http404
        return shortcut(request, content_type_id, object_id)

    # --- a session that ended ----------------------------------------------------------------------------------

    def ask_with(self, request: HttpRequest, typed: str) -> HttpResponse:
        """The next question on the way back in; what was typed travels with it."""
        if self.has_permission(request):
            return self.give_back(request, typed)
        if self.has_password(request):
            return self.ask_for_code(request, CodeForm(), typed=typed)
        asked = copy.copy(request)
        asked.method = "GET"
        asked.POST = QueryDict()
        return self.login(asked, {"typed": typed, "app_path": reverse("admin:login"), "next": reverse("admin:index")})

    def give_back(self, request: HttpRequest, text: str, *, ended: bool = True) -> HttpResponse:
        """What they had typed, with a button that sends it: no page ever sends itself."""
        typed = typed_again.unpack(text)
        if typed is None:
            return redirect("admin:index")
        context = {**self.each_context(request), "title": "Nothing is lost", "typed": typed, "ended": ended}
        return TemplateResponse(request, "admin/typed_again.html", context)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        typed = request.POST.get("typed", "")
        response = super().login(request, {"typed": typed, **(extra_context or {})})
        if request.method != "POST" or response.status_code != 302:
            return response
        response = self.ask_with(request, typed) if typed else response
        return known_browsers.welcome(request, response) if self.has_permission(request) else response

    # --- the second step ---------------------------------------------------------------------------------------

    @method_decorator(never_cache)
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def second_step(self, request: HttpRequest) -> HttpResponse:
        """Asks for a code of the app or of the paper."""
        if not self.has_password(request):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if not second_step.is_set_up(request.user):
            return redirect("admin:second_step_set_up")
        form, typed = CodeForm(request.POST or None), request.POST.get("typed", "")
        if not (form.is_valid() and self.is_passed(request, form)):
            return self.ask_for_code(request, form, typed=typed)
        left = second_step.codes_left(request.user)
        if left <= FEW:
            words = f"You have {left} recovery codes left. Set up the second step anew to get ten."
            messages.warning(request, words)
        response = self.give_back(request, typed) if typed else redirect(self.next_page(request))
        return known_browsers.welcome(request, response)

    def is_passed(self, request: HttpRequest, form: CodeForm) -> bool:
        try:
            if second_step.passed(request, form.cleaned_data["code"]):
                return True
            form.add_error("code", WRONG)
        except second_step.TooManyGuesses:
            form.add_error("code", TOO_MANY)
        return False

    def ask_for_code(self, request: HttpRequest, form: CodeForm, *, typed: str) -> HttpResponse:
        context = {**self.each_context(request), "title": "One more step", "form": form, "typed": typed}
        return TemplateResponse(
            request, "admin/second_step.html", {**context, "next": self.next_page(request)}, status=status_of(form)
        )

    def next_page(self, request: HttpRequest) -> str:
        wanted = request.POST.get("next") or request.GET.get("next") or ""
        home = reverse("admin:index")
        is_ours = wanted.startswith(home) and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
        climbs_out = ".." in unquote(wanted.partition("?")[0])  # which a browser follows before it asks us
        return wanted if is_ours and not climbs_out else home

    # --- once more, before what a thief would do ------------------------------------------------------------------

    def ask_once_more(self, request: HttpRequest, *, is_file: bool = False) -> HttpResponse:
        """See config/fresh_sign_in.py."""
        if request.method == "POST":
            return self.ask_who(request, self.proof(request, None), typed=typed_again.pack(request))
        query = {"next": request.get_full_path()} | ({"file": "1"} if is_file else {})
        return redirect(reverse("admin:still_you", query=query))

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @method_decorator(fresh_sign_in.fresh_sign_in_required())  # else a password that was stolen shuts its owner out
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        with transaction.atomic():
            response = super().password_change(request, extra_context)
            if request.method == "POST" and response.status_code == 302:
                account_notices.tell(request, cast(User, request.user), account_notices.NEW_PASSWORD)
        return response

    @method_decorator(never_cache)
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def still_you(self, request: HttpRequest) -> HttpResponse:
        """Asks for a code, or for the password of who has none, and leads to what was asked for."""
        typed = request.POST.get("typed", "")
        if not (self.has_permission(request) or self.may_set_up(request)):
            address = reverse("admin:login")
            return self.ask_with(request, typed) if typed else redirect_to_login(self.next_page(request), address)
        form = self.proof(request, request.POST if "shows" in request.POST else None)
        if not self.is_shown(request, form):
            return self.ask_who(request, form, typed=typed)
        return known_browsers.welcome(request, self.lead_on(request, typed))  # a stolen session never signed in

    def lead_on(self, request: HttpRequest, typed: str) -> HttpResponse:
        if typed:
            return self.give_back(request, typed, ended=False)
        if "file" in request.POST:  # it would come without a page, beneath the question
            context = {**self.each_context(request), "title": "Thank you", "file": self.next_page(request)}
            return TemplateResponse(request, "admin/still_you.html", context)
        return redirect(self.next_page(request))

    def proof(self, request: HttpRequest, sent: QueryDict | None) -> CodeForm | PasswordForm:
        return CodeForm(sent) if second_step.is_set_up(request.user) else PasswordForm(sent, request=request)

    def is_shown(self, request: HttpRequest, form: CodeForm | PasswordForm) -> bool:
        if not form.is_valid():
            return False
        if isinstance(form, CodeForm):
            return self.is_passed(request, form)
        fresh_sign_in.note(request)
        return True

    def ask_who(self, request: HttpRequest, form: CodeForm | PasswordForm, *, typed: str) -> HttpResponse:
        asked = {**request.GET.dict(), **request.POST.dict()}
        context = {**self.each_context(request), "title": "Is it still you?", "form": form, "typed": typed}
        context |= {"next": self.next_page(request), "is_file": "file" in asked and not typed}
        return TemplateResponse(request, "admin/still_you.html", context, status=status_of(form))

    # --- setting the second step up -------------------------------------------------------------------------------

    @method_decorator(never_cache)
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def set_up(self, request: HttpRequest) -> HttpResponse:
        """The picture for the app and its first code. Who has a second step takes it before they replace it."""
        if not self.has_password(request):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if not (self.has_permission(request) or self.may_set_up(request)):
            return redirect_to_login(request.get_full_path(), reverse("admin:second_step"))
        if not fresh_sign_in.is_fresh(request):  # or a stolen session would make itself a proof for all the rest
            return self.ask_once_more(request)
        user, form = cast(User, request.user), CodeForm(request.POST or None)
        key = request.POST.get("key") or second_step.new_key(user)
        try:
            device = second_step.unconfirmed(user, key)
        except signing.BadSignature:
            key = second_step.new_key(user)
            device = second_step.unconfirmed(user, key)
            form.add_error("code", TOO_OLD)
        if form.is_valid():
            if codes := second_step.set_up(request, device, form.cleaned_data["code"]):
                context = {**self.each_context(request), "title": "Your recovery codes", "codes": codes}
                response = TemplateResponse(request, "admin/recovery_codes.html", context)
                return known_browsers.welcome(request, response)
            form.add_error("code", WRONG)
        return self.show_picture(request, form, device, key)

    def may_set_up(self, request: HttpRequest) -> bool:
        """Signed in with a password, and there is no second step that they would have to take."""
        return self.has_password(request) and not second_step.is_set_up(request.user)

    def show_picture(self, request: HttpRequest, form: CodeForm, device: Any, key: str) -> HttpResponse:
        context = {
            **self.each_context(request),
            "title": "Set up the second step",
            "form": form,
            "key": key,
            "picture": second_step.picture(device),
            "typed_key": second_step.typed_key(device),
            "replaces": second_step.is_set_up(request.user),
        }
        return TemplateResponse(request, "admin/second_step_set_up.html", context, status=status_of(form))


def status_of(form: forms.Form) -> int:
    return 422 if form.is_bound and form.errors else 200
