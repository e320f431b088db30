"""A mail server that takes every letter, and writes its Message-ID into a file.

python -m tests.chaos.mail_server PORT FILE
"""

import asyncio
import os
import sys
from email import message_from_bytes
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Postman:
    def __init__(self, book: str) -> None:
        self.book = book

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        with Path(self.book).open("a") as book:  # a line, and it is there before we say yes
            book.write(f"{message_from_bytes(content)['Message-ID']}\n")
            book.flush()
            os.fsync(book.fileno())
        return "250 Taken"


async def serve(port: int, book: str) -> None:
    loop = asyncio.get_running_loop()

    def answering() -> SMTP:
        return SMTP(Postman(book), hostname="chaos.localhost", enable_SMTPUTF8=True, loop=loop)

    server = await loop.create_server(answering, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
