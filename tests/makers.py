"""Objects for tests, as small as the database allows. People have names: Amara supports, Marek moderates."""

import uuid
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from adoptions.models import Adoption, AdoptionState, Campaign, Frequency, Payment, PaymentKind, Plan, Supporter
from config import roles
from species.models import Species

_permissions: dict[str, list[int]] = {}  # by role, as this process loaded them for the first time


def put_roles() -> None:
    """As `roles.load()` leaves them, in a third of the time; loading itself is tested in site/test_roles.py."""
    if not _permissions:
        roles.load()
        found = Group.objects.filter(name__in=roles.ROLES).prefetch_related("permissions")
        _permissions.update({group.name: [each.pk for each in group.permissions.all()] for group in found})
    elif not Group.objects.filter(name__in=_permissions).exists():
        groups = Group.objects.bulk_create(Group(name=name) for name in _permissions)
        held = Group.permissions.through
        held.objects.bulk_create(
            held(group=each, permission_id=pk) for each in groups for pk in _permissions[each.name]
        )


def make_species(slug: str = "amur-leopard", **values: Any) -> Species:
    names = {"common_name": slug.replace("-", " ").capitalize(), "scientific_name": "Panthera pardus orientalis"}
    return Species.objects.get_or_create(slug=slug, defaults={**names, **values})[0]


def make_campaign(code: str = "leopard26", **values: Any) -> Campaign:
    return Campaign.objects.create(code=code, **{"name": "Winter mailing", "species": make_species(), **values})


def make_plan() -> Plan:
    """The plan every site starts with; made again where a test's flush took it."""
    plan, is_new = Plan.objects.get_or_create(slug="friend", defaults={"name": "Adopt"})
    if is_new:
        for frequency, presets in (("monthly", [300, 500, 1000]), ("once", [2400, 3600]), ("yearly", [3600, 6000])):
            plan.prices.create(
                frequency=frequency,
                minimum_pence=300,
                maximum_pence=1_000_000,
                preset_pence=presets,
                suggested_pence=presets[1],
            )
    return plan


def make_supporter(name: str = "Amara Supporter", email: str = "amara@example.org") -> Supporter:
    return Supporter.objects.get_or_create(email=email, defaults={"name": name})[0]


def make_adoption(**values: Any) -> Adoption:
    """A pending single adoption of £36, unless told otherwise."""
    defaults: dict[str, Any] = {
        "attempt": uuid.uuid4(),
        "supporter": values.pop("supporter", None) or make_supporter(),
        "species": values.pop("species", None) or make_species(),
        "plan": values.pop("plan", None) or make_plan(),
        "frequency": Frequency.ONCE,
        "amount_pence": 3600,
    }
    return Adoption.objects.create(**{**defaults, **values})


def make_active_adoption(**values: Any) -> Adoption:
    """Adopted and paid for, with its one payment in the ledger."""
    adoption = make_adoption(state=AdoptionState.ACTIVE, activated_at=timezone.now(), **values)
    make_payment(adoption)
    return adoption


def make_payment(adoption: Adoption, **values: Any) -> Payment:
    defaults: dict[str, Any] = {
        "kind": PaymentKind.CHARGE,
        "amount_pence": adoption.amount_pence,
        "stripe_id": f"ch_{uuid.uuid4().hex[:24]}",
        "occurred_at": timezone.now(),
    }
    return Payment.objects.create(adoption=adoption, **{**defaults, **values})
