"""Markup errors that browsers forgive in silence, on every page. The Nu checker finds more; this runs everywhere."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from django.test import Client

from tests.site.test_pages import PAGES

pytestmark = pytest.mark.django_db

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# Elements that end a paragraph: a browser closes the <p> before them, and the page is not what was written.
NOT_IN_P = {
    "address",
    "article",
    "aside",
    "blockquote",
    "details",
    "div",
    "dl",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "ul",
}
INTERACTIVE = {"a", "button", "details", "iframe", "label", "select", "textarea"}
PARENTS = {
    "li": {"ol", "ul", "menu"},
    "dt": {"dl", "div"},
    "dd": {"dl", "div"},
    "tr": {"thead", "tbody", "tfoot", "table"},
    "td": {"tr"},
    "th": {"tr"},
    "summary": {"details"},
    "figcaption": {"figure"},
    "legend": {"fieldset"},
    "option": {"select", "optgroup", "datalist"},
}
ONLY = {"ul": {"li"}, "ol": {"li"}, "dl": {"dt", "dd", "div"}, "tr": {"td", "th"}}


@dataclass
class Checker(HTMLParser):
    open: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def fault(self, what: str) -> None:
        self.faults.append(f"line {self.getpos()[0]}: {what}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _value in attrs]
        if len(names) != len(set(names)):
            self.fault(f"<{tag}> has an attribute twice")
        parent = self.open[-1] if self.open else ""
        if tag in NOT_IN_P and "p" in self.open:
            self.fault(f"<{tag}> in <p>")
        if tag in PARENTS and parent not in PARENTS[tag]:
            self.fault(f"<{tag}> in <{parent}>")
        if parent in ONLY and tag not in ONLY[parent]:
            self.fault(f"<{tag}> in <{parent}>")
        if tag in INTERACTIVE - {"label", "details"} and {"a", "button"} & set(self.open):
            self.fault(f"<{tag}> in something to press")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if "svg" not in self.open:
            self.fault(f"<{tag}/>: only a drawing's elements close themselves")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.fault(f"</{tag}> closes <{self.open[-1] if self.open else 'nothing'}>")
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def faults(html: str) -> list[str]:
    checker = Checker()
    checker.feed(html)
    return checker.faults + [f"<{tag}> is never closed" for tag in checker.open]


@pytest.mark.parametrize("path", PAGES)
def test_page_is_well_formed(whole_site: Client, path: str) -> None:
    html = whole_site.get(path).text
    assert html.startswith("<!doctype html>\n<html lang=")
    assert faults(html) == []


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>One<div>two</div></p>", ["line 1: <div> in <p>"]),
        ("<div><b>One</div></b>", ["line 1: </div> closes <b>", "line 1: </b> closes <nothing>"]),
        ("<ul><p>One</p></ul>", ["line 1: <p> in <ul>"]),
        ("<a href=x><button>y</button></a>", ["line 1: <button> in something to press"]),
        ('<b id="x" id="y"></b>', ["line 1: <b> has an attribute twice"]),
        ("<main>", ["<main> is never closed"]),
    ],
)
def test_fault_is_found(html: str, found: list[str]) -> None:
    assert faults(html) == found
