"""Deeds on chosen rows that nobody can take back: what will happen is said first, with the rows, and then done."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from .desk_page import desk_page

SHOWN = 20
SURE = "sure"

type Deed = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


def asks_first(says: str) -> Callable[[Deed], Deed]:
    """Beneath `@admin.action`. `says` is what will happen to the rows, in a sentence or two."""

    def decorate(deed: Deed) -> Deed:
        @wraps(deed)
        def ask_or_do(screen: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            if request.POST.get(SURE) == "yes":
                return deed(screen, request, queryset)
            sent = [(name, value) for name, values in request.POST.lists() for value in values]
            return desk_page(
                request,
                "admin/asking_first.html",
                str(getattr(ask_or_do, "short_description", "Are you sure?")),
                trail=[screen.model],
                says=says,
                rows=list(queryset[:SHOWN]),
                count=queryset.count(),
                sent=[(name, value) for name, value in sent if name not in {"csrfmiddlewaretoken", SURE}],
            )

        return ask_or_do

    return decorate
