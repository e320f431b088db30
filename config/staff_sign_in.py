"""Signing in to the admin, with an end to guessing before a password is even looked at.

A try is counted first and given back when it was right, so a member of staff who signs in often is never counted, and
a thousand guesses at once cost the hashing of a handful (threat L7). Nobody can lock a colleague out from elsewhere for
long: an account is only counted together with the network the guesses come from, and as a whole at a far higher number.
"""

from datetime import timedelta
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from .limits import Limit, client_address, network_of

FROM_A_NETWORK = Limit("sign-in from a network", times=10, per=timedelta(minutes=10))
TO_AN_ACCOUNT_FROM_A_NETWORK = Limit("sign-in to an account from a network", times=5, per=timedelta(minutes=10))
TO_AN_ACCOUNT = Limit("sign-in to an account", times=50, per=timedelta(hours=1))
TOO_MANY = "Too many tries. Wait ten minutes, or ask a colleague to set a new password for you."


class StaffSignInForm(AdminAuthenticationForm):
    def clean(self) -> dict[str, Any]:
        account = self.cleaned_data.get("username", "").strip().lower()
        network = network_of(client_address(self.request)) if self.request else "unknown"
        counted = [(FROM_A_NETWORK, network), (TO_AN_ACCOUNT_FROM_A_NETWORK, f"{account} {network}")]
        counted.append((TO_AN_ACCOUNT, account))
        if not all(limit.allows(who) for limit, who in counted):
            raise ValidationError(TOO_MANY, code="too_many")
        cleaned = super().clean()
        for limit, who in counted:
            limit.give_back(who)
        return cleaned
