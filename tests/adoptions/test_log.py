"""What stands in the log: ids and what went wrong, in lines of ours, and nobody's name, address or words."""

import logging

import pytest
from django.test import Client
from pytest_django import Settings

from config.models import Mail
from tests.adoptions.conftest import Amara, carry, work
from tests.adoptions.visitors import ask_for_link, code_in, link_in

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
