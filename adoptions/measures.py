"""What an alarm may watch of money: how Stripe's news come in, and whether our books agree with Stripe's."""

from config.metrics import Value, gauge, since

from . import reconcile
from .models import Attention, EventState, StripeEvent


@gauge("pugmark_webhook_age_seconds", "How long ago Stripe last sent an event.")
def webhook_age() -> Value:
    return since(reconcile.state().last_event_at)


@gauge("pugmark_events_waiting", "Events of Stripe's that are kept and not worked yet.")
def events_waiting() -> int:
    return StripeEvent.objects.filter(state=EventState.RECEIVED).count()


@gauge("pugmark_events_parked", "Events of Stripe's that could not be worked: staff should look.")
def events_parked() -> int:
    return StripeEvent.objects.filter(state=EventState.PARKED).count()


@gauge("pugmark_differences_open", "Where Stripe and our ledger say different things.")
def differences_open() -> int:
    return reconcile.state().open


@gauge("pugmark_comparison_age_seconds", "How long ago the ledger was last compared with Stripe.")
def comparison_age() -> Value:
    return since(reconcile.state().checked_at)


@gauge("pugmark_attention_open", "Things about adoptions and payments that staff should look at.")
def attention_open() -> int:
    return Attention.objects.open().count()
