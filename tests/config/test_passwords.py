"""What staff may not take for a password, beside what Django refuses."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from pytest_django import Settings


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
