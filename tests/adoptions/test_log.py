"""What stands in the log: ids and what went wrong, in lines of ours, and nobody's name, address or words."""

import io
import logging
import re
import secrets
import uuid
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from adoptions.models import PaymentLink
from config.models import Mail
from species import comment_links
from tests.adoptions.conftest import Amara, carry, work
from tests.adoptions.visitors import ask_for_link, code_in, link_in
from tests.makers import make_adoption
from tests.species.makers import make_moderator

SECRETS = ("amara@example.org", "Amara Supporter", "Ellie", "whsec_", "sk_test_", "How do they sleep")


@pytest.mark.threat("O5", "P7")
def test_log_names_nobody_and_holds_no_secret(
    amara: Amara, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    caplog.set_level(logging.INFO)
    amara.stripe.control("faults", fail=3)
    amara.press_pay(is_gift="gift", recipient_name="Ellie")
    amara.stripe.control("faults", fail=0)
    adoption = amara.adopt(is_gift="gift", recipient_name="Ellie")
    amara.come_back(adoption)
    carry(amara.client, amara.stripe.events())
    work()
    amara.client.post("/stripe/webhook/", b'{"email": "amara@example.org"}', content_type="application/json")
    words = {"name": "Amara Supporter", "email": "amara@example.org", "comment": "How do they sleep?"}
    amara.client.post("/species/amur-leopard/comments/", words)
    ask_for_link(amara.client, "amara@example.org")
    mail = Mail.objects.get(kind="manage_link")
    Client().post(link_in(mail), {"code": "000000"})
    Client().post("/admin/login/", {"username": "amara@example.org", "password": "How do they sleep at night"})
    Client().get("/admin/adoptions/supporter/?q=amara@example.org")
    Client().get("/no/such/page/?email=amara@example.org")
    assert len(caplog.records) > 5
    assert [secret for secret in (*SECRETS, code_in(mail)) if secret in caplog.text] == []


@pytest.mark.threat("O5")
def test_no_address_forges_a_line(client: Client, caplog: pytest.LogCaptureFixture, db: None) -> None:
    caplog.set_level(logging.INFO)
    ends = ["\n", "\r\n", "\r", "\x0b", "\x1b[2J", "\u2028", "\x85"]
    for end in ends:
        for address in ("/{}/", "/species/{}/", "/adoptions/{}/certificate/"):
            client.get(address.format(f"x{end}2026-11-28 CRITICAL root The money is gone"))
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3 * len(ends)
    assert [line for line in lines if not line.isprintable()] == []


@pytest.mark.threat("L2")
def test_log_holds_no_secret_of_a_link(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the handler of the settings writes it."""
    [console] = [handler for handler in logging.root.handlers if handler.name == "console"]
    assert isinstance(console, logging.StreamHandler)
    written = io.StringIO()
    monkeypatch.setattr(console, "stream", written)
    moderator = make_moderator()
    paths = [
        f"/gift/{secrets.token_urlsafe(24)}/",
        f"/my-adoption/{secrets.token_urlsafe(32)}/",
        f"/adoptions/{uuid.uuid4()}/thanks/",
        f"/adoptions/{make_adoption().token}/certificate.pdf",
        f"/unsubscribe/{secrets.token_urlsafe(24)}/",
        f"{PaymentLink(pk=17).get_absolute_url()[:-2]}x/",
        f"{urlsplit(comment_links.moderate(moderator)).path[:-2]}x/",
    ]
    for path in [*paths, "/no/such/page-of-a-very-long-name/"]:
        assert client.get(path).status_code == 404, path
    lines = written.getvalue().splitlines()
    assert len(lines) == len(paths) + 1
    assert "/no/such/page-of-a-very-long-name/" in lines[-1]
    assert [line for line in lines[:-1] if "(secret)" not in line or re.search(r"[\w-]{22,}", line)] == []
