"""The less-used calls, and how the stand-in behaves when it is spoken to badly or by many at once."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.adoptions.standin.conftest import Receiver, checkout, latest_charge, subscribe, wanted
from tests.adoptions.standin.test_api import lenient, refusal
from tests.standin import KEY, Standin


def raw(standin: Standin, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    """Past the library, which would not send such things."""
    connection = http.client.HTTPConnection(standin.url.removeprefix("http://"), timeout=10)
    sent = {"Authorization": f"Bearer {KEY}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        text = response.read().decode()
        return response.status, json.loads(text) if text.startswith("{") else text
    finally:
        connection.close()


# --- many at once ---------------------------------------------------------------------------------------------


def test_eight_presses_at_once_pay_once(standin: Standin) -> None:
    session = checkout(standin)
    with ThreadPoolExecutor(8) as pool:
        addresses = set(pool.map(lambda _: standin.pay(session.id), range(8)))
    assert addresses == {f"http://site.example/thanks/?s={session.id}"}
    assert len(standin.client.v1.charges.list().data) == 1


def test_eight_calls_at_once_with_one_key_make_one_session(standin: Standin) -> None:
    body = b"mode=payment&success_url=http://site.example/&line_items[0][quantity]=1&line_items[0][price_data][currency]=gbp"
    body += b"&line_items[0][price_data][unit_amount]=500&line_items[0][price_data][product_data][name]=Leopard"
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: raw(standin, "POST", "/v1/checkout/sessions", body, Idempotency_Key="one"), range(8))
        )
    assert [status for status, _ in answers] == [200] * 8
    assert len({session["id"] for _, session in answers}) == 1


def test_refunds_at_once_never_give_back_more_than_was_paid(standin: Standin) -> None:
    standin.pay(checkout(standin).id)
    charge = str(latest_charge(standin).id)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: standin.press("/_control/refund", charge=charge, amount=500).status, range(8)))
    assert sorted(found) == [200, 200, 400, 400, 400, 400, 400, 400]
    assert latest_charge(standin).amount_refunded == 1000


# --- badly spoken to ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"[=1", "["),
        (b"a[b=1", "a[b"),
        (b"mode=payment&mode[x]=1", "mode[x]"),
        (b"mode[x]=1", "mode"),
        (b"mode=payment&line_items=none", "line_items"),
        (b"mode=payment&line_items[0]=none", "line_items[0]"),
        (b"mode=payment&metadata=none", "metadata"),
        (b"mode=payment&metadata[a][b]=c", "metadata[a]"),
    ],
)
def test_form_that_makes_no_sense_is_refused(standin: Standin, body: bytes, param: str) -> None:
    body = b"success_url=http://site.example/&" + body
    status, answer = raw(standin, "POST", "/v1/checkout/sessions", body)
    assert (status, answer["error"]["param"]) == (400, param)


def test_body_that_is_not_text_or_too_large_is_refused(standin: Standin) -> None:
    assert raw(standin, "POST", "/v1/customers", b"name=\xff")[0] == 400
    assert raw(standin, "POST", "/v1/customers", b"name=" + b"x" * 1024 * 1024)[0] == 413
    assert raw(standin, "POST", "/v1/customers", b"", Content_Length="many")[0] == 413
    assert standin.client.v1.customers.list().data == []


def test_key_is_needed_in_the_right_scheme(standin: Standin) -> None:
    assert raw(standin, "GET", "/v1/balance", Authorization=f"Basic {KEY}")[0] == 401
    assert raw(standin, "GET", "/v1/balance", Authorization="")[0] == 401


def test_idempotency_key_has_a_longest_length(standin: Standin) -> None:
    assert raw(standin, "POST", "/v1/customers", b"", Idempotency_Key="k" * 255)[0] == 200
    status, answer = raw(standin, "POST", "/v1/customers", b"", Idempotency_Key="k" * 256)
    assert (status, answer["error"]["type"]) == (400, "idempotency_error")


def test_controls_take_json_too(standin: Standin) -> None:
    status, answer = raw(
        standin, "POST", "/_control/webhooks", b'{"paused": true, "delay_seconds": 3}', Content_Type="application/json"
    )
    assert (status, answer["paused"], answer["delay_seconds"]) == (200, True, 3)
    assert raw(standin, "POST", "/_control/webhooks", b"[1", Content_Type="application/json")[0] == 400


def test_control_pressed_on_the_page_comes_back_to_it(standin: Standin) -> None:
    connection = http.client.HTTPConnection(standin.url.removeprefix("http://"), timeout=10)
    connection.request("POST", "/_control/refund", "charge=ch_none", {"Accept": "text/html"})
    answered = connection.getresponse()
    assert (answered.status, answered.headers["Location"]) == (303, "/?said=No%20such%20charge%3A%20%27ch_none%27")
    connection.close()


def test_front_page_says_where_everything_stands(standin: Standin, receiver: Receiver) -> None:
    key = subscribe(standin)
    standin.control("fail_renewals", subscription=key, times=2)
    standin.control("ask_at_renewal", subscription=key)
    standin.client.v1.subscriptions.update(
        key, {"cancel_at_period_end": True, "pause_collection": {"behavior": "void"}}
    )
    standin.pay(checkout(standin).id)
    standin.control("refund", charge=latest_charge(standin).id, amount=100)
    standin.pay(checkout(standin).id)
    standin.control("dispute", charge=latest_charge(standin).id)
    standin.wait()
    page = standin.open("/").text
    for words in (
        "ends then, collection paused, next 2 to fail, next one asks",
        "succeeded, £1.00 refunded",
        "succeeded, dispute needs response",
        "The refund comes back",
        "delivered: HTTP 200, 1 sent",
        "0 waiting to be sent",
    ):
        assert words in page


# --- calls that are seldom used -------------------------------------------------------------------------------


def test_open_invoice_can_be_voided_and_then_not_paid(standin: Standin) -> None:
    key = subscribe(standin)
    standin.control("fail_renewals", subscription=key)
    standin.advance(months=1)
    invoice = str(standin.client.v1.invoices.list({"subscription": key, "status": "open"}).data[0].id)
    assert standin.client.v1.invoices.void_invoice(invoice).status == "void"
    for act in (standin.client.v1.invoices.void_invoice, standin.client.v1.invoices.pay):
        with pytest.raises(stripe.InvalidRequestError):
            act(invoice)
    standin.press(f"/i/{invoice}", method="ok")
    standin.advance(days=10)
    assert standin.client.v1.invoices.retrieve(invoice).status == "void"


def test_lines_items_and_methods_are_listed(standin: Standin) -> None:
    key = subscribe(standin)
    subscription = standin.client.v1.subscriptions.retrieve(key, {"expand": ["customer.subscriptions"]})
    person = subscription.customer
    assert isinstance(person, stripe.Customer)
    assert person.subscriptions is not None
    assert [one.id for one in person.subscriptions.data] == [key]
    invoice = str(subscription.latest_invoice)
    assert standin.client.v1.invoices.line_items.list(invoice).data[0].amount == 1200
    assert standin.client.v1.subscription_items.list({"subscription": key}).data[0].subscription == key
    methods = standin.client.v1.customers.payment_methods.list(person.id, {"type": "card"}).data
    assert [one.id for one in methods] == [subscription.default_payment_method]
    assert standin.client.v1.payment_methods.retrieve(methods[0].id).customer == person.id
    changed = standin.client.v1.customers.update(
        person.id, {"invoice_settings": {"default_payment_method": methods[0].id}}
    )
    assert changed.invoice_settings is not None
    assert changed.invoice_settings.default_payment_method == methods[0].id
    standin.client.v1.subscriptions.update(key, {"default_payment_method": methods[0].id, "description": "Leopard"})
    assert standin.client.v1.subscriptions.retrieve(key).description == "Leopard"


def test_session_takes_new_metadata(standin: Standin) -> None:
    session = standin.client.v1.checkout.sessions.update(checkout(standin).id, {"metadata": {"seen": "yes"}})
    assert session.metadata is not None
    assert session.metadata.to_dict() == {"adoption": "7f6c", "seen": "yes"}


@pytest.mark.parametrize(("prefix", "is_fine"), [("PUGMARK", True), ("pugmark", False), ("DDIC1", False)])
def test_reference_on_the_bank_statement_has_its_own_letters(standin: Standin, prefix: str, is_fine: bool) -> None:
    options = {"bacs_debit": {"mandate_options": {"reference_prefix": prefix}}}
    if is_fine:
        assert checkout(standin, "subscription", payment_method_options=options).status == "open"
    else:
        assert refusal(standin, wanted("subscription", payment_method_options=options)).http_status == 400


@pytest.mark.parametrize(
    ("line", "param"),
    [
        ({"price_data": {"currency": "gbp", "unit_amount": 500, "product": "prod_none"}}, "line_items[0][quantity]"),
        ({"quantity": 1, "price_data": {"currency": "gbp", "unit_amount": 500}}, "line_items[0][price_data]"),
        ({"quantity": 1, "price_data": {"currency": "gbp", "product": "p"}}, "line_items[0][price_data][unit_amount]"),
        ({"quantity": 1, "price_data": {"currency": "xxx", "product": "p"}}, "line_items[0][price_data][currency]"),
        ({"quantity": 1, "price_data": {"currency": "gbp", "unit_amount": 500, "product": "prod_none"}}, "product"),
    ],
)
def test_line_that_cannot_be_sold_is_refused(standin: Standin, line: dict[str, Any], param: str) -> None:
    product = standin.client.v1.products.create({"name": "Leopard"}).id
    if param.endswith("[quantity]"):
        line["price_data"]["product"] = product
    assert refusal(standin, wanted(line_items=[line])).param == param


def test_lines_of_two_currencies_or_no_quantity_are_refused(standin: Standin) -> None:
    (line,) = wanted()["line_items"]
    euros = {"quantity": 1, "price_data": line["price_data"] | {"currency": "eur"}}
    assert refusal(standin, wanted(line_items=[line, euros])).param == "line_items"
    assert refusal(standin, wanted(line_items=[line | {"quantity": 0}])).param == "line_items[0][quantity]"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"cancel_at": 1}, "cancel_at"),
        ({"cancel_at": 4_000_000_000, "cancel_at_period_end": True}, "cancel_at"),
        ({"default_payment_method": "pm_none"}, "default_payment_method"),
        ({"trial_end": 1, "proration_behavior": "none"}, "trial_end"),
        ({"trial_end": 4_000_000_000}, "proration_behavior"),
    ],
)
def test_change_that_cannot_be_is_refused(standin: Standin, change: Any, param: str) -> None:
    key = subscribe(standin)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        lenient(standin).v1.subscriptions.update(key, change)
    assert caught.value.param == param
    assert standin.client.v1.subscriptions.retrieve(key).cancel_at is None


def test_next_payment_can_be_taken_now(standin: Standin) -> None:
    key = subscribe(standin)
    standin.client.v1.subscriptions.update(key, {"trial_end": "now"})
    standin.advance(seconds=1)
    assert len(standin.client.v1.invoices.list({"subscription": key, "status": "paid"}).data) == 2


def test_portal_needs_a_customer_and_a_subscription(standin: Standin) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.billing_portal.sessions.create({"customer": "cus_none"})
    assert caught.value.code == "resource_missing"
    person = standin.client.v1.customers.create({"name": "Sam"}).id
    with pytest.raises(stripe.InvalidRequestError):
        lenient(standin).v1.billing_portal.sessions.create(
            {"customer": person, "flow_data": {"type": "subscription_cancel"}}
        )


def test_price_needs_one_product_and_an_amount(standin: Standin) -> None:
    client = lenient(standin)
    for wrong in ({"currency": "gbp", "unit_amount": 1}, {"currency": "gbp", "product": "prod_1"}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.prices.create(wrong)  # type: ignore[arg-type]  # wrong on purpose
    made = standin.client.v1.prices.create({"currency": "gbp", "unit_amount": 5, "product_data": {"name": "Pack"}})
    assert standin.client.v1.products.retrieve(str(made.product)).name == "Pack"
    assert standin.client.v1.products.update(str(made.product), {"metadata": {"a": "b"}}).metadata["a"] == "b"
    assert standin.client.v1.prices.update(made.id, {"metadata": {"a": "b"}}).metadata["a"] == "b"
    assert standin.client.v1.prices.retrieve(made.id).unit_amount == 5
    assert [event["type"] for event in standin.events("product.created", "price.created")] == [
        "product.created",
        "price.created",
    ]


def test_question_answered_already_says_so(standin: Standin) -> None:
    session = checkout(standin)
    question = standin.press(f"/c/pay/{session.id}", method="3ds").location
    standin.confirm(question)
    assert "nothing left to confirm" in standin.open(question).text
    assert standin.open("/receipt/ch_none").status == 404
    assert standin.open("/mandate/mandate_none").status == 404


def test_page_in_other_money_and_rhythm_says_so(standin: Standin) -> None:
    line = wanted("subscription")["line_items"][0]
    line["price_data"] |= {"currency": "eur", "recurring": {"interval": "month", "interval_count": 3}}
    session = checkout(standin, "subscription", line_items=[line])
    assert "€12.00 every 3 months" in standin.open(f"/c/pay/{session.id}").text
