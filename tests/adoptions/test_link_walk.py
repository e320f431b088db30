"""Live links are tried over the network: what a reader would meet is what staff hear of, and nobody is counted."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, connections
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from adoptions import link_walk
from adoptions.models import Attention, Campaign, CampaignDay, Frequency, Plan
from adoptions.tasks import check_campaign_links, walk_campaign_links
from config.models import Mail
from tests.answering import Elsewhere, Silent, serving
from tests.makers import make_campaign, make_plan

pytestmark = pytest.mark.django_db

LANDED = "/adopt/amur-leopard/?c=leopard26&amount=5.00"
FINE: dict[str, int | str] = {"/healthz": 200, "/go/leopard26": LANDED, LANDED: 200}
SILENT = 0


class Site(Elsewhere):
    """A site that answers each address as it is told to, a status or where to; and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__(Told)
        self.answers: dict[str, int | str] = {}
        self.asked: list[str] = []


class Told(Silent, BaseHTTPRequestHandler):
    server: Site

    def do_HEAD(self) -> None:
        self.server.asked.append(self.path)
        answer = self.server.answers.get(self.path, 404)
        if answer == SILENT:
            self.server.may_end.wait(10)
            return
        if isinstance(answer, int):
            self.send_response(answer)
        else:
            self.send_response(302)
            self.send_header("Location", answer)
        self.end_headers()


@pytest.fixture(scope="module")
def server() -> Iterator[Site]:
    with serving(Site()) as server:
        yield server


