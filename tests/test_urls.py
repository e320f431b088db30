"""Public addresses are promises: old mails are clicked for years. A change here breaks somebody's link."""

import inspect
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from config import same_origin
from tests.our_content import put_our_content

# Who may call each address that is not the admin's: public pages, addresses that are a secret, machines with a proof.
PUBLIC = {
    "/": "species:home",
    "/species/": "species:list",
    "/species/amur-leopard/": "species:detail",
    "/species/amur-leopard/share.png": "species:share_picture",
    "/species/amur-leopard/shapes.svg": "species:shapes",
    "/species/amur-leopard/comments/": "species:leave_reply",
    "/ru/species/amur-leopard/": "species:translated",
    "/threats/": "species:threats",
    "/threats/deforestation/": "species:threat",
    "/sources/": "species:sources",
    "/search/": "species:search",
    "/adopt/amur-leopard/": "adoptions:adopt",
    "/certificates/": "adoptions:certificate_check",
    "/go/leopard26": "adoptions:campaign_link",
    "/stripe/webhook/": "adoptions:stripe_webhook",
    "/feeds/comments/amur-leopard.xml": "species:comments_feed",
    "/feeds/field-notes.xml": "species:field_notes_feed",
    "/api/species/amur-leopard.json": "species:api",
    "/about/": "about",
    "/privacy/": "privacy",
    "/cookies/": "cookies",
    "/accessibility/": "accessibility",
    "/contact/": "contact",
    "/complaints/": "complaints",
    "/complaints/received/": "complaint_received",
    "/csp-reports/": "csp_reports",
    "/healthz": "healthz",
    "/readyz": "readyz",
}
ARGUMENTS = {
    "species:detail": ["amur-leopard"],
    "species:share_picture": ["amur-leopard"],
    "species:shapes": ["amur-leopard"],
    "species:leave_reply": ["amur-leopard"],
    "species:translated": ["amur-leopard"],
    "species:threat": ["deforestation"],
    "adoptions:adopt": ["amur-leopard"],
    "adoptions:campaign_link": ["leopard26"],
    "species:comments_feed": ["amur-leopard"],
    "species:api": ["amur-leopard"],
}
DECLARES = re.compile(r"@(?:method_decorator\()?require_(safe|POST|GET|http_methods)")
NOT_READ = {"species:leave_reply", "adoptions:adopt", "adoptions:stripe_webhook", "complaints", "csp_reports", "readyz"}
READING = sorted(a for a, n in PUBLIC.items() if n not in NOT_READ)


@pytest.fixture
def content(db: None) -> None:
    put_our_content()


@pytest.mark.parametrize(("address", "name"), PUBLIC.items())
def test_public_address_never_changes(address: str, name: str) -> None:
    assert reverse(name, args=ARGUMENTS.get(name, [])) == address


def test_files_machines_look_for_are_there(client: Client, content: None) -> None:
    files = ["/sitemap.xml", "/robots.txt", "/.well-known/security.txt"]
    assert {address: client.get(address).status_code for address in files} == dict.fromkeys(files, 200)


def test_addresses_with_a_secret_keep_their_shape() -> None:
    public_id = uuid.uuid4()
    assert reverse("adoptions:thanks", args=[public_id]) == f"/adoptions/{public_id}/thanks/"
    assert reverse("adoptions:certificate", args=["t0ken"]) == "/adoptions/t0ken/certificate.pdf"
    assert reverse("adoptions:certificate_page", args=["t0ken"]) == "/adoptions/t0ken/certificate/"
    assert reverse("adoptions:certificate_picture", args=["t0ken"]) == "/adoptions/t0ken/certificate.png"
    assert reverse("adoptions:pay", args=["t0ken"]) == "/pay/t0ken/"
    assert reverse("adoptions:gift", args=["t0ken"]) == "/gift/t0ken/"
    assert reverse("adoptions:my_adoption") == "/my-adoption/"
    assert reverse("adoptions:use_link", args=["A" * 43]) == f"/my-adoption/{'A' * 43}/"
    assert reverse("adoptions:adoption", args=["PM-7K4T9QXR"]) == "/my-adoption/PM-7K4T9QXR/"
    assert reverse("adoptions:unsubscribe", args=["t0ken"]) == "/unsubscribe/t0ken/"
    assert reverse("species:own_comment", args=["t0ken"]) == "/my-comment/t0ken/"
    assert reverse("species:own_words") == "/my-comments/"
    assert reverse("species:stop_replies", args=["t0ken"]) == "/no-more-replies/t0ken/"
    assert reverse("species:moderate", args=["t0ken"]) == "/moderate/t0ken/"
    assert reverse("species:preview", args=["t0ken"]) == "/preview/t0ken/"


def test_addresses_of_comments_keep_their_shape() -> None:
    assert reverse("species:comment", args=[7]) == "/comments/7/"
    assert reverse("species:report_comment", args=[7]) == "/comments/7/report/"
    assert reverse("admin:species_comment_queue") == "/admin/species/comment/queue/"


@pytest.mark.threat("P1")
def test_reading_sets_no_cookie_answers_head_and_takes_no_post(client: Client, content: None) -> None:
    answers = {
        address: (
            client.get(address, follow=True).status_code,
            client.head(address, follow=True).status_code,
            client.post(address).status_code,
        )
        for address in READING
    }
    assert answers == dict.fromkeys(READING, (200, 200, 405))
    assert not client.cookies


def test_adopt_page_sets_nothing_but_the_forms_own_cookie(client: Client, content: None) -> None:
    response = client.get("/adopt/amur-leopard/")
    assert set(client.cookies) == {"csrf"}
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.threat("L9")
def test_adopt_form_from_elsewhere_is_refused(browser_client: Client, content: None) -> None:
    response = browser_client.post("/adopt/amur-leopard/", {"step": "pay"})
    assert response.status_code == 403
    assert b"<h1" in response.content


def views(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns)
        else:
            yield pattern


def test_every_view_of_ours_says_which_methods_it_takes() -> None:
    """`require_safe`, `require_POST` …: a method nobody thought of is 405, not a guess."""
    silent = [
        f"{view.__module__}.{view.__name__}"
        for view in (inspect.unwrap(pattern.callback) for pattern in views(get_resolver().url_patterns))
        if view.__module__.startswith(("config.", "species.", "adoptions."))
        and ".admin." not in view.__module__
        and not view.__module__.endswith(".feeds")  # one view class of Django's, made safe where it is routed
        and not DECLARES.search("".join(inspect.getsource(view).partition("def ")[0]))
    ]
    assert silent == []


@pytest.mark.threat("L9")
def test_only_what_carries_another_proof_does_without_the_forms_token() -> None:
    """Who has no token is told by a signature, by the secret of a link, or by what the browser says of its page.

    What a browser reports of itself is only counted; a campaign's link takes no post at all, and says so.
    """
    patterns = [*views(get_resolver().url_patterns)]
    bare = {
        inspect.unwrap(pattern.callback).__module__
        for pattern in patterns
        if getattr(pattern.callback, "csrf_exempt", False) and not is_guarded(pattern.callback)
    }
    assert bare == {
        "config.bounces",
        "config.policy_reports",
        "adoptions.views.webhook",
        "adoptions.views.unsubscribing",
        "adoptions.views.campaign_links",
    }
    assert any(is_guarded(pattern.callback) for pattern in patterns)


def is_guarded(view: Any) -> bool:
    """Is `same_origin_only` among the functions around a view?"""
    while view is not None:
        if view.__code__.co_filename == same_origin.__file__:
            return True
        view = getattr(view, "__wrapped__", None)
    return False
