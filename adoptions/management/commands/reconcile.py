from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from adoptions import reconcile
from adoptions.models import Difference
from adoptions.stripe_gateway import StripeRefused, StripeUnavailable
from config.money import pounds


class Command(BaseCommand):
    help = "Compare with Stripe both ways, repair what is safe to repair, and say what is left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=reconcile.NIGHTLY_DAYS, help="How far back to compare.")

    def handle(self, *, days: int, **options: Any) -> None:
        try:
            run = reconcile.reconcile(days=days)
        except (StripeUnavailable, StripeRefused) as error:
            raise CommandError(f"Stripe did not answer, so nothing is proved ({error}). Try again later.") from error
        except reconcile.AlreadyComparing as error:
            raise CommandError("Another comparison is running.") from error
        self.stdout.write(
            f"Compared {run.compared} objects of the last {run.days} days: "
            f"{run.found} differences, {run.repaired} repaired, {run.missed_events} events had not come."
        )
        for difference in Difference.objects.open().select_related("adoption"):
            self.stdout.write(f"  {line(difference)}")
        self.stdout.write(f"{reconcile.state().open} differences are open.")


def line(difference: Difference) -> str:
    sums = [
        f"{whose} {pounds(pence)}"
        for whose, pence in (("here", difference.ours_pence), ("at Stripe", difference.theirs_pence))
        if pence is not None
    ]
    of = difference.adoption.reference if difference.adoption else "no adoption"
    parts = [str(difference), difference.what, of, ", ".join(sums)]
    return " · ".join(part for part in [*parts, difference.note] if part)
