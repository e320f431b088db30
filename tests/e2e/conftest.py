"""A running site, as `make run` starts it, and a person at a browser who knows only its banner."""

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, StorageState, ViewportSize, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from tests.config.local.checkouts import Demo, copy_of_project, eventually, free_port, open_to_postgres, running_demo
from tests.migrated_database import put_into

# The shell has no windows to draw: the browser tests take two thirds of the time with it.
KINDS = ("chromium-headless-shell", "chromium")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, KINDS)), "/usr/bin/chromium")
# Without the background switches Chromium looks for its maker's servers at every start.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = ViewportSize(width=360, height=780)
DESK = ViewportSize(width=1440, height=900)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[Demo]:
    folder = copy_of_project(open_to_postgres(tmp_path_factory.mktemp("e2e") / "a site"))
    with django_db_blocker.unblock():
        put_into(folder)
    with running_demo(folder, free_port()) as running:
        yield running


@pytest.fixture(scope="session")
def banner(demo: Demo) -> dict[str, str]:
    return demo.banner


@pytest.fixture
def context(browser: Browser, banner: dict[str, str]) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=banner["Site"], viewport=DESK)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which any error of a script, or any breach of the content policy, fails the test."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    assert [c for c in complaints if "status of 4" not in c and "status of 5" not in c] == []


class Mailbox:
    """What the development mailbox holds, read as a script would."""

    def __init__(self, address: str) -> None:
        self.address = address

    def messages(self, to: str) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.address}messages.json", timeout=10) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())["messages"]
        return [message for message in found if to in str(message["to"])]

    def has(self, to: str, number: int) -> bool:
        """False also while the mailbox is on its way back from being killed."""
        try:
            return len(self.messages(to)) >= number
        except OSError:
            return False

    def wait_for(self, to: str, number: int = 1) -> list[dict[str, Any]]:
        eventually(lambda: self.has(to, number), f"{number} mails came to {to}")
        return self.messages(to)


@pytest.fixture
def mailbox(banner: dict[str, str]) -> Mailbox:
    return Mailbox(banner["Mailbox"])


@pytest.fixture(scope="session")
def signed_in(browser: Browser, banner: dict[str, str]) -> StorageState:
    """A member of staff signs in to the admin with what the banner says, once: a password takes a second to check."""
    context = browser.new_context(base_url=banner["Site"], viewport=DESK)
    page = context.new_page()
    page.goto(banner["Admin"])
    page.get_by_label("Username").fill(banner["Staff user"])
    page.get_by_label("Password").fill(banner["Password"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def staff(browser: Browser, banner: dict[str, str], signed_in: StorageState) -> Iterator[Page]:
    """The admin's first page, before a member of staff."""
    context = browser.new_context(base_url=banner["Site"], viewport=DESK, storage_state=signed_in)
    page = context.new_page()
    page.goto(banner["Admin"])
    yield page
    context.close()
