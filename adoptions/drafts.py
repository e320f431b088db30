"""What was typed into the adopt form is kept for a day under its attempt: a lost connection, a closed tab or the way
back from Stripe loses nothing. No cookie is needed; the attempt stands in the address.
"""

import uuid
from datetime import timedelta
from typing import Any

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


def save(request: HttpRequest) -> None:
    """Keep what was sent, right or wrong; nothing without an attempt, too long, or from a network that floods us."""
    attempt = attempt_in(request.POST)
    kept = request.POST.copy()
    for name in NOT_ANSWERS:
        kept.pop(name, None)
    answers = kept.urlencode()
    if attempt is None or len(answers) > MOST_CHARACTERS or not PER_NETWORK.allows(network_of(client_address(request))):
        return
    email = "".join(c for c in request.POST.get("email", "") if c.isprintable())[:254].strip().lower()
    values = {"email": email, "answers": answers, "saved_at": timezone.now()}
    Draft.objects.update_or_create(attempt=attempt, defaults=values)


def find(query: QueryDict) -> dict[str, Any]:
    """The answers of an attempt, as first answers of a form; empty if there are none, or not any more."""
    attempt = attempt_in(query)
    draft = Draft.objects.filter(pk=attempt, saved_at__gt=timezone.now() - KEPT_FOR).first() if attempt else None
    return QueryDict(draft.answers).dict() | {"attempt": attempt} if draft else {}


def forget(email: str) -> int:
    return Draft.objects.filter(email=email.lower()).delete()[0]


def forget_old() -> int:
    return Draft.objects.filter(saved_at__lt=timezone.now() - KEPT_FOR).delete()[0]
