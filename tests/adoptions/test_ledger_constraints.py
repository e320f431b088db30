"""States that must not exist cannot be stored, whoever writes."""

import uuid
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from adoptions.models import Adoption, AdoptionState, Fee, Frequency, Gift, Payment, PaymentKind, PlanPrice, Supporter
from tests.makers import make_active_adoption, make_adoption, make_payment, make_plan, make_supporter

pytestmark = pytest.mark.django_db


def refused(**values: Any) -> bool:
    try:
        with transaction.atomic():
            make_adoption(**values)
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize(
    "values",
    [
        {"state": AdoptionState.ACTIVE},
        {"state": AdoptionState.ENDED, "activated_at": timezone.now()},
        {"state": AdoptionState.ACTIVE, "activated_at": timezone.now(), "ended_at": timezone.now()},
        {"state": AdoptionState.ACTIVE, "activated_at": timezone.now(), "frequency": Frequency.MONTHLY},
        {"state": AdoptionState.PROCESSING, "frequency": Frequency.YEARLY},
        {"stripe_subscription_id": "sub_1"},
        {"amount_pence": 99},
        {"amount_pence": 1_000_001},
        {"state": AdoptionState.HELD},
    ],
)
def test_adoption_in_an_impossible_state_cannot_be_stored(values: dict[str, Any]) -> None:
    assert refused(**values)


def test_one_attempt_makes_one_adoption() -> None:
    adoption = make_adoption()
    assert refused(attempt=adoption.attempt)


def test_supporter_is_one_per_address_however_written() -> None:
    make_supporter(email="amara@example.org")
    with pytest.raises(IntegrityError):
        Supporter.objects.create(name="Amara", email="AMARA@example.org")


def test_payment_is_never_changed_or_deleted() -> None:
    payment = make_active_adoption().payments.get()
    for act in (lambda: Payment.objects.filter(pk=payment.pk).update(amount_pence=1), payment.delete):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            act()
    payment.refresh_from_db()
    assert payment.amount_pence == 3600


def test_fee_is_never_changed_or_deleted_and_is_of_one_payment() -> None:
    payment = make_active_adoption().payments.get()
    fee = Fee.objects.create(payment=payment, amount_pence=74, stripe_id="txn_1", payout_id="po_1")
    for act in (lambda: Fee.objects.update(amount_pence=1), fee.delete):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            act()
    with pytest.raises(IntegrityError):
        Fee.objects.create(payment=payment, amount_pence=74, stripe_id="txn_2", payout_id="po_1")


def test_payment_is_stored_once_per_id() -> None:
    payment = make_active_adoption().payments.get()
    with pytest.raises(IntegrityError):
        make_payment(payment.adoption, stripe_id=payment.stripe_id)


@pytest.mark.parametrize(
    "values",
    [
        {"kind": PaymentKind.CHARGE, "amount_pence": -1},
        {"kind": PaymentKind.CHARGE, "amount_pence": 0},
        {"kind": PaymentKind.REFUND, "amount_pence": -100},  # of no charge
    ],
)
def test_payment_with_a_wrong_sign_or_without_its_charge_cannot_be_stored(values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        make_payment(make_adoption(), stripe_id=uuid.uuid4().hex, **values)


def test_refunds_cannot_exceed_their_charge() -> None:
    adoption = make_active_adoption()
    charge = adoption.payments.get()
    make_payment(adoption, kind=PaymentKind.REFUND, charge=charge, amount_pence=-3000, stripe_id="re_1")
    with pytest.raises(IntegrityError, match="exceed"), transaction.atomic():
        make_payment(adoption, kind=PaymentKind.REFUND, charge=charge, amount_pence=-601, stripe_id="re_2")
    make_payment(adoption, kind=PaymentKind.REFUND, charge=charge, amount_pence=-600, stripe_id="re_3")
    assert adoption.payments.balance_pence() == 0


def test_price_with_crossed_bounds_cannot_be_stored() -> None:
    plan = make_plan()
    with pytest.raises(IntegrityError):
        PlanPrice.objects.filter(plan=plan, frequency="once").update(minimum_pence=5000, suggested_pence=3600)


@pytest.mark.parametrize(
    "state", [s for s in AdoptionState if s not in {"pending", "processing", "abandoned", "past_due"}]
)
def test_activate_moves_only_what_waits_for_money(state: AdoptionState) -> None:
    now = timezone.now()
    adoption = make_adoption(
        state=state,
        activated_at=now if state in {"active", "ended"} else None,
        ended_at=now if state == "ended" else None,
        held_because="look" if state == "held" else "",
    )
    assert Adoption.objects.filter(pk=adoption.pk).activate() == 0
    adoption.refresh_from_db()
    assert adoption.state == state


def test_certificate_carries_the_recipient_of_a_gift() -> None:
    adoption = make_active_adoption(is_gift=True)
    Gift.objects.create(adoption=adoption, recipient_name="Ellie")
    assert (adoption.certificate_name, make_active_adoption().certificate_name) == ("Ellie", "Amara Supporter")
