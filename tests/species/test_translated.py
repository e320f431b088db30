import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from tests.species.makers import make_fact, make_species, make_text
from tests.species.test_species_page import words

RUSSIAN = "/ru/species/amur-leopard/"


def write_in_russian() -> None:
    make_fact(point=Decimal("10709.5"))
    make_text("Английский не нужен.", "standfirst", language="ru")
    make_text("Дальневосточный леопард", "at_a_glance", language="ru", key="common-name", title="Название")
    make_text("{range-now:number} кв. км [^range-now]", "at_a_glance", language="ru", key="range", title="Ареал")
    make_text("An English sentence.", "standfirst")


@pytest.mark.django_db
def test_page_is_in_its_language_alone_with_numbers_written_its_way(client: Client) -> None:
    make_species(status="CR")
    write_in_russian()
    response = client.get(RUSSIAN)
    html = response.content.decode()
    said = words(html)
    assert '<html lang="ru">' in html
    assert "<h1>Дальневосточный леопард</h1>" in html
    for russian in ("10\N{NO-BREAK SPACE}709,5 кв. км", "На грани исчезновения", "Откуда мы знаем", "Источники"):
        assert " ".join(russian.split()) in said
    assert "An English sentence." not in said
    assert 'aria-label="Источник 1"' in html
    assert (response.cookies, response.get("Vary"), translation.get_language()) == ({}, "Accept-Encoding", "en-gb")


@pytest.mark.django_db
def test_english_page_stays_english_and_each_names_the_other(client: Client) -> None:
    write_in_russian()
    english = client.get("/species/amur-leopard/").content.decode()
    assert "An English sentence." in words(english)
    assert "Английский" not in english
    alternates = [
        f'<link rel="alternate" hreflang="{code}" href="http://127.0.0.1:8000{address}">'
        for code, address in (
            ("en-gb", "/species/amur-leopard/"),
            ("ru", RUSSIAN),
            ("x-default", "/species/amur-leopard/"),
        )
    ]
    for html in (english, client.get(RUSSIAN).content.decode()):
        assert re.findall(r'<link rel="alternate" hreflang=.*?>', html) == alternates
    assert f'<a href="{RUSSIAN}" hreflang="ru" lang="ru">Русский</a>' in english


@pytest.mark.django_db
def test_species_of_which_nothing_is_written_has_no_page_there_and_no_link(client: Client) -> None:
    write_in_russian()
    make_species("amur-tiger")
    make_species("hidden", is_published=False)
    assert [client.get(f"/ru/species/{slug}/").status_code for slug in ("amur-tiger", "hidden", "nobody")] == [404] * 3
    assert "hreflang" not in client.get("/species/amur-tiger/").content.decode()


@pytest.mark.django_db
def test_page_asks_as_often_for_three_rows_as_for_one(client: Client) -> None:
    write_in_russian()
    counts = []
    for number in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(RUSSIAN).status_code == 200
        counts.append(len(queries))
        make_text("Слова [^range-now]", "at_a_glance", language="ru", key=f"row-{number}", title="Ещё")
    assert len(set(counts)) == 1


@pytest.mark.django_db
def test_search_in_english_does_not_answer_in_russian(client: Client) -> None:
    write_in_russian()
    assert "не нужен" not in client.get("/search/", {"q": "английский"}).content.decode().replace("английский", "")


def test_our_leopard_is_told_in_russian(client: Client, our_content: None) -> None:
    said = words(client.get(RUSSIAN).content.decode())
    for russian in ("Дальневосточный леопард", "Взрослых животных: 129 (2023)", "25–42,5 кг", "На грани исчезновения"):
        assert russian in said


class Foreign(HTMLParser):
    """Words in Latin letters that a page says in its own language, to eyes or to ears."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.languages: list[bool] = []
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        own = values["lang"] == "ru" if values.get("lang") else not self.languages or self.languages[-1]
        if tag not in VOID:
            self.languages.append(own and tag not in {"script", "style"})
        for name in ("alt", "aria-label", "title", "placeholder"):
            self.hear(values.get(name) or "", own=own)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.languages.pop()

    def handle_data(self, data: str) -> None:
        self.hear(data, own=bool(self.languages) and self.languages[-1])

    def hear(self, words: str, *, own: bool) -> None:
        if own:
            self.found += re.findall(r"[A-Za-z]{3,}", words)


VOID = {"meta", "link", "img", "br", "input", "path", "use"}


def test_every_word_of_the_interface_is_russian(client: Client, our_content: None) -> None:
    html = client.get(RUSSIAN).text
    for name in ("name", "number", "regulator", "address"):
        html = html.replace(str(settings.CHARITY[name]), "")
    assert set(Foreign(html).found) == {"Pugmark", "cookie", "Panthera", "pardus", "orientalis"}
