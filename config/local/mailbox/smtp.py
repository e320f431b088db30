"""The mailbox's slot: an SMTP server that says yes to every letter and passes none on."""

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from . import letters


class Postman:
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content or b""
        letters.keep(
            content if isinstance(content, bytes) else content.encode(),
            sender=envelope.mail_from or "",
            recipients=envelope.rcpt_tos,
        )
        return "250 Kept in the development mailbox"


async def serve(host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Postman(), hostname="mailbox.localhost", enable_SMTPUTF8=True, loop=loop), host, port
    )
    await server.serve_forever()
