"""Whose browser is new is told by email, so that a stolen password or code is noticed by the one it was stolen from.

A browser is known by a signed cookie that stays when a session ends. It holds nobody's name, and is good for nothing
else: it opens nothing, and without it somebody is mailed once more. After a new password every browser is new again.
"""

from datetime import timedelta
from typing import cast
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .limits import client_address, network_of
from .mail import queue_mail

COOKIE = "__Host-known" if settings.SESSION_COOKIE_SECURE else "known"
SALT = "a browser that staff have signed in from"
GOOD_FOR = timedelta(days=400)  # as long as browsers keep any (RFC 6265bis, 5.5)
MOST = 10  # colleagues at one desk
NO_ADDRESS = (
    "Nobody is told when somebody signs in as you from a new browser: your account has no email address. Ask whoever "
    "looks after accounts to add it."
)
# What a browser runs on, by the word that it says itself: the ones that tell more come first.
SYSTEMS = {
    **{name: name for name in ("iPhone", "iPad", "Android", "Windows")},
    "Macintosh": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}


def welcome(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Who has just come all the way in; their browser is known from now on."""
    user = cast(User, request.user)
    mark = salted_hmac(SALT, f"{user.pk} {user.password}", algorithm="sha256").hexdigest()[:20]
    known = (request.get_signed_cookie(COOKIE, "", salt=SALT, max_age=GOOD_FOR) or "").split()
    if mark not in known:
        tell(request, user)
    response.set_signed_cookie(
        COOKIE,
        " ".join([mark, *(other for other in known if other != mark)][:MOST]),
        salt=SALT,
        max_age=GOOD_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def tell(request: HttpRequest, user: User) -> None:
    if not user.email:
        messages.warning(request, NO_ADDRESS)
        return
    context = {
        "username": user.get_username(),
        "signed_in_at": timezone.now(),
        "system": system_of(request),
        "network": network_of(client_address(request)),
        "password_url": settings.SITE_URL + reverse("admin:password_change"),
    }
    queue_mail("new_browser", to=user.email, key=uuid4().hex, context=context)


def system_of(request: HttpRequest) -> str:
    """“Windows”; empty for one that we do not know. Nothing that a browser says of itself goes into a mail."""
    browser = request.META.get("HTTP_USER_AGENT", "")
    return next((name for word, name in SYSTEMS.items() if word in browser), "")
