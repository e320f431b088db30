"""The second step of a sign-in: six digits that an app on one's own phone shows, or a recovery code kept on paper.

A stolen password alone then opens nothing (threat L8). Codes are django-otp's; counting guesses is ours, because a
code has only a million values: five tries in ten minutes and twenty a day for an account, from wherever they come.
"""

import re
from datetime import timedelta
from typing import Any, cast

import segno
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django_otp import login, verify_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

from . import account_notices, fresh_sign_in
from .limits import Limit

GUESSES = Limit("code of an account", times=5, per=timedelta(minutes=10))
GUESSES_A_DAY = Limit("code of an account in a day", times=20, per=timedelta(days=1))
RECOVERY_CODES = 10
SALT = "a key for the second step"
KEY_GOOD_FOR = 3600  # seconds, from the page with the picture to its first code


class TooManyGuesses(Exception):
    """Not even looked at."""


def is_missing(request: HttpRequest) -> bool:
    """Signed in with a password alone where a code is asked too: of all in production, else of those who set it up."""
    user = request.user
    if not user.is_authenticated or getattr(user, "otp_device", None):
        return False
    known = vars(request)
    if "has_second_step" not in known:
        known["has_second_step"] = is_set_up(user)
    return settings.STAFF_TWO_FACTOR or known["has_second_step"]


def is_set_up(user: AbstractBaseUser | AnonymousUser) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def passed(request: HttpRequest, code: str) -> bool:
    """Take the step with a code of either kind; a code is good once. Raises TooManyGuesses."""
    account = str(request.user.pk)
    counted = (GUESSES, GUESSES_A_DAY)
    if not all(limit.allows(account) for limit in counted):
        raise TooManyGuesses
    code = re.sub(r"[\s-]", "", code).lower()
    kind = TOTPDevice if code.isascii() and code.isdigit() else StaticDevice
    devices = kind.objects.filter(user=request.user.pk, confirmed=True)
    with transaction.atomic():
        device = next((d for d in devices if verify_token(request.user, d.persistent_id, code)), None)
        if isinstance(device, StaticDevice):
            account_notices.tell(request, cast(User, request.user), account_notices.RECOVERY_CODE)
    if device is None:
        return False
    for limit in counted:
        limit.give_back(account)
    take(request, device)
    return True


def take(request: HttpRequest, device: TOTPDevice | StaticDevice) -> None:
    login(request, device)
    fresh_sign_in.note(request)


@receiver(user_logged_in)
def note_password(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Of who has a second step, a password alone shows nothing."""
    if not is_set_up(user):
        fresh_sign_in.note(request)


def codes_left(user: AbstractBaseUser | AnonymousUser) -> int:
    return int(StaticToken.objects.filter(device__user=user).count())


# --- setting it up -------------------------------------------------------------------------------------------------


def new_key(user: User) -> str:
    """A key to show, signed so that it comes back as it was: nothing is stored until its first code is right."""
    return signing.dumps([user.pk, default_key()], salt=SALT)


def unconfirmed(user: User, signed_key: str) -> TOTPDevice:
    """Raises signing.BadSignature for one that is not theirs, or too old."""
    owner, key = signing.loads(signed_key, salt=SALT, max_age=KEY_GOOD_FOR)
    if owner != user.pk:
        raise signing.BadSignature("Somebody else's.")
    return TOTPDevice(user=user, key=key, name="phone")


def picture(device: TOTPDevice) -> str:
    """The QR code an app reads, as an address for <img>."""
    return str(segno.make(device.config_url, error="m").svg_data_uri(scale=5, dark="#000", light="#fff"))


def typed_key(device: TOTPDevice) -> str:
    """The key for somebody who types it, in fours."""
    secret = re.search(r"secret=(\w+)", device.config_url)
    return " ".join(re.findall("....", secret[1] if secret else ""))


def set_up(request: HttpRequest, device: TOTPDevice, code: str) -> list[str]:
    """Make it theirs in place of what they had, and take the step. New recovery codes; none if the code was wrong."""
    digits = re.sub(r"\s", "", code)
    with transaction.atomic():
        device.save()
        if not device.verify_token(digits):
            transaction.set_rollback(True)
            return []
        ended, _ = TOTPDevice.objects.filter(user=device.user_id).exclude(pk=device.pk).delete()
        codes = make_recovery_codes(device.user_id)
        event = account_notices.OTHER_PHONE if ended else account_notices.FIRST_PHONE
        account_notices.tell(request, cast(User, request.user), event)
    take(request, device)
    return codes


def make_recovery_codes(user_id: int) -> list[str]:
    StaticDevice.objects.filter(user=user_id).delete()
    paper = StaticDevice.objects.create(user_id=user_id, name="paper")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=paper, token=code) for code in codes)
    return [f"{code[:4]}-{code[4:]}" for code in codes]


@transaction.atomic
def forget(user_ids: list[int]) -> list[User]:
    """For who lost phone and paper: they set it up anew at their next sign-in. Those who had one."""
    StaticDevice.objects.filter(user__in=user_ids).delete()
    found = TOTPDevice.objects.select_for_update(of=("self",)).filter(user__in=user_ids)
    devices = list(found.select_related("user").order_by("pk"))
    TOTPDevice.objects.filter(pk__in=[device.pk for device in devices]).delete()
    return list({device.user_id: device.user for device in devices if device.confirmed}.values())
