"""The staff desk: a fundraiser makes a link, and every admin page of ours is looked at as axe looks."""

import base64
from collections.abc import Iterator
from itertools import cycle
from time import monotonic
from typing import Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django_otp.oath import TOTP
from playwright.sync_api import Browser, BrowserContext, Locator, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from adoptions.models import PaymentLink
from config import second_step
from tests.adoptions.conftest import Amara, amara, standin_server, stripe  # noqa: F401  fixtures
from tests.adoptions.test_refunds import pay, refunded_at_stripe
from tests.desk_world import OF_A_MODEL, addresses, make_desk, model_of
from tests.e2e.conftest import DESK, PHONE
from tests.e2e.test_moderating_in_a_browser import too_wide
from tests.e2e.test_pages_in_a_browser import findings
from tests.makers import make_active_adoption, make_plan, make_species, make_supporter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[(PHONE, "dark"), (DESK, "light")], ids=["phone-dark", "desk-light"])
def desk(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    """A member of staff who may do everything, signed in."""
    viewport: ViewportSize
    viewport, scheme = request.param
    client = Client()
    client.force_login(User.objects.create_superuser("fiona", "fiona@example.org", "x"))
    context = browser.new_context(base_url=live_server.url, viewport=viewport, color_scheme=scheme)
    context.add_cookies([{"name": "staff", "value": client.cookies["staff"].value, "url": live_server.url}])
    context.set_default_timeout(15_000)
    yield context
    context.close()


def test_link_is_made_on_one_screen_in_under_a_minute(desk: BrowserContext) -> None:
    """From the empty maker to a link on the clipboard that works. Only a name and the page it leads to are asked for.

    What a person takes is reckoned as Card, Moran and Newell measured it: 0.28 s for a key of somebody who does not
    type for a living, 1.5 s to point and press or to reach for the keyboard, 1.35 s to make up one's mind before each.
    """
    make_plan()
    make_species(common_name="Amur leopard")
    make_species("amur-tiger", common_name="Amur tiger")
    desk.grant_permissions(["clipboard-read", "clipboard-write"])
    page, presses, typed = desk.new_page(), 0, "Spring appeal to those who gave in winter"

    def press(what: Locator) -> Locator:
        nonlocal presses
        presses += 1
        what.click()
        return what

    began = monotonic()
    page.goto("/admin/adoptions/campaign/add/")
    press(page.get_by_label("Name")).press_sequentially(typed)
    press(page.get_by_label("Species")).select_option(label="Amur leopard")
    presses += 1  # on the one in the list
    press(page.get_by_role("button", name="Save", exact=True))
    press(page.get_by_role("button", name="Copy", exact=True))
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    address = str(page.evaluate("navigator.clipboard.readText()"))
    assert page.locator("#campaign-link").inner_text() == address
    machine = monotonic() - began
    person = presses * (1.5 + 1.35) + len(typed) * 0.28
    assert (presses, machine + person < 60) == (5, True), f"{machine:.1f} s of the machine, {person:.1f} s of a person"
    page.goto(urlsplit(address).path)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Amur leopard")
    page.go_back()
    expect(page.get_by_role("img", name="QR code of")).to_be_visible()
    hours = page.locator(".timelist").first.get_by_role("button", include_hidden=True)
    assert hours.all_text_contents() == ["Now", "00:00", "06:00", "12:00", "18:00"]
    page.get_by_label("Preset frequency").select_option(label="Every month")
    page.get_by_label("Amount in pounds").fill("5")
    seen = page.frame_locator("iframe[name=preview]").locator("body")
    expect(seen.get_by_role("heading", level=1)).to_have_text("Adopt the Amur leopard")
    page.get_by_label("Words of welcome").press_sequentially("Spring is here.")
    expect(seen).to_contain_text("Spring is here.")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("button", name="Send me a test mail").click()
    expect(page.locator(".messagelist")).to_contain_text("On its way to fiona@example.org")
    leads_to = page.get_by_role("link", name="/adopt/amur-leopard/?c=spring-appeal").get_attribute("href")
    assert "amount=5.00" in str(leads_to)
    page.goto(str(leads_to))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Amur leopard")


LOOKS: tuple[tuple[ViewportSize, Literal["dark", "light"]], ...] = ((PHONE, "dark"), (DESK, "light"))
ALIKE = {"add", "history", "delete", "look"}  # one of each app is looked at; to add is to change
# The list of all screens beside every page is half of it; it is looked at once.
WITHOUT_LIST = "document.querySelectorAll('#nav-sidebar .module').forEach(each => each.remove())"
SAYS_MORE = (  # than by its address alone
    "/?c=leopard26",
    "/admin/adoptions/adoption/?q=amara",
    "/admin/adoptions/campaign/report/?by=source",
    "/admin/adoptions/payment/reports/?from=2026-13-99",
    "/admin/adoptions/exportedfile/1/progress/?still",
    "/admin/adoptions/supporter/find/?q=supporter&same=1",
)


def pages_of_the_desk(client: Client) -> Iterator[tuple[str, str]]:
    """What Django drew, or nothing where the page is ours; and its address. Files and acts are no pages.

    Nor is what is shut in a frame, a letter or a page of the public site: axe cannot run where no script may.
    """
    seen, request = set(), RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    for name, address in addresses():
        drawn, model = OF_A_MODEL.search(name), model_of(address[1:])
        if drawn and model:
            may_change = admin.site._registry[model].has_change_permission(request)
            act = drawn[2] if drawn[2] != "change" or may_change else "look"
            if act not in ALIKE or (model._meta.app_label, act) not in seen:
                yield act, address
            seen.add((model._meta.app_label, act))
        elif (said := client.head(address)).status_code == 200 and "text/html" in said.headers["Content-Type"]:
            policy = said.headers["Content-Security-Policy"]
            assert "allow-scripts" not in policy
            if "sandbox" not in policy:
                yield "", address


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("desk", [(DESK, "light")], indirect=True, ids=["in-turns"])
def test_pages_of_the_desk_are_accessible_and_fit_their_screen(desk: BrowserContext, half: int) -> None:
    """In each kind of page, dark on a phone and light on a desk take turns.

    The colours of what Django draws are looked at once for each kind of page: it has them from the same style sheets,
    and looking takes half of the time.
    """
    fiona, client = User.objects.get(), Client()
    make_desk(fiona)
    client.force_login(fiona)
    asked = [*SAYS_MORE, PaymentLink.objects.get().get_absolute_url()]
    there = [*pages_of_the_desk(client), *(("", address) for address in asked)]
    desk.add_init_script(AXE_SCRIPT)
    page, turns = desk.new_page(), {drawn: cycle(LOOKS) for drawn, _ in there}
    page.goto("/admin/adoptions/gift/")
    wrong = findings(page)
    known: set[tuple[str, str]] = set()
    for drawn, address in there[half::2]:
        viewport, scheme = next(turns[drawn])
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme)
        page.goto(address)
        page.evaluate(WITHOUT_LIST)
        found = findings(page, but=("color-contrast",) if (drawn, scheme) in known else ())
        known |= {(drawn, scheme)} if drawn else set()
        wrong += [f"{scheme}: {what}" for what in (*found, *too_wide(page))]
    assert (len(there) > 90, "\n".join(wrong)) == (True, "")


