from typing import Any

from django.core.management.base import BaseCommand, CommandError

from adoptions import rebuilding
from adoptions.models import Method, Payment
from adoptions.stripe_gateway import StripeRefused, StripeUnavailable
from config.money import pounds


class Command(BaseCommand):
    help = (
        "Restore supporters, adoptions and payments from Stripe alone, into an empty database (load the species "
        "first) or into one from a backup. Mails nobody. Safe to repeat."
    )

    def handle(self, **options: Any) -> None:
        try:
            rebuilt = rebuilding.rebuild()
        except (StripeUnavailable, StripeRefused) as error:
            raise CommandError(f"Stripe did not answer ({error}). What was restored stays; run it again.") from error
        self.stdout.write(
            f"{rebuilt.adoptions} adoptions at Stripe, {rebuilt.restored} of them restored now. The ledger holds "
            f"{Payment.objects.count()} movements, {pounds(Payment.objects.balance_pence())} in all."
        )
        by_hand = Payment.objects.exclude(method=Method.STRIPE)
        self.stdout.write(
            "Stripe knows nothing of cheques, cash and transfers: only a backup brings them back. The ledger holds "
            f"{by_hand.count()} of them, {pounds(by_hand.balance_pence())}."
        )
