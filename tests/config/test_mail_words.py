"""Staff put mails in their own words; what they write is only ever words."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config import mail_kinds, mail_words
from config.mail import queue_mail
from config.mail_words_page import WordsForm
from config.models import Mail, MailWords
from tests.adoptions.test_emails_rendered import HOSTILE_NAMES, Page, context_of
from tests.makers import make_active_adoption

pytestmark = pytest.mark.django_db

KIND = "payment_recovered"
BODY = "Hello {{ adoption.supporter.name|typed }},\n\nyour {{ payment.amount_pence|pounds }} came. <b>Thanks</b>"
KINDS = mail_words.kinds()


@pytest.fixture
def marek(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("marek", "marek@example.org", "x" * 20))
    return client


def address(kind: str = KIND) -> str:
    return reverse("admin:mail_words", args=[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_words_can_be_edited_and_say_the_same(kind: str) -> None:
    subject, body = mail_words.shipped(kind)
    assert mail_words.problems(kind, subject, body) == []
    context = context_of(kind)
    ours = mail_words.render(kind, {"site_url": "", **context})
    MailWords.objects.create(kind=kind, subject=subject, body=body)
    edited = mail_words.render(kind, {"site_url": "", **context})
    assert (edited.subject, squeezed(edited.text)) == (ours.subject, squeezed(ours.text))
    page = Page(edited.html)
    assert sorted(link for link in page.links if link) == sorted(
        re.findall(r"^https?://\S+$", edited.text, re.MULTILINE)
    )
    assert page.tags.count("h1") == 1
    assert "You get this email because" in page.text


def squeezed(words: str) -> str:
    return " ".join(words.split())


def test_every_kind_has_a_name_that_the_desk_shows(marek: Client) -> None:
    assert sorted({*KINDS, *mail_words.OURS_ALONE, "mail_test"}) == sorted(mail_kinds.NAMES)
    assert len(set(mail_kinds.NAMES.values())) == len(mail_kinds.NAMES)
    for kind in ("campaign_test", "gone_by_now", "receipt"):
        Mail.objects.create(key=kind, kind=kind, to="a@example.org", subject="s", text="t", html="h", message_id=kind)
    page = marek.get("/admin/config/mail/?kind=campaign_test")
    [by_kind] = [each for each in page.context["cl"].filter_specs if each.title == "kind"]
    assert [str(each["display"]) for each in by_kind.choices(page.context["cl"])] == [
        *("All", "Receipt", "Test of a campaign link", "gone_by_now"),
    ]
    shown = page.text
    assert shown.count("Test of a campaign link") == 2  # as what the list is filtered by, and in its one row
    assert ">campaign_test<" not in shown
    assert ">gone_by_now<" in shown
    shown = marek.get("/admin/config/mailwords/").text
    assert f'<a href="{address("campaign_test")}">Test of a campaign link</a>' in shown
    assert "Words of the mail “Test of a campaign link”" in marek.get(address("campaign_test")).text


@pytest.mark.threat("L5")
@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Your way in: {{ url }}", "{{ url }} {{ code }}"),
        ("Your code: {{ code }}", "{{ url }} {{ code }}"),
        ("Hello", "https://evil.example/?{{ url }} {{ code }}"),
        ("Hello", "https://evil.example/?{% if code %}{{ url }}{% endif %} {{ code }}"),
        ("Hello", "{{ url }} {{ code }}7"),
        ("Hello", "{{ url }} {{ code }}{{ code }}"),
    ],
)
def test_key_is_led_nowhere_else_and_not_hidden_from_what_takes_it_out_of_the_log(subject: str, body: str) -> None:
    """The log of mails shows subjects as they are, and takes links and six digits out of the words (without_keys)."""
    assert mail_words.problems("manage_link", "Hello", "Press:\n\n{{ url }}\n\nCode: {{ code }}.") == []
    assert "by itself" in " ".join(mail_words.problems("manage_link", subject, body))


@pytest.mark.parametrize("kind", KINDS)
def test_made_up_values_fill_every_kind(kind: str) -> None:
    drawn = mail_words.draw(kind, *mail_words.shipped(kind), mail_words.sample(kind))
    assert "{" not in drawn.subject + drawn.text
    assert len(drawn.text) > 200


@pytest.mark.parametrize("kind", mail_words.kinds())
def test_our_own_words_fit_the_form_in_which_they_are_changed(kind: str) -> None:
    subject, body = mail_words.shipped(kind)
    form = WordsForm({"subject": subject, "body": body}, kind=kind)
    assert form.is_valid(), form.errors


@pytest.mark.parametrize(
    ("subject", "body", "problem"),
    [
        ("Hi", BODY + "{{ adoption.suporter.name|typed }}", "{{ adoption.suporter.name|typed }} is not known"),
        ("Hi", BODY + "{{ adoption.supporter.name }}", "is not known"),
        ("Hi", BODY + "{{ adoption.supporter.adoptions.abandon }}", "is not known"),
        ("{{ request }}", BODY, "is not known"),
        ("Hi", BODY + "{% include 'x' %}", "is not known"),
        ("Hi", BODY + "{% debug %}", "is not known"),
        ("Hi", BODY + "{{ payment.amount_pence|pounds }", "A brace is missing"),
        ("Hi", BODY + "}}", "A brace is missing"),
        ("Hi", BODY + "{{7*7}}", "{{7*7}} is not known"),
        ("{{ ''.__class__ }}", BODY, "is not known"),
        (" ", BODY, ""),
    ],
)
def test_broken_words_are_neither_kept_nor_sent(marek: Client, subject: str, body: str, problem: str) -> None:
    for act in ("keep", "test", "look"):
        response = marek.post(address(), {"subject": subject, "body": body, "act": act})
        assert response.status_code == 422
        assert problem in str(response.context["form"].errors).replace("&#x27;", "'")
    assert (MailWords.objects.count(), Mail.objects.count()) == (0, 0)


def test_if_without_its_end_is_refused() -> None:
    _, body = mail_words.shipped("gift_message")
    [problem] = mail_words.problems("gift_message", "Hi", body.replace("{% endif %}", ""))
    assert "does not go with its {% endif %}" in problem


def test_link_or_code_cannot_be_forgotten() -> None:
    found = mail_words.problems("manage_link", "Hi", "Here you are.")
    assert found == ["{{ url }} must stand in the text.", "{{ code }} must stand in the text."]


def test_words_are_looked_at_tested_kept_and_sent(marek: Client) -> None:
    subject = "It came ({{ adoption.reference }})"
    assert "Dear" in marek.get(address()).content.decode()
    page = marek.post(address(), {"subject": subject, "body": BODY, "act": "look"}).content.decode()
    assert "Hello Amara Supporter," in page
    marek.post(address(), {"subject": subject, "body": BODY, "act": "test"})
    test = Mail.objects.get()
    assert (test.kind, test.to, test.subject) == ("mail_test", "marek@example.org", "Test: It came (PM-7K4T9QXR)")
    assert not MailWords.objects.exists()
    assert marek.post(address(), {"subject": subject, "body": BODY, "act": "keep"}).status_code == 303
    adoption = make_active_adoption()
    queue_mail(KIND, to="a@example.org", key="1", context={"adoption": adoption, "payment": adoption.payments.get()})
    mail = Mail.objects.get(kind=KIND)
    assert mail.subject == f"It came ({adoption.reference})"
    assert mail.text.startswith("Hello Amara Supporter,\n\nyour £36 came. <b>Thanks</b>")
    assert "<p>your £36 came. &lt;b&gt;Thanks&lt;/b&gt;</p>" in mail.html
    assert "yours" in marek.get(reverse("admin:config_mailwords_changelist")).content.decode()
    marek.post(address(), {"act": "ours"})
    assert not MailWords.objects.exists()


def test_of_two_who_edit_the_same_words_the_second_is_told(marek: Client) -> None:
    subject = "It came ({{ adoption.reference }})"
    seen = marek.get(address()).context["seen"]
    typed = {"subject": subject, "body": BODY, "act": "keep", "seen": seen}
    assert marek.post(address(), typed).status_code == 303
    told = marek.post(address(), {**typed, "subject": f"Look: {subject}"})
    assert told.status_code == 422
    assert "A colleague changed these words" in told.text
    again = {**typed, "subject": f"Look: {subject}", "seen": told.context["seen"]}
    assert marek.post(address(), again).status_code == 303


def test_preview_shows_what_is_typed_and_keeps_and_sends_nothing(marek: Client) -> None:
    where = reverse("admin:mail_words_preview", args=[KIND])
    assert "Amara Supporter" in marek.get(where).content.decode()
    response = marek.post(where, {"subject": "It came", "body": BODY})
    assert "<p>your £36 came. &lt;b&gt;Thanks&lt;/b&gt;</p>" in response.content.decode()
    policy = response.headers["Content-Security-Policy"]
    assert {"sandbox", "default-src 'none'", "frame-ancestors 'self'"} <= {part.strip() for part in policy.split(";")}
    assert "script-src" not in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    wrong = marek.post(where, {"subject": "It came", "body": "{{ <script> }}"})
    assert (wrong.status_code, b"&lt;script&gt;" in wrong.content) == (422, True)
    assert (MailWords.objects.count(), Mail.objects.count()) == (0, 0)
    assert "frame-src 'self'" in marek.get(address()).headers["Content-Security-Policy"]
    assert marek.get(reverse("admin:mail_words_preview", args=["no-such-mail"])).status_code == 404


@pytest.mark.parametrize(
    "body", ["{{ gone }}", "{{7*7}}", "{% if adoption.is_gift %}", "{% endblock %}", "{{ x|nofilter }}"]
)
def test_words_that_no_longer_fit_are_not_sent_and_staff_are_told(marek: Client, body: str) -> None:
    MailWords.objects.create(kind=KIND, subject="Hi", body=body)
    adoption = make_active_adoption()
    queue_mail(KIND, to="a@example.org", key="1", context={"adoption": adoption, "payment": adoption.payments.get()})
    assert "Dear Amara Supporter" in Mail.objects.get().text
    assert "1 mail whose words of yours can no longer be used" in squeezed(
        re.sub("<[^>]+>", "", marek.get("/admin/").text)
    )
    assert "yours can no longer be used" in marek.get(reverse("admin:config_mailwords_changelist")).text
    page = marek.get(address())
    assert (page.status_code, "our own are sent until they are put right" in page.text) == (200, True)
    assert page.context["form"].initial["body"] == body
    assert "These words cannot be used" in marek.get(reverse("admin:mail_words_preview", args=[KIND])).text


def test_what_stands_for_something_in_its_loop_alone_is_refused_outside_and_a_mail_goes_out_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind, outside = "annual_statement", "{{ line.amount_pence|pounds }}"
    subject, body = mail_words.shipped(kind)
    assert outside in mail_words.usable(kind)
    [problem] = mail_words.problems(kind, subject, f"{outside} {body}")
    assert "has nothing to stand for where it is now" in problem
    MailWords.objects.create(kind=kind, subject=subject, body=f"{outside} {body}")
    monkeypatch.setattr(mail_words, "can_be_used", lambda *words: True)  # as if nothing had been noticed before
    rendered = mail_words.render(kind, {"site_url": "", **context_of(kind)})
    assert rendered.text.startswith("Dear")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_name_adds_nothing_to_edited_words(name: str) -> None:
    kind = "gift_message"
    MailWords.objects.create(kind=kind, subject=mail_words.shipped(kind)[0], body=mail_words.shipped(kind)[1])
    plain = Page(mail_words.render(kind, context_of(kind)).html)
    page = Page(mail_words.render(kind, context_of(kind, name)).html)
    assert [tag for tag in page.tags if tag != "br"] == [tag for tag in plain.tags if tag != "br"]
    assert page.links == plain.links


def test_page_is_for_who_may(client: Client) -> None:
    clerk = User.objects.create_user("clerk", "clerk@example.org", "x" * 20, is_staff=True)
    client.force_login(clerk)
    assert client.get(address()).status_code == 403
    assert client.get(reverse("admin:config_mailwords_changelist")).status_code == 403


def test_kind_that_there_is_not_is_404(marek: Client) -> None:
    assert marek.get(address("no-such-mail")).status_code == 404
