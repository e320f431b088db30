"""The addresses of the rows behind figures, for whom they may lead there."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from ..rows_behind import Behind


class Ways:
    """Of one request: whether a list may be opened is asked once for each, however many figures lead there."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.lists: dict[str, str] = {}

    def to(self, behind: Behind, only: Mapping[str, str] | None = None) -> str:
        """Empty for who may not open the list. `only`: what it is filtered by beside what the figure is by itself."""
        if behind.list not in self.lists:
            self.lists[behind.list] = self.address(behind.list)
        address = self.lists[behind.list]
        return address and f"{address}?{urlencode({**(only or {}), **dict(behind.only)})}"

    def address(self, name: str) -> str:
        screen = admin.site.get_model_admin(apps.get_model(name.replace("_", ".", 1)))
        return reverse(f"admin:{name}_changelist") if screen.has_view_permission(self.request) else ""
