"""What holds on every page a visitor can read."""

from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.test import Client

from tests.site.reading import Reader, open_page

PAGES = (
    "/",
    "/species/",
    "/species/amur-leopard/",
    "/species/amur-tiger/",
    "/species/snow-leopard/",
    "/species/amur-leoperd/",
    "/species/amur-leopard/comments/waiting/",
    "/threats/",
    "/threats/deforestation/",
    "/sources/",
    "/search/?q=leopard",
    "/search/?q=zzzz",
    "/field-notes/first-snow/",
    "/adopt/amur-leopard/",
    "/about/",
    "/privacy/",
    "/cookies/",
    "/accessibility/",
    "/contact/",
    "/complaints/",
    "/complaints/received/",
    "/no-such-page/",
)
READING_PAGES = tuple(path for path in PAGES if not path.startswith("/adopt/"))
# The mark is what makes pytest-django prepare a database for tests at all; the module's fixture fills it.
pytestmark = pytest.mark.django_db


def references(page: Reader) -> list[str]:
    names = {"a": "href", "link": "href", "img": "src", "script": "src", "form": "action"}
    return [tag[names[tag.name]] for tag in page.tags if tag.name in names and tag[names[tag.name]]]


@pytest.mark.parametrize("path", PAGES)
def test_page_says_what_it_is(whole_site: Client, path: str) -> None:
    page = open_page(whole_site, path)
    assert page.all("html")[0]["lang"] == "en-GB"
    assert len(page.all("title")) >= 1
    assert page.all("title")[0].text.strip() != ""
    assert [len(page.all(name)) for name in ("h1", "main")] == [1, 1]


@pytest.mark.parametrize("path", PAGES)
def test_page_has_each_id_once(whole_site: Client, path: str) -> None:
    assert [name for name, times in open_page(whole_site, path).ids.items() if times > 1] == []


@pytest.mark.parametrize("path", PAGES)
def test_everything_a_page_points_to_within_itself_is_there(whole_site: Client, path: str) -> None:
    page = open_page(whole_site, path)
    names = ("for", "aria-labelledby", "aria-describedby", "popovertarget")
    wanted = {word for tag in page.tags for name in names for word in tag[name].split()}
    wanted |= {link[1:] for link in references(page) if link.startswith("#")}
    assert wanted - set(page.ids) == set()


@pytest.mark.parametrize("path", PAGES)
def test_images_have_alternatives_and_sizes(whole_site: Client, path: str) -> None:
    images = open_page(whole_site, path).all("img")
    assert [image["src"] for image in images if not (image["alt"] and image["width"] and image["height"])] == []


@pytest.mark.threat("C1")
@pytest.mark.parametrize("path", PAGES)
def test_page_holds_no_inline_style_or_script(whole_site: Client, path: str) -> None:
    page = open_page(whole_site, path)
    styled = [tag.name for tag in page.tags if "style" in tag.attributes or tag.name == "style"]
    handlers = [name for tag in page.tags for name in tag.attributes if name.startswith("on")]
    scripts = [tag["type"] for tag in page.all("script") if not tag["src"]]
    assert (styled, handlers, set(scripts) - {"application/ld+json"}) == ([], [], set())


@pytest.mark.threat("P1")
@pytest.mark.parametrize("path", READING_PAGES)
def test_reading_page_sets_no_cookie_and_holds_no_token(whole_site: Client, path: str) -> None:
    response = whole_site.get(path)
    assert dict(response.cookies) == {}
    assert b"csrfmiddlewaretoken" not in response.content


@pytest.mark.threat("C7")
@pytest.mark.parametrize("path", PAGES)
def test_page_loads_nothing_from_elsewhere(whole_site: Client, path: str) -> None:
    page = open_page(whole_site, path)
    loaded = [tag["src"] or tag["href"] for tag in page.tags if tag.name in {"img", "script"}]
    loaded += [tag["href"] for tag in page.all("link") if tag["rel"] not in {"canonical", "alternate"}]
    assert [address for address in loaded if urlsplit(address).netloc] == []


def test_every_link_between_pages_leads_somewhere(whole_site: Client) -> None:
    seen, waiting, broken = set(PAGES), list(PAGES), []
    while waiting:
        path = waiting.pop()
        for link in references(open_page(whole_site, path)):
            address = urlsplit(urljoin(path, urldefrag(link).url))
            # A link in the list of a page further on (older comments, answers) is that page again.
            if address.netloc or address.scheme or address.path.startswith(("/static/", "/admin/")) or address.query:
                continue
            if address.path in seen:
                continue
            seen.add(address.path)
            response = whole_site.get(address.path)
            if response.status_code not in {200, 405}:
                broken.append((path, address.path, response.status_code))
            if response.status_code == 200 and response.headers["Content-Type"].startswith("text/html"):
                waiting.append(address.path)
    assert broken == []
