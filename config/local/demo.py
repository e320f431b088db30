"""The demonstration: which processes it takes, what it prepares, and what it tells the person who started it."""

import errno
import fcntl
import http.client
import io
import os
import socket
import time

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from . import staff
from .supervisor import CannotRunError, Child, Console, Supervisor

HOST = "127.0.0.1"
ANSWERS_WITHIN = 60.0


def run(console: Console) -> None:
    """Prepare and start everything, and return when somebody has asked to stop. Ends with no process left."""
    if not settings.DEBUG:
        raise CannotRunError("The demonstration is a development site. Unset DEBUG, or set it to True.")
    children = cast()
    lock = settings.LOCAL_DIR / f"demo-{settings.PORT}.lock"
    with Supervisor(children, lock=lock, console=console) as supervisor:
        refuse_taken_ports(children)
        password = prepare(console)
        supervisor.start()
        wait_for_site(supervisor, children)
        console.say(banner(password))
        console.drop_held()
        while supervisor.tend():
            pass


def wait_for_site(supervisor: Supervisor, children: list[Child]) -> None:
    patience_ends = time.monotonic() + ANSWERS_WITHIN
    while supervisor.tend():
        if all(is_listening(port) for child in children for port in child.ports) and is_site_answering():
            return
        if time.monotonic() > patience_ends:
            raise CannotRunError(f"The site did not answer within {ANSWERS_WITHIN:g} s. What it said is above.")
    raise KeyboardInterrupt


def cast() -> list[Child]:
    """Who plays: whatever the environment does not provide already, and the site."""
    children = [
        Child("worker", "worker"),
        Child("site", "runserver", f"{HOST}:{settings.PORT}", ports=[settings.PORT]),
    ]
    if settings.IS_STRIPE_STANDIN:
        children.insert(0, Child("stand-in", "stripe_standin", ports=[settings.STANDIN_PORT]))
    if is_mailbox_needed():
        ports = [settings.MAILBOX_PORT, settings.MAILBOX_SMTP_PORT]
        children.insert(0, Child("mailbox", "mailbox", ports=ports))
    return children


def is_mailbox_needed() -> bool:
    return not os.environ.get("EMAIL_URL")


def refuse_taken_ports(children: list[Child]) -> None:
    for child in children:
        for port in child.ports:
            reason = why_not(port)
            if reason:
                raise CannotRunError(
                    f"Port {port} for the {child.name} {reason}. Stop what uses it, or choose another: "
                    f"PORT={settings.PORT + 10} make run"
                )


def why_not(port: int) -> str:
    """Why we cannot listen on this port; empty if we can."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OverflowError:
            return "does not exist"
        except OSError as error:
            return "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
    return ""


def prepare(console: Console) -> str | None:
    """Bring the database up to date, one starter at a time. The staff password, if it is still ours to tell."""
    with (settings.LOCAL_DIR / "prepare.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        console.say("Preparing the database …")
        call_command("check", stdout=io.StringIO())
        call_command("migrate", verbosity=0, interactive=False)
        report = io.StringIO()
        call_command("load_species", stdout=report)
        console.say(report.getvalue().rstrip())
        call_command("load_roles", stdout=io.StringIO())
        password = staff.password_for_staff()
    connections.close_all()
    console.say("Starting the site …")
    return password


def is_listening(port: int) -> bool:
    with socket.socket() as trial:
        trial.settimeout(1)
        return trial.connect_ex((HOST, port)) == 0


def is_site_answering() -> bool:
    connection = http.client.HTTPConnection(HOST, settings.PORT, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()  # to hang up with the answer unread is an error in the site's log
        return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def banner(password: str | None) -> str:
    """Labels are a contract with scripts that read them: one line each, the value after the colon."""
    how_to_reset = "the one you chose (lost it? .venv/bin/python manage.py changepassword staff)"
    mailbox = f"http://{HOST}:{settings.MAILBOX_PORT}/" if is_mailbox_needed() else "not started: EMAIL_URL is set"
    standin = f"{settings.STANDIN_URL}/" if settings.IS_STRIPE_STANDIN else "not started: STRIPE_SECRET_KEY is set"
    rows = {
        "Site": f"{settings.SITE_URL}/",
        "Admin": f"{settings.SITE_URL}/admin/",
        "Staff user": staff.USERNAME,
        "Password": password or how_to_reset,
        "Mailbox": mailbox,
        "Stripe stand-in": standin,
    }
    lines = "\n".join(f"  {label + ':':<17} {value}" for label, value in rows.items())
    return f"\nPugmark is running.\n\n{lines}\n\nCtrl-C stops all of it. The data stays in .local/ for the next time.\n"
