from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from species.models import Conflict, Fact, PopulationCount, Species, Text
from tests.species.makers import make_fact, make_species, make_text

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"value": "many", "point": 3}, "fact_is_words_or_number"),
        ({"value": "", "point": None}, "fact_is_words_or_number"),
        ({"low": 3}, "fact_range_is_whole_and_ordered"),
        ({"low": 4, "high": 3}, "fact_range_is_whole_and_ordered"),
        ({"point": 3, "period": ""}, "fact_number_has_period"),
    ],
)
def test_database_refuses_a_fact_that_cannot_be(values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        make_fact(**values)


def test_two_facts_of_a_species_cannot_share_a_key() -> None:
    make_fact("range-now")
    with pytest.raises(IntegrityError, match="fact_key_unique_in_species"), transaction.atomic():
        make_fact("range-now")
    make_fact("range-now", species=make_species("amur-tiger"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"point": Decimal("10709.0000")}, "10,709"),
        ({"point": Decimal("2.9600")}, "2.96"),
        ({"low": Decimal(70), "high": Decimal(108), "point": Decimal(84)}, "84 (70 to 108)"),
        ({"low": Decimal(25), "high": Decimal("42.5")}, "25 to 42.5"),
        ({"point": Decimal(35), "qualifier": "fewer-than"}, "fewer than 35"),
        ({"value": "Appendix I"}, "Appendix I"),
    ],
)
def test_value_reads_as_people_write_it(values: dict[str, Any], expected: str) -> None:
    assert Fact(**values).value_text == expected


def test_fact_in_use_cannot_be_deleted() -> None:
    fact = make_fact("range-now")
    make_text("It covers {range-now} square kilometres.")
    with pytest.raises(ProtectedError):
        fact.delete()


def test_fact_is_free_once_no_sentence_rests_on_it() -> None:
    fact = make_fact("range-now")
    text = make_text("It covers {range-now} square kilometres. [^range-now]")
    text.body = "It is small."
    text.save(update_fields=["body"])
    fact.delete()
    assert not Fact.objects.exists()


def test_saving_a_fact_moves_the_counts_that_state_it() -> None:
    fact = make_fact("pop", point=Decimal(129))
    count = PopulationCount.objects.create(
        species=fact.species,
        fact=fact,
        start=2023,
        end=2023,
        place="Russia",
        series="camera",
        point=Decimal(129),
        unit="adults",
        method="cameras",
        confidence="medium",
    )
    fact.point = Decimal(131)
    fact.save(update_fields=["point"])
    count.refresh_from_db()
    assert count.point == Decimal(131)
    assert str(count) == "2023, Russia: 131 adults"


def test_saving_the_status_fact_moves_the_species() -> None:
    fact = make_fact("iucn-status", value="Critically Endangered")
    fact.value = "Endangered"
    fact.full_clean()
    fact.save(update_fields=["value"])
    assert Species.objects.get().status == "EN"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"is_published": False}, "Sentences rest on this fact: change them first."),
        ({"point": None, "value": "large"}, "A sentence could no longer be printed."),
    ],
)
def test_edit_that_would_break_a_sentence_is_refused(values: dict[str, Any], message: str) -> None:
    fact = make_fact("range-now")
    make_text("It covers {range-now:3sf} square kilometres.")
    for name, value in values.items():
        setattr(fact, name, value)
    with pytest.raises(ValidationError, match=message):
        fact.full_clean()


def test_edit_that_would_break_a_conflict_is_refused() -> None:
    fact = make_fact("range-now")
    Conflict.objects.create(species=fact.species, key="how-big", topic="How big?", show="We say {range-now}.")
    fact.is_published = False
    with pytest.raises(ValidationError, match="A text prints this fact"):
        fact.full_clean()


def test_status_fact_holds_a_status() -> None:
    fact = make_fact("iucn-status", value="Endangered")
    fact.value = "Doing badly"
    with pytest.raises(ValidationError, match="The status must be one of: Extinct, Extinct in the wild"):
        fact.full_clean()


def test_counted_fact_stays_a_number() -> None:
    fact = make_fact("pop", point=Decimal(129))
    count = PopulationCount(
        species=fact.species,
        fact=fact,
        start=2023,
        end=2023,
        place="Russia",
        series="camera",
        unit="adults",
        method="cameras",
        confidence="medium",
    )
    count.full_clean()
    count.save()
    assert count.point == Decimal(129)
    fact.point, fact.value = None, "a few"
    with pytest.raises(ValidationError, match="A population count takes its number from this fact"):
        fact.full_clean()


def test_count_cannot_follow_a_fact_of_another_species() -> None:
    count = PopulationCount(species=make_species("amur-tiger"), fact=make_fact("pop"))
    with pytest.raises(ValidationError, match="Choose a fact of this species that is a number"):
        count.clean()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"body": "It is {nowhere}."}, "No published fact of this species is called “nowhere”"),
        ({"body": "It is so. [^secret]"}, "No published fact of this species is called “secret”"),
        ({"body": "Fine.", "language": "xx"}, "“xx” is not a language of this site"),
    ],
)
def test_text_that_names_what_is_not_there_cannot_be_saved(values: dict[str, Any], message: str) -> None:
    make_fact("secret", is_published=False)
    make_fact("nowhere", species=make_species("amur-tiger"))
    text = Text(species=make_species(), section="habitat", **values)
    with pytest.raises(ValidationError, match=message):
        text.full_clean()


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"section": "threat"}, "text_names_threat_if_about_one"),
        ({"section": "faq"}, "text_has_key_if_item"),
        ({"section": "habitat", "key": "x"}, "text_has_key_if_item"),
    ],
)
def test_database_refuses_a_text_without_its_place(values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        make_text("Words.", **values)


def test_section_is_written_once_per_language() -> None:
    make_text("Words.", "habitat")
    make_text("Слова.", "habitat", language="ru")
    with pytest.raises(IntegrityError, match="text_once_per_language_and_place"):
        make_text("Other words.", "habitat")
