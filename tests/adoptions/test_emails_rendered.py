"""Every mail as it is read: true, whole in both parts, and nothing in it that a stranger's name could add."""

import re
import uuid
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.template import engines

from adoptions.emails import certificate_url, queue_receipt
from adoptions.gift_aid import wording
from adoptions.models import (
    Adoption,
    AdoptionState,
    Attention,
    AttentionKind,
    Campaign,
    Complaint,
    ExportedFile,
    ExportState,
    Frequency,
    Gift,
    GiftAidDeclaration,
    ImportedFile,
    ImportState,
)
from config.mail import queue_mail
from config.models import Mail
from config.templatetags.typed import typed
from species.models import Comment
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
    assert Page(mail.html).links == ["http://127.0.0.1:8000/my-adoption/"]
    assert mail.text.count("http") == 1


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


def test_receipt_of_a_gift_by_email_says_to_whom_and_when_we_send_it() -> None:
    adoption = make_active_adoption(is_gift=True)
    Gift.objects.create(
        adoption=adoption, recipient_name="Ellie", delivery="email", recipient_email="e@example.org", deliver_on=DAY
    )
    queue_receipt(adoption, adoption.payments.get())
    mail = Mail.objects.get()
    for part in (one_line(mail.text), Page(mail.html).text):
        assert "on 24 December 2026 or at once if that is past" in part
        assert "we send nothing" not in part
    assert "/gift/" not in mail.text + mail.html


# --- names that strangers typed ------------------------------------------------------------------------------


@pytest.mark.threat("O2")
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_name_adds_no_tag_no_link_and_no_header(name: str) -> None:
    plain = receipt_of(gift_from(make_supporter("Amara"), to="Ellie"))
    mail = receipt_of(gift_from(make_supporter(name, email="sam@example.org"), to=name))
    assert Page(mail.html).tags == Page(plain.html).tags
    assert [name for name, _ in Page(mail.html).attributes] == [name for name, _ in Page(plain.html).attributes]
    assert len(re.findall(r"\bhttps?://|\bwww\.|\w@\w", mail.text)) == 3  # the certificate, the present and the species
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

DAY = date(2026, 12, 24)
SITE = "http://127.0.0.1:8000"
COMMENT = (
    "comment_link",
    "comment_waiting",
    "comment_published",
    "comment_refused",
    "comment_reply",
    "comments_arrived",
    "comments_waiting",
)
COMPLAINT = ("complaint_received", "complaint_answered", "complaint_arrived")
TO_STAFF_OR_STRANGERS = (
    "campaign_test",
    "attention",
    "mail_digest",
    "export_ready",
    "import_done",
    "new_browser",
    "account_changed",
    "dispute_opened",
    "manage_link",
    "confirm_email",
    "gift_message",
    *COMPLAINT,
    *COMMENT,
)
KINDS = sorted(folder.name for folder in (settings.BASE_DIR / "templates" / "emails").iterdir() if folder.is_dir())


