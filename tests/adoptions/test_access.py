"""Links that let somebody in: good once, for ten minutes, for one thing, and for whoever asked."""

import re
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from adoptions import access
from adoptions.models import AccessLink, Purpose, SupporterSession
from adoptions.tasks import send_access_link
from config.models import Mail
from tests.adoptions.visitors import ask_for_link, code_in, link_in, signed_in
from tests.makers import make_active_adoption, make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def amara() -> Any:
    return make_active_adoption().supporter


@pytest.fixture
def sent(client: Client, amara: Any) -> Mail:
    """Amara asked for her link in `client`."""
    ask_for_link(client, amara.email)
    return Mail.objects.get(kind="manage_link")


def is_in(client: Client) -> bool:
    return b"Send me my link" not in client.get("/my-adoption/").content


# --- asking ----------------------------------------------------------------------------------------------------------


@pytest.mark.threat("L3")
def test_known_and_unknown_address_get_the_same_answer(amara: Any) -> None:
    answers = []
    for email in (amara.email, "nobody@example.org"):
        client = Client()
        response = client.post("/my-adoption/", {"email": email})
        cookie = client.cookies[access.BROWSER_COOKIE]
        page = client.get("/my-adoption/sent/")
        answers.append(
            (
                response.status_code,
                response.headers["Location"],
                response.content,
                sorted(response.headers.keys()),
                len(cookie.value),
                cookie["max-age"],
                page.content,
            )
        )
    assert answers[0] == answers[1]


