"""Links in mails: any spelling leads to the right page, nothing leads elsewhere, nobody is followed."""

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from adoptions import campaign_report, checkout, presets, stripe_gateway
from adoptions.models import Campaign, CampaignDay, Destination, Frequency, Plan
from adoptions.views import checkout as checkout_views
from config.campaign_links import carry_on
from tests.adoptions.conftest import Amara
from tests.makers import make_plan, make_species
from tests.our_content import put_our_content
from tests.species.makers import make_field_note

pytestmark = pytest.mark.django_db

CODES = ("poster26", "mail26")


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def campaign_among_ours() -> Campaign:
    """With the species as they ship, which are there before it."""
    put_our_content()
    make_plan()
    made = make_campaign()
    Campaign.objects.update(landing_text="Welcome, readers.")
    return made


def make_campaign() -> Campaign:
    return Campaign.objects.create(
        code="leopard26",
        name="Winter mailing",
        species=make_species(),
        preset_frequency=Frequency.ONCE,
        preset_pence=2400,
        preset_gift=True,
    )


def landings() -> int:
    return sum(CampaignDay.objects.values_list("landings", flat=True))


@pytest.mark.parametrize(
    "path",
    [
        *("/go/leopard26", "/go/LEOPARD26", "/go/Leopard26/", "/go/leopard26.", "/go/leopard26,", "/go/leopard26)"),
        *("/GO/LEOPARD26", "/GO/LEOPARD26/", "/Go/leopard26", "/gO/leopard26./", "/go/%E2%80%8Bleopard26"),
    ],
)
def test_any_spelling_leads_there_in_one_hop_and_counts_once(client: Client, campaign: Campaign, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response.headers["Location"] == "/adopt/amur-leopard/?c=leopard26&frequency=once&amount=24.00&gift=1"
    assert landings() == 1
    assert not client.cookies


@pytest.mark.parametrize("hyphen", ["-", "_", "\u2010", "\u2011", "\u2013", "\u2014"])
def test_hyphen_that_a_program_made_another_of_is_one(client: Client, hyphen: str) -> None:
    Campaign.objects.create(code="winter-appeal", name="Winter", species=make_species())
    response = client.get(f"/go/winter{hyphen}appeal")
    assert response.headers["Location"] == "/adopt/amur-leopard/?c=winter-appeal"


def test_scanner_and_prefetch_are_not_counted(client: Client, campaign: Campaign) -> None:
    assert client.head("/GO/leopard26/").status_code == 302
    for header in ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "Prefetch"}, {"X-Moz": "prefetch"}):
        assert client.get("/go/leopard26", headers=header).status_code == 302
    assert landings() == 0
    client.get("/go/leopard26", headers={"Purpose": "something else"})
    assert landings() == 1