def test_second_step_is_set_up_and_what_was_typed_comes_back(browser: Browser, live_server: LiveServer) -> None:
    priya = User.objects.create_superuser("priya", "priya@example.org", "a pass phrase of staff")
    supporter = make_active_adoption().supporter
    context = browser.new_context(base_url=live_server.url, viewport=PHONE)
    context.set_default_timeout(15_000)
    page = context.new_page()
    wrong: list[str] = []

    def sign_in() -> None:
        page.get_by_label("Username").fill("priya")
        page.get_by_label("Password").fill("a pass phrase of staff")
        page.get_by_role("button", name="Log in").click()

    page.goto("/admin/second-step/set-up/")
    sign_in()
    key = page.locator(".desk-step__key").inner_text().replace(" ", "")
    totp = TOTP(base64.b32decode(key))
    page.get_by_label("Code").fill(f"{totp.token():06}")
    page.get_by_role("button", name="Set it up").click()
    code = page.locator(".desk-step__codes li").first.inner_text()
    wrong += findings(page) + too_wide(page)
    page.goto(f"/admin/adoptions/supporter/{supporter.pk}/change/")
    page.get_by_label("Name").fill("Amara Obi")
    Session.objects.all().delete()
    page.get_by_role("button", name="Save", exact=True).click()
    wrong += findings(page) + too_wide(page)
    sign_in()
    wrong += findings(page) + too_wide(page)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Amara Obi")).to_be_visible()
    wrong += findings(page) + too_wide(page)
    page.get_by_role("button", name="Send it as I had typed it").click()
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    supporter.refresh_from_db()
    assert (supporter.name, "\n".join(wrong)) == ("Amara Obi", "")
    assert second_step.codes_left(priya) == second_step.RECOVERY_CODES - 1
    context.close()


