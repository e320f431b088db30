"""A present from the form to the thank-you, and all of “My adoption”: on a phone, by the keyboard alone."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.config.local.checkouts import Demo
from tests.e2e.conftest import PHONE, Mailbox
from tests.e2e.test_pages_in_a_browser import findings

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


NAME = """() => {
    const it = document.activeElement;
    return (it.labels?.[0] ?? it).textContent.replace(/\\s+/g, " ").trim();
}"""
GROUP = """() => [...document.querySelectorAll(`input[name="${document.activeElement.name}"]`)].map(
    it => it.labels[0].textContent).join()"""


def reach(page: Page, name: str) -> None:
    """Go on by the tabulator alone to the next thing of this name: a link, a button or a field."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(NAME) == name:
            return
    raise AssertionError(f"“{name}” cannot be reached by the tabulator.")


def press(page: Page, name: str, *, leads_on: bool = True) -> None:
    """Press a link or a button, and wait for the page it leads to."""
    reach(page, name)
    with page.expect_navigation() if leads_on else nullcontext():
        page.keyboard.press("Enter")


def enter(page: Page, label: str, words: str) -> None:
    """Type into a field over what stands in it."""
    reach(page, label)
    page.keyboard.press("Control+A")
    page.keyboard.type(words)


def choose(page: Page, name: str) -> None:
    """One of several choices, which the tabulator enters as one and the arrows walk."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "radio" and name in page.evaluate(GROUP):
            break
    for _ in range(10):
        if page.evaluate(NAME).startswith(name):
            page.keyboard.press("Space")
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"“{name}” cannot be chosen by the arrows.")


def link(text: str, shape: str) -> str:
    found = re.search(rf"http://\S+{shape}", text)
    assert found, text
    return found.group()


def sign_in(page: Page, mailbox: Mailbox, email: str) -> None:
    page.goto("my-adoption/")
    looks_right(page)
    enter(page, "Your email address", email)
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


PAY = {"Once": "Pay £36", "Every month": "Pay £5 every month"}
AMOUNTS = {"Once": "£36", "Every month": "£5"}


def a_day_to_come() -> str:
    """A day whose number and month are the same: browsers ask for the two in the order of their own country."""
    day = date.today() + timedelta(days=1)  # noqa: DTZ011  as the browser's own calendar
    while day.day != day.month:
        day += timedelta(days=1)
    return day.strftime("%d%m%Y")


def adopt(page: Page, frequency: str, email: str, recipient: str = "") -> None:
    """From the form to the thanks. A recipient has an address of their own name, and a day."""
    page.goto("adopt/amur-leopard/")
    choose(page, frequency)
    choose(page, AMOUNTS[frequency])
    if recipient:
        choose(page, "It is a gift for somebody else")
        enter(page, "Name of the person you give it to", recipient)
        enter(page, "Your message (optional)", f"Dear {recipient}, she walks for you.")
        choose(page, "Email it to them on a day I choose")
        enter(page, "Their email address", f"{recipient.lower()}@example.org")
        reach(page, "On which day?")
        page.keyboard.type(a_day_to_come())
        looks_right(page)
    enter(page, "Your name", "Amara Supporter")
    enter(page, "Your email address", email)
    press(page, "Check your answers")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    if recipient:
        looks_right(page)
    press(page, f"{PAY[frequency]}: continue to Stripe")
    choose(page, "Card that pays")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    if recipient:
        looks_right(page)


def test_gift_aid_line_follows_the_amount(phone: Page) -> None:
    phone.goto("adopt/amur-leopard/?frequency=monthly")
    line = phone.locator(".gift-aid-line")
    expect(line).to_have_text("Gift Aid adds £1.25 to a gift of £5.")
    phone.get_by_role("radio", name="Once").check()
    expect(line).to_have_text("Gift Aid adds £9 to a gift of £36.")
    phone.locator("#id_amount_once").get_by_role("radio", name="Another amount").check()
    phone.get_by_label("Other amount in pounds").fill("£1,234.50")
    expect(line).to_have_text("Gift Aid adds £308.62 to a gift of £1,234.50.")


def let_the_day_come(demo: Demo) -> None:
    """Every present is due, and the worker's minute is over."""
    act = "from adoptions import gifts, models; models.Gift.objects.update(deliver_on='2026-01-01'); gifts.send_due()"
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", act]
    subprocess.run(command, cwd=demo.checkout, env={**environment, "DEBUG": "True", "PORT": str(demo.port)}, check=True)


def test_present_is_mailed_on_its_day_opened_and_thanked_for(phone: Page, mailbox: Mailbox, demo: Demo) -> None:
    email = "amara-present@example.org"
    adopt(phone, "Once", email, recipient="Ellie")
    subjects = [mail["subject"] for mail in mailbox.wait_for(email, 2)]
    assert any("goes out" in subject for subject in subjects), subjects
    assert mailbox.messages("ellie@example.org") == []
    phone.context.clear_cookies()  # from here on it is Ellie's phone
    let_the_day_come(demo)
    [mail] = mailbox.wait_for("ellie@example.org")
    assert "Dear Ellie, she walks for you." in mail["text"]
    phone.goto(link(mail["text"], r"/gift/[\w-]+/"))
    looks_right(phone)
    press(phone, "Open your present")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("is adopted for you")
    expect(phone.locator(".gift-message")).to_have_text("Dear Ellie, she walks for you.")
    looks_right(phone)
    press(phone, "Share it")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Ellie has adopted the Amur leopard")
    looks_right(phone)
    press(phone, "check the certificate")
    expect(phone.get_by_role("status")).to_contain_text("Yes, it is from us")
    looks_right(phone)
    phone.go_back()
    phone.go_back()
    enter(phone, "Your words", "Thank you so much!")
    press(phone, "Send my thanks")
    expect(phone.locator("main")).to_contain_text("Your thank-you is on its way")
    assert phone.context.cookies() == []
    subjects = [mail["subject"] for mail in mailbox.wait_for(email, 4)]
    assert any("was opened" in subject for subject in subjects)
    assert any("thank-you" in subject for subject in subjects)


def test_supporter_changes_pauses_stops_and_takes_it_back(phone: Page, mailbox: Mailbox) -> None:
    email = "amara-keyboard@example.org"
    adopt(phone, "Every month", email)
    mailbox.wait_for(email)
    sign_in(phone, mailbox, email)
    press(phone, "Amur leopard")
    looks_right(phone)
    press(phone, "Change the amount")
    looks_right(phone)
    enter(phone, "New amount in pounds", "7.50")
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


def test_supporter_takes_everything_along_and_is_forgotten(phone: Page, mailbox: Mailbox) -> None:
    email = "amara-erased@example.org"
    adopt(phone, "Once", email)
    mailbox.wait_for(email)
    sign_in(phone, mailbox, email)
    press(phone, "My details")
    looks_right(phone)
    press(phone, "Declare Gift Aid")
    looks_right(phone)
    press(phone, "Leave it")
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
