"""Real, practice or development: which of the three this site is, and that its database is of the same kind.

A practice site (PRACTICE=True) is for learning the desk on: all forms, mails and papers, with Stripe's test key, in a
database of its own. It says so on every page and paper, and sends mail to staff only. The first worker of a site writes
into the database which kind it is; from then on a site of another kind refuses to work with it.
"""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from .models import SiteKind

LIVE, PRACTICE, DEVELOPMENT = "live", "practice", "development"


class WrongDatabaseError(Exception):
    """The database belongs to a site of another kind; the message says of which."""


def kind() -> str:
    """What this process is."""
    if settings.PRACTICE:
        return PRACTICE
    return DEVELOPMENT if settings.DEBUG else LIVE


def check_database() -> None:
    """Raises WrongDatabaseError where the database says that it belongs to another kind of site."""
    if SiteKind._meta.db_table not in connection.introspection.table_names():
        return  # before the first migration
    theirs = SiteKind.objects.values_list("kind", flat=True).first()
    if theirs not in {None, kind()}:
        raise WrongDatabaseError(f"This is a {kind()} site, and the database belongs to a {theirs} one.")


def claim_database() -> None:
    """Write down whose it is, once. Raises WrongDatabaseError."""
    check_database()
    SiteKind.objects.get_or_create(pk=SiteKind.ONLY, defaults={"kind": kind()})


def refuse_database_of_others() -> None:
    """At the start of a web server. Raises WrongDatabaseError; one that is away is asked by nobody here."""
    try:
        check_database()
    except OperationalError:
        pass
    finally:
        connection.close()


def may_be_written_to(address: str) -> bool:
    """Does mail to this address leave the house? From a practice site only to those who practise."""
    return not settings.PRACTICE or User.objects.filter(is_staff=True, is_active=True, email__iexact=address).exists()