def test_mail_is_seen_as_its_words_are_typed(desk: BrowserContext, browser: Browser) -> None:
    page = desk.new_page()
    page.goto("/admin/config/mailwords/paused/words/")
    seen = page.frame_locator("iframe[name=preview]").locator("body")
    expect(seen).to_contain_text("Amara Supporter")
    words = page.get_by_label("Words")
    words.press("Control+Home")
    words.press_sequentially("Sleep well. ")
    expect(seen).to_contain_text("Sleep well. Dear Amara Supporter")
    expect(words).to_be_focused()
    assert findings(page) == []
    plain = browser.new_context(java_script_enabled=False, storage_state=desk.storage_state())
    address, page = page.url, plain.new_page()
    page.goto(address)
    page.get_by_label("Words").press("Control+Home")
    page.get_by_label("Words").press_sequentially("Good night. ")
    page.get_by_role("button", name="Preview").click()
    expect(page.frame_locator("iframe[name=preview]").locator("body")).to_contain_text("Good night. Dear")
    plain.close()


@pytest.mark.parametrize("desk", [(PHONE, "dark")], indirect=True, ids=["phone-dark"])
def test_telephone_call_from_search_to_refund_takes_fewer_than_eight_presses(
    desk: BrowserContext,
    amara: Amara,  # noqa: F811  a fixture
) -> None:
    """“My mum’s present never came, may she have her money back?” Typing is free; every press is counted."""
    payment = pay(amara)
    make_active_adoption(supporter=make_supporter("Amara Other", "other@example.org"))
    page, presses = desk.new_page(), []

    def press(what: Locator, key: str = "") -> None:
        presses.append(what)
        what.press(key) if key else what.click()

    page.goto("/admin/")
    box = page.get_by_label("Who is it about?")
    press(box)
    box.fill("amara supp")
    press(box, "Enter")
    press(page.get_by_role("link", name="Refund £36"))
    press(page.get_by_role("button", name="Show what it does"))
    press(page.get_by_role("button", name="Refund £36 now"))
    expect(page.locator(".messagelist")).to_contain_text("£36 is on its way back")
    assert refunded_at_stripe(payment) == [3600]
    assert len(presses) < 8


@pytest.mark.parametrize("desk", [(PHONE, "dark")], indirect=True, ids=["phone"])
def test_name_without_a_space_leaves_room_for_what_stands_beside_it(desk: BrowserContext) -> None:
    make_active_adoption(supporter=make_supporter("W" * 100))
    page = desk.new_page()
    page.goto("/admin/adoptions/adoption/")
    box = page.locator("#result_list td", has_text="WWW").bounding_box()
    assert box
    assert box["width"] < 250
