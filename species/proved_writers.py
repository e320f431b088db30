"""Writers who need no moderator: they have proved who they are, and nothing about their words is odd.

Off until it is switched on, for each of the two apart: COMMENTS_SHOWN_AT_ONCE. Whatever the rules hold for any reason
waits all the same, and a moderator may take back what was shown.
"""

from django.conf import settings
from django.db import transaction

from . import emails
from .models import Comment, CommentStatus

ADOPTERS = "adopters"  # signed in to their adoption
KNOWN = "known"  # approved before, and holding a link that went to the same address


def publish(comment: Comment) -> bool:
    """Show a comment now, if its writer may have that and it still waits. Told of once, as if a moderator had."""
    if not may_publish(comment):
        return False
    with transaction.atomic():
        if not Comment.objects.filter(pk=comment.pk).unsuspected().publish_proved():
            return False
        shown = Comment.objects.select_related("species", "parent").get(pk=comment.pk)
        emails.tell_it_is_published(shown)
        emails.tell_of_reply(shown)
    return True


def may_publish(comment: Comment) -> bool:
    """Whether it waits, nothing holds it, and its writer is one of those whom the charity trusts."""
    if comment.status != CommentStatus.PENDING or comment.held_because or comment.suspicion:
        return False
    if comment.is_by_adopter and ADOPTERS in settings.COMMENTS_SHOWN_AT_ONCE:
        return True
    return KNOWN in settings.COMMENTS_SHOWN_AT_ONCE and is_known(comment.email)


def is_known(email: str) -> bool:
    """A moderator has approved words of theirs, and none has ever refused any."""
    theirs = Comment.objects.by_address(email)
    refused = theirs.filter(status__in=(CommentStatus.REJECTED, CommentStatus.SPAM))
    return theirs.public().exclude(moderated_by=None).exists() and not refused.exists()
