"""“My adoption”: all that is mine, nothing that is another's, and everything I may put right myself."""

import json
import re
from datetime import date, timedelta
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from adoptions import consent, gift_aid, gifts, personal_data, receipts
from adoptions.gift_aid import Taxpayer
from adoptions.gifts import Present
from adoptions.models import Adoption, AdoptionState, Delivery, Frequency, Gift, Payment, Supporter, SupporterSession
from adoptions.urls import urlpatterns
from config.models import Mail
from species.models import Comment
from species.models.comments import NAMELESS
from tests.adoptions.test_gifts import give
from tests.adoptions.visitors import signed_in
from tests.makers import make_active_adoption, make_adoption, make_payment, make_supporter

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate


@pytest.fixture
def gift() -> Gift:
    """Amara's present for Ellie, due in a month."""
    return give(Present("Ellie", "Hello", Delivery.EMAIL, "ellie@example.org", TODAY() + timedelta(days=30)))


@pytest.fixture
def amara(gift: Gift) -> Client:
    return signed_in(gift.adoption.supporter)


@pytest.fixture
def sam() -> Client:
    """Another supporter, signed in as well."""
    adoption = make_active_adoption(supporter=make_supporter("Sam Stranger", "sam@example.org"))
    return signed_in(adoption.supporter)


def text(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# --- what is there -------------------------------------------------------------------------------------------------


def test_overview_shows_each_adoption_with_what_comes_next(amara: Client, gift: Gift) -> None:
    make_active_adoption(frequency=Frequency.MONTHLY, amount_pence=500, stripe_subscription_id="sub_1")
    make_adoption()
    page = text(amara.get("/my-adoption/"))
    assert page.count("PM-") == 4  # two, each in its address and in its words: the third never came to be
    assert "£5 a month, until you stop it." in page
    assert "A single gift. Nothing more is taken." in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"next_payment_on": date(2027, 1, 5)}, "£5 a month. Next payment on 5 January 2027."),
        ({"ends_on": date(2027, 1, 5)}, "Stopped: it lasts until 5 January 2027, and nothing more is taken."),
        ({"is_paused": True, "resumes_on": date(2027, 3, 1)}, "Paused until 1 March 2027."),
        ({"is_paused": True}, "Paused. Nothing is taken meanwhile."),
        ({"state": "past_due", "retry_on": date(2027, 1, 5)}, "We try again on 5 January 2027."),
    ],
)
def test_page_says_how_a_repeating_adoption_goes_on(values: dict[str, Any], words: str) -> None:
    adoption = make_active_adoption(frequency=Frequency.MONTHLY, amount_pence=500, stripe_subscription_id="sub_1")
    Adoption.objects.filter(pk=adoption.pk).update(**values)
    client = signed_in(adoption.supporter)
    assert words in text(client.get(f"/my-adoption/{adoption.reference}/"))


def test_payments_are_listed_with_a_receipt_for_each_that_came_in(amara: Client, gift: Gift) -> None:
    payment = gift.adoption.payments.get()
    make_payment(gift.adoption, kind="refund", amount_pence=-600, charge=payment)
    page = text(amara.get(f"/my-adoption/{gift.adoption.reference}/"))
    assert ("£36" in page, "−£6" in page) == (True, True)
    receipt = text(amara.get(f"/my-adoption/{gift.adoption.reference}/receipts/{payment.pk}/"))
    for words in ("Amara Supporter", "£36", "−£6", gift.adoption.reference, payment.stripe_id, "0000000"):
        assert words in receipt


def test_receipt_on_paper_says_what_the_page_says(amara: Client, gift: Gift) -> None:
    payment = gift.adoption.payments.get()
    make_payment(gift.adoption, kind="refund", amount_pence=-600, charge=payment, occurred_at=payment.occurred_at)
    home = Taxpayer("Amara", "Supporter", "7 Forest Lane", "EX1 1EX")
    gift_aid.declare(gift.adoption.supporter, home, adoption=gift.adoption)
    response = amara.get(f"/my-adoption/{gift.adoption.reference}/receipts/{payment.pk}.pdf")
    assert response.headers["Content-Type"] == "application/pdf"
    [page] = (pdf := PdfReader(BytesIO(response.content))).pages
    words = " ".join(page.extract_text().split())
    for expected in (
        "£36",
        "Amara Supporter",
        "a present, once",
        gift.adoption.reference,
        payment.stripe_id,
        "Refund −£6 on",
        "Declared by Amara Supporter on",
        settings.CHARITY["address"],
        settings.CHARITY["number"],
    ):
        assert expected in words
    assert str(pdf.root_object["/Lang"]) == "en-GB"
    assert len(response.content) <= 200_000


