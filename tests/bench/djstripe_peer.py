"""dj-stripe behind the same Django handler and the same PostgreSQL, for measure_webhooks.py.

It runs in an environment of its own, where dj-stripe is installed.

Reads one JSON object (database, secret, Stripe's answers by path), then for each line of signed requests answers with
the seconds they took. Run by measure_webhooks.py; of no use by itself.
"""

import io
import json
import sys
import time
from functools import partial
from importlib import import_module
from typing import Any

import django
from django.conf import settings

ENDPOINT = "11111111-2222-4333-8444-555555555555"


def instant(answers: dict[str, Any]) -> Any:
    """A Stripe that answers from memory."""
    stripe: Any = import_module("stripe")

    class Instant(stripe.HTTPClient):  # type: ignore[misc]  # known only when this runs
        name = "instant"

        def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
            path = url.removeprefix("https://api.stripe.com").partition("?")[0]
            nothing = {"object": "list", "data": [], "has_more": False, "url": path}
            return json.dumps(answers.get(path, nothing)), 200, {}

        def close(self) -> None:
            return None

    return Instant()


def set_up(given: dict[str, Any]) -> None:
    database = {**given["database"], "ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": 60}
    settings.configure(
        SECRET_KEY="x",
        DATABASES={"default": database},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "djstripe"],
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["testserver"],
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        STRIPE_TEST_SECRET_KEY=given["key"],
        STRIPE_LIVE_MODE=False,
        DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
        MIGRATION_MODULES={"contenttypes": None, "auth": None, "djstripe": None},  # its tables at once, as they end up
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    stripe: Any = import_module("stripe")
    stripe.default_http_client = instant(given["answers"])
    endpoint = import_module("djstripe.models").WebhookEndpoint
    endpoint.objects.create(
        id="we_1", djstripe_uuid=ENDPOINT, secret=given["secret"], url="https://x.example/", enabled_events=["*"]
    )


def environ(body: bytes, signature: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/stripe/webhook/{ENDPOINT}/",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_STRIPE_SIGNATURE": signature,
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    }


def say_to(statuses: list[str], status: str, headers: Any) -> None:
    statuses.append(status)


def main() -> None:
    set_up(json.loads(sys.stdin.readline()))
    from django.core.handlers.wsgi import WSGIHandler
    from django.urls import path

    view = import_module("djstripe.views").ProcessWebhookView.as_view()
    globals()["urlpatterns"] = [path("stripe/webhook/<uuid:uuid>/", view)]
    handle = WSGIHandler()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        requests = [environ(body.encode(), signature) for body, signature in json.loads(line)]
        statuses: list[str] = []
        note: Any = partial(say_to, statuses)
        began = time.perf_counter()
        for request in requests:
            handle(request, note).close()
        took = time.perf_counter() - began
        kept = import_module("djstripe.models").Event.objects.count()
        sys.stdout.write(json.dumps({"seconds": took, "statuses": sorted(set(statuses)), "events": kept}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