def test_link_takes_no_post(browser_client: Client, campaign: Campaign) -> None:
    """Also of a browser, whose posts are looked at before any view is asked."""
    answer = browser_client.post("/go/leopard26", headers={"Origin": "https://elsewhere.example"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert landings() == 0


@pytest.mark.threat("L11")
@pytest.mark.parametrize(
    "query", ["next=https://evil.example", "next=//evil", "email=jane@example.org&fbclid=1", "url=javascript:alert(1)"]
)
def test_nothing_in_the_link_but_its_code_counts(client: Client, campaign: Campaign, query: str) -> None:
    answer = client.get(f"/go/leopard26?{query}")
    assert answer.headers["Location"] == "/adopt/amur-leopard/?c=leopard26&frequency=once&amount=24.00&gift=1"
    assert answer.headers["X-Robots-Tag"] == "noindex"


@pytest.mark.threat("L11")
def test_who_somebody_is_is_not_read_from_an_address_nor_logged(
    client: Client, campaign: Campaign, caplog: pytest.LogCaptureFixture
) -> None:
    """Mail programs add it to links: here it leads nowhere, and no other site hears of it from a page of ours."""
    make_plan()
    caplog.set_level("INFO")
    who = "email=jane@example.org&first_name=Jane&name=Jane&fbclid=1&mc_eid=jane1"
    followed = client.get(f"/go/leopard26?{who}", follow=True)
    pages = [followed, client.get(f"/adopt/amur-leopard/?c=leopard26&{who}"), client.get(f"/?c=leopard26&{who}")]
    pages.append(client.get(f"/no-such-page/?c=leopard26&{who}"))
    for page in pages:
        assert "jane" not in page.text.lower()
        assert page.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert not any("jane" in value.lower() for place, _ in followed.redirect_chain for value in [place])
    assert "jane" not in caplog.text.lower()


@pytest.mark.parametrize(
    "code", ["unknown", "..", "%2e%2e%2f", "x" * 500, "%F0%9F%90%86", "' or 1=1", "//evil.example"]
)
def test_unknown_code_leads_to_the_species(client: Client, code: str) -> None:
    response = client.get(f"/go/{code}")
    assert response.status_code in {302, 404}
    assert response.headers.get("Location", "/species/") == "/species/"


@pytest.mark.usefixtures("campaign_among_ours")
def test_ended_campaign_keeps_its_credit_drops_its_presets_and_says_so_kindly(client: Client) -> None:
    Campaign.objects.update(starts_at=timezone.now() - timedelta(days=9), ends_at=timezone.now() - timedelta(days=1))
    for destination in Destination:
        Campaign.objects.update(destination=destination)
        page = client.get("/go/leopard26", follow=True)
        assert "over=1" in page.redirect_chain[-1][0]
        assert "c=leopard26" in page.redirect_chain[-1][0]
        assert "amount" not in page.redirect_chain[-1][0]
        assert "The appeal you followed a link to is over." in page.text
        assert "over=1" not in page.text
    assert 'name="c" value="leopard26"' in client.get("/adopt/amur-leopard/?c=leopard26&over=1").text


def test_paused_campaign_shows_the_page_as_it_is(client: Client, campaign: Campaign) -> None:
    make_plan()
    Campaign.objects.update(is_paused=True)
    page = client.get("/go/leopard26", follow=True)
    assert page.redirect_chain == [("/adopt/amur-leopard/?c=leopard26", 302)]
    assert "is over" not in page.text


@pytest.mark.parametrize("amount", ["-5", "12.345", "999999", "£20", "0", "", "1e3", "24"])
def test_amount_that_cannot_be_is_ignored_and_one_that_can_is_chosen(client: Client, amount: str) -> None:
    make_species()
    make_plan()
    page = client.get("/adopt/amur-leopard/", {"frequency": "once", "amount": amount, "c": "leopard26"})
    form = page.context["form"]
    assert page.status_code == 200
    assert form.initial.get("amount_once") == ({"24": "2400", "£20": "other"}.get(amount))
    assert 'name="amount_once"' in page.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("c=first1&c=second2", "first1"),
        ("c=%3Cb%3E&c=second2", "second2"),
        ("c=&c=second2", "second2"),
        ("c=x", ""),
        ("c=20261129&c=LEOPARD26&c=tiger26", "leopard26"),
        ("c=nobodys&" * 30 + "c=leopard26", "nobodys"),
    ],
    ids=lambda value: value[:20],
)
def test_of_several_codes_the_first_that_is_a_campaign_s_counts(
    client: Client, campaign: Campaign, query: str, code: str
) -> None:
    make_plan()
    Campaign.objects.create(code="tiger26", name="Tiger", species=make_species(), landing_text="Not theirs.")
    page = client.get(f"/adopt/amur-leopard/?{query}")
    assert page.context["form"].initial["c"] == code
    assert page.context["campaign_query"] == (f"?c={code}" if code else "")
    home = client.get(f"/?{query}")
    assert home.context["campaign_query"] == (f"?c={code}" if code else "")
    assert "Not theirs." not in home.text


def test_another_plan_keeps_the_code(client: Client) -> None:
    make_species()
    prices = make_plan().prices.values("frequency", "minimum_pence", "maximum_pence", "preset_pence", "suggested_pence")
    other = Plan.objects.create(slug="guardian", name="Guardian")
    for price in prices:
        other.prices.create(**price)
    assert 'href="?plan=guardian&amp;c=leopard26"' in client.get("/adopt/amur-leopard/?c=leopard26").text


def test_code_of_nobody_is_counted_and_not_kept(client: Client) -> None:
    for code in ("mistyped-one", "mistyped-two"):
        assert client.get(f"/go/{code}").headers["Location"] == "/species/"
    assert [(day.campaign, day.landings) for day in CampaignDay.objects.all()] == [(None, 2)]


def test_colleague_who_tries_a_link_is_not_counted(client: Client, campaign: Campaign) -> None:
    client.force_login(User.objects.create_user("fiona", is_staff=True))
    client.get("/go/leopard26")
    assert landings() == 0
    client.force_login(User.objects.create_user("nobody-special"))
    client.get("/go/leopard26")
    assert landings() == 1


