"""What holds for every figure: it follows its facts, says nothing of its own, and is sound markup."""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from xml.etree import ElementTree

import brotli  # type: ignore[import-untyped]  # the package ships no types
import pytest
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import override

from species.figures import figures_for
from species.models import Fact

from .knowledge import Known, known

ALL = [
    "each-dot-is-one",
    "then-and-now",
    "beside-a-person",
    "counted-twice",
    "day-and-night",
    "coat",
    "numbers-and-variety",
    "life-in-one-look",
]
NEEDED = {
    "then-and-now": ["range-hist", "range-now"],
    "beside-a-person": ["shoulder", "body-male-length", "size-person"],
    "counted-twice": ["pop-ru-2024", "pop-cn-2024", "shared"],
    "day-and-night": ["activity-camera"],
    "coat": ["spots-id", "coat-rosettes"],
    "numbers-and-variety": ["gen-het-1990s", "gen-het-2020"],
}
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
VOID = {"br", "hr", "img", "meta", "link", "input"}


@pytest.fixture
def leopard() -> Known:
    return known("amur-leopard")


class Markup(HTMLParser):
    """Text outside of attributes, ids, and what they are referred to by; raises where tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.attributes: list[str] = []
        self.open: list[str] = []
        self.scales: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag if "map__scale-text" not in (dict(attrs).get("class") or "") else f"{tag}*")
        for name, value in attrs:
            self.attributes.append(name)
            if name == "id":
                self.ids.append(value or "")
            if name in {"aria-labelledby", "aria-describedby"}:
                self.refers += (value or "").split()
            self.refers += re.findall(r"url\(#([^)]+)\)", value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().rstrip("*") == tag

    def handle_data(self, data: str) -> None:
        (self.scales if any(tag.endswith("*") for tag in self.open) else self.text).append(data)


def said_by(found: Known) -> Iterator[str]:
    """Everything the database says about a species, in words."""
    for fact in found.facts.values():
        yield from (fact.value_text, fact.number_text, fact.unit, fact.period, fact.place, fact.label, fact.note)
    for count in found.counts:
        yield from (count.years_text, count.number_text, count.unit, count.method, count.place, count.note)
    for source in found.sources:
        yield from (source.publisher, str(source.year))


def numbers_in(*texts: str) -> Counter[str]:
    return Counter(number for text in texts for number in NUMBER.findall(text))


def test_leopard_has_all_eight_figures(leopard: Known) -> None:
    assert list(leopard.figures()) == ALL


@pytest.mark.parametrize(
    ("slug", "figures"),
    [("amur-tiger", ["each-dot-is-one", "life-in-one-look"]), ("snow-leopard", ["each-dot-is-one"])],
)
def test_other_species_have_what_their_facts_allow(slug: str, figures: list[str]) -> None:
    assert list(known(slug).figures()) == figures


def test_species_without_facts_has_no_figure(leopard: Known) -> None:
    assert figures_for(leopard.species, {}, [], []) == []


@pytest.mark.parametrize(("slug", "key"), [(slug, key) for slug, keys in NEEDED.items() for key in keys])
def test_figure_is_absent_when_a_fact_it_needs_is_missing(leopard: Known, slug: str, key: str) -> None:
    del leopard.facts[key]
    assert list(leopard.figures()) == [other for other in ALL if other != slug]


@pytest.mark.parametrize("slug", ["each-dot-is-one", "numbers-and-variety"])
def test_figure_of_counts_is_absent_without_counts(leopard: Known, slug: str) -> None:
    leopard.counts.clear()
    assert slug not in leopard.figures()


@pytest.mark.parametrize("slug", ALL)
def test_every_number_is_one_the_database_holds(leopard: Known, slug: str) -> None:
    words = Markup(leopard.drawn(slug)).text
    credit = "Natural Earth 1:10m via npm world-atlas 2.0.2"  # the maps' own, not a statement about the animal
    assert set(numbers_in(*words)) - set(numbers_in(*said_by(leopard), credit)) == set()


@pytest.mark.parametrize("slug", ["amur-tiger", "snow-leopard"])
def test_every_number_of_the_others_is_one_the_database_holds(slug: str) -> None:
    found = known(slug)
    for figure in found.figures().values():
        assert set(numbers_in(*Markup(figure.html).text)) - set(numbers_in(*said_by(found))) == set()


def other_values(fact: Fact) -> dict[str, object]:
    """Another value for a fact, no part of which stands there now."""
    if fact.is_number:
        numbers = {end: getattr(fact, end) for end in ("point", "low", "high")}
        return {end: None if number is None else number * Decimal("1.0371") for end, number in numbers.items()}
    if fact.key == "activity-camera":
        return {"value": "most active at night"}
    if fact.key == "activity-nocturnal":
        return {"value": "called diurnal by charities"}
    return {"value": NUMBER.sub(lambda found: f"{Decimal(found[0]) + 1}", fact.value) + " (corrected)"}


@pytest.mark.parametrize("slug", ALL)
def test_figure_follows_each_fact_it_rests_on(leopard: Known, slug: str) -> None:
    figure = leopard.figures()[slug]
    for key in figure.rests_on:
        found = known("amur-leopard")
        before, was = found.drawn(slug), found.facts[key].value_text
        found.correct(key, **other_values(found.facts[key]))
        after = found.drawn(slug)
        assert (key, was in before, after == before) == (key, True, False)
        elsewhere = sum(was in text for text in said_by(found))
        assert elsewhere or was not in "".join(Markup(after).text), key


@pytest.mark.parametrize("slug", ["each-dot-is-one", "numbers-and-variety"])
def test_figure_follows_the_counts(leopard: Known, slug: str) -> None:
    newest = next(count for count in leopard.counts if (count.start, count.series) == (2023, "camera-park"))
    before = leopard.drawn(slug)
    newest.point = Decimal(141)
    after = leopard.drawn(slug)
    assert (numbers_in(*Markup(before).text)["129"] > 0, numbers_in(*Markup(after).text)["129"]) == (True, 0)
    assert numbers_in(*Markup(after).text)["141"] == numbers_in(*Markup(before).text)["129"]


def test_ids_are_unique_on_a_page_and_every_reference_is_met(leopard: Known) -> None:
    page = Markup("".join(figure.html for figure in leopard.figures().values()))
    assert [key for key, times in Counter(page.ids).items() if times > 1] == []
    assert set(page.refers) - set(page.ids) == set()


@pytest.mark.parametrize("slug", ALL)
def test_drawings_are_valid_xml_without_inline_style(leopard: Known, slug: str) -> None:
    html = leopard.drawn(slug)
    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert drawings
    for drawing in drawings:
        ElementTree.fromstring(drawing)
    attributes = set(Markup(html).attributes)
    assert {name for name in attributes if name == "style" or name.startswith("on")} == set()


@pytest.mark.parametrize("slug", ALL)
def test_drawing_is_named_or_hidden_from_screen_readers(leopard: Known, slug: str) -> None:
    for start in re.findall(r"<svg[^>]*>", leopard.drawn(slug)):
        assert ('aria-hidden="true"' in start) != ('role="img"' in start and "aria-labelledby" in start), start


@pytest.mark.parametrize("slug", ALL)
def test_figure_says_source_year_and_how_sure(leopard: Known, slug: str) -> None:
    figure = leopard.figures()[slug]
    html = figure.html
    assert figure.sources
    for statement in figure.sources:
        assert statement.how_sure in html
        for source in statement.sources:
            assert escape(source.text) in html


def test_figures_ask_the_database_nothing(leopard: Known) -> None:
    """No database is allowed in this test: a query would raise."""
    assert all(figure.html for figure in leopard.figures().values())


def test_numbers_in_drawings_stay_plain_in_a_language_with_decimal_commas(leopard: Known) -> None:
    with override("ru"):
        drawings = re.findall(r"<svg.*?</svg>", leopard.drawn("beside-a-person"), re.DOTALL)
    assert drawings
    assert re.findall(r'(?:scale|translate)\([^)]*,[^)]*\)|="\d+,\d+"', "".join(drawings)) == []


def test_order_of_counts_does_not_matter(leopard: Known) -> None:
    before = leopard.drawn("each-dot-is-one")
    leopard.counts.reverse()
    assert numbers_in(*Markup(leopard.drawn("each-dot-is-one")).text) == numbers_in(*Markup(before).text)


def test_whole_set_is_light(leopard: Known) -> None:
    html = "".join(figure.html for figure in leopard.figures().values())
    assert len(brotli.compress(html.encode(), quality=11)) <= 15_000


def test_figure_drawn_before_is_what_its_template_draws_without_indentation(leopard: Known) -> None:
    for figure in leopard.figures().values():
        anew = render_to_string(figure.template, {"figure": figure})
        assert figure.html == figure.html == re.sub(r"\n\s+", "\n", anew)


def test_figure_follows_its_sources(leopard: Known) -> None:
    before = leopard.drawn("counted-twice")
    source = leopard.facts["shared"].sources.all()[0]
    source.publisher = "A society with <another> name"
    after = leopard.drawn("counted-twice")
    assert ("A society with" in before, "A society with &lt;another&gt; name" in after) == (False, True)
