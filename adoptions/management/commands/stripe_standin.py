import logging
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from adoptions.stripe_standin.server import StandIn


class Command(BaseCommand):
    help = "Stand in for Stripe on this machine: the API, the Checkout page, webhooks, and a page of controls."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.STANDIN_PORT)
        parser.add_argument("--webhook-url", default=f"http://127.0.0.1:{settings.PORT}/stripe/webhook/")
        parser.add_argument("--state", type=Path, help="Where to keep what it knows. Default: .local/")

    def handle(self, *, port: int, webhook_url: str, state: Path | None, **options: Any) -> None:
        refuse_where_money_is()
        if options["verbosity"] < 2:
            logging.getLogger("adoptions.stripe_standin").setLevel(logging.WARNING)
        try:
            standin = StandIn(
                port=port,
                key=settings.STANDIN_KEY,
                webhook_url=webhook_url,
                webhook_secret=settings.STANDIN_WEBHOOK_SECRET,
                site_url=settings.SITE_URL,
                state=state or Path(settings.LOCAL_DIR, f"stripe_standin-{port}.jsonl"),
            )
        except OSError as error:
            raise CommandError(f"The Stripe stand-in cannot use port {port}: {error.strerror}.") from None
        self.stdout.write(f"The Stripe stand-in is at {standin.url}/ and sends its webhooks to {webhook_url}")
        standin.start_work()
        try:
            standin.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("The Stripe stand-in has stopped.")


def refuse_where_money_is() -> None:
    if not settings.DEBUG:
        raise CommandError("The Stripe stand-in says that everything is paid. It does not run where DEBUG is off.")
    if settings.STRIPE_LIVEMODE:
        raise CommandError("A live Stripe key is set. The Stripe stand-in does not run beside real money.")
