"""A present from the form to the thank-you, and all of “My adoption”: on a phone, by the keyboard alone."""

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PHONE, Mailbox
from tests.e2e.test_pages_in_a_browser import findings
from tests.e2e.test_whole_path import pay, read_and_choose

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(browser: Browser, banner: dict[str, str]) -> Iterator[Page]:
    context = browser.new_context(base_url=banner["Site"], viewport=PHONE)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def looks_right(page: Page) -> None:
    """Nothing for axe to object to, and nothing wider than the phone."""
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def press(page: Page, name: str, *, leads_on: bool = True) -> None:
    """Reach a link or a button by the tabulator alone, press it, and wait for the page it leads to."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.replace(/\\s+/g, ' ').trim()") == name:
            with page.expect_navigation() if leads_on else nullcontext():
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"“{name}” cannot be reached by the tabulator.")


def link(text: str, shape: str) -> str:
    found = re.search(rf"http://\S+{shape}", text)
    assert found, text
    return found.group()


def sign_in(page: Page, mailbox: Mailbox, email: str) -> None:
    page.goto("my-adoption/")
    looks_right(page)
    page.get_by_label("Your email address").fill(email)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look in your mailbox")
    looks_right(page)
    before = len(mailbox.messages(email))
    mail = next(
        m for m in mailbox.wait_for(email, max(before, 2)) if "/my-adoption/" in m["text"] and "code" in m["text"]
    )
    page.goto(link(mail["text"], r"/my-adoption/[\w-]{43}/"))
    looks_right(page)
    press(page, "Open my adoption")
    expect(page.get_by_role("heading", level=1)).to_contain_text("thank you")
    looks_right(page)


def adopt(page: Page, frequency: str, email: str, recipient: str = "") -> None:
    read_and_choose(page, "amur-leopard", frequency, email, recipient=recipient)
    page.get_by_role("button", name=re.compile("continue to Stripe")).click()
    pay(page, "Card that pays 4242")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")


def test_gift_aid_line_follows_the_amount(phone: Page) -> None:
    phone.goto("adopt/amur-leopard/?frequency=monthly")
    line = phone.locator(".gift-aid-line")
    expect(line).to_have_text("Gift Aid adds £1.25 to a gift of £5.")
    phone.get_by_role("radio", name="Once").check()
    expect(line).to_have_text("Gift Aid adds £9 to a gift of £36.")
    phone.locator("#id_amount_once").get_by_role("radio", name="Another amount").check()
    phone.get_by_label("Other amount in pounds").fill("£1,234.50")
    expect(line).to_have_text("Gift Aid adds £308.62 to a gift of £1,234.50.")


def test_present_is_opened_and_thanked_for(page: Page, phone: Page, mailbox: Mailbox) -> None:
    email = "amara-present@example.org"
    adopt(page, "Once", email, recipient="Ellie")
    [receipt] = mailbox.wait_for(email)
    phone.goto(link(receipt["text"], r"/gift/[\w-]+/"))
    looks_right(phone)
    press(phone, "Open your present")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("is adopted for you")
    looks_right(phone)
    press(phone, "Share it")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Ellie has adopted the Amur leopard")
    looks_right(phone)
    press(phone, "check the certificate")
    expect(phone.get_by_role("status")).to_contain_text("Yes, it is from us")
    looks_right(phone)
    phone.go_back()
    phone.go_back()
    phone.get_by_label("Your words").fill("Thank you so much!\nEllie")
    press(phone, "Send my thanks")
    expect(phone.locator("main")).to_contain_text("Your thank-you is on its way")
    assert phone.context.cookies() == []
    subjects = [mail["subject"] for mail in mailbox.wait_for(email, 3)]
    assert any("was opened" in subject for subject in subjects)
    assert any("thank-you" in subject for subject in subjects)


def test_supporter_changes_pauses_stops_and_takes_it_back(page: Page, phone: Page, mailbox: Mailbox) -> None:
    email = "amara-keyboard@example.org"
    adopt(page, "Every month", email)
    mailbox.wait_for(email)
    sign_in(phone, mailbox, email)
    press(phone, "Amur leopard")
    looks_right(phone)
    press(phone, "Change the amount")
    looks_right(phone)
    phone.get_by_label("New amount in pounds").fill("7.50")
    phone.keyboard.press("Enter")
    expect(phone.locator(".lead")).to_contain_text("£7.50 a month")
    press(phone, "Pause")
    looks_right(phone)
    press(phone, "Pause it")
    expect(phone.locator(".lead")).to_contain_text("Paused until")
    looks_right(phone)
    press(phone, "Take it up again")
    expect(phone.locator(".lead")).to_contain_text("Next payment on")
    press(phone, "Stop")
    looks_right(phone)
    press(phone, "Stop my adoption")
    expect(phone.locator("main")).to_contain_text("You have stopped this adoption")
    looks_right(phone)
    press(phone, "Go on after all")
    expect(phone.locator("main")).not_to_contain_text("You have stopped this adoption")


def test_supporter_takes_everything_along_and_is_forgotten(page: Page, phone: Page, mailbox: Mailbox) -> None:
    email = "amara-erased@example.org"
    adopt(page, "Once", email)
    mailbox.wait_for(email)
    sign_in(phone, mailbox, email)
    press(phone, "My details")
    looks_right(phone)
    with phone.expect_download() as download:
        press(phone, "Download everything (JSON)", leads_on=False)
    held = json.loads(download.value.path().read_text())
    assert held["you"]["email"] == email
    press(phone, "Erase me")
    looks_right(phone)
    press(phone, "Erase me for good")
    expect(phone.get_by_role("heading", level=1)).to_have_text("You are erased")
    looks_right(phone)
    phone.goto("my-adoption/")
    expect(phone.get_by_role("button", name="Send me my link")).to_be_visible()
