"""What was typed into the adopt form is kept for a day under its attempt: a lost connection, a closed tab or the way
back from Stripe loses nothing.

The attempt stands in the address, which Stripe and its pages see as well. So it is not enough to know it: a draft comes
back only to the browser that sent it, known by the cookie without which it could not have sent the form.
"""

import uuid
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from config.limits import Limit, client_address, network_of

from .models import Draft

KEPT_FOR = timedelta(hours=24)
MOST_CHARACTERS = 12_000
NOT_ANSWERS = {"csrfmiddlewaretoken", "step", "another"}
PER_NETWORK = Limit("draft-network", times=120, per=timedelta(hours=1))


def attempt_in(query: QueryDict) -> uuid.UUID | None:
    try:
        return uuid.UUID(query.get("attempt", ""))
    except ValueError:
        return None


def browser_of(request: HttpRequest) -> str:
    """A digest of the secret that the browser was given with the form; empty for one that keeps no cookie."""
    secret = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    return sha256(f"pugmark draft {secret}".encode()).hexdigest() if secret else ""


def save(request: HttpRequest) -> None:
    """Keep what was sent, right or wrong; nothing without an attempt, too long, or from a network that floods us.

    What another browser sent under the same attempt stays as it is.
    """
    attempt, browser = attempt_in(request.POST), browser_of(request)
    kept = request.POST.copy()
    for name in NOT_ANSWERS:
        kept.pop(name, None)
    answers = kept.urlencode()
    if attempt is None or not browser or len(answers) > MOST_CHARACTERS:
        return
    if not PER_NETWORK.allows(network_of(client_address(request))):
        return
    email = "".join(c for c in request.POST.get("email", "") if c.isprintable())[:254].strip().lower()
    values = {"email": email, "answers": answers, "saved_at": timezone.now()}
    if not Draft.objects.filter(attempt=attempt, browser_hash=browser).update(**values):
        Draft.objects.bulk_create([Draft(attempt=attempt, browser_hash=browser, **values)], ignore_conflicts=True)


def find(request: HttpRequest) -> dict[str, Any]:
    """The answers of an attempt, as first answers of a form; empty if there are none of this browser's lately."""
    attempt, browser = attempt_in(request.GET), browser_of(request)
    if attempt is None or not browser:
        return {}
    own = Draft.objects.filter(pk=attempt, browser_hash=browser, saved_at__gt=timezone.now() - KEPT_FOR)
    draft = own.first()
    return QueryDict(draft.answers).dict() | {"attempt": attempt} if draft else {}


def forget(email: str) -> int:
    return Draft.objects.filter(email=email.lower()).delete()[0]