@pytest.mark.parametrize(
    ("days_ago", "until", "words"),
    [(0, None, "Declared by"), (1, None, "Not declared"), (0, 0, "Not declared")],
)
def test_receipt_says_whether_gift_aid_covers_that_day(days_ago: int, until: int | None, words: str) -> None:
    adoption = make_adoption(state=AdoptionState.ACTIVE, activated_at=timezone.now())
    payment = make_payment(adoption, occurred_at=timezone.now() - timedelta(days=days_ago))
    home = Taxpayer("Amara", "Supporter", "7 Forest Lane", "EX1 1EX")
    gift_aid.declare(adoption.supporter, home, adoption=adoption)
    if until is not None:
        gift_aid.take_back(adoption.supporter)
    assert words in gift_aid.sentence_about(payment)


@pytest.mark.threat("O3")
@pytest.mark.parametrize("name", ["محمد بن عبد الرحمن", "王小明", '#read("/etc/passwd") *x*: $a$', "x" * 120, "𒀀"])
def test_receipt_takes_any_name_and_runs_none(name: str) -> None:
    payment = make_active_adoption(supporter=make_supporter(name)).payments.get()
    home = Taxpayer(name[:35], name[:35], "7 Forest Lane", "EX1 1EX")
    gift_aid.declare(payment.adoption.supporter, home, adoption=payment.adoption)
    assert receipts.render(payment)[:5] == b"%PDF-"


def test_number_of_queries_does_not_grow(django_assert_num_queries: Any) -> None:
    adoption = make_active_adoption()
    client = signed_in(adoption.supporter)
    for _ in range(2):
        with django_assert_num_queries(4):
            text(client.get("/my-adoption/"))
        give(Present("Ellie"))
        make_active_adoption()


# --- nobody else's ---------------------------------------------------------------------------------------------------


def own_pages(adoption: Adoption) -> list[str]:
    """Every page of one adoption that there is, now and in time to come."""
    payment = Payment.objects.filter(adoption=adoption).first()
    values = {"reference": adoption.reference, "payment_id": payment.pk if payment else 0}
    patterns = [pattern for pattern in urlpatterns if "<reference:reference>" in str(pattern.pattern)]
    assert len(patterns) >= 14
    return [
        reverse(f"adoptions:{each.name}", kwargs={name: values[name] for name in each.pattern.converters})
        for each in patterns
    ]


@pytest.mark.threat("L5")
def test_other_supporters_see_and_change_nothing(sam: Client, gift: Gift) -> None:
    before = Gift.objects.values().get(pk=gift.pk)
    for path in own_pages(gift.adoption):
        assert sam.get(path).status_code in {404, 405}
        assert sam.post(path, {"recipient_name": "Sam", "delivery": "self"}).status_code in {404, 405}
    assert Gift.objects.values().get(pk=gift.pk) == before


@pytest.mark.threat("L5")
def test_payment_of_another_adoption_is_not_there(amara: Client, gift: Gift) -> None:
    other = make_active_adoption(supporter=make_supporter("Sam", "sam@example.org"))
    path = f"/my-adoption/{gift.adoption.reference}/receipts/{other.payments.get().pk}"
    assert [amara.get(path + end).status_code for end in ("/", ".pdf")] == [404, 404]


@pytest.mark.threat("L5")
def test_who_is_not_signed_in_is_led_to_the_form(client: Client, gift: Gift) -> None:
    paths = [*own_pages(gift.adoption), "/my-adoption/details/", "/my-adoption/data.json", "/my-adoption/erase/"]
    for path in paths:
        response = client.get(path)
        if response.status_code == 405:
            response = client.post(path)
        assert (response.status_code, response.headers["Location"]) == (303, "/my-adoption/")


def test_hour_that_ended_while_somebody_typed_loses_nothing(gift: Gift) -> None:
    adoption = gift.adoption
    page = f"/my-adoption/{adoption.reference}/"
    amara = signed_in(adoption.supporter)
    for address, typed, words in (
        ("/my-adoption/details/", {"act": "name", "name": "Amara <Obi>"}, "Amara &lt;Obi&gt;"),
        (f"{page}comment/", {"name": "Amara", "comment": "How are the cubs?\nWell?"}, "How are the cubs?"),
        (f"{page}gift/", {"recipient_name": "Ellie", "message": "Sleep well, Ellie"}, "Sleep well, Ellie"),
        ("/my-adoption/gift-aid/declare/", {"address": "1 The Street", "postcode": "EX1 1EX"}, "1 The Street"),
    ):
        SupporterSession.objects.update(expires_at=timezone.now())
        over = amara.post(address, typed)
        assert (over.status_code, over.headers["Cache-Control"]) == (403, "private, no-store")
        assert "nothing you typed is lost" in over.text
        assert f"<blockquote>{words}" in over.text
        assert f'action="{address}"' in over.text
        SupporterSession.objects.update(expires_at=timezone.now() + timedelta(hours=1))
        kept = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', over.text))
        again = amara.post(address, {name: unescape(value) for name, value in kept.items()})
        assert again.status_code in {303, 422}
    adoption.supporter.refresh_from_db()
    assert adoption.supporter.name == "Amara <Obi>"
    assert Comment.objects.get().body.replace("\r\n", "\n") == "How are the cubs?\nWell?"


