"""Who rings is found by whatever they can say, and helped from one page."""

import re
from typing import Any
from urllib.parse import quote_plus, urlencode
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from adoptions import access, care, gift_aid
from adoptions.gift_aid import Taxpayer
from adoptions.models import AccessLink, FormerAddress, Gift, RefundRequest, Supporter
from adoptions.models.supporters import no_email
from adoptions.tasks import send_access_link
from config.desk_page import see_back
from config.models import AuditEntry, Mail
from tests.adoptions.visitors import code_in, link_in
from tests.makers import make_active_adoption, make_payment, make_supporter, put_roles

pytestmark = pytest.mark.django_db

FIND = "/admin/adoptions/supporter/find/"


@pytest.fixture
def marek() -> User:
    return User.objects.create_superuser("marek", "marek@example.org", "x" * 20)


@pytest.fixture
def desk(client: Client, marek: User) -> Client:
    client.force_login(marek)
    return client


@pytest.fixture
def zoe() -> Supporter:
    """Somebody with one of everything she may be known by; and somebody else with all of it otherwise."""
    zoe = known_by("Zoë Lukasiewicz-O’Brien", "zoe@example.org", "EX1 1EX", "4242", "7")
    known_by("Sam Stranger", "sam@example.org", "LS1 4AP", "1881", "8")
    return zoe


def known_by(name: str, email: str, postcode: str, last4: str, number: str) -> Supporter:
    supporter = make_supporter(name, email)
    adoption = make_active_adoption(
        supporter=supporter,
        is_gift=True,
        reference=f"PM-7K4T9QX{number}",
        stripe_session_id=f"cs_test_{number}",
        stripe_customer_id=f"cus_{number}",
    )
    make_payment(adoption, stripe_id=f"ch_{number}", invoice_id=f"in_{number}", card_last4=last4)
    Gift.objects.create(
        adoption=adoption, recipient_name=f"Élodie {number}", recipient_email=f"elodie{number}@example.org"
    )
    FormerAddress.objects.create(
        supporter=supporter, email=f"old{number}@example.net", since=supporter.created_at, until=timezone.now()
    )
    gift_aid.declare(supporter, Taxpayer("Zoe", "Obrien", "7 Forest Lane", postcode), adoption=adoption)
    return supporter


@pytest.mark.parametrize(
    ("typed", "because"),
    [
        ("zoe", ["email", "name"]),
        ("ZOË LUKASIEWICZ", ["name"]),
        ("łukasiéwicz", ["name"]),
        ("o'brien zoe", ["name"]),
        ("O’Brien", ["name"]),
        ("Zoe@Example", ["email"]),
        ("zoe@example.org", ["email"]),
        ("OLD7@example.net", ["former email"]),
        ("old7@", ["former email"]),
        ("ex11ex", ["postcode"]),
        ("EX1 1EX", ["postcode"]),
        ("PM-7K4T9QX7", ["reference"]),
        (" 7k4t9qx7 ", ["reference"]),
        ("pm 7k4t 9qx7", ["reference"]),
        ("PM- 7K4T9QX7", ["reference"]),
        ("PM\u20117K4T9QX7", ["reference"]),
        ("pm7k4t9qx7", ["reference"]),
        ("elodie 7", ["recipient"]),
        ("elodie7@", ["recipient’s email"]),
        ("4242", ["last four digits"]),
        ("ch_7", ["Stripe payment"]),
        ("in_7", ["Stripe payment"]),
        ("cs_test_7", ["Stripe session"]),
        ("cus_7", ["Stripe customer"]),
        ("zoo lukasiewicz", [care.LIKE_IT]),
    ],
)
def test_supporter_is_found_by_what_a_caller_says(zoe: Supporter, marek: User, typed: str, because: list[str]) -> None:
    [found] = care.find(typed, marek)
    assert (found.supporter, found.because) == (zoe, because)
    assert [adoption.reference for adoption in found.adoptions] == ["PM-7K4T9QX7"]


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("Łukasz Wiśniewski", "wisnewski"),
        ("Łukasz Wiśniewski", "Wisniewsky"),
        ("José Hernández", "hernandes"),
        ("Hernandez", "Hernández Gomés"),
        ("Zoë Müller", "zoe muler"),
    ],
)
def test_name_with_accents_is_found_when_it_was_misheard(marek: User, name: str, heard: str) -> None:
    supporter = make_supporter(name, "somebody@example.org")
    assert [(found.supporter, found.because) for found in care.find(heard, marek)] == [(supporter, [care.LIKE_IT])]


