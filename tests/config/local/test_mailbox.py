"""Whatever the site sends can be read in the development mailbox, and goes nowhere else."""

import json
import smtplib
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from config.local.demo import is_listening
from config.local.mailbox import letters

from .checkouts import environment_in, eventually, free_port

SENDER = "hello@example.org"
AMARA = "amara@example.org"


@pytest.fixture(autouse=True)
def mailbox(settings: Settings, tmp_path: Path) -> Path:
    settings.LOCAL_DIR = tmp_path
    settings.ROOT_URLCONF = "config.local.mailbox.views"
    return tmp_path / "mailbox"


def receipt() -> EmailMessage:
    message = EmailMessage(policy=SMTPUTF8)
    message["Subject"] = "Your receipt: Amur leopard 豹"
    message["From"] = f"Pugmark <{SENDER}>"
    message["To"] = AMARA
    message.set_content("Dear Amara,\n\nThank you: http://127.0.0.1:8000/adoptions/?a=1&b=2\n")
    message.add_alternative(
        '<html><head><title>x</title></head><body style="color: green"><img src="cid:paw">Dear <b>Amara</b>'
        "<script>alert(1)</script></body></html>",
        subtype="html",
    )
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="certificate.pdf")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="paw.png", cid="<paw>")
    return message


def kept(message: EmailMessage, *recipients: str) -> letters.Letter:
    return letters.keep(message.as_bytes(), sender=SENDER, recipients=list(recipients) or [AMARA])


def plain(subject: str, text: str = "Hello.") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content(text)
    return message


def test_list_is_empty_at_first(client: Client) -> None:
    assert "Nothing has been sent yet." in client.get("/").text
    assert client.get("/messages.json").json() == {"count": 0, "messages": []}


def test_list_shows_the_newest_first(client: Client) -> None:
    kept(plain("First"))
    kept(plain("Second <b>letter</b>"))
    page = client.get("/").text
    assert page.index("Second &lt;b&gt;letter&lt;/b&gt;") < page.index("First")
    assert [one["subject"] for one in client.get("/messages.json").json()["messages"]] == [
        "Second <b>letter</b>",
        "First",
    ]


def test_list_shows_two_hundred_and_says_that_there_are_more(client: Client) -> None:
    for number in range(letters.MOST_SHOWN + 1):
        kept(plain(f"Letter {number}."))
    page = client.get("/").text
    assert page.count("<li>") == letters.MOST_SHOWN
    assert "201 letters" in page
    assert "Older ones are in .local/mailbox/." in page
    assert "Letter 0." not in page


def test_json_tells_a_test_everything(client: Client) -> None:
    letter = kept(receipt(), AMARA, "office@example.org")
    body = client.get("/messages.json").json()
    assert body["count"] == 1
    [message] = body["messages"]
    assert message["from"] == f"Pugmark <{SENDER}>"
    assert message["to"] == [AMARA, "office@example.org"]
    assert message["subject"] == "Your receipt: Amur leopard 豹"
    assert message["text"] == "Dear Amara,\n\nThank you: http://127.0.0.1:8000/adoptions/?a=1&b=2\n"
    assert "Dear <b>Amara</b>" in message["html"]
    assert ["X-Envelope-From", SENDER] in message["headers"]
    assert [(part["name"], part["type"], part["size"]) for part in message["attachments"]] == [
        ("certificate.pdf", "application/pdf", 8),
        ("paw.png", "image/png", 4),
    ]
    assert message["url"] == f"/messages/{letter.id}/"
    assert client.get(message["attachments"][0]["url"]).content == b"%PDF-1.7"


def test_letter_is_shown_with_its_parts(client: Client) -> None:
    letter = kept(receipt())
    page = client.get(f"/messages/{letter.id}/").text
    assert "Your receipt: Amur leopard 豹" in page
    assert 'href="http://127.0.0.1:8000/adoptions/?a=1&amp;b=2"' in page
    assert "certificate.pdf" in page
    assert "<script" not in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_markup_of_a_letter_is_locked_in(client: Client) -> None:
    letter = kept(receipt())
    response = client.get(f"/messages/{letter.id}/html")
    policy = response.headers["Content-Security-Policy"]
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert '<head><base target="_blank">' in response.text
    assert f'src="/messages/{letter.id}/attachments/5"' in response.text


