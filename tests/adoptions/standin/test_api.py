"""The API as the real library meets it: errors in Stripe's shape, idempotency, pages, expansion."""

from typing import Any

import pytest
import stripe

from adoptions.stripe_standin.books import API_VERSION
from tests.adoptions.standin.conftest import checkout, latest_charge, subscribe, wanted
from tests.standin import Standin
from tests.stripe_contract import CheckingClient, Contract


def lenient(standin: Standin, key: str = "sk_test_standin") -> stripe.StripeClient:
    """A client that may send what Stripe would refuse: the answers are still written down with their problems."""
    checked = CheckingClient(Contract.from_library(), is_strict=False)
    return stripe.StripeClient(key, base_addresses={"api": standin.url}, http_client=checked)


def refusal(standin: Standin, params: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        lenient(standin).v1.checkout.sessions.create(params)
    return caught.value


def without(name: str, mode: str = "payment") -> dict[str, Any]:
    return {key: value for key, value in wanted(mode).items() if key != name}


def test_version_is_the_one_the_library_asks_for() -> None:
    assert stripe.api_version == API_VERSION


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown"),
        ({"subscription_data": {"description": "monthly"}}, "subscription_data", None),
        ({"metadata": {"a" * 41: "b"}}, f"metadata[{'a' * 41}]", None),
        ({"metadata": {"a": "b" * 501}}, "metadata[a]", None),
        ({"metadata": {str(n): "b" for n in range(51)}}, "metadata", None),
        ({"cancel_url": "/adopt/"}, "cancel_url", "url_invalid"),
        ({"client_reference_id": "x" * 201}, "client_reference_id", "parameter_invalid_string_too_long"),
        ({"client_reference_id": ""}, "client_reference_id", "parameter_invalid_empty"),
        ({"mode": "gift"}, "mode", None),
        ({"expires_at": "soon"}, "expires_at", "parameter_invalid_integer"),
        ({"expires_at": 1}, "expires_at", None),
        ({"customer": "cus_none"}, "customer", "resource_missing"),
        ({"line_items": []}, "line_items", "parameter_missing"),
        ({"line_items": [{"quantity": 1}]}, "line_items[0]", None),
        ({"line_items": [{"quantity": 1, "price": "price_none"}]}, "line_items[0][price]", "resource_missing"),
        ({"adaptive_pricing": {"enabled": "maybe"}}, "adaptive_pricing[enabled]", None),
    ],
)
def test_session_with_a_wrong_parameter_is_refused_by_its_name(
    standin: Standin, changes: dict[str, Any], param: str, code: str | None
) -> None:
    error = refusal(standin, wanted(**changes))
    assert (error.http_status, error.param, error.code) == (400, param, code)
    assert standin.client.v1.products.list().data == []


@pytest.mark.parametrize("name", ["mode", "success_url"])
def test_session_without_a_needed_parameter_is_refused(standin: Standin, name: str) -> None:
    error = refusal(standin, without(name))
    assert (error.param, error.code) == (name, "parameter_missing")


@pytest.mark.parametrize(("amount", "code"), [(29, "amount_too_small"), (100_000_000, "parameter_invalid_integer")])
def test_session_with_an_amount_out_of_bounds_is_refused(standin: Standin, amount: int, code: str) -> None:
    assert refusal(standin, wanted(amount=amount)).code == code


def test_rhythm_must_fit_the_mode(standin: Standin) -> None:
    monthly = wanted("subscription")["line_items"]
    assert refusal(standin, wanted(line_items=monthly)).param == "mode"
    assert refusal(standin, wanted("subscription", line_items=wanted()["line_items"])).param == "line_items"


def test_customer_goes_without_an_email(standin: Standin) -> None:
    person = standin.client.v1.customers.create({"email": "sam@example.org"})
    assert refusal(standin, wanted(customer=person.id)).param == "customer_email"
    params = {key: value for key, value in without("customer_email").items() if key != "customer_creation"}
    session = standin.client.v1.checkout.sessions.create(params | {"customer": person.id})  # type: ignore[arg-type]  # a plain dict
    standin.pay(session.id)
    assert latest_charge(standin).customer == person.id


@pytest.mark.parametrize("key", ["sk_test_other", "sk_live_standin"])
def test_wrong_key_is_refused(standin: Standin, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError):
        lenient(standin, key).v1.balance.retrieve()


def test_unknown_object_is_not_found(standin: Standin) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.invoices.retrieve("in_none")
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (404, "resource_missing", "id")


def test_unknown_call_is_not_found(standin: Standin) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        lenient(standin).v1.coupons.list()
    assert caught.value.http_status == 404


def test_every_error_keeps_to_the_contract(standin: Standin) -> None:
    client = lenient(standin)
    checked = client._requestor._client
    assert isinstance(checked, CheckingClient)
    for params in (wanted(mode="gift"), wanted(amount=1), without("mode")):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.checkout.sessions.create(params)  # type: ignore[arg-type]  # wrong on purpose
    assert [one.status for one in checked.exchanges] == [400, 400, 400]
    assert [str(p) for one in checked.exchanges for p in one.problems if p.where == "answer"] == []


