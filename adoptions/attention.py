"""Call staff: one row in the admin and one mail for each thing that a person must look at."""

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from . import money_emails
from .models import Adoption, Attention, AttentionKind


def call(
    kind: AttentionKind,
    *,
    key: str,
    reason: str,
    adoption: Adoption | None = None,
    has_own_mail: bool = False,
    to: str = "",
) -> Attention | None:
    """Open a thing to look at; None if the same was opened before, however it was dealt with since.

    `to`: whose matter it is; their address is mailed instead of that of all.
    """
    with transaction.atomic():
        opened, is_new = Attention.objects.get_or_create(
            kind=kind, key=key[:120], defaults={"adoption": adoption, "reason": reason[:300]}
        )
        if is_new and not has_own_mail:
            money_emails.queue_attention(opened, admin_url=address(opened), to=to)
    return opened if is_new else None


def address(attention: Attention) -> str:
    return settings.SITE_URL + reverse("admin:adoptions_attention_change", args=[attention.pk])
