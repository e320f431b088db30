"""What every request passes, whatever the page: error pages, headers, limits, health."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from adoptions.models import StripeEvent
from config import heartbeat
from config.limits import Limit, client_address, network_of
from config.models import RateWindow
from config.same_origin import is_same_origin


@pytest.mark.threat("P3")
@pytest.mark.parametrize("address", ["/species/a%00b/", "/?q=a%00b", "/go/%00", "/search/?q=%00"])
def test_nul_is_a_clear_page(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code in {400, 404}
    assert b"<h1" in response.content


@pytest.mark.threat("P4")
@pytest.mark.django_db
def test_body_over_the_limit_is_413(client: Client) -> None:
    response = client.post(
        "/adopt/amur-leopard/", "name=" + "x" * 10_000_000, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 413


@pytest.mark.threat("P3")
@pytest.mark.django_db
def test_odd_charset_is_a_400_and_not_a_crash() -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrf"] = "x" * 32
    response = client.post("/admin/login/", "a=b", content_type="application/x-www-form-urlencoded; charset=iso-8859-1")
    assert response.status_code == 400
    assert b"<h1" in response.content


def test_unknown_page_is_ours(client: Client) -> None:
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert b"/search/" in response.content


@override_settings(DEBUG=True)
def test_unknown_page_is_ours_in_development_too(client: Client) -> None:
    assert b"ROOT_URLCONF" not in client.get("/no/such/page/").content


@pytest.mark.threat("L10")
@pytest.mark.parametrize("address", ["/about/", "/no/such/page/", "/healthz"])
def test_headers_are_strict_on_every_response(client: Client, address: str) -> None:
    headers = client.get(address).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.threat("P1")
def test_host_that_is_not_ours_is_refused(client: Client) -> None:
    assert client.get("/about/", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.threat("L9")
@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
def test_same_origin_is_what_the_browser_says(headers: dict[str, str], is_ours: bool) -> None:
    assert is_same_origin(RequestFactory().post("/", headers=headers)) is is_ours


@pytest.mark.django_db
def test_limit_admits_exactly_its_number() -> None:
    limit = Limit("test", times=5, per=timedelta(hours=1))
    assert [limit.allows("sam") for _ in range(7)] == [True] * 5 + [False] * 2
    assert limit.allows("amara")


@pytest.mark.threat("C4", "M9")
@pytest.mark.django_db(transaction=True)
def test_limit_is_exact_when_sixteen_come_at_once() -> None:
    limit = Limit("race", times=50, per=timedelta(hours=1))
    admitted: list[bool] = []

    def knock() -> None:
        admitted.extend(limit.allows("sam") for _ in range(20))
        connection.close()

    threads = [threading.Thread(target=knock) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(admitted) == 50


@pytest.mark.django_db
def test_limit_keeps_no_address() -> None:
    Limit("test", times=5, per=timedelta(hours=1)).allows("192.0.2.7")
    assert "192.0.2.7" not in RateWindow.objects.get().key


@pytest.mark.threat("P2")
def test_address_of_a_visitor_is_the_sockets_unless_we_run_the_proxy() -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.7"}, REMOTE_ADDR="198.51.100.1")
    assert client_address(request) == "198.51.100.1"
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        assert client_address(request) == "192.0.2.7"


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("", "unknown"), ("x", "unknown")],
)
def test_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_healthz_asks_nobody(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"  # without the database mark, a query would fail the test


@pytest.mark.django_db
def test_readyz_follows_the_worker(client: Client) -> None:
    assert client.get("/readyz").status_code == 503
    heartbeat.beat()
    assert client.get("/readyz").json()["ready"] is True


@pytest.mark.django_db
def test_readyz_tells_the_age_of_the_last_webhook_and_is_ready_without(client: Client) -> None:
    heartbeat.beat()
    never = client.get("/readyz")
    assert (never.status_code, never.json()["last_webhook_seconds_ago"]) == (200, None)
    long_ago = timezone.now() - timedelta(days=2)
    StripeEvent.objects.create(id="evt_1", type="invoice.paid", body=b"{}")
    StripeEvent.objects.update(received_at=long_ago)
    told = client.get("/readyz")
    assert (told.status_code, told.json()["last_webhook_seconds_ago"] - 172_800 in range(60)) == (200, True)


@pytest.mark.threat("L10")
@pytest.mark.django_db
def test_no_answer_of_any_kind_may_be_framed(browser_client: Client) -> None:
    answers = [
        browser_client.get("/about/"),
        browser_client.get("/about"),
        browser_client.get("/admin/"),
        browser_client.get("/admin/login/"),
        browser_client.get("/my-adoption/"),
        browser_client.get("/robots.txt"),
        browser_client.get("/static/no-such.css"),
        browser_client.get("/?q=a%00b"),
        browser_client.get("/no/such/page/"),
        browser_client.get("/stripe/webhook/"),
        browser_client.post("/my-adoption/", {"email": "amara@example.org"}),
        browser_client.post("/stripe/webhook/", b"x" * 300_000, content_type="application/json"),
    ]
    assert {answer.status_code for answer in answers} >= {200, 301, 302, 400, 403, 404, 405, 413}
    for answer in answers:
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], answer
        assert answer.headers["X-Content-Type-Options"] == "nosniff", answer


@pytest.mark.threat("P1")
@pytest.mark.django_db
def test_no_header_of_a_visitor_changes_the_page_that_all_get(client: Client) -> None:
    spoilt = dict.fromkeys(("X-Forwarded-Host", "X-Host", "X-Original-URL", "X-Rewrite-URL"), "evil.example")
    spoilt |= {"Forwarded": "host=evil.example", "X-Forwarded-Prefix": "/evil.example", "X-Forwarded-Port": "666"}
    for address in ("/", "/about/", "/robots.txt", "/sitemap.xml"):
        pages = [client.get(address, headers=spoilt).content, client.get(address).content]
        assert (pages[0] == pages[1], b"evil" in pages[0]) == (True, False)


@pytest.mark.threat("P4")
@pytest.mark.django_db
def test_too_many_fields_are_a_400(client: Client) -> None:
    response = client.post("/my-adoption/", {f"field-{number}": "x" for number in range(600)})
    assert (response.status_code, b"<h1" in response.content) == (400, True)


@pytest.mark.threat("P6")
@pytest.mark.django_db
def test_database_lets_no_query_lock_or_forgotten_transaction_hold_up_the_rest() -> None:
    """In milliseconds, as the server itself says of a connection of the site."""
    wanted = {"statement_timeout": 15_000, "lock_timeout": 5_000, "idle_in_transaction_session_timeout": 30_000}
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting::int FROM pg_settings WHERE name = ANY(%s)", [list(wanted)])
        assert dict(cursor.fetchall()) == wanted
