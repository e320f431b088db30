"""A part that is away delays and loses nothing: everything is delivered once when it is back."""

import os
import re
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.config.local.checkouts import Demo, eventually, processes_in
from tests.e2e.conftest import Mailbox
from tests.e2e.test_whole_path import pay, read_and_choose

pytestmark = pytest.mark.browser


def pids(demo: Demo, part: str) -> list[int]:
    """The processes of one part of the demonstration."""
    tail = f"config.local.child\0{part}\0".encode()
    return [pid for pid in processes_in(demo.checkout) if tail in Path(f"/proc/{pid}/cmdline").read_bytes() + b"\0"]


@contextmanager
def stopped(demo: Demo, part: str) -> Iterator[None]:
    """A part that hangs, as one on a machine out of breath does."""
    held = pids(demo, part)
    assert held, f"no process of the {part}"
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in held:
            os.kill(pid, signal.SIGCONT)


def adopt(page: Page, email: str) -> None:
    read_and_choose(page, "amur-leopard", "Once", email)
    page.get_by_role("button", name=re.compile("continue to Stripe")).click()
    pay(page, "Card that pays 4242")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")


def one_payment_and_one_mail(staff: Page, mailbox: Mailbox, email: str) -> None:
    mailbox.wait_for(email)
    staff.goto(f"admin/adoptions/adoption/?q={email}")
    row = staff.locator("#result_list tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Active")
    row.get_by_role("link").first.click()
    expect(staff.locator("#payments-group tbody tr[id]")).to_have_count(1)
    assert len(mailbox.messages(email)) == 1


def test_worker_away_while_adopting(demo: Demo, page: Page, staff: Page, mailbox: Mailbox) -> None:
    email = f"amara-{uuid.uuid4().hex[:8]}@example.org"
    with stopped(demo, "worker"):
        adopt(page, email)
        assert mailbox.messages(email) == []
    one_payment_and_one_mail(staff, mailbox, email)


@pytest.mark.threat("X5")
def test_worker_killed_while_adopting(demo: Demo, page: Page, staff: Page, mailbox: Mailbox) -> None:
    email = f"amara-{uuid.uuid4().hex[:8]}@example.org"
    for pid in pids(demo, "worker"):
        os.kill(pid, signal.SIGKILL)
    adopt(page, email)
    one_payment_and_one_mail(staff, mailbox, email)


@pytest.mark.threat("X3")
def test_mailbox_killed_while_adopting(demo: Demo, page: Page, staff: Page, mailbox: Mailbox) -> None:
    email = f"amara-{uuid.uuid4().hex[:8]}@example.org"
    held = pids(demo, "mailbox")
    for pid in held:
        os.kill(pid, signal.SIGKILL)
    adopt(page, email)
    eventually(lambda: pids(demo, "mailbox") not in ([], held), "the mailbox was back")
    one_payment_and_one_mail(staff, mailbox, email)
