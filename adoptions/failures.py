"""Renewals that failed and what became of them: written down as invoices are read, for staff to see what is lost."""

from .ledger import STERLING
from .models import Adoption, FailedRenewal, Payment, PaymentKind
from .stripe_objects import Period


def note(adoption: Adoption, period: Period) -> None:
    """Keep that a renewal was refused at first, and the payment that recovered it. Called after its money was taken.

    Only what a bank refused counts: where it asks the payer to confirm, no charge is made, and so none has failed.
    """
    refused = [one for one in period.tries if one.refusal]
    if not refused or period.invoice.is_first or period.invoice.currency != STERLING:
        return
    first = min(reversed(refused), key=lambda one: one.created)
    row, _ = FailedRenewal.objects.get_or_create(
        invoice_id=period.invoice.id,
        defaults={
            "adoption": adoption,
            "amount_pence": first.amount_pence,
            "failed_at": first.created,
            "reason": first.refusal[:64],
        },
    )
    for paid in reversed([one for one in period.tries if one.is_paid]):
        payment = Payment.objects.filter(stripe_id=paid.id, kind=PaymentKind.CHARGE).first()
        if payment:
            this = FailedRenewal.objects.filter(pk=row.pk)
            this.recover(payment, is_by_other_means=paid.method != first.method)