@pytest.mark.usefixtures("campaign_among_ours")
def test_whole_site_walked_from_a_campaign_link_sets_no_cookie_and_keeps_the_code(client: Client) -> None:
    """Every page that can be read. The forms that take money set one, to know that it is they who are sent."""
    Campaign.objects.update(destination=Destination.HOME)
    waiting, seen = [client.get("/go/leopard26").headers["Location"]], set[str]()
    while waiting:
        address = waiting.pop()
        path = address.partition("?")[0]
        if path in seen or path.startswith(("/adopt/", "/my-", "/static/", "/media/", "/complaints", "/contact")):
            continue
        seen.add(path)
        page = client.get(address)
        assert page.status_code == 200, address
        assert not page.cookies, address
        if "html" in page.headers["Content-Type"] and page.status_code == 200:
            links = [unescape(link) for link in re.findall(r'<a\b[^>]*?\shref="([/?][^"#]*)', page.text)]
            lost = {link for link in links if "c=leopard26" not in link and "." not in link}
            assert lost == set(), address
            waiting += [link for link in links if link.startswith("/")]
    assert len(seen) > 15
    assert {"/", "/species/", "/species/amur-leopard/", "/threats/", "/sources/", "/privacy/", "/search/"} <= seen
    found = client.get("/search/?q=deforestation&c=leopard26").text
    assert re.search(r'href="/threats/deforestation/\?c=leopard26', found)
    assert '<input type="hidden" name="c" value="leopard26">' in found


@pytest.mark.threat("L11")
@pytest.mark.parametrize(
    ("destination", "place"),
    [
        (Destination.SPECIES, "/species/amur-leopard/?c=leopard26"),
        (Destination.NOTE, "/field-notes/newer/?c=leopard26"),
        (Destination.HOME, "/?c=leopard26"),
        (Destination.THREATS, "/threats/?c=leopard26"),
        (Destination.SOURCES, "/sources/?c=leopard26"),
    ],
)
def test_destination_is_one_of_our_pages(client: Client, campaign: Campaign, destination: str, place: str) -> None:
    now = timezone.now()
    for slug, age in (("older", 9), ("newer", 1), ("to-come", -1)):
        make_field_note(slug, species=campaign.species, published_at=now - timedelta(days=age))
    make_field_note("of-another", species=make_species("amur-tiger"), published_at=now)
    Campaign.objects.update(destination=destination)
    assert client.get("/go/leopard26").headers["Location"] == place
    assert client.get(place).status_code == 200


def test_only_pages_of_no_species_are_led_to_without_one(client: Client, campaign: Campaign) -> None:
    for destination, place in (("home", "/"), ("threats", "/threats/"), ("sources", "/sources/")):
        Campaign.objects.update(destination=destination, species=None)
        assert client.get("/go/leopard26").headers["Location"] == f"{place}?c=leopard26"
    with pytest.raises(ValidationError, match="the threats and the sources go without"):
        Campaign(code="spring-27", name="Spring", destination=Destination.NOTE).full_clean()


def test_species_taken_offline_leads_home_with_its_credit(client: Client, campaign: Campaign) -> None:
    make_species().__class__.objects.update(is_published=False)
    assert client.get("/go/leopard26").headers["Location"] == "/?c=leopard26"


def test_landings_are_counted_per_day(client: Client, campaign: Campaign) -> None:
    for _ in range(3):
        client.get("/go/leopard26")
    assert list(CampaignDay.objects.values_list("landings", flat=True)) == [3]


