from decimal import Decimal

import pytest

from species.figures.spans import DAYS, Span, age, measure, years
from species.models import Fact

MONTH, YEAR = DAYS["month"], DAYS["year"]


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ("eyes open at 7–10 days", (7, 10)),
        ("leave the den at 2-3 months", (2 * MONTH, 3 * MONTH)),
        ("at 18 months to 2 years", (18 * MONTH, 2 * YEAR)),
        ("at 6 weeks", (42, 42)),
        ("weaned after 1.5 to 2 years", (Decimal("1.5") * YEAR, 2 * YEAR)),
        ("a day", None),
        ("when it is grown", None),
        ("at 3 to 2 years", None),
    ],
)
def test_age_is_read_from_words(words: str, span: tuple[Decimal, Decimal] | None) -> None:
    assert age(Fact(value=words)) == (Span(Decimal(span[0]), Decimal(span[1])) if span else None)


@pytest.mark.parametrize(
    ("fact", "span"),
    [
        (Fact(low=Decimal(3), high=Decimal(4), unit="years"), Span(3 * YEAR, 4 * YEAR)),
        (Fact(point=Decimal(2), unit="months"), Span(2 * MONTH, 2 * MONTH)),
        (Fact(point=Decimal(2), unit="kg"), None),
    ],
)
def test_age_is_read_from_a_number_and_its_unit(fact: Fact, span: Span | None) -> None:
    assert age(fact) == span


@pytest.mark.parametrize(
    ("fact", "size"),
    [
        (Fact(value="hip height on an adult 170 cm tall"), Decimal(170)),
        (Fact(value="an adult of 1.7 m"), None),
        (Fact(point=Decimal(180), unit="cm"), Decimal(180)),
        (Fact(point=Decimal(2), unit="m"), None),
    ],
)
def test_measure_is_read_in_one_unit(fact: Fact, size: Decimal | None) -> None:
    assert measure(fact, "cm") == size


@pytest.mark.parametrize(
    ("period", "span"),
    [
        ("2014–2020", (2014, 2020)),
        ("2014–15", (2014, 2015)),
        ("winters 2000 to 2005", (2000, 2005)),
        ("1990s", (1990, 1999)),
        ("c. 2015", (2015, 2015)),
        ("2023 survey, announced April 2024", (2023, 2023)),
        ("before the 20th-century decline", None),
        ("undated", None),
        ("2020–2014", None),
    ],
)
def test_years_are_read_from_a_period(period: str, span: tuple[int, int] | None) -> None:
    assert years(period) == (Span(Decimal(span[0]), Decimal(span[1])) if span else None)