def test_pages_are_kept_nowhere(amara: Client, gift: Gift) -> None:
    for path in ["/my-adoption/", *own_pages(gift.adoption)[:4], "/my-adoption/details/", "/my-adoption/data.json"]:
        headers = amara.get(path).headers
        assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("private, no-store", "strict-origin")


# --- the present -----------------------------------------------------------------------------------------------------


def test_giver_changes_the_present_until_it_goes_out(amara: Client, gift: Gift) -> None:
    path = f"/my-adoption/{gift.adoption.reference}/gift/"
    assert 'value="ellie@example.org"' in text(amara.get(path))
    answers = {"recipient_name": "Elly", "delivery": "email", "recipient_email": "elly@example.org"}
    day = (TODAY() + timedelta(days=3)).strftime("%d/%m/%Y")
    assert amara.post(path, {**answers, "deliver_on": day, "message": "New"}).status_code == 303
    gift.refresh_from_db()
    assert (gift.recipient_name, gift.recipient_email, gift.message) == ("Elly", "elly@example.org", "New")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"recipient_name": ""}, "recipient_name"),
        ({"recipient_name": "x" * 121}, "recipient_name"),
        ({"message": "x" * 501}, "message"),
        ({"delivery": "pigeon"}, "delivery"),
        ({"recipient_email": "ellie"}, "recipient_email"),
        ({"recipient_email": "ellie@example.org\r\nBcc: x@example.org"}, "recipient_email"),
        ({"deliver_on": "2020-01-01"}, "deliver_on"),
        ({"deliver_on": "2056-01-01"}, "deliver_on"),
        ({"deliver_on": "31/02/2027"}, "deliver_on"),
        ({"deliver_on": "99999-01-01"}, "deliver_on"),
        ({"deliver_on": ""}, "deliver_on"),
    ],
)
def test_wish_that_cannot_be_met_is_one_error_and_changes_nothing(
    amara: Client, gift: Gift, changes: dict[str, str], field: str
) -> None:
    answers = {"recipient_name": "Ellie", "delivery": "email", "recipient_email": "ellie@example.org"}
    day = (TODAY() + timedelta(days=3)).isoformat()
    response = amara.post(f"/my-adoption/{gift.adoption.reference}/gift/", {**answers, "deliver_on": day, **changes})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    gift.refresh_from_db()
    assert gift.revision == 0


def test_change_that_comes_too_late_is_said(amara: Client, gift: Gift) -> None:
    Gift.objects.filter(pk=gift.pk).update(state="sending")
    answers = {"recipient_name": "Elly", "delivery": "self"}
    response = amara.post(f"/my-adoption/{gift.adoption.reference}/gift/", answers)
    assert (response.status_code, b"It has gone out already" in response.content) == (409, True)


def test_giver_sends_it_again(amara: Client, gift: Gift) -> None:
    Gift.objects.filter(pk=gift.pk).update(state="sent", sent_at=timezone.now())
    assert amara.post(f"/my-adoption/{gift.adoption.reference}/gift/again/").status_code == 303
    gift.refresh_from_db()
    assert gift.state == "scheduled"


# --- details ----------------------------------------------------------------------------------------------------


def test_name_is_changed_and_told(amara: Client, gift: Gift) -> None:
    assert amara.post("/my-adoption/details/", {"act": "name", "name": "Amara Obi"}).status_code == 303
    assert Supporter.objects.get().name == "Amara Obi"
    assert "Amara Supporter → Amara Obi" in Mail.objects.get(kind="details_changed").text


def test_new_address_counts_only_once_its_mailbox_said_so(amara: Client, gift: Gift) -> None:
    amara.post("/my-adoption/details/", {"act": "email", "email": "new@example.org"})
    assert Supporter.objects.get().email == "amara@example.org"


