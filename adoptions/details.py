"""A supporter puts their own details right: the name, the address. Whoever could be surprised by it is told."""

import uuid

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from config.mail import queue_mail

from .models import Adoption, FormerAddress, Supporter
from .models.supporters import NO_EMAIL


def change_email(supporter: Supporter, email: str) -> bool:
    """Take over an address that was just proved by a link sent to it; False if it is somebody's already.

    The old address and the new one are told, so that a change by a stranger does not go unseen.
    """
    old = supporter.email
    if old == email:
        return True
    try:
        with transaction.atomic():
            moved = Supporter.objects.filter(pk=supporter.pk, email=old).update(email=email)
            if moved:
                supporter.email = email
                tell_of_change(supporter, [("Email address", old, email)], to=[old, email])
                keep_in_mind(supporter, old)
    except IntegrityError:
        return False
    return bool(moved)


def keep_in_mind(supporter: Supporter, old: str) -> None:
    """Which address was theirs, and in which time: with the news of the change as the last that goes there."""
    if old.endswith(NO_EMAIL):
        return
    before = FormerAddress.objects.filter(supporter=supporter).first()
    since = before.until if before else supporter.created_at
    FormerAddress.objects.create(supporter=supporter, email=old, since=since, until=timezone.now())


def mails_to(supporter: Supporter) -> Q:
    """Mails to the address they have, and to those they had while they had them."""
    theirs = Q(to__iexact=supporter.email)
    for former in FormerAddress.objects.filter(supporter=supporter):
        theirs |= Q(to__iexact=former.email, created_at__gte=former.since, created_at__lte=former.until)
    return theirs


def addresses_of(supporter: Supporter) -> list[str]:
    """The address they have, and those they had which are nobody else's now."""
    former = list(FormerAddress.objects.filter(supporter=supporter).values_list("email", flat=True))
    taken = Supporter.objects.filter(email__in=former).exclude(pk=supporter.pk).values_list("email", flat=True)
    return list(dict.fromkeys([supporter.email, *(set(former) - set(taken))]))


def change_name(supporter: Supporter, name: str) -> None:
    """The name of the payer, which stands on the certificates of what they adopted for themselves."""
    old = supporter.name
    if old == name:
        return
    with transaction.atomic():
        Supporter.objects.filter(pk=supporter.pk).update(name=name)
        supporter.name = name
        tell_of_change(supporter, [("Name", old, name)], to=[supporter.email])


def tell_of_change(supporter: Supporter, changes: list[tuple[str, str, str]], *, to: list[str]) -> None:
    """E21. A key of its own each time: the change itself happens once, and changing back is told as well."""
    adoption = Adoption.objects.filter(supporter=supporter).select_related("species", "supporter").first()
    if adoption is None:
        return
    once = uuid.uuid4().hex
    for address in to:
        queue_mail(
            "details_changed",
            to=address,
            key=f"{supporter.pk}:{once}:{address}",
            context={"adoption": adoption, "changes": changes},
        )
