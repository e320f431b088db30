"""Rows that come from Stripe or from supporters: staff look, nobody types."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest


class ReadOnly:
    """No adding, changing or deleting, for anybody; the views stay."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