@pytest.mark.parametrize("values", [{"species": None}, {"ends_at": timezone.now() - timedelta(days=999)}])
def test_campaign_that_leads_nowhere_cannot_be_stored(campaign: Campaign, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        Campaign.objects.update(**values)


@pytest.mark.parametrize("code", ["UPPER", "a b", "ab", "x" * 33, "é-été", "a/b"])
def test_code_is_lower_case_letters_digits_and_hyphens(code: str) -> None:
    with pytest.raises(ValidationError, match="code"):
        Campaign(code=code, name="x", species=make_species()).full_clean()


@pytest.mark.usefixtures("campaign_among_ours")
def test_code_travels_from_page_to_page_in_addresses_and_without_a_cookie(client: Client) -> None:
    adopt = "/adopt/amur-leopard/?c=leopard26"
    assert adopt in client.get("/?c=leopard26").content.decode()
    page = client.get("/species/amur-leopard/?c=leopard26").content.decode()
    assert adopt in page
    assert "/species/?c=leopard26" in page
    assert adopt in client.get("/species/?c=leopard26").content.decode()
    assert adopt in client.get("/threats/deforestation/?c=LEOPARD26").content.decode()
    assert not client.cookies
    assert 'name="c" value="leopard26"' in client.get(adopt).content.decode()


@pytest.mark.parametrize(
    ("link", "carried"),
    [
        ('<a href="/threats/">', '<a href="/threats/?c=mail26">'),
        ('<a class="x" href="/threats/#top">', '<a class="x" href="/threats/?c=mail26#top">'),
        ('<a href="/search/?q=snow">', '<a href="/search/?q=snow&amp;c=mail26">'),
        ('<a href="?before=3#comments">', '<a href="?before=3&amp;c=mail26#comments">'),
        ('<a href="/adopt/amur-leopard/?c=other26">', ""),
        ('<a href="/x/?q=1&amp;c=other26">', ""),
        ('<a href="#top">', ""),
        ('<a href="//evil.example/">', ""),
        ('<a href="https://example.org/">', ""),
        ('<a href="/feeds/field-notes.xml">', ""),
        ('<a href="/admin/">', ""),
        ('<link rel="canonical" href="/species/">', ""),
        ('&lt;a href="/species/"', ""),
        ("<a href='/species/'>", ""),
    ],
)
def test_every_link_of_a_page_carries_the_code_on(link: str, carried: str) -> None:
    page = carry_on(HttpResponse(f"<p>{link}"), "mail26")
    assert page.text == f"<p>{carried or link}"
    assert carry_on(HttpResponse(link), "").text == link
    assert carry_on(HttpResponse(link, content_type="application/json"), "mail26").text == link


@pytest.mark.parametrize("code", ["<script>", 'x"onclick=', "a b", "x" * 40, "%00"])
def test_code_that_is_none_is_not_repeated_on_the_page(client: Client, code: str) -> None:
    put_our_content()
    page = client.get("/species/amur-leopard/", {"c": code}).content.decode()
    assert "?c=" not in page


def test_first_and_last_link_are_written_once_and_travel_to_stripe_and_back(amara: Amara) -> None:
    """She came by a poster and went, came again by a mail, and once more without a link."""
    make_campaigns = {code: Campaign.objects.create(code=code, name=code, species=make_species()) for code in CODES}
    poster = amara.reach_stripe(c="poster26")
    mail = amara.adopt(c="mail26", attempt=str(uuid.uuid4()), frequency="monthly", another="on")
    later = amara.reach_stripe(attempt=str(uuid.uuid4()), amount_once="2400", another="on")
    touches = [(each.first_campaign_code, each.campaign_code, each.campaign) for each in (poster, mail, later)]
    assert touches == [
        ("poster26", "poster26", make_campaigns["poster26"]),
        ("poster26", "mail26", make_campaigns["mail26"]),
        ("poster26", "", None),
    ]
    assert mail.stripe_session_id
    kept = stripe_gateway.client().v1.checkout.sessions.retrieve(mail.stripe_session_id).metadata
    assert kept
    assert (kept["campaign_first"], kept["campaign"]) == ("poster26", "mail26")
    amara.press_pay(c="poster26", attempt=str(mail.attempt), frequency="monthly")
    mail.refresh_from_db()
    assert mail.first_campaign_code == "poster26"


def test_link_survives_every_error_page_stripe_and_the_return(amara: Amara, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the mail to the report, with everything going wrong that can."""
    campaign = Campaign.objects.create(code="mail26", name="Mail", species=make_species(), destination="home")
    amara.client.raise_request_exception = False
    landed = amara.client.get("/go/mail26").headers["Location"]
    assert 'href="/adopt/amur-leopard/?c=mail26"' in amara.client.get(landed).text

    def break_down(*args: Any, **kwargs: Any) -> None:
        raise ValueError

    def gone(*args: Any, **kwargs: Any) -> None:
        raise OperationalError

    form = "/adopt/amur-leopard/?c=mail26"
    found = [amara.client.get("/no-such-page/?x=1&c=mail26"), amara.client.get("/species/amur-leoperd/?c=mail26")]
    for fault in (break_down, gone):
        with monkeypatch.context() as patch:
            patch.setattr(presets, "initial_answers", fault)
            found.append(amara.client.get(form))
    with monkeypatch.context() as patch:
        patch.setattr(checkout_views, "may_open_a_page", lambda *who: False)
        found.append(amara.press_pay(c="mail26"))
    assert [page.status_code for page in found] == [404, 404, 500, 503, 429]
    for page in found:
        assert 'href="/?c=mail26"' in page.text, page.status_code

    wrong = amara.press_pay(c="mail26", email="nonsense")
    assert (wrong.status_code, 'name="c" value="mail26"' in wrong.text) == (422, True)
    checked = amara.client.post(f"{form}&attempt=", {**amara.answers(c="mail26"), "step": "check"})
    assert (checked.status_code, 'name="c" value="mail26"' in checked.text) == (200, True)
    with monkeypatch.context() as patch:
        patch.setattr(checkout, "start", break_down)
        assert amara.press_pay(c="mail26").status_code == 500
    back = amara.client.get(f"/adopt/amur-leopard/?attempt={amara.attempt}")
    assert 'name="c" value="mail26"' in back.text, "as she left it"

    adoption = amara.adopt(c="mail26")
    amara.come_back(adoption)
    assert adoption.campaign == campaign
    [figures] = campaign_report.figures([campaign])
    assert (figures.landings, figures.adoptions, figures.first) == (1, 1, 1)
    assert (figures.income_pence, figures.year_pence, figures.mean_pence) == (3600, 3600, 3600)