def context_of(kind: str, name: str = "Ellie") -> dict[str, Any]:
    """All that a mail may be given, with `name` wherever somebody else typed the words."""
    adoption = gift_from(make_supporter(name, email=f"{kind}-{abs(hash(name))}@example.org"), to=name)
    adoption.ends_on = adoption.next_payment_on = DAY
    payment = make_payment(adoption, card_last4="4242")
    own: dict[str, dict[str, Any]] = {
        "receipt": {
            "payment": payment,
            "is_first": True,
            "renews": True,
            "certificate_url": f"{SITE}/c",
            "gift_url": f"{SITE}/g",
            "manage_url": f"{SITE}/m",
            "species_url": f"{SITE}/s",
            "gift_aid": f"Declared by {name} on 24 December 2026.",
        },
        "news_refused": {"manage_url": f"{SITE}/m"},
        "gift_aid_confirmed": {
            "declaration": GiftAidDeclaration(
                first_name=name, last_name=name, address=name, postcode="EX1 1EX", wording=wording(), covers_from=DAY
            ),
            "manage_url": f"{SITE}/m",
        },
        "field_notes": {
            "notes": [
                {"title": "A cub", "day": "24 December 2026", "words": "Seen twice.", "url": f"{SITE}/species/"},
                {"title": "Snow", "day": "25 December 2026", "words": "Deep.", "url": f"{SITE}/threats/"},
            ],
            "manage_url": f"{SITE}/m",
            "unsubscribe_url": f"{SITE}/u",
        },
        "annual_statement": {
            "year": "2025–26",
            "lines": [{"day": "24 December 2025", "what": "Payment", "amount_pence": 3600, "is_gift_aided": True}],
            "total_pence": 3600,
            "gift_aid_pence": 3600,
            "manage_url": f"{SITE}/m",
        },
        "payment_failed": {
            "amount_pence": 500,
            "reason": "not enough money in the account",
            "next_try_on": DAY,
            "manage_url": f"{SITE}/m",
        },
        "payment_recovered": {"payment": payment},
        "card_expiring": {"card_last4": "4242", "expires": "December 2026", "manage_url": f"{SITE}/m"},
        "action_required": {"amount_pence": 500, "confirm_url": "https://stripe.example/i", "until": DAY},
        "adoption_ending": {"species_url": f"{SITE}/s"},
        "cancelled": {"last_payment": payment, "undo_url": f"{SITE}/u", "because": "", "species_url": f"{SITE}/s"},
        "amount_changed": {"before": "£5 a month", "manage_url": f"{SITE}/m"},
        "paused": {"manage_url": f"{SITE}/m"},
        "resumed": {"manage_url": f"{SITE}/m"},
        "renewal_notice": {"manage_url": f"{SITE}/m"},
        "campaign_test": {"campaign": Campaign(code="leopard26", name=name), "link_url": f"{SITE}/l"},
        "attention": {
            "attention": Attention(kind=AttentionKind.HELD, reason="Paid 1p, agreed 3600p.", adoption=adoption),
            "admin_url": f"{SITE}/a",
        },
        "import_done": {
            "file": ImportedFile(state=ImportState.DONE, total=9, asked_at=datetime(2026, 11, 24, tzinfo=UTC)),
            "faults": 1,
            "made": 7,
            "filled": 1,
            "stays": 0,
            "admin_url": f"{SITE}/a",
        },
        "export_ready": {
            "file": ExportedFile(
                layout="supporters-csv", state=ExportState.READY, done=2, finished_at=datetime(2026, 12, 24, tzinfo=UTC)
            ),
            "admin_url": f"{SITE}/a",
        },
        "new_browser": {
            "username": name,
            "signed_in_at": payment.occurred_at,
            "system": "Windows",
            "network": "203.0.113.0/24",
            "password_url": f"{SITE}/p",
        },
        "account_changed": {
            "username": name,
            "by": name,
            "what": "A new password was set",
            "means": "The one before opens nothing any more.",
            "happened_at": payment.occurred_at,
            "system": "Windows",
            "network": "203.0.113.0/24",
            "password_url": f"{SITE}/p",
        },
        "payment_link": {"pay_url": f"{SITE}/p", "until": payment.occurred_at},
        "refund_made": {
            "amount_pence": 3600,
            "refunded_at": payment.occurred_at,
            "is_whole": True,
            "card_last4": "4242",
        },
        "dispute_opened": {"amount_pence": 3600, "reason": "fraudulent", "answer_by": DAY, "admin_url": f"{SITE}/a"},
        "manage_link": {"url": f"{SITE}/l", "code": "123456", "minutes": 10},
        "details_changed": {"changes": [("Name on the certificate", "Elly", name), ("Address", "", "1 High Street")]},
        "records_joined": {"is_kept": False, "days": 30},
        "gift_message": {"giver_name": name, "message": f"Dear {name}\n\nmany happy returns", "gift_url": f"{SITE}/g"},
        "gift_scheduled": {
            "recipient_email": "ellie@example.org",
            "send_on": DAY,
            "message": name,
            "manage_url": f"{SITE}/m",
        },
        "gift_waiting": {"recipient_email": "ellie@example.org", "send_on": DAY, "manage_url": f"{SITE}/m"},
        "gift_thanks": {"words": f"Thank you\n{name}"},
        "confirm_email": {"url": f"{SITE}/l", "code": "123456", "minutes": 10},
        "gift_delivered": {
            "state": "bounced",
            "recipient_email": "ellie@example.org",
            "certificate_url": f"{SITE}/c",
            "manage_url": f"{SITE}/m",
        },
    }
    comment = Comment(name=name, name_to_show=name, body=f"What a cat\n{name}", species=adoption.species)
    comment.created_at = payment.occurred_at
    comments: dict[str, Any] = {
        "comment": comment,
        "view_url": f"{SITE}/v",
        "comment_url": f"{SITE}/o",
        "reason": "it is about another animal",
        "species_url": f"{SITE}/s",
        "reply": comment,
        "stop_url": f"{SITE}/x",
        "moderator": name,
        "total": 2,
        "oldest": comment,
        "queue_url": f"{SITE}/q",
    }
    digest: dict[str, Any] = {
        "failed": [
            Mail(kind="receipt", to="amara@example.org", state="bounced", error=name, failed_at=payment.occurred_at)
        ],
        "total": 1,
        "late": 2,
        "admin_url": f"{SITE}/a",
    }
    if kind == "mail_digest":
        return digest
    if kind in COMPLAINT:
        complaint = Complaint(about="data", name=name, words=name, received_at=payment.occurred_at)
        own_words = {"finding": "We were wrong", "answer": "We are sorry."} if kind == "complaint_answered" else {}
        admin_url = {"admin_url": f"{SITE}/a"} if kind == "complaint_arrived" else {}
        return {"complaint": complaint, "due_on": DAY, **own_words, **admin_url}
    return comments if kind in COMMENT else {"adoption": adoption, **own[kind]}


def mail_of(kind: str, name: str = "Ellie", **values: Any) -> Mail:
    context = {**context_of(kind, name), **values}
    queue_mail(kind, to="amara@example.org", key=str(uuid.uuid4()), context=context)
    return Mail.objects.latest("pk")


