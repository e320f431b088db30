"""What was done to an account of staff is told by email to the person whose it is, so that no thief does it unheard.

It goes to the address as it stood before, and with the change or not at all: whoever calls does so in its transaction.
What is done on the machine itself, by `manage.py`, is told to nobody. ASVS 5.0, 6.3.7.
"""

from typing import NamedTuple
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from . import known_browsers
from .limits import client_address, network_of
from .mail import queue_mail


class Event(NamedTuple):
    what: str  # half a sentence, for the subject too
    means: str


NEW_PASSWORD = Event("A new password was set", "The one before opens nothing any more.")
NO_PASSWORD = Event("Signing in with a password was turned off", "No password opens your account any more.")
NEW_NAME = Event("The name you sign in with was changed", "From now on it is the one that stands above.")
NEW_ADDRESS = Event(
    "The email address was changed",
    "What we tell you about your account goes to the new one. This went to the one before, if there was one.",
)
FIRST_PHONE = Event("A phone was set up for the second step", "Ten recovery codes were made with it.")
OTHER_PHONE = Event(
    "Another phone was set up for the second step",
    "The phone and the recovery codes before it open nothing any more. Ten new codes were made.",
)
NO_PHONE = Event(
    "The second step was taken away",
    "Your phone and your recovery codes open nothing any more. Whoever knows your password sets up the second step "
    "anew at the next sign-in.",
)
RECOVERY_CODE = Event("A recovery code was used", "It took the place of your phone, and is good for nothing more.")


def tell(request: HttpRequest, user: User, event: Event, *, to: str = "") -> None:
    """`user` as they are now; `to`, where that was another address before. Without any, whoever did it is told so."""
    address = to or user.email
    if not address:
        messages.warning(request, f"Nobody was mailed about this: the account {user} has no email address.")
        return
    context = {
        "username": user.get_username(),
        "by": request.user.get_username(),
        "what": event.what,
        "means": event.means,
        "happened_at": timezone.now(),
        "system": known_browsers.system_of(request),
        "network": network_of(client_address(request)),
        "password_url": settings.SITE_URL + reverse("admin:password_change"),
    }
    queue_mail("account_changed", to=address, key=uuid4().hex, context=context)


def tell_of_changes(request: HttpRequest, before: User, now: User) -> None:
    """What a colleague, or they themselves, saved on the page of an account."""
    events = []
    if now.password != before.password:
        events.append(NEW_PASSWORD if now.has_usable_password() else NO_PASSWORD)
    if now.username != before.username:
        events.append(NEW_NAME)
    if now.email != before.email:
        events.append(NEW_ADDRESS)
    for event in events:
        tell(request, now, event, to=before.email)
