"""Signed in without a password: a link by mail, good once, for ten minutes, for one thing, and for whoever asked.

Three secrets, of which the database holds only digests: the token in the mail's link, the six digits beside it, and
a cookie in the browser that asked. Opening the link changes nothing, so a mail scanner may. Pressing its button needs
the cookie, or else the digits, so a scanner that presses buttons gets nowhere either.

Known and unknown addresses are told apart by the worker alone, after the visitor has had the answer.
"""

import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import Concatenate

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config import typed_again
from config.limits import Limit, client_address, network_of
from config.mail import queue_mail

from .models import AccessLink, Purpose, Supporter, SupporterSession

MINUTES = 10
LIFETIME = timedelta(minutes=MINUTES)
SESSION = timedelta(hours=1)
PREFIX = "__Host-" if settings.IS_SECURE_SITE else ""
BROWSER_COOKIE = f"{PREFIX}asked"
SESSION_COOKIE = f"{PREFIX}my-adoption"
TEMPLATES = {Purpose.SIGN_IN: "manage_link", Purpose.CHANGE_EMAIL: "confirm_email"}

PER_EMAIL = Limit("link-email", times=5, per=timedelta(hours=1))
PER_NETWORK = Limit("link-network", times=20, per=timedelta(hours=1))
OVERALL = Limit("link-overall", times=2000, per=timedelta(hours=1))


def digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


# --- asking for a link -------------------------------------------------------------------------------------------


def may_ask(request: HttpRequest) -> bool:
    """May this visitor ask for one more link? Says nothing about any address."""
    return PER_NETWORK.allows(network_of(client_address(request))) and OVERALL.allows("all")


def ask(email: str, *, purpose: Purpose, browser: str, supporter: Supporter | None = None) -> int | None:
    """Note that a link was asked for; the id of the note for the worker, None if that address had enough mails.

    `supporter` is known only where somebody signed in confirms a new address.
    """
    if not PER_EMAIL.allows(email.lower()):
        return None
    return note(email, purpose=purpose, browser=browser, supporter=supporter)


def ask_for(supporter: Supporter) -> int:
    """Staff ask for somebody who rings: the id of the note for the worker. No limit, for staff are known by name.

    No browser asked, so it opens with the digits of the mail alone, and the browser of staff is none of theirs.
    """
    return note(supporter.email, purpose=Purpose.SIGN_IN, browser=secrets.token_urlsafe(32), supporter=supporter)


def note(email: str, *, purpose: Purpose, browser: str, supporter: Supporter | None) -> int:
    now = timezone.now()
    link = AccessLink.objects.create(
        purpose=purpose,
        email=email,
        supporter=supporter,
        browser_hash=digest(browser),
        asked_at=now,
        expires_at=now + LIFETIME,
    )
    return link.pk


def send(link_id: int) -> None:
    """The worker's part: give the link its secrets and mail it, or forget an address that nobody has."""
    with transaction.atomic():
        link = AccessLink.objects.select_for_update().filter(pk=link_id, token_hash=None).first()
        if link is None:
            return
        if link.purpose == Purpose.SIGN_IN:
            link.supporter = Supporter.objects.with_address(link.email).first()
        if link.supporter is None:
            link.delete()
            return
        token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(10**6):06}"
        link.token_hash, link.code_hash = digest(token), code_digest(token, code)
        link.expires_at = timezone.now() + LIFETIME
        link.save(update_fields=["supporter", "token_hash", "code_hash", "expires_at"])
        url = settings.SITE_URL + reverse("adoptions:use_link", args=[token])
        # To the address on record, not as it was typed: the two may differ in case.
        to = link.supporter.email if link.purpose == Purpose.SIGN_IN else link.email
        context = {"url": url, "code": code, "minutes": MINUTES}
        queue_mail(TEMPLATES[Purpose(link.purpose)], to=to, key=str(link.pk), context=context)


def code_digest(token: str, code: str) -> str:
    """Six digits alone could be tried out against a stolen digest; with the token they cannot."""
    return digest(f"{token}:{code}")


# --- using it ------------------------------------------------------------------------------------------------------


def find(token: str) -> AccessLink | None:
    """A link that still works. Spent, stale, cut off and made up are all the same None."""
    usable = AccessLink.objects.usable(at=timezone.now())
    return usable.select_related("supporter").filter(token_hash=digest(token)).first()


def is_browser_that_asked(request: HttpRequest, link: AccessLink) -> bool:
    return hmac.compare_digest(digest(request.COOKIES.get(BROWSER_COOKIE, "")), link.browser_hash)


def use(link: AccessLink, request: HttpRequest, *, token: str, code: str) -> bool:
    """Spend a link, if the browser is the one that asked or the digits are right."""
    this = AccessLink.objects.filter(pk=link.pk)
    if not is_browser_that_asked(request, link):
        digits = "".join(c for c in code if c in "0123456789")
        if not digits:
            return False  # a scanner pressing the button counts for nothing
        if not hmac.compare_digest(code_digest(token, digits), link.code_hash):
            this.count_wrong_code()
            return False
    return this.use(at=timezone.now()) == 1


# --- being signed in ----------------------------------------------------------------------------------------------


def set_cookie(response: HttpResponse, name: str, value: str, lifetime: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=settings.IS_SECURE_SITE,
        httponly=True,
        samesite="Lax",
    )


def sign_in(response: HttpResponse, supporter: Supporter) -> None:
    """Begin an hour, with a secret nobody had before: nothing a visitor brought along becomes a session."""
    secret, now = secrets.token_urlsafe(32), timezone.now()
    SupporterSession.objects.create(
        supporter=supporter, secret_hash=digest(secret), created_at=now, expires_at=now + SESSION
    )
    set_cookie(response, SESSION_COOKIE, secret, SESSION)
    response.delete_cookie(BROWSER_COOKIE, path="/")


def sign_out(request: HttpRequest, response: HttpResponse) -> None:
    SupporterSession.objects.filter(secret_hash=digest(request.COOKIES.get(SESSION_COOKIE, ""))).delete()
    response.delete_cookie(SESSION_COOKIE, path="/")


def supporter_of(request: HttpRequest) -> Supporter | None:
    """Who is signed in in this browser."""
    secret = request.COOKIES.get(SESSION_COOKIE, "")
    if not secret:
        return None
    sessions = SupporterSession.objects.filter(secret_hash=digest(secret), expires_at__gt=timezone.now())
    session = sessions.select_related("supporter").first()
    return session.supporter if session else None


def for_supporter[**P](
    view: Callable[Concatenate[HttpRequest, Supporter, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let in who is signed in, and hand the view who that is; everybody else is led to the form that sends a link.

    Whose hour ended while they typed gets a page that keeps it, to be sent once they are in again.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        supporter = supporter_of(request)
        if supporter is None:
            typed = typed_again.read(request)
            if typed and typed.words:
                return render(request, "adoptions/my/session_over.html", {"typed": typed}, status=403)
            response = HttpResponseRedirect(reverse("adoptions:my_adoption"))
            response.status_code = 303
            return response
        return view(request, supporter, *args, **kwargs)

    return guarded
