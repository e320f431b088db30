"""“Send me my link”: the way in without a password. What is answered never depends on whether we know an address."""

import secrets

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config import errors

from .. import access, details, supporter_page
from ..access_forms import CodeForm, EmailForm
from ..models import AccessLink, Purpose, Supporter
from ..tasks import send_access_link
from .personal import personal, see_other


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def my_adoption(request: HttpRequest) -> HttpResponse:
    """The supporter's own page, or the form that sends them there."""
    if request.method == "POST":
        return ask(request)
    supporter = access.supporter_of(request)
    if supporter is None:
        response = render(request, "adoptions/my/ask.html", {"form": EmailForm()})
        response.headers["X-Robots-Tag"] = "all"  # the door may be found by whoever searches for it
        return response
    return render(request, "adoptions/my/overview.html", supporter_page.overview(supporter))


def ask(request: HttpRequest) -> HttpResponse:
    form = EmailForm(request.POST)
    if not form.is_valid():
        return render(request, "adoptions/my/ask.html", {"form": form}, status=422)
    if not access.may_ask(request):
        return errors.error_page(429)
    response = see_other("adoptions:link_sent")
    send_link(response, form.cleaned_data["email"], purpose=Purpose.SIGN_IN)
    return response


def send_link(response: HttpResponse, email: str, *, purpose: Purpose, supporter: Supporter | None = None) -> None:
    """Leave the mail to the worker, and mark the browser that asked."""
    browser = secrets.token_urlsafe(32)
    with transaction.atomic():
        link_id = access.ask(email, purpose=purpose, browser=browser, supporter=supporter)
        if link_id is not None:
            send_access_link.enqueue(link_id)
    access.set_cookie(response, access.BROWSER_COOKIE, browser, access.LIFETIME)


@personal
@require_safe
def link_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "adoptions/my/sent.html", {"minutes": access.MINUTES})


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def use_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link of a mail. Opening it shows a button; pressing that spends it."""
    link = access.find(token)
    if link is None:
        return render(request, "adoptions/my/link_over.html", status=404)
    context = {"link": link, "needs_code": not access.is_browser_that_asked(request, link), "form": CodeForm()}
    if request.method != "POST":
        return render(request, "adoptions/my/link.html", context)
    form = CodeForm(request.POST)
    code = form.cleaned_data["code"] if form.is_valid() else ""
    if not access.use(link, request, token=token, code=code):
        form.add_error("code", "Enter the six digits that stand in the same email.")
        return render(request, "adoptions/my/link.html", {**context, "form": form}, status=422)
    return let_in(request, link)


def let_in(request: HttpRequest, link: AccessLink) -> HttpResponse:
    """What a spent link was for."""
    if link.supporter is None:
        return render(request, "adoptions/my/link_over.html", status=404)
    if link.purpose == Purpose.CHANGE_EMAIL and not details.change_email(link.supporter, link.email):
        return render(request, "adoptions/my/email_taken.html", status=409)
    response = see_other("adoptions:my_adoption")
    access.sign_in(response, link.supporter)
    return response


@personal
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    response = see_other("adoptions:signed_out")
    access.sign_out(request, response)
    return response


@personal
@require_safe
def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "adoptions/my/signed_out.html")
