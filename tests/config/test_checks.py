"""Production refuses to start half-configured, and says what is missing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from adoptions import access
from config import checks
from config.local.postgres import DATABASE, ensure_running
from config.staff_messages import OwnCookie
from tests.branches import in_project

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DEBUG": "False",
    "SECRET_KEY": "k8Zr-" * 12,
    "ALLOWED_HOSTS": "adopt.example.org",
    "SITE_URL": "https://adopt.example.org",
    # A server that is there: some checks of models ask which version it is.
    "DATABASE_URL": "postgres://postgres@/postgres",
    "STRIPE_SECRET_KEY": "sk_live_0123456789",
    "STRIPE_WEBHOOK_SECRETS": "whsec_a,whsec_b",
    "EMAIL_URL": "smtp+tls://u:p@mail.example.org:587",
    "DEFAULT_FROM_EMAIL": "Leopards <hello@example.org>",
    "CHARITY_NAME": "Leopard Trust",
    "CHARITY_NUMBER": "1234567",
}


@pytest.fixture(autouse=True, scope="module")
def server() -> None:
    ensure_running()


def check(*options: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    return manage("check", *options, **changes)


def manage(*arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """`manage.py check` in an environment of its own."""
    wanted = {**PRODUCTION, **changes}
    kept = {k: v for k, v in os.environ.items() if k == "PATH" or k.startswith("COVERAGE_")} | {
        "PGHOST": DATABASE["HOST"]
    }
    environment = {k: v for k, v in wanted.items() if v is not None} | in_project(kept)
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_production_configured_in_full_is_clean() -> None:
    done = check("--deploy", "--fail-level=WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.threat("P7")
@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"DEBUG"}))
def test_production_without_a_variable_does_not_start(name: str) -> None:
    done = check(**{name: None})
    assert done.returncode != 0
    assert f"Set {name} " in done.stderr


ONE_EACH = {
    "STRIPE_API_BASE": "http://127.0.0.1:8001",
    "STRIPE_WEBHOOK_SECRETS": "whsec_a,b",
    "SITE_URL": "https://other.example.org",
    "STAFF_TWO_FACTOR": "False",
    "COMMENTS_SHOWN_AT_ONCE": "adopters,everybody",
}


@pytest.mark.threat("M11", "P7")
@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        (ONE_EACH, ["E003", "E004", "E006", "E009", "E011"]),  # in one start, of two seconds
        ({"STRIPE_SECRET_KEY": "sk_test_0123"}, ["E002"]),
        ({"STRIPE_SECRET_KEY": "sk_test_standin"}, ["E002", "E003"]),
        ({"DEBUG": "True"}, ["E001"]),
        ({"PRACTICE": "True"}, ["E001"]),
        ({"PRACTICE": "True", "STRIPE_SECRET_KEY": "sk_test_standin"}, ["E003"]),
    ],
)
def test_dangerous_configuration_stops_the_start(changes: dict[str, str], codes: list[str]) -> None:
    done = check(**changes)
    assert done.returncode != 0
    assert sorted(re.findall(r"pugmark\.(E\d+)", done.stderr)) == codes


COOKIES = """
from django.conf import settings as s
from adoptions import access
from config.staff_messages import OwnCookie
print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, access.SESSION_COOKIE, access.BROWSER_COOKIE, OwnCookie.cookie_name)
print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_PATH, s.CSRF_COOKIE_PATH)
print(s.SESSION_COOKIE_DOMAIN, s.CSRF_COOKIE_DOMAIN)
"""


@pytest.mark.threat("L6")
def test_cookies_of_a_site_with_https_can_be_set_by_no_other_host() -> None:
    names, flags, domains = manage("shell", "--no-imports", "-c", COOKIES).stdout.splitlines()
    assert names == "__Host-staff __Host-csrf __Host-my-adoption __Host-asked __Host-messages"
    assert (flags, domains) == ("True True / /", "None None")
    own = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, access.SESSION_COOKIE, OwnCookie.cookie_name)
    assert own == ("staff", "csrf", "my-adoption", "messages")


def test_practice_takes_a_test_key() -> None:
    assert check(PRACTICE="True", STRIPE_SECRET_KEY="rk_test_0123").returncode == 0


def test_development_needs_no_configuration() -> None:
    nothing = dict.fromkeys(PRODUCTION)
    assert check(**{**nothing, "DEBUG": "True"}).returncode == 0


@pytest.mark.django_db
def test_connection_without_limits_of_time_is_told() -> None:
    assert checks.database_lets_nobody_wait_for_ever(databases=["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")
    [warning] = checks.database_lets_nobody_wait_for_ever(databases=["default"])
    assert warning.msg == "PostgreSQL gives this connection no lock_timeout."
    assert checks.database_lets_nobody_wait_for_ever() == []  # `check` alone asks no database
