"""A species that nobody wrote a line of code for, added by somebody who has the admin and nothing else."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def choose_source(staff: Page, title: str) -> None:
    staff.locator(".field-sources .select2-selection").click()
    staff.locator(".field-sources .select2-search__field").fill(title)
    staff.locator(".select2-results__option", has_text=title).click()


def save(staff: Page) -> None:
    staff.get_by_role("button", name="Save", exact=True).click()
    expect(staff.locator(".messagelist .success")).to_be_visible()


def add_fact(staff: Page, key: str, group: str, label: str, **values: str) -> None:
    staff.goto("admin/species/fact/add/")
    staff.locator("#id_species").select_option(label="Sand cat")
    staff.locator("#id_key").fill(key)
    staff.locator("#id_group").select_option(label=group)
    staff.locator("#id_label").fill(label)
    for name, value in values.items():
        staff.locator(f"#id_{name}").fill(value)
    staff.locator("#id_confidence").select_option(label="Fairly sure")
    choose_source(staff, "Sand cat assessment")
    save(staff)


def add_text(staff: Page, section: str, body: str, *, key: str = "", title: str = "") -> None:
    staff.goto("admin/species/text/add/")
    staff.locator("#id_species").select_option(label="Sand cat")
    staff.locator("#id_section").select_option(label=section)
    staff.locator("#id_key").fill(key)
    staff.locator("#id_title").fill(title)
    staff.locator("#id_body").fill(body)
    save(staff)


def test_person_adds_a_species_through_the_admin_alone(staff: Page, page: Page) -> None:
    staff.goto("admin/species/species/add/")
    staff.locator("#id_common_name").press_sequentially("Sand cat")
    expect(staff.locator("#id_slug")).to_have_value("sand-cat")
    staff.locator("#id_scientific_name").fill("Felis margarita")
    staff.locator("#id_as_of").fill("2026-11")
    expect(staff.locator("#id_is_published")).not_to_be_checked()
    save(staff)

    staff.goto("admin/species/source/add/")
    staff.locator("#id_key").fill("sand-cat-assessment")
    staff.locator("#id_title").fill("Sand cat assessment")
    staff.locator("#id_publisher").fill("A trust for small cats")
    staff.locator("#id_year").fill("2016")
    staff.locator("#id_kind").select_option(label="Report")
    save(staff)

    add_fact(staff, "iucn-status", "Name and status", "IUCN status", value="Least Concern", period="2016")
    add_fact(staff, "adults", "How many", "Adults in the wild", point="27264", unit="adults", period="2016")
    add_text(staff, "Standfirst", "A cat of the sands, which few people have seen. [^iucn-status]")
    add_text(staff, "At a glance", "About {adults} adults [^adults]", key="number", title="Number")
    add_text(staff, "What an adoption pays for", "Rangers who count them. [^adults]")

    assert page.request.get("species/sand-cat/").status == 404
    staff.goto("admin/species/species/?q=sand-cat")
    staff.get_by_role("link", name="Sand cat").click()
    staff.get_by_role("link", name="See the page as it stands").click()
    expect(staff.get_by_role("heading", level=1)).to_contain_text("Sand cat")
    staff.go_back()
    staff.locator("#id_is_published").check()
    save(staff)

    page.goto("species/")
    page.get_by_role("link", name=re.compile("Sand cat")).first.click()
    main = page.locator("main")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sand cat")
    for words in ("A cat of the sands", "27,264 adults", "Least Concern", "A trust for small cats"):
        expect(main).to_contain_text(words)
    page.get_by_role("link", name=re.compile("^Adopt")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Adopt the Sand cat")
    expect(page.get_by_role("button", name="Check your answers")).to_be_visible()