def test_attachment_is_saved_and_picture_is_shown(client: Client) -> None:
    document, picture = kept(receipt()).attachments
    letter_id = letters.newest()[0].id
    saved = client.get(f"/messages/{letter_id}/attachments/{document.number}")
    shown = client.get(f"/messages/{letter_id}/attachments/{picture.number}")
    assert saved.headers["Content-Disposition"] == 'attachment; filename="certificate.pdf"'
    assert shown.headers["Content-Disposition"] == 'inline; filename="paw.png"'
    assert client.get(f"/messages/{letter_id}/attachments/1").status_code == 404


def test_source_is_the_letter_as_it_came(client: Client) -> None:
    letter = kept(plain("Hello", "Where from?"))
    response = client.get(f"/messages/{letter.id}/source")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.text.startswith(f"X-Envelope-From: {SENDER}\r\nX-Envelope-To: {AMARA}\r\n")


def test_pages_allow_nothing_inline(client: Client) -> None:
    letter = kept(receipt())
    for address in ("/", f"/messages/{letter.id}/"):
        response = client.get(address)
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert "style=" not in response.text
    assert client.get("/mailbox.css").headers["Content-Type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize("letter_id", ["1-abcdef", "..", "..%2f..%2fmanage", "1", "%00"])
def test_unknown_letter_is_not_found(client: Client, letter_id: str) -> None:
    for page in ("", "html", "source"):
        assert client.get(f"/messages/{letter_id}/{page}").status_code in {400, 404}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (b"Content-Type: text/plain; charset=klingon\n\nna\xc3\xafve", "naïve"),
        (b"Content-Type: text/plain; charset=utf-8\n\n\xff", "\ufffd"),
        (b"Subject: \xff\xfe\n\nhi", "hi"),
        (b"", ""),
    ],
)
def test_strange_letter_is_still_shown(client: Client, source: bytes, text: str) -> None:
    letter = letters.keep(source, sender="", recipients=[])
    assert letter.text == text
    assert client.get(f"/messages/{letter.id}/").status_code == 200
    assert client.get("/").status_code == 200


@pytest.fixture
def running_mailbox(checkout: Path) -> Iterator[int]:
    """`manage.py mailbox` as a process of its own. Yields the port of the site it belongs to."""
    port = free_port()
    command = [sys.executable, "manage.py", "mailbox"]
    with subprocess.Popen(command, cwd=checkout, env=environment_in(checkout, PORT=str(port))) as process:
        eventually(lambda: is_listening(port + 25), "the mailbox listened")
        yield port
        process.terminate()


def test_letter_sent_over_smtp_can_be_read(running_mailbox: int) -> None:
    with smtplib.SMTP("127.0.0.1", running_mailbox + 25, timeout=10) as server:
        server.send_message(receipt(), SENDER, [AMARA, "فاطمة@example.org"])
    with urllib.request.urlopen(f"http://127.0.0.1:{running_mailbox + 2}/messages.json", timeout=10) as answer:
        letter = json.load(answer)["messages"][0]
    assert letter["to"] == [AMARA, "فاطمة@example.org"]
    assert letter["subject"] == "Your receipt: Amur leopard 豹"


def test_mailbox_on_a_taken_port_says_so(running_mailbox: int, checkout: Path) -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "mailbox"],
        cwd=checkout,
        env=environment_in(checkout, PORT=str(running_mailbox)),
        capture_output=True,
        text=True,
        check=False,
    )
    ports = f"{running_mailbox + 2} and {running_mailbox + 25}"
    assert run.returncode == 1
    assert run.stderr == f"CommandError: The mailbox cannot listen on ports {ports}: Address already in use.\n"
