"""`/v1/subscriptions`, `/v1/invoices`, `/v1/invoice_payments` and `/v1/billing_portal/sessions`."""

from adoptions.stripe_standin import answers, invoices, subscription_changes, subscriptions
from adoptions.stripe_standin.answers import ApiError, find, list_of
from adoptions.stripe_standin.api.calls import Call, retrieve, search
from adoptions.stripe_standin.api.checkout_calls import RECURRING
from adoptions.stripe_standin.books import Books, new_id
from adoptions.stripe_standin.parameters import (
    TEXT,
    TIME_WINDOW,
    array_of,
    boolean,
    call,
    clearable,
    either,
    hash_of,
    integer,
    listing,
    metadata,
    one_of,
    text,
    url,
)
from adoptions.stripe_standin.state import Object

STATUSES = ("active", "canceled", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid")
FEEDBACK = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
WHY = hash_of(
    {
        "comment": clearable(TEXT),
        "feedback": clearable(one_of(*FEEDBACK)),
    }
)
ITEM_PRICE = hash_of(
    {
        "currency": TEXT,
        "product": TEXT,
        "recurring": RECURRING,
        "tax_behavior": one_of("exclusive", "inclusive", "unspecified"),
        "unit_amount": integer,
    },
    ("currency", "product", "recurring"),
)
UPDATE = call(
    cancel_at=clearable(integer),
    cancel_at_period_end=boolean,
    cancellation_details=WHY,
    default_payment_method=TEXT,
    description=clearable(text(500)),
    items=array_of(hash_of({"id": TEXT, "price": TEXT, "price_data": ITEM_PRICE, "quantity": integer}, ("id",)), 20),
    metadata=metadata,
    off_session=boolean,
    pause_collection=clearable(
        hash_of(
            {"behavior": one_of("keep_as_draft", "mark_uncollectible", "void"), "resumes_at": integer}, ("behavior",)
        )
    ),
    payment_behavior=one_of("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"),
    proration_behavior=one_of("always_invoice", "create_prorations", "none"),
    trial_end=either(hash_of({}), TEXT),
)


def update(books: Books, params: Object, key: str) -> Object:
    return subscription_changes.update(books, find(books, "subscription", key), params)


def cancel(books: Books, params: Object, key: str) -> Object:
    subscription = find(books, "subscription", key)
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise answers.missing("subscription", key)
    subscription["cancellation_details"] |= params.get("cancellation_details", {})
    books.save(subscription)
    subscriptions.end(books, key, "cancellation_requested")
    return books.need("subscription", key)


def _subscription_matches(thing: Object, params: Object) -> bool:
    ended = thing["status"] in ("canceled", "incomplete_expired")
    wanted = params.get("status")
    match wanted:
        case None:
            fits = thing["status"] != "canceled"
        case "all":
            fits = True
        case "ended":
            fits = ended
        case _:
            fits = thing["status"] == wanted
    return bool(fits and thing["customer"] == params.get("customer", thing["customer"]))


def _invoice_matches(thing: Object, params: Object) -> bool:
    return (
        thing["status"] == params.get("status", thing["status"])
        and thing["customer"] == params.get("customer", thing["customer"])
        and params.get("subscription") in (None, invoices.subscription_of(thing))
    )


def pay(books: Books, params: Object, key: str) -> Object:
    invoice = find(books, "invoice", key)
    if invoice["status"] == "paid":
        raise ApiError("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] != "open":
        raise ApiError(f"Invoice {key} is {invoice['status']} and cannot be paid.", code="invoice_not_open")
    method = (
        find(books, "payment_method", params["payment_method"], "payment_method")
        if "payment_method" in params
        else None
    )
    outcome = subscriptions.collect(books, invoice, is_present=not params.get("off_session", True), method=method)
    paid = books.need("invoice", key)
    if outcome == "declined":
        error = books.need("payment_intent", paid["_intent"])["last_payment_error"]
        raise ApiError(
            error["message"], status=402, kind="card_error", code=error["code"], decline_code=error["decline_code"]
        )
    return paid


def void(books: Books, _params: Object, key: str) -> Object:
    invoice = find(books, "invoice", key)
    if invoice["status"] not in ("open", "uncollectible"):
        raise ApiError("You can only void open or uncollectible invoices.", code="invoice_not_open")
    invoices.void(books, invoice)
    return books.need("invoice", key)


def _payment_matches(thing: Object, params: Object) -> bool:
    wanted = params.get("payment", {}).get("payment_intent")
    return (
        thing["invoice"] == params.get("invoice", thing["invoice"])
        and thing["status"] == params.get("status", thing["status"])
        and wanted in (None, thing["payment"]["payment_intent"])
    )


def items(books: Books, params: Object) -> Object:
    subscription = find(books, "subscription", params["subscription"], "subscription")
    return answers.page(subscription["items"]["data"], params, "/v1/subscription_items")


def lines(books: Books, params: Object, key: str) -> Object:
    return list_of(f"/v1/invoices/{key}/lines", find(books, "invoice", key)["lines"]["data"])


PORTAL = call(
    "customer",
    customer=TEXT,
    configuration=TEXT,
    flow_data=hash_of(
        {
            "after_completion": hash_of(
                {
                    "hosted_confirmation": hash_of({"custom_message": text(500)}),
                    "redirect": hash_of({"return_url": url}, ("return_url",)),
                    "type": one_of("hosted_confirmation", "portal_homepage", "redirect"),
                },
                ("type",),
            ),
            "subscription_cancel": hash_of({"subscription": TEXT}, ("subscription",)),
            "type": one_of("payment_method_update", "subscription_cancel"),
        },
        ("type",),
    ),
    locale=TEXT,
    return_url=url,
)


def open_portal(books: Books, params: Object) -> Object:
    find(books, "customer", params["customer"], "customer")
    flow = params.get("flow_data")
    if flow and flow["type"] == "subscription_cancel":
        if "subscription_cancel" not in flow:
            raise ApiError("Missing required param: flow_data[subscription_cancel].", code="parameter_missing")
        find(books, "subscription", flow["subscription_cancel"]["subscription"], "flow_data[subscription_cancel]")
    key = new_id("bps_1", 23)
    session: Object = {
        "id": key,
        "object": "billing_portal.session",
        "configuration": params.get("configuration", "bpc_standin"),
        "created": books.now(),
        "customer": params["customer"],
        "customer_account": None,
        "flow": flow and _flow(flow),
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": None,
        "return_url": params.get("return_url"),
        "url": f"{books.own_url}/p/session/{key}",
    }
    books.save(session)
    return session


def _flow(flow: Object) -> Object:
    after = flow.get("after_completion", {"type": "portal_homepage"})
    parts = ("customer_update", "subscription_pause", "subscription_update", "subscription_update_confirm")
    cancel_flow = flow.get("subscription_cancel")
    return dict.fromkeys(parts) | {
        "after_completion": {"hosted_confirmation": None, "redirect": None} | after,
        "subscription_cancel": cancel_flow and {"retention": None} | cancel_flow,
        "type": flow["type"],
    }


CALLS = [
    Call("POST", "/v1/subscriptions/{id}", UPDATE, update),
    Call(
        "DELETE", "/v1/subscriptions/{id}", call(cancellation_details=WHY, invoice_now=boolean, prorate=boolean), cancel
    ),
    retrieve("/v1/subscriptions", "subscription"),
    search(
        "/v1/subscriptions",
        "subscription",
        _subscription_matches,
        created=TIME_WINDOW,
        customer=TEXT,
        status=one_of("all", "ended", *STATUSES),
    ),
    Call("GET", "/v1/subscription_items", listing(subscription=TEXT), items),
    Call("POST", "/v1/invoices/{id}/pay", call(payment_method=TEXT, off_session=boolean), pay),
    Call("POST", "/v1/invoices/{id}/void", call(), void),
    Call("GET", "/v1/invoices/{id}/lines", listing(), lines),
    retrieve("/v1/invoices", "invoice"),
    search(
        "/v1/invoices",
        "invoice",
        _invoice_matches,
        created=TIME_WINDOW,
        customer=TEXT,
        status=one_of("draft", "open", "paid", "uncollectible", "void"),
        subscription=TEXT,
    ),
    retrieve("/v1/invoice_payments", "invoice_payment"),
    search(
        "/v1/invoice_payments",
        "invoice_payment",
        _payment_matches,
        created=TIME_WINDOW,
        invoice=TEXT,
        payment=hash_of({"payment_intent": TEXT, "type": one_of("payment_intent")}, ("type",)),
        status=one_of("canceled", "open", "paid"),
    ),
    Call("POST", "/v1/billing_portal/sessions", PORTAL, open_portal),
]
