"""The stand-in's own pages in a browser: payable without JavaScript, readable by all, on a phone and in the dark."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.adoptions.standin.conftest import checkout, subscribe
from tests.standin import Standin, running

pytestmark = pytest.mark.browser


@pytest.fixture
def standin() -> Iterator[Standin]:
    with running() as found:
        yield found


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A page of another origin for the checkout to lead back to."""
    with running() as other:
        yield f"{other.url}/?said=Thank+you"


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """Without JavaScript; a word of complaint from the browser fails the test."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    assert complaints == []


def test_card_pays_and_the_browser_comes_back(standin: Standin, elsewhere: str, plain_page: Page) -> None:
    session = checkout(standin, success_url=elsewhere)
    plain_page.goto(str(session.url))
    plain_page.get_by_label("Card that is declined").check()
    plain_page.get_by_role("button", name="Give £12.00").click()
    expect(plain_page.get_by_role("alert")).to_contain_text("Your card was declined.")
    plain_page.get_by_role("button", name="Give £12.00").click()
    expect(plain_page).to_have_url(elsewhere)
    plain_page.go_back()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("This is already paid for")


def test_bank_asks_and_the_browser_comes_back(standin: Standin, elsewhere: str, plain_page: Page) -> None:
    session = checkout(standin, "subscription", success_url=elsewhere)
    plain_page.goto(str(session.url))
    plain_page.get_by_label("Card that asks for a confirmation").check()
    plain_page.get_by_role("button", name="Give £12.00 every month").click()
    plain_page.get_by_role("button", name="Complete the confirmation").click()
    expect(plain_page).to_have_url(elsewhere)


def test_person_can_go_back_without_paying(standin: Standin, elsewhere: str, plain_page: Page) -> None:
    session = checkout(standin, cancel_url=elsewhere)
    plain_page.goto(str(session.url))
    plain_page.get_by_role("link", name="Go back without paying").click()
    expect(plain_page).to_have_url(elsewhere)
    assert standin.client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_newcomer_moves_a_month_on(standin: Standin, plain_page: Page) -> None:
    key = subscribe(standin)
    plain_page.goto(standin.url)
    plain_page.get_by_role("button", name="A month").click()
    expect(plain_page.get_by_role("status")).to_have_text("Done.")
    assert len(standin.client.v1.invoices.list({"subscription": key}).data) == 2
    plain_page.get_by_label("Hold all back").check()
    plain_page.get_by_role("button", name="Set").first.click()
    expect(plain_page.get_by_label("Hold all back")).to_be_checked()
    plain_page.get_by_role("button", name="Refund all").first.click()
    assert standin.client.v1.charges.list().data[0].refunded is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_used_by_all_on_a_phone(standin: Standin, browser: Browser, scheme: str) -> None:
    declined = checkout(standin, "subscription", billing_address_collection="required").id
    standin.pay(declined, "declined")
    done = checkout(standin).id
    standin.pay(done)
    question = standin.press(f"/c/pay/{checkout(standin).id}", method="3ds").location
    key = subscribe(standin)
    standin.control("fail_renewals", subscription=key)
    standin.advance(months=1)
    invoice = standin.client.v1.invoices.list({"subscription": key}).data[0].id
    person = str(standin.client.v1.subscriptions.retrieve(key).customer)
    portal = standin.client.v1.billing_portal.sessions.create({"customer": person}).url.removeprefix(standin.url)
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    for address in (f"/c/pay/{declined}", f"/c/pay/{done}", question, f"/i/{invoice}", portal, "/", "/nowhere"):
        page.goto(standin.url + address)
        assert [fault["id"] for fault in Axe().run(page).response["violations"]] == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
    context.close()