@pytest.mark.parametrize("typed", ["nobody", "9999", "EX1", "ch_", "amra", "'", "\x00", "%", "🐆" * 300, ":* & |", " "])
def test_what_nobody_is_known_by_finds_nobody(zoe: Supporter, desk: Client, marek: User, typed: str) -> None:
    assert care.find(typed, marek) == []
    assert desk.get(FIND, {"q": typed}).status_code in (200, 400)


def test_only_one_who_fits_is_opened_at_once_and_a_guess_is_not(zoe: Supporter, desk: Client) -> None:
    timeline = reverse("admin:supporter_timeline", args=[zoe.pk])
    assert desk.get(FIND, {"q": "4242"}).headers["Location"] == timeline
    guess = desk.get(FIND, {"q": "zoo lukasiewicz"})
    assert "Nobody by that name" in guess.text
    assert timeline in guess.text


def test_several_are_listed_best_first_with_why(zoe: Supporter, desk: Client) -> None:
    make_supporter("Zoe Other", "other@example.org")
    page = desk.get(FIND, {"q": "zoe"})
    assert [each.because for each in page.context["found"]] == [["email", "name"], ["name"]]
    assert "email, name" in page.text
    entry = AuditEntry.objects.get()
    assert (entry.act, len(entry.rows), entry.path) == ("listed", 2, FIND)


def test_two_whom_nobody_guessed_to_be_one_are_ticked_and_looked_at_side_by_side(
    client: Client, desk: Client, zoe: Supporter
) -> None:
    other = make_supporter("Zoe Other", "other@example.org")
    side_by_side = reverse("admin:merge_supporters", args=[zoe.pk, other.pk])
    assert desk.get(FIND, {"q": "zoe"}).text.count('name="same"') == 2
    assert desk.get(FIND, {"q": "zoe", "same": [str(other.pk), str(zoe.pk)]}).headers["Location"] == side_by_side
    assert desk.get(side_by_side).status_code == 200
    for wrong in (f"{zoe.pk}", f"{zoe.pk} {zoe.pk}", f"{zoe.pk} \u0661", "1 2 3", f"{'9' * 30} x"):
        assert "Tick two of them" in desk.get(FIND, {"q": "zoe", "same": wrong.split()}).text
    assert desk.get(FIND, {"same": [str(zoe.pk), "9" * 18]}, follow=True).status_code == 404
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename="view_supporter"))
    client.force_login(looker)
    page = client.get(FIND, {"q": "zoe", "same": [str(other.pk), str(zoe.pk)]})
    assert (page.status_code, "side by side" in page.text) == (200, False)


def test_hostile_name_is_only_words(desk: Client) -> None:
    for number in range(2):
        make_supporter("<script>alert(1)</script>", f"x{number}@example.org")
    assert "<script>alert" not in desk.get(FIND, {"q": "script"}).text


def test_nobody_is_found_by_what_staff_may_not_see(zoe: Supporter) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_supporter"))
    clerk = User.objects.get(pk=clerk.pk)
    assert care.find("4242", clerk) == []
    assert care.find("PM-7K4T9QX7", clerk) == []
    assert len(care.find("zoe", clerk)) == 1


def test_erased_supporter_is_found_by_reference_alone(zoe: Supporter, marek: User) -> None:
    Supporter.objects.filter(pk=zoe.pk).erase()
    assert care.find("lukasiewicz", marek) == []
    assert str(care.find("PM-7K4T9QX7", marek)[0].supporter) == f"erased {zoe.pk}"


