"""Every mail about comments: to the writer what became of it, to whom it answers, and to moderators what waits."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User

from config.limits import Limit
from config.mail import queue_mail

from . import comment_links
from .models import Comment

# Whoever types somebody else's address must not be able to fill their letter box through us.
WAITING_PER_ADDRESS = Limit("mail about a waiting comment", times=3, per=timedelta(days=1))
LINKS_PER_ADDRESS = Limit("link to own comments, to an address", times=3, per=timedelta(days=1))


def tell_it_waits(comment: Comment) -> None:
    """With a link to the writer's own view; at most three a day to one address."""
    if comment.email and WAITING_PER_ADDRESS.allows(comment.email.lower()):
        context = {"comment": comment, "view_url": comment_links.own_view(comment)}
        queue_mail("comment_waiting", to=comment.email, key=str(comment.pk), context=context)


def send_link_to_own_words(email: str) -> None:
    """To whoever has written here with this address, and to nobody else; at most three a day."""
    comment = Comment.objects.by_address(email).order_by("-pk").first()
    if comment is not None and LINKS_PER_ADDRESS.allows(email.lower()):
        context = {"comment": comment, "view_url": comment_links.own_view(comment)}
        queue_mail("comment_link", to=comment.email, key=str(uuid.uuid4()), context=context)


def tell_it_is_published(comment: Comment) -> None:
    """Once, however often it is taken down and put back."""
    if comment.email:
        context = {"comment": comment, "comment_url": public_address(comment)}
        queue_mail("comment_published", to=comment.email, key=str(comment.pk), context=context)


def tell_it_is_refused(comment: Comment) -> None:
    if comment.email:
        species_url = settings.SITE_URL + comment.species.get_absolute_url()
        context = {"comment": comment, "reason": comment.reason, "species_url": species_url}
        queue_mail("comment_refused", to=comment.email, key=str(comment.pk), context=context)


def tell_of_reply(reply: Comment) -> None:
    """To the writer of what it answers, if they asked for it and are somebody else."""
    parent = reply.parent
    if parent is None or not parent.wants_replies or not parent.email or parent.email.lower() == reply.email.lower():
        return
    context = {
        "comment": parent,
        "reply": reply,
        "comment_url": public_address(reply),
        "stop_url": comment_links.stop_replies(parent),
    }
    queue_mail("comment_reply", to=parent.email, key=str(reply.pk), context=context)


def tell_moderator(moderator: User, *, kind: str, key: str, total: int, oldest: Comment) -> bool:
    """What waits, in one mail with one link. `kind` is comments_arrived or comments_waiting."""
    context = {
        "moderator": moderator.get_short_name() or moderator.get_username(),
        "total": total,
        "oldest": oldest,
        "queue_url": comment_links.moderate(moderator),
    }
    return queue_mail(kind, to=moderator.email, key=f"{moderator.pk}:{key}", context=context)


def public_address(comment: Comment) -> str:
    return settings.SITE_URL + comment.get_absolute_url()
