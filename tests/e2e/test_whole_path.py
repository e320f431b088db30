"""The whole path, by hand: read, adopt, pay, thanks, certificate, mail, comment, moderate, see it in the admin."""

import re
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Mailbox

pytestmark = pytest.mark.browser

SPECIES = {"amur-leopard": "Amur leopard", "amur-tiger": "Amur tiger", "snow-leopard": "Snow leopard"}
AMOUNTS = {"Once": "£36", "Every month": "£5", "Every year": "£60"}


def read_and_choose(page: Page, slug: str, frequency: str, email: str, *, recipient: str = "") -> None:
    """From the species page to the answers checked, as somebody who uses the page and not its addresses."""
    page.goto("")
    page.get_by_role("link", name=re.compile(SPECIES[slug], re.IGNORECASE)).first.click()
    page.goto(f"species/{slug}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(SPECIES[slug])
    page.get_by_role("link", name=re.compile("^Adopt", re.IGNORECASE)).first.click()
    page.get_by_role("radio", name=frequency).check()
    page.get_by_role("radio", name=AMOUNTS[frequency], exact=True).locator("visible=true").check()
    if recipient:
        page.get_by_role("radio", name=re.compile("gift")).check()
        page.get_by_label("Name of the person you give it to").fill(recipient)
    page.get_by_label("Your name").fill("Amara Supporter")
    page.get_by_label("Your email address").fill(email)
    page.get_by_role("button", name="Check your answers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")


def pay(page: Page, card: str) -> None:
    page.get_by_role("radio", name=card).check()
    page.get_by_role("button", name=re.compile("^(Pay|Give|Subscribe)")).click()


@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.parametrize(("slug", "frequency"), list(zip(SPECIES, AMOUNTS, strict=True)))
def test_adopting_ends_in_one_active_adoption_one_payment_and_one_receipt(
    page: Page, staff: Page, mailbox: Mailbox, slug: str, frequency: str, time: int
) -> None:
    email = f"amara-{slug}-{time}@example.org"
    read_and_choose(page, slug, frequency, email)
    page.get_by_role("button", name=re.compile("continue to Stripe")).click()
    pay(page, "Card that pays 4242")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    expect(page.locator("main")).to_contain_text("Your payment has arrived")
    reference = page.get_by_text(re.compile("^PM-[A-Z0-9]{8}$")).first.inner_text()

    [mail] = mailbox.wait_for(email)
    assert SPECIES[slug].lower() in mail["subject"].lower()

    staff.goto(f"admin/adoptions/adoption/?q={reference}")
    row = staff.locator("#result_list tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Active")
    expect(row).to_contain_text(AMOUNTS[frequency])
    row.get_by_role("link").first.click()
    expect(staff.locator("#payments-group tbody tr[id]")).to_have_count(1)
    assert len(mailbox.messages(email)) == 1


def test_certificate_opens_from_the_receipt(page: Page, mailbox: Mailbox) -> None:
    email = "amara-certificate@example.org"
    read_and_choose(page, "amur-leopard", "Once", email, recipient="王小明")
    page.get_by_role("button", name=re.compile("continue to Stripe")).click()
    pay(page, "Card that pays 4242")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    [mail] = mailbox.wait_for(email)
    page.goto(mailbox.address)
    page.get_by_role("link", name=re.compile(re.escape(mail["subject"]))).first.click()
    [address] = set(re.findall(r"http://\S+certificate\.pdf", page.content().replace('"', " "))) or {""}
    with urllib.request.urlopen(address, timeout=20) as answer:
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.read(5) == b"%PDF-"


def test_declined_card_then_the_banks_question_then_paid(page: Page, mailbox: Mailbox) -> None:
    email = "amara-3ds@example.org"
    read_and_choose(page, "amur-leopard", "Every month", email)
    page.get_by_role("button", name=re.compile("continue to Stripe")).click()
    pay(page, "Card that is declined")
    expect(page.locator("body")).to_contain_text("Your card was declined")
    pay(page, "Card that asks for a confirmation")
    page.get_by_role("button", name="Complete the confirmation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    mailbox.wait_for(email)


def test_turning_back_at_stripe_loses_no_answer_and_pays_nothing(page: Page) -> None:
    read_and_choose(page, "amur-leopard", "Once", "amara-back@example.org")
    page.get_by_role("button", name=re.compile("continue to Stripe")).click()
    page.get_by_role("link", name=re.compile("back|cancel", re.IGNORECASE)).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Adopt the Amur leopard")
    expect(page.get_by_label("Your name")).to_have_value("Amara Supporter")
    expect(page.get_by_label("Your email address")).to_have_value("amara-back@example.org")


def test_reply_waits_for_a_moderator_and_then_shows(page: Page, staff: Page) -> None:
    page.goto("species/amur-leopard/")
    send = page.get_by_role("button", name="Send your reply")
    reply = page.locator("form", has=send)
    reply.get_by_label("Name *").fill("Sam Stranger")
    reply.get_by_label("Email *").fill("sam@example.org")
    # No markup in it: with that, what is written within three seconds goes among the spam.
    reply.get_by_label("Comment *").fill("They purr?\n\nI had no idea. Thanks")
    send.click()
    # The page that answers, not the form's own words about moderators: leaving before it would take the reply back.
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your reply is waiting for a moderator")
    page.goto("species/amur-leopard/")
    expect(page.locator("body")).not_to_contain_text("I had no idea")

    staff.goto("admin/species/comment/")
    expect(staff.locator("#result_list")).to_contain_text("Sam Stranger")
    staff.locator("#result_list tbody tr", has_text="Sam Stranger").locator("input.action-select").check()
    staff.locator("select[name=action]").first.select_option("approve")
    staff.get_by_role("button", name="Run", exact=True).click()
    expect(staff.locator(".messagelist")).to_contain_text("Approved")

    page.reload()
    comments = page.locator("#comments")
    expect(comments).to_contain_text("I had no idea. Thanks")
    assert "sam@example.org" not in page.content()


def test_campaign_link_is_carried_onto_the_adoption(page: Page, staff: Page, mailbox: Mailbox) -> None:
    staff.goto("admin/adoptions/campaign/add/")
    staff.get_by_label("Code").fill("leopard26")
    staff.get_by_label("Name").fill("Winter mailing")
    staff.get_by_label("Species").select_option(label="Amur leopard")
    staff.get_by_label("Preset frequency").select_option(label="Once")
    staff.get_by_label("Amount in pounds").fill("24")
    staff.get_by_role("button", name="Save", exact=True).click()

    page.goto("go/LEOPARD26")
    assert "c=leopard26" in page.url
    assert page.context.cookies() == [] or {c["name"] for c in page.context.cookies()} == {"csrf"}
    expect(page.get_by_role("radio", name="£24", exact=True)).to_be_checked()
    page.get_by_label("Your name").fill("Amara Supporter")
    page.get_by_label("Your email address").fill("amara-campaign@example.org")
    page.get_by_role("button", name="Check your answers").click()
    page.get_by_role("button", name=re.compile("continue to Stripe")).click()
    pay(page, "Card that pays 4242")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    mailbox.wait_for("amara-campaign@example.org")
    staff.goto("admin/adoptions/campaign/report/")
    numbers = staff.get_by_role("row").filter(has_text="leopard26").get_by_role("cell")
    expect(numbers.nth(0)).to_have_text("1")  # landings; the others are summed up every hour
    staff.goto("admin/adoptions/adoption/?q=amara-campaign@example.org")
    expect(staff.get_by_role("row").filter(has_text="leopard26")).to_contain_text("Active")
