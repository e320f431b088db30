"""Moderators at work: one press a comment, by thumb or by key; and the pages of a comment, looked at as axe looks."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from species import comment_links
from species.models import Comment
from tests.e2e.conftest import DESK, PHONE
from tests.e2e.test_pages_in_a_browser import findings
from tests.species.makers import make_approved_comment, make_comment, make_moderator, make_species

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PRIVATE = "I am Ellie, 8, from St Mary's.\nI love leopards. Ring 07700 900123 or write to ellie@example.com"


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def screen(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    viewport: ViewportSize = request.param
    context = browser.new_context(base_url=live_server.url, viewport=viewport)
    context.set_default_timeout(15_000)
    yield context
    context.close()


def queue_path() -> str:
    return urlsplit(comment_links.moderate(make_moderator())).path


def test_twenty_comments_are_cleared_with_twenty_presses(screen: BrowserContext) -> None:
    for number in range(20):
        make_comment(f"Comment number {number}", email=f"{number}@example.org")
    page = screen.new_page()
    page.goto(queue_path())
    for number in range(20):
        expect(page.locator(".queue-card__words")).to_have_text(f"Comment number {number}")
        page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits")
    assert Comment.objects.public().count() == 20


def test_keys_do_what_the_buttons_do_but_not_while_writing(screen: BrowserContext) -> None:
    for number, words in enumerate((PRIVATE, "Comment two", "Comment three", "Comment four")):
        make_comment(words, email=f"{number}@example.org")
    page = screen.new_page()
    page.goto(queue_path())
    for key in ("m", "s", "1"):
        waiting = Comment.objects.pending().count()
        page.keyboard.press(key)
        expect(page.locator(".queue-head")).to_contain_text(f"{waiting - 1} wait")
        page.wait_for_load_state()  # a page's words are there before the script that hears keys
    page.get_by_text("Approve and answer as the charity").click()
    page.get_by_label("Your answer").press_sequentially("a sausage")
    assert Comment.objects.pending().count() == 1
    page.get_by_role("button", name="Approve and answer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits")
    page.wait_for_load_state()
    page.keyboard.press("u")
    expect(page.locator(".queue-card__words")).to_have_text("Comment four")
    assert list(Comment.objects.order_by("pk").values_list("status", flat=True)) == [
        "approved",
        "spam",
        "rejected",
        "pending",
        "approved",
    ]


def test_pages_of_a_comment_are_accessible_and_fit_their_screen(screen: BrowserContext) -> None:
    species = make_species()
    shown = make_approved_comment("What do the cubs eat?", wants_replies=True)
    make_approved_comment("Deer, mostly.", parent=shown, name="Amara", is_from_charity=True, email="")
    waiting = make_comment(PRIVATE + "\n" + "W" * 200, held_because="It may hold a telephone number.", parent=shown)
    page = screen.new_page()
    is_phone = page.viewport_size == PHONE
    page.emulate_media(color_scheme="dark" if is_phone else "light")
    wrong: list[str] = []
    for address in (
        species.get_absolute_url(),
        shown.get_absolute_url(),
        f"{shown.get_absolute_url()}report/",
        urlsplit(comment_links.own_view(waiting)).path,
        urlsplit(comment_links.own_view(shown)).path,
        urlsplit(comment_links.stop_replies(shown)).path,
        f"{urlsplit(comment_links.own_view(shown)).path}erase/",
        "/my-comments/",
        "/my-comments/sent/",
        "/my-comment/nothing/",
        queue_path(),
    ):
        page.goto(address)
        wrong += findings(page)
        wrong += too_wide(page)
    assert wrong == []


def too_wide(page: Page) -> list[str]:
    return [page.url] if page.evaluate("document.documentElement.scrollWidth > innerWidth") else []


def test_reply_is_written_seen_first_and_sent_by_keyboard_alone(screen: BrowserContext) -> None:
    make_species()
    page = screen.new_page()
    page.goto("/species/amur-leopard/#reply")
    page.get_by_label("Name *").focus()
    page.keyboard.type("Sam Stranger")
    for words in (" ", "sam@example.org", "They purr?"):
        page.keyboard.press("Tab")
        page.keyboard.type(words)
    page.keyboard.press("Tab")  # email me when somebody answers
    page.keyboard.press("Tab")  # send
    page.keyboard.press("Tab")  # see it first
    page.keyboard.press("Enter")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("Sam Stranger")
    expect(preview).to_contain_text("They purr?")
    assert not Comment.objects.exists()
    page.get_by_role("button", name="Send your reply").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your reply is waiting for a moderator")
    comment = Comment.objects.get()
    assert (comment.body, comment.shown_name, comment.wants_replies) == ("They purr?", "Sam Stranger", False)