@pytest.fixture
def shouting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that a template prints and nobody gave shows up as MISSING."""
    backend: Any = engines["django"]
    monkeypatch.setattr(backend.engine, "string_if_invalid", "MISSING")


@pytest.mark.parametrize("kind", KINDS)
def test_mail_is_whole_in_both_parts(kind: str, shouting: None) -> None:
    mail = mail_of(kind)
    page = Page(mail.html)
    assert "MISSING" not in mail.subject + mail.text + mail.html
    assert "{" not in mail.subject + mail.text
    assert 10 <= len(mail.subject) <= 90
    assert sorted(re.findall(r"https?://[^\s#]+", mail.text)) == sorted(
        (link or "").split("#")[0] for link in page.links
    )
    for part in (one_line(mail.text), page.text):
        assert settings.CHARITY["number"] in part
        assert "You get this email because" in part
    assert not re.search(r"\n{4,}|[ \t]$", mail.text, re.MULTILINE)
    if kind not in TO_STAFF_OR_STRANGERS:
        assert "Dear " in mail.text
        assert re.search(r"\(PM-\w{8}\)$", mail.subject)


@pytest.mark.parametrize("kind", KINDS)
def test_mail_fetches_nothing_and_runs_nothing(kind: str) -> None:
    mail = mail_of(kind)
    page = Page(mail.html)
    assert not {"img", "script", "link", "iframe", "form", "table", "svg"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert not re.search(r"url\(|@import|@font-face", mail.html)
    assert page.tags.count("h1") == 1
    assert "List-Unsubscribe" not in mail.text


@pytest.mark.threat("O2", "C1")
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_words_add_nothing_to_any_mail(kind: str) -> None:
    plain = Page(mail_of(kind).html)
    for name in HOSTILE_NAMES:
        mail = mail_of(kind, name)
        page = Page(mail.html)
        assert [tag for tag in page.tags if tag != "br"] == [tag for tag in plain.tags if tag != "br"]
        assert page.links == plain.links
        assert not re.search(r"(https?://|www\.|\w@)evil", mail.subject + mail.text + page.text)
        assert not re.search(r"^Bcc:", mail.text, re.MULTILINE)


@pytest.mark.parametrize("kind", ["gift_message", "gift_scheduled"])
def test_message_of_a_giver_cannot_pass_for_our_words(kind: str) -> None:
    mail = mail_of(kind, message="Happy birthday\n\n--\nYour bank: call 0900 123")
    assert "> Happy birthday\n>\n> --\n> Your bank: call 0900 123\n" in mail.text
    assert "Happy birthday<br><br>--<br>Your bank" in mail.html


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("payment_failed", {"next_try_on": None}, "This was our last try. Your adoption stops for now"),
        ("payment_failed", {}, "we try again on 24 December 2026"),
        ("cancelled", {"last_payment": None, "undo_url": ""}, "The adoption lasts until 24 December 2026"),
        ("cancelled", {"is_taken_over": True, "undo_url": ""}, "Somebody else goes on paying for the adoption"),
        ("cancelled", {"is_taken_over": True, "undo_url": ""}, "What you paid lasts until 24 December 2026"),
        ("refund_made", {"is_whole": False}, "That is a part of your payment"),
        ("paused", {}, "is paused until you take it up again. Nothing is taken meanwhile."),
        (
            "paused",
            {"skipped_on": DAY},
            "The payment of 24 December 2026 for your adoption of the Amur leopard is skipped",
        ),
        ("paused", {}, "It goes on by itself: the next payment, £36, is due on 24 December 2026."),
        ("resumed", {}, "goes on after its pause. The next payment, £36, is due on 24 December 2026."),
        ("renewal_notice", {}, "renews on 24 December 2026: £36 is taken then, as every year."),
        ("renewal_notice", {}, "To stop it, answer this email with the word “stop”"),
        ("gift_delivered", {"state": "opened"}, "Ellie has opened your present"),
        ("gift_delivered", {"state": "sent"}, "has gone to"),
        ("gift_message", {"message": ""}, "has given you an adoption of the Amur leopard. Your own page"),
        ("comment_refused", {"reason": ""}, "We did not put your comment on the page."),
    ],
)
def test_mail_says_what_became_of_it(kind: str, values: dict[str, Any], words: str) -> None:
    mail = mail_of(kind, **values)
    assert words in one_line(mail.text)
    if kind != "gift_message":  # its page is a button there
        assert words in Page(mail.html).text


def test_mails_from_a_real_charity_do_not_call_it_a_demonstration(settings: Any) -> None:
    settings.CHARITY = {**settings.CHARITY, "name": "Leopard & Co", "is_demonstration": False}
    adoption = make_active_adoption()
    queue_mail("receipt", to="amara@example.org", key="1", context={"adoption": adoption, "is_first": True})
    mail = Mail.objects.get()
    assert "Leopard & Co" in mail.text
    assert "Leopard &amp; Co" in mail.html
    assert "demonstration" not in one_line(mail.text).replace(settings.CHARITY["number"], "")
