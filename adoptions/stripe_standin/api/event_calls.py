"""`/v1/events`: what was told, and whether it arrived."""

from adoptions.stripe_standin.api.calls import retrieve, search
from adoptions.stripe_standin.parameters import TEXT, TIME_WINDOW, array_of, boolean
from adoptions.stripe_standin.state import Object


def _matches(event: Object, params: Object) -> bool:
    wanted = params.get("types") or ([params["type"]] if "type" in params else None)
    delivered = event["pending_webhooks"] == 0
    return (wanted is None or any(_names(one, event["type"]) for one in wanted)) and delivered == params.get(
        "delivery_success", delivered
    )


def _names(wanted: str, kind: str) -> bool:
    """`charge.*` names every event whose type begins with `charge.`."""
    return kind.startswith(wanted[:-1]) if wanted.endswith("*") else kind == wanted


CALLS = [
    retrieve("/v1/events", "event"),
    search(
        "/v1/events",
        "event",
        _matches,
        created=TIME_WINDOW,
        delivery_success=boolean,
        type=TEXT,
        types=array_of(TEXT, 20),
    ),
]