@pytest.mark.threat("L3")
def test_known_and_unknown_address_are_the_same_work(amara: Any) -> None:
    """Nothing is looked up before the answer: the statements are the same ones, so the time is."""
    seen = []
    for email in (amara.email, "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            Client().post("/my-adoption/", {"email": email})
        statements = [re.split(r"VALUES|'|_x\d", query["sql"])[0] for query in queries.captured_queries]
        seen.append(statements)
    assert seen[0] == seen[1] != []
    assert not any("adoptions_supporter" in sql for sql in seen[0] if sql.startswith("SELECT"))


def likelihood_of_longer(known: list[int], unknown: list[int]) -> float:
    """How often a random `known` took longer than a random `unknown`: a half if nothing tells them apart."""
    ranks = {
        index: rank for rank, index in enumerate(sorted(range(len(known + unknown)), key=(known + unknown).__getitem__))
    }
    of_known = sum(ranks[index] for index in range(len(known)))
    least = len(known) * (len(known) - 1) / 2
    return (of_known - least) / (len(known) * len(unknown))


def times_of_asking(known: str, rounds: int) -> tuple[list[int], list[int]]:
    """In nanoseconds, for a known and an unknown address in turn, each first as often as second."""
    taken: dict[bool, list[int]] = {True: [], False: []}
    for number in range(rounds):
        for is_known in (True, False) if number % 2 else (False, True):
            client, email = Client(), known if is_known else f"nobody{number}@example.org"
            start = time.perf_counter_ns()
            client.post("/my-adoption/", {"email": email})
            taken[is_known].append(time.perf_counter_ns() - start)
    return taken[True][2:], taken[False][2:]


@pytest.mark.threat("L3")
def test_time_does_not_tell_known_from_unknown(amara: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By ranks, so that one slow answer weighs as much as any. With 80 answers each, 0.22 is near five deviations."""
    monkeypatch.setattr("config.limits.Limit.allows", lambda self, who: True)
    assert 0.28 < likelihood_of_longer(*times_of_asking(amara.email, 82)) < 0.72
    ask = access.ask

    def ask_and_look(email: str, **asked: Any) -> int | None:
        if email == amara.email:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.02)")  # as a mail made before the answer would
        return ask(email, **asked)

    monkeypatch.setattr(access, "ask", ask_and_look)
    assert likelihood_of_longer(*times_of_asking(amara.email, 22)) > 0.8


def test_unknown_address_gets_no_mail_and_leaves_no_trace(client: Client) -> None:
    ask_for_link(client, "nobody@example.org")
    assert (Mail.objects.count(), AccessLink.objects.count()) == (0, 0)


def test_address_is_known_however_it_is_typed(client: Client, amara: Any) -> None:
    ask_for_link(client, " AMARA@Example.ORG ")
    assert Mail.objects.get().to == "amara@example.org"


@pytest.mark.threat("L4")
def test_thousand_requests_send_five_mails(amara: Any) -> None:
    for number in range(30):
        client = Client(REMOTE_ADDR=f"198.51.{number}.7")
        assert client.post("/my-adoption/", {"email": amara.email}).status_code == 303
    for link in AccessLink.objects.all():
        send_access_link.func(link.pk)
    assert Mail.objects.count() == 5


@pytest.mark.threat("L4")
def test_one_network_is_slowed_down_whatever_it_types(client: Client) -> None:
    answers = [client.post("/my-adoption/", {"email": f"sam{n}@example.org"}).status_code for n in range(25)]
    assert answers == [303] * 20 + [429] * 5


@pytest.mark.parametrize(
    "typed", ["", "amara", "a@b", "amara@example.org\nBcc: x@example.org", "x" * 5000, "a\x00@b.example"]
)
def test_address_that_is_none_is_given_back_with_a_sentence(client: Client, typed: str) -> None:
    response = client.post("/my-adoption/", {"email": typed})
    assert response.status_code == 422
    assert b"There is a problem" in response.content
    assert AccessLink.objects.count() == 0


@pytest.mark.threat("L2")
def test_database_holds_no_secret(client: Client, sent: Mail) -> None:
    token, code = link_in(sent).split("/")[2], code_in(sent)
    row = AccessLink.objects.values().get()
    browser = client.cookies[access.BROWSER_COOKIE].value
    assert not {token, code, browser} & {str(value) for value in row.values()}


# --- using -----------------------------------------------------------------------------------------------------------


def test_link_in_the_same_browser_needs_one_press(client: Client, sent: Mail) -> None:
    page = client.get(link_in(sent))
    assert b"six digits" not in page.content
    assert client.post(link_in(sent)).status_code == 303
    assert is_in(client)


@pytest.mark.threat("L2")
def test_link_in_another_browser_needs_the_digits(sent: Mail) -> None:
    phone = Client()
    assert b"six digits" in phone.get(link_in(sent)).content
    assert phone.post(link_in(sent), {"code": ""}).status_code == 422
    assert not is_in(phone)
    code = code_in(sent)
    assert phone.post(link_in(sent), {"code": f" {code[:3]} {code[3:]} "}).status_code == 303
    assert is_in(phone)


@pytest.mark.threat("L2")
def test_link_works_once(client: Client, sent: Mail) -> None:
    client.post(link_in(sent))
    again = client.post(link_in(sent))
    assert (again.status_code, b"no longer" in again.content) == (404, True)
    assert SupporterSession.objects.count() == 1


@pytest.mark.threat("L1")
def test_scanner_that_opens_and_presses_everything_spoils_nothing(client: Client, sent: Mail) -> None:
    scanner = Client()
    for _ in range(10):
        scanner.head(link_in(sent))
        scanner.get(link_in(sent))
        scanner.post(link_in(sent))
    assert not is_in(scanner)
    assert client.post(link_in(sent)).status_code == 303


@pytest.mark.threat("L2")
def test_guessing_the_digits_ends_the_link(client: Client, sent: Mail) -> None:
    thief = Client()
    wrong = "000000" if code_in(sent) != "000000" else "000001"
    answers = [thief.post(link_in(sent), {"code": wrong}).status_code for _ in range(7)]
    assert answers == [422] * 5 + [404] * 2
    assert thief.post(link_in(sent), {"code": code_in(sent)}).status_code == 404


@pytest.mark.threat("L2")
@pytest.mark.parametrize(("minutes", "status"), [(9, 303), (10, 404), (60 * 24 * 365, 404)])
def test_link_lasts_ten_minutes(client: Client, sent: Mail, minutes: int, status: int) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes, seconds=1), tick=False):
        assert client.post(link_in(sent)).status_code == status


@pytest.mark.parametrize(
    "spoil", [lambda p: p[:-2] + "/", lambda p: p[:-2] + "AA/", lambda p: "/my-adoption/" + "A" * 43 + "/"]
)
def test_link_cut_off_or_made_up_is_a_plain_page(client: Client, sent: Mail, spoil: Any) -> None:
    response = client.get(spoil(link_in(sent)))
    assert response.status_code == 404
    assert b"amara" not in response.content.lower()


@pytest.mark.threat("L2")
@pytest.mark.django_db(transaction=True)
def test_fifty_presses_at_once_let_one_in(client: Client, sent: Mail) -> None:
    browser = client.cookies[access.BROWSER_COOKIE].value
    answers: list[int] = []

    def press() -> None:
        one = Client()
        one.cookies[access.BROWSER_COOKIE] = browser
        answers.append(one.post(link_in(sent)).status_code)
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(303) == 1
    assert SupporterSession.objects.count() == 1


def test_link_for_one_thing_does_no_other(client: Client, amara: Any) -> None:
    """A link that confirms an address is bound to that address, and one that signs in changes none."""
    browser = signed_in(amara)
    browser.post("/my-adoption/details/", {"act": "email", "email": "new@example.org"})
    send_access_link.func(AccessLink.objects.get(purpose=Purpose.CHANGE_EMAIL).pk)
    mail = Mail.objects.get(kind="confirm_email")
    assert mail.to == "new@example.org"
    assert browser.post(link_in(mail)).status_code == 303
    amara.refresh_from_db()
    assert amara.email == "new@example.org"


# --- being signed in -------------------------------------------------------------------------------------------------


@pytest.mark.threat("L6")
def test_session_lasts_an_hour_and_using_it_does_not_lengthen_it(amara: Any) -> None:
    client = signed_in(amara)
    with time_machine.travel(timezone.now() + timedelta(minutes=59), tick=False):
        assert is_in(client)
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert not is_in(client)


@pytest.mark.threat("L6")
def test_signing_out_ends_it_on_the_server(amara: Any) -> None:
    client = signed_in(amara)
    stolen = client.cookies[access.SESSION_COOKIE].value
    assert client.post("/my-adoption/sign-out/").status_code == 303
    thief = Client()
    thief.cookies[access.SESSION_COOKIE] = stolen
    assert not is_in(thief)


@pytest.mark.threat("L6")
def test_cookie_a_visitor_brings_never_becomes_a_session(client: Client, sent: Mail) -> None:
    client.cookies[access.SESSION_COOKIE] = "planted"
    client.post(link_in(sent))
    assert client.cookies[access.SESSION_COOKIE].value != "planted"
    assert is_in(client)


@pytest.mark.threat("L6")
def test_cookies_cannot_be_read_by_scripts_or_sent_across_sites(amara: Any) -> None:
    client = signed_in(amara)
    cookie = client.cookies[access.SESSION_COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")


@pytest.mark.threat("L2")
@pytest.mark.parametrize("path", ["/my-adoption/", "/my-adoption/sent/", "/my-adoption/" + "A" * 43 + "/"])
def test_pages_are_kept_nowhere(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Referrer-Policy"] == "strict-origin"
    assert headers["X-Robots-Tag"] == ("all" if path == "/my-adoption/" else "noindex")  # the door may be found


@pytest.mark.threat("L9")
def test_form_from_elsewhere_is_refused(browser_client: Client) -> None:
    make_supporter()
    assert browser_client.post("/my-adoption/", {"email": "amara@example.org"}).status_code == 403