# --- idempotency ----------------------------------------------------------------------------------------------


def test_same_key_gets_the_same_session(standin: Standin) -> None:
    options: stripe.RequestOptions = {"idempotency_key": "adoption:1:session:1"}
    params: Any = wanted(expires_at=None) | {"metadata": {"adoption": "1"}}
    first = standin.client.v1.checkout.sessions.create(params, options)
    second = standin.client.v1.checkout.sessions.create(params, options)
    assert first.id == second.id
    assert [one.headers.get("Idempotent-Replayed") for one in standin.checked.exchanges] == [None, "true"]
    assert len(standin.client.v1.checkout.sessions.list().data) == 1


def test_same_key_with_other_parameters_is_refused(standin: Standin) -> None:
    options: stripe.RequestOptions = {"idempotency_key": "adoption:1:session:1"}
    client = lenient(standin)
    client.v1.checkout.sessions.create(wanted(amount=1200), options)  # type: ignore[arg-type]  # a plain dict
    with pytest.raises(stripe.IdempotencyError) as caught:
        client.v1.checkout.sessions.create(wanted(amount=1300), options)  # type: ignore[arg-type]  # a plain dict
    assert caught.value.http_status == 400


def test_refusal_is_not_remembered_under_its_key(standin: Standin) -> None:
    options: stripe.RequestOptions = {"idempotency_key": "adoption:1:session:1"}
    client = lenient(standin)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(wanted(amount=1), options)  # type: ignore[arg-type]  # a plain dict
    assert client.v1.checkout.sessions.create(wanted(), options).status == "open"  # type: ignore[arg-type]  # a plain dict


def test_event_names_the_request_that_caused_it(standin: Standin) -> None:
    standin.client.v1.customers.create({"name": "Sam"}, {"idempotency_key": "sam"})
    event = standin.events("customer.created")[0]
    assert event["request"]["idempotency_key"] == "sam"
    assert event["request"]["id"].startswith("req_")
    standin.pay(checkout(standin).id)
    assert standin.events("charge.succeeded")[0]["request"] == {"id": None, "idempotency_key": None}


# --- lists and expansion --------------------------------------------------------------------------------------


def test_lists_go_page_by_page_newest_first(standin: Standin) -> None:
    made = [standin.client.v1.customers.create({"name": f"Person {n}"}).id for n in range(7)]
    first = standin.client.v1.customers.list({"limit": 3})
    assert ([one.id for one in first.data], first.has_more) == (made[:3:-1], True)
    second = standin.client.v1.customers.list({"limit": 3, "starting_after": first.data[-1].id})
    assert ([one.id for one in second.data], second.has_more) == (made[3:0:-1], True)
    back = standin.client.v1.customers.list({"limit": 2, "ending_before": second.data[0].id})
    assert ([one.id for one in back.data], back.has_more) == ([made[5], made[4]], True)
    everyone = standin.client.v1.customers.list({"limit": 2}).auto_paging_iter()
    assert [one.id for one in everyone] == made[::-1]


def test_events_since_a_moment_come_oldest_first(standin: Standin) -> None:
    """How lost webhooks are made up for."""
    standin.pay(checkout(standin).id)
    since = standin.control("now")["now"]
    standin.advance(days=1)
    standin.pay(checkout(standin, "subscription").id)
    after = standin.events()[4]["id"]
    missed = standin.client.v1.events.list({"ending_before": after, "limit": 3}).auto_paging_iter()
    assert [event.type for event in missed] == [event["type"] for event in standin.events()[5:]]
    later = standin.client.v1.events.list({"created": {"gt": since + 60}, "types": ["charge.succeeded", "invoice.*"]})
    assert {event.type for event in later.data} == {
        "charge.succeeded",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
    }


