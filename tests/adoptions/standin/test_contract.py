"""The contract checker itself: it passes what is right and catches what is wrong, with the place named."""

import json
import random
from copy import deepcopy
from typing import Any

import pytest
import stripe

from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.customers import new_customer
from tests.adoptions.standin.conftest import checkout, subscribe, wanted
from tests.standin import Standin
from tests.stripe_contract import Contract, ContractBroken, forms
from tests.stripe_contract.problems import Problem

SESSIONS = "/v1/checkout/sessions"


def encode(params: dict[str, Any], prefix: str = "") -> str:
    pairs = []
    for name, value in params.items():
        whole = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, list):
            value = {str(at): one for at, one in enumerate(value)}
        if isinstance(value, dict):
            pairs.append(encode(value, whole))
        elif value is not None:
            pairs.append(f"{whole}={str(value).lower() if isinstance(value, bool) else value}")
    return "&".join(filter(None, pairs))


def found(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in problems]


def test_library_is_described_whole(contract: Contract) -> None:
    described = contract._description
    assert len(described.operations) >= 100
    assert {"charge", "checkout.session", "dispute", "invoice", "payout", "subscription"} <= described.objects.keys()


@pytest.mark.parametrize("mode", ["payment", "subscription"])
def test_right_request_has_no_problem(contract: Contract, mode: str) -> None:
    assert contract.check_request("POST", SESSIONS, encode(wanted(mode))) == []


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
        ({"locale": "xx"}, "bad_enum", "locale"),
        ({"cancel_url": "/back"}, "url_invalid", "cancel_url"),
        ({"success_url": None}, "url_required", "success_url"),
        ({"mode": None}, "mode", "mode"),
        ({"line_items": None}, "line_items", "line_items"),
        ({"return_url": "http://site.example/"}, "ui_mode", "return_url"),
        ({"customer": "cus_1"}, "customer", "customer_email"),
        ({"subscription_data": {"description": "x"}}, "mode", "subscription_data"),
        ({"expires_at": 1}, "expires_at", "expires_at"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
        ({"client_reference_id": ""}, "parameter_invalid_empty", "client_reference_id"),
        ({"metadata": "none"}, "wrong_type", "metadata"),
        ({"metadata": {"k": {"deep": "1"}}}, "wrong_type", "metadata[k]"),
        ({"metadata": {"k" * 41: "v"}}, "metadata", f"metadata[{'k' * 41}]"),
        ({"metadata": {str(n) + "k": "v" for n in range(51)}}, "metadata", "metadata"),
        ({"adaptive_pricing": {"enabled": "maybe"}}, "parameter_invalid_boolean", "adaptive_pricing[enabled]"),
        ({"custom_text": {"submit": {}, "sumbit": {"message": "x"}}}, "parameter_unknown", "custom_text[sumbit]"),
        ({"expand": ["a.b.c.d.e"]}, "expand_depth", "expand[0]"),
        ({"expand": ["status"]}, "expand", "expand[0]"),
    ],
)
def test_wrong_request_is_caught_where_it_is_wrong(
    contract: Contract, changes: dict[str, Any], code: str, path: str
) -> None:
    assert (code, path) in found(contract.check_request("POST", SESSIONS, encode(wanted() | changes)))


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"price": "price_1"}, "quantity"),
        ({"quantity": 1}, "price"),
        ({"quantity": 1, "price_data": {"currency": "gbp", "unit_amount": 100}}, "product"),
        ({"quantity": 1, "price_data": {"currency": "gbp", "product": "prod_1"}}, "amount"),
        ({"quantity": 1, "price_data": {"currency": "gbp", "product": "prod_1", "unit_amount": -1}}, "amount"),
        (
            {"quantity": 1, "price_data": {"currency": "gbp", "product": "prod_1", "unit_amount": 29}},
            "amount_too_small",
        ),
        ({"quantity": 1, "price_data": {"product": "prod_1", "unit_amount": 100}}, "parameter_missing"),
        (
            {
                "quantity": 1,
                "price_data": {
                    "currency": "gbp",
                    "product": "prod_1",
                    "unit_amount": 100,
                    "recurring": {"interval": "year", "interval_count": 4},
                },
            },
            "interval",
        ),
    ],
)
def test_wrong_line_is_caught(contract: Contract, item: dict[str, Any], code: str) -> None:
    problems = contract.check_request("POST", SESSIONS, encode(wanted(line_items=[item])))
    assert code in [problem.code for problem in problems]


