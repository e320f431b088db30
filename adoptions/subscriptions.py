"""What a supporter, or staff for them, can do with a repeating adoption.

Each act writes down who wishes what, asks Stripe under a key made from that row, reads the subscription back, and
returns only if it is as wished. So whoever shows "done" shows what Stripe says. Raises

* CannotChange: it is not possible now; its text is a sentence for the person who asked,
* StripeRefused: Stripe said no (the wish is kept with Stripe's word for why),
* StripeUnavailable: nobody knows yet. Asking once more is safe; the webhook tells what became of the first try.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Literal

from django.utils import timezone

from config.money import pounds

from . import fulfilment, payment_days, stripe_acts, stripe_gateway
from .models import INTERVALS, REPEATING, Adoption, AdoptionState, Change, ChangeAct, Frequency
from .models.changes import Actor
from .stripe_gateway import StripeRefused

LONGEST_PAUSE = timedelta(days=366)

type Flow = Literal["", "payment_method_update", "subscription_cancel"]


class CannotChange(Exception):
    """Not possible as the adoption stands now. The text says why, and is meant for the person."""


def cancel(
    adoption: Adoption, *, when: Literal["period_end", "now"] = "period_end", by: Actor, because: str = ""
) -> Adoption:
    """Nothing more is taken. `period_end`: it lasts as long as it is paid for, and can be taken back until then.

    `because`: why, for staff, where nobody asked for it in so many words.
    """
    require_running(adoption)
    if when == "now":
        wish = write_down(adoption, ChangeAct.STOP_NOW, by=by, detail=because)
        return carry_out(wish, stripe_acts.stop_now, lambda now: now.state == AdoptionState.ENDED)
    wish = write_down(adoption, ChangeAct.STOP_LATER, by=by, detail=because)
    return carry_out(wish, stripe_acts.stop_later, lambda now: bool(now.ends_on or now.ended_at))


def undo_cancel(adoption: Adoption, *, by: Actor) -> Adoption:
    """Go on after all, as long as it has not ended."""
    require_running(adoption)
    if not adoption.ends_on:
        raise CannotChange("This adoption is not about to stop.")
    wish = write_down(adoption, ChangeAct.GO_ON, by=by)
    return carry_out(wish, stripe_acts.go_on, lambda now: now.is_adopted and now.ends_on is None)


def pause(adoption: Adoption, *, until: date | None = None, by: Actor) -> Adoption:
    """Take nothing until that day (the payment due on it is taken), or until it is taken up again."""
    require_going_on(adoption)
    today = timezone.localdate()
    if until and not today < until <= today + LONGEST_PAUSE:
        raise CannotChange("Choose a day after today, and at most a year ahead.")
    wish = write_down(adoption, ChangeAct.PAUSE, by=by, detail=f"until {until:%-d %B %Y}" if until else "")
    moment = start_of(until) if until else None
    return carry_out(
        wish,
        lambda subscription, *, key: stripe_acts.pause(subscription, until=moment, key=key),
        lambda now: now.is_paused and now.resumes_on == until,
    )


def resume(adoption: Adoption, *, by: Actor) -> Adoption:
    """Take it up again now: the next payment is the next one due."""
    require_running(adoption)
    if not adoption.is_paused:
        raise CannotChange("This adoption is not paused.")
    wish = write_down(adoption, ChangeAct.RESUME, by=by)
    return carry_out(wish, stripe_acts.resume, lambda now: not now.is_paused)


def skip_next(adoption: Adoption, *, by: Actor) -> Adoption:
    """Leave out one payment. Pressed twice, it is still one: what is skipped is what falls due as this period ends."""
    require_going_on(adoption)
    end = stripe_gateway.read_subscription(adoption.stripe_subscription_id or "").current_period_end
    if end is None:
        raise CannotChange("There is no next payment to skip.")
    resumes_on = payment_days.after_skipping(end)
    wish = write_down(adoption, ChangeAct.SKIP, by=by, detail=f"the payment of {timezone.localdate(end):%-d %B %Y}")
    return carry_out(
        wish,
        lambda subscription, *, key: stripe_acts.pause(subscription, until=start_of(resumes_on), key=key),
        lambda now: now.is_paused and now.resumes_on == resumes_on,
    )


def change_amount(adoption: Adoption, *, pence: int, by: Actor) -> Adoption:
    """From the next payment on, within the bounds of the plan. What is paid stays as it is."""
    require_going_on(adoption)
    require_within_plan(adoption, adoption.frequency, pence)
    if pence == adoption.amount_pence:
        raise CannotChange(f"You give {adoption.price} already.")
    detail = f"{pounds(adoption.amount_pence)} → {pounds(pence)}"
    wish = write_down(adoption, ChangeAct.AMOUNT, by=by, detail=detail)

    def ask(subscription_id: str, *, key: str) -> None:
        stripe_acts.change_amount(stripe_gateway.read_subscription(subscription_id), pence, key=key)

    return carry_out(wish, ask, lambda now: now.amount_pence == pence)


def change_rhythm(adoption: Adoption, *, frequency: Frequency, pence: int, by: Actor) -> Adoption:
    """Every year instead of every month, or the other way. What is paid lasts as long as it was to."""
    require_going_on(adoption)
    if adoption.is_paused:
        raise CannotChange("This adoption is paused. Take it up again first.")
    if frequency not in REPEATING or frequency == adoption.frequency:
        raise CannotChange(f"You give {adoption.price} already.")
    require_within_plan(adoption, frequency, pence)
    wanted = Adoption(frequency=frequency, amount_pence=pence).price
    wish = write_down(adoption, ChangeAct.RHYTHM, by=by, detail=f"{adoption.price} → {wanted}")

    def ask(subscription_id: str, *, key: str) -> None:
        found = stripe_gateway.read_subscription(subscription_id)
        stripe_acts.change_rhythm(found, pence, INTERVALS[frequency], key=key)

    return carry_out(wish, ask, lambda now: (now.frequency, now.amount_pence) == (frequency, pence))


def portal_address(adoption: Adoption, *, return_url: str, flow: Flow = "", by: Actor = None) -> str:
    """Stripe's own page for this supporter, made for this moment. Send them there at once; never keep or mail it.

    Each adoption has a customer of its own at Stripe, so that the page shows this one and no other.
    """
    if not adoption.stripe_customer_id or not adoption.is_repeating:
        raise CannotChange("There is nothing to change about a single payment.")
    wish = write_down(adoption, ChangeAct.CARD, by=by)
    subscription = adoption.stripe_subscription_id or ""
    address = stripe_acts.open_portal(
        adoption.stripe_customer_id, return_url=return_url, flow=flow, subscription_id=subscription
    )
    Change.objects.filter(pk=wish.pk).mark_done()
    return address


def repair_address(adoption: Adoption) -> str:
    """Stripe's page of the invoice that could not be paid; empty if nothing is owed. Reads it back from Stripe."""
    found = stripe_gateway.read_subscription(adoption.stripe_subscription_id or "")
    invoice = stripe_gateway.read_invoice(found.latest_invoice) if found.latest_invoice else None
    return invoice.address if invoice and invoice.status == "open" else ""


