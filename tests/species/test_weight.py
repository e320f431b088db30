"""What a first visit to the species page weighs: somebody on a slow phone must not wait for it."""

from pathlib import Path
from urllib.parse import urlsplit

import brotli  # type: ignore[import-untyped]  # the package ships no types
import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from tests.our_content import put_our_content
from tests.site.reading import Reader, read

pytestmark = pytest.mark.django_db
FIRST_FLIGHT, FIRST_VISIT, MOST_REQUESTS = 30_000, 100_000, 12
IS_COMPRESSED = (".woff2", ".png", ".ico", ".avif", ".webp")


def weight(name: str, content: bytes) -> int:
    return len(content) if name.endswith(IS_COMPRESSED) else len(brotli.compress(content, quality=11))


def static(name: str) -> bytes:
    path = finders.find(name.removeprefix("/static/"))
    assert isinstance(path, str), name
    return Path(path).read_bytes()


def fetched(page: Reader) -> set[str]:
    """Every address a browser asks for with the page, whatever is further down."""
    links = {tag["href"] for tag in page.all("link") if tag["rel"] in {"preload", "stylesheet", "icon"}}
    parts = {tag["href"].partition("#")[0] for tag in page.all("use")}
    return links | parts | {tag["src"] for name in ("img", "script") for tag in page.all(name) if tag["src"]}


@pytest.fixture
def html(client: Client) -> str:
    put_our_content()
    return client.get("/species/amur-leopard/").text


def test_page_and_its_style_sheet_arrive_early(html: str) -> None:
    assert weight("page", html.encode()) + weight("site.css", static("css/site.css")) <= FIRST_FLIGHT


def test_first_visit_is_light_and_of_few_requests(client: Client, html: str) -> None:
    addresses = fetched(read(html))
    total = weight("page", html.encode())
    for address in addresses:
        is_static = address.startswith("/static/")
        total += weight(urlsplit(address).path, static(address) if is_static else client.get(address).content)
    assert (total <= FIRST_VISIT, 1 + len(addresses) <= MOST_REQUESTS) == (True, True), (total, sorted(addresses))
