"""What only a browser can tell of the pages: contrast, names and sizes of targets, width, weight, and pure CSS."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 360, "height": 780}
DESK: ViewportSize = {"width": 1440, "height": 900}

PAGES = (
    "",
    "species/",
    "species/amur-leopard/",
    "species/amur-tiger/",
    "species/snow-leopard/",
    "ru/species/amur-leopard/",
    "species/amur-leoperd/",
    "species/amur-leopard/comments/waiting/",
    "threats/",
    "threats/deforestation/",
    "sources/",
    "search/?q=leopard",
    "search/?q=zzzz",
    "adopt/amur-leopard/",
    "about/",
    "privacy/",
    "cookies/",
    "accessibility/",
    "contact/",
    "complaints/",
    "complaints/received/",
    "no-such-page/",
)
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # what passed is not looked at, and takes as long to write down
}


@pytest.fixture
def plain(browser: Browser, banner: dict[str, str]) -> Iterator[BrowserContext]:
    """A phone without JavaScript."""
    context = browser.new_context(base_url=banner["Site"], viewport=PHONE, java_script_enabled=False)
    yield context
    context.close()


def findings(page: Page, *, but: tuple[str, ...] = ()) -> list[str]:
    """What axe objects to, one line each; the rules in `but` are left out."""
    rules = RULES | {"rules": {name: {"enabled": False} for name in but}}
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    violations: list[dict[str, Any]] = page.evaluate("rules => axe.run(rules).then(found => found.violations)", rules)
    return [f"{page.url} {found['id']}: {node['html'][:120]}" for found in violations for node in found["nodes"]]


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone-dark", "desk-light"])
def test_pages_are_accessible_and_fit_their_screen(
    browser: Browser, banner: dict[str, str], scheme: Literal["light", "dark"], viewport: ViewportSize
) -> None:
    context = browser.new_context(base_url=banner["Site"], viewport=viewport, color_scheme=scheme)
    context.add_init_script(AXE_SCRIPT)
    page = context.new_page()
    wrong, too_wide = [], []
    for path in PAGES:
        page.goto(path)
        wrong += findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            too_wide.append(path)
    context.close()
    assert (wrong, too_wide) == ([], [])


def test_form_with_errors_is_accessible_and_leads_to_each_field(page: Page) -> None:
    page.goto("adopt/amur-leopard/")
    page.get_by_role("button", name="Check your answers").click()
    expect(page).to_have_title("Error: Adopt the Amur leopard · Demonstration Leopard Trust")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("alert").get_by_role("link").last.click()
    expect(page.get_by_label("Your email address")).to_be_focused()
    assert findings(page) == []


FOCUSED = """() => {
    const it = document.activeElement, box = it.getBoundingClientRect(), style = getComputedStyle(it);
    const isInView = box.width > 0 && box.top < innerHeight && box.bottom > 0;
    return [it.textContent.trim(), isInView, style.outlineStyle !== "none"];
}"""
WALKED = "([one, next]) => Boolean(one.compareDocumentPosition(next) & Node.DOCUMENT_POSITION_FOLLOWING)"


def test_keyboard_walks_a_page_in_its_order_and_is_always_seen(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")  # what is scrolled to is there at once
    page.goto("species/amur-leopard/")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == ["Skip to the main content", True, True]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    last = page.evaluate_handle("document.activeElement")
    unseen, astray = [], []
    for _step in range(60):
        page.keyboard.press("Tab")
        name, is_in_view, is_outlined = page.evaluate(FOCUSED)
        here = page.evaluate_handle("document.activeElement")
        unseen += [] if is_in_view and is_outlined else [name]
        astray += [] if page.evaluate(WALKED, [last, here]) else [name]
        last = here
    assert (unseen, astray) == ([], [])


def test_number_after_a_sentence_opens_its_source_without_leaving(page: Page) -> None:
    page.goto("species/amur-leopard/")
    number = page.locator("#range").get_by_role("button", name="Source").first
    source = page.locator(f"#{number.get_attribute('popovertarget')}")
    number.click()
    assert source.evaluate("source => source.matches(':popover-open')")
    expect(source).to_be_in_viewport()
    page.keyboard.press("Escape")
    assert not source.evaluate("source => source.matches(':popover-open')")
    expect(number).to_be_focused()


def test_source_opens_without_javascript(plain: BrowserContext) -> None:
    page = plain.new_page()
    page.goto("species/amur-leopard/")
    page.locator("#range").get_by_role("button", name="Source").first.click()
    expect(page.locator(".source:popover-open")).to_be_in_viewport()


def test_amounts_follow_the_frequency_without_javascript(plain: BrowserContext) -> None:
    page = plain.new_page()
    page.goto("adopt/amur-leopard/")
    for chosen in ("Once", "Every month", "Every year"):
        page.get_by_role("radio", name=chosen).check()
        shown = page.locator(".amounts").locator("visible=true").locator("legend")
        expect(shown).to_have_text([f"Amount, {chosen.lower()}"])
        expect(page.get_by_label("Other amount in pounds")).to_be_hidden()
    page.get_by_role("radio", name="Another amount").locator("visible=true").check()
    expect(page.get_by_label("Other amount in pounds")).to_be_visible()


def test_name_of_a_recipient_is_asked_for_a_gift_only(plain: BrowserContext) -> None:
    page = plain.new_page()
    page.goto("adopt/amur-leopard/")
    expect(page.get_by_label("Name of the person you give it to")).to_be_hidden()
    page.get_by_role("radio", name="It is a gift").check()
    expect(page.get_by_label("Name of the person you give it to")).to_be_visible()


def test_species_page_needs_few_requests_and_stays_still(browser: Browser, banner: dict[str, str]) -> None:
    context = browser.new_context(base_url=banner["Site"], viewport=PHONE)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("species/amur-leopard/", wait_until="networkidle")
    moved = page.evaluate(
        """() => new Promise(resolve => {
            let sum = 0;
            new PerformanceObserver(list => list.getEntries().forEach(entry => { sum += entry.value }))
                .observe({type: "layout-shift", buffered: true});
            setTimeout(() => resolve(sum), 300);
        })"""
    )
    context.close()
    assert [address for address in asked if not address.startswith((banner["Site"], "data:"))] == []
    assert len(asked) <= 12
    assert moved <= 0.01


def test_what_a_browser_blocks_it_reports(browser: Browser, banner: dict[str, str]) -> None:
    context = browser.new_context(base_url=banner["Site"])
    page = context.new_page()
    page.goto("about/")
    with page.expect_response("**/csp-reports/") as answer:
        page.evaluate("() => { document.body.append(Object.assign(new Image(), {src: 'https://planted.example/'})) }")
    assert answer.value.status == 204
    context.close()


def test_citation_is_copied_by_one_press_and_the_button_is_for_who_can(
    browser: Browser, banner: dict[str, str], plain: BrowserContext
) -> None:
    context = browser.new_context(base_url=banner["Site"], permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("species/amur-leopard/")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("button", name="Copied", exact=True).wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#cite-this").text_content()
    context.close()
    without = plain.new_page()
    without.goto("species/amur-leopard/")
    assert without.get_by_role("button", name="Copy", exact=True).count() == 0
