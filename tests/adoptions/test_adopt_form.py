"""What a person may answer, and what an address may fill in beforehand."""

import uuid
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adoptions import presets
from adoptions.forms import AdoptForm
from adoptions.models import Frequency, Plan
from tests.makers import make_plan, make_species

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan() -> Plan:
    return make_plan()


def answers(**changes: str) -> dict[str, str]:
    given = {
        "frequency": "once",
        "amount_once": "3600",
        "name": "Amara Supporter",
        "email": "amara@example.org",
        "is_gift": "me",
        "attempt": str(uuid.uuid4()),
    }
    return {k: v for k, v in {**given, **changes}.items() if v is not None}


def errors_of(plan: Plan, **changes: Any) -> dict[str, list[str]]:
    form = AdoptForm(answers(**changes), plan=plan)
    form.is_valid()
    return {field: [str(e) for e in found] for field, found in form.errors.items()}


def test_preset_amount_is_taken_in_pence(plan: Plan) -> None:
    form = AdoptForm(answers(), plan=plan)
    assert form.is_valid(), form.errors
    assert form.answers(make_species()).amount_pence == 3600


@pytest.mark.parametrize(("typed", "pence"), [("3", 300), ("10000", 1_000_000), ("12.50", 1250), ("£7", 700)])
def test_own_amount_within_bounds_is_taken(plan: Plan, typed: str, pence: int) -> None:
    form = AdoptForm(answers(amount_once="other", other_amount=typed), plan=plan)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["amount_pence"] == pence


@pytest.mark.threat("M1")
@pytest.mark.parametrize("typed", ["2.99", "10000.01", "0", "abc", "-5", "1e3", "9999999"])
def test_own_amount_out_of_bounds_has_a_sentence_beside_it(plan: Plan, typed: str) -> None:
    assert list(errors_of(plan, amount_once="other", other_amount=typed)) == ["other_amount"]


def test_own_amount_missing(plan: Plan) -> None:
    assert errors_of(plan, amount_once="other") == {"other_amount": ["Choose or enter an amount."]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"frequency": "weekly"}, "frequency"),
        ({"amount_once": "1"}, "amount_once"),
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"email": "amara"}, "email"),
        ({"is_gift": "gift"}, "recipient_name"),
        ({"is_gift": "perhaps"}, "is_gift"),
    ],
)
def test_answer_that_cannot_be_used_is_one_error_in_one_place(plan: Plan, changes: dict[str, str], field: str) -> None:
    assert list(errors_of(plan, **changes)) == [field]


def test_amounts_of_other_frequencies_are_not_looked_at(plan: Plan) -> None:
    assert errors_of(plan, frequency="monthly", amount_monthly="500", amount_once="junk", amount_yearly="junk") == {}


def test_left_over_own_amount_does_not_matter_once_a_preset_is_chosen(plan: Plan) -> None:
    assert errors_of(plan, amount_once="3600", other_amount="junk") == {}


def test_campaign_code_that_is_none_never_stops_anybody(plan: Plan) -> None:
    form = AdoptForm(answers(c="<script>"), plan=plan)
    assert form.is_valid(), form.errors
    assert form.answers(make_species()).campaign_code == ""


def test_attempt_that_is_none_is_made_anew(plan: Plan) -> None:
    form = AdoptForm(answers(attempt=""), plan=plan)
    assert form.is_valid()
    assert isinstance(form.answers(make_species()).attempt, uuid.UUID)


def test_recipient_counts_only_for_a_gift(plan: Plan) -> None:
    form = AdoptForm(answers(recipient_name="Ellie"), plan=plan)
    assert form.is_valid()
    assert form.answers(make_species()).present is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"frequency": "monthly", "is_gift": "me"}),
        ("frequency=once&amount=24", {"frequency": "once", "amount_once": "2400"}),
        ("frequency=once&amount=36.00", {"amount_once": "3600"}),
        ("frequency=yearly&amount=41.50", {"amount_yearly": "other", "other_amount": "41.50"}),
        ("amount=7", {"frequency": "monthly", "amount_monthly": "other", "other_amount": "7"}),
        ("gift=1&c=LEOPARD26", {"is_gift": "gift", "c": "leopard26"}),
    ],
)
def test_address_fills_in_answers(plan: Plan, query: str, expected: dict[str, str]) -> None:
    initial = presets.initial_answers(plan, QueryDict(query))
    assert {key: initial[key] for key in expected} == expected


@pytest.mark.parametrize(
    "query",
    [
        "amount=-5",
        "amount=12.345",
        "amount=999999",
        "amount=0",
        "amount=",
        "amount=2.99",
        "frequency=weekly",
        "gift=yes",
        "c=" + "x" * 40,
        "c=a%20b",
        "plan=nonsense",
        "amount=%00",
        "amount=1e9&frequency=%F0%9F%90%86",
    ],
)
def test_value_that_cannot_be_used_is_ignored(plan: Plan, query: str) -> None:
    initial = presets.initial_answers(plan, QueryDict(query))
    assert {k: v for k, v in initial.items() if k != "attempt"} == {"frequency": "monthly", "is_gift": "me", "c": ""}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.dictionaries(st.sampled_from(["plan", "amount", "frequency", "gift", "c"]), st.text(max_size=40)))
def test_no_address_breaks_the_form(plan: Plan, query: dict[str, str]) -> None:
    parsed = QueryDict(mutable=True)
    parsed.update(query)
    initial = presets.initial_answers(plan, parsed)
    form = AdoptForm(plan=plan, initial=initial)
    assert "frequency" in str(form)
    assert initial["frequency"] in Frequency.values


def test_plan_named_in_the_address_is_chosen_and_an_unknown_one_is_not(plan: Plan) -> None:
    other = Plan(slug="guardian", name="Guardian")
    assert presets.chosen_plan([plan, other], QueryDict("plan=guardian")) is other
    assert presets.chosen_plan([plan, other], QueryDict("plan=nonsense")) is plan


def test_missing_answer_is_asked_for_by_name(plan: Plan) -> None:
    found = errors_of(plan, name="", email="")
    assert found == {"name": ["Enter your name."], "email": ["Enter your email address."]}
