import asyncio
import logging
import socketserver
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer

from config.local.mailbox import smtp, views

HOST = "127.0.0.1"


class WebServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Command(BaseCommand):
    help = "Take the site's mail on MAILBOX_SMTP_PORT and show it in the browser on MAILBOX_PORT."
    requires_system_checks: list[str] = []  # mail must be readable while the site is being mended

    def handle(self, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The development mailbox delivers nothing: set EMAIL_URL to a mail server.")
        for chatty in ("django.server", "mail.log"):  # a request for messages.json, a line of SMTP: no news
            logging.getLogger(chatty).setLevel(logging.WARNING)
        try:
            serve_web(settings.MAILBOX_PORT)
            asyncio.run(smtp.serve(HOST, settings.MAILBOX_SMTP_PORT))
        except OSError as error:
            ports = f"{settings.MAILBOX_PORT} and {settings.MAILBOX_SMTP_PORT}"
            raise CommandError(f"The mailbox cannot listen on ports {ports}: {error.strerror}.") from None


def serve_web(port: int) -> None:
    """Answer in a thread of its own, once the port is known to be ours."""
    server = WebServer((HOST, port), WSGIRequestHandler)
    server.set_app(views.Handler())
    threading.Thread(target=server.serve_forever, daemon=True).start()
