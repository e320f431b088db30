"""A practice site says so everywhere, writes to staff alone, and never works on real data, nor a real site on its."""

import pytest
from django.contrib.auth.models import User
from django.core import mail as outbox
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client
from pytest_django import Settings

from config import checks, practice
from config.mail import deliver, queue_rendered
from config.mail_words import Rendered
from config.models import Mail, SiteKind
from tests.makers import make_species

pytestmark = pytest.mark.django_db
BANNER = "Practice: nothing here is real."


@pytest.fixture
def practising(settings: Settings) -> None:
    settings.PRACTICE = True


@pytest.mark.usefixtures("practising")
def test_every_page_says_so_and_no_search_engine_keeps_it(client: Client) -> None:
    species = make_species()
    client.force_login(User.objects.create_superuser("marek"))
    for path in ("/", species.get_absolute_url(), "/adopt/amur-leopard/", "/admin/", "/privacy/"):
        response = client.get(path)
        assert BANNER in response.text, path
        assert response.headers["X-Robots-Tag"] == "noindex"
    assert BANNER in Client().get("/admin/login/").text


def test_no_other_site_says_so(client: Client) -> None:
    response = client.get("/")
    assert BANNER not in response.text
    assert "practice.css" not in response.text
    assert "X-Robots-Tag" not in response.headers


def sent_to(address: str) -> Mail:
    queue_rendered(
        "receipt", to=address, key=address, words=Rendered("Your receipt", "Thank you.", "<p>Thank you.</p>")
    )
    written = Mail.objects.get(to=address)
    deliver.func(written.pk)
    written.refresh_from_db()
    return written


@pytest.mark.usefixtures("practising")
def test_mail_reaches_staff_and_nobody_else() -> None:
    User.objects.create_user("marek", email="Marek@example.org", is_staff=True)
    User.objects.create_user("left", email="left@example.org", is_staff=True, is_active=False)
    to_staff, to_amara, to_left = (sent_to(f"{name}@example.org") for name in ("marek", "amara", "left"))
    assert [message.to for message in outbox.outbox] == [["marek@example.org"]]
    assert outbox.outbox[0].subject == "[Practice] Your receipt"
    assert to_staff.error == ""
    for kept in (to_amara, to_left):
        assert (kept.state, kept.error) == (
            "sent",
            "Practice: written, and not sent. Only staff receive mail from here.",
        )


def test_mail_of_every_other_site_reaches_everybody() -> None:
    assert sent_to("amara@example.org").error == ""
    assert outbox.outbox[0].subject == "Your receipt"


def test_database_is_claimed_once_and_refused_to_sites_of_another_kind(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)
    settings.DEBUG = True
    assert checks.database_is_this_sites(databases=["default"]) == []
    practice.claim_database()
    practice.claim_database()
    assert str(SiteKind.objects.get()) == "development"
    settings.PRACTICE = True
    [fault] = checks.database_is_this_sites(databases=["default"])
    assert fault.msg == "This is a practice site, and the database belongs to a development one."
    with pytest.raises(CommandError, match="belongs to a development one"):
        call_command("worker", "--batch", "--no-reload")
    with pytest.raises(practice.WrongDatabaseError):
        practice.refuse_database_of_others()
    settings.PRACTICE, settings.DEBUG = False, False
    with pytest.raises(practice.WrongDatabaseError, match="This is a live site"):
        practice.check_database()
    with pytest.raises(IntegrityError), transaction.atomic():
        SiteKind.objects.create(pk=2, kind="live")


def test_web_starts_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(practice, "check_database", away)
    monkeypatch.setattr(connection, "close", lambda: None)
    practice.refuse_database_of_others()