def refresh(adoption: Adoption) -> Adoption:
    """What Stripe says now: for somebody who comes back from Stripe's own pages."""
    if adoption.stripe_subscription_id:
        fulfilment.sync_subscription(adoption.stripe_subscription_id)
    return fresh(adoption)


# --- how each is done ---------------------------------------------------------------------------------------


def require_running(adoption: Adoption) -> None:
    if not adoption.is_repeating:
        raise CannotChange("This adoption was paid once. Nothing renews, so there is nothing to change.")
    if not adoption.is_adopted:
        raise CannotChange("This adoption is not running.")


def require_going_on(adoption: Adoption) -> None:
    require_running(adoption)
    if adoption.ends_on:
        raise CannotChange("This adoption is about to stop. Let it go on first.")
    if adoption.state == AdoptionState.PAST_DUE:
        raise CannotChange("The last payment has not arrived yet. Please repair it first.")


def require_within_plan(adoption: Adoption, frequency: str, pence: int) -> None:
    price = adoption.plan.price_for(frequency)
    if price is None or not price.allows(pence):
        bounds = f" from {pounds(price.minimum_pence)} to {pounds(price.maximum_pence)}" if price else ""
        raise CannotChange(f"Choose an amount{bounds}.")


def write_down(adoption: Adoption, act: ChangeAct, *, by: Actor, detail: str = "") -> Change:
    return Change.objects.create(adoption=adoption, act=act, detail=detail[:100], by=by)


def carry_out(wish: Change, ask: Callable[..., None], is_so: Callable[[Adoption], bool]) -> Adoption:
    """Ask, read back, and believe only that. A wish that came true in the meantime is as good as one carried out."""
    this = Change.objects.filter(pk=wish.pk)
    subscription_id = wish.adoption.stripe_subscription_id or ""
    refusal = None
    try:
        ask(subscription_id, key=f"change:{wish.public_id}")
    except StripeRefused as error:
        refusal = error
    fulfilment.sync_subscription(subscription_id)
    now = fresh(wish.adoption)
    if is_so(now):
        this.mark_done()
        return now
    this.mark_refused(because=refusal.code if refusal else "not so when read back")
    if refusal:
        raise refusal
    raise CannotChange("That did not work: something else was changed at the same moment. Please look again.")


def fresh(adoption: Adoption) -> Adoption:
    return Adoption.objects.select_related("supporter", "species", "plan", "gift").get(pk=adoption.pk)


def start_of(day: date) -> datetime:
    """Midnight in the charity's own time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