def test_both_addresses_are_told_of_a_change(gift: Gift) -> None:
    from adoptions import details

    assert details.change_email(gift.adoption.supporter, "new@example.org")
    told = Mail.objects.filter(kind="details_changed").values_list("to", flat=True)
    assert sorted(told) == ["amara@example.org", "new@example.org"]


def test_address_of_another_supporter_is_not_taken_over(gift: Gift, sam: Client) -> None:
    from adoptions import details

    assert not details.change_email(gift.adoption.supporter, "SAM@example.org")
    assert Supporter.objects.filter(email="amara@example.org").count() == 1


# --- handing over, forgetting ------------------------------------------------------------------------------------


@pytest.mark.threat("L5")
def test_download_holds_everything_and_nothing_of_others(amara: Client, gift: Gift, sam: Client) -> None:
    Comment.objects.create(species=gift.adoption.species, name="Amara", email="amara@example.org", body="What a cat")
    response = amara.get("/my-adoption/data.json")
    assert "attachment" in response.headers["Content-Disposition"]
    held = json.loads(response.content)
    assert held["you"]["email"] == "amara@example.org"
    assert [a["reference"] for a in held["adoptions"]] == [gift.adoption.reference]
    assert held["adoptions"][0]["payments"][0]["amount_pence"] == 3600
    assert held["adoptions"][0]["gift"]["recipient_name"] == "Ellie"
    assert held["comments"][0]["body"] == "What a cat"
    assert {mail["subject"] for mail in held["emails_we_sent"]} >= {"Your link to your adoption"}
    assert "sam@example.org" not in response.content.decode()


def test_erasure_leaves_payments_and_a_fingerprint(amara: Client, gift: Gift) -> None:
    supporter = gift.adoption.supporter
    consent.grant(supporter, page="/")
    comment = Comment.objects.create(species=gift.adoption.species, name="Amara", email="AMARA@example.org", body="Hi")
    Comment.objects.filter(pk=comment.pk).update(masked_body="Hi there", name_to_show="Mara")
    page = text(amara.get("/my-adoption/erase/"))
    assert f"until {personal_data.kept_until(TODAY()).day} March" in page
    assert b"You are erased" in amara.post("/my-adoption/erase/").content
    supporter.refresh_from_db()
    comment.refresh_from_db()
    gift.refresh_from_db()
    assert (supporter.name, supporter.email) == ("", f"erased-{supporter.pk}@erased.invalid")
    assert (comment.name, comment.email, comment.status) == (NAMELESS, "", "withdrawn")
    for words in (comment.body, comment.masked_body, comment.name_to_show):
        assert ("Hi" in words, "Mara" in words) == (False, False)
    assert (gift.recipient_email, gift.message, gift.state) == ("", "", "cancelled")
    assert Payment.objects.get().amount_pence == 3600
    for mail in Mail.objects.all():
        assert "mara" not in mail.to + mail.subject + mail.text + mail.html
    assert consent.is_suppressed(consent.address_hash("amara@example.org"))
    assert amara.get("/my-adoption/").status_code == 200
    assert b"Send me my link" in amara.get("/my-adoption/").content


def test_somebody_who_was_erased_starts_afresh_and_is_not_written_news(amara: Client, gift: Gift) -> None:
    amara.post("/my-adoption/erase/")
    again = make_active_adoption(supporter=make_supporter())
    assert again.supporter_id != gift.adoption.supporter_id
    consent.grant(again.supporter, page="/adopt/amur-leopard/")
    assert not consent.may_send_news(again.supporter)


def test_nothing_is_erased_while_money_still_moves(amara: Client, gift: Gift) -> None:
    make_adoption(state=AdoptionState.PROCESSING)
    response = amara.post("/my-adoption/erase/")
    assert (response.status_code, b"Something still runs" in response.content) == (409, True)
    assert not personal_data.erase(gift.adoption.supporter)
    assert Supporter.objects.get().email == "amara@example.org"


def test_present_that_was_opened_stays_the_recipients(amara: Client, gift: Gift) -> None:
    gifts.open_present(gift)
    amara.post("/my-adoption/erase/")
    gift.refresh_from_db()
    assert gift.recipient_name == "Ellie"
    assert Client().get(gift.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(
    ("paid", "until"),
    [
        (date(2026, 3, 31), date(2032, 3, 31)),
        (date(2026, 4, 1), date(2033, 3, 31)),
        (date(2026, 12, 24), date(2033, 3, 31)),
        (date(2028, 2, 29), date(2034, 3, 31)),
    ],
)
def test_payments_stay_six_years_after_their_financial_year(paid: date, until: date) -> None:
    assert personal_data.kept_until(paid) == until
