"""What staff may not take for a password, beside what Django refuses."""

from hashlib import sha1
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from pytest_django import Settings

from config.passwords import LeakedPasswordValidator


@pytest.mark.threat("L7")
@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("DemonstrationLeopard", False),
        ("Adopt-Pugmark-2026!", False),
        ("leopardleopardleopard", False),
        ("snow leopard on a far ridge", True),
        ("quite another sentence", True),
    ],
)
def test_password_is_not_mostly_words_of_ours(settings: Settings, password: str, is_good: bool) -> None:
    settings.CHARITY = {**settings.CHARITY, "name": "Demonstration Leopard Trust"}
    if is_good:
        validate_password(password)
    else:
        with pytest.raises(ValidationError, match="belong to this site"):
            validate_password(password)


LEAKED = "correct horse battery staple"


@pytest.mark.threat("L7")
def test_leaked_password_is_refused_and_five_characters_of_its_hash_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = sha1(LEAKED.encode(), usedforsecurity=False).hexdigest().upper()
    asked: list[str] = []

    def answer(url: str, **_: Any) -> SimpleNamespace:
        asked.append(url.rpartition("/")[2])
        return SimpleNamespace(text=f"{'0' * 35}:3\r\n{digest[5:]}:1,234", raise_for_status=lambda: None)

    monkeypatch.setattr(requests, "get", answer)
    with pytest.raises(ValidationError, match="list of leaked"):
        LeakedPasswordValidator().validate(LEAKED)
    LeakedPasswordValidator().validate("quite another sentence")
    assert [len(prefix) for prefix in asked] == [5, 5]
    assert asked[0] == digest[:5]


@pytest.mark.threat("L7")
@pytest.mark.parametrize("is_reached", [True, False])
def test_without_the_list_common_ones_alone_are_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_reached: bool
) -> None:
    def answer(url: str, **_: Any) -> SimpleNamespace:
        if is_reached:
            return SimpleNamespace(text="<h1>Sign in to the Wi-Fi</h1>", raise_for_status=lambda: None)
        raise requests.ConnectionError(url)

    monkeypatch.setattr(requests, "get", answer)
    LeakedPasswordValidator().validate(LEAKED)
    with pytest.raises(ValidationError, match="too common"):
        LeakedPasswordValidator().validate("1234567890")
    [line] = caplog.messages
    assert line.startswith("The list of leaked passwords could not be asked:")
    assert sha1(LEAKED.encode(), usedforsecurity=False).hexdigest().upper()[:5] not in line
