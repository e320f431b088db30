"""Signing in to the admin, with an end to guessing before a password is even looked at.

A try is counted first and given back when it was right, so a member of staff who signs in often is never counted, and
a thousand guesses at once cost the hashing of a handful (threat L7). Nobody can lock a colleague out from elsewhere for
long: an account is only counted together with the network the guesses come from, and as a whole at a far higher number.
"""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest

from .limits import Limit, client_address, network_of

FROM_A_NETWORK = Limit("sign-in from a network", times=10, per=timedelta(minutes=10))
TO_AN_ACCOUNT_FROM_A_NETWORK = Limit("sign-in to an account from a network", times=5, per=timedelta(minutes=10))
TO_AN_ACCOUNT = Limit("sign-in to an account", times=50, per=timedelta(hours=1))
OLD_PASSWORD = Limit("old password of an account", times=5, per=timedelta(minutes=10))
WRONG = "That is not your password. Capitals count."
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


class PasswordForm(forms.Form):
    """Of somebody who is signed in; a guess counts as one of a sign-in, for it is no less."""

    password = forms.CharField(
        strip=False, widget=forms.PasswordInput({"autocomplete": "current-password", "autofocus": True})
    )

    def __init__(self, data: Any = None, *, request: HttpRequest) -> None:
        super().__init__(data)
        self.request = request

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        sign_in = StaffSignInForm(self.request, {"username": self.request.user.get_username(), "password": password})
        if not sign_in.is_valid():
            raise ValidationError(TOO_MANY if sign_in.has_error(NON_FIELD_ERRORS, "too_many") else WRONG)
        return password


class OwnPasswordForm(AdminPasswordChangeForm):
    """The old password of somebody who is signed in is no more to be guessed here than where it lets in."""

    def clean_old_password(self) -> str:
        account = str(self.user.pk)
        if not OLD_PASSWORD.allows(account):
            raise ValidationError(TOO_MANY, code="too_many")
        password: str = super().clean_old_password()
        OLD_PASSWORD.give_back(account)
        return password
