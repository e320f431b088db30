"""A whole world for money: a supporter, a Stripe with its own clock, and a worker that does as it is told.

Faster than the form and the worker's command, which tests/adoptions/test_adopting.py goes through: the adoption is
saved as the form saves it, events are posted to the webhook over HTTP, and those in the inbox are worked.
"""

import random
from collections.abc import Iterable
from typing import Any

from django.test import Client

from adoptions import checkout, fulfilment, stripe_gateway, webhooks
from adoptions.models import Adoption, PaymentKind, StripeEvent
from adoptions.stripe_standin.server import StandIn
from adoptions.tasks import park
from config.models import Mail
from tests.adoptions.conftest import Stripe, carry
from tests.makers import make_adoption

type Event = dict[str, Any]
type Shown = tuple[str, tuple[tuple[str, int], ...]]


class World(Stripe):
    """Stripe with a clock of its own, and the acts of everybody around it."""

    def __init__(self, server: StandIn) -> None:
        super().__init__(server)
        self.books = server.books
        self.told = 0
        self.asked: list[str] = []
        self.answers_left: int | None = None

    def forget_everything(self) -> None:
        with self.books.lock:
            self.books._tables.clear()
        self.told = 0

    def is_away(self) -> bool:
        """After so many answers as a test allows, Stripe fails until it is allowed more."""
        if self.answers_left is None:
            return False
        self.answers_left -= 1
        return self.answers_left < 0

    # --- people ---------------------------------------------------------------------------------------

    def page(self, **values: Any) -> Adoption:
        """An adoption whose page at Stripe is open."""
        adoption = make_adoption(**values)
        checkout.page_to_pay(adoption)
        adoption.refresh_from_db()
        return adoption

    def adopt(self, method: str = "ok", **values: Any) -> Adoption:
        adoption = self.page(**values)
        self.pay(adoption.stripe_session_id or "", method)
        return adoption

    def adopt_monthly(self, method: str = "ok", **values: Any) -> Adoption:
        return self.adopt(method, **{"frequency": "monthly", "amount_pence": 500, **values})

    def answer_bank(self, adoption: Adoption, answer: str = "complete") -> None:
        """3-D Secure: say yes, or no."""
        self.press(f"/confirm/{self.session(adoption)['_intent']}", answer=answer)

    def come_back(self, adoption: Adoption) -> None:
        """What the thanks page does."""
        adoption.refresh_from_db()
        if adoption.stripe_session_id:
            fulfilment.sync_session(adoption.stripe_session_id)

    # --- Stripe ---------------------------------------------------------------------------------------

    def advance(self, **span: int) -> None:
        self.control("advance", **span)

    def session(self, adoption: Adoption) -> Event:
        adoption.refresh_from_db()
        return self.books.need("checkout.session", adoption.stripe_session_id or "")

    def subscription(self, adoption: Adoption) -> str:
        return str(self.session(adoption)["subscription"])

    def charges(self, adoption: Adoption) -> list[Event]:
        """Oldest first."""
        session = self.session(adoption)
        intents = {session["payment_intent"]}
        for invoice in self.books.all("invoice"):
            if invoice["parent"]["subscription_details"]["subscription"] == session["subscription"]:
                intents.add(invoice["_intent"])
        return [one for one in reversed(self.books.all("charge")) if one["payment_intent"] in intents]

    def paid_charge(self, adoption: Adoption) -> str:
        """The first."""
        return next(str(one["id"]) for one in self.charges(adoption) if one["status"] == "succeeded")

    def refund(self, adoption: Adoption, pence: int | None = None) -> str:
        fields = {"charge": self.paid_charge(adoption), **({"amount": pence} if pence else {})}
        return str(self.control("refund", **fields)["id"])

    def dispute(self, adoption: Adoption) -> str:
        return str(self.control("dispute", charge=self.paid_charge(adoption))["id"])

    def update_subscription(self, adoption: Adoption, **changes: Any) -> None:
        stripe_gateway.client().v1.subscriptions.update(self.subscription(adoption), changes)  # type: ignore[arg-type]

    def change(self, kind: str, key: str, **values: Any) -> None:
        """Behind everybody's back: no event tells of it."""
        self.books.save(self.books.need(kind, key) | values)

    def new_events(self) -> list[Event]:
        """What Stripe has told since this was last asked, oldest first."""
        every = [{k: v for k, v in one.items() if k[0] != "_"} for _, one in self.books.items("event")]
        fresh, self.told = every[self.told :], len(every)
        return fresh


# --- our side ---------------------------------------------------------------------------------------------------


def work_events(chance: random.Random | None = None) -> list[Exception]:
    """Work the events that wait, as they came or in any order; what went wrong is returned, and its event is parked."""
    taken = StripeEvent.objects.take(10_000)
    if chance:
        chance.shuffle(taken)
    failures = webhooks.work_together(taken)
    for event_id, failure in failures.items():
        if isinstance(failure, (NameError, TypeError, AttributeError)):
            raise failure  # a slip of the pen, in a mutant as well as in the code: it must not pass for a finding
        park(event_id, failure)
    return list(failures.values())


def deliver(client: Client, events: Iterable[Event], chance: random.Random | None = None) -> None:
    """Post events to the webhook, each answered 200, and work what they left."""
    answers = carry(client, list(events))
    assert set(answers) <= {200}
    assert work_events(chance) == []


def shown(adoption: Adoption) -> Shown:
    """What became of it: its state, and the money in and out."""
    adoption.refresh_from_db()
    moved = adoption.payments.values_list("kind", "amount_pence")
    return adoption.state, tuple(sorted((str(kind), pence) for kind, pence in moved))


def receipts(adoption: Adoption) -> int:
    ids = adoption.payments.filter(kind=PaymentKind.CHARGE).values_list("stripe_id", flat=True)
    return Mail.objects.filter(key__in=[f"receipt:{stripe_id}" for stripe_id in ids]).count()
