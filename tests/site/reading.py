"""A page as its tags say it is, read with the standard library alone."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.http import HttpResponse
from django.test import Client

Attributes = dict[str, str | None]


@dataclass
class Tag:
    name: str
    attributes: Attributes
    text: str = ""

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name) or ""


@dataclass
class Reader(HTMLParser):
    """Every tag of a page in order, each with the text that directly follows its start."""

    tags: list[Tag] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(Tag(tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags:
            self.tags[-1].text += data

    def all(self, name: str) -> list[Tag]:
        return [tag for tag in self.tags if tag.name == name]

    @property
    def ids(self) -> Counter[str]:
        return Counter(tag["id"] for tag in self.tags if tag["id"])


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def open_page(client: Client, path: str) -> Reader:
    response = client.get(path)
    assert isinstance(response, HttpResponse)
    return read(response.content.decode())
