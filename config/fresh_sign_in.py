"""What moves money, takes people's data out or opens the door to somebody asks once more who sits at the keyboard.

Signing in lasts a working day; for these it counts for half an hour (ASVS 5.0, 7.5.3). So a session that was stolen, or
a screen that was left open, gives nothing back, takes no list along and lets nobody else in (threat L8). The answer is
a code for whoever has set one up, and the password otherwise. What was typed is not lost by the question.

    @fresh_sign_in_required()
    def refund(request, ...): ...
"""

import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Literal

from django.contrib import admin
from django.http import HttpRequest

FRESH_FOR = 30 * 60  # seconds
SHOWN_AT = "shown who they are"

type View = Callable[..., Any]


def is_fresh(request: HttpRequest) -> bool:
    """A moment that is still to come, by a clock that was wrong, is none."""
    return bool(0 <= time.time() - request.session.get(SHOWN_AT, 0) < FRESH_FOR)


def was_shown_since(request: HttpRequest, moment: datetime) -> bool:
    return bool(request.session.get(SHOWN_AT, 0) >= moment.timestamp())


def note(request: HttpRequest) -> None:
    """They have just shown it. Whoever had taken the session before has it no longer.

    Django gives the session a new key when somebody signs in, but not where the same person was signed in already.
    """
    request.session.cycle_key()
    request.session[SHOWN_AT] = time.time()


def fresh_sign_in_required(*, to: Literal["see", "send", "save"] = "see") -> Callable[[View], View]:
    """Ask whoever has shown it longer ago, before the view is even begun; on methods beneath `@method_decorator`.

    What it is for: to "see" a page, only to "send" what is filled in there, or to "save" a file that has no page.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def ask_or_go_on(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if is_fresh(request) or (to == "send" and request.method != "POST"):
                return view(request, *args, **kwargs)
            return admin.site.ask_once_more(request, is_file=to == "save")  # type: ignore[attr-defined]  # see config.desk

        ask_or_go_on.asks_once_more = to  # type: ignore[attr-defined]  # a test reads which views do
        return ask_or_go_on

    return decorate