def test_lines_must_agree(contract: Contract) -> None:
    (line,) = wanted()["line_items"]
    other = deepcopy(line)
    other["price_data"]["currency"] = "eur"
    problems = contract.check_request("POST", SESSIONS, encode(wanted(line_items=[line, other])))
    assert found(problems) == [("currency", "line_items")]
    monthly = wanted("subscription")["line_items"]
    assert ("recurring", "line_items") in found(
        contract.check_request("POST", SESSIONS, encode(wanted(line_items=monthly)))
    )
    assert ("recurring", "line_items") in found(
        contract.check_request("POST", SESSIONS, encode(wanted("subscription", line_items=[line])))
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/v1/nothing", "", "unknown_operation"),
        ("GET", "/v1/charges?limit=0", "", "limit"),
        ("GET", "/v1/charges?starting_after=ch_1&ending_before=ch_2", "", "cursor"),
        ("GET", "/v1/charges?[=1", "", "form"),
        ("POST", SESSIONS, "mode=payment&mode=payment", "form"),
        ("POST", SESSIONS, "mode=payment&mode[a]=1", "form"),
        ("POST", "/v1/refunds", "amount=1", "refund_target"),
        ("POST", "/v1/refunds", "charge=ch_1&amount=0", "amount"),
        ("POST", "/v1/billing_portal/sessions", "return_url=x", "customer"),
        ("POST", "/v1/subscriptions/sub_1", "cancel_at=1&cancel_at_period_end=true", "cancel"),
    ],
)
def test_wrong_call_is_caught(contract: Contract, method: str, path: str, body: str, code: str) -> None:
    assert code in [problem.code for problem in contract.check_request(method, path, body)]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Authorization": "Bearer pk_test_1"}, "no_key"),
        ({"Stripe-Version": "2024-06-20"}, "version"),
        ({"Idempotency-Key": "k" * 256}, "idempotency_key"),
    ],
)
def test_wrong_header_is_caught(contract: Contract, headers: dict[str, str], code: str) -> None:
    right = {"Authorization": "Bearer sk_test_1", "Stripe-Version": contract.version, "Idempotency-Key": "k"}
    assert contract.check_request("POST", "/v1/customers", "", right) == []
    assert [one.code for one in contract.check_request("POST", "/v1/customers", "", right | headers)] == [code]


# --- answers and events ---------------------------------------------------------------------------------------


@pytest.fixture
def customer() -> dict[str, Any]:
    return new_customer(Books(), {"email": "amara@example.org"})


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"id": "person_1"}, "id", "id"),
        ({"id": None}, "not_nullable", "id"),
        ({"balance": "0"}, "wrong_type", "balance"),
        ({"balance": True}, "wrong_type", "balance"),
        ({"tax_exempt": "maybe"}, "bad_enum", "tax_exempt"),
        ({"sex": "f"}, "field_unknown", "sex"),
        ({"currency": "Pounds"}, "currency", "currency"),
        ({"invoice_settings": []}, "wrong_type", "invoice_settings"),
        ({"preferred_locales": "en"}, "wrong_type", "preferred_locales"),
        (
            {"subscriptions": {"object": "list", "data": [], "has_more": False, "url": "x"}},
            "list_url",
            "subscriptions.url",
        ),
    ],
)
def test_wrong_object_is_caught_where_it_is_wrong(
    contract: Contract, customer: dict[str, Any], changes: dict[str, Any], code: str, path: str
) -> None:
    assert contract.check_object(customer) == []
    assert (code, path) in found(contract.check_object(customer | changes))