def test_search_asks_as_much_for_many_as_for_two(marek: User, desk: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(2):
        make_active_adoption(supporter=make_supporter("Zoe", f"zoe{number}@example.org"))
    with django_assert_max_num_queries(11):
        desk.get(FIND, {"q": "zoe"})
    for number in range(2, 9):
        make_active_adoption(supporter=make_supporter("Zoe", f"zoe{number}@example.org"))
    with django_assert_max_num_queries(11):
        assert len(desk.get(FIND, {"q": "zoe"}).context["found"]) == 9


def test_no_search_reads_a_whole_table(marek: User) -> None:
    """Each place is asked by an index of its own, once PostgreSQL may not read a whole table."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for words in (["zoe"], ["zoe", "brien"], ["4242"], ["EX1", "1EX"]):
        for _, where in care.PLACES:
            for because, rows, _ in where(words):
                assert "Seq Scan" not in rows.order_by().explain(), because
    assert "Seq Scan" not in care.named_like("zoe brien").order_by().explain()


def deeds_of(client: Client, supporter: Supporter) -> list[str]:
    page = client.get(reverse("admin:supporter_timeline", args=[supporter.pk])).text
    deeds = re.findall(r'(<summary>)Seldom|class="deeds__deed( deeds__deed--ending)?"[^>]*>([^<]+)<', page)
    return ["—" if apart else ("! " if ends else "") + " ".join(words.split()) for apart, ends, words in deeds]


def test_page_offers_what_a_role_may_do_and_no_more_and_what_ends_something_last(
    client: Client, zoe: Supporter
) -> None:
    put_roles()
    Mail.objects.create(key="k", kind="receipt", to=zoe.email, subject="Thank you", message_id="<1>", state="failed")
    adoption = zoe.adoptions.get()
    link = "Mail them a link to their adoption (new card, stop, receipt)"
    present, certificate, enter = f"Present {adoption.gift}", "Certificate", "Enter an adoption for them"
    put_right = f"{present}: put right, or send again"
    newest = f"£36 of {adoption.payments.latest('pk').occurred_at:%d/%m/%Y}"
    refund, ask = f"! Refund {newest}", f"Ask finance to refund {newest}"
    stop, over = "! Stop, pause, skip or change the amount", "Let somebody else take over"
    zoe.adoptions.update(frequency="monthly", stripe_subscription_id="sub_1")
    expected = {
        "Fundraiser": [
            *(link, "Correct the name or the email", enter, put_right, certificate, ask, stop, "Send again"),
            *("—", over, "All we hold, as a file for them", "! Erase them"),
        ],
        "Finance": [enter, present, certificate, refund],
        "Auditor": [present, certificate],
    }
    for role, deeds in expected.items():
        user = User.objects.create_user(role, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        assert deeds_of(client, zoe) == deeds, role


def test_refund_is_offered_of_what_is_left_and_what_waits_is_shown(
    desk: Client, zoe: Supporter, marek: User, settings: Any
) -> None:
    """Of the newest payment that has anything left. Nobody is led to a page that can only say no."""
    settings.REFUND_ALONE_PENCE = 1000
    first, second = zoe.adoptions.get().payments.order_by("occurred_at", "pk")
    day = f"{second.occurred_at:%d/%m/%Y}"

    def offered() -> list[str]:
        return [deed for deed in deeds_of(desk, zoe) if "Refund" in deed]

    back = {"kind": "refund", "amount_pence": -1000, "charge": second}
    make_payment(second.adoption, **back)
    assert offered() == [f"! Refund £26 of {day}"]
    asked: dict[str, Any] = {"reason": "duplicate", "by": marek, "needs_second": True}
    RefundRequest.objects.create(payment=second, public_id=uuid4(), amount_pence=2600, **asked)
    assert offered() == [f"! Refund £36 of {day}", "! Refund of £26: waits for a second person"]
    RefundRequest.objects.create(payment=first, public_id=uuid4(), amount_pence=3600, **asked)
    assert offered() == ["! Refund of £36: waits for a second person", "! Refund of £26: waits for a second person"]
    RefundRequest.objects.waiting().turn_down(by=marek)
    for charge, pence in ((first, 3600), (second, 2600)):
        make_payment(charge.adoption, kind="refund", amount_pence=-pence, charge=charge)
    assert offered() == []


def test_mail_goes_again_from_the_page(desk: Client, zoe: Supporter) -> None:
    mail = Mail.objects.create(key="k", kind="receipt", to=zoe.email, subject="Hi", message_id="<1>", state="failed")
    page = desk.get(reverse("admin:supporter_timeline", args=[zoe.pk])).text
    form = re.search(
        r'<form method="post" action="(/admin/config/mail/)">.*?value="(\d+)".*?name="action" value="(\w+)"',
        page,
        re.DOTALL,
    )
    assert form
    timeline = reverse("admin:supporter_timeline", args=[zoe.pk])
    assert f'name="back" value="{timeline}"' in page
    answer = desk.post(form[1], {"_selected_action": form[2], "action": form[3], "back": timeline})
    mail.refresh_from_db()
    assert (mail.state, answer.status_code, answer.headers["Location"]) == ("queued", 303, timeline)
    assert "1 queued to be sent again." in desk.get(timeline).text


def test_deeds_lead_back_to_the_page(zoe: Supporter, marek: User) -> None:
    way_back = f"?back={quote_plus(reverse('admin:supporter_timeline', args=[zoe.pk]))}"
    [one] = care.in_hand(zoe, marek)
    assert [deed.words.split()[0] for deed in one.deeds if deed.address.endswith(way_back)] == ["Refund", "Present"]


@pytest.mark.parametrize(
    ("back", "leads_to"),
    [
        ("/admin/adoptions/supporter/7/timeline/", "/admin/adoptions/supporter/7/timeline/"),
        ("", "/admin/"),
        ("/admin/logout/", "/admin/"),
        ("/admin/adoptions/supporter/7/timeline", "/admin/"),
        ("/admin/adoptions/supporter/7/timeline/?next=//evil.example/", "/admin/"),
        ("https://evil.example/admin/adoptions/supporter/7/timeline/", "/admin/"),
        ("//evil.example/admin/adoptions/supporter/7/timeline/", "/admin/"),
        ("/\\evil.example/admin/adoptions/supporter/7/timeline/", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
        ("\0", "/admin/"),
    ],
)
def test_nobody_is_led_elsewhere(rf: RequestFactory, back: str, leads_to: str) -> None:
    for request in (rf.post("/?" + urlencode({"back": back})), rf.post("/", {"back": back})):
        answer = see_back(request, "/admin/")
        assert (answer.status_code, answer.headers["Location"]) == (303, leads_to)


def test_link_to_my_adoption_is_mailed_for_who_rings_whatever_the_limit(desk: Client, zoe: Supporter) -> None:
    timeline = reverse("admin:supporter_timeline", args=[zoe.pk])
    assert f'action="{reverse("admin:mail_link", args=[zoe.pk])}"' in desk.get(timeline).text
    for _ in range(access.PER_EMAIL.times + 1):
        answer = desk.post(reverse("admin:mail_link", args=[zoe.pk]))
        assert (answer.status_code, answer.headers["Location"]) == (303, timeline)
        assert access.BROWSER_COOKIE not in answer.cookies
    page = desk.get(timeline).text
    assert "on its way to zoe@example.org" in page
    assert page.count("by a link to zoe@example.org") == access.PER_EMAIL.times + 1
    assert "Mailed a link to “My adoption”." in page
    changed = AuditEntry.objects.filter(act="changed").latest("pk")
    assert (changed.what, changed.rows) == ("adoptions.supporter", [str(zoe.pk)])
    assert changed.how == "Mailed a link to “My adoption”."


def test_link_that_staff_had_mailed_opens_with_its_digits_alone(desk: Client, zoe: Supporter) -> None:
    desk.post(reverse("admin:mail_link", args=[zoe.pk]))
    send_access_link.func(AccessLink.objects.get().pk)
    mail = Mail.objects.get(kind="manage_link")
    assert mail.to == "zoe@example.org"
    Mail.objects.filter(pk=mail.pk).update(state="sent", sent_at=timezone.now())
    assert "Send again" not in desk.get(reverse("admin:supporter_timeline", args=[zoe.pk])).text
    assert desk.post(link_in(mail)).status_code == 422
    theirs = Client()
    assert theirs.post(link_in(mail), {"code": code_in(mail)}).status_code == 303
    assert "zoe@example.org" in theirs.get("/my-adoption/details/").text


def test_no_link_for_who_has_no_email_or_is_erased(desk: Client, zoe: Supporter) -> None:
    finn = make_supporter("Finn", no_email())
    Supporter.objects.filter(pk=zoe.pk).erase()
    for each in (finn, zoe):
        assert "Mail them a link" not in desk.get(reverse("admin:supporter_timeline", args=[each.pk])).text
        assert desk.post(reverse("admin:mail_link", args=[each.pk])).status_code == 404
    assert not AccessLink.objects.exists()


def test_box_is_on_the_first_page_for_whom_it_is(client: Client, desk: Client) -> None:
    assert FIND in desk.get("/admin/").text
    client.force_login(User.objects.create_user("editor", is_staff=True))
    assert FIND not in client.get("/admin/").text
