"""The signed links of comment mails: each for one thing, none of which a GET does.

A link says who may look and press; what is pressed is a POST. A moderator's link works for a week, and stops when
their password is changed or their right to moderate is taken away.
"""

from hashlib import blake2b

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.urls import reverse

from .models import Comment

OWN_SALT, STOP_SALT, MODERATE_SALT = "species.own_comment", "species.stop_replies", "species.moderate"
OWN_GOOD_FOR = 30 * 24 * 3600
MODERATE_GOOD_FOR = 7 * 24 * 3600
MODERATES = "species.change_comment"


def own_view(comment: Comment) -> str:
    """The writer's own view of a comment, also while nobody else can see it."""
    return _address("own_comment", signing.dumps(comment.pk, salt=OWN_SALT))


def stop_replies(comment: Comment) -> str:
    """Where mails about answers are stopped. It never expires: who wants no more mail may say so in years."""
    return _address("stop_replies", signing.dumps(comment.pk, salt=STOP_SALT))


def moderate(moderator: User) -> str:
    """The queue, without signing in."""
    return _address("moderate", signing.dumps([moderator.pk, _state(moderator)], salt=MODERATE_SALT))


def comment_of_own_view(token: str) -> Comment | None:
    return _comment(token, OWN_SALT, max_age=OWN_GOOD_FOR)


def comment_of_stop(token: str) -> Comment | None:
    return _comment(token, STOP_SALT, max_age=None)


def moderator_of(token: str) -> User | None:
    """Whose link this is; None if it is wrong or old, or they may not moderate any more."""
    try:
        pk, state = signing.loads(token, salt=MODERATE_SALT, max_age=MODERATE_GOOD_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    moderator = User.objects.filter(pk=pk, is_active=True, is_staff=True).first()
    if moderator is None or not moderator.has_perm(MODERATES) or _state(moderator) != state:
        return None
    return moderator


def moderators() -> list[User]:
    """Everybody who may decide and can be written to."""
    staff = User.objects.filter(is_active=True, is_staff=True).exclude(email="")
    return [each for each in staff if each.has_perm(MODERATES)]


def _address(name: str, token: str) -> str:
    return settings.SITE_URL + reverse(f"species:{name}", args=[token])


def _comment(token: str, salt: str, *, max_age: int | None) -> Comment | None:
    try:
        pk = signing.loads(token, salt=salt, max_age=max_age)
    except (signing.BadSignature, ValueError):
        return None
    return Comment.objects.select_related("species").filter(pk=pk).exclude(email="").first()


def _state(moderator: User) -> str:
    """Changes with the password, and says nothing about it."""
    secret = f"{settings.SECRET_KEY}{moderator.password}"
    return blake2b(secret.encode(), digest_size=6).hexdigest()
