"""Letters as files in `.local/mailbox/`, one each: they outlive a restart and can be opened by hand."""

import email
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default as modern
from functools import cached_property
from pathlib import Path

from django.conf import settings

MOST_SHOWN = 200


def folder() -> Path:
    return Path(settings.LOCAL_DIR, "mailbox")


@dataclass(frozen=True)
class Attachment:
    number: int  # its place among all parts of the letter
    name: str
    media_type: str
    content_id: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    id: str
    message: EmailMessage

    @property
    def received_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.id.split("-")[0]) / 1e9, tz=UTC)

    @property
    def subject(self) -> str:
        return str(self.message.get("Subject", ""))

    @property
    def sender(self) -> str:
        return str(self.message.get("From", ""))

    @property
    def recipients(self) -> list[str]:
        """Where the letter really went: who stands in To may be fewer people."""
        return str(self.message.get("X-Envelope-To", "")).split()

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @cached_property
    def text(self) -> str:
        return self._body("text/plain")

    @cached_property
    def html(self) -> str:
        return self._body("text/html")

    @cached_property
    def attachments(self) -> list[Attachment]:
        return [
            Attachment(
                number=number,
                name=part.get_filename() or f"part-{number}",
                media_type=part.get_content_type(),
                content_id=str(part.get("Content-ID", "")).strip("<> "),
                content=_bytes(part),
            )
            for number, part in enumerate(self.message.walk())
            if part.get_filename() or part.get_content_maintype() not in ("text", "multipart")
        ]

    def _body(self, media_type: str) -> str:
        for part in self.message.walk():
            if part.get_content_type() == media_type and not part.get_filename():
                return _text(part)
        return ""


def keep(content: bytes, *, sender: str, recipients: list[str]) -> Letter:
    """Write a letter down, whole or not at all."""
    letter_id = f"{time.time_ns()}-{secrets.token_hex(3)}"
    envelope = f"X-Envelope-From: {sender}\r\nX-Envelope-To: {' '.join(recipients)}\r\n"
    folder().mkdir(parents=True, exist_ok=True)
    unfinished = folder() / f"{letter_id}.unfinished"
    unfinished.write_bytes(envelope.encode() + content)
    unfinished.rename(folder() / f"{letter_id}.eml")
    return find(letter_id)


def find(letter_id: str) -> Letter:
    """The letter, or FileNotFoundError."""
    return Letter(letter_id, _parsed(source(letter_id)))


def source(letter_id: str) -> bytes:
    if not re.fullmatch(r"\d+-[0-9a-f]+", letter_id):  # it becomes a file's name
        raise FileNotFoundError(letter_id)
    return (folder() / f"{letter_id}.eml").read_bytes()


def count() -> int:
    return len(list(folder().glob("*.eml")))


def newest(most: int = MOST_SHOWN) -> list[Letter]:
    names = sorted((path.stem for path in folder().glob("*.eml")), reverse=True)
    return [find(name) for name in names[:most]]


def _parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, EmailMessage, policy=modern)


def _bytes(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: EmailMessage) -> str:
    try:
        text = _bytes(part).decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:  # a character set nobody has heard of
        text = _bytes(part).decode("utf-8", "replace")
    return text.replace("\r\n", "\n")
