"""The demonstration's password is shown as long as it opens the account, and not a moment longer."""

from pathlib import Path

import pytest
from django.contrib.auth import authenticate, get_user_model
from pytest_django import Settings

from config.local.staff import password_for_staff


@pytest.fixture(autouse=True)
def local_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.LOCAL_DIR = tmp_path
    return tmp_path


@pytest.mark.django_db
def test_password_opens_the_admin() -> None:
    user = authenticate(username="staff", password=password_for_staff())
    assert user is not None
    assert (user.is_staff, user.is_superuser) == (True, True)


@pytest.mark.django_db
def test_password_is_the_same_at_every_start(local_dir: Path) -> None:
    assert password_for_staff() == password_for_staff()
    assert (local_dir / "staff-password").stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_password_is_forgotten_once_the_owner_chose_another(local_dir: Path) -> None:
    password_for_staff()
    user = get_user_model().objects.get(username="staff")
    user.set_password("my own long password")
    user.save(update_fields=["password"])
    assert password_for_staff() is None
    assert not (local_dir / "staff-password").exists()
    assert authenticate(username="staff", password="my own long password") == user


@pytest.mark.django_db
def test_password_of_an_older_database_is_not_shown(local_dir: Path) -> None:
    (local_dir / "staff-password").write_text("left from a database that has gone\n")
    password = password_for_staff()
    assert password is not None
    assert password != "left from a database that has gone"
    assert authenticate(username="staff", password=password) is not None
