"""Deeds that nobody can take back, or of which somebody is mailed: what will happen is said first, and then it is done.

The button that does it carries a fingerprint of the sentences above it. If what they say has changed by the time it is
pressed (a colleague was there, money came), nothing is done: the new sentences are shown, and asked about once more.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from .desk_page import Step, desk_page

SHOWN = 20
SURE = "sure"

type Deed = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


def asked_first(
    request: HttpRequest,
    title: str,
    says: Sequence[str],
    *,
    trail: Iterable[Step],
    button: str = "Yes, do it",
    back: str = "",
    rows: Sequence[str] = (),
    count: int = 0,
) -> HttpResponse | None:
    """The page with these sentences; None once its button was pressed beneath the same ones.

    `rows`: the first of the `count` rows it is about, in words. `back`: where "No" leads, if not to where they are.
    """
    said = fingerprint([*says, *rows, str(count)])
    if request.POST.get(SURE) == said:
        return None
    sent = [(name, value) for name, values in request.POST.lists() for value in values]
    return desk_page(
        request,
        "admin/asking_first.html",
        title,
        trail=trail,
        says=says,
        rows=rows,
        count=count,
        sent=[(name, value) for name, value in sent if name not in {"csrfmiddlewaretoken", SURE}],
        said=said,
        has_changed=SURE in request.POST,
        button=button,
        back=back or request.get_full_path(),
    )


def fingerprint(words: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]


def asks_first(*says: str, from_rows: int = 1) -> Callable[[Deed], Deed]:
    """Beneath `@admin.action`. `says` is what will happen to the rows, in a sentence or two.

    `from_rows`: where a slip on one row does no harm, and one on the whole list does.
    """

    def decorate(deed: Deed) -> Deed:
        @wraps(deed)
        def ask_or_do(screen: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            count = queryset.count()
            if count < from_rows:
                return deed(screen, request, queryset)
            page = asked_first(
                request,
                str(getattr(ask_or_do, "short_description", "Are you sure?")),
                says,
                trail=[screen.model],
                rows=[words_of(screen, row) for row in queryset[:SHOWN]],
                count=count,
            )
            return page or deed(screen, request, queryset)

        return ask_or_do

    return decorate


def words_of(screen: Any, row: Any) -> str:
    """What a screen says of a row in `asked_about`, where its name alone does not say whose and how much."""
    return str(screen.asked_about(row) if hasattr(screen, "asked_about") else row)
