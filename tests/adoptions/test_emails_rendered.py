"""Every mail as it is read: true, whole in both parts, and nothing in it that a stranger's name could add."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import EmailMessage

from adoptions.emails import certificate_url, queue_receipt
from adoptions.models import Adoption, AdoptionState, Frequency, Gift
from config.mail import queue_mail
from config.models import Mail
from config.templatetags.typed import typed
from tests.makers import make_active_adoption, make_adoption, make_payment, make_supporter

pytestmark = pytest.mark.django_db

HOSTILE_NAMES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "https://evil.example/pay",
    "www.evil.example",
    "pay@evil.example",
    "[pay](javascript:alert(1))",
    "Ann\r\nBcc: all@evil.example",
    "\u202egnp.exe",
    "{{ charity.name }}{% load money %}",
    "محمد العربي",
    "O'Brien & Sons",
]


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def links(self) -> list[str | None]:
        return [value for name, value in self.attributes if name in {"href", "src", "action", "background"}]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def receipt_of(adoption: Adoption, **payment: Any) -> Mail:
    queue_receipt(adoption, make_payment(adoption, **payment))
    return Mail.objects.latest("pk")


def one_line(text: str) -> str:
    return " ".join(text.split())


# --- the receipt ---------------------------------------------------------------------------------------------


def test_receipt_of_a_single_adoption_says_what_was_paid_and_that_nothing_more_is_taken() -> None:
    adoption = make_adoption(state=AdoptionState.ACTIVE, activated_at=datetime(2026, 7, 1, tzinfo=UTC))
    mail = receipt_of(adoption, occurred_at=datetime(2026, 6, 30, 23, 30, tzinfo=UTC), card_last4="4242")
    assert mail.to == "amara@example.org"
    assert mail.subject == f"Thank you for adopting the Amur leopard ({adoption.reference})"
    for part in (one_line(mail.text), Page(mail.html).text):
        for words in (
            "£36",
            "1 July 2026, with the card ending 4242",
            adoption.reference,
            "Amara Supporter",
            "This was a single gift. Nothing more is taken.",
            "none of them belongs to anyone",
            settings.CHARITY["name"],
            settings.CHARITY["number"],
            settings.CHARITY["regulator"],
            settings.CHARITY["address"],
        ):
            assert words in part
        assert "repeats" not in part
    assert certificate_url(adoption) in mail.text
    assert Page(mail.html).links == [certificate_url(adoption), "http://127.0.0.1:8000/species/amur-leopard/"]


@pytest.mark.parametrize(
    ("frequency", "rhythm"),
    [
        (Frequency.MONTHLY, "£5 a month, taken on or near the 24th of each month, until you stop it"),
        (Frequency.YEARLY, "£5 a year, taken on or near 24 November each year, until you stop it"),
    ],
)
def test_receipt_of_a_repeating_adoption_says_when_it_repeats_and_how_to_stop(frequency: str, rhythm: str) -> None:
    adoption = make_adoption(frequency=frequency, amount_pence=500)
    mail = receipt_of(adoption, occurred_at=datetime(2026, 11, 24, 12, tzinfo=UTC))
    for part in (one_line(mail.text), Page(mail.html).text):
        assert rhythm in part
        assert f"To change or stop it, answer this email or call {settings.CHARITY['phone']}." in part


def test_receipt_of_a_later_payment_is_short_and_carries_no_certificate() -> None:
    adoption = make_adoption(frequency=Frequency.MONTHLY, amount_pence=500)
    receipt_of(adoption)
    mail = receipt_of(adoption)
    assert mail.subject == f"Receipt for your adoption of the Amur leopard ({adoption.reference})"
    for part in (one_line(mail.text), Page(mail.html).text):
        assert "Your payment for the Amur leopard has arrived." in part
        assert "Your gift repeats, £5 a month, until you stop it." in part
        assert "certificate (PDF" not in part
    assert Page(mail.html).links == []
    assert "http" not in mail.text


def test_receipt_of_a_gift_names_the_recipient_whom_we_do_not_write_to() -> None:
    adoption = make_active_adoption(is_gift=True)
    Gift.objects.create(adoption=adoption, recipient_name="Ellie")
    queue_receipt(adoption, adoption.payments.get())
    mail = Mail.objects.get()
    assert mail.to == "amara@example.org"
    assert "Thank you for giving Ellie an adoption of the Amur leopard." in mail.text
    assert "You have given Ellie an adoption of the Amur leopard." in Page(mail.html).text
    for part in (one_line(mail.text), Page(mail.html).text):
        assert "we send nothing to Ellie ourselves" in part


# --- names that strangers typed ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_name_adds_no_tag_no_link_and_no_header(name: str) -> None:
    plain = receipt_of(gift_from(make_supporter("Amara"), to="Ellie"))
    mail = receipt_of(gift_from(make_supporter(name, email="sam@example.org"), to=name))
    assert Page(mail.html).tags == Page(plain.html).tags
    assert [name for name, _ in Page(mail.html).attributes] == [name for name, _ in Page(plain.html).attributes]
    assert len(re.findall(r"\bhttps?://|\bwww\.|\w@\w", mail.text)) == 2  # the certificate and the species page
    assert not re.search(r"(https?://|www\.)evil|\w@evil", Page(mail.html).text)
    assert "\n" not in mail.subject
    message = EmailMessage(mail.subject, mail.text, to=[mail.to]).message()
    assert "Bcc" not in message
    assert one_line(typed(name)) in one_line(mail.text)


def gift_from(supporter: Any, *, to: str) -> Adoption:
    adoption = make_adoption(supporter=supporter, is_gift=True)
    Gift.objects.create(adoption=adoption, recipient_name=to)
    return adoption


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Amara Supporter", "Amara Supporter"),
        ("Dr. Who", "Dr. Who"),
        ("J.R.", "J\u2060.R."),
        ("https://evil.example", "https\u2060:\u2060/\u2060/evil\u2060.example"),
        ("a@b.example", "a\u2060@b\u2060.example"),
        ("two\nlines", "two lines"),
        ("محمد", "\u2068محمد\u2069"),
        (None, ""),
    ],
)
def test_typed_keeps_the_looks_of_a_name_and_makes_no_link(name: str | None, shown: str) -> None:
    expected = f"\u2068{shown}\u2069" if "\u2060" in shown else shown
    assert typed(name) == expected


# --- every mail ----------------------------------------------------------------------------------------------


def test_mails_fetch_nothing_and_run_nothing() -> None:
    mail = receipt_of(make_active_adoption())
    page = Page(mail.html)
    assert not {"img", "script", "link", "iframe", "form", "table", "svg"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert not re.search(r"url\(|@import|@font-face", mail.html)
    assert page.tags.count("h1") == 1
    assert dict(page.attributes)["lang"] == "en-GB"


def test_mails_from_a_real_charity_do_not_call_it_a_demonstration(settings: Any) -> None:
    settings.CHARITY = {**settings.CHARITY, "name": "Leopard & Co", "is_demonstration": False}
    adoption = make_active_adoption()
    queue_mail("receipt", to="amara@example.org", key="1", context={"adoption": adoption, "is_first": True})
    mail = Mail.objects.get()
    assert "Leopard & Co" in mail.text
    assert "Leopard &amp; Co" in mail.html
    assert "demonstration" not in one_line(mail.text).replace(settings.CHARITY["number"], "")
