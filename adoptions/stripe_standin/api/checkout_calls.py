"""`/v1/checkout/sessions`."""

from adoptions.stripe_standin import answers, checkout
from adoptions.stripe_standin.answers import ApiError
from adoptions.stripe_standin.api.calls import Call, retrieve, search
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.parameters import (
    TEXT,
    TIME_WINDOW,
    Rule,
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

SESSIONS = "/v1/checkout/sessions"

ADDRESS = hash_of(
    dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), clearable(TEXT)),
)
RECURRING = hash_of({"interval": one_of("day", "week", "month", "year"), "interval_count": integer}, ("interval",))
PRODUCT_DATA = hash_of(
    {"name": TEXT, "description": TEXT, "images": array_of(url, 8), "metadata": metadata, "tax_code": TEXT}, ("name",)
)
PRICE_DATA: dict[str, Rule] = {
    "currency": one_of("gbp", "eur", "usd", "GBP", "EUR", "USD"),
    "product": TEXT,
    "product_data": PRODUCT_DATA,
    "recurring": RECURRING,
    "tax_behavior": one_of("exclusive", "inclusive", "unspecified"),
    "unit_amount": integer,
}
MESSAGE = clearable(hash_of({"message": text(1200)}, ("message",)))
SWITCH = hash_of({"enabled": boolean}, ("enabled",))


def reference_prefix(value: object, name: str) -> str:
    sent = str(text(12)(value, name))
    if not all(letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-&. " for letter in sent) or sent.startswith(
        ("DDIC", "STRIPE")
    ):
        raise ApiError("Reference prefixes hold capitals, digits, spaces and / _ - & . only.", param=name)
    return sent


BACS = hash_of(
    {
        "mandate_options": hash_of({"reference_prefix": reference_prefix}),
        "setup_future_usage": one_of("none", "off_session", "on_session"),
        "target_date": TEXT,
    }
)
CARD = hash_of(
    {
        "request_three_d_secure": one_of("any", "automatic", "challenge"),
        "setup_future_usage": one_of("off_session", "on_session"),
    }
)

CREATE = call(
    "mode",
    "success_url",
    adaptive_pricing=SWITCH,
    after_expiration=hash_of({"recovery": hash_of({"enabled": boolean, "allow_promotion_codes": boolean})}),
    allow_promotion_codes=boolean,
    allowed_payment_method_types=array_of(one_of("card", "bacs_debit", "link", "paypal", "pay_by_bank", "revolut_pay")),
    billing_address_collection=one_of("auto", "required"),
    branding_settings=hash_of(
        dict.fromkeys(("background_color", "border_style", "button_color", "display_name", "font_family"), TEXT)
    ),
    cancel_url=url,
    client_reference_id=text(200),
    consent_collection=hash_of({"terms_of_service": one_of("none", "required"), "promotions": one_of("auto", "none")}),
    custom_text=hash_of(
        dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance"), MESSAGE)
    ),
    customer=TEXT,
    customer_creation=one_of("always", "if_required"),
    customer_email=text(512),
    customer_update=hash_of(dict.fromkeys(("address", "name", "shipping"), one_of("auto", "never"))),
    expires_at=integer,
    integration_identifier=TEXT,
    line_items=array_of(
        hash_of(
            {
                "price": TEXT,
                "price_data": hash_of(PRICE_DATA, ("currency",)),
                "quantity": integer,
                "metadata": metadata,
            }
        ),
        100,
    ),
    locale=TEXT,
    metadata=metadata,
    mode=one_of("payment", "subscription"),
    name_collection=hash_of({"individual": hash_of({"enabled": boolean, "optional": boolean}, ("enabled",))}),
    origin_context=one_of("mobile_app", "web"),
    payment_intent_data=hash_of(
        {
            "capture_method": one_of("automatic", "automatic_async"),
            "description": text(1000),
            "metadata": metadata,
            "receipt_email": TEXT,
            "setup_future_usage": one_of("off_session", "on_session"),
            "statement_descriptor_suffix": text(22),
        }
    ),
    payment_method_collection=one_of("always", "if_required"),
    payment_method_configuration=text(100),
    payment_method_options=hash_of({"bacs_debit": BACS, "card": CARD}),
    phone_number_collection=SWITCH,
    submit_type=one_of("auto", "book", "donate", "pay", "subscribe"),
    subscription_data=hash_of(
        {
            "billing_mode": hash_of({"type": one_of("classic", "flexible")}),
            "description": text(500),
            "metadata": metadata,
        }
    ),
    success_url=url,
    ui_mode=one_of("hosted_page"),
)


def create(books: Books, params: Object) -> Object:
    return checkout.create(books, params)


def expire(books: Books, _params: Object, key: str) -> Object:
    session = answers.find(books, "checkout.session", key)
    if session["status"] != "open":
        raise ApiError(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"{session['status']}."
        )
    return checkout.expire(books, key)


def line_items(books: Books, params: Object, key: str) -> Object:
    session = answers.find(books, "checkout.session", key)
    return answers.page(session["_line_items"], params, f"{SESSIONS}/{key}/line_items")


def update(books: Books, params: Object, key: str) -> Object:
    session = answers.find(books, "checkout.session", key)
    if "metadata" in params:
        session["metadata"] = session["metadata"] | params["metadata"]
        books.save(session)
    return session


def _matches(session: Object, params: Object) -> bool:
    wanted = params.get("customer_details", {}).get("email")
    held = (session["customer_details"] or {}).get("email")
    names = ("customer", "payment_intent", "status", "subscription")
    return (wanted is None or wanted == held) and all(session[name] == params[name] for name in names if name in params)


CALLS = [
    Call("POST", SESSIONS, CREATE, create),
    Call("POST", SESSIONS + "/{id}", call(metadata=metadata), update),
    Call("POST", SESSIONS + "/{id}/expire", call(), expire),
    Call("GET", SESSIONS + "/{id}/line_items", listing(), line_items),
    retrieve(SESSIONS, "checkout.session"),
    search(
        SESSIONS,
        "checkout.session",
        _matches,
        created=TIME_WINDOW,
        customer=TEXT,
        customer_details=either(hash_of({"email": TEXT}, ("email",)), TEXT),
        payment_intent=TEXT,
        status=one_of("complete", "expired", "open"),
        subscription=TEXT,
    ),
]