@pytest.fixture
def site(server: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Site:
    settings.SITE_URL = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(link_walk, "SECONDS", 0.3)
    make_plan()
    make_campaign(preset_pence=500)
    server.answers = dict(FINE)
    server.asked.clear()
    return server


def told() -> list[str]:
    return list(Attention.objects.order_by("pk").values_list("reason", flat=True))


def test_link_that_arrives_is_nobody_s_concern(site: Site) -> None:
    assert link_walk.walk() is None
    assert site.asked == ["/healthz", "/go/leopard26", LANDED]
    assert told() == []


@pytest.mark.threat("L11")
@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({LANDED: 500}, "/adopt/amur-leopard/ answers with 500."),
        ({LANDED: 404}, "/adopt/amur-leopard/ answers with 404."),
        ({"/go/leopard26": 404}, "/go/leopard26 answers with 404."),
        ({LANDED: SILENT}, "No answer within 0.3 seconds."),
        ({"/go/leopard26": "https://evil.example/adopt/"}, "It leads away from our site, to evil.example."),
        ({"/go/leopard26": "//evil.example/"}, "It leads away from our site, to evil.example."),
        ({"/go/leopard26": "file:///etc/passwd"}, "It leads away from our site, to file:///etc/passwd."),
        ({"/go/leopard26": "/go/leopard26"}, "It is sent on and on, and never arrives."),
        ({"/go/leopard26": "/species/", "/species/": 200}, "It arrives at /species/ and not at /adopt/amur-leopard/."),
        ({"/go/leopard26": "/adopt/amur-leopard/", "/adopt/amur-leopard/": 200}, "Its code is lost on the way"),
        (
            {"/go/leopard26": f"{LANDED[:-12]}&over=1", f"{LANDED[:-12]}&over=1": 200},
            "The page is shown as if the campaign were paused or over",
        ),
        ({"/go/leopard26": LANDED[:-12], LANDED[:-12]: 200}, "The page is shown as if the campaign were paused"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value[:40],
)
def test_link_that_does_not_arrive_is_named_with_what_is_wrong(
    site: Site, answers: dict[str, int | str], sentence: str
) -> None:
    site.answers |= answers
    make_campaign("tiger26")
    site.answers |= {"/go/tiger26": "/adopt/amur-leopard/?c=tiger26", "/adopt/amur-leopard/?c=tiger26": 200}
    for _ in range(2):
        link_walk.walk()
    [reason] = told()
    assert reason.startswith(f"leopard26: {sentence}")
    mail = Mail.objects.get()
    assert (mail.kind, sentence in mail.text) == ("attention", True)
    Attention.objects.all().resolve(how="Mended.")
    link_walk.walk()
    assert len(told()) == 1, "on the same day it is not said again"


@pytest.mark.parametrize("gateway", [SILENT, 502])
def test_site_that_is_away_is_said_once_and_no_link_is_blamed(site: Site, gateway: int) -> None:
    site.answers = {"/healthz": gateway}
    make_campaign("tiger26")
    for _ in range(2):
        assert link_walk.walk() is None
    [reason] = told()
    assert reason.startswith("The site ")
    assert reason.endswith(": no campaign link could be tried.")
    assert set(site.asked) == {"/healthz"}


def test_site_that_goes_away_meanwhile_is_no_fault_of_the_link(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["", "The site does not answer: no campaign link could be tried."])
    monkeypatch.setattr(link_walk, "trouble_of_site", lambda: next(answers))
    site.answers = {}
    link_walk.walk()
    assert told() == ["The site does not answer: no campaign link could be tried."]


def test_closed_port_is_a_site_that_is_away(site: Site, settings: Settings) -> None:
    settings.SITE_URL = "http://127.0.0.1:9"
    link_walk.walk()
    assert told() == ["The site does not answer at http://127.0.0.1:9: no campaign link could be tried."]


def test_only_links_in_use_are_tried(site: Site) -> None:
    Campaign.objects.update(is_paused=True)
    link_walk.walk()
    assert site.asked == []
    ago = timezone.now() - timedelta(days=9)
    Campaign.objects.update(is_paused=False, starts_at=ago, ends_at=ago + timedelta(days=1))
    link_walk.walk()
    assert (site.asked, told()) == ([], [])


def test_link_that_ends_while_it_is_tried_is_not_blamed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def end_meanwhile(link: str) -> tuple[int, str]:
        Campaign.objects.update(is_paused=True)
        return 200, "/adopt/amur-leopard/?c=leopard26"

    monkeypatch.setattr(link_walk, "arrive", end_meanwhile)
    link_walk.walk()
    assert told() == []


def test_many_links_are_tried_in_turns_so_that_the_worker_does_other_things(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_walk, "TURN", timedelta(0))
    first = Campaign.objects.get()
    second = make_campaign("tiger26")
    check_campaign_links.func()

    def next_turn() -> int:
        [turn] = DBTaskResult.objects.filter(task_path=walk_campaign_links.module_path)
        [after] = turn.args_kwargs["args"]
        turn.delete()
        walk_campaign_links.func(after)
        return int(after)

    assert [next_turn(), next_turn(), next_turn()] == [0, first.pk, second.pk]
    assert not DBTaskResult.objects.filter(task_path=walk_campaign_links.module_path).exists()
    assert [reason.partition(":")[0] for reason in told()] == ["tiger26"]


@pytest.fixture
def our_site(settings: Settings) -> Iterator[None]:
    """Django over a socket, in this test's own transaction: the one connection is lent to the thread that answers."""
    lent, django = connections["default"], WSGIHandler()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        connections["default"] = lent
        return django(environ, start_response)

    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    connection.inc_thread_sharing()
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        settings.SITE_URL = f"http://127.0.0.1:{server.server_port}"
        yield
        server.shutdown()
        thread.join()
    connection.dec_thread_sharing()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


class Quiet(WSGIRequestHandler):
    def log_message(self, *words: Any) -> None:
        pass


@pytest.mark.usefixtures("our_site")
def test_our_own_site_is_walked_without_counting_a_landing() -> None:
    make_plan()
    make_campaign(preset_pence=500, preset_frequency=Frequency.MONTHLY, preset_gift=True)
    make_campaign("species26", destination="species")
    make_campaign("home26", destination="home", species=None)
    link_walk.walk()
    assert (told(), CampaignDay.objects.count()) == ([], 0)
    Plan.objects.all().delete()
    link_walk.walk()
    assert told() == ["leopard26: /adopt/amur-leopard/ answers with 503."]
    assert CampaignDay.objects.count() == 0
