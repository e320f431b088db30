"""What staff saw, took out and changed in the admin, in a log that nobody can alter.

It is written once for all screens, as requests pass, so no screen can be forgotten: whatever the admin answers to
somebody signed in leaves a line. A line names rows by their numbers, which say nothing once a person is erased.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponseBase
from django.urls import ResolverMatch
from django.utils import timezone

from . import fresh_sign_in
from .limits import client_address, network_of
from .models import Act, AuditEntry

# Screens that show nobody's data and change nothing.
OF_NO_INTEREST = {"index", "app_list", "jsi18n", "password_change_done", "mail_words_preview"}
MOST_ROWS = 200


def keep(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """The middleware. It stands behind the one that knows who signed in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        began, before = timezone.now(), request.user if request.path.startswith("/admin/") else None
        who = before.pk if before else None  # signing out forgets it
        response = get_response(request)
        match = request.resolver_match
        if match and match.app_name == "admin" and match.url_name not in OF_NO_INTEREST:
            note(request, response, match, who=who, began=began)
        return response

    return middleware


def note(
    request: HttpRequest, response: HttpResponseBase, match: ResolverMatch, *, who: int | None, began: datetime
) -> None:
    """One line for one request; none for a stranger who is sent to sign in."""
    if match.url_name == "login":
        if request.method == "POST":
            note_sign_in(request, since=began)
        return
    is_shown = request.method == "POST" and fresh_sign_in.was_shown_since(request, began)
    if match.url_name == "second_step" and request.method == "POST":
        write(request, Act.SIGNED_IN if is_shown else Act.NOT_SIGNED_IN, by=who, how="code")
        return
    if match.url_name == "still_you":
        if request.method == "POST" and who is not None:
            write(request, Act.SIGNED_IN if is_shown else Act.NOT_SIGNED_IN, by=who, how="once more")
        return
    if who is None:
        return
    if match.url_name == "second_step_set_up" and is_shown:
        write(request, Act.CHANGED, by=who, what="auth.user", rows=[str(who)], how="second step")
        return
    act = Act.SIGNED_OUT if match.url_name == "logout" else act_of(request, response)
    what, rows = rows_of(match)
    rows = rows or rows_chosen(request) or rows_shown(response)
    how = ""
    if act == Act.CHANGED:
        how, made = changes(request, who=who, since=began)
        rows = rows or made
    write(request, act, by=who, what=what, rows=rows, how=how)


def act_of(request: HttpRequest, response: HttpResponseBase) -> Act:
    """A form that was taken is answered with a redirect; one that is shown again, or asks once more, is a look."""
    if response.status_code >= 400:
        return Act.REFUSED
    if response.headers.get("Content-Disposition", "").startswith("attachment"):
        return Act.EXPORTED
    if request.method == "POST" and response.status_code in (302, 303):
        return Act.CHANGED
    is_list = list_in(response) or own_list_in(response) is not None
    return Act.LISTED if is_list else Act.LOOKED


def list_in(response: HttpResponseBase) -> Any:
    return (getattr(response, "context_data", None) or {}).get("cl")


def own_list_in(response: HttpResponseBase) -> list[int] | None:
    return (getattr(response, "context_data", None) or {}).get("rows_shown")


def rows_of(match: ResolverMatch) -> tuple[str, list[str]]:
    """The kind of row and its number, as the address has them: /admin/<app>/<model>/…, and `payment_id` its own."""
    found = re.match(r"admin/(\w+)/(\w+)/", match.route)
    what = f"{found[1]}.{found[2]}" if found else ""
    for name, value in match.kwargs.items():
        if name in ("pk", "object_id"):
            return what, [str(value)[:60]]
        if found and name.endswith("_id"):
            return f"{found[1]}.{name.removesuffix('_id')}", [str(value)[:60]]
    return what, []


def rows_chosen(request: HttpRequest) -> list[str]:
    """Those ticked in a list for one of its actions."""
    return [pk[:60] for pk in request.POST.getlist("_selected_action")[:MOST_ROWS]] if request.method == "POST" else []


def rows_shown(response: HttpResponseBase) -> list[str]:
    """Of Django's lists, and of a page of ours that says so with `rows_shown`."""
    listed = list_in(response)
    shown = [row.pk for row in listed.result_list] if listed else own_list_in(response) or []
    return [str(pk)[:60] for pk in shown][:MOST_ROWS]


def changes(request: HttpRequest, *, who: int, since: datetime) -> tuple[str, list[str]]:
    """The action or the button, or which fields were changed; and what was made."""
    kept = LogEntry.objects.filter(user=who, action_time__gte=since).order_by("-pk").first()
    named = [request.POST.get(name, "") for name in ("action", "act", "step")]
    words = next((word for word in named if word), "") or (kept.get_change_message() if kept else "")
    return words[:200], [str(kept.object_id)] if kept and kept.object_id else []


def note_sign_in(request: HttpRequest, *, since: datetime) -> None:
    """A name that is nobody's is not kept: it may well be a password in the wrong box.

    Who has a session already is not signed in by a guess.
    """
    signed_in_at = getattr(request.user, "last_login", None)
    if signed_in_at and signed_in_at >= since:
        write(request, Act.SIGNED_IN, by=request.user.pk)
        return
    names = get_user_model()._default_manager.filter(username__iexact=request.POST.get("username", "").strip()[:150])
    write(request, Act.NOT_SIGNED_IN, by=names.values_list("pk", flat=True).first())


def write(
    request: HttpRequest, act: Act, *, by: int | None, what: str = "", rows: list[str] | None = None, how: str = ""
) -> None:
    AuditEntry.objects.create(
        act=act,
        by_id=by,
        what=what[:60],
        rows=rows or [],
        how=how,
        path=request.path[:200],
        network=network_of(client_address(request)),
    )