def test_missing_field_is_caught(contract: Contract, customer: dict[str, Any]) -> None:
    del customer["created"]
    assert found(contract.check_object(customer)) == [("field_missing", "created")]
    assert contract.check_object({"id": "cus_1", "object": "customer", "deleted": True}) == []
    assert found(contract.check_object({"object": "unicorn"})) == [("unknown_object", "")]


def test_expansion_is_held_to_what_was_asked(standin: Standin, contract: Contract) -> None:
    path = f"/v1/subscriptions/{subscribe(standin)}"
    standin.client.raw_request("get", path)
    answer = standin.checked.exchanges[-1].answer
    asked = f"{path}?expand[0]=latest_invoice"
    assert contract.check_answer("GET", path, 200, answer) == []
    assert found(contract.check_answer("GET", asked, 200, answer)) == [("expansion_not_honoured", "latest_invoice")]
    standin.client.raw_request("get", asked)
    expanded = standin.checked.exchanges[-1].answer
    assert contract.check_answer("GET", asked, 200, expanded) == []
    assert found(contract.check_answer("GET", path, 200, expanded)) == [("unasked_expansion", "latest_invoice")]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"error": "no"}, "error_shape"),
        (400, {"error": {"type": "card_error", "message": "no"}}, "error_status"),
        (500, [], "error_shape"),
    ],
)
def test_wrong_error_is_caught(contract: Contract, status: int, body: Any, code: str) -> None:
    assert [one.code for one in contract.check_answer("GET", "/v1/balance", status, body)] == [code]


def test_wrong_event_is_caught(standin: Standin, contract: Contract) -> None:
    key = subscribe(standin)
    standin.client.v1.subscriptions.update(key, {"cancel_at_period_end": True})
    right = standin.events("customer.subscription.updated")[-1]
    assert contract.check_event(right) == []

    def caught(**changes: Any) -> list[str]:
        return [one.code for one in contract.check_event(deepcopy(right) | changes)]

    thing = right["data"]["object"]
    assert caught(id="ev_1") == ["id"]
    assert caught(api_version="2024-06-20") == ["version"]
    assert caught(livemode=True) == ["livemode"]
    assert caught(data={"object": thing}) == ["previous_attributes"]
    assert caught(data={"object": thing, "previous_attributes": {"colour": "red"}}) == ["previous_attributes"]
    assert "field_missing" in caught(type="invoice.paid", data={"object": thing})
    assert caught(type="account.updated", data={"object": thing}) == ["unknown_event"]


def test_client_raises_on_the_first_disagreement(standin: Standin) -> None:
    with pytest.raises(ContractBroken, match="unknown parameter"):
        standin.client.v1.customers.create({"nmae": "Sam"})  # type: ignore[arg-type]  # wrong on purpose


def test_client_catches_a_key_used_for_two_requests(standin: Standin) -> None:
    options: stripe.RequestOptions = {"idempotency_key": "one"}
    standin.client.v1.customers.create({"name": "Sam"}, options)
    with pytest.raises(ContractBroken, match="used before for another request"):
        standin.client.v1.customers.create({"name": "Amara"}, options)


def test_junk_never_breaks_the_checker(standin: Standin, contract: Contract) -> None:
    """Whatever a value in an answer is replaced with, the checker answers with problems and never raises."""
    checkout(standin)
    answer = standin.checked.exchanges[-1].answer
    chance = random.Random(7)
    junk: list[Any] = [
        None,
        True,
        -1,
        1.5,
        "",
        "x",
        [],
        {},
        [[]],
        {"object": "charge"},
        {"": {}},
        {"object": 1, "id": []},
    ]
    for _ in range(200):
        spoiled = deepcopy(answer)
        spoiled[chance.choice(list(spoiled))] = chance.choice(junk)
        problems = contract.check_answer("GET", f"{SESSIONS}/cs_1", 200, spoiled)
        assert all(isinstance(one, Problem) and str(one) for one in problems)
        assert contract.check_event(spoiled)
    for text in ("a[=1", "]", "a[b]c=1", "[]=1", "=", "&&", "a[]=1&a[]=2", json.dumps(answer)):
        contract.check_request("POST", SESSIONS, text)
    assert forms.decode("a[]=1&a[]=2") == {"a": ["1", "2"]}
