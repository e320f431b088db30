from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from species import prose
from species.models import Fact
from species.numbers import round_to_figures

RANGE_NOW = Fact(key="range-now", point=Decimal("10709.0000"), period="2015")
POPULATION = Fact(key="pop", point=Decimal(84), low=Decimal(70), high=Decimal(108), period="2015")
ABOUT = Fact(key="pop-cn", point=Decimal(80), qualifier="about", period="2024")
WORDS = Fact(key="name", value="critically endangered")
FACTS = {fact.key: fact for fact in (RANGE_NOW, POPULATION, ABOUT, WORDS)}


def one_line(text: str) -> prose.Line:
    ((line,),) = prose.parse(text)
    return line


def printed(text: str) -> str:
    return prose.plain_text(text, FACTS)


def test_line_ends_with_the_facts_it_rests_on() -> None:
    line = one_line("Half of it is gone. [^range-now] [^pop]")
    assert [part.text for part in line.parts] == ["Half of it is gone."]
    assert line.cites == ("range-now", "pop")


def test_printed_fact_counts_as_cited() -> None:
    assert one_line("It is {range-now} and {pop}. [^pop]").fact_keys == ("pop", "range-now")


def test_empty_line_starts_a_paragraph() -> None:
    assert [len(lines) for lines in prose.parse("One.\nTwo.\n\n\nThree.\r\n \r\nFour.")] == [2, 1, 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{range-now}", "10,709"),
        ("{range-now:3sf}", "10,700"),
        ("{pop}", "84 (70 to 108)"),
        ("{pop:point}", "84"),
        ("{pop:low} or {pop:high}", "70 or 108"),
        ("{pop:high:1sf}", "100"),
        ("{pop-cn}", "about 80"),
        ("{pop-cn:cap}", "About 80"),
        ("{pop-cn:number}", "80"),
        ("{name}", "critically endangered"),
        ("{name:cap}", "Critically endangered"),
    ],
)
def test_value_is_printed_as_asked(text: str, expected: str) -> None:
    assert printed(text) == expected


def test_charity_is_printed(settings: Settings) -> None:
    settings.CHARITY = {"name": "The Cat Trust"}
    assert printed("Your gift goes to {charity}.") == "Your gift goes to The Cat Trust."
    assert prose.fact_keys("Your gift goes to {charity}.") == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("It is {nowhere}.", "No published fact of this species is called “nowhere”."),
        ("It is so. [^nowhere]", "No published fact of this species is called “nowhere”."),
        ("It is {range-now:soon}.", "“{range-now:soon}”: “soon” is not something a value can be asked for."),
        ("It is {Range Now}.", "This is not a value marker such as {key} or {key:3sf}: “It is {Range Now}.”."),
        ("It [^pop] is.", "Citations stand at the end of a line, as in [^key]: “It [^pop] is.”."),
        ("It is {range-now:low}.", "The fact “range-now” has no low to print."),
        ("It is {name:3sf}.", "The fact “name” is in words: write {name}."),
    ],
)
def test_marker_that_cannot_be_printed_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(prose.MarkerError) as refusal:
        prose.check(text, FACTS)
    assert str(refusal.value) == complaint


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        paragraphs = prose.parse(text)
    except prose.MarkerError:
        return
    assert all(lines for lines in paragraphs)


PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"], exclude_characters="{}[]"), min_size=1
)


@given(st.lists(PLAIN.filter(lambda text: text.strip() == text), min_size=1), st.sampled_from(sorted(FACTS)))
def test_words_between_markers_are_kept(words: list[str], key: str) -> None:
    line = one_line(f"{{{key}}}".join(["", *words, ""]) + f" [^{key}]")
    assert "".join(part.text for part in line.parts if not part.key) == "".join(words)
    assert line.fact_keys == (key,)


@given(st.decimals(min_value=Decimal("0.0001"), max_value=Decimal(10**9), places=4), st.integers(1, 9))
def test_rounding_stays_within_half_a_unit_of_the_last_figure(number: Decimal, figures: int) -> None:
    unit = Decimal(1).scaleb(number.adjusted() - figures + 1)
    assert abs(round_to_figures(number, figures) - number) <= unit / 2
