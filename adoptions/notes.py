"""Notes of staff about a supporter, such as “rang, will pay by cheque in January”: written once, and never changed."""

import uuid
from typing import Any

from django.db import transaction
from django.db.models import Model

from config.retention import unlocked

from .models import Note, Supporter


def write(supporter: Supporter, words: str, *, request: uuid.UUID, by: Model) -> bool:
    """Once, however often the form is sent. False: they were erased, or joined with somebody, in the meantime."""
    with transaction.atomic():
        # Locked, so that no note is hung on somebody who is being forgotten or joined with another at this moment.
        if not Supporter.objects.filter(pk=supporter.pk, erased_at=None).select_for_update(no_key=True).exists():
            return False
        Note.objects.get_or_create(request=request, words=words, defaults={"supporter": supporter, "by_id": by.pk})
    return True


def export(supporter: Supporter) -> list[Any]:
    """Without the names of staff."""
    return list(Note.objects.filter(supporter=supporter).values("at", "words"))


def hang(pks: list[int], supporter: Supporter) -> None:
    """When two are joined, and parted again. Under whom they are filed is all that changes."""
    rows = Note.objects.filter(pk__in=pks)
    unlocked("adoptions.Note:append_only", lambda: rows.update(supporter=supporter))


def forget(supporter: Supporter) -> None:
    rows = Note.objects.filter(supporter=supporter)
    unlocked("adoptions.Note:append_only", rows.delete)