def test_window_of_time_holds_on_both_sides(standin: Standin) -> None:
    standin.client.v1.customers.create({"name": "Early"})
    middle = standin.advance(days=1)
    standin.client.v1.customers.create({"name": "Late"})
    early = standin.client.v1.customers.list({"created": {"lt": middle}})
    late = standin.client.v1.customers.list({"created": {"gte": middle}})
    assert ([one.name for one in early.data], [one.name for one in late.data]) == (["Early"], ["Late"])


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"starting_after": "cus_none"}])
def test_page_that_cannot_be_is_refused(standin: Standin, params: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        lenient(standin).v1.customers.list(params)


def test_expand_goes_through_hashes_and_lists(standin: Standin) -> None:
    key = subscribe(standin)
    path = "latest_invoice.payments"
    invoice = standin.client.v1.subscriptions.retrieve(key, {"expand": [path]}).latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert invoice.payments is not None
    payment = invoice.payments.data[0]
    expand = ["payment.payment_intent.latest_charge"]
    intent = standin.client.v1.invoice_payments.retrieve(payment.id, {"expand": expand}).payment.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert (payment.payment.payment_intent, intent.latest_charge.amount) == (intent.id, 1200)


@pytest.mark.parametrize(
    "path", ["latest_invoice.payments.data.payment.payment_intent", "status", "items.data.nonsense"]
)
def test_expand_that_cannot_be_is_refused(standin: Standin, path: str) -> None:
    key = subscribe(standin)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        lenient(standin).v1.subscriptions.retrieve(key, {"expand": [path]})
    assert (caught.value.http_status, caught.value.param) == (400, "expand")
    with pytest.raises(stripe.InvalidRequestError):
        lenient(standin).v1.charges.list({"expand": ["payment_intent"]})


def test_expand_in_a_list(standin: Standin) -> None:
    standin.pay(checkout(standin).id)
    listed = standin.client.v1.charges.list({"expand": ["data.payment_intent", "data.refunds"]})
    intent, refunds = listed.data[0].payment_intent, listed.data[0].refunds
    assert isinstance(intent, stripe.PaymentIntent)
    assert refunds is not None
    assert (intent.status, refunds.data) == ("succeeded", [])


def test_sessions_are_found_by_what_they_led_to(standin: Standin) -> None:
    key = subscribe(standin)
    checkout(standin)
    found = standin.client.v1.checkout.sessions.list({"subscription": key}).data
    assert [one.subscription for one in found] == [key]
    assert len(standin.client.v1.checkout.sessions.list({"status": "open"}).data) == 1
    by_mail = standin.client.v1.checkout.sessions.list({"customer_details": {"email": "amara@example.org"}}).data
    assert by_mail[0].id == found[0].id
    assert standin.client.v1.checkout.sessions.line_items.list(found[0].id).data[0].amount_total == 1200


# --- customers, products and prices ---------------------------------------------------------------------------


def test_customer_is_changed_and_erased(standin: Standin) -> None:
    person = standin.client.v1.customers.create({"name": "Sam", "email": "sam@example.org", "metadata": {"a": "1"}})
    changed = standin.client.v1.customers.update(person.id, {"name": "Samira", "metadata": {"a": "", "b": "2"}})
    assert (changed.name, changed.metadata.to_dict() if changed.metadata else None) == ("Samira", {"b": "2"})
    told = standin.events("customer.updated")[0]["data"]["previous_attributes"]
    assert told == {"name": "Sam", "metadata": {"a": "1"}}
    assert [one.id for one in standin.client.v1.customers.list({"email": "sam@example.org"}).data] == [person.id]
    standin.client.v1.customers.delete(person.id)
    assert standin.client.v1.customers.retrieve(person.id).deleted is True
    assert standin.client.v1.customers.list().data == []


def test_customer_who_still_pays_is_not_erased(standin: Standin) -> None:
    subscribe(standin)
    person = standin.client.v1.customers.list().data[0].id
    with pytest.raises(stripe.InvalidRequestError):
        standin.client.v1.customers.delete(person)


def test_price_of_the_catalogue_can_be_sold(standin: Standin) -> None:
    product = standin.client.v1.products.create({"name": "Snow leopard adoption"})
    price = standin.client.v1.prices.create(
        {"product": product.id, "currency": "gbp", "unit_amount": 500, "recurring": {"interval": "year"}}
    )
    key = subscribe(standin, line_items=[{"price": price.id, "quantity": 2}])
    invoice = standin.client.v1.invoices.list({"subscription": key}).data[0]
    assert (invoice.amount_paid, invoice.lines.data[0].description) == (1000, "2 × Snow leopard adoption")
    standin.client.v1.prices.update(price.id, {"active": False})
    assert refusal(standin, wanted("subscription", line_items=[{"price": price.id, "quantity": 1}])).param == (
        "line_items[0][price]"
    )
    assert standin.client.v1.products.update(product.id, {"name": "Ounce"}).name == "Ounce"
    assert standin.client.v1.prices.list({"product": product.id, "active": False}).data[0].id == price.id


# --- faults ---------------------------------------------------------------------------------------------------


def test_library_retries_a_500_and_one_session_is_made(standin: Standin) -> None:
    standin.control("faults", fail=1)
    checkout(standin)
    assert [one.status for one in standin.checked.exchanges] == [500, 200]
    assert len(standin.client.v1.checkout.sessions.list().data) == 1


def test_answer_that_is_lost_is_had_again_with_the_same_key(standin: Standin) -> None:
    standin.control("faults", lose=1)
    session = checkout(standin)
    assert standin.checked.exchanges[-1].headers["Idempotent-Replayed"] == "true"
    assert [one.id for one in standin.client.v1.checkout.sessions.list().data] == [session.id]


def test_call_that_hangs_is_given_up_by_the_library(standin: Standin) -> None:
    standin.control("faults", hang=1, hang_seconds=2)
    impatient = stripe.StripeClient(
        "sk_test_standin",
        base_addresses={"api": standin.url},
        http_client=CheckingClient(Contract.from_library(), timeout=1),
    )
    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.balance.retrieve()
    assert impatient.v1.balance.retrieve().livemode is False
