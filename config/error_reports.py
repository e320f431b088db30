"""Errors told to Sentry, or to anything that speaks as it does: switched on by SENTRY_DSN, and nobody named.

Whatever the log says at ERROR is told, in the log's own words without what was filled in. An event is written anew
from the few fields below, so nothing that the library gathers beside them leaves the house: no request, no address, no
cookie, no variable, no line of the log before it, and no word of an exception.
"""

import logging
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from . import log

FRAME = ("filename", "function", "lineno", "module", "in_app")
KEPT = ("event_id", "timestamp", "level", "logger", "platform", "release", "environment", "fingerprint", "sdk")


def start(dsn: str, **options: Any) -> None:
    """In each process, once. `options` are sentry_sdk's; tests give a transport that sends nothing."""
    try:
        import sentry_sdk
        from sentry_sdk.integrations.atexit import AtexitIntegration
        from sentry_sdk.integrations.excepthook import ExcepthookIntegration
        from sentry_sdk.integrations.logging import LoggingIntegration
    except ImportError as error:
        raise ImproperlyConfigured("SENTRY_DSN needs the packages of requirements-optional.txt.") from error
    sentry_sdk.init(
        dsn=dsn,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            ExcepthookIntegration(),
            # A command that fails is over before its error has left: it waits for that, two seconds at most.
            AtexitIntegration(callback=lambda pending, timeout: None),
        ],
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        server_name="",
        before_send=without_people,
        **options,
    )


def without_people(event: Any, hint: dict[str, Any]) -> Any:
    told = {name: event[name] for name in KEPT if name in event}
    told["tags"] = log.ids()
    if template := (event.get("logentry") or {}).get("message"):
        told["logentry"] = {"message": template}
    if "exception" in event:
        told["exception"] = {"values": [_kind(each) for each in event["exception"]["values"]]}
    return told


def _kind(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames", [])
    places = [{name: frame[name] for name in FRAME if name in frame} for frame in frames]
    return {"type": error.get("type"), "module": error.get("module"), "stacktrace": {"frames": places}}
