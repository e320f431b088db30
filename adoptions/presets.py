"""What an address may fill in beforehand: `?plan=…&amount=…&frequency=…&gift=1&c=…`.

These are promises to mails sent long ago. A value we cannot use is ignored: never an error, never a blank page.
"""

import uuid
from typing import Any

from django.http import QueryDict

from config.fields import pence_from_pounds

from . import campaigns
from .forms import AS_GIFT, FOR_ME, OTHER
from .models import Plan


def chosen_plan(plans: list[Plan], query: QueryDict | dict[str, Any]) -> Plan:
    """The plan named in the address, or the first on offer."""
    return next((plan for plan in plans if plan.slug == query.get("plan")), plans[0])


def initial_answers(plan: Plan, query: QueryDict) -> dict[str, Any]:
    """The form's first answers for a visitor who came by this address."""
    prices = {price.frequency: price for price in plan.prices.all()}
    frequency = query.get("frequency", "")
    if frequency not in prices:
        frequency = next(iter(prices))
    initial: dict[str, Any] = {
        "frequency": frequency,
        "is_gift": AS_GIFT if query.get("gift") == "1" else FOR_ME,
        "attempt": uuid.uuid4(),
        "c": campaigns.code_in(query),
    }
    pence = pence_from_pounds(query.get("amount", ""))
    price = prices[frequency]
    if pence is not None and price.allows(pence):
        is_preset = pence in price.preset_pence
        initial[f"amount_{frequency}"] = str(pence) if is_preset else OTHER
        if not is_preset:
            initial["other_amount"] = f"{pence // 100}" + (f".{pence % 100:02}" if pence % 100 else "")
    return initial
